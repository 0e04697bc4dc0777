/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the metadata of a model: lines of KEY=VALUE. What is accepted is
 * written into another model and read again. */
#include "fuzz.h"

#include "ae.h"
#include "model/build.h"
#include "networks/architectures.h"

#include <string.h>

static void set_line(AeModel *model, char *line)
{
    char *value = strchr(line, '=');

    if (value == NULL || !g_utf8_validate(line, -1, NULL))
        return;
    *value++ = '\0';
    ae_model_set(model, line, value);
}

static AeModel *new_model(void)
{
    return ae_architecture_new("nearest", &(AeArchitectureOptions){0}, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
    g_autoptr(AeModel) model = new_model(), again = new_model();
    AeMetadata metadata, read;

    for (char **line = lines; *line != NULL; line++)
        set_line(model, *line);
    if (!ae_metadata_read(model, &metadata, NULL))
        return 0;
    ae_metadata_write(again, &metadata);
    if (ae_metadata_read(again, &read, NULL))
        g_assert_cmpint(read.scale, ==, MAX(metadata.scale, read.scale));
    return 0;
}
