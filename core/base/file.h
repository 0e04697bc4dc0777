/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes whole files, and converts floats of files. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The content of a file of at most 2 GiB. AE_ERROR_FILE; the message names the
 * path. */
GBytes *ae_file_read(const char *path, GError **error);

/* @size bytes of a file, from byte @offset on. AE_ERROR_FILE, also if the file
 * is shorter; AE_ERROR_MEMORY; the message names the path. */
GBytes *ae_file_read_part(const char *path, guint64 offset, gsize size,
                          GError **error);

/* Replaces the file @path atomically: writes a temporary file beside it, syncs
 * it to disk and renames it to @path. Whatever happens, @path holds the old
 * content or the new one. A temporary file is left behind only if the process
 * is killed. An existing file keeps its mode. AE_ERROR_FILE, also if @path
 * exists and is no regular file or is write-protected. */
gboolean ae_file_write(const char *path, const void *data, gsize size,
                       GError **error);

/* Checks, before long work, that ae_file_write() could write @path now, and
 * takes away what a killed process has left of writing it. AE_ERROR_FILE. */
gboolean ae_file_can_write(const char *path, GError **error);

/* Whether two paths lead to one file, or would if it were there. */
gboolean ae_file_is_same(const char *a, const char *b);

/* Convert @n floats from and to little-endian bytes. The bytes need no
 * alignment. */
void ae_floats_from_bytes(float *target, const void *source, gsize n);
void ae_floats_to_bytes(void *target, const float *source, gsize n);

/* The number that the bits of a float16 (IEEE 754 binary16) or a bfloat16 (the
 * upper half of a float) stand for. */
float ae_float_from_half(guint16 bits);
float ae_float_from_bfloat(guint16 bits);

G_END_DECLS
