/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "plan.h"
#include "random.h"
#include "safetensors.h"

#define MAX_LANES 8 /* more threads than this idle */
#define MIN_LANES 2
#define LANE_BYTES (1 << 23) /* of all gradient arenas, if that many fit */
#define PASS_BYTES (3 << 19) /* of a plan: what stays in a core's own cache */
#define CHUNK 4096           /* weights a task when lanes are summed */
#define MAX_STEPS ((gint64)1 << 40) /* of a checkpoint that is believed */

struct AeTrainer {
    AeModel *model;
    AeTrainerOptions options;
    AePool *pool;
    const AeKernels *kernels;
    AePlan **plans;               /* one a thread, each for `images` images */
    int lanes;                    /* gradient arenas */
    int images;                   /* of one pass through a plan */
    int64_t in_size, target_size; /* floats of one image */

    float *inputs, *targets, *outputs; /* batch_size images each */
    double *losses;                    /* batch_size sums */
    int n;                             /* images of the batch in hand */
    gboolean learning;

    int64_t n_weights;
    float *weights, *moments[2];
    float *gradients[MAX_LANES];
    double *chunk_norms;
    int64_t step;
};

/* Moves all weights of the model into one arena. */
static gboolean gather_weights(AeTrainer *t, GError **error)
{
    int64_t offset = 0;

    t->n_weights = ae_model_parameters(t->model);
    t->weights = ae_alloc_floats((size_t)t->n_weights);
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
        ae_free(value->constant->data);
        value->constant->data = t->weights + offset;
        offset += n;
    }
    return TRUE;
}

/* Gives the weights back to the tensors, for those who keep the model. */
static void scatter_weights(AeTrainer *t)
{
    for (guint i = 0; i < t->model->values->len; i++) {
        AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        int64_t n = ae_shape_elements(&value->constant->shape);
        float *data = ae_alloc_floats((size_t)n);
        g_assert(data != NULL);
        memcpy(data, value->constant->data, (size_t)n * sizeof(float));
        value->constant->data = data;
    }
}

static AePlan *new_plan(AeTrainer *t, const AeShape *shape, int images,
                        GError **error)
{
    AeShape batch = *shape;
    AePlanOptions options = {
        .shapes = &batch, .n_inputs = 1, .gradients = !t->options.evaluate};

    batch.dim[0] = images;
    return ae_plan_new(t->model, &options, error);
}

/* Sets the sizes of one image. */
static gboolean measure(AeTrainer *t, AePlan *plan, GError **error)
{
    t->in_size = ae_shape_elements(ae_plan_input_shape(plan, 0));
    t->target_size = ae_shape_elements(ae_plan_output_shape(plan, 0));
    if (t->in_size == 0 || t->target_size == 0)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_SHAPE,
                            "the model's input or output is empty");
    else if (!t->options.evaluate && ae_plan_output_gradient(plan, 0) == NULL)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "the model's output depends on no weight: there "
                            "is nothing to train");
    else
        return TRUE;
    return FALSE;
}

/* TRUE if a pass can take @images: files may fix the batch. */
static gboolean can_take(AeTrainer *t, const AeShape *shape, int images)
{
    g_autoptr(AePlan) plan = new_plan(t, shape, images, NULL);

    return plan != NULL && ae_shape_elements(ae_plan_output_shape(plan, 0)) ==
                               images * t->target_size;
}

/* Each lane costs memory traffic for all weights, once a step. */
static int choose_lanes(int64_t n_weights)
{
    int64_t fit = LANE_BYTES / (int64_t)sizeof(float) / MAX(n_weights, 1);

    return (int)CLAMP(fit, MIN_LANES, MAX_LANES);
}

/* How many images a pass takes: as many as the cache holds, without leaving a
 * lane empty. */
static gboolean choose_images(AeTrainer *t, const AeShape *shape,
                              GError **error)
{
    g_autoptr(AePlan) plan = new_plan(t, shape, 1, error);

    if (plan == NULL || !measure(t, plan, error))
        return FALSE;
    int fit = (int)(PASS_BYTES / MAX(ae_plan_memory(plan), 1));
    t->images =
        CLAMP(fit, 1, (t->options.batch_size + t->lanes - 1) / t->lanes);
    if (!can_take(t, shape, t->images))
        t->images = 1;
    return TRUE;
}

static gboolean allocate(AeTrainer *t, const AeShape *shape, GError **error)
{
    size_t batch = (size_t)t->options.batch_size;
    gboolean enough;

    t->inputs = ae_alloc_floats(batch * (size_t)t->in_size);
    t->targets = ae_alloc_floats(batch * (size_t)t->target_size);
    t->outputs = ae_alloc_floats(batch * (size_t)t->target_size);
    enough = t->inputs != NULL && t->targets != NULL && t->outputs != NULL;
    for (int i = 0; !t->options.evaluate && i < t->lanes; i++) {
        t->gradients[i] = ae_alloc_floats((size_t)t->n_weights);
        enough &= t->gradients[i] != NULL;
    }
    for (int i = 0;
         !t->options.evaluate && i < ae_optimizer_moments(t->options.optimizer);
         i++) {
        t->moments[i] = ae_alloc_floats((size_t)t->n_weights);
        enough &= t->moments[i] != NULL;
    }
    t->losses = g_new0(double, batch);
    t->chunk_norms = g_new0(double, t->n_weights / CHUNK + 1);
    if (!enough) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "no memory to train with batches of %zu images", batch);
        return FALSE;
    }
    t->plans = g_new0(AePlan *, ae_pool_threads(t->pool));
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        if ((t->plans[i] = new_plan(t, shape, t->images, error)) == NULL)
            return FALSE;
    return TRUE;
}

static gboolean check(const AeModel *model, const AeShape *shape,
                      const AeTrainerOptions *options, GError **error)
{
    const char *wrong = NULL;

    if (model->inputs->len != 1 || model->outputs->len != 1)
        wrong = "a model with one input and one output can be trained";
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
                   : ae_model_copy(model);
    t->kernels = ae_kernels_get();
    t->pool = ae_pool_new(options->threads);
    t->lanes = choose_lanes(ae_model_parameters(t->model));
    if (!gather_weights(t, error) || !choose_images(t, shape, error) ||
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
    if (t->weights != NULL)
        scatter_weights(t);
    ae_model_unref(t->model);
    ae_pool_free(t->pool);
    ae_free(t->weights);
    ae_free(t->moments[0]);
    ae_free(t->moments[1]);
    for (int i = 0; i < MAX_LANES; i++)
        ae_free(t->gradients[i]);
    ae_free(t->inputs);
    ae_free(t->targets);
    ae_free(t->outputs);
    g_free(t->losses);
    g_free(t->chunk_norms);
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

const float *ae_trainer_output(const AeTrainer *t, int i)
{
    return t->outputs + i * t->target_size;
}

int64_t ae_trainer_input_size(const AeTrainer *t)
{
    return t->in_size;
}

int64_t ae_trainer_target_size(const AeTrainer *t)
{
    return t->target_size;
}

int64_t ae_trainer_steps(const AeTrainer *t)
{
    return t->step;
}

AeModel *ae_trainer_model(AeTrainer *t)
{
    return t->model;
}

/* Losses of images [first, first + n) and the gradient of their outputs. */
static void pass_losses(AeTrainer *t, AePlan *plan, int first, int n)
{
    float *gradient = t->learning ? ae_plan_output_gradient(plan, 0) : NULL;
    float scale = (float)(1.0 / ((double)t->n * (double)t->target_size));

    memcpy(t->outputs + first * t->target_size, ae_plan_output(plan, 0),
           (size_t)(n * t->target_size) * sizeof(float));
    for (int i = 0; i < n; i++)
        t->losses[first + i] =
            ae_loss(t->options.loss, ae_trainer_output(t, first + i),
                    ae_trainer_target(t, first + i), t->target_size, scale,
                    t->learning ? gradient + i * t->target_size : NULL);
    if (t->learning)
        memset(gradient + n * t->target_size, 0,
               (size_t)((t->images - n) * t->target_size) * sizeof(float));
}

static void run_pass(AeTrainer *t, AePlan *plan, int pass, int lane)
{
    int first = pass * t->images, n = MIN(t->images, t->n - first);

    memcpy(ae_plan_input(plan, 0), ae_trainer_input(t, first),
           (size_t)(n * t->in_size) * sizeof(float));
    memset(ae_plan_input(plan, 0) + n * t->in_size, 0,
           (size_t)((t->images - n) * t->in_size) * sizeof(float));
    ae_plan_set_seed(
        plan, ae_random_mix(ae_random_mix(t->options.seed, (uint64_t)t->step),
                            (uint64_t)pass));
    ae_plan_run(plan);
    pass_losses(t, plan, first, n);
    if (t->learning)
        ae_plan_backward(plan, t->gradients[lane]);
}

static void run_lane(void *data, int64_t lane, int thread)
{
    AeTrainer *t = data;

    if (t->learning)
        memset(t->gradients[lane], 0, (size_t)t->n_weights * sizeof(float));
    for (int pass = (int)lane; pass * t->images < t->n; pass += t->lanes)
        run_pass(t, t->plans[thread], pass, (int)lane);
}

static double run_batch(AeTrainer *t, int n, gboolean learning)
{
    double sum = 0;

    t->n = n;
    t->learning = learning;
    ae_pool_run(t->pool, run_lane, t, t->lanes);
    for (int i = 0; i < n; i++)
        sum += t->losses[i];
    return sum / ((double)n * (double)t->target_size);
}

/* Lane 0 becomes the sum of all, in order; chunk_norms the sums of squares. */
static void sum_chunk(void *data, int64_t chunk, int thread)
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

gboolean ae_trainer_step(AeTrainer *t, int n, double *loss, GError **error)
{
    float clip = t->options.clip_norm;

    *loss = run_batch(t, n, TRUE);
    double norm = sum_gradients(t);
    if (!isfinite(*loss) || !isfinite(norm)) {
        g_set_error(error, AE_ERROR, AE_ERROR_DIVERGED,
                    "training diverged at step %" G_GINT64_FORMAT
                    ": the loss is %g and the gradient's norm %g; lower the "
                    "learning rate",
                    t->step + 1, *loss, norm);
        return FALSE;
    }
    float scale = clip > 0 && norm > clip ? (float)(clip / norm) : 1;
    ae_optimizer_step(t->options.optimizer, t->weights, t->gradients[0],
                      t->moments, t->n_weights, t->step + 1, learning_rate(t),
                      scale, t->kernels, t->pool);
    t->step++;
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        ae_plan_weights_changed(t->plans[i]);
    return TRUE;
}

double ae_trainer_evaluate(AeTrainer *t, int n, double *losses)
{
    double loss = run_batch(t, n, FALSE);

    for (int i = 0; losses != NULL && i < n; i++)
        losses[i] = t->losses[i] / (double)t->target_size;
    return loss;
}

/* What must agree for further steps to repeat. */
static void describe(const AeTrainer *t, GHashTable *map)
{
    const AeTrainerOptions *o = &t->options;

    g_hash_table_insert(map, g_strdup("ae.loss"),
                        g_strdup_printf("%d", o->loss));
    g_hash_table_insert(map, g_strdup("ae.optimizer"),
                        g_strdup_printf("%d", o->optimizer));
    g_hash_table_insert(map, g_strdup("ae.batch-size"),
                        g_strdup_printf("%d", o->batch_size));
    g_hash_table_insert(map, g_strdup("ae.seed"),
                        g_strdup_printf("%" G_GUINT64_FORMAT, o->seed));
    g_hash_table_insert(map, g_strdup("ae.cosine-steps"),
                        g_strdup_printf("%" G_GINT64_FORMAT, o->cosine_steps));
    g_hash_table_insert(map, g_strdup("ae.learning-rate"),
                        g_strdup_printf("%.9g", (double)o->learning_rate));
    g_hash_table_insert(map, g_strdup("ae.clip-norm"),
                        g_strdup_printf("%.9g", (double)o->clip_norm));
}

static void add_arena(const AeTrainer *t, AeSafetensors *file,
                      const char *prefix, const float *arena)
{
    for (guint i = 0; i < t->model->values->len; i++) {
        const AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        AeTensor *tensor = ae_tensor_copy(value->constant);
        size_t n = (size_t)ae_shape_elements(&tensor->shape);
        g_autofree char *name = g_strconcat(prefix, value->name, NULL);

        memcpy(tensor->data, arena, n * sizeof(float));
        arena += n;
        ae_safetensors_add(file, name, tensor);
    }
}

static gboolean read_arena(const AeTrainer *t, const AeSafetensors *file,
                           const char *prefix, float *arena, GError **error)
{
    for (guint i = 0; i < t->model->values->len; i++) {
        const AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        g_autofree char *name = g_strconcat(prefix, value->name, NULL);
        const AeTensor *tensor = ae_safetensors_find(file, name);
        if (tensor == NULL ||
            !ae_shape_equal(&tensor->shape, &value->constant->shape)) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "the checkpoint is of another model: it has no "
                        "tensor '%s' of the same shape",
                        name);
            return FALSE;
        }
        size_t n = (size_t)ae_shape_elements(&tensor->shape);
        memcpy(arena, tensor->data, n * sizeof(float));
        arena += n;
    }
    return TRUE;
}

static const char *const moment_prefix[2] = {"optimizer.m.", "optimizer.v."};

gboolean ae_trainer_save(AeTrainer *t, const char *path, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();

    if (!isfinite(t->kernels->sum_squares(t->weights, t->n_weights))) {
        g_set_error(error, AE_ERROR, AE_ERROR_DIVERGED,
                    "%s: is not written: training diverged, and the weights "
                    "are not finite; lower the learning rate",
                    path);
        return FALSE;
    }
    describe(t, file->metadata);
    g_hash_table_insert(file->metadata, g_strdup("ae.step"),
                        g_strdup_printf("%" G_GINT64_FORMAT, t->step));
    add_arena(t, file, "", t->weights);
    for (int i = 0; i < ae_optimizer_moments(t->options.optimizer); i++)
        add_arena(t, file, moment_prefix[i], t->moments[i]);
    return ae_safetensors_save(file, path, error);
}

static gboolean check_options(const AeTrainer *t, const AeSafetensors *file,
                              GError **error)
{
    g_autoptr(GHashTable) options =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    void *key, *value;

    describe(t, options);
    g_hash_table_iter_init(&iter, options);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *saved = g_hash_table_lookup(file->metadata, key);
        if (g_strcmp0(saved, value) == 0)
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the checkpoint was made with %s %s, not %s",
                    (char *)key + strlen("ae."),
                    saved != NULL ? saved : "unknown", (char *)value);
        return FALSE;
    }
    return TRUE;
}

/* All arenas are read before any is replaced. */
static gboolean read_state(AeTrainer *t, const AeSafetensors *file,
                           GError **error)
{
    int moments = ae_optimizer_moments(t->options.optimizer);
    size_t n = (size_t)t->n_weights;
    g_autofree float *state = g_new0(float, 3 * n + 1);
    gboolean read = read_arena(t, file, "", state, error);

    for (int i = 0; i < moments; i++)
        read = read && read_arena(t, file, moment_prefix[i],
                                  state + (size_t)(i + 1) * n, error);
    if (!read)
        return FALSE;
    memcpy(t->weights, state, n * sizeof(float));
    for (int i = 0; i < moments; i++)
        memcpy(t->moments[i], state + (size_t)(i + 1) * n, n * sizeof(float));
    return TRUE;
}

gboolean ae_trainer_resume(AeTrainer *t, const char *path, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_load(path, error);
    const char *step;
    gint64 steps;

    if (file == NULL)
        return FALSE;
    step = g_hash_table_lookup(file->metadata, "ae.step");
    if (step == NULL ||
        !g_ascii_string_to_signed(step, 10, 0, MAX_STEPS, &steps, NULL)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "%s: not a checkpoint of training: no step count", path);
        return FALSE;
    }
    if (!check_options(t, file, error) || !read_state(t, file, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    t->step = steps;
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        ae_plan_weights_changed(t->plans[i]);
    return TRUE;
}
