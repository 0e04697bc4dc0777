/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loss of JPEG: see noise-jpeg.h. */
#include "video/noise-jpeg.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 8 };

/* A channel of a plane. */
typedef struct {
    float *samples;
    int64_t width, height;
    int64_t step, row; /* floats to the next sample and to the next row */
} Channel;

/* The orthonormal DCT-II, one row for each frequency. */
static void make_cosines(float cosines[BLOCK][BLOCK])
{
    for (int f = 0; f < BLOCK; f++)
        for (int i = 0; i < BLOCK; i++)
            cosines[f][i] = (f > 0 ? 0.5f : (float)(G_SQRT2 / 4)) *
                            cosf((float)G_PI * (float)((2 * i + 1) * f) / 16);
}

/* Quantisation steps of ITU-T T.81, table K.1, in units of samples, scaled by
 * quality as libjpeg does. */
static void make_steps(float steps[BLOCK * BLOCK], float quality)
{
    /* clang-format off */
    static const float table[BLOCK * BLOCK] = {
        16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
        14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
        18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
        49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
    /* clang-format on */
    float scale = quality < 50 ? 50 / quality : 2 - quality / 50;

    for (int i = 0; i < BLOCK * BLOCK; i++)
        steps[i] = CLAMP(roundf(table[i] * scale), 1, 255) / 255;
}

/* y = cosines x cosines', the transform of a block; with @back, its inverse. */
static void transform(float y[BLOCK][BLOCK], float x[BLOCK][BLOCK],
                      float cosines[BLOCK][BLOCK], gboolean back)
{
    float half[BLOCK][BLOCK] = {{0}};

    for (int i = 0; i < BLOCK; i++)
        for (int k = 0; k < BLOCK; k++)
            for (int j = 0; j < BLOCK; j++)
                half[i][j] += (back ? cosines[k][i] : cosines[i][k]) * x[k][j];
    memset(y, 0, sizeof half);
    for (int i = 0; i < BLOCK; i++)
        for (int k = 0; k < BLOCK; k++)
            for (int j = 0; j < BLOCK; j++)
                y[i][j] += half[i][k] * (back ? cosines[k][j] : cosines[j][k]);
}

/* Transforms, quantises and transforms back the block at (@x, @y), which may
 * reach beyond the channel; there its border samples are repeated. */
static void compress_block(const Channel *c, int64_t x, int64_t y,
                           float cosines[BLOCK][BLOCK],
                           const float steps[BLOCK * BLOCK])
{
    float block[BLOCK][BLOCK], waves[BLOCK][BLOCK];

    for (int i = 0; i < BLOCK; i++)
        for (int j = 0; j < BLOCK; j++)
            block[i][j] = c->samples[CLAMP(y + i, 0, c->height - 1) * c->row +
                                     CLAMP(x + j, 0, c->width - 1) * c->step] -
                          128 / 255.0f;
    transform(waves, block, cosines, FALSE);
    for (int i = 0; i < BLOCK * BLOCK; i++)
        waves[i / BLOCK][i % BLOCK] =
            steps[i] * roundf(waves[i / BLOCK][i % BLOCK] / steps[i]);
    transform(block, waves, cosines, TRUE);
    for (int64_t i = MAX(y, 0); i < MIN(y + BLOCK, c->height); i++)
        for (int64_t j = MAX(x, 0); j < MIN(x + BLOCK, c->width); j++)
            c->samples[i * c->row + j * c->step] =
                block[i - y][j - x] + 128 / 255.0f;
}

void ae_noise_jpeg(float *samples, int64_t width, int64_t height,
                   int64_t channels, float quality, const float before[2])
{
    float cosines[BLOCK][BLOCK], steps[BLOCK * BLOCK];

    make_cosines(cosines);
    make_steps(steps, quality);
    for (int64_t c = 0; c < channels; c++) {
        const Channel channel = {samples + c, width, height, channels,
                                 width * channels};

        for (int64_t y = -(int)(before[1] * BLOCK); y < height; y += BLOCK)
            for (int64_t x = -(int)(before[0] * BLOCK); x < width; x += BLOCK)
                compress_block(&channel, x, y, cosines, steps);
    }
}
