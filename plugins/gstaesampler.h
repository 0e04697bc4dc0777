/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in, training samples out: whole frames or random patches, turned and
 * mirrored, and mixed with others in a shuffle buffer. What comes out depends
 * on the frames' order and the seed alone. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct GstAeSampler GstAeSampler;

typedef struct {
    gboolean yuv420;       /* luma and chroma of 4:2:0 video together */
    gboolean still;        /* only where nothing moves, three frames at once */
    int patch_size;        /* pixels a side; 0: the whole frame */
    int patches_per_frame; /* >= 1; without patch_size 1 is taken */
    gboolean augment;      /* one of the 8 turns and mirrors, each patch */
    int shuffle_buffer;    /* samples; 0: in order */
    guint64 seed;
} GstAeSamplerOptions;

/* A sample of height x width x channels bytes, borrowed during the call, and
 * the label of the frame that it is from. One of 4:2:0 video is its three
 * planes, of which luma is twice as wide and high. With still it is three such
 * samples: of the frame that came last, the one before and that before it. */
typedef void (*GstAeSamplerEmit)(gpointer user, const guint8 *sample,
                                 int label);

GstAeSampler *gst_ae_sampler_new(const GstAeSamplerOptions *options);
void gst_ae_sampler_free(GstAeSampler *sampler);

/* 3 for RGB formats, else 1: of other formats only the luma is taken; with
 * yuv420 6, the two planes of chroma and luma as four of their size. */
int gst_ae_sampler_channels(const GstAeSampler *sampler,
                            const GstVideoInfo *info);

/* The size of the samples from now on; those in the buffer must have left it
 * if it changes (gst_ae_sampler_drain()). Errors: AE_ERROR_SHAPE (frames are
 * smaller than a patch, or not of 4:2:0, or their sides are odd),
 * AE_ERROR_MEMORY. */
gboolean gst_ae_sampler_set_info(GstAeSampler *sampler,
                                 const GstVideoInfo *info, GError **error);
int gst_ae_sampler_width(const GstAeSampler *sampler);
int gst_ae_sampler_height(const GstAeSampler *sampler);

/* Cuts the samples of a frame; @emit is called for each that leaves the
 * buffer. */
void gst_ae_sampler_push(GstAeSampler *sampler, GstVideoFrame *frame, int label,
                         GstAeSamplerEmit emit, gpointer user);

/* How many places in turn have been left out, because something moved there or
 * there were no frames before. */
guint64 gst_ae_sampler_moving(const GstAeSampler *sampler);

/* Empties the buffer. */
void gst_ae_sampler_drain(GstAeSampler *sampler, GstAeSamplerEmit emit,
                          gpointer user);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeSampler, gst_ae_sampler_free)

G_END_DECLS
