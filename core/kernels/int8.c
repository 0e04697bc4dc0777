/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution in whole numbers: the shape of conv-panel.h, a block of pixels by
 * one or two vectors of output channels, with units of 32 bits in the place of
 * floats. Compiled without fused multiply-adds, so that all sets round alike.
 */
#include "kernels/simd.h"

#include <string.h>

#include "kernels/tmpl/int8-units.h"

#define PIXELS 12
#define PIXELS_2 (AE_LANES >= 16 ? 12 : 6)

/* Added to a float of less than 2^22, leaves the nearest whole number in its
 * low bits: 1.5 * 2^23. */
#define ROUND 12582912.0f

#define W(name) JOIN(name, JOIN(_, WIDTH))

#if AE_LANES >= 16
#define WIDTH 16
#include "kernels/tmpl/int8-panel.h"
#undef WIDTH
#endif
#if AE_LANES >= 8
#define WIDTH 8
#else
#define WIDTH 4
#endif
#include "kernels/tmpl/int8-panel.h"

static void conv_row(const AeInt8Row *row)
{
    const int co =
        (row->co + AE_INT8_CHANNELS - 1) / AE_INT8_CHANNELS * AE_INT8_CHANNELS;
    const int64_t size = (int64_t)row->segments * row->k;
    const float *weights = row->weights;
    int o = 0;

#if AE_LANES >= 16
    for (; co - o >= 32; o += 32)
        panels_16(row, weights + o * size, o, 2);
    for (; co - o >= 16; o += 16)
        panels_16(row, weights + o * size, o, 1);
#endif
    for (; co - o >= 2 * WIDTH; o += 2 * WIDTH)
        W(panels)(row, weights + o * size, o, 2);
    for (; o < co; o += WIDTH)
        W(panels)(row, weights + o * size, o, 1);
}

#if GROUP == 2

static void load(float *units, const uint8_t *bytes, int64_t pixels, int c,
                 int zero)
{
    int16_t *next = (int16_t *)units;

    if (c % 2 == 0) {
        for (int64_t i = 0; i < pixels * c; i++)
            next[i] = (int16_t)(bytes[i] - zero);
        return;
    }
    if (c == 1) {
        for (int64_t i = 0; i < pixels; i++)
            ((int32_t *)units)[i] = (bytes[i] - zero) & 0xffff;
        return;
    }
    for (int64_t i = 0; i < pixels; i++, next++) {
        for (int j = 0; j < c; j++)
            *next++ = (int16_t)(*bytes++ - zero);
        *next = 0;
    }
}

#else

static void load(float *units, const uint8_t *bytes, int64_t pixels, int c,
                 int zero)
{
    const int all = (c + 3) / 4 * 4;
    uint8_t *next = (uint8_t *)units;

    if (c == all) {
        memcpy(units, bytes, (size_t)(pixels * c));
        return;
    }
    if (c == 1) {
        for (int64_t i = 0; i < pixels; i++)
            ((uint32_t *)units)[i] = bytes[i];
        return;
    }
    for (int64_t i = 0; i < pixels; i++, next += all)
        for (int j = 0; j < all; j++)
            next[j] = j < c ? *bytes++ : 0;
}

#endif

static void quantize(uint8_t *y, const float *x, int64_t n, float scale,
                     int zero)
{
    const float low = (float)-zero, high = (float)(255 - zero);
    union {
        float value;
        int32_t bits;
    } rounded;

    for (int64_t i = 0; i < n; i++) {
        float q = x[i] / scale;

        q = q > low ? q : low;
        q = q < high ? q : high;
        rounded.value = q + ROUND;
        y[i] = (uint8_t)(rounded.bits + zero);
    }
}

static void dequantize(float *y, const uint8_t *x, int64_t n, float scale,
                       int zero)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(x[i] - zero) * scale;
}

const AeInt8Kernels NAME(int8) = {
    .name = TEXT(AE_SUFFIX),
    .group = GROUP,
    .biased = GROUP == 4,
    .load = load,
    .conv_row = conv_row,
    .quantize = quantize,
    .dequantize = dequantize,
};
