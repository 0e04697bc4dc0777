/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels in plain C, one loop each: the definition for all other sets. */
#include "kernels/simd.h"

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

/* The activation of output channel @o. */
static float finish(const AeEpilogue *e, int o, float y)
{
    return activation(y, e->activation, e->slope ? e->slope[o] : e->alpha);
}

void NAME(conv_row)(const AeConvRow *row)
{
    const AeEpilogue *e = &row->epilogue;

    for (int64_t x = 0; x < row->n; x++) {
        float *y = row->out + x * row->out_step;

        for (int o = 0; o < row->co; o++) {
            const float *weights = row->weights + o;
            float sum = e->bias ? e->bias[o] : 0;

            for (int s = 0; s < row->segments; s++)
                for (int i = 0; i < row->k; i++, weights += row->co)
                    sum += row->segment[s][x * row->in_step + i] * *weights;
            if (row->residual)
                sum += row->residual[x * row->residual_step + o];
            y[o] = finish(e, o, sum);
        }
    }
}

/* The sum for input @i of segment @s and output channel @o. */
static float weight_sum(const AeConvWeights *w, int s, int i, int o)
{
    float sum = 0;

    for (int r = 0; r < w->rows; r++)
        for (int64_t x = 0; x < w->n; x++)
            sum += w->segment[r * w->segments + s][x * w->in_step + i] *
                   w->gradient[r][x * w->gradient_step + o];
    return sum;
}

void NAME(conv_weights)(const AeConvWeights *w)
{
    float *weight = w->weight;

    for (int o = 0; o < w->co; o++)
        for (int s = 0; s < w->segments; s++)
            for (int i = 0; i < w->k; i++)
                *weight++ += weight_sum(w, s, i, o);
}

void NAME(depthwise_row)(const AeConvRow *row)
{
    const AeEpilogue *e = &row->epilogue;

    for (int64_t x = 0; x < row->n; x++) {
        float *y = row->out + x * row->out_step;

        for (int c = 0; c < row->co; c++) {
            float sum = e->bias ? e->bias[c] : 0;

            for (int s = 0; s < row->segments; s++)
                sum += row->segment[s][x * row->in_step + c] *
                       row->weights[(int64_t)s * row->co + c];
            if (row->residual)
                sum += row->residual[x * row->residual_step + c];
            y[c] = finish(e, c, sum);
        }
    }
}

void NAME(winograd_pack)(float *packed, const float *weights, int ci, int co)
{
    static const float G[6][3] = {
        {1 / 4.f, 0, 0},
        {-1 / 6.f, -1 / 6.f, -1 / 6.f},
        {-1 / 6.f, 1 / 6.f, -1 / 6.f},
        {1 / 24.f, 1 / 12.f, 1 / 6.f},
        {1 / 24.f, -1 / 12.f, 1 / 6.f},
        {0, 0, 1},
    };
    const int64_t size = (int64_t)ci * co;

    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int64_t k = 0; k < size; k++) {
                float sum = 0;

                for (int y = 0; y < 3; y++)
                    for (int x = 0; x < 3; x++)
                        sum +=
                            G[i][y] * G[j][x] * weights[(3 * y + x) * size + k];
                *packed++ = sum;
            }
}

void NAME(winograd_input)(const AeWinogradInput *in)
{
    static const float b[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0},
                                  {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
                                  {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
    float *v = in->v;

    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int t = 0; t < in->tiles; t++)
                for (int c = 0; c < in->c; c++) {
                    float sum = 0;

                    for (int y = 0; y < 6; y++)
                        for (int x = 0; x < 6; x++)
                            sum += b[i][y] * b[j][x] *
                                   in->row[y][(4 * t + x) * in->step + c];
                    *v++ = sum;
                }
}

void NAME(winograd_multiply)(const AeWinogradProducts *products)
{
    const int64_t tiles = products->tiles, ci = products->ci;

    for (int64_t p = 0; p < 36; p++) {
        const float *v = products->v + p * tiles * ci;
        const AeConvRow row = {
            .segment = &v,
            .segments = 1,
            .k = ci,
            .in_step = ci,
            .weights = products->u + p * ci * products->co,
            .out = products->m + p * tiles * products->width,
            .out_step = products->width,
            .n = tiles,
            .co = products->co,
        };

        NAME(conv_row)(&row);
    }
}

/* Pixel @x of row @i. */
static float winograd_sum(const AeWinogradOutput *out, int i, int x, int c)
{
    static const float a[4][6] = {{1, 1, 1, 1, 1, 0},
                                  {0, 1, -1, 2, -2, 0},
                                  {0, 1, 1, 4, 4, 0},
                                  {0, 1, -1, 8, -8, 1}};
    const float *m = out->m + (int64_t)(x / 4) * out->width + c;
    float sum = 0;

    for (int k = 0; k < 6; k++)
        for (int l = 0; l < 6; l++, m += (int64_t)out->tiles * out->width)
            sum += a[i][k] * a[x % 4][l] * *m;
    return sum;
}

void NAME(winograd_output)(const AeWinogradOutput *out)
{
    const AeEpilogue *e = &out->epilogue;

    for (int i = out->first; i < out->last; i++)
        for (int x = 0; x < out->n; x++) {
            const int64_t at = (int64_t)x * out->c;
            const float *residual = out->residual[i];
            float *y = out->out[i] + at;

            for (int c = 0; c < out->c; c++)
                y[c] = finish(e, c,
                              winograd_sum(out, i, x, c) +
                                  (e->bias ? e->bias[c] : 0) +
                                  (residual ? residual[at + c] : 0));
        }
}

void NAME(depthwise_weights)(const AeConvWeights *w)
{
    float *weight = w->weight;

    for (int c = 0; c < w->co; c++)
        for (int s = 0; s < w->segments; s++)
            *weight++ += weight_sum(w, s, c, c);
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
