/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what lies in memory as ONNX files do. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* Reads the content of a file from memory. @name stands for the path in
 * messages; external data is read from files in @folder (NULL: refused). */
AeModel *ae_onnx_parse(const void *data, size_t size, const char *name,
                       const char *folder, GError **error);

/* Reads a TensorProto that is no part of a model, such as test data. */
AeTensor *ae_onnx_parse_tensor(const void *data, size_t size, GError **error);

G_END_DECLS
