/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes models as ONNX files, with the operators of ops/. Reads
 * opset 6 to 28 (IR version 3 to 14) and writes the opset of the model (IR
 * version 8). */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* Reads a file, and files in its folder that hold weights (external data).
 * AE_ERROR_FILE, AE_ERROR_FORMAT (the file is damaged), AE_ERROR_UNSUPPORTED
 * (operator, opset, data type, sub-graph, function, custom domain, rank above
 * 8), AE_ERROR_MEMORY; messages name file, node and operator. The memory that
 * it allocates is bounded by the size of the files. */
AeModel *ae_onnx_load(const char *path, GError **error);
/* Writes a file atomically, as ae_file_write() does. */
gboolean ae_onnx_save(const AeModel *model, const char *path, GError **error);

G_END_DECLS
