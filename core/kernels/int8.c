/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of bytes in whole numbers, in blocks of pixels by one or two
 * vectors of output channels as in conv-panel.h, with units of 32 bits in place
 * of floats. The build forbids fused multiply-adds here, so that all sets round
 * alike. */
#include "kernels/simd.h"

#include <string.h>

#include "kernels/tmpl/int8-units.h"

#define PIXELS 12
#define PIXELS_2 (AE_LANES >= 16 ? 12 : 6)

/* Added to a float of less than 2^22, leaves the nearest whole number in its
 * low bits: 1.5 * 2^23. */
#define ROUND 12582912.0f

/* Computes a row's panels of one or two vectors of output channels from @o. */
typedef struct {
    int width;
    void (*panels[2])(const AeInt8Row *row, const float *weights, int o);
} Width;

#define TEMPLATE "kernels/tmpl/int8-panel.h"
#define LEAST_WIDTH MIN(AE_LANES, 8) /* at most AE_INT8_CHANNELS */
#include "kernels/tmpl/widths.h"

static void conv_row(const AeInt8Row *row)
{
    const int co =
        (row->co + AE_INT8_CHANNELS - 1) / AE_INT8_CHANNELS * AE_INT8_CHANNELS;
    const int64_t size = (int64_t)row->segments * row->k;

    for (int o = 0; o < co;) {
        const Width *w = width_within(co - o);
        const int vectors = MIN((co - o) / w->width, 2);

        w->panels[vectors - 1](row, row->weights + o * size, o);
        o += vectors * w->width;
    }
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
                 int zero G_GNUC_UNUSED)
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
