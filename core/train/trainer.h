/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trainer: one step = forward, loss, backward along the tape, optimizer.
 *
 * The images of a batch are dealt to a fixed number of lanes, each with a
 * gradient arena of its own; threads take lanes, and the lanes are summed in
 * order. So the weights do not depend on the number of threads. */
#pragma once

#include "train/loss.h"
#include "model/model.h"
#include "train/optimizer.h"

G_BEGIN_DECLS

typedef struct AeTrainer AeTrainer;

/**
 * AeCodeTerm:
 * What the loss says of the code beside the reconstruction, for one image.
 * @AE_CODE_FREE: nothing
 * @AE_CODE_KL: ae_loss_kl() of the moments that the model's metadata name
 * @AE_CODE_L1: ae_loss_l1_norm() of the code: it becomes sparse
 * @AE_CODE_ADVERSARIAL: -log D(code), where a discriminator D learns
 *   meanwhile to tell codes from standard normal numbers (adversary.h)
 */
typedef enum {
    AE_CODE_FREE,
    AE_CODE_KL,
    AE_CODE_L1,
    AE_CODE_ADVERSARIAL,
} AeCodeTerm;

typedef struct {
    AeLoss loss;
    gboolean sum; /* the reconstruction's loss is summed over an image's
                     samples; otherwise it is their mean */
    AeCodeTerm code_term;
    float code_weight;    /* of the term, beside the reconstruction's 1 */
    float adversary_rate; /* learning rate of the discriminator, > 0 */
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

/* Means over a batch. */
typedef struct {
    double total;          /* what is minimised */
    double reconstruction; /* AeLoss */
    double code;           /* the code's term, without its weight */
    double accuracy;       /* of the discriminator before it learnt from the
                              batch: 0.5 where it cannot tell; 0 without one */
} AeTrainerLoss;

/* Trains @model, which must have one output and, beside a label, one
 * input, on images of @shape (rank 4, n ignored). Takes a copy of the model
 * if others hold it. Errors: those of ae_plan_new(), ae_metadata_read() and
 * ae_metadata_value(), AE_ERROR_VALUE. */
AeTrainer *ae_trainer_new(AeModel *model, const AeShape *shape,
                          const AeTrainerOptions *options, GError **error);
void ae_trainer_free(AeTrainer *trainer);

/* Image @i of the batch, its target and its label as a one-hot row: buffers to
 * fill, channels-last, of ae_trainer_input_size(), _target_size() and
 * _label_size() floats. The last is 0 for a model without labels. */
float *ae_trainer_input(AeTrainer *trainer, int i);
float *ae_trainer_target(AeTrainer *trainer, int i);
float *ae_trainer_label(AeTrainer *trainer, int i);
int64_t ae_trainer_input_size(const AeTrainer *trainer);
int64_t ae_trainer_target_size(const AeTrainer *trainer);
int64_t ae_trainer_label_size(const AeTrainer *trainer);

/* One step on the first @n images. @loss: before the step.
 * AE_ERROR_DIVERGED: loss or gradient is not finite; the weights are as
 * before the step. */
gboolean ae_trainer_step(AeTrainer *trainer, int n, AeTrainerLoss *loss,
                         GError **error);

/* The loss of the first @n images; learns nothing. @losses, where not NULL,
 * gets n images' own reconstruction losses. An adversarial term is not
 * measured. */
AeTrainerLoss ae_trainer_evaluate(AeTrainer *trainer, int n, double *losses);

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
