/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways through the space of codes. A way says which codes a frame shows as a
 * function of its settings and the frame's number, so that any frame can be
 * made at any time. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * AePathMode:
 * @AE_PATH_RANDOM: code n is temperature * N(0, 1)
 * @AE_PATH_WALK: from code k of a random path to code k + 1 by
 *   spherical interpolation, frames_per_step frames each
 * @AE_PATH_GRID: columns x rows codes a frame. The first value of a code goes
 *   from range_min in the top row to range_max in the last, the second from
 *   range_min in the left column to range_max; the others stay
 * @AE_PATH_TRAVERSE: value k goes from range_min to range_max in
 *   frames_per_step frames while the others stay, then value k + 1; after the
 *   last value the first
 *
 * Values that stay are those of a given code, or 0. In a random path and a walk
 * a given code takes the place of all random codes.
 */
typedef enum {
    AE_PATH_RANDOM,
    AE_PATH_WALK,
    AE_PATH_GRID,
    AE_PATH_TRAVERSE,
} AePathMode;

typedef struct {
    AePathMode mode;
    uint64_t seed;
    float temperature;        /* standard deviation of random codes */
    unsigned frames_per_step; /* from 1 */
    float range_min, range_max;
    unsigned columns, rows; /* of a grid; 0: as many as there is room for */
} AePath;

/* Codes side by side and one below the other in a frame: 1 except in a grid. */
int ae_path_columns(const AePath *path);
int ae_path_rows(const AePath *path);

/* Code @i of frame @frame, row by row in a grid, of @size floats. In a grid
 * columns and rows are at least 1 and @size at least 2. @given may be NULL;
 * @work has room for @size floats. */
void ae_path_code(const AePath *path, uint64_t frame, int i, const float *given,
                  int size, float *code, float *work);

/* A random label below @classes: one for each frame, or in a walk and a
 * traverse for each step. */
int ae_path_label(const AePath *path, uint64_t frame, int classes);

/* Number @i of @n numbers that lie evenly from @low to @high, both included; a
 * single one lies in the middle. */
float ae_path_between(float low, float high, int i, int n);

G_END_DECLS
