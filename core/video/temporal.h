/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video that a denoiser has cleaned frame by frame, cleaned further by what
 * frames before have shown at the same place: of the past only, so without
 * delay.
 *
 * Where nothing moves, the noisy frames are averaged, and so are the denoised
 * ones. The mean of the denoised frames has little noise left but lacks the
 * fine detail that the denoiser takes for noise; the mean of the noisy ones has
 * the detail. Their difference is kept as far as it is more than the noise
 * explains (an empirical Wiener filter).
 *
 * A picture is made of planes and of cells: squares of 2x2 pixels, of which a
 * plane holds 1, 2 or 4 samples, as its chroma is subsampled. Cells know how
 * many frames their means are worth, the same for all planes. Where a frame,
 * noisy or denoised, differs from the mean by more than noise does, cells
 * forget; nearly everywhere, and it was a cut: all is forgotten. Noise is
 * measured in the frames, place by place and plane by plane, by what the
 * denoiser takes away, so it may depend on the brightness; from the third frame
 * on also how far neighbours share it.
 *
 * Blocks are squares of 4x4 cells. */
#pragma once

#include "base/pool.h"

G_BEGIN_DECLS

#define AE_TEMPORAL_BLOCK 8 /* pixels */
#define AE_TEMPORAL_PLANES 4

typedef struct AeTemporal AeTemporal;

/* Where frames come from and go to. Rows hold as many samples as the plane has
 * in whole blocks, 0 .. 255; rows are asked for from the first to the last of
 * whole blocks. How the samples past the picture are filled is up to the
 * reader; the writer ignores them. Called from several threads at once, for
 * different rows. */
typedef struct {
    void (*read_noisy)(void *data, int plane, int y, float *row);
    void (*read_denoised)(void *data, int plane, int y, float *row);
    void (*write)(void *data, int plane, int y, const float *row);
    void *data;
} AeTemporalFrame;

/* Planes of @width x @height pixels, rounded up to whole blocks. @halved_x,
 * @halved_y: for each plane whether it has a sample for every second pixel or
 * row only. @pool must outlive the filter. NULL with AE_ERROR_MEMORY. */
AeTemporal *ae_temporal_new(int width, int height, int n_planes,
                            const gboolean *halved_x, const gboolean *halved_y,
                            AePool *pool, GError **error);
void ae_temporal_free(AeTemporal *temporal);

/* The next frame is the first. */
void ae_temporal_reset(AeTemporal *temporal);

/* Takes the next frame, and writes it if there is something to add to the
 * denoised one: not the first one, nor after a cut. Rows are written when all
 * have been read. @sigma: the standard deviation of the noise, in units of the
 * samples, or 0 if it is to be measured. Allocates nothing; gives the same
 * bytes for any number of threads. */
void ae_temporal_run(AeTemporal *temporal, const AeTemporalFrame *frame,
                     float sigma);

/* The standard deviation of the noise in the first plane as it was measured,
 * the mean of all places, or as it was told; 0 before the first frame. */
float ae_temporal_sigma(const AeTemporal *temporal);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTemporal, ae_temporal_free)

G_END_DECLS
