/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files, read and written. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Up to 2 GiB. Errors: AE_ERROR_FILE, naming the path. */
GBytes *ae_file_read(const char *path, GError **error);

/* Writes a temporary name beside @path, fsyncs it and renames it over @path, so
 * that @path holds the old content or the new and no other file is left behind,
 * whatever happens. Errors: AE_ERROR_FILE. */
gboolean ae_file_write(const char *path, const void *data, gsize size,
                       GError **error);

G_END_DECLS
