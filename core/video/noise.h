/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise models, for training and for streams.
 *
 * A model is written KIND[:KEY=VALUE[,KEY=VALUE...]]. Values are in units of
 * the full range [0, 1] of a sample: 25 of 255 are 0.098. A value may be a
 * range A..B; each image then draws its own value from it, uniformly.
 *
 *   none
 *   gaussian:mean=M,sd=S      x + N(M, S^2); defaults 0, 0.1
 *   uniform:mean=M,width=W    x + U(M - W/2, M + W/2)
 *   poisson-gaussian:gain=G,sd=S   x + N(0, G x + S^2): camera noise (Foi et
 *                             al., "Practical Poissonian-Gaussian noise
 *                             modeling", IEEE TIP 2008)
 *   camera:gain=G,sd=S,spread=R,soft=F,quality=Q
 *                             poisson-gaussian noise that neighbours share, as
 *                             after demosaicing or scaling: the normal numbers
 *                             are blurred by a Gaussian of standard deviation R
 *                             pixels, 0 .. 4, and keep their variance. The
 *                             picture is blurred before, by F R pixels, F in
 *                             0 .. 2, as demosaicing and the lens do. Unless Q
 *                             is 0, the loss of JPEG with quality Q follows.
 *                             Defaults 0.01, 0.01, 1, 0, 0
 *   jpeg:quality=Q,sd=S       x + N(0, S^2), followed by the loss of JPEG with
 *                             quality Q, 1 .. 100, whose blocks begin anywhere
 *                             (noise-jpeg.h), as in video of pictures that are
 *                             coded alone. Defaults 50, 0
 *   salt-pepper:p=P           a sample becomes 0 or 1, each with probability
 *                             P / 2
 *
 * Each kind takes clip=true|false; true, the default, clips to [0, 1]. Of
 * several models with | between them, each image draws one. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct AeNoise AeNoise; /* immutable */

/* Reads the text of a model. AE_ERROR_VALUE; the message names the key and the
 * allowed values. */
AeNoise *ae_noise_parse(const char *text, GError **error);
void ae_noise_free(AeNoise *noise);
gboolean ae_noise_is_none(const AeNoise *noise);

/* A plane: height x width x channels samples in [0, 1]. */
typedef struct {
    int64_t width, height, channels;
} AeNoisePlane;

/* Adds noise to the @planes of an image, which lie one after the other in
 * @source. Writes the result to @target, which may be @source. Models that blur
 * the picture blur @source, too. The noise depends on @seed, @image and the
 * source alone. Errors: AE_ERROR_MEMORY (of kind camera). */
gboolean ae_noise_apply(const AeNoise *noise, float *target, float *source,
                        const AeNoisePlane *planes, int n_planes, uint64_t seed,
                        uint64_t image, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeNoise, ae_noise_free)

G_END_DECLS
