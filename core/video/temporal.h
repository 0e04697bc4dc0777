/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Temporal filter: averages denoised video over past frames where the scene
 * stands still, which lowers its noise and restores its detail. It looks at
 * past frames only, so it adds no delay.
 *
 * For each sample the filter keeps two moving averages over time: one of the
 * noisy frames and one of the denoised frames. Averaging lowers the noise of
 * both. The average of the denoised frames lacks fine detail, which the
 * denoiser takes for noise; the average of the noisy frames still has it. The
 * output is
 *
 *   denoised average + gain * (detail - local mean of detail)
 *   detail = noisy average - denoised average
 *
 * where the gain, from 0 to 1, is that of an empirical Wiener filter: 0 where
 * the noise left in the noisy average explains the detail, near 1 where the
 * detail is much stronger.
 *
 * A cell is a square of 2x2 pixels; a plane has 1, 2 or 4 samples in it,
 * depending on how far it is subsampled. A block is a square of 4x4 cells. The
 * confidence of a cell is the number of frames that its averages are worth,
 * from 1 to 16, the same for all planes. A new frame enters the averages with
 * the weight 1 / confidence. Confidence grows by 1 a frame where nothing moves
 * and falls where the frame, noisy or denoised, differs from its average by
 * more than the noise explains: down to 1 where the motion is clear, so that
 * the average is the new frame. If more than nine tenths of the picture move,
 * the frame counts as a cut and the filter starts anew.
 *
 * The variance of the noise is estimated for each plane and block from what the
 * denoiser removes, so it may depend on the brightness. From the third frame on
 * the filter also estimates how far neighbouring samples share their noise
 * (area-noise.h). */
#pragma once

#include "base/pool.h"

G_BEGIN_DECLS

#define AE_TEMPORAL_BLOCK 8 /* pixels of a block's side */
#define AE_TEMPORAL_PLANES 4

typedef struct AeTemporal AeTemporal;

/* How the filter reads and writes the samples of a frame, row by row. Samples
 * lie in 0 .. 255. A row covers whole blocks: if the picture's width is no
 * multiple of a block's, the readers fill the rest of the row as they like, and
 * the writer ignores it. y counts the rows of the plane, also down to the end
 * of the last block. The filter reads each row twice and writes after all rows
 * have been read twice. It calls from several threads at once, for different
 * rows. */
typedef struct {
    void (*read_noisy)(void *data, int plane, int y, float *row);
    void (*read_denoised)(void *data, int plane, int y, float *row);
    void (*write)(void *data, int plane, int y, const float *row);
    void *data;
} AeTemporalFrame;

/* A filter for pictures of @width x @height pixels with @n_planes planes, at
 * most AE_TEMPORAL_PLANES. @halved_x, @halved_y: one flag a plane, TRUE if the
 * plane has half as many samples as pixels along that axis. The filter runs in
 * the threads of @pool, which must outlive it. NULL with AE_ERROR_MEMORY. */
AeTemporal *ae_temporal_new(int width, int height, int n_planes,
                            const gboolean *halved_x, const gboolean *halved_y,
                            AePool *pool, GError **error);
void ae_temporal_free(AeTemporal *temporal);

/* Forgets all frames: the next frame counts as the first. */
void ae_temporal_reset(AeTemporal *temporal);

/* Filters the next frame. Returns FALSE, and writes nothing, for the first
 * frame and for one that is a cut, because the output would be the denoised
 * frame itself; otherwise it writes all rows. @sigma: the standard deviation of
 * the noise, in the units of the samples, or 0 to estimate it. Allocates
 * nothing. The output does not depend on the number of threads. */
gboolean ae_temporal_run(AeTemporal *temporal, const AeTemporalFrame *frame,
                         float sigma);

/* The standard deviation of the noise in the first plane: the root of the mean
 * variance of all blocks, or the @sigma that was given. 0 before the first
 * frame. */
float ae_temporal_sigma(const AeTemporal *temporal);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTemporal, ae_temporal_free)

G_END_DECLS
