/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The named networks, as models with fresh weights. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/**
 * AeVaeForm:
 * How the second head s of a variational encoder is meant (Kingma and Welling,
 * ICLR 2014, section 3 and appendix B).
 * @AE_VAE_LOG_VARIANCE: z = m + exp(s / 2) e, log variance s
 * @AE_VAE_LOG_SD: z = m + exp(s) e, log variance 2 s
 * @AE_VAE_AS_PUBLISHED: z = m + exp(s) e, but s counts as the log variance in
 *   the loss, as the lesson's notebooks and the Keras blog have it. Not an
 *   evidence bound; for comparison with their figures only
 */
typedef enum {
    AE_VAE_LOG_VARIANCE,
    AE_VAE_LOG_SD,
    AE_VAE_AS_PUBLISHED,
} AeVaeForm;

/* Zeros choose what each network's description says. */
typedef struct {
    int channels;      /* of the image: 1 (also for 0) to 4 or, of networks that
                          know 4:2:0 video, 6 at half of its size: luma of
                          even rows (even and odd columns) and of odd ones, and
                          the two of chroma */
    int width, height; /* of images that dense layers see; 0: 28 */
    int latent_size;   /* values of the code */
    int hidden_size;   /* units of the dense layers around it */
    int classes;       /* > 0: encoder and decoder also see a label, as a
                          one-hot row of so many numbers */
    AeVaeForm form;    /* of variational networks */
    int scale;         /* of networks that enlarge: 2, 3 or 4; 0: 2 */
    float latent_noise; /* sd of the normal noise in the code; variational
                           networks: what e is multiplied by, 0 means 1 */
    uint64_t seed;      /* equal seed, equal weights */
} AeArchitectureOptions;

/* NULL-terminated. */
const char *const *ae_architecture_names(void);

/* One sentence about a name; NULL if there is none. */
const char *ae_architecture_describe(const char *name);

/* The result's metadata say its architecture, the names of its code, of the
 * code's moments and of the label, the classes, the upscaling factor and the
 * multiple that sides must have. Errors: AE_ERROR_VALUE (no such name: the
 * message lists them; an option that the network does not have). */
AeModel *ae_architecture_new(const char *name,
                             const AeArchitectureOptions *options,
                             GError **error);

/* The adversary of a code of @size values (S5): size-500-500-500-500-1, ReLU,
 * sigmoid at the end; the probability that a code comes from the prior. */
AeModel *ae_architecture_discriminator(int size, uint64_t seed);

G_END_DECLS
