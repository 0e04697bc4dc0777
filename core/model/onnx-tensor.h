/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of ONNX files that are both read and written: tensors, and the
 * kinds of attributes. Private to onnx*.c. */
#pragma once

#include "onnx.pb-c.h"
#include "base/tensor.h"

G_BEGIN_DECLS

/* Values of AttributeProto.AttributeType. */
enum {
    AE_ONNX_FLOAT = 1,
    AE_ONNX_INT = 2,
    AE_ONNX_STRING = 3,
    AE_ONNX_TENSOR = 4,
    AE_ONNX_GRAPH = 5,
    AE_ONNX_FLOATS = 6,
    AE_ONNX_INTS = 7,
    AE_ONNX_STRINGS = 8,
    AE_ONNX_GRAPHS = 10,
};

/* The name of TensorProto.DataType @type, such as "float16", or "type 99" if it
 * has none. Free with g_free(). */
char *ae_onnx_type_name(int32_t type);
/* FALSE if tensors of @type cannot be read. */
gboolean ae_onnx_type_read(int32_t type, gboolean *integer, AeElement *element);
/* The type that a tensor is written with. */
int32_t ae_onnx_type_written(gboolean integer, AeElement element);

/* Reads a tensor, if need be from a file in @folder (onnx-external.h). Checks
 * the size of the data before it allocates anything. AE_ERROR_FORMAT,
 * AE_ERROR_UNSUPPORTED, AE_ERROR_MEMORY, AE_ERROR_FILE. */
AeTensor *ae_onnx_tensor_read(const Onnx__TensorProto *proto,
                              const char *folder, GError **error);

/* Fills @proto from @tensor, with the type of ae_onnx_type_written(). Borrows
 * @name and the dimensions; the raw data are to be freed with ae_free().
 * Errors: AE_ERROR_MEMORY. */
gboolean ae_onnx_tensor_write(Onnx__TensorProto *proto, const char *name,
                              const AeTensor *tensor, GError **error);

G_END_DECLS
