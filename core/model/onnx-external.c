/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads external data. A model from elsewhere must not make its user read files
 * that do not belong to it: only files inside the model's folder are opened,
 * after links are resolved. */
#include "model/onnx-external.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

/* The entry @key; NULL: there is none. */
static const char *find_entry(const Onnx__TensorProto *proto, const char *key)
{
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];

        if (entry->key != NULL && strcmp(entry->key, key) == 0)
            return entry->value != NULL ? entry->value : "";
    }
    return NULL;
}

static gboolean read_number(const Onnx__TensorProto *proto, const char *key,
                            guint64 *number, GError **error)
{
    const char *text = find_entry(proto, key);

    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, number, NULL))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "its external data has %s '%s', which is no size", key, text);
    return FALSE;
}

static gboolean check_location(const char *location, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(location, "/", -1);

    if (*location != '\0' && !g_path_is_absolute(location) &&
        !g_strv_contains((const char *const *)parts, ".."))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "its data is in the file '%s', but only files in the folder of "
                "the model are read",
                location);
    return FALSE;
}

/* The file at @location in @folder, without links; NULL with an error if it is
 * not there or outside of the folder. */
static char *find_file(const char *folder, const char *location, GError **error)
{
    g_autofree char *path = g_build_filename(folder, location, NULL);
    char *real = realpath(path, NULL);
    char *top = realpath(folder, NULL);
    g_autofree char *inside = g_strconcat(top != NULL ? top : "", "/", NULL);
    char *result = NULL;

    if (real == NULL || top == NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                    "its data is in the file '%s', which is not beside the "
                    "model: put it there, or save the model as one file",
                    location);
    else if (!g_str_has_prefix(real, g_str_equal(top, "/") ? "/" : inside))
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "its data is in the file '%s', which is a link out of the "
                    "folder of the model",
                    location);
    else
        result = g_strdup(real);
    free(real);
    free(top);
    return result;
}

GBytes *ae_onnx_external_read(const Onnx__TensorProto *proto,
                              const char *folder, gsize size, GError **error)
{
    const char *location = find_entry(proto, "location");
    guint64 offset = 0, length = size;
    g_autofree char *path = NULL;

    if (location == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "its data is in another file, but its location is missing");
        return NULL;
    }
    if (!check_location(location, error) ||
        !read_number(proto, "offset", &offset, error) ||
        !read_number(proto, "length", &length, error))
        return NULL;
    if (length != size) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "its shape asks for %" G_GSIZE_FORMAT
                    " bytes, but it has %" G_GUINT64_FORMAT " in the file '%s'",
                    size, length, location);
        return NULL;
    }
    if (folder == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "its data is in the file '%s', but a model in memory has "
                    "no files",
                    location);
        return NULL;
    }
    path = find_file(folder, location, error);
    return path != NULL ? ae_file_read_part(path, offset, size, error) : NULL;
}
