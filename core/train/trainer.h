/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trainer. One step runs the model forward on a batch, measures the loss,
 * runs the model backward and lets the optimizer change the weights.
 *
 * A batch is cut into micro-batches of a few images, which are dealt to a fixed
 * number of lanes. Each lane sums gradients in an array of its own; threads
 * take lanes; then the lanes are summed in their order. So the weights do not
 * depend on the number of threads. */
#pragma once

#include "train/loss.h"
#include "model/model.h"
#include "train/optimizer.h"

G_BEGIN_DECLS

typedef struct AeTrainer AeTrainer;

/**
 * AeCodeTerm:
 * The term of the loss that depends on the code of an image.
 * @AE_CODE_FREE: none
 * @AE_CODE_KL: ae_loss_kl() of the moments that the model's metadata name
 * @AE_CODE_L1: ae_loss_l1_norm() of the code, which makes it sparse
 * @AE_CODE_ADVERSARIAL: -log D(code), where the discriminator D learns at the
 *   same time to tell codes from standard normal numbers (adversary.h)
 */
typedef enum {
    AE_CODE_FREE,
    AE_CODE_KL,
    AE_CODE_L1,
    AE_CODE_ADVERSARIAL,
} AeCodeTerm;

typedef struct {
    AeLoss loss;
    gboolean sum; /* the reconstruction loss of an image is the sum over its
                     samples; otherwise their mean */
    AeCodeTerm code_term;
    float code_weight;    /* of the code's term; the reconstruction has 1 */
    float adversary_rate; /* learning rate of the discriminator, > 0 */
    AeOptimizerKind optimizer;
    float learning_rate;  /* > 0 */
    int64_t cosine_steps; /* > 0: the rate falls to 0 over these steps along
                             half a cosine (Loshchilov and Hutter, ICLR 2017,
                             eq. 5, one period); 0: constant */
    float clip_norm;      /* > 0: the gradient's global norm at most */
    int batch_size;       /* >= 1 */
    int threads;          /* 0: one for each processor */
    gboolean evaluate;    /* for ae_trainer_evaluate() alone; the model need
                             not be trainable */
    uint64_t seed;
} AeTrainerOptions;

/* Means over a batch. */
typedef struct {
    double total;          /* what is minimised */
    double reconstruction; /* options.loss */
    double code;           /* options.code_term, without its weight */
    double accuracy;       /* of the discriminator before it learns from the
                              batch: 0.5 if it cannot tell codes from samples;
                              0 without a discriminator */
} AeTrainerLoss;

/* A trainer of @model on images of @shape (rank 4, n ignored). The model must
 * have one output, and one input beside a label. If others hold a reference to
 * it, the trainer copies it. Errors: those of ae_plan_new(), ae_metadata_read()
 * and ae_metadata_value(), AE_ERROR_VALUE. */
AeTrainer *ae_trainer_new(AeModel *model, const AeShape *shape,
                          const AeTrainerOptions *options, GError **error);
void ae_trainer_free(AeTrainer *trainer);

/* The memory of image @i of the batch, of its target and of its label, a
 * one-hot row, for the caller to fill, channels-last. They have
 * ae_trainer_input_size(), ae_trainer_target_size() and ae_trainer_label_size()
 * floats; the last is 0 if the model takes no label. */
float *ae_trainer_input(AeTrainer *trainer, int i);
float *ae_trainer_target(AeTrainer *trainer, int i);
float *ae_trainer_label(AeTrainer *trainer, int i);
int64_t ae_trainer_input_size(const AeTrainer *trainer);
int64_t ae_trainer_target_size(const AeTrainer *trainer);
int64_t ae_trainer_label_size(const AeTrainer *trainer);

/* Learns from the first @n images of the batch. @loss becomes their loss before
 * the weights change. AE_ERROR_DIVERGED: loss or gradient is not finite; the
 * weights have not changed. */
gboolean ae_trainer_step(AeTrainer *trainer, int n, AeTrainerLoss *loss,
                         GError **error);

/* The loss of the first @n images of the batch, without learning from them.
 * @losses, if not NULL, becomes the reconstruction loss of each image. The
 * adversarial term is not measured. */
AeTrainerLoss ae_trainer_evaluate(AeTrainer *trainer, int n, double *losses);

/* The output for image @i, after a step or an evaluation. */
const float *ae_trainer_output(const AeTrainer *trainer, int i);

int64_t ae_trainer_steps(const AeTrainer *trainer);
AeModel *ae_trainer_model(AeTrainer *trainer); /* borrowed */

/* Write and read a checkpoint: a safetensors file of weights, moments, step and
 * options, and of @recipe: name, text, name, text, ..., NULL of further options
 * that must not change. After resuming, further steps give the same bits as
 * without the interruption. Saving fails with AE_ERROR_DIVERGED if the weights
 * are not finite; resuming fails with AE_ERROR_VALUE if the checkpoint belongs
 * to another model or to other options. */
gboolean ae_trainer_save(AeTrainer *trainer, const char *const *recipe,
                         const char *path, GError **error);
gboolean ae_trainer_resume(AeTrainer *trainer, const char *const *recipe,
                           const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTrainer, ae_trainer_free)

G_END_DECLS
