/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sampler: pictures go in, training samples come out. A sample is a whole
 * picture or a patch cut from a random place of it, perhaps turned and
 * mirrored; a shuffle buffer mixes the samples of several pictures. Samples
 * depend on the order of the pictures and on the seed alone.
 *
 *     sampler = ae_sampler_new(&options);
 *     for each picture:
 *         ae_sampler_set_format(sampler, &picture.format, &error);
 *         ae_sampler_push(sampler, &picture, label, emit, user);
 *     ae_sampler_drain(sampler, emit, user);
 */
#pragma once

#include "video/picture.h"

G_BEGIN_DECLS

typedef struct AeSampler AeSampler;

/**
 * AeTrainColour:
 * @AE_TRAIN_COLOUR_AUTO: three channels of an RGB picture, the luma of others
 * @AE_TRAIN_COLOUR_YUV420: luma and chroma of a 4:2:0 picture, as six channels
 *   of half its size (ae_yuv420_pack())
 */
typedef enum { AE_TRAIN_COLOUR_AUTO, AE_TRAIN_COLOUR_YUV420 } AeTrainColour;

typedef struct {
    AeTrainColour colour;
    gboolean still; /* samples are three pictures in turn, from places where
                       nothing moves */
    unsigned patch_size;        /* pixels a side; 0: whole pictures */
    unsigned patches_per_frame; /* patches of one picture, at least 1 */
    gboolean augment;           /* draw one of the 8 turns and mirrors for each
                                   sample (4 where it is no square) */
    unsigned shuffle_buffer;    /* samples held; 0: they come out in order */
    uint64_t seed;
} AeSamplerOptions;

/* The samples' shape as a network sees it. With colour=yuv420 there are
 * AE_YUV420_CHANNELS, and width and height are half of the picture's. */
typedef struct {
    int channels, width, height;
} AeSampleSize;

/* @data: height x width x channels samples from 0 to 2^bits - 1, channels
 * last. With colour=yuv420 the planes of Y, 2 height x 2 width, and of U and V.
 * With still, three pictures one after the other, the newest first. */
typedef struct {
    const uint16_t *data;
    int bits;
    int label; /* of the picture; -1: it has none */
} AeSample;

/* Takes a sample, which is borrowed during the call. */
typedef void (*AeSamplerEmit)(void *user, const AeSample *sample);

AeSampler *ae_sampler_new(const AeSamplerOptions *options);
void ae_sampler_free(AeSampler *sampler);

/* The size of the samples that pictures of @format give. Errors:
 * AE_ERROR_SHAPE (the picture is smaller than a patch, is not 4:2:0, or has an
 * odd side). */
gboolean ae_sampler_size(const AeSampler *sampler,
                         const AePictureFormat *format, AeSampleSize *size,
                         GError **error);

/* The format of the pictures from now on. Where it changes the size of the
 * samples, call ae_sampler_drain() first. Errors: those of ae_sampler_size(),
 * AE_ERROR_MEMORY. */
gboolean ae_sampler_set_format(AeSampler *sampler,
                               const AePictureFormat *format, GError **error);

/* Cuts the samples of @picture. @emit is called for each sample that leaves
 * the shuffle buffer. */
void ae_sampler_push(AeSampler *sampler, const AePicture *picture, int label,
                     AeSamplerEmit emit, void *user);

/* Empties the shuffle buffer. */
void ae_sampler_drain(AeSampler *sampler, AeSamplerEmit emit, void *user);

/* With still: how many places in turn were left out, because something moved
 * there or because there were no earlier pictures. */
uint64_t ae_sampler_moving(const AeSampler *sampler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeSampler, ae_sampler_free)

G_END_DECLS
