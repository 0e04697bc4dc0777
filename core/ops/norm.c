/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalization in its inference form,
 *
 *   y = scale (x - mean) / sqrt(var + epsilon) + bias,
 *
 * with the four given per channel; InstanceNormalization, where mean and
 * variance are those of one image's channel (Ulyanov, Vedaldi and Lempitsky,
 * 2016); LayerNormalization, where they are those of all axes from one on (Ba,
 * Kiros and Hinton, 2016); GroupNormalization, those of a group of one image's
 * channels (Wu and He, 2018). RMSNormalization divides by the root of the mean
 * square in place of the deviation (Zhang and Sennrich, 2019). */
#include <math.h>

#include "ops/box.h"
#include "ops/gradient.h"

enum { X, SCALE, BIAS, MEAN, VAR };

typedef struct {
    int64_t n, c, pixels; /* pixels of an image */
    int64_t row;          /* pixels of a unit */
    float epsilon;
} Norm;

static gboolean check_channels(const AeStep *step, int64_t c, GError **error)
{
    for (int i = 1; i < step->n_in; i++) {
        const AeShape *shape = &step->in[i]->shape;

        if (shape->rank != 1 || shape->dim[0] != c) {
            g_autofree char *found = ae_shape_to_string(shape);

            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "expected %" G_GINT64_FORMAT
                                " numbers in input %d, found %s",
                                c, i, found);
        }
    }
    return TRUE;
}

static gboolean plan(AeStep *step, int least_rank, GError **error)
{
    const AeShape *x = &step->in[X]->shape;
    Norm *norm = g_new0(Norm, 1);

    step->params = norm;
    if (x->rank < least_rank)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected a tensor of rank %d or more, found %d",
                            least_rank, x->rank);
    norm->n = x->dim[0];
    norm->c = x->dim[1];
    norm->pixels = 1;
    for (int i = 2; i < x->rank; i++)
        norm->pixels *= x->dim[i];
    norm->epsilon = ae_node_float(step->node, "epsilon", 1e-5f);
    return check_channels(step, norm->c, error) &&
           ae_step_set_output(step, 0, x, error);
}

static gboolean batch_plan(AeStep *step, GError **error)
{
    Norm *norm;

    if (ae_node_int(step->node, "training_mode", 0) != 0)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "training mode is not supported");
    if (ae_node_int(step->node, "spatial", 1) == 0)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "spatial = 0 is not supported");
    for (int i = 1; i < step->n_out; i++) {
        if (step->out[i])
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "only its first output is supported");
    }
    if (!plan(step, 2, error))
        return FALSE;
    norm = step->params;
    step->units = norm->n;
    norm->row = norm->pixels;
    if (step->in[X]->shape.rank > 3 && norm->pixels > 0) {
        step->units *= step->in[X]->shape.dim[2];
        norm->row /= step->in[X]->shape.dim[2];
        step->row_units = step->in[X]->shape.rank == 4;
    }
    step->scratch = 2 * (size_t)norm->c;
    step->scratch_backward = 4 * (size_t)norm->c;
    return TRUE;
}

static float batch_deviation(const AeStep *step, int64_t c)
{
    const Norm *norm = step->params;

    return 1 / sqrtf(step->in[VAR]->data[c] + norm->epsilon);
}

static void batch_forward(const AeStep *step, int64_t begin, int64_t end,
                          float *scratch)
{
    const Norm *norm = step->params;
    int64_t c = norm->c, pixels = norm->row;
    const float *x = step->in[X]->data + begin * pixels * c;
    float *y = step->out[0]->data + begin * pixels * c;
    float *slope = scratch, *offset = scratch + c;

    for (int64_t k = 0; k < c; k++) {
        slope[k] = step->in[SCALE]->data[k] * batch_deviation(step, k);
        offset[k] =
            step->in[BIAS]->data[k] - step->in[MEAN]->data[k] * slope[k];
    }
    for (int64_t i = 0; i < (end - begin) * pixels; i++, x += c, y += c) {
        for (int64_t k = 0; k < c; k++)
            y[k] = x[k] * slope[k] + offset[k];
    }
}

/* For each channel: sums over all pixels of dy and of dy (x - mean). */
static void batch_sums(const AeStep *step, double *sum, double *product)
{
    const Norm *norm = step->params;
    const float *x = step->in[X]->data, *dy = step->out[0]->grad;
    const float *mean = step->in[MEAN]->data;
    int64_t c = norm->c;

    memset(sum, 0, c * sizeof *sum);
    memset(product, 0, c * sizeof *product);
    for (int64_t i = 0; i < norm->n * norm->pixels; i++, x += c, dy += c) {
        for (int64_t k = 0; k < c; k++) {
            sum[k] += dy[k];
            product[k] += (double)dy[k] * (x[k] - mean[k]);
        }
    }
}

static void batch_input_gradient(const AeStep *step)
{
    const Norm *norm = step->params;
    const float *dy = step->out[0]->grad;
    float *dx = step->in[X]->grad;
    int64_t c = norm->c;

    ae_step_clear_gradient(step, X);
    for (int64_t k = 0; k < c; k++) {
        float slope = step->in[SCALE]->data[k] * batch_deviation(step, k);

        for (int64_t i = 0; i < norm->n * norm->pixels; i++)
            dx[i * c + k] += dy[i * c + k] * slope;
    }
}

static void batch_backward(const AeStep *step, float *scratch)
{
    const Norm *norm = step->params;
    double *sum = (double *)scratch, *product = sum + norm->c;

    if (ae_step_wants(step, X))
        batch_input_gradient(step);
    batch_sums(step, sum, product);
    for (int i = SCALE; i <= VAR; i++) {
        if (ae_step_wants(step, i))
            ae_step_clear_gradient(step, i);
    }
    for (int64_t k = 0; k < norm->c; k++) {
        double deviation = batch_deviation(step, k);
        double slope = step->in[SCALE]->data[k] * deviation;

        if (ae_step_wants(step, SCALE))
            step->in[SCALE]->grad[k] += (float)(product[k] * deviation);
        if (ae_step_wants(step, BIAS))
            step->in[BIAS]->grad[k] += (float)sum[k];
        if (ae_step_wants(step, MEAN))
            step->in[MEAN]->grad[k] -= (float)(sum[k] * slope);
        if (ae_step_wants(step, VAR))
            step->in[VAR]->grad[k] -=
                (float)(product[k] * slope * deviation * deviation / 2);
    }
}

static gboolean instance_plan(AeStep *step, GError **error)
{
    const Norm *norm;

    if (!plan(step, 3, error))
        return FALSE;
    norm = step->params;
    step->units = norm->n;
    step->scratch = 4 * (size_t)norm->c;
    step->scratch_backward = 8 * (size_t)norm->c;
    return TRUE;
}

/* Mean and 1 / standard deviation of each channel of one image. */
static void instance_statistics(const Norm *norm, const float *x, double *mean,
                                double *deviation)
{
    int64_t c = norm->c;

    memset(mean, 0, c * sizeof *mean);
    memset(deviation, 0, c * sizeof *deviation);
    for (int64_t i = 0; i < norm->pixels * c; i += c) {
        for (int64_t k = 0; k < c; k++)
            mean[k] += x[i + k];
    }
    for (int64_t k = 0; k < c; k++)
        mean[k] /= (double)norm->pixels;
    for (int64_t i = 0; i < norm->pixels * c; i += c) {
        for (int64_t k = 0; k < c; k++)
            deviation[k] += (x[i + k] - mean[k]) * (x[i + k] - mean[k]);
    }
    for (int64_t k = 0; k < c; k++)
        deviation[k] =
            1 / sqrt(deviation[k] / (double)norm->pixels + norm->epsilon);
}

static void instance_forward(const AeStep *step, int64_t begin, int64_t end,
                             float *scratch)
{
    const Norm *norm = step->params;
    const float *scale = step->in[SCALE]->data, *bias = step->in[BIAS]->data;
    int64_t c = norm->c, image = norm->pixels * c;
    double *mean = (double *)scratch, *deviation = mean + c;

    for (int64_t n = begin; n < end; n++) {
        const float *x = step->in[X]->data + n * image;
        float *y = step->out[0]->data + n * image;

        instance_statistics(norm, x, mean, deviation);
        for (int64_t i = 0; i < image; i += c) {
            for (int64_t k = 0; k < c; k++)
                y[i + k] =
                    (float)((x[i + k] - mean[k]) * deviation[k]) * scale[k] +
                    bias[k];
        }
    }
}

/* One image: with x' = (x - mean) / deviation and means over its pixels,
 * dx = scale / deviation (dy - mean(dy) - x' mean(dy x')). */
static void instance_image_gradient(const AeStep *step, int64_t n,
                                    double *scratch)
{
    const Norm *norm = step->params;
    int64_t c = norm->c, image = norm->pixels * c;
    const float *x = step->in[X]->data + n * image;
    const float *dy = step->out[0]->grad + n * image;
    double *mean = scratch, *deviation = mean + c;
    double *sum = deviation + c, *product = sum + c;

    instance_statistics(norm, x, mean, deviation);
    memset(sum, 0, 2 * c * sizeof *sum);
    for (int64_t i = 0; i < image; i += c) {
        for (int64_t k = 0; k < c; k++) {
            sum[k] += dy[i + k];
            product[k] += dy[i + k] * (x[i + k] - mean[k]) * deviation[k];
        }
    }
    for (int64_t k = 0; k < c; k++) {
        if (ae_step_wants(step, SCALE))
            step->in[SCALE]->grad[k] += (float)product[k];
        if (ae_step_wants(step, BIAS))
            step->in[BIAS]->grad[k] += (float)sum[k];
    }
    for (int64_t i = 0; ae_step_wants(step, X) && i < image; i += c) {
        float *dx = step->in[X]->grad + n * image + i;

        for (int64_t k = 0; k < c; k++) {
            double unit = (x[i + k] - mean[k]) * deviation[k];

            dx[k] += (float)(step->in[SCALE]->data[k] * deviation[k] *
                             (dy[i + k] - (sum[k] + unit * product[k]) /
                                              (double)norm->pixels));
        }
    }
}

static void instance_backward(const AeStep *step, float *scratch)
{
    const Norm *norm = step->params;

    for (int i = X; i <= BIAS; i++) {
        if (ae_step_wants(step, i))
            ae_step_clear_gradient(step, i);
    }
    for (int64_t n = 0; n < norm->n; n++)
        instance_image_gradient(step, n, (double *)scratch);
}

/* A unit is a set of elements that have one mean: the positions of @inner,
 * counted from one position of @outer. Scale and bias have positions at the
 * sum of those of the boxes @per_unit and @per_element. */
typedef struct {
    AeBox outer, inner, per_unit, per_element;
    AeBox means; /* positions of units in the outputs of statistics */
    int64_t n;   /* elements of inner */
    float epsilon;
    gboolean centred; /* the mean is subtracted */
} Layer;

static void layer_append(Layer *layer, gboolean in, int64_t size,
                         int64_t stride, int64_t scale_stride)
{
    ae_box_append(in ? &layer->inner : &layer->outer, size, stride);
    ae_box_append(in ? &layer->per_element : &layer->per_unit, size,
                  scale_stride);
}

static gboolean layer_finish(AeStep *step, Layer *layer, GError **error)
{
    layer->epsilon = ae_node_float(step->node, "epsilon", 1e-5f);
    layer->n = ae_box_count(&layer->inner);
    step->units = layer->n > 0 ? ae_box_count(&layer->outer) : 0;
    if (ae_step_has(step, BIAS) &&
        !ae_shape_equal(&step->in[BIAS]->shape, &step->in[SCALE]->shape))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "scale and bias have different shapes");
    return ae_step_set_output(step, 0, &step->in[X]->shape, error);
}

static gboolean layer_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[X], *scale = step->in[SCALE];
    int rank = x->shape.rank, less = rank - scale->shape.rank, axis;
    AeShape means = x->shape;
    int64_t strides[AE_MAX_RANK];
    Layer *layer = g_new0(Layer, 1);

    step->params = layer;
    layer->centred = g_str_equal(step->op->name, "LayerNormalization");
    if (!ae_step_axis(step, ae_node_int(step->node, "axis", -1), rank, &axis,
                      error))
        return FALSE;
    for (int i = 0; i < rank; i++) {
        int64_t own = i < less ? 1 : scale->shape.dim[i - less];

        if (less < 0 || (own != 1 && own != x->shape.dim[i]))
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the scale does not broadcast to the input");
        if (i >= axis)
            means.dim[i] = 1;
    }
    for (int i = 1; i < step->n_out; i++)
        if (!ae_step_set_output(step, i, &means, error))
            return FALSE;
    ae_shape_strides(&means, strides);
    for (int i = 0; i < rank; i++) {
        int at = ae_memory_axis(rank, i), own = at - less;
        gboolean repeats = own < 0 || scale->shape.dim[own] == 1;

        layer_append(layer, at >= axis, x->shape.dim[at], x->stride[at],
                     repeats ? 0 : scale->stride[own]);
        if (at < axis)
            ae_box_append(&layer->means, x->shape.dim[at], strides[at]);
    }
    return layer_finish(step, layer, error);
}

/* From opset 21 on there is a scale for each channel, before for each group. */
static gboolean group_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[X];
    int64_t groups = ae_node_int(step->node, "num_groups", 0), size;
    gboolean each = step->opset >= 21;
    Layer *layer = g_new0(Layer, 1);

    step->params = layer;
    layer->centred = TRUE;
    if (x->shape.rank < 2 || groups < 1 || x->shape.dim[1] % groups != 0)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "channels cannot be divided into %" G_GINT64_FORMAT
                            " groups",
                            groups);
    if (!check_channels(step, each ? x->shape.dim[1] : groups, error))
        return FALSE;
    size = x->shape.dim[1] / groups;
    layer_append(layer, FALSE, x->shape.dim[0], x->stride[0], 0);
    layer_append(layer, FALSE, groups, size * x->stride[1], each ? size : 1);
    for (int i = 2; i < x->shape.rank; i++)
        layer_append(layer, TRUE, x->shape.dim[i], x->stride[i], 0);
    layer_append(layer, TRUE, size, x->stride[1], each ? 1 : 0);
    return layer_finish(step, layer, error);
}

/* Mean, 0 if it stays, and 1 / deviation of a unit. */
static void layer_statistics(const Layer *layer, const float *x, double *mean,
                             double *deviation)
{
    int64_t size = layer->inner.size[layer->inner.rank - 1];
    int64_t stride = layer->inner.stride[layer->inner.rank - 1];
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < layer->n && layer->centred; i += size) {
        const float *row = x + ae_box_offset(&layer->inner, i);

        for (int64_t k = 0; k < size; k++)
            sum += row[k * stride];
    }
    *mean = sum / (double)layer->n;
    for (int64_t i = 0; i < layer->n; i += size) {
        const float *row = x + ae_box_offset(&layer->inner, i);

        for (int64_t k = 0; k < size; k++)
            squares += (row[k * stride] - *mean) * (row[k * stride] - *mean);
    }
    *deviation = 1 / sqrt(squares / (double)layer->n + layer->epsilon);
}

static void layer_unit(const AeStep *step, int64_t unit)
{
    const Layer *layer = step->params;
    int last = layer->inner.rank - 1;
    int64_t size = layer->inner.size[last], stride = layer->inner.stride[last];
    int64_t start = ae_box_offset(&layer->outer, unit);
    int64_t own = ae_box_offset(&layer->per_unit, unit);
    double mean, deviation;

    layer_statistics(layer, step->in[X]->data + start, &mean, &deviation);
    for (int64_t i = 0; i < layer->n; i += size) {
        int64_t at = start + ae_box_offset(&layer->inner, i);
        int64_t weight = own + ae_box_offset(&layer->per_element, i);
        const float *x = step->in[X]->data + at;
        float *y = step->out[0]->data + at;

        for (int64_t k = 0; k < size; k++) {
            int64_t w = weight + k * layer->per_element.stride[last];
            float bias = ae_step_has(step, BIAS) ? step->in[BIAS]->data[w] : 0;

            y[k * stride] = (float)((x[k * stride] - mean) * deviation) *
                                step->in[SCALE]->data[w] +
                            bias;
        }
    }
    for (int i = 1; i < step->n_out; i++)
        if (step->out[i] != NULL)
            step->out[i]->data[ae_box_offset(&layer->means, unit)] =
                (float)(i == 1 ? mean : deviation);
}

static void layer_forward(const AeStep *step, int64_t begin, int64_t end,
                          float *scratch G_GNUC_UNUSED)
{
    for (int64_t unit = begin; unit < end; unit++)
        layer_unit(step, unit);
}

#define LAYER(operator, max, outputs, rule)                                    \
    {                                                                          \
        .name = operator, .min_in = 2, .max_in = max, .max_out = outputs,      \
        .plan = rule, .forward = layer_forward,                                \
    }

const AeOperator ae_ops_norm[] = {
    {
        .name = "BatchNormalization",
        .min_in = 5,
        .max_in = 5,
        .max_out = 5,
        .plan = batch_plan,
        .forward = batch_forward,
        .backward = batch_backward,
    },
    {
        .name = "InstanceNormalization",
        .min_in = 3,
        .max_in = 3,
        .max_out = 1,
        .plan = instance_plan,
        .forward = instance_forward,
        .backward = instance_backward,
    },
    LAYER("LayerNormalization", 3, 3, layer_plan),
    LAYER("RMSNormalization", 2, 1, layer_plan),
    LAYER("GroupNormalization", 3, 1, group_plan),
    {NULL},
};
