/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BatchNormalization in its inference form,
 *
 *   y = scale (x - mean) / sqrt(var + epsilon) + bias,
 *
 * with the four given per channel, and InstanceNormalization, where mean and
 * variance are those of one image's channel (Ulyanov, Vedaldi and Lempitsky,
 * 2016). */
#include <math.h>

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
    {NULL},
};
