/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task: what a network shall learn. It chooses the network, makes input and
 * target of a training sample, and says whether the loss is a sum or a mean and
 * which term the code has; the user chooses the loss. The kinds of task and
 * their names are in model/metadata.[ch], because model files name them;
 * options.c describes them to users. */
#pragma once

#include "model/metadata.h"
#include "networks/architectures.h"
#include "train/sampler.h"
#include "train/trainer.h"
#include "video/resample.h"

G_BEGIN_DECLS

/**
 * AeTaskTarget:
 * @AE_TASK_TARGET_CLEAN: pictures are clean: they are the target, and the input
 *   is made of them
 * @AE_TASK_TARGET_NOISY: pictures are noisy: the newest of three is the input,
 *   the mean of the two before it the target (Lehtinen et al., "Noise2Noise",
 *   ICML 2018)
 */
typedef enum { AE_TASK_TARGET_CLEAN, AE_TASK_TARGET_NOISY } AeTaskTarget;

typedef struct {
    AeTaskKind kind; /* not AE_TASK_UNKNOWN */
    AeTaskTarget target;
    const char *architecture; /* NULL: the task's own */
    const char *noise;        /* video/noise.h; NULL: the task's own */
    AeLoss loss;
    AeVaeForm form;
    AeResampleKernel downscale;        /* how superres makes pictures small */
    gboolean conditional;              /* the network sees labels */
    unsigned classes;                  /* labels are below this */
    unsigned scale;                    /* upscaling factor of superres */
    unsigned latent_size, hidden_size; /* 0: the architecture's own */
    float latent_noise;                /* see AeArchitectureOptions */
    float beta;             /* weight of the code's term of vae, adversarial */
    float activity_penalty; /* weight of the L1 norm of the code */
    float discriminator_rate; /* 0: the learning rate */
    uint64_t seed;
} AeTaskOptions;

typedef struct AeTask AeTask;

/* Copies @options. Errors: AE_ERROR_VALUE (options that contradict one another,
 * an unknown architecture or noise). */
AeTask *ae_task_new(const AeTaskOptions *options, GError **error);
void ae_task_free(AeTask *task);

/* A sampler of what a task with these options takes: its still and its seed
 * follow from the task. */
AeSampler *ae_task_new_sampler(const AeTaskOptions *task,
                               const AeSamplerOptions *options);

/* The name of the task's network, and the noise that it adds (video/noise.h).
 */
const char *ae_task_architecture(const AeTask *task);
const char *ae_task_noise(const AeTask *task);

/* The size of the samples from now on. Errors: AE_ERROR_SHAPE (the upscaling
 * factor does not divide it), AE_ERROR_VALUE (the task cannot take samples of
 * 4:2:0), AE_ERROR_MEMORY. */
gboolean ae_task_set_size(AeTask *task, const AeSampleSize *size,
                          GError **error);

/* The shapes 1 x channels x height x width of the network's input and target.
 */
AeShape ae_task_input_shape(const AeTask *task);
AeShape ae_task_target_shape(const AeTask *task);

/* A new network for samples of the size that was set. Errors: those of
 * ae_architecture_new(). */
AeModel *ae_task_new_model(const AeTask *task, GError **error);

/* A trainer of @model. @options says optimizer, batch and threads; the task
 * sets loss and seed. Errors: AE_ERROR_SHAPE (the model is for other sizes),
 * those of ae_trainer_new(). */
AeTrainer *ae_task_new_trainer(const AeTask *task, AeModel *model,
                               AeTrainerOptions options, GError **error);

/* Where an example goes: height x width x channels floats of the input and of
 * the target, channels last, and a row of one float a class. */
typedef struct {
    float *input, *target, *label;
} AeExample;

/* Makes the example of @sample, number @number of the run: its noise depends on
 * the seed and this number alone. @classes: floats of a label's row; 0: the
 * network takes no label. Errors: AE_ERROR_VALUE (the sample's label is missing
 * or no class), AE_ERROR_MEMORY. */
gboolean ae_task_fill(AeTask *task, const AeSample *sample, int64_t classes,
                      uint64_t number, AeExample example, GError **error);

/* Writes into the model's metadata what it was trained for. */
void ae_task_describe(const AeTask *task, AeModel *model);

/* The name of the code's term of the loss in reports; NULL: there is none. */
const char *ae_task_code_term(const AeTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeTask, ae_task_free)

G_END_DECLS
