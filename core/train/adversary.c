/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The discriminator is the model of an ordinary trainer. Its loss is the binary
 * cross-entropy between D and the target, 1 for samples and 0 for codes. To
 * judge codes, each thread has a plan that runs the same model forward, and
 * backward to its input. */
#include "train/adversary.h"

#include <string.h>

#include "networks/architectures.h"
#include "base/error.h"
#include "base/random.h"
#include "train/private.h"
#include "plan/training.h"

#define PREFIX "discriminator." /* in checkpoints */
#define STREAM_WEIGHTS 11       /* parts of the seed */
#define STREAM_PRIOR 12

typedef struct {
    AePlan *plan;
    float *gradients; /* of the weights; ignored */
} Judge;

struct AeAdversary {
    AeAdversaryOptions options;
    AeTrainer *trainer;
    Judge *judges; /* one a thread */
};

static gboolean make_judge(AeAdversary *a, Judge *judge, GError **error)
{
    AeModel *model = ae_trainer_model(a->trainer);
    AeShape shape = ae_shape(2, a->options.micro_batch, a->options.code_size);
    AePlanOptions options = {.shapes = &shape,
                             .n_inputs = 1,
                             .gradients = TRUE,
                             .input_gradients = TRUE};

    judge->plan = ae_plan_new(model, &options, error);
    if (judge->plan == NULL)
        return FALSE;
    judge->gradients = ae_alloc_floats((size_t)ae_model_parameters(model));
    if (judge->gradients == NULL)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                            "no memory for the discriminator");
    return judge->gradients != NULL;
}

AeAdversary *ae_adversary_new(const AeAdversaryOptions *options, GError **error)
{
    AeAdversary *a = g_new0(AeAdversary, 1);
    g_autoptr(AeModel) model = ae_architecture_discriminator(
        options->code_size, ae_random_mix(options->seed, STREAM_WEIGHTS),
        error);
    AeShape shape = ae_shape(2, 1, options->code_size);
    AeTrainerOptions training = {.loss = AE_LOSS_BCE,
                                 .learning_rate = options->learning_rate,
                                 .cosine_steps = options->cosine_steps,
                                 .batch_size = 2 * options->batch_size,
                                 .threads = options->threads,
                                 .seed = options->seed};

    a->options = *options;
    if (model != NULL)
        a->trainer = ae_trainer_new(model, &shape, &training, error);
    a->judges = g_new0(Judge, options->threads);
    for (int i = 0; i < options->threads; i++)
        if (a->trainer == NULL || !make_judge(a, &a->judges[i], error)) {
            ae_adversary_free(a);
            return NULL;
        }
    return a;
}

void ae_adversary_free(AeAdversary *a)
{
    if (a == NULL)
        return;
    for (int i = 0; i < a->options.threads; i++) {
        ae_plan_free(a->judges[i].plan);
        ae_free(a->judges[i].gradients);
    }
    g_free(a->judges);
    ae_trainer_free(a->trainer);
    g_free(a);
}

void ae_adversary_judge(AeAdversary *a, int thread, const float *codes, int n,
                        float scale, double *losses, float *gradient)
{
    static const float real = 1;
    const Judge *judge = &a->judges[thread];
    size_t size = (size_t)n * (size_t)a->options.code_size * sizeof(float);
    size_t weights = (size_t)ae_model_parameters(ae_trainer_model(a->trainer));
    float *slope = ae_plan_output_gradient(judge->plan, 0);

    memcpy(ae_plan_input(judge->plan, 0), codes, size);
    ae_plan_run(judge->plan);
    memset(slope, 0, (size_t)a->options.micro_batch * sizeof(float));
    for (int i = 0; i < n; i++)
        losses[i] = ae_loss(AE_LOSS_BCE, ae_plan_output(judge->plan, 0) + i,
                            &real, 1, scale, slope + i);
    if (gradient == NULL)
        return;
    memset(judge->gradients, 0, weights * sizeof(float));
    ae_plan_backward(judge->plan, judge->gradients);
    memcpy(gradient, ae_plan_input_gradient(judge->plan, 0), size);
}

/* Fills the trainer's batch with @n codes and then @n samples. */
static void fill(AeAdversary *a, const float *codes, int n)
{
    int64_t size = a->options.code_size;
    AeRandom random = ae_random(ae_random_mix(a->options.seed, STREAM_PRIOR),
                                (uint64_t)ae_trainer_steps(a->trainer));

    memcpy(ae_trainer_input(a->trainer, 0), codes,
           (size_t)(n * size) * sizeof(float));
    ae_random_normals(&random, ae_trainer_input(a->trainer, n), n * size);
    for (int i = 0; i < 2 * n; i++)
        *ae_trainer_target(a->trainer, i) = i < n ? 0 : 1;
}

gboolean ae_adversary_learn(AeAdversary *a, const float *codes, int n,
                            double *accuracy, GError **error)
{
    AeTrainerLoss loss;
    int right = 0;

    fill(a, codes, n);
    if (!ae_trainer_step(a->trainer, 2 * n, &loss, error)) {
        g_prefix_error_literal(error, "discriminator: ");
        return FALSE;
    }
    for (int i = 0; i < 2 * n; i++)
        right += (*ae_trainer_output(a->trainer, i) > 0.5f) == (i >= n);
    *accuracy = right / (2.0 * n);
    for (int i = 0; i < a->options.threads; i++)
        ae_plan_weights_changed(a->judges[i].plan);
    return TRUE;
}

gboolean ae_adversary_write_state(const AeAdversary *a, AeSafetensors *file,
                                  GError **error)
{
    return ae_trainer_write_state(a->trainer, file, PREFIX, error);
}

gboolean ae_adversary_read_state(AeAdversary *a, const AeSafetensors *file,
                                 int64_t step, GError **error)
{
    if (!ae_trainer_read_state(a->trainer, file, PREFIX, step, error))
        return FALSE;
    for (int i = 0; i < a->options.threads; i++)
        ae_plan_weights_changed(a->judges[i].plan);
    return TRUE;
}
