/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trainer: one step = forward, loss, backward along the tape, optimizer.
 *
 * The images of a batch are dealt to a fixed number of lanes, each with a
 * gradient arena of its own; threads take lanes, and the lanes are summed in
 * order. So the weights do not depend on the number of threads. */
#pragma once

#include "loss.h"
#include "model.h"
#include "optimizer.h"

G_BEGIN_DECLS

typedef struct AeTrainer AeTrainer;

typedef struct {
    AeLoss loss;
    AeOptimizerKind optimizer;
    float learning_rate;  /* > 0 */
    int64_t cosine_steps; /* > 0: the rate falls to 0 over these steps along
                             half a cosine (Loshchilov and Hutter, ICLR 2017,
                             eq. 5, one period); 0: constant */
    float clip_norm;      /* > 0: the gradient's global norm at most */
    int batch_size;       /* >= 1 */
    int threads;          /* 0: one a processor */
    gboolean evaluate;    /* only ae_trainer_evaluate() will be called: any
                             model will do */
    uint64_t seed;
} AeTrainerOptions;

/* Trains @model, which must have one input and one output, on images of
 * @shape (rank 4, n ignored). Takes a copy of the model if others hold it.
 * Errors: those of ae_plan_new(), AE_ERROR_VALUE. */
AeTrainer *ae_trainer_new(AeModel *model, const AeShape *shape,
                          const AeTrainerOptions *options, GError **error);
void ae_trainer_free(AeTrainer *trainer);

/* Image @i of the batch and its target: buffers to fill, channels-last, of
 * ae_trainer_input_size() and _target_size() floats. */
float *ae_trainer_input(AeTrainer *trainer, int i);
float *ae_trainer_target(AeTrainer *trainer, int i);
int64_t ae_trainer_input_size(const AeTrainer *trainer);
int64_t ae_trainer_target_size(const AeTrainer *trainer);

/* One step on the first @n images. @loss: the batch's mean before the step.
 * AE_ERROR_DIVERGED: loss or gradient is not finite; the weights are as
 * before the step. */
gboolean ae_trainer_step(AeTrainer *trainer, int n, double *loss,
                         GError **error);

/* The mean loss of the first @n images; learns nothing. @losses, where not
 * NULL, gets n images' own. */
double ae_trainer_evaluate(AeTrainer *trainer, int n, double *losses);

/* The output for image @i after a step or evaluation. */
const float *ae_trainer_output(const AeTrainer *trainer, int i);

int64_t ae_trainer_steps(const AeTrainer *trainer);
AeModel *ae_trainer_model(AeTrainer *trainer); /* borrowed */

/* Checkpoints: weights, moments, step and options as safetensors.
 * Resuming gives bit-identical further steps.
 * ae_trainer_save() refuses weights that are not finite (AE_ERROR_DIVERGED);
 * ae_trainer_resume() fails with AE_ERROR_VALUE when the checkpoint is of
 * another model or of other options. */
gboolean ae_trainer_save(AeTrainer *trainer, const char *path, GError **error);
gboolean ae_trainer_resume(AeTrainer *trainer, const char *path,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTrainer, ae_trainer_free)

G_END_DECLS
