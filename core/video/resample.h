/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images resampled to any size, as MATLAB's imresize does it: half-pixel
 * centres, kernels widened by the factor when shrinking (against aliasing),
 * weights that sum to one, edges mirrored. */
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

/* From images of @in_h x @in_w pixels to @out_h x @out_w, all at least 1, each
 * pixel of @channels floats. Serves one thread at a time. */
AeResampler *ae_resampler_new(int in_w, int in_h, int out_w, int out_h,
                              int channels, AeResampleKernel kernel);

/* The same, but each output pixel lies @right and @down input pixels further
 * than where the centres of both images would coincide: for chroma whose
 * samples do not lie in the middle of theirs. */
AeResampler *ae_resampler_new_shifted(int in_w, int in_h, int out_w, int out_h,
                                      int channels, AeResampleKernel kernel,
                                      double right, double down);
void ae_resampler_free(AeResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeResampler, ae_resampler_free)

/* Rows lie densely, channels last. Allocates nothing. Values beyond the range
 * of @source are possible: the cubic kernel has negative lobes. */
void ae_resampler_run(AeResampler *resampler, const float *source,
                      float *target);

G_END_DECLS
