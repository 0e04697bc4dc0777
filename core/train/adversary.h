/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The adversary of a code: a discriminator that learns to tell codes from
 * samples of the prior, standard normal numbers (Makhzani, Shlens, Jaitly,
 * Goodfellow and Frey, "Adversarial autoencoders", 2015, section 2.1). A part
 * of the trainer. */
#pragma once

#include "model/safetensors.h"

G_BEGIN_DECLS

typedef struct AeAdversary AeAdversary;

typedef struct {
    int code_size;        /* values of a code */
    float learning_rate;  /* of the discriminator; Adam */
    int64_t cosine_steps; /* as in AeTrainerOptions */
    int batch_size;       /* codes that it learns from at most */
    int pass_size;        /* codes that it judges at most, in one call */
    int threads;          /* that judge */
    uint64_t seed;
} AeAdversaryOptions;

AeAdversary *ae_adversary_new(const AeAdversaryOptions *options,
                              GError **error);
void ae_adversary_free(AeAdversary *adversary);

/* What @n codes pay for not looking like the prior, -log D, one number each
 * into
 * @losses, and its gradient times @scale unless that is NULL. @thread: of
 * options.threads; each may call at the same time. */
void ae_adversary_judge(AeAdversary *adversary, int thread, const float *codes,
                        int n, float scale, double *losses, float *gradient);

/* One step of the discriminator on @n codes and as many samples. @accuracy:
 * which part of both it told right before the step. AE_ERROR_DIVERGED. */
gboolean ae_adversary_learn(AeAdversary *adversary, const float *codes, int n,
                            double *accuracy, GError **error);

/* Into and from a checkpoint. */
void ae_adversary_write_state(const AeAdversary *adversary,
                              AeSafetensors *file);
gboolean ae_adversary_read_state(AeAdversary *adversary,
                                 const AeSafetensors *file, int64_t step,
                                 GError **error);

G_END_DECLS
