/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The discriminator of an adversarial autoencoder. It learns to tell codes from
 * samples of the prior, standard normal numbers; the autoencoder learns codes
 * that it cannot tell (Makhzani, Shlens, Jaitly, Goodfellow and Frey,
 * "Adversarial autoencoders", 2015, section 2.1). Private to the trainer. */
#pragma once

#include "model/safetensors.h"

G_BEGIN_DECLS

typedef struct AeAdversary AeAdversary;

typedef struct {
    int code_size;        /* values of a code */
    float learning_rate;  /* of the discriminator, with Adam */
    int64_t cosine_steps; /* as in AeTrainerOptions */
    int batch_size;       /* the most codes in ae_adversary_learn() */
    int micro_batch;      /* the most codes in ae_adversary_judge() */
    int threads;          /* that call ae_adversary_judge() */
    uint64_t seed;
} AeAdversaryOptions;

AeAdversary *ae_adversary_new(const AeAdversaryOptions *options,
                              GError **error);
void ae_adversary_free(AeAdversary *adversary);

/* Writes the loss of each of @n codes, -log D(code), to @losses, and the
 * gradient of the losses, times @scale, to @gradient if that is not NULL.
 * Threads with different numbers @thread, 0 .. options.threads - 1, may call at
 * the same time. */
void ae_adversary_judge(AeAdversary *adversary, int thread, const float *codes,
                        int n, float scale, double *losses, float *gradient);

/* One step of the discriminator on @n codes and @n samples of the prior.
 * @accuracy becomes the fraction of the 2 n that it told right before the step.
 * AE_ERROR_DIVERGED. */
gboolean ae_adversary_learn(AeAdversary *adversary, const float *codes, int n,
                            double *accuracy, GError **error);

/* Write the discriminator to a checkpoint and read it back. */
gboolean ae_adversary_write_state(const AeAdversary *adversary,
                                  AeSafetensors *file, GError **error);
gboolean ae_adversary_read_state(AeAdversary *adversary,
                                 const AeSafetensors *file, int64_t step,
                                 GError **error);

G_END_DECLS
