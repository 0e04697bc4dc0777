/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "models.h"

#include <glib/gstdio.h>

char *models_folder;

void models_begin(const char *test)
{
    g_autofree char *template = g_strconcat(test, "-XXXXXX", NULL);

    models_folder = g_dir_make_tmp(template, NULL);
    g_assert_nonnull(models_folder);
}

void models_end(void)
{
    GDir *dir = g_dir_open(models_folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(models_folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(models_folder);
    g_clear_pointer(&models_folder, g_free);
}

char *models_path(const char *name)
{
    return g_strdup_printf("%s/%s.onnx", models_folder, name);
}

void models_save(AeModel *model, const char *name)
{
    g_autofree char *path = models_path(name);
    GError *error = NULL;

    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
    ae_model_unref(model);
}
