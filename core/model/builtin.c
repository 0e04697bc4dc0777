/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The models that are compiled into the library, as a GResource. */
#include "model/builtin.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "ae-models.h"
#include "base/error.h"
#include "model/onnx-parse.h"

#define PREFIX "/ae/models/"
#define SUFFIX ".onnx"

static int compare_names(const void *a, const void *b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

static char **list_names(void)
{
    char **names = g_resource_enumerate_children(ae_models_get_resource(),
                                                 PREFIX, 0, NULL);

    if (names == NULL)
        return g_new0(char *, 1);
    for (int i = 0; names[i] != NULL; i++)
        if (g_str_has_suffix(names[i], SUFFIX))
            names[i][strlen(names[i]) - strlen(SUFFIX)] = '\0';
    qsort(names, g_strv_length(names), sizeof *names, compare_names);
    return names;
}

const char *const *ae_builtin_names(void)
{
    static char **names;

    if (g_once_init_enter(&names))
        g_once_init_leave(&names, list_names());
    return (const char *const *)names;
}

AeModel *ae_builtin_load(const char *name, GError **error)
{
    g_autofree char *path = g_strconcat(PREFIX, name, SUFFIX, NULL);
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(ae_models_get_resource(), path, 0, NULL);
    g_autofree char *names = NULL;

    if (bytes != NULL)
        return ae_onnx_parse(g_bytes_get_data(bytes, NULL),
                             g_bytes_get_size(bytes), name, NULL, error);
    names = g_strjoinv(", ", (char **)ae_builtin_names());
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "there is no built-in model '%s'; there are: %s", name,
                *names != '\0' ? names : "none");
    return NULL;
}
