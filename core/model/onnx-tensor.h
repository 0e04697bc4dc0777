/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors of ONNX files: private to onnx*.c. */
#pragma once

#include "onnx.pb-c.h"
#include "base/tensor.h"

G_BEGIN_DECLS

/* Numbers of TensorProto.DataType that are written. */
enum { AE_ONNX_FLOAT = 1, AE_ONNX_INT64 = 7 };

/* The name of an element type ("float16") and whether it is read here, and
 * then whether it is of whole numbers. Types without a name: "type 99". Free.
 */
char *ae_onnx_type_name(int32_t type);
gboolean ae_onnx_type_read(int32_t type, gboolean *integer, AeElement *element);
int32_t ae_onnx_type_written(gboolean integer, AeElement element);

/* Errors: AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED, AE_ERROR_MEMORY. Nothing is
 * allocated before the size of the data has been checked. */
AeTensor *ae_onnx_tensor_read(const Onnx__TensorProto *proto, GError **error);

/* Fills @proto: float or, for whole numbers, @tensor's element or int64. What
 * it points to belongs to @owned (freed with g_free()); @name is borrowed. */
void ae_onnx_tensor_write(Onnx__TensorProto *proto, const char *name,
                          const AeTensor *tensor, GPtrArray *owned);

G_END_DECLS
