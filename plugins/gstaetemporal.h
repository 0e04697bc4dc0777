/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filter of core/video/temporal.h on video frames that a model has denoised:
 * all components but alpha, in every format of gstaepixels.h. Interlaced video
 * is not for it. */
#pragma once

#include <gst/video/video.h>

#include "ae.h"

G_BEGIN_DECLS

typedef struct GstAeTemporal GstAeTemporal;

/* @pool must outlive the filter. Errors: AE_ERROR_MEMORY. */
GstAeTemporal *gst_ae_temporal_new(const GstVideoInfo *info, AePool *pool,
                                   GError **error);
void gst_ae_temporal_free(GstAeTemporal *temporal);

/* The next frame is the first of a stream. */
void gst_ae_temporal_reset(GstAeTemporal *temporal);

/* @out: what the model made of @in; it becomes what frames before add to that.
 * @strength: 0 .. 1, how much that counts; the rest is @in. @sigma: the level
 * of the noise where 255 is white; 0: measured. Cannot fail and allocates
 * nothing. Returns the level, measured or told. */
float gst_ae_temporal_run(GstAeTemporal *temporal, const GstVideoFrame *in,
                          GstVideoFrame *out, float strength, float sigma);

G_END_DECLS
