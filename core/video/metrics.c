/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mean squared error and SSIM. With Gaussian-weighted means m, variances v and
 * covariance c of a window,
 *
 *   SSIM = (2 ma mb + C1) (2 c + C2) / ((ma^2 + mb^2 + C1) (va + vb + C2)),
 *
 * C1 = (K1 L)^2, C2 = (K2 L)^2, L = 255. Only va + vb is needed, so four maps
 * are filtered: a, b, a^2 + b^2 and ab, along each row as it comes and then
 * down the last eleven rows. Samples are shifted by half of the range first:
 * variances do not change, and float loses less. */
#include "video/metrics.h"

#include <math.h>

enum { WINDOW = 11, HALF = WINDOW / 2, MAPS = 4, SHIFT = 128 };

static const float c1 = 0.01f * 255 * 0.01f * 255;
static const float c2 = 0.03f * 255 * 0.03f * 255;

typedef struct {
    int width, valid;       /* samples and windows in a row */
    float weight[HALF + 1]; /* outermost first: the window is symmetric */
    float *line[MAPS];      /* the maps of one row, width floats each */
    float *ring[WINDOW];    /* filtered rows, MAPS * valid floats each */
    float *sum[MAPS];       /* one row of windows */
    float *memory;
} Ssim;

static void gaussian(float *weight)
{
    double sum = 0, w[HALF + 1];

    for (int i = 0; i <= HALF; i++) {
        w[i] = exp(-(HALF - i) * (HALF - i) / (2 * 1.5 * 1.5));
        sum += i < HALF ? 2 * w[i] : w[i];
    }
    for (int i = 0; i <= HALF; i++)
        weight[i] = (float)(w[i] / sum);
}

static void ssim_init(Ssim *ssim, int width)
{
    size_t w = (size_t)width, valid = w - WINDOW + 1;

    ssim->width = width;
    ssim->valid = (int)valid;
    gaussian(ssim->weight);
    ssim->memory = g_new(float, MAPS *(w + valid * (WINDOW + 1)));
    float *next = ssim->memory;
    for (int i = 0; i < MAPS; i++, next += w)
        ssim->line[i] = next;
    for (int i = 0; i < MAPS; i++, next += valid)
        ssim->sum[i] = next;
    for (int i = 0; i < WINDOW; i++, next += MAPS * valid)
        ssim->ring[i] = next;
}

static void fill_maps(Ssim *ssim, const uint8_t *a, const uint8_t *b)
{
    float *restrict ma = ssim->line[0], *restrict mb = ssim->line[1];
    float *restrict squares = ssim->line[2], *restrict product = ssim->line[3];

    for (int x = 0; x < ssim->width; x++) {
        float va = (float)(a[x] - SHIFT), vb = (float)(b[x] - SHIFT);
        ma[x] = va;
        mb[x] = vb;
        squares[x] = va * va + vb * vb;
        product[x] = va * vb;
    }
}

static void filter_row(float *restrict out, const float *restrict in, int n,
                       const float *restrict w)
{
    for (int x = 0; x < n; x++)
        out[x] = w[0] * (in[x] + in[x + 10]) + w[1] * (in[x + 1] + in[x + 9]) +
                 w[2] * (in[x + 2] + in[x + 8]) +
                 w[3] * (in[x + 3] + in[x + 7]) +
                 w[4] * (in[x + 4] + in[x + 6]) + w[5] * in[x + 5];
}

/* The windows whose last row is @y, from the ring. */
static void filter_columns(const Ssim *ssim, int map, int y)
{
    const float *in[WINDOW], *w = ssim->weight;
    float *restrict out = ssim->sum[map];

    for (int i = 0; i < WINDOW; i++)
        in[i] = ssim->ring[(y + 1 + i) % WINDOW] + (size_t)map * ssim->valid;
    for (int x = 0; x < ssim->valid; x++)
        out[x] = w[0] * (in[0][x] + in[10][x]) + w[1] * (in[1][x] + in[9][x]) +
                 w[2] * (in[2][x] + in[8][x]) + w[3] * (in[3][x] + in[7][x]) +
                 w[4] * (in[4][x] + in[6][x]) + w[5] * in[5][x];
}

static inline float similarity(float ma, float mb, float squares, float product)
{
    float variances = squares - ma * ma - mb * mb;
    float covariance = product - ma * mb;

    ma += SHIFT;
    mb += SHIFT;
    return (2 * ma * mb + c1) * (2 * covariance + c2) /
           ((ma * ma + mb * mb + c1) * (variances + c2));
}

static double sum_row(Ssim *ssim, int y)
{
    float *const *sum = ssim->sum;
    double total = 0;

    for (int map = 0; map < MAPS; map++)
        filter_columns(ssim, map, y);
    float *restrict out = sum[0];
    for (int x = 0; x < ssim->valid; x++)
        out[x] = similarity(out[x], sum[1][x], sum[2][x], sum[3][x]);
    for (int x = 0; x < ssim->valid; x++)
        total += out[x];
    return total;
}

/* One window with equal weights over an image that is smaller than one. */
static double ssim_small(const uint8_t *a, int stride_a, const uint8_t *b,
                         int stride_b, int width, int height)
{
    double sa = 0, sb = 0, squares = 0, product = 0;
    double n = (double)width * height;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double va = a[(ptrdiff_t)y * stride_a + x] - SHIFT;
            double vb = b[(ptrdiff_t)y * stride_b + x] - SHIFT;
            sa += va;
            sb += vb;
            squares += va * va + vb * vb;
            product += va * vb;
        }
    return similarity((float)(sa / n), (float)(sb / n), (float)(squares / n),
                      (float)(product / n));
}

static uint64_t row_squares(const uint8_t *a, const uint8_t *b, int n)
{
    uint64_t sum = 0;

    for (int start = 0; start < n; start += 32768) {
        int count = MIN(32768, n - start);
        uint32_t part = 0;
        for (int x = 0; x < count; x++) {
            int difference = a[start + x] - b[start + x];
            part += (uint32_t)(difference * difference);
        }
        sum += part;
    }
    return sum;
}

double ae_psnr(double mse)
{
    return -10 * log10(mse);
}

double ae_mse_8bit(const uint8_t *a, int stride_a, const uint8_t *b,
                   int stride_b, int width, int height)
{
    uint64_t sum = 0;

    for (int y = 0; y < height; y++)
        sum += row_squares(a + (ptrdiff_t)y * stride_a,
                           b + (ptrdiff_t)y * stride_b, width);
    return (double)sum / (255.0 * 255.0 * width * height);
}

double ae_ssim_8bit(const uint8_t *a, int stride_a, const uint8_t *b,
                    int stride_b, int width, int height)
{
    double total = 0;
    Ssim ssim;

    if (width < WINDOW || height < WINDOW)
        return ssim_small(a, stride_a, b, stride_b, width, height);

    ssim_init(&ssim, width);
    for (int y = 0; y < height; y++) {
        fill_maps(&ssim, a + (ptrdiff_t)y * stride_a,
                  b + (ptrdiff_t)y * stride_b);
        for (int map = 0; map < MAPS; map++)
            filter_row(ssim.ring[y % WINDOW] + (size_t)map * ssim.valid,
                       ssim.line[map], ssim.valid, ssim.weight);
        if (y >= WINDOW - 1)
            total += sum_row(&ssim, y);
    }
    g_free(ssim.memory);
    return total / ((double)ssim.valid * (height - WINDOW + 1));
}
