/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resamples images to any size as MATLAB's imresize does: the centre of the
 * first pixel lies at 0.5, shrinking widens the kernel by the factor against
 * aliasing, weights sum to one, and edges are mirrored. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AeResampleKernel:
 * @AE_RESAMPLE_BOX: the mean of s x s pixels when shrinking by a whole s, the
 *   nearest pixel when enlarging
 * @AE_RESAMPLE_BICUBIC: cubic convolution with a = -0.5 (Keys, "Cubic
 *   convolution interpolation for digital image processing", IEEE TASSP 1981)
 */
typedef enum {
    AE_RESAMPLE_BOX,
    AE_RESAMPLE_BICUBIC,
} AeResampleKernel;

typedef struct AeResampler AeResampler;

/* A resampler from images of @in_w x @in_h pixels to @out_w x @out_h, all at
 * least 1, with @channels floats in each pixel. One thread at a time may use
 * it. Errors: AE_ERROR_MEMORY. */
AeResampler *ae_resampler_new(int in_w, int in_h, int out_w, int out_h,
                              int channels, AeResampleKernel kernel,
                              GError **error);

/* A resampler that reads @right and @down input pixels further right and down.
 * It serves chroma whose samples do not lie in the middle of their luma
 * samples. */
AeResampler *ae_resampler_new_shifted(int in_w, int in_h, int out_w, int out_h,
                                      int channels, AeResampleKernel kernel,
                                      double right, double down,
                                      GError **error);
void ae_resampler_free(AeResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeResampler, ae_resampler_free)

/* Resamples @source, height x width x channels floats, into @target. Allocates
 * nothing. The cubic kernel has negative lobes, so results may lie outside the
 * range of the source. */
void ae_resampler_run(AeResampler *resampler, const float *source,
                      float *target);

G_END_DECLS
