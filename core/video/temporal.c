/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For a cell whose means are worth n frames, and a frame y that the denoiser
 * turned into D, with noise of variance V:
 *
 *   noisy    <- noisy    + (y - noisy) / n'       n' = min(1 + keep n, LONGEST)
 *   denoised <- denoised + (D - denoised) / n'
 *   out = denoised + gain (r - mean of r),        r = noisy - denoised
 *   gain = max(0, 1 - q (1 + CAUTION q))
 *   q = (V / n') / mean of (r - mean of r)^2
 *
 * where means of r are those of its surroundings: what both differ by in large
 * is not detail, but what clipping does to noise. keep is 1 where nothing
 * moves, 0 where something does. If nothing moves, the differences y - noisy
 * have the variance V (1 + 1 / n); divided by its root they make a map whose
 * mean and mean square are compared with what noise allows, in the surroundings
 * of each cell. So is the mean square of D - denoised, in which strong noise,
 * and clipping, hide less. What is left of the map, cells that seem to stand
 * still, is compared in the larger surroundings of each block, which feel the
 * less what moves beside them; and so is its mean of the last frames, for fades
 * and slow light are always of the same sign. The ratio of the largest to what
 * is allowed is the motion. Where the whole frame's light changes, means are
 * kept for less long.
 *
 * A camera's neighbouring samples share noise, so that means have more of it
 * than V says: how often more is measured by their steps (steps.h). */
#include "video/temporal.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "video/steps.h"
#include "base/tensor.h"

#define SIDE 4         /* cells of a block's side */
#define ONE 128.0f     /* how a level is written in the means */
#define LONGEST 16.0f  /* frames that a mean can be worth */
#define CAUTION 0.7f   /* how much less of r where it is mostly noise */
#define LEAST 0.25f    /* variance: rounding has a third of it */
#define ADAPTION 0.25f /* of the variance, to each frame's */
/* What a denoiser takes away is a little less than the noise. */
#define REMOVED 1.04f

/* Surroundings: a square this far to all sides. */
#define AROUND 2
#define AROUND_COUNT ((2 * AROUND + 1) * (2 * AROUND + 1))
/* What noise allows, of AROUND_COUNT cells or 16 times as many in blocks: so
 * many standard deviations, of the mean square and of the mean. */
#define CELLS_SQUARE 1.0f
#define CELLS_MEAN 2.25f
#define BLOCKS_SQUARE 8.0f
#define BLOCKS_MEAN 4.0f
/* Of the mean of the last frames, in which each counts NEWEST, in standard
 * deviations of a single frame's. */
#define DRIFT 1.5f
#define NEWEST 0.4f
/* The same of the whole frame, in standard deviations of a single frame's mean
 * of a block's surroundings. It is no motion, but makes means shorter, too. */
#define LIGHT 0.48f
#define MOST_LIGHT 2.2f /* so many times LIGHT, as motion */
#define FEWEST 16 /* cells: of fewer a block's surroundings tell nothing */
/* Levels: so many times the noise's standard deviation the same mean square may
 * be of the denoised frames, in which noise hides less. */
#define DENOISED 15.0f

/* All that is allowed is so many times as much: V, of a place, is an estimate.
 */
#define SLACK 1.2f

#define OFTEN 40.0f /* the most noise in means, in units of white noise's */
#define FOLLOW 0.2f /* how fast it follows what is found */

#define MOST_MOTION 2.5f
#define SUDDEN 1.3f   /* motion in this frame alone, to count as motion */
#define SOFTNESS 1.4f /* motion from 1 to more than this is some motion */
#define FEW 0.2f      /* share of moving cells around a block that is nothing */
#define CONTEXT 2.0f  /* how a larger share makes motion of less */
#define CUT 0.9f      /* share of moving cells that makes a cut */

enum { OLD = 3 };                  /* frames that make two steps */
enum { CELL, NEAR, FAR, EXTENTS }; /* a cell, and the two surroundings */

typedef struct {
    int cell_w, cell_h, width; /* in samples */
    int16_t *noisy, *denoised; /* the means, times ONE */
    float *change, *power;     /* cells: y - noisy as if its variance was V,
                                  and its square; then the means of r, r^2 */
    float *seen;               /* cells: the same square of D - denoised */
    float *level;              /* cells: y, scaled as y - noisy */
    float *step, *before;      /* cells: how it has changed, and before that */
    float *removed;            /* blocks: mean of (y - D)^2 */
    float *block_step, *block_before;  /* blocks: sums of those of cells */
    float *block_change, *block_power; /* blocks: sums of those of cells that
                                          stand still */
    float *drift;                      /* blocks: mean change of late */
    float *variance;                   /* blocks: V */
    float noise[EXTENTS];              /* in means, white noise's being 1 */
} Plane;

/* Rows for one thread. */
typedef struct {
    float *samples[3];
    float *cells[5]; /* with room for AROUND on both sides */
    AeSteps steps[AE_TEMPORAL_PLANES][EXTENTS];
} Rows;

struct AeTemporal {
    AePool *pool;
    Plane planes[AE_TEMPORAL_PLANES];
    int n_planes;
    int blocks_w, blocks_h, cells_w, cells_h;
    float *count;    /* cells: n */
    float *evidence; /* cells: mean motion, most of the last frames */
    float *motion;   /* cells */
    float *still;    /* blocks: number of cells that by themselves seem so */
    float *moving;   /* blocks: share of cells */
    Rows *rows;
    float light;    /* the first plane: mean change of late */
    gboolean fresh; /* forget what was */
    gboolean cut;   /* the frame before seemed to be one */
    int age;        /* frames whose steps are no cut's, up to OLD */
    gboolean found; /* what noise in means is */
};

typedef struct {
    AeTemporal *temporal;
    const AeTemporalFrame *frame;
    float sigma;
} Job;

static int clamp(int i, int n)
{
    return MIN(MAX(i, 0), n - 1);
}

static float square(float x)
{
    return x * x;
}

/* Row @y of the means of squares around; those outside are the nearest. @sums:
 * scratch. */
static void box_row(float *out, const float *map, int w, int h, int y,
                    int around, float *sums)
{
    float share = 1.0f / (float)((2 * around + 1) * (2 * around + 1));

    memset(sums, 0, (size_t)(w + 2 * around) * sizeof *sums);
    for (int i = y - around; i <= y + around; i++) {
        const float *row = map + (size_t)clamp(i, h) * (size_t)w;

        for (int x = 0; x < w; x++)
            sums[around + x] += row[x];
    }
    for (int x = 0; x < around; x++) {
        sums[x] = sums[around];
        sums[around + w + x] = sums[around + w - 1];
    }
    memcpy(out, sums, (size_t)w * sizeof *out);
    for (int i = 1; i <= 2 * around; i++)
        for (int x = 0; x < w; x++)
            out[x] += sums[x + i];
    for (int x = 0; x < w; x++)
        out[x] *= share;
}

/* cells += the sums of their samples */
static void add_samples(float *cells, const float *row, int n, int cell_w)
{
    if (cell_w == 1)
        for (int x = 0; x < n; x++)
            cells[x] += row[x];
    else
        for (int x = 0; x < n; x++)
            cells[x] += row[2 * x] + row[2 * x + 1];
}

static void add_squares(float *cells, const float *row, int n, int cell_w)
{
    if (cell_w == 1)
        for (int x = 0; x < n; x++)
            cells[x] += row[x] * row[x];
    else
        for (int x = 0; x < n; x++)
            cells[x] +=
                row[2 * x] * row[2 * x] + row[2 * x + 1] * row[2 * x + 1];
}

static void scale(float *row, int n, float factor)
{
    for (int x = 0; x < n; x++)
        row[x] *= factor;
}

/* Each of @n values @times times. */
static void repeat(float *target, const float *source, int n, int times)
{
    for (int x = 0; x < n; x++)
        for (int i = 0; i < times; i++)
            target[x * times + i] = source[x];
}

/* Sums of what the frame and the denoised one change and the denoiser removes
 * in a row of cells. */
static void measure_cells(const Job *job, int p, int y, float *change,
                          float *seen, float *removed, float *level,
                          const Rows *rows)
{
    const Plane *plane = &job->temporal->planes[p];
    int cells_w = job->temporal->cells_w, n = plane->width;
    float *noisy = rows->samples[0], *denoised = rows->samples[1];
    float *other = rows->samples[2];

    memset(change, 0, (size_t)cells_w * sizeof *change);
    memset(seen, 0, (size_t)cells_w * sizeof *seen);
    memset(removed, 0, (size_t)cells_w * sizeof *removed);
    memset(level, 0, (size_t)cells_w * sizeof *level);
    for (int i = y * plane->cell_h; i < (y + 1) * plane->cell_h; i++) {
        const int16_t *mean = plane->noisy + (size_t)i * (size_t)n;
        const int16_t *clean = plane->denoised + (size_t)i * (size_t)n;

        job->frame->read_noisy(job->frame->data, p, i, noisy);
        job->frame->read_denoised(job->frame->data, p, i, denoised);
        add_samples(level, noisy, cells_w, plane->cell_w);
        for (int x = 0; x < n; x++) {
            other[x] = denoised[x] - (float)clean[x] * (1 / ONE);
            denoised[x] = noisy[x] - denoised[x];
            noisy[x] -= (float)mean[x] * (1 / ONE);
        }
        add_samples(change, noisy, cells_w, plane->cell_w);
        add_squares(seen, other, cells_w, plane->cell_w);
        add_squares(removed, denoised, cells_w, plane->cell_w);
    }
}

/* The steps of a row of cells whose levels are now @level, and their sums in
 * blocks. */
static void take_steps(const AeTemporal *t, Plane *plane, int y,
                       const float *level)
{
    size_t cells = (size_t)y * (size_t)t->cells_w;
    size_t blocks = (size_t)(y / SIDE) * (size_t)t->blocks_w;
    float part = 1 / sqrtf((float)(plane->cell_w * plane->cell_h));

    for (int x = 0; x < t->cells_w; x++) {
        float now = level[x] * part;

        plane->before[cells + x] = plane->step[cells + x];
        plane->step[cells + x] = now - plane->level[cells + x];
        plane->level[cells + x] = now;
    }
    for (int x = 0; x < t->cells_w; x++) {
        plane->block_step[blocks + x / SIDE] += plane->step[cells + x];
        plane->block_before[blocks + x / SIDE] += plane->before[cells + x];
    }
}

/* The first pass, of a row of blocks: the maps of change, and what is removed.
 */
static void measure(void *data, int64_t index, int thread)
{
    const Job *job = data;
    AeTemporal *t = job->temporal;
    const Rows *rows = &t->rows[thread];
    float *removed = rows->cells[0], *level = rows->cells[1];
    size_t blocks = (size_t)index * (size_t)t->blocks_w;
    size_t size = (size_t)t->blocks_w * sizeof(float);

    for (int p = 0; p < t->n_planes; p++) {
        Plane *plane = &t->planes[p];
        int samples = plane->cell_w * plane->cell_h;

        memset(plane->removed + blocks, 0, size);
        memset(plane->block_step + blocks, 0, size);
        memset(plane->block_before + blocks, 0, size);
        for (int y = (int)index * SIDE; y < ((int)index + 1) * SIDE; y++) {
            size_t cells = (size_t)y * (size_t)t->cells_w;
            float *change = plane->change + cells;
            float *power = plane->power + cells;
            float *seen = plane->seen + cells;

            measure_cells(job, p, y, change, seen, removed, level, rows);
            take_steps(t, plane, y, level);
            for (int x = 0; x < t->cells_w; x++) {
                float part =
                    1 / ((float)samples * (1 + 1 / t->count[cells + x]));

                change[x] *= sqrtf(part);
                power[x] = square(change[x]);
                seen[x] *= part;
            }
            for (int x = 0; x < t->cells_w; x++)
                plane->removed[blocks + x / SIDE] += removed[x];
        }
        scale(plane->removed + blocks, t->blocks_w,
              1.0f / (float)(SIDE * SIDE * samples));
    }
}

/* What turns the mean square and the squared mean of changes into motion, each
 * divided by V. */
typedef struct {
    float power, mean;
} Measure;

/* Of @count changes, in cells @cell and in their means @far times as much noise
 * as V says; noise has its mean within so many standard deviations, and its
 * mean square. */
static Measure measure_of(float cell, float far, float count, float means,
                          float squares)
{
    float apart = count * (cell < far ? cell / far : 1);

    return (Measure){1 / (SLACK * cell * (1 + squares * sqrtf(2 / apart))),
                     count / (SLACK * far * square(means))};
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

/* Adds a row of blocks' steps, @a after @b, which have the variance of @sum
 * changes. */
static void add_steps(const AeTemporal *t, const Plane *plane, int y,
                      const float *a, const float *b, int every, float sum,
                      AeSteps *steps)
{
    const float *variance = plane->variance + (size_t)y * (size_t)t->blocks_w;

    for (int x = 0; x < t->blocks_w; x++)
        if (variance[x] >= 2 * LEAST)
            ae_steps_add(steps, a[x * every], b[x * every],
                         2 * variance[x] * sum);
}

/* The steps of cells in the middle of a row of blocks, and of both
 * surroundings. */
static void measure_noise(const AeTemporal *t, int p, int y, Rows *rows)
{
    const Plane *plane = &t->planes[p];
    int middle = y * SIDE + SIDE / 2;
    size_t cells = (size_t)middle * (size_t)t->cells_w + SIDE / 2;
    float *now = rows->cells[0], *before = rows->cells[1];
    float *sums = rows->cells[2];

    add_steps(t, plane, y, plane->step + cells, plane->before + cells, SIDE, 1,
              &rows->steps[p][CELL]);
    box_row(now, plane->step, t->cells_w, t->cells_h, middle, AROUND, sums);
    box_row(before, plane->before, t->cells_w, t->cells_h, middle, AROUND,
            sums);
    add_steps(t, plane, y, now + SIDE / 2, before + SIDE / 2, SIDE,
              1.0f / AROUND_COUNT, &rows->steps[p][NEAR]);
    box_row(now, plane->block_step, t->blocks_w, t->blocks_h, y, AROUND, sums);
    box_row(before, plane->block_before, t->blocks_w, t->blocks_h, y, AROUND,
            sums);
    add_steps(t, plane, y, now, before, 1, (float)(SIDE * SIDE) / AROUND_COUNT,
              &rows->steps[p][FAR]);
}

/* Noise in means from now on, by the steps that this frame has shown. */
static void follow_noise(AeTemporal *t)
{
    for (int p = 0; p < t->n_planes; p++)
        for (int i = 0; i < EXTENTS; i++) {
            float *noise = &t->planes[p].noise[i], now;
            AeSteps steps = {0};

            for (int k = 0; k < ae_pool_threads(t->pool); k++)
                ae_steps_merge(&steps, &t->rows[k].steps[p][i]);
            now = CLAMP(ae_steps_noise(&steps), 1, OFTEN);
            *noise += (t->found ? FOLLOW : 1) * (now - *noise);
        }
    t->found = TRUE;
}

/* V of a row of blocks, as the surroundings show it. */
static void update_variance(const Job *job, Plane *plane, int y, Rows *rows)
{
    AeTemporal *t = job->temporal;
    float *variance = plane->variance + (size_t)y * (size_t)t->blocks_w;
    float *now = rows->cells[0];
    float share = t->fresh ? 1 : ADAPTION;

    box_row(now, plane->removed, t->blocks_w, t->blocks_h, y, AROUND,
            rows->cells[1]);
    for (int x = 0; x < t->blocks_w; x++) {
        float v = now[x] * REMOVED;

        v = v > LEAST ? v : LEAST;
        variance[x] += share * (v - variance[x]);
        if (job->sigma > 0)
            variance[x] = square(job->sigma);
    }
}

/* Motion in a row of cells, as their own surroundings show it. */
static void judge_cells(AeTemporal *t, int y, Rows *rows)
{
    float *motion = t->motion + (size_t)y * (size_t)t->cells_w;
    float *change = rows->cells[0], *power = rows->cells[1];
    float *seen = rows->cells[2], *sums = rows->cells[3];

    memset(motion, 0, (size_t)t->cells_w * sizeof *motion);
    for (int p = 0; p < t->n_planes; p++) {
        const Plane *plane = &t->planes[p];
        const Measure by = measure_of(plane->noise[CELL], plane->noise[NEAR],
                                      AROUND_COUNT, CELLS_MEAN, CELLS_SQUARE);

        box_row(change, plane->change, t->cells_w, t->cells_h, y, AROUND, sums);
        box_row(power, plane->power, t->cells_w, t->cells_h, y, AROUND, sums);
        box_row(seen, plane->seen, t->cells_w, t->cells_h, y, AROUND, sums);
        repeat(sums, plane->variance + (size_t)(y / SIDE) * (size_t)t->blocks_w,
               t->blocks_w, SIDE);
        for (int x = 0; x < t->cells_w; x++) {
            float m = larger(power[x] * by.power, square(change[x]) * by.mean) /
                      sums[x];

            m = larger(m, seen[x] / (DENOISED * sqrtf(sums[x])));
            motion[x] = larger(motion[x], m);
        }
    }
}

/* Adds a row of cells to their blocks, but those that move. */
static void add_still(AeTemporal *t, int y)
{
    size_t cells = (size_t)y * (size_t)t->cells_w;
    size_t blocks = (size_t)(y / SIDE) * (size_t)t->blocks_w;

    for (int x = 0; x < t->cells_w; x++) {
        if (t->motion[cells + x] > 1)
            continue;
        t->still[blocks + x / SIDE]++;
        for (int p = 0; p < t->n_planes; p++) {
            Plane *plane = &t->planes[p];

            plane->block_change[blocks + x / SIDE] += plane->change[cells + x];
            plane->block_power[blocks + x / SIDE] += plane->power[cells + x];
        }
    }
}

/* The second pass: what moves by itself, and what the others sum up to. */
static void judge(void *data, int64_t index, int thread)
{
    const Job *job = data;
    AeTemporal *t = job->temporal;
    Rows *rows = &t->rows[thread];
    size_t blocks = (size_t)index * (size_t)t->blocks_w;
    size_t size = (size_t)t->blocks_w * sizeof(float);

    memset(t->still + blocks, 0, size);
    for (int p = 0; p < t->n_planes; p++) {
        memset(t->planes[p].block_change + blocks, 0, size);
        memset(t->planes[p].block_power + blocks, 0, size);
        update_variance(job, &t->planes[p], (int)index, rows);
        measure_noise(t, p, (int)index, rows);
    }
    for (int i = (int)index * SIDE; i < ((int)index + 1) * SIDE; i++) {
        judge_cells(t, i, rows);
        add_still(t, i);
    }
}

/* Motion in a row of blocks, as their surroundings show it. */
static void judge_blocks(AeTemporal *t, int y, float *motion, Rows *rows)
{
    float *still = rows->cells[0], *change = rows->cells[1];
    float *power = rows->cells[2], *sums = rows->cells[3];
    int w = t->blocks_w, h = t->blocks_h;

    memset(motion, 0, (size_t)w * sizeof *motion);
    box_row(still, t->still, w, h, y, AROUND, sums);
    for (int p = 0; p < t->n_planes; p++) {
        const Plane *plane = &t->planes[p];
        const float *variance = plane->variance + (size_t)y * (size_t)w;
        float *drift = plane->drift + (size_t)y * (size_t)w;
        float far = plane->noise[FAR];

        box_row(change, plane->block_change, w, h, y, AROUND, sums);
        box_row(power, plane->block_power, w, h, y, AROUND, sums);
        for (int x = 0; x < w; x++) {
            float count = still[x] * AROUND_COUNT, v = variance[x], mean, m;
            Measure by;

            if (t->fresh || count < FEWEST) {
                drift[x] = 0;
                continue;
            }
            mean = change[x] / still[x];
            by = measure_of(plane->noise[CELL], far, count, BLOCKS_MEAN,
                            BLOCKS_SQUARE);
            m = larger(power[x] / still[x] * by.power, square(mean) * by.mean) /
                v;
            mean *= sqrtf(count / (v * far));
            drift[x] += NEWEST * (mean - drift[x]);
            m = larger(m, square(drift[x] / DRIFT) / SLACK);
            drift[x] = m > 1 ? 0 : drift[x];
            motion[x] = larger(motion[x], m);
        }
    }
}

/* The third pass: where is motion? */
static void conclude(void *data, int64_t index, int thread)
{
    const Job *job = data;
    AeTemporal *t = job->temporal;
    float *blocks = t->rows[thread].cells[4];
    float *moving = t->moving + (size_t)index * (size_t)t->blocks_w;

    judge_blocks(t, (int)index, blocks, &t->rows[thread]);
    memset(moving, 0, (size_t)t->blocks_w * sizeof *moving);
    for (int i = (int)index * SIDE; i < ((int)index + 1) * SIDE; i++) {
        float *motion = t->motion + (size_t)i * (size_t)t->cells_w;
        float *evidence = t->evidence + (size_t)i * (size_t)t->cells_w;

        for (int x = 0; x < t->cells_w; x++) {
            float m = larger(motion[x], blocks[x / SIDE]);

            m = m < MOST_MOTION ? m : MOST_MOTION;
            evidence[x] = t->fresh ? 0 : (evidence[x] + m) / 2;
            motion[x] = larger(m / SUDDEN, evidence[x]);
            moving[x / SIDE] += motion[x] > 1 ? 1.0f / (SIDE * SIDE) : 0;
        }
    }
}

/* The most motion of a cell and its eight neighbours, in a row of cells. */
static void spread_motion(const AeTemporal *t, int y, float *out, float *most)
{
    int w = t->cells_w;

    memcpy(most + 1, t->motion + (size_t)y * (size_t)w,
           (size_t)w * sizeof *out);
    for (int i = y - 1; i <= y + 1; i += 2) {
        const float *row = t->motion + (size_t)clamp(i, t->cells_h) * (size_t)w;

        for (int x = 0; x < w; x++)
            most[x + 1] = row[x] > most[x + 1] ? row[x] : most[x + 1];
    }
    most[0] = most[1];
    most[w + 1] = most[w];
    for (int x = 0; x < w; x++) {
        float m = most[x] > most[x + 1] ? most[x] : most[x + 1];

        out[x] = m > most[x + 2] ? m : most[x + 2];
    }
}

/* n of a row of cells; @context: for each block, how much more motion is there
 * than it seems. @share becomes 1 / n. */
static void update_count(AeTemporal *t, int y, const float *context,
                         float *share, float *scratch)
{
    float *count = t->count + (size_t)y * (size_t)t->cells_w;
    float light = fminf(fabsf(t->light) / LIGHT, MOST_LIGHT);

    spread_motion(t, y, share, scratch);
    for (int x = 0; x < t->cells_w; x++) {
        float m = larger(share[x] * context[x / SIDE], light);
        float keep = 1 - (m - 1) / SOFTNESS, n;

        keep = t->fresh || keep < 0 ? 0 : keep;
        n = 1 + (keep < 1 ? keep : 1) * count[x];
        count[x] = n < LONGEST ? n : LONGEST;
        share[x] = 1 / count[x];
    }
}

/* mean += share (row - mean). Leaves the means in @row. */
static void update_mean(int16_t *restrict mean, float *restrict row,
                        const float *restrict share, int n)
{
    for (int x = 0; x < n; x++) {
        float m = (float)mean[x] * (1 / ONE);

        m += share[x] * (row[x] - m);
        mean[x] = (int16_t)(m * ONE + 0.5f);
        row[x] = m;
    }
}

/* The means of a row of cells, where frames count @share. */
static void update_cells(const Job *job, int p, int y, const float *share,
                         const Rows *rows)
{
    const AeTemporal *t = job->temporal;
    const Plane *plane = &t->planes[p];
    float *noisy = rows->samples[0], *denoised = rows->samples[1];
    float *change = plane->change + (size_t)y * (size_t)t->cells_w;
    float *power = plane->power + (size_t)y * (size_t)t->cells_w;
    float part = 1.0f / (float)(plane->cell_w * plane->cell_h);
    int n = plane->width;

    memset(change, 0, (size_t)t->cells_w * sizeof *change);
    memset(power, 0, (size_t)t->cells_w * sizeof *power);
    repeat(rows->samples[2], share, t->cells_w, plane->cell_w);
    for (int i = y * plane->cell_h; i < (y + 1) * plane->cell_h; i++) {
        size_t row = (size_t)i * (size_t)n;

        job->frame->read_noisy(job->frame->data, p, i, noisy);
        job->frame->read_denoised(job->frame->data, p, i, denoised);
        update_mean(plane->noisy + row, noisy, rows->samples[2], n);
        update_mean(plane->denoised + row, denoised, rows->samples[2], n);
        for (int x = 0; x < n; x++)
            noisy[x] -= denoised[x];
        add_samples(change, noisy, t->cells_w, plane->cell_w);
        add_squares(power, noisy, t->cells_w, plane->cell_w);
    }
    scale(change, t->cells_w, part);
    scale(power, t->cells_w, part);
}

/* The fourth pass: how much to keep, and the new means. */
static void update(void *data, int64_t index, int thread)
{
    const Job *job = data;
    AeTemporal *t = job->temporal;
    Rows *rows = &t->rows[thread];
    float *context = rows->cells[0], *share = rows->cells[1];
    int y = (int)index;

    box_row(context, t->moving, t->blocks_w, t->blocks_h, y, 1, share);
    for (int x = 0; x < t->blocks_w; x++)
        context[x] = context[x] > FEW ? 1 + CONTEXT * (context[x] - FEW) : 1;
    for (int i = y * SIDE; i < (y + 1) * SIDE; i++) {
        update_count(t, i, context, share, rows->cells[2]);
        for (int p = 0; p < t->n_planes; p++)
            update_cells(job, p, i, share, rows);
    }
}

/* The gain of a row of cells, and gain * the mean of r. */
static void find_gain(const AeTemporal *t, const Plane *plane, int y,
                      Rows *rows, float *gain, float *offset)
{
    const float *count = t->count + (size_t)y * (size_t)t->cells_w;
    const float *variance =
        plane->variance + (size_t)(y / SIDE) * (size_t)t->blocks_w;
    float *near = rows->cells[2], *power = rows->cells[3];

    box_row(offset, plane->change, t->cells_w, t->cells_h, y, AROUND,
            rows->cells[4]);
    box_row(near, plane->change, t->cells_w, t->cells_h, y, 1, rows->cells[4]);
    box_row(power, plane->power, t->cells_w, t->cells_h, y, 1, rows->cells[4]);
    for (int x = 0; x < t->cells_w; x++) {
        float mean = offset[x];
        float found = power[x] - 2 * mean * near[x] + mean * mean;
        float noise = variance[x / SIDE] / count[x];
        float q = found > noise ? noise / found : 1;
        float g = larger(1 - q * (1 + CAUTION * q), 0);

        g *= count[x] < 2 ? count[x] - 1 : 1;
        gain[x] = g;
        offset[x] = g * mean;
    }
}

/* The fifth pass: the output. */
static void give(void *data, int64_t index, int thread)
{
    const Job *job = data;
    AeTemporal *t = job->temporal;
    Rows *rows = &t->rows[thread];
    float *gain = rows->samples[0], *offset = rows->samples[1];
    float *out = rows->samples[2];

    for (int i = (int)index * SIDE; i < ((int)index + 1) * SIDE; i++)
        for (int p = 0; p < t->n_planes; p++) {
            const Plane *plane = &t->planes[p];

            find_gain(t, plane, i, rows, rows->cells[0], rows->cells[1]);
            repeat(gain, rows->cells[0], t->cells_w, plane->cell_w);
            repeat(offset, rows->cells[1], t->cells_w, plane->cell_w);
            for (int y = i * plane->cell_h; y < (i + 1) * plane->cell_h; y++) {
                size_t row = (size_t)y * (size_t)plane->width;
                const int16_t *noisy = plane->noisy + row;
                const int16_t *denoised = plane->denoised + row;

                for (int x = 0; x < plane->width; x++)
                    out[x] = ((float)denoised[x] +
                              gain[x] * (float)(noisy[x] - denoised[x])) *
                                 (1 / ONE) -
                             offset[x];
                job->frame->write(job->frame->data, p, y, out);
            }
        }
}

static gboolean is_cut(const AeTemporal *t)
{
    int n = t->blocks_w * t->blocks_h;
    double moving = 0;

    for (int i = 0; i < n; i++)
        moving += (double)t->moving[i];
    return moving > (double)CUT * n;
}

/* How the light of all that stands still changes, since the means began. */
static void follow_light(AeTemporal *t)
{
    const Plane *plane = &t->planes[0];
    int n = t->blocks_w * t->blocks_h;
    double change = 0, still = 0, variance = 0;

    if (t->fresh)
        t->light = 0;
    for (int i = 0; i < n; i++) {
        change += (double)plane->block_change[i];
        still += (double)t->still[i];
        variance += (double)(plane->variance[i] * plane->noise[FAR]) / n;
    }
    if (t->fresh || still < FEWEST)
        return;
    change *= sqrt(AROUND_COUNT * SIDE * SIDE / variance) / still;
    t->light += NEWEST * ((float)change - t->light);
}

static void find_motion(Job *job)
{
    AeTemporal *t = job->temporal;

    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        memset(t->rows[i].steps, 0, sizeof t->rows[i].steps);
    ae_pool_run(t->pool, judge, job, t->blocks_h);
    follow_light(t);
    ae_pool_run(t->pool, conclude, job, t->blocks_h);
}

/* Forgets all after a cut. Noise whose means are not known yet looks like one
 * in every frame: those after the first are none. */
static void look_for_cut(Job *job)
{
    AeTemporal *t = job->temporal;
    gboolean begins = t->fresh, cut = !begins && is_cut(t);

    if (cut) {
        t->fresh = TRUE;
        find_motion(job);
    }
    t->age = begins || (cut && !t->cut) ? 1 : MIN(t->age + 1, OLD);
    t->cut = cut;
}

void ae_temporal_run(AeTemporal *temporal, const AeTemporalFrame *frame,
                     float sigma)
{
    Job job = {temporal, frame, sigma};
    AePool *pool = temporal->pool;
    int rows = temporal->blocks_h;

    ae_pool_run(pool, measure, &job, rows);
    find_motion(&job);
    look_for_cut(&job);
    ae_pool_run(pool, update, &job, rows);
    if (!temporal->fresh)
        ae_pool_run(pool, give, &job, rows);
    if (temporal->age == OLD)
        follow_noise(temporal);
    temporal->fresh = FALSE;
}

void ae_temporal_reset(AeTemporal *temporal)
{
    temporal->fresh = TRUE;
}

float ae_temporal_sigma(const AeTemporal *temporal)
{
    const Plane *plane = &temporal->planes[0];
    int n = temporal->blocks_w * temporal->blocks_h;
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)plane->variance[i];
    return (float)sqrt(sum / n);
}

static gboolean alloc(float **memory, size_t n)
{
    *memory = ae_alloc_floats(n);
    return *memory != NULL;
}

static gboolean plane_init(AeTemporal *t, Plane *plane)
{
    size_t cells = (size_t)t->cells_w * (size_t)t->cells_h;
    size_t blocks = (size_t)t->blocks_w * (size_t)t->blocks_h;
    size_t halves = cells * (size_t)(plane->cell_w * plane->cell_h) / 2;

    plane->width = t->cells_w * plane->cell_w;
    for (int i = 0; i < EXTENTS; i++)
        plane->noise[i] = 1;
    plane->noisy = (int16_t *)ae_alloc_floats(halves);
    plane->denoised = (int16_t *)ae_alloc_floats(halves);
    return plane->noisy != NULL && plane->denoised != NULL &&
           alloc(&plane->change, cells) && alloc(&plane->power, cells) &&
           alloc(&plane->seen, cells) && alloc(&plane->level, cells) &&
           alloc(&plane->step, cells) && alloc(&plane->before, cells) &&
           alloc(&plane->removed, blocks) &&
           alloc(&plane->block_step, blocks) &&
           alloc(&plane->block_before, blocks) &&
           alloc(&plane->block_change, blocks) &&
           alloc(&plane->block_power, blocks) && alloc(&plane->drift, blocks) &&
           alloc(&plane->variance, blocks);
}

static void plane_clear(Plane *plane)
{
    ae_free(plane->noisy);
    ae_free(plane->denoised);
    ae_free(plane->change);
    ae_free(plane->power);
    ae_free(plane->seen);
    ae_free(plane->level);
    ae_free(plane->step);
    ae_free(plane->before);
    ae_free(plane->removed);
    ae_free(plane->block_step);
    ae_free(plane->block_before);
    ae_free(plane->block_change);
    ae_free(plane->block_power);
    ae_free(plane->drift);
    ae_free(plane->variance);
}

static gboolean rows_init(const AeTemporal *t, Rows *rows)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows->samples); i++)
        if (!alloc(&rows->samples[i], (size_t)t->cells_w * 2))
            return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(rows->cells); i++)
        if (!alloc(&rows->cells[i], (size_t)t->cells_w + 2 * AROUND))
            return FALSE;
    return TRUE;
}

static void rows_clear(Rows *rows)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows->samples); i++)
        ae_free(rows->samples[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(rows->cells); i++)
        ae_free(rows->cells[i]);
}

static gboolean temporal_init(AeTemporal *t)
{
    size_t cells = (size_t)t->cells_w * (size_t)t->cells_h;
    size_t blocks = (size_t)t->blocks_w * (size_t)t->blocks_h;

    if (!alloc(&t->count, cells) || !alloc(&t->evidence, cells) ||
        !alloc(&t->motion, cells) || !alloc(&t->still, blocks) ||
        !alloc(&t->moving, blocks))
        return FALSE;
    for (size_t i = 0; i < cells; i++)
        t->count[i] = 1;
    for (int p = 0; p < t->n_planes; p++)
        if (!plane_init(t, &t->planes[p]))
            return FALSE;
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        if (!rows_init(t, &t->rows[i]))
            return FALSE;
    return TRUE;
}

AeTemporal *ae_temporal_new(int width, int height, int n_planes,
                            const gboolean *halved_x, const gboolean *halved_y,
                            AePool *pool, GError **error)
{
    g_autoptr(AeTemporal) t = g_new0(AeTemporal, 1);

    t->pool = pool;
    t->fresh = TRUE;
    t->n_planes = n_planes;
    t->rows = g_new0(Rows, ae_pool_threads(pool));
    t->blocks_w = (width + AE_TEMPORAL_BLOCK - 1) / AE_TEMPORAL_BLOCK;
    t->blocks_h = (height + AE_TEMPORAL_BLOCK - 1) / AE_TEMPORAL_BLOCK;
    t->cells_w = t->blocks_w * SIDE;
    t->cells_h = t->blocks_h * SIDE;
    for (int p = 0; p < n_planes; p++) {
        t->planes[p].cell_w = halved_x[p] ? 1 : 2;
        t->planes[p].cell_h = halved_y[p] ? 1 : 2;
    }
    if (temporal_init(t))
        return g_steal_pointer(&t);
    g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                "there is not enough memory to average frames of %dx%d", width,
                height);
    return NULL;
}

void ae_temporal_free(AeTemporal *temporal)
{
    if (temporal == NULL)
        return;
    for (int p = 0; p < temporal->n_planes; p++)
        plane_clear(&temporal->planes[p]);
    for (int i = 0; i < ae_pool_threads(temporal->pool); i++)
        rows_clear(&temporal->rows[i]);
    ae_free(temporal->count);
    ae_free(temporal->evidence);
    ae_free(temporal->motion);
    ae_free(temporal->still);
    ae_free(temporal->moving);
    g_free(temporal->rows);
    g_free(temporal);
}
