/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels in plain C, one loop each: the definition of every other set. */
#include "simd.h"

#include <math.h>

size_t NAME(conv_packed)(int segments, int k, int co)
{
    return (size_t)segments * k * co;
}

void NAME(conv_pack)(float *packed, int segments, int k, int co,
                     const float *weights, int64_t stride_s, int64_t stride_i,
                     int64_t stride_o)
{
    for (int s = 0; s < segments; s++)
        for (int i = 0; i < k; i++)
            for (int o = 0; o < co; o++)
                *packed++ = weights[s * stride_s + i * stride_i + o * stride_o];
}

static float activation(float x, AeActivation a, float alpha)
{
    switch (a) {
    case AE_ACTIVATION_RELU:
        return x < 0 ? 0 : x;
    case AE_ACTIVATION_LEAKY_RELU:
    case AE_ACTIVATION_PRELU:
        return x < 0 ? alpha * x : x;
    case AE_ACTIVATION_ELU:
        return x < 0 ? alpha * expm1f(x) : x;
    case AE_ACTIVATION_SIGMOID:
        return 1 / (1 + expf(-x));
    case AE_ACTIVATION_TANH:
        return tanhf(x);
    case AE_ACTIVATION_SOFTPLUS:
        return (x < 0 ? 0 : x) + log1pf(expf(-fabsf(x)));
    default:
        return x;
    }
}

void NAME(activate_channels)(float *y, int n, AeActivation a, float alpha,
                             const float *slope)
{
    for (int c = 0; c < n; c++)
        y[c] = activation(y[c], a, a == AE_ACTIVATION_PRELU ? slope[c] : alpha);
}

static float conv_sum(const AeConvRow *row, int64_t x, int o)
{
    float sum = row->bias ? row->bias[o] : 0;

    for (int s = 0; s < row->segments; s++)
        for (int i = 0; i < row->k; i++)
            sum += row->segment[s][x * row->in_step + i] *
                   row->weights[((int64_t)s * row->k + i) * row->co + o];
    return sum;
}

void NAME(conv_row)(const AeConvRow *row)
{
    for (int64_t x = 0; x < row->n; x++) {
        float *y = row->out + x * row->out_step;

        for (int o = 0; o < row->co; o++) {
            float sum = conv_sum(row, x, o);

            if (row->residual)
                sum += row->residual[x * row->residual_step + o];
            y[o] = sum;
        }
        NAME(activate_channels)
        (y, row->co, row->activation, row->alpha, row->slope);
    }
}

void NAME(conv_weights)(const AeConvWeights *row)
{
    float *weight = row->weight;

    for (int s = 0; s < row->segments; s++)
        for (int i = 0; i < row->k; i++)
            for (int o = 0; o < row->co; o++) {
                float sum = 0;

                for (int64_t x = 0; x < row->n; x++)
                    sum += row->segment[s][x * row->in_step + i] *
                           row->gradient[x * row->gradient_step + o];
                *weight++ += sum;
            }
}

void NAME(depthwise_row)(const AeDepthwiseRow *row)
{
    for (int64_t x = 0; x < row->n; x++) {
        float *y = row->out + x * row->out_step;

        for (int c = 0; c < row->c; c++) {
            float sum = row->bias ? row->bias[c] : 0;

            for (int t = 0; t < row->taps; t++)
                sum += row->tap[t][x * row->in_step + c] *
                       row->weights[(int64_t)t * row->c + c];
            if (row->residual)
                sum += row->residual[x * row->residual_step + c];
            y[c] = sum;
        }
        NAME(activate_channels)
        (y, row->c, row->activation, row->alpha, row->slope);
    }
}

void NAME(activate)(float *y, const float *x, int64_t n, AeActivation a,
                    float alpha)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = activation(x[i], a, alpha);
}

/* The derivative at x, from y = activation(x). */
static float derivative(float y, AeActivation a, float alpha)
{
    switch (a) {
    case AE_ACTIVATION_RELU:
        return y > 0 ? 1 : 0;
    case AE_ACTIVATION_LEAKY_RELU:
        return y > 0 ? 1 : alpha;
    case AE_ACTIVATION_ELU:
        return y > 0 ? 1 : y + alpha;
    case AE_ACTIVATION_SIGMOID:
        return y * (1 - y);
    case AE_ACTIVATION_TANH:
        return 1 - y * y;
    case AE_ACTIVATION_SOFTPLUS:
        return 1 - expf(-y);
    default:
        return 1;
    }
}

void NAME(activate_gradient)(float *dx, const float *y, const float *dy,
                             int64_t n, AeActivation a, float alpha,
                             gboolean accumulate)
{
    for (int64_t i = 0; i < n; i++) {
        float d = dy[i] * derivative(y[i], a, alpha);

        dx[i] = accumulate ? dx[i] + d : d;
    }
}

void NAME(exp)(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = expf(x[i]);
}

void NAME(log)(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = logf(x[i]);
}

double NAME(sum_squares)(const float *x, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

int64_t NAME(peak)(int64_t n, float *sink)
{
    float factor = sink[0], term = sink[1], sum[8];

    for (int j = 0; j < 8; j++)
        sum[j] = j;
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < 8; j++)
            sum[j] = sum[j] * factor + term;
    for (int j = 1; j < 8; j++)
        sum[0] += sum[j];
    sink[0] = sum[0];
    return n * 8 * 2;
}
