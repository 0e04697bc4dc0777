/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "codec/paths.h"

#include <math.h>

#include "base/random.h"
#include "codec/slerp.h"

/* The part of the seed that labels come from. */
#define LABELS 1

int ae_path_columns(const AePath *path)
{
    return path->mode == AE_PATH_GRID ? (int)path->columns : 1;
}

int ae_path_rows(const AePath *path)
{
    return path->mode == AE_PATH_GRID ? (int)path->rows : 1;
}

static void draw(const AePath *path, uint64_t number, int size, float *code)
{
    AeRandom random = ae_random(path->seed, number);

    ae_random_normals(&random, code, size);
    for (int k = 0; k < size; k++)
        code[k] *= path->temperature;
}

static void walk(const AePath *path, uint64_t frame, int size, float *code,
                 float *work)
{
    uint64_t step = frame / path->frames_per_step;
    uint64_t within = frame % path->frames_per_step;

    draw(path, step, size, code);
    draw(path, step + 1, size, work);
    ae_path_slerp(code, code, work, size,
                  (double)within / path->frames_per_step);
}

static void place(const AePath *path, int i, float *code)
{
    int columns = (int)path->columns;

    code[0] = ae_path_between(path->range_min, path->range_max, i / columns,
                              (int)path->rows);
    code[1] =
        ae_path_between(path->range_min, path->range_max, i % columns, columns);
}

static void traverse(const AePath *path, uint64_t frame, int size, float *code)
{
    uint64_t value = frame / path->frames_per_step % (uint64_t)size;

    code[value] = ae_path_between(path->range_min, path->range_max,
                                  (int)(frame % path->frames_per_step),
                                  (int)path->frames_per_step);
}

void ae_path_code(const AePath *path, uint64_t frame, int i, const float *given,
                  int size, float *code, float *work)
{
    for (int k = 0; k < size; k++)
        code[k] = given != NULL ? given[k] : 0;
    if (path->mode == AE_PATH_GRID)
        place(path, i, code);
    else if (path->mode == AE_PATH_TRAVERSE)
        traverse(path, frame, size, code);
    else if (given == NULL && path->mode == AE_PATH_WALK)
        walk(path, frame, size, code, work);
    else if (given == NULL)
        draw(path, frame, size, code);
}

int ae_path_label(const AePath *path, uint64_t frame, int classes)
{
    gboolean steps =
        path->mode == AE_PATH_WALK || path->mode == AE_PATH_TRAVERSE;
    AeRandom random = ae_random(ae_random_mix(path->seed, LABELS),
                                steps ? frame / path->frames_per_step : frame);

    return (int)ae_random_below(&random, (uint32_t)classes);
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

void ae_path_slerp(float *target, const float *a, const float *b, int n,
                   double t)
{
    double lengths = sqrt(dot(a, a, n) * dot(b, b, n));
    double cosine = lengths > 0 ? dot(a, b, n) / lengths : 1;
    double angle = acos(CLAMP(cosine, -1, 1)), sine = sin(angle);
    double from_a = 1 - t, from_b = t;

    if (sine > 1e-4) {
        from_a = sin((1 - t) * angle) / sine;
        from_b = sin(t * angle) / sine;
    }
    for (int i = 0; i < n; i++)
        target[i] = (float)(from_a * a[i] + from_b * b[i]);
}

float ae_path_between(float low, float high, int i, int n)
{
    if (n == 1)
        return (low + high) / 2;
    if (i == n - 1)
        return high;
    return low + (high - low) * (float)i / (float)(n - 1);
}
