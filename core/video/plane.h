/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the core alone does to pictures and their planes: fields, samples as
 * whole numbers, parts of a plane, blending and copying. */
#pragma once

#include "video/picture.h"

G_BEGIN_DECLS

/* Samples of a plane that has one for every 2^log2 of @pixels. */
static inline int ae_subsampled(int pixels, int log2)
{
    return (int)(((int64_t)pixels + (1 << log2) - 1) >> log2);
}

/* TRUE if the format is YUV with half of the width and height for chroma. */
gboolean ae_picture_is_yuv420(const AePictureFormat *format);

/* The rows @field, @field + @fields, ... of a picture: one of the @fields
 * fields of an interlaced frame. */
AePicture ae_picture_field(const AePicture *picture, int field, int fields);

/* The largest sample: 255 for 8 bits, 1 for floats. */
int ae_plane_most(const AePlane *plane);

/* Reads @n samples of row @y, from column @x on, all inside the plane, as they
 * are, 0 .. ae_plane_most(), into integers that stand @step apart. */
void ae_plane_read_integers(const AePlane *plane, int x, int y, int n,
                            uint16_t *target, int step);

/* A part of a plane: from (@x, @y) on every @every-th sample of every
 * @every-th row. */
typedef struct {
    int x, y, every;
} AeLane;

/* As ae_plane_read() and ae_plane_write(), for @n samples of a lane from (@x,
 * @y) on, which count its samples and rows. Reading reflects at all edges of
 * the plane, so @x and @y may be negative. Writing stops at the right edge, and
 * rows past the last one are dropped. */
void ae_plane_read_lane(const AePlane *plane, const AeLane *lane, int x, int y,
                        int n, AeRange range, float *target, int step);
void ae_plane_write_lane(const AePlane *plane, const AeLane *lane, int x, int y,
                         int n, AeRange range, const float *source, int step);

/* Gives all samples of a plane the value @v. */
void ae_plane_fill(const AePlane *plane, int v);

/* Moves @n samples of row @y of @out, from column @x on, towards those of @in,
 * a plane of the same size and depth: @strength, 0 .. 1, is the weight of @out,
 * the rest that of @in. Stops at the right edge. Rounds to the nearest. */
void ae_plane_blend(const AePlane *out, const AePlane *in, int x, int y, int n,
                    float strength);

/* Copies the first @n samples of every row of @in, a plane of the same size and
 * depth, bit for bit if the samples lie alike in their words. */
void ae_plane_copy(const AePlane *out, const AePlane *in, int n);

G_END_DECLS
