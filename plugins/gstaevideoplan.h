/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image-to-image model made ready for video frames of one format and size,
 * which it keeps or makes a whole number of times larger.
 *
 * A model with one input channel sees every component of a frame (Y, U and V;
 * or R, G and B) as a gray image of its own; where its metadata ask
 * for luma and chroma and batch and size are open, RGB as luma and chroma of
 * full size: a camera's noise is less in luma, and chroma is smooth (Dabov et
 * al., "Color image denoising via sparse 3D collaborative filtering", ICIP
 * 2007). Chroma of luma's size it then sees at half of that, too; in what the
 * smaller chroma has, the result is the mean of both. One with three sees RGB.
 * One with six sees 4:2:0 video at half of its size: the four lumas of a block,
 * row by row, and its two of chroma; of other formats every component as luma
 * without colour. Samples v become lo + v / most * (hi - lo), where most is 255
 * for 8 bits and 1023 for 10, and lo and hi are the range of the model's
 * metadata. Outputs are clipped and rounded to the nearest. Alpha and padding
 * bytes are copied.
 *
 * A model with one input channel that enlarges sees Y alone; chroma, and alpha
 * in all formats, is resampled bicubically, where the chroma-site says.
 *
 * The two fields of an interlaced frame are images of their own.
 *
 * Frames that the model's strides do not divide are reflected at their right
 * and bottom edges up to the next multiple: of the metadata;
 * without it of the smallest power of two, up to 32, with which the model keeps
 * the image's size. */
#pragma once

#include <gst/video/video.h>

#include "gstaemodel.h"

G_BEGIN_DECLS

typedef struct GstAeVideoPlan GstAeVideoPlan;

/* 1, 3 or 6, the channels of the image that @model takes; 0 with an error
 * (AE_ERROR_SHAPE) if it does not turn one such image into another. */
int gst_ae_video_plan_channels(const GstAeModel *model, GError **error);

/* How often larger the images are that a model with these channels makes, as
 * it is seen to do with a small one. 0 with an error: AE_ERROR_SHAPE (by no
 * whole number) and those of ae_plan_new(), naming the model. */
int gst_ae_video_plan_scale(const GstAeModel *model, GError **error);

/* @model must outlive the plan. @scale: how often larger the frames become.
 * @threads: 0, one a processor. Errors: AE_ERROR_SHAPE (wrong sizes, format or
 * fields), AE_ERROR_FORMAT (metadata) and those of ae_plan_new(). */
GstAeVideoPlan *gst_ae_video_plan_new(const GstAeModel *model,
                                      const GstVideoInfo *info, int scale,
                                      int threads, AePrecision precision,
                                      GError **error);
void gst_ae_video_plan_free(GstAeVideoPlan *plan);

/* TRUE if frames of @info have the format, size, chroma-site and interlace-mode
 * of the plan. */
gboolean gst_ae_video_plan_fits(const GstAeVideoPlan *plan,
                                const GstVideoInfo *info);

/* The threads that frames are shared among, idle between runs. Borrowed. */
AePool *gst_ae_video_plan_pool(const GstAeVideoPlan *plan);

/* Cannot fail and allocates nothing. @out: of the same format, scale times as
 * large. @strength: 0 .. 1, how much the model counts in a frame that keeps its
 * size; the rest is @in, which at 0 is copied bit for bit. */
void gst_ae_video_plan_run(GstAeVideoPlan *plan, GstVideoFrame *in,
                           GstVideoFrame *out, float strength);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeVideoPlan, gst_ae_video_plan_free)

G_END_DECLS
