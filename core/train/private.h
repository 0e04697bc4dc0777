/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trainer's state: trainer.c steps, checkpoint.c saves and resumes,
 * adversary.c holds a second trainer. */
#pragma once

#include "train/adversary.h"
#include "plan/plan.h"
#include "model/safetensors.h"
#include "train/trainer.h"

#define AE_TRAINER_LANES 8 /* at most; more threads than this idle */
#define AE_TRAINER_CODES 2 /* the most values that the code's term reads */

struct AeTrainer {
    AeModel *model;
    AeTrainerOptions options;
    AePool *pool;
    const AeKernels *kernels;
    AePlan **plans; /* one a thread, for a micro-batch */
    int lanes;
    int images; /* of a micro-batch */

    int64_t in_size, target_size, label_size; /* floats of one image */
    int64_t code_size;                        /* 0: the loss has no code term */
    const char *outputs[1 + AE_TRAINER_CODES]; /* the image, then the values
                                                  that the code's term reads;
                                                  borrowed */
    int n_outputs;
    AeAdversary *adversary; /* or NULL */

    /* Of each image of a batch: */
    float *inputs, *targets, *labels, *outputs_made, *codes;
    double *losses, *code_losses; /* sums over the image */

    int n;             /* images of the current batch */
    gboolean learning; /* from it */

    int64_t n_weights;
    float *weights, *moments[2];
    float **tensors; /* what the model's values held before; NULL: no weights */
    float *gradients[AE_TRAINER_LANES]; /* one array for each lane */
    double *chunk_norms;                /* sums of squared gradients */
    int64_t step;
};

/* A number as text that reads back as the same float under any locale. Free
 * with g_free(). */
char *ae_float_text(float number);

/* Write weights and moments to @file, as tensors whose names begin with
 * @prefix, and read them back. */
gboolean ae_trainer_write_state(const AeTrainer *trainer, AeSafetensors *file,
                                const char *prefix, GError **error);
gboolean ae_trainer_read_state(AeTrainer *trainer, const AeSafetensors *file,
                               const char *prefix, int64_t step,
                               GError **error);
