/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of video frames, and the numbers as which models know them: a sample
 * v of 0 .. most is low + v / most * span, where most is 255 for 8 bits, 1023
 * for 10, 65535 for 16. */
#pragma once

#include <gst/video/video.h>

#include "gstaemodel.h"
#include "gstaepicture.h"

G_BEGIN_DECLS

/* TRUE if images of @channels are written to and read from frames of @info: one
 * or six channels to all formats above, three to RGB. Errors: AE_ERROR_SHAPE.
 */
gboolean gst_ae_pixels_accept(const GstAeModel *model, int channels,
                              const GstVideoInfo *info, GError **error);

/* TRUE if frames of @info have bytes that are of no colour: alpha, padding. */
gboolean gst_ae_pixels_have_rest(const GstVideoInfo *info);

/* Row @y of a component, @n samples, as floats that stand @step apart. Rows and
 * samples past the image are reflected at its last one. */
void gst_ae_pixels_read(const GstVideoFrame *frame, int component, int y, int n,
                        const AeRange *range, float *target, int step);

/* The other way, @n samples of row @y from column @x on: clipped and rounded to
 * the nearest; what is not a number becomes 0. */
void gst_ae_pixels_write(GstVideoFrame *frame, int component, int x, int y,
                         int n, const AeRange *range, const float *source,
                         int step);

/* A part of a component: every @every-th sample of every @every-th row, from
 * (x, y) on. */
typedef struct {
    int component, x, y, every;
} GstAeLane;

/* The same of a lane, whose rows and samples are counted. Only those that there
 * are are written, and of rows past the image none. */
void gst_ae_pixels_read_lane(const GstVideoFrame *frame, const GstAeLane *lane,
                             int row, int n, const AeRange *range,
                             float *target, int step);
void gst_ae_pixels_write_lane(GstVideoFrame *frame, const GstAeLane *lane,
                              int row, const AeRange *range,
                              const float *source, int step);

/* Moves row @y of a component of @out towards that of @in, a frame of the same
 * format and size: what @out has counts @strength, 0 .. 1, what @in has the
 * rest. Rounded to the nearest. */
void gst_ae_pixels_blend(GstVideoFrame *out, const GstVideoFrame *in,
                         int component, int y, float strength);

/* Bit for bit, between frames of one format and size. */
void gst_ae_pixels_copy(GstVideoFrame *out, const GstVideoFrame *in);

/* Fills a frame that is @scale times as large as @in with the nearest pixels;
 * bytes that are of no component become 255. */
void gst_ae_pixels_enlarge(GstVideoFrame *out, const GstVideoFrame *in,
                           int scale);

G_END_DECLS
