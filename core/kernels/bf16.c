/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution from bf16: the panels of conv.c, with the instruction that
 * multiplies pairs, or with the numbers of a pair as two floats. */
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

#include "kernels/bf16.h"
#include "kernels/tmpl/conv-epilogue.h"

#if defined(__AVX512BF16__)

#include <immintrin.h>

#define MULTIPLY_ADD "kernels/tmpl/conv-bf16.h"

typedef __m128bh Pairs_4;
typedef __m256bh Pairs_8;
typedef __m512bh Pairs_16;

#define dot_pairs_4 _mm_dpbf16_ps
#define dot_pairs_8 _mm256_dpbf16_ps
#define dot_pairs_16 _mm512_dpbf16_ps

#else

#define MULTIPLY_ADD "kernels/tmpl/conv-float.h"

#endif

#define W(name) JOIN(name, JOIN(_, WIDTH))

#define WIDTH 4
#include "kernels/tmpl/conv-width.h"
#include MULTIPLY_ADD
#include "kernels/tmpl/conv-panel.h"
#undef WIDTH
#if AE_LANES >= 8
#define WIDTH 8
#include "kernels/tmpl/conv-width.h"
#include MULTIPLY_ADD
#include "kernels/tmpl/conv-panel.h"
#undef WIDTH
#endif
#if AE_LANES >= 16
#define WIDTH 16
#include "kernels/tmpl/conv-width.h"
#include MULTIPLY_ADD
#include "kernels/tmpl/conv-panel.h"
#undef WIDTH
#endif

typedef struct {
    int width;
    void (*panel)(const AeConvRow *row, const Epilogue *e, const float *weights,
                  int o, int valid);
} Width;

static const Width widths[] = {
    {4, conv_panel1_4},
#if AE_LANES >= 8
    {8, conv_panel1_8},
#endif
#if AE_LANES >= 16
    {16, conv_panel1_16},
#endif
};

#define WIDTH AE_LANES
#include "kernels/tmpl/conv-panels.h"

static size_t packed(int segments, int k, int co)
{
    return packed_floats(segments, k, panels_width(co));
}

#if defined(__AVX512BF16__)

#define FLOATS 1

/* Two numbers, @step floats apart. */
static float pair_at(const float *x, int64_t step)
{
    const uint32_t bits = bf16_bits(x[0]) >> 16 | bf16_bits(x[step]);
    float pair;

    memcpy(&pair, &bits, sizeof pair);
    return pair;
}

/* Float @i of segments of weights for @co channels, at @o. */
static float weight_at(const float *weights, int64_t i, int o, int co)
{
    return pair_at(weights + 2 * i * co + o, co);
}

static void load(float *pairs, const float *x, int64_t pixels, int c)
{
    uint16_t *next = (uint16_t *)pairs;

    if (c % 2 == 0) {
        for (int64_t i = 0; i < pixels * c; i++)
            next[i] = (uint16_t)(bf16_bits(x[i]) >> 16);
        return;
    }
    for (int64_t i = 0; i < pixels; i++, next++) {
        for (int j = 0; j < c; j++)
            *next++ = (uint16_t)(bf16_bits(*x++) >> 16);
        *next = 0;
    }
}

#else

#define FLOATS 2

static float weight_at(const float *weights, int64_t i, int o, int co)
{
    return bf16_float(weights[(i ^ 1) * co + o]);
}

static void load(float *pairs, const float *x, int64_t pixels, int c)
{
    bf16_load(pairs, x, pixels, c);
}

#endif

static void pack(float *packed, int segments, int k, int co,
                 const float *weights)
{
    const int64_t all = (int64_t)segments * k;

    for (int o = 0, width; o < co; o += width) {
        width = panel_width(co - o);
        for (int64_t i = 0; i < all; i++)
            for (int j = o; j < o + width; j++)
                *packed++ = j < co ? weight_at(weights, i, j, co) : 0;
    }
}

static void conv_row(const AeConvRow *row)
{
    const Epilogue e =
        epilogue_new(row->bias, row->slope, row->alpha, row->activation);

    conv_panels(row, &e);
    activate_row(row->out, row->out_step, row->n, row->co, row->activation,
                 row->alpha);
}

const AeBf16Kernels NAME(bf16) = {
    .name = TEXT(AE_SUFFIX),
    .floats = FLOATS,
    .packed = packed,
    .pack = pack,
    .load = load,
    .conv_row = conv_row,
};
