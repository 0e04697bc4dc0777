/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The temporal filter on scenes that are known: what stands still gets better
 * than the denoised frames, what moves does not get worse, a cut is forgotten
 * at once, and the result does not depend on the threads. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "base/random.h"
#include "video/temporal.h"

#define SIGMA 8.0f /* of the noise */
#define LEFT 0.1f  /* of the noise, by the denoiser */

/* One plane of a frame: as it is, with noise, and as a denoiser leaves it. */
typedef struct {
    int width, height;
    float *clean, *noisy, *denoised, *out;
} Plane;

typedef struct {
    Plane planes[AE_TEMPORAL_PLANES];
    int n;
} Frame;

static Plane *plane_of(void *data, int plane)
{
    return &((Frame *)data)->planes[plane];
}

/* Samples past the picture are the nearest in it. */
static void read_row(const Plane *plane, const float *samples, int y,
                     float *row, int n)
{
    const float *line =
        samples + (size_t)MIN(y, plane->height - 1) * plane->width;

    for (int x = 0; x < n; x++)
        row[x] = line[MIN(x, plane->width - 1)];
}

static int row_size(const Frame *frame, int plane)
{
    int blocks = (frame->planes[0].width + AE_TEMPORAL_BLOCK - 1) /
                 AE_TEMPORAL_BLOCK * AE_TEMPORAL_BLOCK;

    return frame->planes[plane].width < frame->planes[0].width ? blocks / 2
                                                               : blocks;
}

static void read_noisy(void *data, int plane, int y, float *row)
{
    Plane *p = plane_of(data, plane);

    read_row(p, p->noisy, y, row, row_size(data, plane));
}

static void read_denoised(void *data, int plane, int y, float *row)
{
    Plane *p = plane_of(data, plane);

    read_row(p, p->denoised, y, row, row_size(data, plane));
}

static void write_row(void *data, int plane, int y, const float *row)
{
    Plane *p = plane_of(data, plane);

    if (y < p->height)
        memcpy(p->out + (size_t)y * p->width, row,
               (size_t)p->width * sizeof *row);
}

static void frame_init(Frame *frame, int width, int height, int n)
{
    frame->n = n;
    for (int i = 0; i < n; i++) {
        Plane *p = &frame->planes[i];
        gsize samples;

        p->width = i == 0 ? width : (width + 1) / 2;
        p->height = i == 0 ? height : (height + 1) / 2;
        samples = (gsize)p->width * (gsize)p->height;
        p->clean = g_new0(float, samples);
        p->noisy = g_new0(float, samples);
        p->denoised = g_new0(float, samples);
        p->out = g_new0(float, samples);
    }
}

static void frame_clear(Frame *frame)
{
    for (int i = 0; i < frame->n; i++) {
        g_free(frame->planes[i].clean);
        g_free(frame->planes[i].noisy);
        g_free(frame->planes[i].denoised);
        g_free(frame->planes[i].out);
    }
}

/* What the denoiser takes for noise. */
static float detail(int x, int y)
{
    return (float)(8 * sin(x * 1.3) * sin(y * 1.1));
}

/* A scene of waves, which a bright square crosses at @square if that is not
 * negative. */
static float scene(int number, double x, double y, int square)
{
    if (square >= 0 && x >= square && x < square + 24 && y >= 20 && y < 44)
        return 200;
    return (float)(110 + 40 * sin(x / (7 + number)) * cos(y / (11 + number)));
}

static void frame_fill(Frame *frame, int number, int square, guint64 seed)
{
    for (int i = 0; i < frame->n; i++) {
        Plane *p = &frame->planes[i];
        int times = frame->planes[0].width > p->width ? 2 : 1;
        int n = p->width * p->height;
        AeRandom random = ae_random(seed, (guint64)i);

        ae_random_normals(&random, p->noisy, n);
        for (int j = 0; j < n; j++) {
            float noise = p->noisy[j] * SIGMA;

            float fine = detail(j % p->width, j / p->width);

            p->clean[j] = fine + scene(number, j % p->width * times,
                                       j / p->width * times, square);
            p->noisy[j] = p->clean[j] + noise;
            p->denoised[j] = p->clean[j] - fine + LEFT * noise;
        }
        memcpy(p->out, p->denoised, (gsize)n * sizeof(float));
    }
}

static void frame_run(AeTemporal *temporal, Frame *frame)
{
    AeTemporalFrame calls = {read_noisy, read_denoised, write_row, frame};

    ae_temporal_run(temporal, &calls, 0);
}

static AeTemporal *new_filter(const Frame *frame, AePool *pool)
{
    gboolean halved[AE_TEMPORAL_PLANES];
    AeTemporal *temporal;
    GError *error = NULL;

    for (int i = 0; i < frame->n; i++)
        halved[i] = i > 0;
    temporal = ae_temporal_new(frame->planes[0].width, frame->planes[0].height,
                               frame->n, halved, halved, pool, &error);
    g_assert_no_error(error);
    return temporal;
}

/* Frames of one size, their filter and its two threads. */
typedef struct {
    AePool *pool;
    Frame frame;
    AeTemporal *temporal;
} Run;

static void run_init(Run *run, int width, int height, int n, int threads)
{
    run->pool = ae_pool_new(threads);
    frame_init(&run->frame, width, height, n);
    run->temporal = new_filter(&run->frame, run->pool);
}

static void run_clear(Run *run)
{
    ae_temporal_free(run->temporal);
    frame_clear(&run->frame);
    ae_pool_free(run->pool);
}

/* The mean square error of a plane's rows and columns from (x0, y0) to
 * (x1, y1). */
static double error_of(const Plane *p, const float *samples, int x0, int y0,
                       int x1, int y1)
{
    double sum = 0;

    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            int i = y * p->width + x;
            double d = (double)(samples[i] - p->clean[i]);

            sum += d * d;
        }
    return sum / ((x1 - x0) * (y1 - y0));
}

static double whole_error(const Plane *p, const float *samples)
{
    return error_of(p, samples, 0, 0, p->width, p->height);
}

/* Of what the denoiser leaves most goes; after a cut nothing is left of what
 * was. */
static void test_still_and_cut(void)
{
    Run run;

    run_init(&run, 161, 99, 3, 2);
    for (int scene = 0; scene < 2; scene++)
        for (int t = 0; t < 24; t++) {
            frame_fill(&run.frame, scene * 5, -1, (guint64)(scene * 100 + t));
            frame_run(run.temporal, &run.frame);
            for (int i = 0; i < 3; i++) {
                const Plane *p = &run.frame.planes[i];
                double was = whole_error(p, p->denoised);
                double is = whole_error(p, p->out);

                if (t == 0)
                    g_assert_cmpfloat(is, ==, was);
                else if (t == 23)
                    g_assert_cmpfloat(is, <, 0.6 * was);
                else
                    g_assert_cmpfloat(is, <, 1.06 * was);
            }
        }
    g_assert_cmpfloat_with_epsilon(ae_temporal_sigma(run.temporal),
                                   SIGMA * (1 - LEFT), 2);
    ae_temporal_reset(run.temporal);
    frame_fill(&run.frame, 5, -1, 7);
    frame_run(run.temporal, &run.frame);
    g_assert_cmpfloat(
        whole_error(&run.frame.planes[0], run.frame.planes[0].out), ==,
        whole_error(&run.frame.planes[0], run.frame.planes[0].denoised));
    run_clear(&run);
}

/* Where a square has been a moment ago nothing of it stays, and what stands
 * still beside it gets better meanwhile. */
static void test_motion(void)
{
    Run run;

    run_init(&run, 160, 96, 1, 2);
    for (int t = 0; t < 30; t++) {
        const Plane *p = &run.frame.planes[0];
        int square = t * 4;

        frame_fill(&run.frame, 0, square, (guint64)t);
        frame_run(run.temporal, &run.frame);
        if (t < 10)
            continue;
        g_assert_cmpfloat(
            error_of(p, p->out, square - 24, 20, square, 44), <,
            1.1 * error_of(p, p->denoised, square - 24, 20, square, 44));
        g_assert_cmpfloat(
            error_of(p, p->out, square, 20, square + 24, 44), <,
            1.1 * error_of(p, p->denoised, square, 20, square + 24, 44));
        g_assert_cmpfloat(error_of(p, p->out, 0, 64, 160, 96), <,
                          0.5 * error_of(p, p->denoised, 0, 64, 160, 96));
    }
    run_clear(&run);
}

/* White strokes on black, others in every frame, below so much noise that
 * clipping hides half of it: the denoised frames show that all is new. */
static void test_hidden_cuts(void)
{
    Run run;
    const Plane *p = &run.frame.planes[0];

    run_init(&run, 32, 32, 1, 2);
    for (int t = 0; t < 20; t++) {
        AeRandom random = ae_random(1, (guint64)t);

        ae_random_normals(&random, p->noisy, 32 * 32);
        for (int i = 0; i < 32 * 32; i++) {
            float noise = 127 * p->noisy[i];

            p->clean[i] = (i % 32 / 3 + i / 32 / 5 * t + t) % 6 == 0 ? 255 : 0;
            p->noisy[i] = CLAMP(p->clean[i] + noise, 0, 255);
            p->denoised[i] = CLAMP(p->clean[i] + LEFT * noise, 0, 255);
            p->out[i] = p->denoised[i];
        }
        frame_run(run.temporal, &run.frame);
        g_assert_cmpfloat(whole_error(p, p->out), <,
                          1.5 * whole_error(p, p->denoised));
    }
    run_clear(&run);
}

/* As a camera's neighbouring samples share it, with the same variance. */
static void share_noise(float *noise, int width, int height)
{
    int n = width * height;
    g_autofree float *own = g_memdup2(noise, (gsize)n * sizeof *noise);

    for (int i = 0; i < n; i++) {
        int x = CLAMP(i % width, 1, width - 2);
        int y = CLAMP(i / width, 1, height - 2);

        noise[i] = 0;
        for (int k = 0; k < 9; k++)
            noise[i] +=
                own[(y + k / 3 - 1) * width + x + k % 3 - 1] * (1 / 3.0f);
    }
}

/* Noise that neighbours share is no motion, and hides none either. */
static void test_shared_noise(void)
{
    Run run;
    const Plane *p = &run.frame.planes[0];

    run_init(&run, 160, 96, 1, 2);
    for (int t = 0; t < 60; t++) {
        int square = t < 30 ? -1 : (t - 30) * 4;

        frame_fill(&run.frame, 0, square, (guint64)t);
        for (int i = 0; i < 160 * 96; i++)
            p->noisy[i] -= p->clean[i];
        share_noise(p->noisy, 160, 96);
        for (int i = 0; i < 160 * 96; i++) {
            p->denoised[i] = p->clean[i] + 0.4f * p->noisy[i];
            p->out[i] = p->denoised[i];
            p->noisy[i] += p->clean[i];
        }
        frame_run(run.temporal, &run.frame);
        if (t == 29)
            g_assert_cmpfloat(whole_error(p, p->out), <,
                              0.5 * whole_error(p, p->denoised));
        if (t > 36)
            g_assert_cmpfloat(
                error_of(p, p->out, square - 24, 20, square + 24, 44), <,
                1.1 *
                    error_of(p, p->denoised, square - 24, 20, square + 24, 44));
    }
    run_clear(&run);
}

/* A slow fade, whose steps are far below the noise, is followed closely. */
static void test_fade(void)
{
    Run run;
    const Plane *p = &run.frame.planes[0];

    run_init(&run, 160, 96, 1, 2);
    for (int t = 0; t < 80; t++) {
        float light = 0.1f * (float)MAX(t - 20, 0);

        frame_fill(&run.frame, 0, -1, (guint64)t);
        for (int i = 0; i < 160 * 96; i++) {
            p->clean[i] += light;
            p->noisy[i] += light;
            p->denoised[i] = p->clean[i] + LEFT * (p->noisy[i] - p->clean[i]);
            p->out[i] = p->denoised[i];
        }
        frame_run(run.temporal, &run.frame);
        g_assert_cmpfloat(whole_error(p, p->out), <,
                          0.85 * whole_error(p, p->denoised) + (t < 1));
    }
    run_clear(&run);
}

/* Any size, any number of threads. */
static void test_threads(void)
{
    static const int sizes[][2] = {{1, 1}, {3, 5}, {33, 17}, {130, 70}};

    for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
        g_autofree float *first = NULL;
        gsize n = (gsize)(sizes[s][0] * sizes[s][1]);

        for (int threads = 1; threads <= 5; threads += 2) {
            Run run;

            run_init(&run, sizes[s][0], sizes[s][1], 3, threads);
            for (int t = 0; t < 6; t++) {
                frame_fill(&run.frame, 0, t, (guint64)t);
                frame_run(run.temporal, &run.frame);
            }
            if (first == NULL)
                first = g_memdup2(run.frame.planes[0].out, n * sizeof *first);
            g_assert_cmpmem(first, n * sizeof *first, run.frame.planes[0].out,
                            n * sizeof *first);
            run_clear(&run);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/temporal/still-and-cut", test_still_and_cut);
    g_test_add_func("/temporal/motion", test_motion);
    g_test_add_func("/temporal/hidden-cuts", test_hidden_cuts);
    g_test_add_func("/temporal/shared-noise", test_shared_noise);
    g_test_add_func("/temporal/fade", test_fade);
    g_test_add_func("/temporal/threads", test_threads);
    return g_test_run();
}
