/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mean squared error and SSIM. With Gaussian-weighted means m, variances v and
 * covariance c of a window,
 *
 *   SSIM = (2 ma mb + C1) (2 c + C2) / ((ma^2 + mb^2 + C1) (va + vb + C2)),
 *
 * C1 = (K1 L)^2, C2 = (K2 L)^2, L = 255: samples of more than 8 bits are scaled
 * to that first. Only va + vb is needed, so four maps are filtered: a, b,
 * a^2 + b^2 and ab, along each row as it comes and then down the last eleven
 * rows. Samples are shifted by half of the range first: variances do not
 * change, and float loses less. */
#include "video/metrics.h"
#include "video/plane.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { WINDOW = 11, HALF = WINDOW / 2, MAPS = 4, SHIFT = 128, CHUNK = 1024 };

static const float c1 = 0.01f * 255 * 0.01f * 255;
static const float c2 = 0.03f * 255 * 0.03f * 255;

typedef struct {
    int width, valid;       /* samples and windows in a row */
    float scale;            /* of samples, to 0 .. 255 */
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

static float scale_of(const AePlane *plane)
{
    return 255 / (float)ae_plane_most(plane);
}

static gboolean ssim_init(Ssim *ssim, const AePlane *plane, GError **error)
{
    size_t w = (size_t)plane->width, valid = w - WINDOW + 1;

    ssim->width = plane->width;
    ssim->scale = scale_of(plane);
    ssim->valid = (int)valid;
    gaussian(ssim->weight);
    ssim->memory =
        ae_alloc(MAPS * (w + valid * (WINDOW + 1)), sizeof(float), error);
    if (ssim->memory == NULL)
        return FALSE;
    float *next = ssim->memory;
    for (int i = 0; i < MAPS; i++, next += w)
        ssim->line[i] = next;
    for (int i = 0; i < MAPS; i++, next += valid)
        ssim->sum[i] = next;
    for (int i = 0; i < WINDOW; i++, next += MAPS * valid)
        ssim->ring[i] = next;
    return TRUE;
}

/* Some samples of a row of both planes. */
typedef struct {
    int n;
    uint16_t a[CHUNK], b[CHUNK];
} Chunk;

static void read_chunk(Chunk *chunk, const AePlane *a, const AePlane *b, int x,
                       int y)
{
    chunk->n = MIN(CHUNK, a->width - x);
    ae_plane_read_integers(a, x, y, chunk->n, chunk->a, 1);
    ae_plane_read_integers(b, x, y, chunk->n, chunk->b, 1);
}

static void fill_maps(Ssim *ssim, const AePlane *a, const AePlane *b, int y)
{
    float *restrict ma = ssim->line[0], *restrict mb = ssim->line[1];
    float *restrict squares = ssim->line[2], *restrict product = ssim->line[3];
    float scale = ssim->scale;

    for (int first = 0; first < ssim->width; first += CHUNK) {
        Chunk chunk;

        read_chunk(&chunk, a, b, first, y);
        for (int i = 0, x = first; i < chunk.n; i++, x++) {
            float va = (float)chunk.a[i] * scale - SHIFT;
            float vb = (float)chunk.b[i] * scale - SHIFT;
            ma[x] = va;
            mb[x] = vb;
            squares[x] = va * va + vb * vb;
            product[x] = va * vb;
        }
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

/* Sums the windows whose last row is @y, from the ring buffer of rows. */
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

/* SSIM of an image smaller than a window, as one window with equal weights. */
static double ssim_small(const AePlane *a, const AePlane *b)
{
    double sa = 0, sb = 0, squares = 0, product = 0, scale = scale_of(a);
    double n = (double)a->width * a->height;
    Chunk chunk;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x += CHUNK) {
            read_chunk(&chunk, a, b, x, y);
            for (int i = 0; i < chunk.n; i++) {
                double va = chunk.a[i] * scale - SHIFT;
                double vb = chunk.b[i] * scale - SHIFT;
                sa += va;
                sb += vb;
                squares += va * va + vb * vb;
                product += va * vb;
            }
        }
    return similarity((float)(sa / n), (float)(sb / n), (float)(squares / n),
                      (float)(product / n));
}

double ae_psnr(double mse)
{
    return -10 * log10(mse);
}

double ae_mse(const AePlane *a, const AePlane *b)
{
    double most = ae_plane_most(a);
    uint64_t sum = 0;
    Chunk chunk;

    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x += CHUNK) {
            read_chunk(&chunk, a, b, x, y);
            for (int i = 0; i < chunk.n; i++) {
                uint32_t distance = (uint32_t)abs(chunk.a[i] - chunk.b[i]);

                sum += distance * distance;
            }
        }
    return (double)sum / (most * most * a->width * a->height);
}

gboolean ae_ssim(const AePlane *a, const AePlane *b, double *result,
                 GError **error)
{
    double total = 0;
    Ssim ssim;

    if (a->width < WINDOW || a->height < WINDOW) {
        *result = ssim_small(a, b);
        return TRUE;
    }
    if (!ssim_init(&ssim, a, error))
        return FALSE;
    for (int y = 0; y < a->height; y++) {
        fill_maps(&ssim, a, b, y);
        for (int map = 0; map < MAPS; map++)
            filter_row(ssim.ring[y % WINDOW] + (size_t)map * ssim.valid,
                       ssim.line[map], ssim.valid, ssim.weight);
        if (y >= WINDOW - 1)
            total += sum_row(&ssim, y);
    }
    ae_free(ssim.memory);
    *result = total / ((double)ssim.valid * (a->height - WINDOW + 1));
    return TRUE;
}
