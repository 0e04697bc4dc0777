/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of bytes in plain C: the definition for all sets. Units are four
 * bytes; packed weights lie as [segment][k][co]. */
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

static int unit_product(const float *units, const float *weights)
{
    uint8_t u[4];
    int8_t w[4];
    int sum = 0;

    memcpy(u, units, 4);
    memcpy(w, weights, 4);
    for (int i = 0; i < 4; i++)
        sum += u[i] * w[i];
    return sum;
}

static int32_t row_sum(const AeInt8Row *row, int64_t x, int o)
{
    const int co =
        (row->co + AE_INT8_CHANNELS - 1) / AE_INT8_CHANNELS * AE_INT8_CHANNELS;
    int32_t sum = row->bias[o];

    for (int s = 0; s < row->segments; s++)
        for (int i = 0; i < row->k; i++)
            sum +=
                unit_product(row->segment[s] + x * row->in_step + i,
                             row->weights + ((int64_t)s * row->k + i) * co + o);
    return sum;
}

static void conv_row(const AeInt8Row *row)
{
    for (int64_t x = 0; x < row->n; x++)
        for (int o = 0; o < row->co; o++) {
            float y = (float)row_sum(row, x, o) * row->scale[o];

            if (row->residual)
                y += (float)(row->residual[x * row->residual_step + o] -
                             row->residual_zero) *
                     row->residual_scale;
            y = y > row->low ? y : row->low;
            y = y < row->high ? y : row->high;
            if (row->out)
                row->out[x * row->out_step + o] =
                    (uint8_t)((int)rintf(y) + row->zero);
            else
                row->out_float[x * row->out_step + o] = y;
        }
}

static void load(float *units, const uint8_t *bytes, int64_t pixels, int c,
                 int zero G_GNUC_UNUSED)
{
    const int all = (c + 3) / 4 * 4;
    uint8_t *next = (uint8_t *)units;

    for (int64_t i = 0; i < pixels; i++, next += all)
        for (int j = 0; j < all; j++)
            next[j] = j < c ? *bytes++ : 0;
}

static void quantize(uint8_t *y, const float *x, int64_t n, float scale,
                     int zero)
{
    for (int64_t i = 0; i < n; i++) {
        const float q = rintf(x[i] / scale) + (float)zero;

        y[i] = q > 0 ? (uint8_t)(q < 255 ? q : 255) : 0;
    }
}

static void dequantize(float *y, const uint8_t *x, int64_t n, float scale,
                       int zero)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(x[i] - zero) * scale;
}

const AeInt8Kernels NAME(int8) = {
    .name = "c",
    .group = 4,
    .biased = TRUE,
    .load = load,
    .conv_row = conv_row,
    .quantize = quantize,
    .dequantize = dequantize,
};
