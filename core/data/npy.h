/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NumPy's .npy files of one array of little-endian float32 in row-major order.
 * Source: the documentation of numpy.lib.format, version 1.0. */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* Reads a file. AE_ERROR_FILE, AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED (other
 * versions, types and orders), AE_ERROR_MEMORY; messages name @path. */
AeTensor *ae_npy_load(const char *path, GError **error);

/* Reads the content of a file from memory. @name stands for the path in
 * messages. */
AeTensor *ae_npy_parse(const void *data, size_t size, const char *name,
                       GError **error);

/* Writes a file atomically, as ae_file_write() does. */
gboolean ae_npy_save(const AeTensor *tensor, const char *path, GError **error);

G_END_DECLS
