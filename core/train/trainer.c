/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deals a batch out to lanes, sums their gradients, and takes a step. */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "model/metadata.h"
#include "train/private.h"
#include "plan/training.h"

#define MIN_LANES 2
#define LANE_BYTES                                                             \
    (1 << 23) /* the gradients of all lanes, except MIN_LANES   \
                              */
#define MICRO_BATCH_BYTES                                                      \
    (3 << 19)                      /* of a plan that stays in a core's cache  \
                                     */
#define WEIGHTS_AN_IMAGE (1 << 14) /* the most to read for each image */
#define CHUNK 4096                 /* weights of a task that sums lanes */

/* Lets all weights of the model lie in one array, as long as it is trained. */
static gboolean gather_weights(AeTrainer *t, GError **error)
{
    int64_t offset = 0;

    t->n_weights = ae_model_parameters(t->model);
    t->weights = ae_alloc_floats((size_t)t->n_weights);
    t->tensors = g_new0(float *, t->model->values->len + 1);
    if (t->weights == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "no memory for %" G_GINT64_FORMAT " weights", t->n_weights);
        return FALSE;
    }
    for (guint i = 0; i < t->model->values->len; i++) {
        AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        int64_t n = ae_shape_elements(&value->constant->shape);
        memcpy(t->weights + offset, value->constant->data,
               (size_t)n * sizeof(float));
        t->tensors[i] = value->constant->data;
        value->constant->data = t->weights + offset;
        offset += n;
    }
    return TRUE;
}

/* Copies the weights back into the model's own tensors. */
static void scatter_weights(AeTrainer *t)
{
    for (guint i = 0; t->tensors != NULL && i < t->model->values->len; i++) {
        AeTensor *tensor = ae_model_value(t->model, (int)i)->constant;
        if (t->tensors[i] == NULL)
            continue;
        memcpy(t->tensors[i], tensor->data,
               (size_t)ae_shape_elements(&tensor->shape) * sizeof(float));
        tensor->data = t->tensors[i];
    }
    g_free(t->tensors);
}

/* Finds the values of the model that the loss reads. */
static gboolean find_codes(AeTrainer *t, GError **error)
{
    static const struct {
        int n;
        AeMetadataName names[AE_TRAINER_CODES];
    } terms[] = {
        [AE_CODE_FREE] = {0},
        [AE_CODE_KL] = {2, {AE_NAME_MEAN, AE_NAME_LOG_VARIANCE}},
        [AE_CODE_L1] = {1, {AE_NAME_LATENT}},
        [AE_CODE_ADVERSARIAL] = {1, {AE_NAME_LATENT}},
    };
    const int n = terms[t->options.code_term].n;

    t->outputs[t->n_outputs++] =
        ae_model_value(t->model, ae_model_output(t->model, 0))->name;
    for (int i = 0; i < n; i++) {
        const AeValue *value = ae_metadata_value(
            t->model, terms[t->options.code_term].names[i], error);
        if (value == NULL) {
            g_prefix_error(error, "this is not %s: ",
                           t->options.code_term == AE_CODE_KL
                               ? "a variational autoencoder"
                               : "an autoencoder with a code");
            return FALSE;
        }
        t->outputs[t->n_outputs++] = value->name;
    }
    return TRUE;
}

static AePlan *new_plan(AeTrainer *t, const AeShape *shape, int images,
                        GError **error)
{
    AeShape shapes[2] = {*shape, ae_shape(2, images, (int)t->label_size)};
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)t->model->inputs->len,
                             .outputs = t->outputs,
                             .n_outputs = t->n_outputs,
                             .gradients = !t->options.evaluate};

    shapes[0].dim[0] = images;
    return ae_plan_new(t->model, &options, error);
}

/* Sets the sizes of one image. */
static gboolean measure(AeTrainer *t, AePlan *plan, GError **error)
{
    gboolean empty = FALSE, trained = TRUE;

    t->in_size = ae_shape_elements(ae_plan_input_shape(plan, 0));
    t->target_size = ae_shape_elements(ae_plan_output_shape(plan, 0));
    if (t->n_outputs > 1)
        t->code_size = ae_shape_elements(ae_plan_output_shape(plan, 1));
    for (int i = 0; i < t->n_outputs; i++) {
        empty |= ae_shape_elements(ae_plan_output_shape(plan, i)) == 0;
        trained &= ae_plan_output_gradient(plan, i) != NULL;
    }
    if (t->in_size == 0 || empty)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_SHAPE,
                            "the model's input or output is empty");
    else if (!t->options.evaluate && !trained)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "the model's output depends on no weight: there "
                            "is nothing to train");
    else
        return TRUE;
    return FALSE;
}

/* TRUE if the model can run on micro-batches of @images: a file may fix the
 * batch size. */
static gboolean can_take(AeTrainer *t, const AeShape *shape, int images)
{
    g_autoptr(AePlan) plan = new_plan(t, shape, images, NULL);

    return plan != NULL && ae_shape_elements(ae_plan_output_shape(plan, 0)) ==
                               images * t->target_size;
}

/* Models with many weights have fewer lanes, because each step has to sum the
 * gradients of all lanes. */
static int choose_lanes(int64_t n_weights)
{
    int64_t fit = LANE_BYTES / (int64_t)sizeof(float) / MAX(n_weights, 1);

    return (int)CLAMP(fit, MIN_LANES, AE_TRAINER_LANES);
}

/* Chooses the size of a micro-batch: as many images as the cache holds; more if
 * the model has many weights, which each micro-batch reads once, or steps that
 * need more; but no more than leave some for each lane. */
static gboolean choose_images(AeTrainer *t, const AeShape *shape,
                              GError **error)
{
    g_autoptr(AePlan) plan = new_plan(t, shape, 1, error);

    if (plan == NULL || !measure(t, plan, error))
        return FALSE;
    int64_t fit = MICRO_BATCH_BYTES / (int64_t)MAX(ae_plan_memory(plan), 1);
    fit = MAX(fit, t->n_weights / WEIGHTS_AN_IMAGE);
    fit = MAX(fit, ae_plan_images(plan));
    t->images =
        (int)MIN(fit, (t->options.batch_size + t->lanes - 1) / t->lanes);
    if (!can_take(t, shape, t->images))
        t->images = 1;
    return TRUE;
}

/* An array of @size floats for each image of a batch. Clears @enough if there
 * is no memory. */
static float *batch_of(const AeTrainer *t, int64_t size, gboolean *enough)
{
    float *floats =
        ae_alloc_floats((size_t)t->options.batch_size * (size_t)size);

    *enough = *enough && floats != NULL;
    return floats;
}

static gboolean allocate_batch(AeTrainer *t)
{
    gboolean enough = TRUE;

    t->inputs = batch_of(t, t->in_size, &enough);
    t->targets = batch_of(t, t->target_size, &enough);
    t->outputs_made = batch_of(t, t->target_size, &enough);
    t->labels = batch_of(t, t->label_size, &enough);
    t->codes = batch_of(t, t->code_size, &enough);
    t->losses = g_new0(double, t->options.batch_size);
    t->code_losses = g_new0(double, t->options.batch_size);
    return enough;
}

static gboolean allocate_arenas(AeTrainer *t)
{
    size_t n = (size_t)t->n_weights;
    gboolean enough = TRUE;

    for (int i = 0; i < t->lanes; i++) {
        t->gradients[i] = ae_alloc_floats(n);
        enough &= t->gradients[i] != NULL;
    }
    for (int i = 0; i < ae_optimizer_moments(t->options.optimizer); i++) {
        t->moments[i] = ae_alloc_floats(n);
        enough &= t->moments[i] != NULL;
    }
    t->chunk_norms =
        ae_alloc((size_t)t->n_weights / CHUNK + 1, sizeof(double), NULL);
    return enough && t->chunk_norms != NULL;
}

static gboolean make_plans(AeTrainer *t, const AeShape *shape, GError **error)
{
    t->plans = g_new0(AePlan *, ae_pool_threads(t->pool));
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        if ((t->plans[i] = new_plan(t, shape, t->images, error)) == NULL)
            return FALSE;
    return TRUE;
}

static gboolean make_adversary(AeTrainer *t, GError **error)
{
    AeAdversaryOptions options = {
        .code_size = (int)t->code_size,
        .learning_rate = t->options.adversary_rate,
        .cosine_steps = t->options.cosine_steps,
        .batch_size = t->options.batch_size,
        .micro_batch = t->images,
        .threads = ae_pool_threads(t->pool),
        .seed = t->options.seed,
    };

    if (t->options.code_term == AE_CODE_ADVERSARIAL && !t->options.evaluate)
        t->adversary = ae_adversary_new(&options, error);
    else
        return TRUE;
    return t->adversary != NULL;
}

static gboolean allocate(AeTrainer *t, const AeShape *shape, GError **error)
{
    if (!allocate_batch(t) || (!t->options.evaluate && !allocate_arenas(t))) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "no memory to train with batches of %d images",
                    t->options.batch_size);
        return FALSE;
    }
    return make_plans(t, shape, error) && make_adversary(t, error);
}

/* The number of values of the label; 0 if the model takes none; -1 if it has
 * other inputs. */
static int64_t find_label_size(const AeModel *model)
{
    const AeValue *value;

    if (model->inputs->len == 1)
        return 0;
    value = ae_model_value(model, ae_model_input(model, 1));
    if (model->inputs->len > 2 ||
        ae_metadata_value(model, AE_NAME_LABEL, NULL) != value ||
        !value->has_shape || value->shape.rank != 2)
        return -1;
    return value->shape.dim[1];
}

static gboolean check(const AeModel *model, const AeShape *shape,
                      const AeTrainerOptions *options, GError **error)
{
    const char *wrong = NULL;
    AeMetadata metadata;

    if (!ae_metadata_read(model, &metadata, error))
        return FALSE;
    if (find_label_size(model) < 0 || model->outputs->len != 1)
        wrong = "a model with one output and one input, and a label at most, "
                "can be trained";
    else if (shape->rank < 1)
        wrong = "training needs a batch axis";
    else if (options->batch_size < 1)
        wrong = "the batch size must be at least 1";
    else if (!(options->learning_rate > 0))
        wrong = "the learning rate must be above 0";
    if (wrong != NULL)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE, wrong);
    return wrong == NULL;
}

AeTrainer *ae_trainer_new(AeModel *model, const AeShape *shape,
                          const AeTrainerOptions *options, GError **error)
{
    if (!check(model, shape, options, error))
        return NULL;
    AeTrainer *t = g_new0(AeTrainer, 1);
    t->options = *options;
    t->model = g_atomic_ref_count_compare(&model->refs, 1)
                   ? ae_model_ref(model)
                   : ae_model_copy(model, error);
    t->kernels = ae_kernels_get();
    t->pool = ae_pool_new(options->threads);
    t->lanes = choose_lanes(ae_model_parameters(model));
    t->label_size = find_label_size(model);
    if (t->model == NULL || !find_codes(t, error) ||
        !gather_weights(t, error) || !choose_images(t, shape, error) ||
        !allocate(t, shape, error)) {
        ae_trainer_free(t);
        return NULL;
    }
    return t;
}

void ae_trainer_free(AeTrainer *t)
{
    if (t == NULL)
        return;
    for (int i = 0; t->plans != NULL && i < ae_pool_threads(t->pool); i++)
        ae_plan_free(t->plans[i]);
    g_free(t->plans);
    ae_adversary_free(t->adversary);
    if (t->model != NULL) {
        scatter_weights(t);
        ae_model_unref(t->model);
    }
    ae_pool_free(t->pool);
    ae_free(t->weights);
    ae_free(t->moments[0]);
    ae_free(t->moments[1]);
    for (int i = 0; i < AE_TRAINER_LANES; i++)
        ae_free(t->gradients[i]);
    ae_free(t->inputs);
    ae_free(t->targets);
    ae_free(t->outputs_made);
    ae_free(t->labels);
    ae_free(t->codes);
    g_free(t->losses);
    g_free(t->code_losses);
    ae_free(t->chunk_norms);
    g_free(t);
}

float *ae_trainer_input(AeTrainer *t, int i)
{
    return t->inputs + i * t->in_size;
}

float *ae_trainer_target(AeTrainer *t, int i)
{
    return t->targets + i * t->target_size;
}

float *ae_trainer_label(AeTrainer *t, int i)
{
    return t->labels + i * t->label_size;
}

const float *ae_trainer_output(const AeTrainer *t, int i)
{
    return t->outputs_made + i * t->target_size;
}

int64_t ae_trainer_input_size(const AeTrainer *t)
{
    return t->in_size;
}

int64_t ae_trainer_target_size(const AeTrainer *t)
{
    return t->target_size;
}

int64_t ae_trainer_label_size(const AeTrainer *t)
{
    return t->label_size;
}

int64_t ae_trainer_steps(const AeTrainer *t)
{
    return t->step;
}

AeModel *ae_trainer_model(AeTrainer *t)
{
    return t->model;
}

/* The sum of an image's losses is divided by it. */
static double loss_divisor(const AeTrainer *t)
{
    return t->options.sum ? 1 : (double)t->target_size;
}

/* The gradient of output @i of a micro-batch with @n images, zero for the
 * images that fill the rest of the plan; NULL while not learning. */
static float *output_gradient(const AeTrainer *t, AePlan *plan, int i, int n)
{
    const AeShape *shape = ae_plan_output_shape(plan, i);
    int64_t size = ae_shape_elements(shape) / t->images;
    float *gradient;

    if (!t->learning)
        return NULL;
    gradient = ae_plan_output_gradient(plan, i);
    memset(gradient + n * size, 0,
           (size_t)((t->images - n) * size) * sizeof(float));
    return gradient;
}

/* Reconstruction losses of images [first, first + n), and their gradients. */
static void image_losses(AeTrainer *t, AePlan *plan, int first, int n)
{
    float *gradient = output_gradient(t, plan, 0, n);
    float scale = (float)(1 / (t->n * loss_divisor(t)));

    memcpy(t->outputs_made + first * t->target_size, ae_plan_output(plan, 0),
           (size_t)(n * t->target_size) * sizeof(float));
    for (int i = 0; i < n; i++)
        t->losses[first + i] =
            ae_loss(t->options.loss, ae_trainer_output(t, first + i),
                    ae_trainer_target(t, first + i), t->target_size, scale,
                    gradient != NULL ? gradient + i * t->target_size : NULL);
}

static float *at(float *gradient, int64_t offset)
{
    return gradient != NULL ? gradient + offset : NULL;
}

static void kl_losses(AeTrainer *t, AePlan *plan, int first, int n, float scale)
{
    const float *mean = ae_plan_output(plan, 1);
    const float *log_variance = ae_plan_output(plan, 2);
    float *mean_gradient = output_gradient(t, plan, 1, n);
    float *variance_gradient = output_gradient(t, plan, 2, n);

    for (int i = 0; i < n; i++) {
        int64_t offset = i * t->code_size;
        t->code_losses[first + i] = ae_loss_kl(
            mean + offset, log_variance + offset, t->code_size, scale,
            at(mean_gradient, offset), at(variance_gradient, offset));
    }
}

/* The code's term for images [first, first + n), and its gradients. */
static void code_losses(AeTrainer *t, AePlan *plan, int thread, int first,
                        int n)
{
    float scale = t->options.code_weight / (float)t->n;
    const float *code;
    float *gradient;

    if (t->options.code_term == AE_CODE_FREE)
        return;
    if (t->options.code_term == AE_CODE_KL) {
        kl_losses(t, plan, first, n, scale);
        return;
    }
    code = ae_plan_output(plan, 1);
    gradient = output_gradient(t, plan, 1, n);
    memcpy(t->codes + first * t->code_size, code,
           (size_t)(n * t->code_size) * sizeof(float));
    if (t->adversary != NULL)
        ae_adversary_judge(t->adversary, thread, code, n, scale,
                           t->code_losses + first, gradient);
    for (int i = 0; t->options.code_term == AE_CODE_L1 && i < n; i++)
        t->code_losses[first + i] =
            ae_loss_l1_norm(code + i * t->code_size, t->code_size, scale,
                            at(gradient, i * t->code_size));
}

/* Copies rows [first, first + n) of @batch to an input of @plan, and repeats
 * the last row to fill the rest of the plan. The gradient of the repeated rows
 * is zero; they are real data because a network may not bear anything else. */
static void feed(const AeTrainer *t, AePlan *plan, int input,
                 const float *batch, int64_t size, int first, int n)
{
    float *target = ae_plan_input(plan, input);

    memcpy(target, batch + first * size, (size_t)(n * size) * sizeof(float));
    for (int i = n; i < t->images; i++)
        memcpy(target + i * size, target + (n - 1) * size,
               (size_t)size * sizeof(float));
}

static void run_micro_batch(AeTrainer *t, int thread, int index, int lane)
{
    AePlan *plan = t->plans[thread];
    int first = index * t->images, n = MIN(t->images, t->n - first);

    feed(t, plan, 0, t->inputs, t->in_size, first, n);
    if (t->label_size > 0)
        feed(t, plan, 1, t->labels, t->label_size, first, n);
    ae_plan_set_seed(
        plan, ae_random_mix(ae_random_mix(t->options.seed, (uint64_t)t->step),
                            (uint64_t)index));
    ae_plan_run(plan);
    image_losses(t, plan, first, n);
    code_losses(t, plan, thread, first, n);
    if (t->learning)
        ae_plan_backward(plan, t->gradients[lane]);
}

static void run_lane(void *data, int64_t lane, int thread)
{
    AeTrainer *t = data;

    if (t->learning)
        memset(t->gradients[lane], 0, (size_t)t->n_weights * sizeof(float));
    for (int i = (int)lane; i * t->images < t->n; i += t->lanes)
        run_micro_batch(t, thread, i, (int)lane);
}

static AeTrainerLoss run_batch(AeTrainer *t, int n, gboolean learning)
{
    AeTrainerLoss loss = {0};

    t->n = n;
    t->learning = learning;
    ae_pool_run(t->pool, run_lane, t, t->lanes);
    for (int i = 0; i < n; i++) {
        loss.reconstruction += t->losses[i] / loss_divisor(t) / n;
        loss.code += t->code_losses[i] / n;
    }
    loss.total = loss.reconstruction;
    if (t->options.code_term != AE_CODE_FREE)
        loss.total += (double)t->options.code_weight * loss.code;
    return loss;
}

/* Sums a part of the gradients of all lanes into lane 0, in their order, and
 * the squares of the sums into chunk_norms. */
static void sum_chunk(void *data, int64_t chunk, int thread G_GNUC_UNUSED)
{
    AeTrainer *t = data;
    int64_t begin = chunk * CHUNK, n = MIN(CHUNK, t->n_weights - begin);
    float *sum = t->gradients[0] + begin;

    for (int lane = 1; lane < t->lanes; lane++)
        t->kernels->add(sum, sum, t->gradients[lane] + begin, n);
    t->chunk_norms[chunk] = t->kernels->sum_squares(sum, n);
}

static double sum_gradients(AeTrainer *t)
{
    int64_t chunks = (t->n_weights + CHUNK - 1) / CHUNK;
    double norm = 0;

    ae_pool_run(t->pool, sum_chunk, t, chunks);
    for (int64_t i = 0; i < chunks; i++)
        norm += t->chunk_norms[i];
    return sqrt(norm);
}

static float learning_rate(const AeTrainer *t)
{
    double rate = t->options.learning_rate;
    double period = (double)t->options.cosine_steps;

    if (t->options.cosine_steps <= 0)
        return (float)rate;
    return (float)(rate * 0.5 *
                   (1 + cos(G_PI * MIN((double)t->step / period, 1))));
}

gboolean ae_trainer_step(AeTrainer *t, int n, AeTrainerLoss *loss,
                         GError **error)
{
    float clip = t->options.clip_norm;

    *loss = run_batch(t, n, TRUE);
    double norm = sum_gradients(t);
    if (!isfinite(loss->total) || !isfinite(norm)) {
        g_set_error(error, AE_ERROR, AE_ERROR_DIVERGED,
                    "training diverged at step %" G_GINT64_FORMAT
                    ": the loss is %g and the gradient's norm %g; lower the "
                    "learning rate",
                    t->step + 1, loss->total, norm);
        return FALSE;
    }
    if (t->adversary != NULL &&
        !ae_adversary_learn(t->adversary, t->codes, n, &loss->accuracy, error))
        return FALSE;
    float scale = clip > 0 && norm > clip ? (float)(clip / norm) : 1;
    ae_optimizer_step(t->options.optimizer, t->weights, t->gradients[0],
                      t->moments, t->n_weights, t->step + 1, learning_rate(t),
                      scale, t->kernels, t->pool);
    t->step++;
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        ae_plan_weights_changed(t->plans[i]);
    return TRUE;
}

AeTrainerLoss ae_trainer_evaluate(AeTrainer *t, int n, double *losses)
{
    AeTrainerLoss loss = run_batch(t, n, FALSE);

    for (int i = 0; losses != NULL && i < n; i++)
        losses[i] = t->losses[i] / loss_divisor(t);
    return loss;
}
