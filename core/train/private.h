/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the trainer share: trainer.c steps, trainer-checkpoint.c
 * saves and resumes, adversary.c holds a second trainer. */
#pragma once

#include "train/adversary.h"
#include "plan/plan.h"
#include "model/safetensors.h"
#include "train/trainer.h"

#define AE_TRAINER_LANES 8 /* at most; more threads than this idle */
#define AE_TRAINER_CODES 2 /* values that a term of the loss reads */

struct AeTrainer {
    AeModel *model;
    AeTrainerOptions options;
    AePool *pool;
    const AeKernels *kernels;
    AePlan **plans; /* one a thread, each for `images` images */
    int lanes;      /* gradient arenas */
    int images;     /* of one pass through a plan */

    int64_t in_size, target_size, label_size;  /* floats of one image */
    int64_t code_size;                         /* the same; 0: none is read */
    const char *outputs[1 + AE_TRAINER_CODES]; /* image, then what the term of
                                                  the code reads; borrowed */
    int n_outputs;
    AeAdversary *adversary; /* or NULL */

    /* batch_size images each */
    float *inputs, *targets, *labels, *outputs_made, *codes;
    double *losses, *code_losses; /* sums over an image */
    int n;                        /* images of the batch in hand */
    gboolean learning;

    int64_t n_weights;
    float *weights, *moments[2];
    float *gradients[AE_TRAINER_LANES];
    double *chunk_norms;
    int64_t step;
};

/* Weights and moments as tensors named with @prefix, into and from @file. */
void ae_trainer_write_state(const AeTrainer *trainer, AeSafetensors *file,
                            const char *prefix);
gboolean ae_trainer_read_state(AeTrainer *trainer, const AeSafetensors *file,
                               const char *prefix, int64_t step,
                               GError **error);
