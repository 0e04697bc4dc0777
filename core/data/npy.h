/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NumPy's files of one array (.npy, version 1.0) of little-endian float32 in
 * row-major order: numpy.lib.format. */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

/* Errors: AE_ERROR_FILE, AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED (other versions,
 * types and orders), AE_ERROR_MEMORY; they name @path. */
AeTensor *ae_npy_load(const char *path, GError **error);

/* The same from memory; @name stands for the path. */
AeTensor *ae_npy_parse(const void *data, size_t size, const char *name,
                       GError **error);

/* Atomic, as ae_file_write(). */
gboolean ae_npy_save(const AeTensor *tensor, const char *path, GError **error);

G_END_DECLS
