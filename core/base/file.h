/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files, read and written, and the byte order of the floats in them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Up to 2 GiB. Errors: AE_ERROR_FILE, naming the path. */
GBytes *ae_file_read(const char *path, GError **error);

/* Writes a temporary name beside @path, fsyncs it and renames it over @path, so
 * that @path holds the old content or the new and no other file is left behind,
 * whatever happens. A file that exists keeps its mode. Errors: AE_ERROR_FILE,
 * also if @path is there and no regular file. */
gboolean ae_file_write(const char *path, const void *data, gsize size,
                       GError **error);

/* Whether ae_file_write() can begin, as it is now. Errors: as there. */
gboolean ae_file_can_write(const char *path, GError **error);

/* @n floats from and to little-endian bytes, which need no alignment. */
void ae_floats_from_bytes(float *target, const void *source, gsize n);
void ae_floats_to_bytes(void *target, const float *source, gsize n);

G_END_DECLS
