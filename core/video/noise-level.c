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
    LOW = 7,  /* frequencies u + v from 1 to LOW are low, */
    HIGH = 10 /* from HIGH on high */
};

/* Of all blocks: those with the fewest clipped samples, and of these those with
 * the least energy at low frequencies. On photographs that are used for
 * training, parts from 0.02 to 0.1 differ little: fewer blocks find less
 * texture, more blocks vary less. */
#define UNCLIPPED 0.3
#define SMOOTH 0.05

typedef struct {
    float low, high; /* mean energy of a coefficient */
    float mean;
    float clipped; /* samples at the ends of the range */
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
    int low = 0, high = 0;

    for (int i = 0; i < SIZE; i++) {
        int frequency = i % SIDE + i / SIDE;
        float energy = coefficients[i] * coefficients[i];

        block.clipped += samples[i] <= 0 || samples[i] >= 255;
        if (frequency >= 1 && frequency <= LOW) {
            block.low += energy;
            low++;
        } else if (frequency >= HIGH) {
            block.high += energy;
            high++;
        }
    }
    block.low /= (float)low;
    block.high /= (float)high;
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

static int by_clipped(const void *a, const void *b)
{
    const Block *x = a, *y = b;

    return (x->clipped > y->clipped) - (x->clipped < y->clipped);
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

/* Leaves the blocks to use, in the order of their energy at high frequencies.
 */
static void choose(AeNoiseLevel *level)
{
    float most;
    int n = level->n;

    qsort(level->blocks, (size_t)n, sizeof(Block), by_clipped);
    most = level->blocks[(int)(UNCLIPPED * (n - 1))].clipped;
    while (level->blocks[n - 1].clipped > most)
        n--;
    qsort(level->blocks, (size_t)n, sizeof(Block), by_low);
    level->n = MIN(n, MAX((int)(SMOOTH * n), LEAST_USED));
    qsort(level->blocks, (size_t)level->n, sizeof(Block), by_high);
}

/* The variance of a normal variable that is clipped to [0, 255]: moments of a
 * censored normal distribution. */
static double clipped_variance(double mean, double sd)
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

    return second - first * first;
}

/* The standard deviation that clipping turns into the @variance that was found
 * in the chosen blocks, by bisection. */
static double undo_clipping(const AeNoiseLevel *level, double variance)
{
    double low = sqrt(variance), high = 3 * low + 20;

    for (int i = 0; i < 16; i++) {
        double middle = (low + high) / 2, sum = 0;

        for (int k = 0; k < level->n; k++)
            sum += clipped_variance(level->blocks[k].mean, middle);
        if (sum < variance * level->n)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

float ae_noise_level_measure(AeNoiseLevel *level, const AePlane *plane)
{
    /* The coefficients of a block that are high: u + v from 10 to 14. */
    const double count = 15;
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
    /* The median of a mean of @count squares is lower than their mean (Wilson
     * and Hilferty, "The distribution of chi-square", 1931). Whole numbers have
     * an error of 1/12 in the unit of one level of 8 bits. */
    variance = level->blocks[level->n / 2].high / pow(1 - 2 / (9 * count), 3);
    if (plane->bits == 8)
        variance -= 1 / 12.0;
    return variance > 0 ? (float)undo_clipping(level, variance) : 0;
}
