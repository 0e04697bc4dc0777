/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes and tensors.
 *
 * A shape lists its axes in ONNX order (n, c, h, w). In memory every tensor of
 * rank 3 or more is channels-last: axis 1 is stored innermost, so (n, c, h, w)
 * lies as n, h, w, c, a convolution weight (o, i, kh, kw) as o, kh, kw, i.
 * Tensors of rank 0, 1 and 2 lie as they are written. This one rule holds for
 * every value in the core: inputs, outputs, weights and constants.
 *
 * Elements are float32. Integers (shapes, axes, indices of ONNX files) are held
 * as floats, exact up to 2^24, and marked; arithmetic on them truncates. */
#pragma once

#include <stdint.h>

#include "base/memory.h"

G_BEGIN_DECLS

#define AE_MAX_RANK 8
#define AE_UNKNOWN (-1) /* a dimension that a plan's inputs decide */

typedef struct {
    int rank; /* 0 (a scalar) .. AE_MAX_RANK */
    int64_t dim[AE_MAX_RANK];
} AeShape;

/* The type of elements in the model's file. It decides to which range
 * QuantizeLinear saturates and how tensors are written. The values are those of
 * ONNX's TensorProto.DataType. A tensor in memory is of AE_ELEMENT_DEFAULT or
 * of a type of whole numbers up to AE_ELEMENT_INT32. */
typedef enum {
    AE_ELEMENT_DEFAULT = 0, /* float; int64 for tensors of whole numbers */
    AE_ELEMENT_FLOAT = 1,
    AE_ELEMENT_UINT8 = 2,
    AE_ELEMENT_INT8 = 3,
    AE_ELEMENT_UINT16 = 4,
    AE_ELEMENT_INT16 = 5,
    AE_ELEMENT_INT32 = 6,
    AE_ELEMENT_INT64 = 7,
    AE_ELEMENT_STRING = 8,
    AE_ELEMENT_BOOL = 9,
    AE_ELEMENT_FLOAT16 = 10,
    AE_ELEMENT_DOUBLE = 11,
    AE_ELEMENT_UINT32 = 12,
    AE_ELEMENT_UINT64 = 13,
    AE_ELEMENT_COMPLEX64 = 14,
    AE_ELEMENT_COMPLEX128 = 15,
    AE_ELEMENT_BFLOAT16 = 16,
} AeElement;

typedef struct {
    AeShape shape;    /* without unknown dimensions */
    gboolean integer; /* whole numbers, see above */
    AeElement element;
    float *data; /* ae_shape_count() floats, aligned to AE_ALIGN */
} AeTensor;

/* The number of elements. AE_ERROR_SHAPE if a dimension is negative or the size
 * in bytes does not fit 47 bits. Shapes from files are checked here before
 * anything else multiplies their dimensions. */
gboolean ae_shape_count(const AeShape *shape, int64_t *count, GError **error);

/* The number of elements of a shape that ae_shape_count() has checked. */
int64_t ae_shape_elements(const AeShape *shape);

gboolean ae_shape_equal(const AeShape *a, const AeShape *b);

/* Floats from an element to its neighbour along each axis, in ONNX order. */
void ae_shape_strides(const AeShape *shape, int64_t stride[AE_MAX_RANK]);

/* "1x3x480x640", with "?" for an unknown dimension; "scalar" for rank 0. Free
 * with g_free(). */
char *ae_shape_to_string(const AeShape *shape);

/* The shape of @rank dimensions, as in ae_shape(2, n, c). */
AeShape ae_shape(int rank, ...);

/* A tensor of zeros, and one with the numbers of another. Errors:
 * AE_ERROR_SHAPE, AE_ERROR_MEMORY. */
AeTensor *ae_tensor_new(const AeShape *shape, GError **error);
AeTensor *ae_tensor_copy(const AeTensor *tensor, GError **error);
void ae_tensor_free(AeTensor *tensor);

/* Convert from and to row-major order, that of ONNX, safetensors and NumPy. The
 * row-major side holds ae_shape_elements() floats. */
void ae_tensor_from_row_major(AeTensor *tensor, const float *source);
void ae_tensor_to_row_major(const AeTensor *tensor, float *target);

/* target[i] = source[i], or += with @accumulate, for each index i of a box with
 * @rank axes of @size. Strides are in floats and may be negative. A stride of 0
 * repeats the source, or with @accumulate sums into the target. Source and
 * target must not overlap. */
void ae_copy_strided(float *target, const int64_t *target_stride,
                     const float *source, const int64_t *source_stride,
                     const int64_t *size, int rank, gboolean accumulate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTensor, ae_tensor_free)

G_END_DECLS
