/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise models: the same for training (aetrain) and for streams (aenoise).
 *
 * A model is written KIND[:KEY=VALUE[,KEY=VALUE...]], values in units of the
 * full range [0, 1] of a sample (25 / 255 = 0.098); a value may be a range
 * A..B, from which each plane of an image draws its own uniformly:
 *
 *   none
 *   gaussian:mean=M,sd=S      x + N(M, S^2); defaults 0, 0.1
 *   uniform:mean=M,width=W    x + U(M - W/2, M + W/2)
 *   poisson-gaussian:gain=G,sd=S   x + N(0, G x + S^2): camera noise (Foi et
 *                             al., "Practical Poissonian-Gaussian noise
 *                             modeling", IEEE TIP 2008)
 *   camera:gain=G,sd=S,spread=R,soft=F,quality=Q   the same, but neighbours
 *                             share it, as after demosaicing or scaling: the
 *                             normal numbers are blurred by a Gaussian of
 *                             standard deviation R pixels (0 .. 4) and keep
 *                             their variance. What spreads the noise spreads
 *                             the picture, and so does the lens: the picture
 *                             is blurred first, by F times R pixels (F: 0 ..
 *                             2). Last, unless Q is 0, comes JPEG's loss, as
 *                             below; defaults 0.01, 0.01, 1, 0, 0
 *   jpeg:quality=Q,sd=S       x + N(0, S^2), then what JPEG leaves of it, and
 *                             video of pictures that are coded alone: blocks
 *                             of 8 x 8 samples, anywhere, whose cosines are
 *                             rounded to the steps of ITU-T T.81, table K.1,
 *                             for a quality Q of 1 .. 100 as libjpeg counts it;
 *                             defaults 50, 0
 *   salt-pepper:p=P           a sample becomes 0 or 1, each with P/2
 *
 * and every one takes clip=true|false (default true: to [0, 1]). Of several
 * models, with | between them, each image draws one. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct AeNoise AeNoise; /* immutable */

/* AE_ERROR_VALUE with a sentence that names the key and what is allowed. */
AeNoise *ae_noise_parse(const char *text, GError **error);
void ae_noise_free(AeNoise *noise);
gboolean ae_noise_is_none(const AeNoise *noise);

/* Samples in [0, 1], row by row, @channels of a pixel side by side. */
typedef struct {
    int64_t width, height, channels;
} AeNoisePlane;

/* target = source with noise; may be in place. A picture that the noise makes
 * soft is soft in @source, too, from then on. The samples are those of an
 * image's @planes, one after the other. The result depends on (seed, image)
 * alone. */
void ae_noise_apply(const AeNoise *noise, float *target, float *source,
                    const AeNoisePlane *planes, int n_planes, uint64_t seed,
                    uint64_t image);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeNoise, ae_noise_free)

G_END_DECLS
