/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that a denoiser or an enlarger does to a frame: an image-to-image model
 * made ready for pictures of one format and size, which keep their size or
 * become larger. Samples stay floats from the first read to the last write, so
 * they are rounded once.
 *
 *     images = ae_image_model_new(model, &error);
 *     filter = ae_filter_new(images, &format, &options, &error);
 *     ae_filter_run(filter, &in, &out, &settings);
 *
 * What the model sees depends on its input channels:
 *
 *   1  Each colour plane (Y, U and V, or R, G and B) as a gray image. If the
 *      metadata ask for luma and chroma, and batch and size are open, RGB as
 *      luma and chroma of full size: the noise of a camera is less in luma, and
 *      chroma is smooth (Dabov et al., "Color image denoising via sparse 3D
 *      collaborative filtering", ICIP 2007). Chroma of full size, of RGB or of
 *      YUV 4:4:4, then goes through the model twice, at full and at half of the
 *      size; the coarse part of the result is the mean of both.
 *   3  RGB.
 *   6  4:2:0 video at half of its size: the four lumas of a block, row by row,
 *      and its two chromas. Of other formats each plane as luma without colour.
 *
 * A model with one input channel that enlarges sees Y or gray alone, and is not
 * for RGB; chroma is resampled bicubically, where its site says. Alpha is
 * resampled bicubically and unused bytes become 255 where frames are enlarged;
 * otherwise both are copied. The two fields of an interlaced frame are pictures
 * of their own; such frames are not enlarged. If another size is wanted than
 * the model's upscaling factor gives, what the model makes is resampled to it
 * with Lanczos' kernel.
 *
 * Pictures whose size the strides of the model do not divide are reflected at
 * the right and bottom edge up to the next multiple: that of the metadata, or
 * the smallest power of two, up to 32, with which the output has its size. A
 * model with a margin (image-model.h) sees reflected pixels on all sides. A
 * model for images of one size sees larger pictures tile by tile; tiles overlap
 * by as much as an output pixel depends on, so that no seam is seen.
 *
 * A model with states (image-model.h) remembers past frames by itself: each
 * plane, field and tile has a state, which ae_filter_reset() and frames that
 * are copied set back.
 *
 * A model that takes the level of the noise gets that of each image, which is
 * the root of the mean variance of its planes.
 *
 * Past frames improve progressive video (temporal.h) with a model whose
 * metadata say denoise, and which has no state, where chroma has at least half
 * the width. */
#pragma once

#include "plan/plan.h"
#include "video/image-model.h"
#include "video/picture.h"

G_BEGIN_DECLS

typedef struct AeFilter AeFilter;

typedef struct {
    int scale;   /* upscaling factor; 1: frames keep their size */
    int threads; /* most; 0: see ae_threads() */
    AePrecision precision;
    int width, height; /* of the result, where frames are enlarged; 0: @scale
                          times that of the frame */
} AeFilterOptions;

/* These may change from frame to frame. */
typedef struct {
    float strength;    /* weight of the result, 0 .. 1; the rest is the input,
                          which at 0 is copied; 1 where frames are enlarged */
    gboolean temporal; /* use past frames */
    float sigma;       /* standard deviation of the noise where 255 is white;
                          0: measured, by the temporal filter between frames,
                          for a model in each frame (noise-level.h) */
    gboolean damaged;  /* the frame is filtered by itself, and no later frame
                          uses it */
    const AePicture *const *frames; /* all that a model of several frames
                          (AeImageModel.frames) sees, the earliest first, the
                          input among them; NULL: the input as often */
    float split; /* this share of the result, 0 .. 1 from the left edge,
                          rounded to whole samples of chroma, is the input, or
                          the input enlarged bicubically; of no effect on the
                          rest and on later frames */
} AeFilterSettings;

/* @images must outlive the filter. Errors: AE_ERROR_SHAPE (size, format, fields
 * or batch do not fit the model), AE_ERROR_MEMORY and those of ae_plan_new().
 * Their sentences call the model "the model". */
AeFilter *ae_filter_new(const AeImageModel *images,
                        const AePictureFormat *format,
                        const AeFilterOptions *options, GError **error);
void ae_filter_free(AeFilter *filter);

/* TRUE if the filter makes pictures of @width x @height from those of @format.
 */
gboolean ae_filter_fits(const AeFilter *filter, const AePictureFormat *format,
                        int width, int height);

/* The next frame is the first of a scene. */
void ae_filter_reset(AeFilter *filter);

/* Filters @in into @out, of the same format and the size of the result.
 * Cannot fail and allocates nothing. Returns the standard deviation of the
 * noise where 255 is white, measured or from @settings, by the temporal filter
 * (of a damaged frame: that of the frames before) or for the model; 0 where
 * neither needs it. */
float ae_filter_run(AeFilter *filter, const AePicture *in, const AePicture *out,
                    const AeFilterSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeFilter, ae_filter_free)

G_END_DECLS
