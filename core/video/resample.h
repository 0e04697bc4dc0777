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
 * @AE_RESAMPLE_LANCZOS: sinc(x) sinc(x / 3), |x| < 3 (Duchon, "Lanczos
 *   filtering in one and two dimensions", Journal of Applied Meteorology 1979);
 *   sharper
 */
typedef enum {
    AE_RESAMPLE_BOX,
    AE_RESAMPLE_BICUBIC,
    AE_RESAMPLE_LANCZOS,
} AeResampleKernel;

typedef struct AeResampler AeResampler;

/* A resampler from images of @in_w x @in_h pixels to @out_w x @out_h, all at
 * least 1, with @channels floats in each pixel. One thread at a time may use
 * it. Errors: AE_ERROR_MEMORY. */
AeResampler *ae_resampler_new(int in_w, int in_h, int out_w, int out_h,
                              int channels, AeResampleKernel kernel,
                              GError **error);

/* Output position i of an axis lies at (i + 0.5) @ratio - 0.5 + @shift of the
 * input. Above, the ratio is in / out and the shift 0. */
typedef struct {
    int in, out; /* pixels */
    double ratio, shift;
} AeResampleAxis;

/* A resampler whose axes are given one by one. It serves chroma, which has a
 * sample for two of luma, and whose samples may lie beside the middle of these.
 */
AeResampler *ae_resampler_new_axes(const AeResampleAxis *across,
                                   const AeResampleAxis *down, int channels,
                                   AeResampleKernel kernel, GError **error);
void ae_resampler_free(AeResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeResampler, ae_resampler_free)

/* Resamples @source, height x width x channels floats, into @target. Allocates
 * nothing. The cubic kernel has negative lobes, so results may lie outside the
 * range of the source. */
void ae_resampler_run(AeResampler *resampler, const float *source,
                      float *target);

/* Row @y of what ae_resampler_run() makes. Any number of threads may call it,
 * each with ae_resampler_scratch() floats of its own in @scratch. */
void ae_resampler_row(const AeResampler *resampler, const float *source, int y,
                      float *scratch, float *target);
size_t ae_resampler_scratch(const AeResampler *resampler);

G_END_DECLS
