/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX files to models and back. Reads opset 7 to 21 (IR 3 to 14), writes IR
 * 8, opset 17 for the operators of ops/. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* Errors: AE_ERROR_FILE, AE_ERROR_FORMAT (damaged), AE_ERROR_UNSUPPORTED
 * (operator, opset, data type, external data, sub-graph, function, custom
 * domain, rank > 8), each naming file, node and operator. Allocation is
 * bounded by the file's size. */
AeModel *ae_onnx_load(const char *path, GError **error);
/* The same from memory; @name stands for the path in messages. */
AeModel *ae_onnx_parse(const void *data, size_t size, const char *name,
                       GError **error);

/* A TensorProto as such (test data). float and integer types. */
AeTensor *ae_onnx_parse_tensor(const void *data, size_t size, GError **error);

/* Atomic: a temporary name, fsync, rename; no partial file is left. */
gboolean ae_onnx_save(const AeModel *model, const char *path, GError **error);

G_END_DECLS
