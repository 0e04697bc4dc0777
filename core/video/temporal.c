/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A cell with confidence n, a new frame y, its denoised frame D and noise of
 * variance V are combined so:
 *
 *   n'       = min(1 + keep n, LONGEST)
 *   noisy    = noisy + (y - noisy) / n'            moving averages
 *   denoised = denoised + (D - denoised) / n'
 *   r        = noisy - denoised                    detail
 *   q        = (V / n') / mean of (r - mean of r)^2
 *   gain     = max(0, 1 - q (1 + CAUTION q))
 *   out      = denoised + gain (r - mean of r)
 *
 * The mean of r is taken over the 5x5 cells around, the mean square over 3x3.
 * It is subtracted because a difference over a whole area is no detail: clipped
 * noise shifts the averages against each other.
 *
 * keep follows from the motion of the cell: 1 up to motion 1, falling to 0 at
 * motion 1 + SOFTNESS. Motion is the largest ratio of a statistic of change to
 * its threshold. Where nothing moves, y - noisy has the variance V (1 + 1 / n);
 * divided by the root of 1 + 1 / n it is the change, of variance V. The
 * statistics are
 *
 *   - the squared mean and the mean square of the change, over 5x5 cells
 *   - the mean square of D - denoised over 5x5 cells: strong or clipped noise
 *     hides less of the motion in denoised frames
 *   - the first two again over 5x5 blocks, of the cells alone that pass the
 *     tests before; more samples show smaller changes
 *   - the moving average over time of the mean change over 5x5 blocks: a fade
 *     or slow light changes brightness with the same sign in each frame
 *
 * A cell takes the largest motion of the last frames' average, of this frame
 * and of its eight neighbours; it is raised where many cells of the blocks
 * around move.
 *
 * If the brightness of the whole frame drifts, all confidences grow more slowly
 * or fall.
 *
 * A camera's neighbouring samples share noise, so that the mean of an area has
 * more noise than V says. area-noise.h estimates how many times more: for
 * cells, for squares of 5x5 cells and for squares of 5x5 blocks. */
#include "video/temporal.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/tensor.h"
#include "video/area-noise.h"

#define SIDE 4         /* cells of a block's side */
#define ONE 128.0f     /* the averages hold samples times ONE, as integers */
#define LONGEST 16.0f  /* the largest confidence, in frames */
#define CAUTION 0.7f   /* lowers the gain where noise explains most of r */
#define LEAST 0.25f    /* the smallest V; rounding alone makes a third of it */
#define ADAPTION 0.25f /* weight of a new frame in the moving average of V */
#define REMOVED 1.04f  /* V / what a denoiser removes: it leaves some noise */

/* An area: the cells or blocks at most AROUND away on each side. */
#define AROUND 2
#define AROUND_COUNT ((2 * AROUND + 1) * (2 * AROUND + 1))

/* Thresholds of the mean square and of the mean of the change over an area, in
 * standard deviations that noise gives them: over 5x5 cells, and over the cells
 * of 5x5 blocks. */
#define CELLS_SQUARE 1.0f
#define CELLS_MEAN 2.25f
#define BLOCKS_SQUARE 8.0f
#define BLOCKS_MEAN 4.0f
/* Threshold of the moving average over time of the mean change over 5x5 blocks,
 * in standard deviations of one frame's mean, and the weight of a new frame. */
#define DRIFT 1.5f
#define NEWEST 0.4f
/* Threshold of the whole frame's drift, in standard deviations of the mean of
 * one area of 5x5 blocks. Brightness counts as at most MOST_LIGHT motion, and
 * never as a cut. */
#define LIGHT 0.48f
#define MOST_LIGHT 2.2f
#define FEWEST 16 /* still cells that statistics over 5x5 blocks need */
/* Threshold of the mean square of D - denoised over 5x5 cells: so many levels
 * times the standard deviation of the noise. */
#define DENOISED 15.0f
/* Tolerance factor on all thresholds of variances, because V is estimated. */
#define SLACK 1.2f

#define OFTEN 40.0f /* the most noise of area means; white noise has 1 */
#define FOLLOW 0.2f /* weight of a new frame in its moving average */

#define MOST_MOTION 2.5f /* motion is cut off here */
#define SUDDEN 1.3f      /* threshold of motion that one frame alone shows */
#define SOFTNESS 1.4f    /* from motion 1 to this much more, keep falls to 0 */
/* If more than FEW of the cells around a block move, motion in it is multiplied
 * by 1 + CONTEXT times the excess. */
#define FEW 0.2f
#define CONTEXT 2.0f
#define CUT 0.9f /* fraction of moving cells above which a frame is a cut */

enum { OLD = 3 }; /* frames that give two differences */
/* Areas whose noise is estimated: a cell, 5x5 cells, 5x5 blocks. */
enum { CELL, NEAR, FAR, EXTENTS };

typedef struct {
    int cell_w, cell_h;        /* samples of a cell */
    int width;                 /* samples of a row */
    int16_t *noisy, *denoised; /* the moving averages, times ONE */
    /* Of each cell. From update() on, change and power are the means of r and
     * of r^2. */
    float *change;        /* y - noisy, scaled to the variance V */
    float *power;         /* its square */
    float *seen;          /* mean of (D - denoised)^2 / (1 + 1 / n) */
    float *level;         /* y, scaled so that white noise has the variance V */
    float *step, *before; /* difference of level to the last frame, and that
                             frame's difference */
    /* Of each block. */
    float *removed;                    /* mean of (y - D)^2 */
    float *block_step, *block_before;  /* sums of step and before */
    float *block_change, *block_power; /* sums of change and power over the
                                          cells that stand still */
    float *drift;         /* moving average of the mean change of 5x5 blocks */
    float *variance;      /* V */
    float noise[EXTENTS]; /* noise of area means, 1 for white noise */
} Plane;

/* Scratch rows of one thread. */
typedef struct {
    float *samples[3];
    float *cells[5]; /* with room for AROUND on both sides */
    AeAreaNoise noise[AE_TEMPORAL_PLANES][EXTENTS];
} Rows;

struct AeTemporal {
    AePool *pool;
    Plane planes[AE_TEMPORAL_PLANES];
    int n_planes;
    int blocks_w, blocks_h, cells_w, cells_h;
    float *count;    /* cells: confidence, n */
    float *evidence; /* cells: moving average of motion, new frames half */
    float *motion;   /* cells: above 1 it moves */
    float *still;    /* blocks: cells whose own area shows no motion */
    float *moving;   /* blocks: fraction of cells that move */
    Rows *rows;      /* one a thread */
    float light;     /* drift of the whole first plane */
    gboolean fresh;  /* start anew with this frame */
    gboolean cut;    /* the last frame looked like a cut */
    int age;         /* frames since the last cut, up to OLD */
    gboolean found;  /* noise of area means has been estimated */
};

/* One frame. */
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

/* Row @y of the box filter of @map, @w x @h: the mean of the values at most
 * @around away on each side. Outside the map the nearest value counts. @sums:
 * scratch of w + 2 around floats. */
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

/* Adds each cell's samples of a row to the cell. */
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

/* Writes each of @n values @times times in a row. */
static void repeat(float *target, const float *source, int n, int times)
{
    for (int x = 0; x < n; x++)
        for (int i = 0; i < times; i++)
            target[x * times + i] = source[x];
}

/* Sums over the samples of each cell of row @y of cells: y - noisy into
 * @change, (D - denoised)^2 into @seen, (y - D)^2 into @removed, y into @level.
 */
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

/* Differences to the last frame in row @y of cells, where @level is the sum of
 * y; adds them to their blocks. */
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

/* First of a frame, for row @index of blocks: how each cell changes, and what
 * the denoiser removes from each block. */
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

/* Factors that turn the mean square and the squared mean of changes, each
 * divided by V, into motion: V / threshold. */
typedef struct {
    float power, mean;
} Measure;

/* For @count changes: noise is @cell times V in a single cell and @far times
 * V / @count in their mean. @means, @squares: thresholds in standard deviations
 * of the mean and of the mean square. */
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

/* Adds one area for each block of row @y to @noise: @b and @a are its
 * differences in two frames, @every floats apart, and @sum the variance of
 * white noise in the area's value, in units of a cell's. Leaves out blocks with
 * little noise, which may be rounding. */
static void add_areas(const AeTemporal *t, const Plane *plane, int y,
                      const float *a, const float *b, int every, float sum,
                      AeAreaNoise *noise)
{
    const float *variance = plane->variance + (size_t)y * (size_t)t->blocks_w;

    for (int x = 0; x < t->blocks_w; x++)
        if (variance[x] >= 2 * LEAST)
            ae_area_noise_add(noise, a[x * every], b[x * every],
                              2 * variance[x] * sum);
}

/* Adds the areas of row @y of blocks to the estimates of noise: for each block
 * a cell in its middle, 5x5 cells and 5x5 blocks around it. */
static void measure_noise(const AeTemporal *t, int p, int y, Rows *rows)
{
    const Plane *plane = &t->planes[p];
    int middle = y * SIDE + SIDE / 2;
    size_t cells = (size_t)middle * (size_t)t->cells_w + SIDE / 2;
    float *now = rows->cells[0], *before = rows->cells[1];
    float *sums = rows->cells[2];

    add_areas(t, plane, y, plane->step + cells, plane->before + cells, SIDE, 1,
              &rows->noise[p][CELL]);
    box_row(now, plane->step, t->cells_w, t->cells_h, middle, AROUND, sums);
    box_row(before, plane->before, t->cells_w, t->cells_h, middle, AROUND,
            sums);
    add_areas(t, plane, y, now + SIDE / 2, before + SIDE / 2, SIDE,
              1.0f / AROUND_COUNT, &rows->noise[p][NEAR]);
    box_row(now, plane->block_step, t->blocks_w, t->blocks_h, y, AROUND, sums);
    box_row(before, plane->block_before, t->blocks_w, t->blocks_h, y, AROUND,
            sums);
    add_areas(t, plane, y, now, before, 1, (float)(SIDE * SIDE) / AROUND_COUNT,
              &rows->noise[p][FAR]);
}

/* Updates the noise of area means with the estimates of this frame. */
static void follow_noise(AeTemporal *t)
{
    for (int p = 0; p < t->n_planes; p++)
        for (int i = 0; i < EXTENTS; i++) {
            float *noise = &t->planes[p].noise[i], now;
            AeAreaNoise areas = {0};

            for (int k = 0; k < ae_pool_threads(t->pool); k++)
                ae_area_noise_merge(&areas, &t->rows[k].noise[p][i]);
            now = CLAMP(ae_area_noise_estimate(&areas), 1, OFTEN);
            *noise += (t->found ? FOLLOW : 1) * (now - *noise);
        }
    t->found = TRUE;
}

/* V of row @y of blocks, from what the denoiser removes in 5x5 blocks. */
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

/* Motion in row @y of cells, from the statistics over 5x5 cells. */
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

/* Adds the cells of row @y that do not move to their blocks. */
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

/* Second: V, motion over 5x5 cells, and sums over the cells that stand still.
 */
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

/* Motion in row @y of blocks, from the statistics over 5x5 blocks. */
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

/* Third: the motion of each cell, from all statistics. */
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

/* The largest motion of each cell in row @y and its eight neighbours. @most:
 * scratch. */
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

/* Confidence of row @y of cells. @context: a factor on motion for each block.
 * @share becomes the weight of the new frame in each cell, 1 / confidence. */
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

/* Moving average: mean += share (row - mean). @row becomes the new average. */
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

/* Moving averages of row @y of cells, where the new frame has the weight
 * @share, and the means of r and r^2 in its cells. */
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

/* Fourth: the confidence of each cell, and the moving averages. */
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

/* The gain of row @y of cells; @offset becomes gain times the mean of r. */
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

/* Fifth: the output. */
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

/* Drift of the brightness of the first plane, over all cells that stand still.
 */
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
        memset(t->rows[i].noise, 0, sizeof t->rows[i].noise);
    ae_pool_run(t->pool, judge, job, t->blocks_h);
    follow_light(t);
    ae_pool_run(t->pool, conclude, job, t->blocks_h);
}

/* Starts anew after a cut. Before the noise of area means is known, strong
 * correlated noise looks like a cut in every frame: so a cut right after a cut
 * does not restart the estimate. */
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

gboolean ae_temporal_run(AeTemporal *temporal, const AeTemporalFrame *frame,
                         float sigma)
{
    Job job = {temporal, frame, sigma};
    AePool *pool = temporal->pool;
    int rows = temporal->blocks_h;
    gboolean written;

    ae_pool_run(pool, measure, &job, rows);
    find_motion(&job);
    look_for_cut(&job);
    ae_pool_run(pool, update, &job, rows);
    written = !temporal->fresh;
    if (written)
        ae_pool_run(pool, give, &job, rows);
    if (temporal->age == OLD)
        follow_noise(temporal);
    temporal->fresh = FALSE;
    return written;
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
