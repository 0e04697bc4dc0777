/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QuantizeLinear and DequantizeLinear, with one scale and zero point for the
 * whole tensor, for each index of an axis, or for each block along an axis:
 *
 *   QuantizeLinear    saturate(round(x / scale) + zero), halves to even
 *   DequantizeLinear  (x - zero) * scale
 *
 * QuantizeLinear saturates to the range of the zero point's type. Its results
 * are held as floats, as all whole numbers are. */
#include <math.h>
#include <string.h>

#include "ops/box.h"

typedef struct {
    const float *scale, *zero; /* zero: NULL stands for 0 */
    int64_t stride, size; /* of the axis; size 1: one scale for all elements */
    AeBox blocks; /* axes of x in memory, and of the scales; none: no blocks */
    int64_t block[AE_MAX_RANK]; /* indices of these axes with one scale */
    float low, high;
} Quantize;

static const struct {
    AeElement element;
    float low, high;
} ranges[] = {
    {AE_ELEMENT_UINT8, 0, 255},
    {AE_ELEMENT_INT8, -128, 127},
    {AE_ELEMENT_UINT16, 0, 65535},
    {AE_ELEMENT_INT16, -32768, 32767},
};

/* Reads scale or zero point: a constant of one element, or of one element for
 * each index of the axis. */
static gboolean read_parameter(const AeStep *step, int i, const Quantize *q,
                               const float **values, GError **error)
{
    const AeOperand *in = step->in[i];

    if (!in->constant)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "input %d ('%s') must be a constant", i, in->name);
    if (ae_shape_elements(&in->shape) != q->size ||
        (in->shape.rank > 1 && q->blocks.rank == 0))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "input '%s' must hold %" G_GINT64_FORMAT
                            " elements, one an index of the axis",
                            in->name, q->size);
    *values = in->data;
    return TRUE;
}

static gboolean read_axis(const AeStep *step, Quantize *q, GError **error)
{
    const AeOperand *x = step->in[0];
    int axis;

    q->stride = q->size = 1;
    if (ae_shape_elements(&step->in[1]->shape) == 1)
        return TRUE;
    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 1), x->shape.rank,
                      &axis, error))
        return FALSE;
    q->stride = x->stride[axis];
    q->size = x->shape.dim[axis];
    return TRUE;
}

/* Scales are a tensor of the shape of x, but for a block of indices of the axis
 * there is one. */
static gboolean plan_blocks(const AeStep *step, int64_t block, Quantize *q,
                            GError **error)
{
    const AeOperand *x = step->in[0], *scale = step->in[1];
    AeShape shape = x->shape;
    int axis;

    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 1), shape.rank,
                      &axis, error))
        return FALSE;
    if (block > 0)
        shape.dim[axis] = (shape.dim[axis] - 1) / block + 1;
    if (block < 0 || !ae_shape_equal(&shape, &scale->shape) ||
        (ae_step_has(step, 2) && !ae_shape_equal(&shape, &step->in[2]->shape)))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its scales do not fit blocks of %" G_GINT64_FORMAT,
                            block);
    for (int i = 0; i < shape.rank; i++) {
        const int a = ae_memory_axis(shape.rank, i);

        q->block[i] = a == axis ? block : 1;
        ae_box_append(&q->blocks, x->shape.dim[a], scale->stride[a]);
    }
    q->size = ae_shape_elements(&shape);
    return TRUE;
}

/* The number of the scale of element @i. */
static int64_t scale_of(const Quantize *q, int64_t i)
{
    int64_t index = 0;

    if (q->blocks.rank == 0)
        return q->size > 1 ? i / q->stride % q->size : 0;
    for (int k = q->blocks.rank - 1; k >= 0; k--) {
        index += i % q->blocks.size[k] / q->block[k] * q->blocks.stride[k];
        i /= q->blocks.size[k];
    }
    return index;
}

/* Reads scale and zero point. Sets units: rows of an image, or all elements. */
static gboolean plan_common(AeStep *step, Quantize *q, GError **error)
{
    const AeShape *shape = &step->in[0]->shape;
    const int64_t block = ae_node_int(step->node, "block_size", 0);

    if (!(block != 0 ? plan_blocks(step, block, q, error)
                     : read_axis(step, q, error)) ||
        !read_parameter(step, 1, q, &q->scale, error) ||
        (ae_step_has(step, 2) && !read_parameter(step, 2, q, &q->zero, error)))
        return FALSE;
    step->units = ae_shape_elements(shape) > 0;
    if (shape->rank == 4 && step->units > 0) {
        step->units = shape->dim[0] * shape->dim[2];
        step->row_units = 1;
    }
    return ae_step_set_output(step, 0, shape, error);
}

static gboolean quantize_plan(AeStep *step, GError **error)
{
    Quantize *q = step->params = g_new0(Quantize, 1);
    int64_t element = ae_node_int(step->node, "output_dtype", 0);

    if (element == 0 && ae_step_has(step, 2))
        element = step->in[2]->element;
    if (element == 0)
        element = AE_ELEMENT_UINT8;
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
        if (ranges[i].element == element) {
            q->low = ranges[i].low;
            q->high = ranges[i].high;
        }
    if (q->high == 0)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "cannot quantise to data type %" G_GINT64_FORMAT
                            ", only to whole numbers of 8 or 16 bits",
                            element);
    step->out[0]->integer = TRUE;
    step->out[0]->element = (AeElement)element;
    return plan_common(step, q, error);
}

static gboolean dequantize_plan(AeStep *step, GError **error)
{
    return plan_common(step, step->params = g_new0(Quantize, 1), error);
}

gboolean ae_quantize_bytes(const AeStep *step, float *scale, int *zero)
{
    const Quantize *q = step->params;
    const gboolean quantize = strcmp(step->op->name, "QuantizeLinear") == 0;
    const AeOperand *bytes = quantize ? step->out[0] : step->in[0];

    if ((!quantize && strcmp(step->op->name, "DequantizeLinear") != 0) ||
        bytes->shape.rank != 4 || q->size != 1 ||
        (bytes->element != AE_ELEMENT_UINT8 &&
         bytes->element != AE_ELEMENT_INT8))
        return FALSE;
    *scale = *q->scale;
    *zero = q->zero != NULL ? (int)*q->zero : 0;
    if (bytes->element == AE_ELEMENT_INT8)
        *zero += 128;
    return *scale > 0;
}

/* Makes rows of images of bytes; one scale and zero point for all elements. */
static void quantize_bytes(const AeStep *step, int64_t begin, int64_t end)
{
    const int64_t row = ae_operand_row(step->in[0]);
    const int64_t pitch = ae_operand_row(step->out[0]);
    float scale;
    int zero;

    ae_quantize_bytes(step, &scale, &zero);
    for (int64_t unit = begin; unit < end; unit++)
        step->kernels->int8->quantize(
            (uint8_t *)(step->out[0]->data + unit * pitch),
            step->in[0]->data + unit * row, row, scale, zero);
}

static void dequantize_bytes(const AeStep *step, int64_t begin, int64_t end)
{
    const int64_t pitch = ae_operand_row(step->in[0]);
    const int64_t row = ae_operand_row(step->out[0]);
    float scale;
    int zero;

    ae_quantize_bytes(step, &scale, &zero);
    for (int64_t unit = begin; unit < end; unit++)
        step->kernels->int8->dequantize(
            step->out[0]->data + unit * row,
            (const uint8_t *)(step->in[0]->data + unit * pitch), row, scale,
            zero);
}

static void quantize_forward(const AeStep *step, int64_t begin, int64_t end,
                             float *scratch G_GNUC_UNUSED)
{
    const Quantize *q = step->params;
    const int64_t unit = ae_shape_elements(&step->in[0]->shape) / step->units;
    const float *x = step->in[0]->data;

    if (step->out[0]->bytes) {
        quantize_bytes(step, begin, end);
        return;
    }
    for (int64_t i = begin * unit; i < end * unit; i++) {
        const int64_t index = scale_of(q, i);
        const float y =
            rintf(x[i] / q->scale[index]) + (q->zero ? q->zero[index] : 0);

        step->out[0]->data[i] =
            y > q->low ? MIN(y, q->high) : q->low; /* NaN: the least */
    }
}

static void dequantize_forward(const AeStep *step, int64_t begin, int64_t end,
                               float *scratch G_GNUC_UNUSED)
{
    const Quantize *q = step->params;
    const int64_t unit = ae_shape_elements(&step->in[0]->shape) / step->units;
    const float *x = step->in[0]->data;

    if (step->in[0]->bytes) {
        dequantize_bytes(step, begin, end);
        return;
    }
    for (int64_t i = begin * unit; i < end * unit; i++) {
        const int64_t index = scale_of(q, i);

        step->out[0]->data[i] =
            (x[i] - (q->zero ? q->zero[index] : 0)) * q->scale[index];
    }
}

const AeOperator ae_ops_quantize[] = {
    {
        .name = "QuantizeLinear",
        .min_in = 2,
        .max_in = 3,
        .max_out = 1,
        .settings = 1 << 1 | 1 << 2,
        .plan = quantize_plan,
        .forward = quantize_forward,
    },
    {
        .name = "DequantizeLinear",
        .min_in = 2,
        .max_in = 3,
        .max_out = 1,
        .settings = 1 << 1 | 1 << 2,
        .plan = dequantize_plan,
        .forward = dequantize_forward,
    },
    {NULL},
};
