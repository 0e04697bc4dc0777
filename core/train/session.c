/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects samples into batches, passes over what a checkpoint has learnt,
 * validates, reports and saves. */
#include "train/session.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/processors.h"
#include "model/builtin.h"
#include "model/onnx.h"
#include "video/metrics.h"

#define REPORT_INTERVAL G_USEC_PER_SEC
#define MOVING_LIMIT 2000 /* patches in turn that moved, before a warning */

struct AeSession {
    AeSessionOptions options; /* with strings of its own */
    AeSessionWatch watch;
    void *user;

    AeTask *task;
    char **recipe;  /* options that a checkpoint holds */
    AeModel *given; /* from a file; NULL: the architecture makes it */
    AeTrainer *trainer;
    AeSampler *sampler;
    AePictureFormat format;
    AeSampleSize size;

    int filled;         /* images of the batch in hand */
    int64_t samples;    /* that have come so far */
    int64_t replay;     /* steps that the checkpoint has done already */
    int64_t steps_seen; /* batches so far, those passed over included */
    int64_t saved_step; /* of the last save */
    gboolean done;      /* max-steps are reached */
    gboolean failed;    /* no more learning and saving */
    GError *error;      /* of the call in hand */

    AeExample held_out; /* batch_size images to validate on */
    int n_held_out;
    double validation_loss; /* NaN before the first */
    double best_loss;       /* with keep-best: of the model file */
    gboolean warned;        /* that everything moves */

    int64_t begun, last_report; /* wall time in us; of the first step learnt */
    AeTrainerLoss loss;         /* of the last step; evaluation: sums */
    double sum_mse;
    int64_t measured; /* images */
};

static void notify(const AeSession *s, AeSessionEvent event, const char *format,
                   ...) G_GNUC_PRINTF(3, 4);

static void notify(const AeSession *s, AeSessionEvent event, const char *format,
                   ...)
{
    va_list args;

    if (s->watch == NULL)
        return;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    s->watch(s->user, s, event, text);
}

static gboolean is_evaluation(const AeSession *s)
{
    return s->options.mode == AE_SESSION_EVALUATE;
}

static int64_t steps_done(const AeSession *s)
{
    return s->trainer != NULL ? ae_trainer_steps(s->trainer) : 0;
}

AeSessionFacts ae_session_facts(const AeSession *s)
{
    int64_t step = steps_done(s), batch = s->options.batch_size;
    double n = (double)MAX(s->measured, 1);
    double seconds =
        (double)(g_get_monotonic_time() - s->begun) / G_USEC_PER_SEC;
    AeSessionFacts facts = {
        .step = step,
        .images = step * batch,
        .loss = s->loss,
        .code_term = ae_task_code_term(s->task),
        .validation_loss = s->validation_loss,
        .images_per_second =
            (double)((step - s->replay) * batch) / MAX(seconds, 1e-6),
    };

    if (is_evaluation(s)) {
        facts.images = s->measured;
        facts.loss.total /= n;
        facts.loss.reconstruction /= n;
        facts.loss.code /= n;
        facts.mse = s->sum_mse / n;
    }
    return facts;
}

static void report(AeSession *s)
{
    AeSessionFacts facts = ae_session_facts(s);

    notify(s, AE_SESSION_PROGRESS,
           "step %" G_GINT64_FORMAT ", loss %.5f, %.0f images/s", facts.step,
           facts.loss.total, facts.images_per_second);
    s->last_report = g_get_monotonic_time();
}

/* Place @i of a batch that begins at @batch. */
static AeExample place(const AeSession *s, AeExample batch, int i)
{
    return (AeExample){batch.input + i * ae_trainer_input_size(s->trainer),
                       batch.target + i * ae_trainer_target_size(s->trainer),
                       batch.label + i * ae_trainer_label_size(s->trainer)};
}

static AeExample trainer_batch(const AeSession *s)
{
    return (AeExample){ae_trainer_input(s->trainer, 0),
                       ae_trainer_target(s->trainer, 0),
                       ae_trainer_label(s->trainer, 0)};
}

static void copy_images(float *to, const float *from, int64_t size, int n)
{
    memcpy(to, from, (size_t)size * (size_t)n * sizeof(float));
}

/* Measures the held-out images, through the buffers of an empty batch. */
static void measure_held_out(AeSession *s)
{
    AeExample batch = trainer_batch(s), held_out = s->held_out;
    int n = s->n_held_out;

    copy_images(batch.input, held_out.input, ae_trainer_input_size(s->trainer),
                n);
    copy_images(batch.target, held_out.target,
                ae_trainer_target_size(s->trainer), n);
    copy_images(batch.label, held_out.label, ae_trainer_label_size(s->trainer),
                n);
    s->validation_loss = ae_trainer_evaluate(s->trainer, n, NULL).total;
    notify(s, AE_SESSION_VALIDATED,
           "step %" G_GINT64_FORMAT ", validation loss %.5f", steps_done(s),
           s->validation_loss);
}

static gboolean is_held_out_full(const AeSession *s)
{
    return s->n_held_out == (int)s->options.batch_size;
}

/* With keep-best: whether the model is better than all before. */
static gboolean is_better(AeSession *s)
{
    if (!s->options.keep_best)
        return TRUE;
    if (!is_held_out_full(s))
        return FALSE;
    measure_held_out(s);
    if (!(s->validation_loss < s->best_loss))
        return FALSE;
    s->best_loss = s->validation_loss;
    return TRUE;
}

/* Writes checkpoint and model, unless nothing was learnt since the last time.
 */
static void save(AeSession *s)
{
    const AeSessionOptions *o = &s->options;
    int64_t step = steps_done(s);

    if (step == s->saved_step)
        return;
    if (o->checkpoint_file != NULL &&
        !ae_trainer_save(s->trainer, (const char *const *)s->recipe,
                         o->checkpoint_file, &s->error))
        return;
    gboolean write = o->model_file != NULL && is_better(s);
    if (write) {
        ae_task_describe(s->task, ae_trainer_model(s->trainer));
        if (!ae_onnx_save(ae_trainer_model(s->trainer), o->model_file,
                          &s->error))
            return;
    }
    s->saved_step = step;
    if (write)
        notify(s, AE_SESSION_SAVED, "step %" G_GINT64_FORMAT ", wrote %s", step,
               o->model_file);
    else if (o->checkpoint_file != NULL)
        notify(s, AE_SESSION_SAVED, "step %" G_GINT64_FORMAT ", wrote %s", step,
               o->checkpoint_file);
}

static gboolean has_all_steps(const AeSession *s)
{
    uint64_t most = s->options.max_steps;

    return most > 0 && (uint64_t)steps_done(s) >= most;
}

static void learn_batch(AeSession *s)
{
    unsigned interval = s->options.checkpoint_interval;

    if (s->steps_seen == s->replay + 1) {
        s->begun = g_get_monotonic_time();
        notify(s, AE_SESSION_STARTED, "training %s",
               ae_task_architecture(s->task));
    }
    if (!ae_trainer_step(s->trainer, s->filled, &s->loss, &s->error))
        return;
    s->done = has_all_steps(s);
    notify(s, AE_SESSION_STEPPED, "step %" G_GINT64_FORMAT, steps_done(s));
    if (s->done || g_get_monotonic_time() - s->last_report >= REPORT_INTERVAL)
        report(s);
    if (s->done || (interval > 0 && steps_done(s) % interval == 0))
        save(s);
}

static void measure_batch(AeSession *s)
{
    AeTrainerLoss loss = ae_trainer_evaluate(s->trainer, s->filled, NULL);
    int64_t n = ae_trainer_target_size(s->trainer);

    s->loss.total += loss.total * s->filled;
    s->loss.reconstruction += loss.reconstruction * s->filled;
    s->loss.code += loss.code * s->filled;
    s->sum_mse +=
        ae_loss(AE_LOSS_MSE, ae_trainer_output(s->trainer, 0),
                ae_trainer_target(s->trainer, 0), n * s->filled, 0, NULL) /
        (double)n;
    s->measured += s->filled;
}

static void finish_batch(AeSession *s)
{
    if (s->filled == 0 || s->error != NULL)
        return;
    if (is_evaluation(s))
        measure_batch(s);
    else if (++s->steps_seen > s->replay)
        learn_batch(s);
    s->filled = 0;
}

/* With keep-best the images stay, and the model as it is now is the one to
 * beat; otherwise other images come. */
static void validate(AeSession *s)
{
    measure_held_out(s);
    if (s->options.keep_best)
        s->best_loss = s->validation_loss;
    else
        s->n_held_out = 0;
}

static void fill(AeSession *s, const AeSample *sample, AeExample batch, int *n)
{
    if (ae_task_fill(s->task, sample, ae_trainer_label_size(s->trainer),
                     (uint64_t)s->samples, place(s, batch, *n), &s->error))
        ++*n;
}

static void take_sample(void *user, const AeSample *sample)
{
    AeSession *s = user;
    unsigned every = s->options.validate_every;

    if (s->done || s->error != NULL)
        return;
    if (every > 0 && s->samples % every == every - 1 && !is_held_out_full(s))
        fill(s, sample, s->held_out, &s->n_held_out);
    else if (s->steps_seen < s->replay)
        s->filled++;
    else
        fill(s, sample, trainer_batch(s), &s->filled);
    s->samples++;
    if (s->filled < (int)s->options.batch_size || s->error != NULL)
        return;
    finish_batch(s);
    if (is_held_out_full(s) && s->error == NULL &&
        (!s->options.keep_best || isinf(s->best_loss)))
        validate(s);
}

static gboolean resume(AeSession *s, GError **error)
{
    const char *file = s->options.checkpoint_file;

    if (is_evaluation(s) || !s->options.resume || file == NULL ||
        !g_file_test(file, G_FILE_TEST_EXISTS))
        return TRUE;
    if (!ae_trainer_resume(s->trainer, (const char *const *)s->recipe, file,
                           error))
        return FALSE;
    s->replay = steps_done(s);
    s->saved_step = -1; /* the model file may be older or missing */
    s->done = has_all_steps(s);
    notify(s, AE_SESSION_RESUMED,
           "resuming after step %" G_GINT64_FORMAT " from %s", s->replay, file);
    return TRUE;
}

static void free_held_out(AeSession *s)
{
    g_clear_pointer(&s->held_out.input, ae_free);
    g_clear_pointer(&s->held_out.target, ae_free);
    g_clear_pointer(&s->held_out.label, ae_free);
}

/* Room for the images to validate on, if there shall be any. */
static gboolean allocate_held_out(AeSession *s, GError **error)
{
    AeExample *held_out = &s->held_out;
    size_t n = s->options.batch_size;

    free_held_out(s);
    if (s->options.validate_every == 0)
        return TRUE;
    held_out->input =
        ae_alloc_floats(n * (size_t)ae_trainer_input_size(s->trainer));
    held_out->target =
        ae_alloc_floats(n * (size_t)ae_trainer_target_size(s->trainer));
    held_out->label =
        ae_alloc_floats(n * (size_t)ae_trainer_label_size(s->trainer));
    if (held_out->input != NULL && held_out->target != NULL &&
        held_out->label != NULL)
        return TRUE;
    g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                        "no memory for the images to validate on");
    return FALSE;
}

/* A new network, which takes the weights that fit from the given model. */
static AeModel *new_model(AeSession *s, GError **error)
{
    g_autoptr(AeModel) model = ae_task_new_model(s->task, error);

    if (model == NULL || s->given == NULL ||
        ae_model_take_weights(model, s->given) > 0)
        return g_steal_pointer(&model);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "it has no weights that fit the network architecture=%s",
                ae_task_architecture(s->task));
    return NULL;
}

static AeTrainer *new_trainer(AeSession *s, GError **error)
{
    const AeSessionOptions *o = &s->options;
    const gboolean as_given =
        s->given != NULL && (is_evaluation(s) || o->task.architecture == NULL);
    g_autoptr(AeModel) model =
        as_given ? ae_model_ref(s->given) : new_model(s, error);
    AeTrainerOptions options = {
        .optimizer = o->optimizer,
        .learning_rate = o->learning_rate,
        .clip_norm = o->clip_norm,
        .batch_size = (int)o->batch_size,
        .threads = ae_threads(o->threads),
        .evaluate = is_evaluation(s),
        .cosine_steps =
            o->schedule == AE_SCHEDULE_COSINE ? (int64_t)o->max_steps : 0,
    };

    if (model == NULL)
        return NULL;
    return ae_task_new_trainer(s->task, model, options, error);
}

/* The file that the model comes from; NULL: none. */
static const char *given_file(const AeSession *s)
{
    return is_evaluation(s) ? s->options.model_file : s->options.initial_model;
}

static gboolean build(AeSession *s, GError **error)
{
    g_clear_pointer(&s->trainer, ae_trainer_free);
    if (ae_task_set_size(s->task, &s->size, error))
        s->trainer = new_trainer(s, error);
    if (s->trainer == NULL || !allocate_held_out(s, error)) {
        g_clear_pointer(&s->trainer, ae_trainer_free);
        if (s->given != NULL)
            g_prefix_error(error, "%s: ", given_file(s));
        return FALSE;
    }
    notify(s, AE_SESSION_BUILT,
           "%s has %" G_GINT64_FORMAT
           " weights, and takes batches of %u samples of %dx%dx%d",
           s->given != NULL ? given_file(s) : ae_task_architecture(s->task),
           ae_model_parameters(ae_trainer_model(s->trainer)),
           s->options.batch_size, s->size.width, s->size.height,
           s->size.channels);
    return TRUE;
}

static gboolean is_same_format(const AePictureFormat *a,
                               const AePictureFormat *b)
{
    return g_strcmp0(a->name, b->name) == 0 && a->width == b->width &&
           a->height == b->height;
}

gboolean ae_session_set_format(AeSession *s, const AePictureFormat *format,
                               GError **error)
{
    AeSampleSize size;

    if (is_same_format(format, &s->format))
        return TRUE;
    if (!ae_sampler_size(s->sampler, format, &size, error))
        return FALSE;
    gboolean first = s->trainer == NULL;
    gboolean same = !first && size.channels == s->size.channels &&
                    size.width == s->size.width &&
                    size.height == s->size.height;
    if (!first && !same && !is_evaluation(s)) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_FORMAT,
                            "the frames changed their size while training: set "
                            "patch-size to train on frames of several sizes");
        return FALSE;
    }
    if (!first && !same) {
        ae_sampler_drain(s->sampler, take_sample, s);
        finish_batch(s);
    }
    if (!ae_sampler_set_format(s->sampler, format, error))
        return FALSE;
    s->size = size;
    if (!same && (!build(s, error) || !resume(s, error)))
        return FALSE;
    s->format = *format;
    return TRUE;
}

/* The result of a call that takes samples. */
static gboolean settle(AeSession *s, GError **error)
{
    if (s->error == NULL)
        return TRUE;
    s->failed = TRUE;
    g_propagate_error(error, g_steal_pointer(&s->error));
    return FALSE;
}

gboolean ae_session_push(AeSession *s, const AePicture *picture, int label,
                         GError **error)
{
    if (s->done)
        return TRUE;
    if (!ae_session_set_format(s, &picture->format, error))
        return FALSE;
    ae_sampler_push(s->sampler, picture, label, take_sample, s);
    if (!s->warned && ae_sampler_moving(s->sampler) >= MOVING_LIMIT) {
        s->warned = TRUE;
        notify(s, AE_SESSION_WARNED,
               "Nothing stands still in this video, or its frames have no "
               "noise of their own: target=noisy learns where three frames "
               "differ by noise alone; let the camera rest.");
    }
    return settle(s, error);
}

gboolean ae_session_is_done(const AeSession *s)
{
    return s->done;
}

/* Learns from what is left. */
static void drain(AeSession *s)
{
    ae_sampler_drain(s->sampler, take_sample, s);
    finish_batch(s);
    if (s->error != NULL)
        return;
    if (s->n_held_out > 0 && !s->options.keep_best)
        validate(s);
    if (s->options.keep_best && isinf(s->best_loss))
        notify(s, AE_SESSION_WARNED,
               "The stream ended before validate-every had held out a batch: "
               "no model was written.");
}

gboolean ae_session_finish(AeSession *s, GError **error)
{
    if (s->trainer == NULL || s->failed)
        return TRUE;
    if (!s->done)
        drain(s);
    if (is_evaluation(s)) {
        AeSessionFacts facts = ae_session_facts(s);

        notify(s, AE_SESSION_MEASURED,
               "%" G_GINT64_FORMAT " images, loss %.5f, mse %.6f, psnr %.2f",
               facts.images, facts.loss.total, facts.mse, ae_psnr(facts.mse));
        return TRUE;
    }
    if (s->error == NULL)
        save(s);
    if (s->error == NULL && s->steps_seen > s->replay) {
        report(s);
        notify(s, AE_SESSION_ENDED, "%" G_GINT64_FORMAT " steps, loss %.5f",
               steps_done(s), s->loss.total);
    }
    return settle(s, error);
}

gboolean ae_session_save(AeSession *s, GError **error)
{
    if (s->trainer == NULL || s->failed || is_evaluation(s))
        return TRUE;
    save(s);
    return settle(s, error);
}

static gboolean load_model(AeSession *s, GError **error)
{
    const char *path = given_file(s);

    if (path == NULL && !is_evaluation(s))
        return TRUE;
    if (path == NULL)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "mode=evaluate needs a model-file");
    else if (!is_evaluation(s) && !g_file_test(path, G_FILE_TEST_EXISTS) &&
             g_strv_contains(ae_builtin_names(), path))
        s->given = ae_builtin_load(path, error);
    else
        s->given = ae_onnx_load(path, error);
    return s->given != NULL;
}

static gboolean check(const AeSessionOptions *o, GError **error)
{
    const char *sentence = NULL;

    if (o->model_file != NULL && o->checkpoint_file != NULL &&
        ae_file_is_same(o->model_file, o->checkpoint_file))
        sentence = "model-file and checkpoint-file are one file: give the "
                   "checkpoint another name";
    else if (o->schedule == AE_SCHEDULE_COSINE && o->max_steps == 0)
        sentence = "schedule=cosine needs max-steps";
    else if (o->keep_best && o->validate_every == 0)
        sentence = "keep-best needs validate-every";
    if (sentence != NULL)
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE, sentence);
    return sentence == NULL;
}

/* Before hours of training, not after them. */
static gboolean can_save(const AeSession *s, GError **error)
{
    const char *const files[] = {s->options.model_file,
                                 s->options.checkpoint_file};

    for (size_t i = 0; i < G_N_ELEMENTS(files) && !is_evaluation(s); i++)
        if (files[i] != NULL && !ae_file_can_write(files[i], error))
            return FALSE;
    return TRUE;
}

/* With the defaults that the task chooses. */
static char **make_recipe(const AeSession *s)
{
    AeSessionOptions resolved = s->options;

    resolved.task.architecture = ae_task_architecture(s->task);
    resolved.task.noise = ae_task_noise(s->task);
    return ae_session_options_recipe(&resolved);
}

AeSession *ae_session_new(const AeSessionOptions *options, AeSessionWatch watch,
                          void *user, GError **error)
{
    g_autoptr(AeSession) s = g_new0(AeSession, 1);
    AeSessionOptions *o = &s->options;

    *o = ae_session_options_copy(options);
    if (o->checkpoint_file == NULL && o->model_file != NULL)
        o->checkpoint_file = g_strconcat(o->model_file, ".safetensors", NULL);
    if (is_evaluation(s))
        o->validate_every = o->keep_best = 0;
    s->watch = watch;
    s->user = user;
    s->validation_loss = NAN;
    s->best_loss = INFINITY;
    s->begun = s->last_report = g_get_monotonic_time();
    s->sampler = ae_task_new_sampler(&o->task, &o->sampler);
    if (!check(o, error))
        return NULL;
    s->task = ae_task_new(&o->task, error);
    if (s->task == NULL)
        return NULL;
    s->recipe = make_recipe(s);
    if (!load_model(s, error) || !can_save(s, error))
        return NULL;
    return g_steal_pointer(&s);
}

void ae_session_free(AeSession *s)
{
    if (s == NULL)
        return;
    ae_trainer_free(s->trainer);
    ae_sampler_free(s->sampler);
    ae_task_free(s->task);
    g_strfreev(s->recipe);
    if (s->given != NULL)
        ae_model_unref(s->given);
    free_held_out(s);
    ae_session_options_clear(&s->options);
    g_clear_error(&s->error);
    g_free(s);
}
