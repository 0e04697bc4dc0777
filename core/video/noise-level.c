/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/noise-level.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/gemm.h"
#include "base/memory.h"

enum {
    SIDE = 8, /* of a block */
    SIZE = SIDE * SIDE,
    MAX_BLOCKS = 4096,
    LEAST_STEP = 4, /* of the grid, in samples */
    LEAST_USED = 64,
    LOW = 7,   /* frequencies u + v from 1 to LOW are low, */
    HIGH = 10, /* from HIGH on high: */
    N_HIGH = 15
};

/* Of all blocks: those with the fewest clipped samples, and of these those with
 * the least energy at low frequencies. On photographs that are used for
 * training, parts from 0.02 to 0.1 differ little: fewer blocks find less
 * texture, more blocks vary less. */
#define UNCLIPPED 0.3
#define SMOOTH 0.05

typedef struct {
    float low;  /* energy */
    float high; /* mean energy of a coefficient */
    float mean;
    int clipped; /* samples at the ends of the range */
} Block;

struct AeNoiseLevel {
    int width;
    float basis[SIZE][SIZE];       /* of the DCT: [sample][coefficient] */
    float *rows;                   /* SIDE rows of a plane */
    float *samples, *coefficients; /* of the blocks of SIDE rows */
    Block blocks[MAX_BLOCKS];
    int n;
};

AeNoiseLevel *ae_noise_level_new(int width, GError **error)
{
    AeNoiseLevel *level = g_new0(AeNoiseLevel, 1);
    size_t across = (size_t)width / LEAST_STEP + 1;

    level->width = width;
    level->rows = ae_alloc(SIDE * (size_t)width, sizeof(float), error);
    if (level->rows != NULL)
        level->samples = ae_alloc(2 * SIZE * across, sizeof(float), error);
    if (level->samples == NULL) {
        ae_noise_level_free(level);
        return NULL;
    }
    level->coefficients = level->samples + SIZE * across;
    for (int i = 0; i < SIZE; i++)
        for (int k = 0; k < SIZE; k++) {
            int u = k % SIDE, v = k / SIDE;
            double scale = 2.0 / SIDE * (u == 0 ? M_SQRT1_2 : 1) *
                           (v == 0 ? M_SQRT1_2 : 1);

            level->basis[i][k] =
                (float)(scale *
                        cos((2 * (i % SIDE) + 1) * u * M_PI / (2 * SIDE)) *
                        cos((2 * (i / SIDE) + 1) * v * M_PI / (2 * SIDE)));
        }
    return level;
}

void ae_noise_level_free(AeNoiseLevel *level)
{
    if (level == NULL)
        return;
    ae_free(level->rows);
    ae_free(level->samples);
    g_free(level);
}

/* The block whose samples and coefficients are given. */
static Block describe(const float *samples, const float *coefficients)
{
    Block block = {0};

    for (int i = 0; i < SIZE; i++)
        block.clipped += samples[i] <= 0 || samples[i] >= 255;
    for (int v = 0; v < SIDE; v++)
        for (int u = 0; u < SIDE; u++) {
            const float c = coefficients[v * SIDE + u];

            if (u + v >= 1 && u + v <= LOW)
                block.low += c * c;
            else if (u + v >= HIGH)
                block.high += c * c;
        }
    block.high /= N_HIGH;
    block.mean = coefficients[0] / SIDE;
    return block;
}

/* Adds the blocks whose first row is @y. */
static void add_blocks(AeNoiseLevel *level, const AePlane *plane, int y,
                       int step)
{
    static const AeRange levels = {0, 255};
    int width = plane->width, n = (width - SIDE) / step + 1;

    for (int i = 0; i < SIDE; i++)
        ae_plane_read(plane, y + i, width, levels,
                      level->rows + (size_t)i * (size_t)width, 1);
    n = MIN(n, MAX_BLOCKS - level->n);
    for (int b = 0; b < n; b++)
        for (int i = 0; i < SIZE; i++)
            level->samples[b * SIZE + i] =
                level->rows[(size_t)(i / SIDE) * (size_t)width +
                            (size_t)(b * step + i % SIDE)];
    ae_gemm(FALSE, FALSE, n, SIZE, SIZE, 1, level->samples, SIZE,
            level->basis[0], SIZE, 0, level->coefficients, SIZE);
    for (int b = 0; b < n; b++)
        level->blocks[level->n++] =
            describe(level->samples + b * SIZE, level->coefficients + b * SIZE);
}

static int by_low(const void *a, const void *b)
{
    const Block *x = a, *y = b;

    return (x->low > y->low) - (x->low < y->low);
}

static int by_high(const void *a, const void *b)
{
    const Block *x = a, *y = b;

    return (x->high > y->high) - (x->high < y->high);
}

/* The most clipped samples of a block that is used. */
static int find_most(const AeNoiseLevel *level)
{
    int counts[SIZE + 1] = {0}, most = 0, used;

    for (int i = 0; i < level->n; i++)
        counts[level->blocks[i].clipped]++;
    used = counts[0];
    while (used < (int)(UNCLIPPED * level->n))
        used += counts[++most];
    return most;
}

/* Leaves the blocks to use, in the order of their energy at high frequencies.
 */
static void choose(AeNoiseLevel *level)
{
    const int most = find_most(level);
    int n = 0;

    for (int i = 0; i < level->n; i++)
        if (level->blocks[i].clipped <= most)
            level->blocks[n++] = level->blocks[i];
    qsort(level->blocks, (size_t)n, sizeof(Block), by_low);
    level->n = MIN(n, MAX((int)(SMOOTH * n), LEAST_USED));
    qsort(level->blocks, (size_t)level->n, sizeof(Block), by_high);
}

/* A normal variable that is clipped to [0, 255]: a censored normal
 * distribution. */
typedef struct {
    double inside; /* the probability that it is not clipped */
    double mean, variance;
} Clipped;

static Clipped clip(double mean, double sd)
{
    double a = -mean / sd, b = (255 - mean) / sd;
    double below = (1 + erf(a * M_SQRT1_2)) / 2;
    double above = (1 - erf(b * M_SQRT1_2)) / 2, inside = 1 - below - above;
    double at_a = exp(-a * a / 2) / sqrt(2 * M_PI);
    double at_b = exp(-b * b / 2) / sqrt(2 * M_PI);
    double first = mean * inside + sd * (at_a - at_b) + 255 * above;
    double second = (mean * mean + sd * sd) * inside +
                    sd * (mean * at_a - (mean + 255) * at_b) +
                    255.0 * 255 * above;

    return (Clipped){inside, first, second - first * first};
}

/* The variance that is left by clipping of noise of @sd where the mean is
 * @found behind it: the mean before it follows by Newton's method. */
static double clipped_variance(double found, double sd)
{
    double mean = found;
    Clipped clipped = clip(mean, sd);

    for (int i = 0; i < 4; i++) {
        double step = (found - clipped.mean) / MAX(clipped.inside, 0.1);

        mean += CLAMP(step, -sd, sd);
        clipped = clip(mean, sd);
    }
    return clipped.variance;
}

/* The standard deviation that clipping turns into the @variance that was found
 * in the chosen blocks, by bisection over some of them. */
static double undo_clipping(const AeNoiseLevel *level, double variance)
{
    const int step = MAX(level->n / 40, 1);
    double low = sqrt(variance), high = 3 * low + 20;

    for (int i = 0; i < 12; i++) {
        double middle = (low + high) / 2, sum = 0;
        int n = 0;

        for (int k = 0; k < level->n; k += step, n++)
            sum += clipped_variance(level->blocks[k].mean, middle);
        if (sum < variance * n)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* Whether noise of @sd reaches an end of the range in a chosen block. */
static gboolean is_clipped(const AeNoiseLevel *level, double sd)
{
    gboolean clipped = FALSE;

    for (int i = 0; i < level->n; i++)
        clipped |= level->blocks[i].mean < 4 * sd ||
                   level->blocks[i].mean > 255 - 4 * sd;
    return clipped;
}

float ae_noise_level_measure(AeNoiseLevel *level, const AePlane *plane)
{
    double area = (double)plane->width * plane->height, variance;
    int step = MAX(LEAST_STEP, (int)ceil(sqrt(area / MAX_BLOCKS)));

    if (plane->width < SIDE || plane->height < SIDE ||
        plane->width > level->width)
        return 0;
    level->n = 0;
    for (int y = 0; y + SIDE <= plane->height && level->n < MAX_BLOCKS;
         y += step)
        add_blocks(level, plane, y, step);
    choose(level);
    /* The median of a mean of N_HIGH squares is lower than their mean (Wilson
     * and Hilferty, "The distribution of chi-square", 1931). Whole numbers have
     * an error of 1/12 in the unit of one level of 8 bits. */
    variance =
        level->blocks[level->n / 2].high / pow(1 - 2 / (9.0 * N_HIGH), 3);
    if (plane->bits == 8)
        variance -= 1 / 12.0;
    if (variance <= 0)
        return 0;
    return (float)(is_clipped(level, sqrt(variance))
                       ? undo_clipping(level, variance)
                       : sqrt(variance));
}
