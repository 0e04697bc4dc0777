/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/tensor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_ELEMENTS ((int64_t)1 << 45)

gboolean ae_shape_count(const AeShape *shape, int64_t *count, GError **error)
{
    /* Bounded even if one dimension is 0, because strides multiply the others.
     */
    int64_t n = 1;
    gboolean empty = FALSE;

    if (shape->rank < 0 || shape->rank > AE_MAX_RANK) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "a tensor has rank %d, supported are 0 to %d", shape->rank,
                    AE_MAX_RANK);
        return FALSE;
    }
    for (int i = 0; i < shape->rank; i++) {
        empty |= shape->dim[i] == 0;
        if (shape->dim[i] < 0 ||
            __builtin_mul_overflow(n, MAX(shape->dim[i], 1), &n) ||
            n > MAX_ELEMENTS) {
            g_autofree char *text = ae_shape_to_string(shape);
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "shape %s is unknown, negative or too large", text);
            return FALSE;
        }
    }
    *count = empty ? 0 : n;
    return TRUE;
}

int64_t ae_shape_elements(const AeShape *shape)
{
    int64_t n = 1;

    for (int i = 0; i < shape->rank; i++)
        n *= shape->dim[i];
    return n;
}

gboolean ae_shape_equal(const AeShape *a, const AeShape *b)
{
    return a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

/* The axis that is the i-th innermost in memory. */
static int memory_axis(int rank, int i)
{
    if (rank < 3)
        return rank - 1 - i;
    if (i == rank - 1)
        return 0;
    return i == 0 ? 1 : rank - i;
}

void ae_shape_strides(const AeShape *shape, int64_t stride[AE_MAX_RANK])
{
    int64_t step = 1;

    for (int i = 0; i < shape->rank; i++) {
        int axis = memory_axis(shape->rank, i);
        stride[axis] = step;
        step *= shape->dim[axis];
    }
}

char *ae_shape_to_string(const AeShape *shape)
{
    GString *text = g_string_new(shape->rank == 0 ? "scalar" : NULL);

    for (int i = 0; i < shape->rank && i < AE_MAX_RANK; i++) {
        if (i > 0)
            g_string_append_c(text, 'x');
        if (shape->dim[i] == AE_UNKNOWN)
            g_string_append_c(text, '?');
        else
            g_string_append_printf(text, "%" G_GINT64_FORMAT, shape->dim[i]);
    }
    return g_string_free(text, FALSE);
}

AeShape ae_shape(int rank, ...)
{
    AeShape shape = {.rank = rank};
    va_list dims;

    va_start(dims, rank);
    for (int i = 0; i < rank; i++)
        shape.dim[i] = va_arg(dims, int);
    va_end(dims);
    return shape;
}

AeTensor *ae_tensor_new(const AeShape *shape, GError **error)
{
    int64_t n;

    if (!ae_shape_count(shape, &n, error))
        return NULL;
    float *data = ae_alloc_floats((size_t)n);
    if (data == NULL) {
        g_autofree char *text = ae_shape_to_string(shape);
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is no memory for a tensor of %s numbers", text);
        return NULL;
    }
    AeTensor *tensor = g_new0(AeTensor, 1);
    tensor->shape = *shape;
    tensor->data = data;
    return tensor;
}

AeTensor *ae_tensor_copy(const AeTensor *tensor, GError **error)
{
    AeTensor *copy = ae_tensor_new(&tensor->shape, error);

    if (copy == NULL)
        return NULL;
    copy->integer = tensor->integer;
    copy->element = tensor->element;
    memcpy(copy->data, tensor->data,
           (size_t)ae_shape_elements(&tensor->shape) * sizeof(float));
    return copy;
}

void ae_tensor_free(AeTensor *tensor)
{
    if (tensor == NULL)
        return;
    ae_free(tensor->data);
    g_free(tensor);
}

static void row_major_strides(const AeShape *shape, int64_t *stride)
{
    int64_t step = 1;

    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->dim[i];
    }
}

void ae_tensor_from_row_major(AeTensor *tensor, const float *source)
{
    int64_t ours[AE_MAX_RANK], theirs[AE_MAX_RANK];

    ae_shape_strides(&tensor->shape, ours);
    row_major_strides(&tensor->shape, theirs);
    ae_copy_strided(tensor->data, ours, source, theirs, tensor->shape.dim,
                    tensor->shape.rank, FALSE);
}

void ae_tensor_to_row_major(const AeTensor *tensor, float *target)
{
    int64_t ours[AE_MAX_RANK], theirs[AE_MAX_RANK];

    ae_shape_strides(&tensor->shape, ours);
    row_major_strides(&tensor->shape, theirs);
    ae_copy_strided(target, theirs, tensor->data, ours, tensor->shape.dim,
                    tensor->shape.rank, FALSE);
}

typedef struct {
    int64_t size, target, source;
} Axis;

/* Removes axes of size 1, sorts the others so that the smallest target stride
 * is last, and joins neighbours that are contiguous in both arrays. Returns the
 * number of axes left. */
static int normalize_axes(Axis *axis, int rank)
{
    int n = 0;

    for (int i = 0; i < rank; i++)
        if (axis[i].size != 1)
            axis[n++] = axis[i];
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && ABS(axis[j].target) > ABS(axis[j - 1].target);
             j--) {
            Axis swap = axis[j];
            axis[j] = axis[j - 1];
            axis[j - 1] = swap;
        }
    for (int i = n - 1; i > 0; i--) {
        Axis *outer = &axis[i - 1], *inner = &axis[i];
        if (outer->target != inner->target * inner->size ||
            outer->source != inner->source * inner->size)
            continue;
        inner->size *= outer->size;
        memmove(outer, inner, (size_t)(n - i) * sizeof *axis);
        n--;
    }
    return n;
}

/* Fewer floats than this are copied faster in a loop than by memcpy(). */
#define SHORT 8

static void copy_line(float *target, int64_t target_step, const float *source,
                      int64_t source_step, int64_t n, gboolean accumulate)
{
    if (accumulate)
        for (int64_t i = 0; i < n; i++)
            target[i * target_step] += source[i * source_step];
    else if (target_step == 1 && source_step == 1)
        memcpy(target, source, (size_t)n * sizeof(float));
    else
        for (int64_t i = 0; i < n; i++)
            target[i * target_step] = source[i * source_step];
}

static void copy_axes(float *target, const float *source, const Axis *axis,
                      int rank, gboolean accumulate)
{
    if (rank == 1) {
        copy_line(target, axis->target, source, axis->source, axis->size,
                  accumulate);
        return;
    }
    /* If the last axis is short and the one before longer, that is the inner
     * loop. */
    if (rank == 2 && axis[1].size < SHORT && axis[1].size < axis[0].size) {
        for (int64_t i = 0; i < axis[1].size; i++)
            copy_line(target + i * axis[1].target, axis[0].target,
                      source + i * axis[1].source, axis[0].source, axis[0].size,
                      accumulate);
        return;
    }
    for (int64_t i = 0; i < axis->size; i++)
        copy_axes(target + i * axis->target, source + i * axis->source,
                  axis + 1, rank - 1, accumulate);
}

void ae_copy_strided(float *target, const int64_t *target_stride,
                     const float *source, const int64_t *source_stride,
                     const int64_t *size, int rank, gboolean accumulate)
{
    /* Views split axes: DepthToSpace of a rank-8 tensor needs 12. */
    Axis axis[2 * AE_MAX_RANK];

    for (int i = 0; i < rank; i++) {
        if (size[i] == 0)
            return;
        axis[i] = (Axis){size[i], target_stride[i], source_stride[i]};
    }
    rank = normalize_axes(axis, rank);
    if (rank == 0)
        axis[rank++] = (Axis){1, 1, 1};
    copy_axes(target, source, axis, rank, accumulate);
}
