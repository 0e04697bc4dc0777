/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the filter share: filter.c makes it for a format,
 * filter-run.c runs it on pictures, filter-resample.c enlarges planes without
 * the model. */
#pragma once

#include "base/pool.h"
#include "plan/state.h"
#include "video/filter.h"
#include "video/noise-level.h"
#include "video/resample.h"
#include "video/temporal.h"
#include "video/plane.h"

/* The shape of the images that a model takes; what is open is AE_UNKNOWN. */
const AeShape *ae_image_model_shape(const AeImageModel *images);

/* A plan for images of @shape, which carries the states of the model; its first
 * output is the image. The error says which size cannot be. */
AePlan *ae_image_model_plan(const AeImageModel *images, const AeShape *shape,
                            AePool *pool, AePrecision precision,
                            GError **error);

/* "the model turns ... into ..., but its output must have @wanted" */
void ae_image_shape_error(const AePlan *plan, const char *wanted,
                          GError **error);

/* Images of luma and chroma, all of full size, and of chroma among them. */
enum { AE_FILTER_COLOURS = 3, AE_FILTER_CHROMAS = 2 };

/* Where a channel of an image comes from and goes to. */
typedef struct {
    int plane; /* -1: none, the channel is chroma of gray */
    AeLane lane;
} AeFilterChannel;

/* How what the model makes in one run, tiles, covers an image in one direction.
 * Tile @i begins at pixel i (length - size) / (n - 1); where two overlap, each
 * gives its half. */
typedef struct {
    int n;
    int length; /* of the image, in pixels of the input */
    int size;   /* of a tile; not smaller than the image if n is 1 */
    int margin; /* what the model sees before and after a tile */
} AeFilterTiles;

/* Images of one size, and the plan that they go through: all in one run, or
 * some at a time where the file fixes the batch. */
typedef struct {
    AePlan *plan;
    AeFilterChannel
        channel[AE_PICTURE_PLANES * AE_YUV420_CHANNELS]; /* image by image */
    int n_images, channels;
    int inputs;  /* channels of all frames, and one for the level of noise */
    int per_run; /* images */
    gboolean direct; /* the plan's output is what the temporal filter reads */
    int width, height;
    int padded_width, padded_height; /* of what the model sees */
    AeFilterTiles across, down;
    AeState **states; /* one for each field, run and tile, in this order; NULL:
                         the model has no state */
    int n_states;

    /* Of AE_FILTER_COLOURS images, if the model sees luma and chroma. */
    AePlan *coarse; /* for chroma at half of the size */
    float *more;    /* chroma of that size */
    float *rows;    /* AE_FILTER_COLOURS rows a thread */
} AeFilterBatch;

/* How a plane is resampled, without the model or behind it. */
typedef struct {
    AeResampler *resampler; /* NULL: it is not */
    int width, height;      /* of the source */
    int out_width;
    float *source; /* rows that lie densely, from 0 to 1 */
    float *rows;   /* of each thread: a row of the result, and scratch */
} AeFilterResample;

struct AeFilter {
    AePool *pool;
    AePictureFormat format; /* of a frame */
    int n_fields;           /* 2: frames are interlaced */
    int scale;
    int frames;        /* that the model sees at a time */
    int width, height; /* of the result */
    AeRange range;     /* of the model's images */
    AeFilterBatch batch[AE_PICTURE_PLANES];
    int n_batches;
    int n_seen; /* the planes that the model sees, the first ones */
    AeFilterResample plain[AE_PICTURE_PLANES]; /* from the input */

    /* If the result is not the scale times as large as the frame. */
    AeFilterResample resized[AE_PICTURE_PLANES]; /* from the model's output */
    AePicture large; /* that output: the sources of these, planes of floats */

    AeNoiseLevel *level; /* NULL: the model takes no level of noise */
    int sigma_input;     /* of the plan; 0: the level is a channel */
    float *measured;     /* the level in each plane that the model sees */

    AeTemporal *temporal; /* NULL: not for this model or format */
    AePicture denoised;   /* planes of floats, for the temporal filter */
    float *memory[AE_PICTURE_PLANES]; /* of these; NULL: the plan's output is
                                         the plane */
};

/* Makes @resample, all zeros, ready for a plane of pictures that become as
 * large as the result; @times: they are so many times as large as the frame. */
gboolean ae_filter_add_resample(const AeFilter *filter,
                                AeFilterResample *resample, int plane,
                                int times, AeResampleKernel kernel,
                                GError **error);
void ae_filter_clear_resample(AeFilterResample *resample);

/* Resamples @in to the first @columns of @out. @in: NULL, the source is filled.
 */
void ae_filter_resample(const AeFilter *filter,
                        const AeFilterResample *resample, const AePlane *in,
                        const AePlane *out, int columns);
