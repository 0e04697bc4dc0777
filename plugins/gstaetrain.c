/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aetrain
 * @title: aetrain
 *
 * Trains an autoencoder on the frames that arrive, or with mode=evaluate
 * measures one. Each batch-size frames (or patches of frames) make one step of
 * the optimizer, in the streaming thread: a file source is held back by the
 * trainer and every run repeats exactly; a live source needs a leaky queue in
 * front. RGB formats train three channels, all others their luma alone; with
 * colour=yuv420 those of 4:2:0 train luma and chroma together.
 *
 * The model is written to #GstAeTrain:model-file at end of stream, after
 * #GstAeTrain:max-steps, at every checkpoint and when the element stops. With
 * #GstAeTrain:resume a run continues from its checkpoint: give it the same
 * source; frames that were learnt from before are passed over, and the
 * weights come out bit-identical to those of a run that was never interrupted.
 *
 * Element messages `ae-training` carry step (int64), images (int64), loss
 * (double), validation-loss (double, with #GstAeTrain:validate-every) and
 * images-per-second (double); `ae-evaluation` carries images, loss, mse and
 * psnr. PROGRESS messages of code "train" say the same for people.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=64 !
 * video/x-raw,format=GRAY8,width=28,height=28 ! aetrain architecture=keras
 * loss=bce batch-size=16
 * ]|
 *
 * Since: 0.1
 */
#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "elements.h"
#include "gstaeerror.h"
#include "gstaelabel.h"
#include "gstaepixels.h"
#include "gstaeproperties.h"
#include "gstaesampler.h"
#include "gstaetask.h"

GST_DEBUG_CATEGORY_STATIC(gst_ae_train_debug);
#define GST_CAT_DEFAULT gst_ae_train_debug

#define REPORT_INTERVAL G_USEC_PER_SEC
#define MOVING_LIMIT 2000 /* patches in turn that moved: time for a word */

typedef enum { MODE_TRAIN, MODE_EVALUATE } Mode;
typedef enum { SCHEDULE_CONSTANT, SCHEDULE_COSINE } Schedule;
typedef enum { COLOUR_AUTO, COLOUR_YUV420 } Colour;

/* What the user sets; copied when the element starts. */
typedef struct {
    GstAeTaskSettings task;
    const char *model_file, *initial_model, *checkpoint_file;
    Mode mode;
    AeOptimizerKind optimizer;
    Schedule schedule;
    Colour colour;
    gboolean resume, augment, keep_best;
    guint batch_size, checkpoint_interval, validate_every, threads;
    guint patch_size, patches_per_frame, shuffle_buffer;
    float learning_rate, clip_norm;
    guint64 max_steps;
} Settings;

typedef struct {
    GstBaseSink parent;
    Settings settings; /* under the object lock */

    Settings run; /* since start */
    GstAeTask *task;
    AeModel *model; /* from a file; NULL: the architecture makes it */
    AeTrainer *trainer;
    GstAeSampler *sampler;
    GstVideoInfo info;

    int filled;          /* images of the batch in hand */
    gint64 samples;      /* that have come so far */
    gint64 replay_steps; /* steps that the checkpoint has done already */
    gint64 steps_seen;   /* batches so far, those passed over included */
    gint64 saved_step;   /* of the last checkpoint */
    GstFlowReturn flow;  /* of the sample that was emitted last */

    GstAeTaskSlot held_batch; /* to validate on */
    int held;
    double validation_loss; /* NaN before the first */
    double best_loss;       /* with keep_best: of the model file */
    gboolean warned;        /* that everything moves */

    gint64 begun, last_report; /* wall time in us: of the first step learnt */
    double loss;               /* under the object lock: last step's */
    gint64 step;               /* under the object lock */
    AeTrainerLoss terms;       /* of the last step */

    AeTrainerLoss sums; /* of evaluation: sums over images */
    double sum_mse;
    gint64 evaluated;
} GstAeTrain;

typedef GstBaseSinkClass GstAeTrainClass;

GType gst_ae_train_get_type(void);
G_DEFINE_TYPE(GstAeTrain, gst_ae_train, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(aetrain, "aetrain", GST_RANK_NONE,
                            gst_ae_train_get_type())

#define FORMATS                                                                \
    "{ GRAY8, I420, YV12, NV12, NV21, Y42B, Y444, RGB, BGR, RGBx, BGRx, "      \
    "xRGB, xBGR, RGBA, BGRA, ARGB, ABGR }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(FORMATS)));

static GType mode_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {MODE_TRAIN, "Learn from the frames", "train"},
        {MODE_EVALUATE, "Measure model-file on the frames", "evaluate"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainMode", values);
}

static GType optimizer_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {AE_OPTIMIZER_ADAM, "Adam", "adam"},
        {AE_OPTIMIZER_RMSPROP, "RMSprop", "rmsprop"},
        {AE_OPTIMIZER_SGD, "Gradient descent with momentum 0.9", "sgd"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainOptimizer", values);
}

static GType schedule_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {SCHEDULE_CONSTANT, "The same rate for all steps", "constant"},
        {SCHEDULE_COSINE, "Half a cosine down to 0 at max-steps", "cosine"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainSchedule", values);
}

static GType colour_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {COLOUR_AUTO, "RGB as three channels, of all else the luma", "auto"},
        {COLOUR_YUV420,
         "Luma and chroma of 4:2:0 video as six channels of half its size",
         "yuv420"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainColour", values);
}

#define FIELD(name) G_STRUCT_OFFSET(GstAeTrain, settings.name)

static const GstAeProperty properties[] = {
    GST_AE_TASK_PROPERTIES(GstAeTrain, settings.task),
    {"mode", "Mode", "Learn or measure", G_TYPE_ENUM, FIELD(mode),
     .get_type = mode_type},
    {"model-file", "Model file",
     "The ONNX file to write (or, with mode=evaluate, to read)", G_TYPE_STRING,
     FIELD(model_file)},
    {"initial-model", "Initial model",
     "A model to train further: an ONNX file or the name of a built-in one; "
     "with an architecture set, a new network that takes of its weights those "
     "whose name and shape agree",
     G_TYPE_STRING, FIELD(initial_model)},
    {"checkpoint-file", "Checkpoint file",
     "The safetensors file that a run can be resumed from (default: the model "
     "file's name with .safetensors)",
     G_TYPE_STRING, FIELD(checkpoint_file)},
    {"checkpoint-interval", "Checkpoint interval",
     "Steps between checkpoints (0: only at the end)", G_TYPE_UINT,
     FIELD(checkpoint_interval), .maximum = G_MAXINT},
    {"resume", "Resume",
     "Continue from the checkpoint file, if it is there; the source must send "
     "the same frames again from the first",
     G_TYPE_BOOLEAN, FIELD(resume)},
    {"optimizer", "Optimizer", "How it is minimised", G_TYPE_ENUM,
     FIELD(optimizer), .get_type = optimizer_type},
    {"learning-rate", "Learning rate", "Step size of the optimizer",
     G_TYPE_FLOAT, FIELD(learning_rate), .number = 1e-3, .minimum = 1e-12,
     .maximum = 1e3},
    {"schedule", "Schedule", "How the learning rate changes", G_TYPE_ENUM,
     FIELD(schedule), .get_type = schedule_type},
    {"clip-norm", "Clip norm",
     "The gradient's global norm is kept below this (0: not)", G_TYPE_FLOAT,
     FIELD(clip_norm), .maximum = 1e9},
    {"batch-size", "Batch size", "Images of one step", G_TYPE_UINT,
     FIELD(batch_size), .number = 128, .minimum = 1, .maximum = 65536},
    {"max-steps", "Maximum steps", "Stop after so many steps (0: never)",
     G_TYPE_UINT64, FIELD(max_steps)},
    {"patch-size", "Patch size",
     "Pixels a side of the random patches cut from frames (0: whole frames)",
     G_TYPE_UINT, FIELD(patch_size), .maximum = 4096},
    {"patches-per-frame", "Patches per frame", "Patches cut from each frame",
     G_TYPE_UINT, FIELD(patches_per_frame), .number = 1, .minimum = 1,
     .maximum = 65536},
    {"colour", "Colour", "What of a frame's colours is learnt", G_TYPE_ENUM,
     FIELD(colour), .get_type = colour_type},
    {"augment", "Augment", "Turn and mirror the images at random",
     G_TYPE_BOOLEAN, FIELD(augment)},
    {"shuffle-buffer", "Shuffle buffer",
     "Images that are held to be mixed with later ones (0: none)", G_TYPE_UINT,
     FIELD(shuffle_buffer), .maximum = 1 << 20},
    {"validate-every", "Validate every",
     "Keep each so-many-th image out of training and measure on it (0: none)",
     G_TYPE_UINT, FIELD(validate_every), .maximum = G_MAXINT},
    {"keep-best", "Keep best",
     "Write the model only when it does better than before, and than the "
     "initial one, on the first batch that validate-every has held out",
     G_TYPE_BOOLEAN, FIELD(keep_best)},
    {"threads", "Threads", "Worker threads (0: one a processor)", G_TYPE_UINT,
     FIELD(threads), .maximum = 256},
    {"step", "Step", "Steps done so far", G_TYPE_INT64,
     G_STRUCT_OFFSET(GstAeTrain, step), .flags = G_PARAM_READABLE},
    {"current-loss", "Current loss", "The loss of the last step", G_TYPE_DOUBLE,
     G_STRUCT_OFFSET(GstAeTrain, loss), .flags = G_PARAM_READABLE,
     .maximum = G_MAXDOUBLE},
};

static void settings_clear(Settings *settings)
{
    gst_ae_task_settings_clear(&settings->task);
    g_free((char *)settings->model_file);
    g_free((char *)settings->initial_model);
    g_free((char *)settings->checkpoint_file);
    memset(settings, 0, sizeof *settings);
}

static void settings_copy(Settings *to, const Settings *from)
{
    settings_clear(to);
    *to = *from;
    to->task = gst_ae_task_settings_copy(&from->task);
    to->model_file = g_strdup(from->model_file);
    to->initial_model = g_strdup(from->initial_model);
    to->checkpoint_file =
        from->checkpoint_file != NULL || from->model_file == NULL
            ? g_strdup(from->checkpoint_file)
            : g_strconcat(from->model_file, ".safetensors", NULL);
}

static gboolean fail(GstAeTrain *self, GError *error)
{
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    g_error_free(error);
    self->flow = GST_FLOW_ERROR;
    return FALSE;
}

static void post_progress(GstAeTrain *self, GstProgressType type,
                          const char *format, ...) G_GNUC_PRINTF(3, 4);

static void post_progress(GstAeTrain *self, GstProgressType type,
                          const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    gst_element_post_message(
        GST_ELEMENT(self),
        gst_message_new_progress(GST_OBJECT(self), type, "train", text));
}

/* The parts of the loss, where there are several. */
static void add_terms(GstAeTrain *self, GstStructure *s,
                      const AeTrainerLoss *loss)
{
    const char *term = gst_ae_task_code_term(self->task);

    if (term != NULL)
        gst_structure_set(s, "reconstruction", G_TYPE_DOUBLE,
                          loss->reconstruction, term, G_TYPE_DOUBLE, loss->code,
                          NULL);
    if (loss->accuracy > 0)
        gst_structure_set(s, "discriminator-accuracy", G_TYPE_DOUBLE,
                          loss->accuracy, NULL);
}

static void report(GstAeTrain *self)
{
    gint64 now = g_get_monotonic_time(), batch = self->run.batch_size;
    gint64 images = self->step * batch;
    double seconds = (double)(now - self->begun) / G_USEC_PER_SEC;
    double rate =
        (double)(images - self->replay_steps * batch) / MAX(seconds, 1e-6);
    GstStructure *s = gst_structure_new(
        "ae-training", "step", G_TYPE_INT64, self->step, "images", G_TYPE_INT64,
        images, "loss", G_TYPE_DOUBLE, self->loss, "images-per-second",
        G_TYPE_DOUBLE, rate, NULL);

    add_terms(self, s, &self->terms);
    if (!isnan(self->validation_loss))
        gst_structure_set(s, "validation-loss", G_TYPE_DOUBLE,
                          self->validation_loss, NULL);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), s));
    post_progress(self, GST_PROGRESS_TYPE_CONTINUE,
                  "step %" G_GINT64_FORMAT ", loss %.5f, %.0f images/s",
                  self->step, self->loss, rate);
    self->last_report = now;
}

/* What other threads may ask for. */
static void publish(GstAeTrain *self, gint64 step, double loss)
{
    GST_OBJECT_LOCK(self);
    self->step = step;
    self->loss = loss;
    GST_OBJECT_UNLOCK(self);
}

/* Place @i of a batch that begins at @batch. */
static GstAeTaskSlot slot_of(GstAeTrain *self, GstAeTaskSlot batch, int i)
{
    return (GstAeTaskSlot){
        batch.input + i * ae_trainer_input_size(self->trainer),
        batch.target + i * ae_trainer_target_size(self->trainer),
        batch.label + i * ae_trainer_label_size(self->trainer)};
}

static GstAeTaskSlot trainer_batch(GstAeTrain *self)
{
    return (GstAeTaskSlot){ae_trainer_input(self->trainer, 0),
                           ae_trainer_target(self->trainer, 0),
                           ae_trainer_label(self->trainer, 0)};
}

static void copy_images(float *to, const float *from, gint64 size, int n)
{
    memcpy(to, from, (gsize)size * (gsize)n * sizeof(float));
}

/* Measures the held-out images, through the buffers of an empty batch. */
static double measure_held(GstAeTrain *self)
{
    GstAeTaskSlot batch = trainer_batch(self), held = self->held_batch;

    copy_images(batch.input, held.input, ae_trainer_input_size(self->trainer),
                self->held);
    copy_images(batch.target, held.target,
                ae_trainer_target_size(self->trainer), self->held);
    copy_images(batch.label, held.label, ae_trainer_label_size(self->trainer),
                self->held);
    return ae_trainer_evaluate(self->trainer, self->held, NULL).total;
}

static gboolean is_held_full(const GstAeTrain *self)
{
    return self->run.batch_size > 0 && self->held == (int)self->run.batch_size;
}

/* With keep-best: whether the model is better than all before. */
static gboolean is_better(GstAeTrain *self)
{
    if (!self->run.keep_best)
        return TRUE;
    if (!is_held_full(self))
        return FALSE;
    self->validation_loss = measure_held(self);
    if (!(self->validation_loss < self->best_loss))
        return FALSE;
    self->best_loss = self->validation_loss;
    return TRUE;
}

/* Writes checkpoint and model, unless nothing was learnt since the last. */
static gboolean save(GstAeTrain *self)
{
    GError *error = NULL;
    gint64 step = ae_trainer_steps(self->trainer);

    if (step == self->saved_step)
        return TRUE;
    if (self->run.checkpoint_file != NULL &&
        !ae_trainer_save(self->trainer, self->run.checkpoint_file, &error))
        return fail(self, error);
    if (self->run.model_file != NULL && is_better(self)) {
        gst_ae_task_describe(self->task, ae_trainer_model(self->trainer));
        if (!ae_onnx_save(ae_trainer_model(self->trainer), self->run.model_file,
                          &error))
            return fail(self, error);
    }
    self->saved_step = step;
    return TRUE;
}

static gboolean is_done(const GstAeTrain *self)
{
    guint64 step = (guint64)ae_trainer_steps(self->trainer);

    return self->run.max_steps > 0 && step >= self->run.max_steps;
}

/* What follows a step: reports, checkpoints, the end. */
static void after_step(GstAeTrain *self)
{
    gint64 step = ae_trainer_steps(self->trainer);
    gboolean last = is_done(self);

    if (last || g_get_monotonic_time() - self->last_report >= REPORT_INTERVAL)
        report(self);
    if (last || (self->run.checkpoint_interval > 0 &&
                 step % self->run.checkpoint_interval == 0))
        save(self);
    if (last && self->flow == GST_FLOW_OK)
        self->flow = GST_FLOW_EOS;
}

static void learn_batch(GstAeTrain *self)
{
    GError *error = NULL;

    if (self->steps_seen == self->replay_steps + 1) {
        self->begun = g_get_monotonic_time();
        post_progress(self, GST_PROGRESS_TYPE_START, "training %s",
                      gst_ae_task_architecture(self->task));
    }
    if (!ae_trainer_step(self->trainer, self->filled, &self->terms, &error)) {
        self->saved_step = ae_trainer_steps(self->trainer);
        fail(self, error);
        return;
    }
    publish(self, ae_trainer_steps(self->trainer), self->terms.total);
    after_step(self);
}

static double batch_mse(GstAeTrain *self)
{
    gint64 n = ae_trainer_target_size(self->trainer) * self->filled;

    return ae_loss(AE_LOSS_MSE, ae_trainer_output(self->trainer, 0),
                   ae_trainer_target(self->trainer, 0), n, 0, NULL) /
           (double)ae_trainer_target_size(self->trainer);
}

static void evaluate_batch(GstAeTrain *self)
{
    AeTrainerLoss loss = ae_trainer_evaluate(self->trainer, self->filled, NULL);

    self->sums.total += loss.total * self->filled;
    self->sums.reconstruction += loss.reconstruction * self->filled;
    self->sums.code += loss.code * self->filled;
    self->sum_mse += batch_mse(self);
    self->evaluated += self->filled;
}

static void finish_batch(GstAeTrain *self)
{
    if (self->filled == 0)
        return;
    if (self->run.mode == MODE_EVALUATE)
        evaluate_batch(self);
    else if (++self->steps_seen > self->replay_steps)
        learn_batch(self);
    self->filled = 0;
}

/* With keep-best the images stay, and what has been learnt so far is to be
 * beaten; otherwise others come. */
static void validate(GstAeTrain *self)
{
    self->validation_loss = measure_held(self);
    if (self->run.keep_best)
        self->best_loss = self->validation_loss;
    else
        self->held = 0;
}

static void fill(GstAeTrain *self, const guint8 *sample, int label,
                 GstAeTaskSlot batch, int *filled)
{
    GError *error = NULL;

    if (!gst_ae_task_fill(
            self->task, sample, label, ae_trainer_label_size(self->trainer),
            (guint64)self->samples, slot_of(self, batch, *filled), &error))
        fail(self, error);
    else
        ++*filled;
}

static void take_sample(gpointer user, const guint8 *sample, int label)
{
    GstAeTrain *self = user;
    guint every = self->run.validate_every;

    if (self->flow != GST_FLOW_OK)
        return;
    if (every > 0 && self->samples % every == every - 1 &&
        self->held < (int)self->run.batch_size)
        fill(self, sample, label, self->held_batch, &self->held);
    else if (self->steps_seen < self->replay_steps)
        self->filled++;
    else
        fill(self, sample, label, trainer_batch(self), &self->filled);
    self->samples++;
    if (self->filled < (int)self->run.batch_size || self->flow != GST_FLOW_OK)
        return;
    finish_batch(self);
    if (is_held_full(self) && (!self->run.keep_best || isinf(self->best_loss)))
        validate(self);
}

static gboolean load_checkpoint(GstAeTrain *self)
{
    GError *error = NULL;

    if (self->run.mode == MODE_EVALUATE || !self->run.resume ||
        self->run.checkpoint_file == NULL ||
        !g_file_test(self->run.checkpoint_file, G_FILE_TEST_EXISTS))
        return TRUE;
    if (!ae_trainer_resume(self->trainer, self->run.checkpoint_file, &error))
        return fail(self, error);
    self->replay_steps = ae_trainer_steps(self->trainer);
    self->saved_step = -1; /* the model file may be older or missing */
    publish(self, self->replay_steps, 0);
    if (is_done(self))
        self->flow = GST_FLOW_EOS;
    return TRUE;
}

static void free_held(GstAeTrain *self)
{
    g_clear_pointer(&self->held_batch.input, ae_free);
    g_clear_pointer(&self->held_batch.target, ae_free);
    g_clear_pointer(&self->held_batch.label, ae_free);
}

/* Room for the validation batch, if there shall be one. */
static gboolean allocate_held(GstAeTrain *self, GError **error)
{
    GstAeTaskSlot *held = &self->held_batch;
    gsize n = self->run.batch_size;

    free_held(self);
    if (self->run.validate_every == 0)
        return TRUE;
    held->input =
        ae_alloc_floats(n * (gsize)ae_trainer_input_size(self->trainer));
    held->target =
        ae_alloc_floats(n * (gsize)ae_trainer_target_size(self->trainer));
    held->label =
        ae_alloc_floats(n * (gsize)ae_trainer_label_size(self->trainer));
    if (held->input != NULL && held->target != NULL && held->label != NULL)
        return TRUE;
    g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                        "no memory for the images to validate on");
    return FALSE;
}

/* A new network, which takes from the one that is given what fits. */
static AeModel *new_model(GstAeTrain *self, GError **error)
{
    g_autoptr(AeModel) model = gst_ae_task_new_model(self->task, error);

    if (model == NULL || self->model == NULL)
        return g_steal_pointer(&model);
    if (ae_model_take_weights(model, self->model) > 0)
        return g_steal_pointer(&model);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "it has no weights that fit the network architecture=%s",
                gst_ae_task_architecture(self->task));
    return NULL;
}

static AeTrainer *new_trainer(GstAeTrain *self, GError **error)
{
    const Settings *run = &self->run;
    const gboolean as_given =
        self->model != NULL &&
        (run->mode == MODE_EVALUATE || run->task.architecture == NULL);
    g_autoptr(AeModel) model =
        as_given ? ae_model_ref(self->model) : new_model(self, error);
    AeTrainerOptions options = {
        .optimizer = run->optimizer,
        .learning_rate = run->learning_rate,
        .clip_norm = run->clip_norm,
        .batch_size = (int)run->batch_size,
        .threads = (int)run->threads,
        .evaluate = run->mode == MODE_EVALUATE,
        .cosine_steps =
            run->schedule == SCHEDULE_COSINE ? (gint64)run->max_steps : 0,
    };

    if (model == NULL)
        return NULL;
    return gst_ae_task_new_trainer(self->task, model, options, error);
}

static gboolean set_size(GstAeTrain *self, GError **error)
{
    return gst_ae_task_set_size(
        self->task, gst_ae_sampler_channels(self->sampler, &self->info),
        gst_ae_sampler_width(self->sampler),
        gst_ae_sampler_height(self->sampler), error);
}

/* The file that the model comes from; NULL: none. */
static const char *given_model(const GstAeTrain *self)
{
    return self->run.mode == MODE_EVALUATE ? self->run.model_file
                                           : self->run.initial_model;
}

static gboolean make_trainer(GstAeTrain *self)
{
    GError *error = NULL;

    g_clear_pointer(&self->trainer, ae_trainer_free);
    if (set_size(self, &error))
        self->trainer = new_trainer(self, &error);
    if (self->trainer != NULL && allocate_held(self, &error))
        return TRUE;
    g_clear_pointer(&self->trainer, ae_trainer_free);
    if (self->model != NULL)
        g_prefix_error(&error, "%s: ", given_model(self));
    return fail(self, error);
}

/* TRUE if frames of @info give samples of the same shape as those before. */
static gboolean same_samples(const GstAeTrain *self, const GstVideoInfo *info)
{
    return gst_ae_sampler_channels(self->sampler, info) ==
               gst_ae_sampler_channels(self->sampler, &self->info) &&
           (self->run.patch_size > 0 || (info->width == self->info.width &&
                                         info->height == self->info.height));
}

/* The frames' size or format are known, or change. */
static gboolean gst_ae_train_set_caps(GstBaseSink *sink, GstCaps *caps)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;
    GstVideoInfo info;

    if (!gst_video_info_from_caps(&info, caps))
        return FALSE;
    gboolean first = self->trainer == NULL;
    gboolean same = !first && same_samples(self, &info);
    if (!first && !same && self->run.mode == MODE_TRAIN) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("The frames changed their size while training"),
                          ("Set patch-size to train on frames of several "
                           "sizes."));
        return FALSE;
    }
    if (!first && !same) {
        gst_ae_sampler_drain(self->sampler, take_sample, self);
        finish_batch(self);
    }
    if (!gst_ae_sampler_set_info(self->sampler, &info, &error))
        return fail(self, error);
    self->info = info;
    if (same)
        return TRUE;
    return make_trainer(self) && load_checkpoint(self);
}

static void warn_of_motion(GstAeTrain *self)
{
    if (self->warned || gst_ae_sampler_moving(self->sampler) < MOVING_LIMIT)
        return;
    self->warned = TRUE;
    GST_ELEMENT_WARNING(self, STREAM, FAILED,
                        ("Nothing stands still in this video, or its frames "
                         "have no noise of their own."),
                        ("target=noisy learns where three frames differ by "
                         "noise alone: let the camera rest."));
}

static GstFlowReturn gst_ae_train_render(GstBaseSink *sink, GstBuffer *buffer)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GstVideoFrame frame;
    int label = -1;

    if (self->flow != GST_FLOW_OK)
        return self->flow;
    if (self->trainer == NULL)
        return GST_FLOW_NOT_NEGOTIATED;
    if (!gst_ae_picture_map(GST_ELEMENT(self), &frame, &self->info, buffer))
        return GST_FLOW_ERROR;
    gst_ae_label_read(buffer, &label);
    gst_ae_sampler_push(self->sampler, &frame, label, take_sample, self);
    gst_video_frame_unmap(&frame);
    warn_of_motion(self);
    return self->flow;
}

static void post_evaluation(GstAeTrain *self)
{
    double n = (double)MAX(self->evaluated, 1), mse = self->sum_mse / n;
    AeTrainerLoss loss = {.total = self->sums.total / n,
                          .reconstruction = self->sums.reconstruction / n,
                          .code = self->sums.code / n};
    GstStructure *s = gst_structure_new(
        "ae-evaluation", "images", G_TYPE_INT64, self->evaluated, "loss",
        G_TYPE_DOUBLE, loss.total, "mse", G_TYPE_DOUBLE, mse, "psnr",
        G_TYPE_DOUBLE, ae_psnr(mse), NULL);

    add_terms(self, s, &loss);
    publish(self, 0, loss.total);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), s));
}

/* Learns from what is left and saves. */
static void finish(GstAeTrain *self)
{
    if (self->trainer == NULL || self->flow == GST_FLOW_ERROR)
        return;
    if (self->flow == GST_FLOW_OK) {
        gst_ae_sampler_drain(self->sampler, take_sample, self);
        finish_batch(self);
        if (self->held > 0 && !self->run.keep_best)
            validate(self);
        if (self->run.keep_best && isinf(self->best_loss))
            GST_ELEMENT_WARNING(
                self, STREAM, FAILED,
                ("The stream ended before validate-every had held out a "
                 "batch: no model was written."),
                (NULL));
    }
    if (self->run.mode == MODE_EVALUATE) {
        post_evaluation(self);
    } else if (self->flow != GST_FLOW_ERROR && save(self) &&
               self->steps_seen > self->replay_steps) {
        report(self);
        post_progress(self, GST_PROGRESS_TYPE_COMPLETE,
                      "%" G_GINT64_FORMAT " steps, loss %.5f", self->step,
                      self->loss);
    }
}

static gboolean gst_ae_train_event(GstBaseSink *sink, GstEvent *event)
{
    GstAeTrain *self = (GstAeTrain *)sink;

    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        finish(self);
    return GST_BASE_SINK_CLASS(gst_ae_train_parent_class)->event(sink, event);
}

static gboolean gst_ae_train_stop(GstBaseSink *sink)
{
    GstAeTrain *self = (GstAeTrain *)sink;

    if (self->trainer != NULL && self->run.mode == MODE_TRAIN &&
        self->flow != GST_FLOW_ERROR)
        save(self);
    g_clear_pointer(&self->trainer, ae_trainer_free);
    g_clear_pointer(&self->sampler, gst_ae_sampler_free);
    g_clear_pointer(&self->task, gst_ae_task_free);
    g_clear_pointer(&self->model, ae_model_unref);
    free_held(self);
    return TRUE;
}

static gboolean load_model(GstAeTrain *self, GError **error)
{
    const char *path = given_model(self);

    if (path == NULL && self->run.mode == MODE_TRAIN)
        return TRUE;
    if (path != NULL && self->run.mode == MODE_TRAIN &&
        g_strv_contains(ae_builtin_names(), path) &&
        !g_file_test(path, G_FILE_TEST_EXISTS))
        self->model = ae_builtin_load(path, error);
    else if (path != NULL)
        self->model = ae_onnx_load(path, error);
    else
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "mode=evaluate needs a model-file");
    return self->model != NULL;
}

static gboolean make_task(GstAeTrain *self, GError **error)
{
    if (self->run.schedule == SCHEDULE_COSINE && self->run.max_steps == 0) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "schedule=cosine needs max-steps");
        return FALSE;
    }
    if (self->run.keep_best && self->run.validate_every == 0) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "keep-best needs validate-every");
        return FALSE;
    }
    self->task = gst_ae_task_new(&self->run.task, error);
    return self->task != NULL;
}

/* Rather now than after hours of training. */
static gboolean can_save(GstAeTrain *self, GError **error)
{
    const char *const files[] = {self->run.model_file,
                                 self->run.checkpoint_file};

    if (self->run.mode == MODE_EVALUATE)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        if (files[i] != NULL && !ae_file_can_write(files[i], error))
            return FALSE;
    return TRUE;
}

static void forget(GstAeTrain *self)
{
    self->filled = self->held = 0;
    self->samples = self->replay_steps = self->steps_seen = 0;
    self->saved_step = 0;
    self->flow = GST_FLOW_OK;
    self->validation_loss = NAN;
    self->best_loss = INFINITY;
    self->warned = FALSE;
    self->begun = self->last_report = g_get_monotonic_time();
    publish(self, 0, 0);
    self->terms = self->sums = (AeTrainerLoss){0};
    self->sum_mse = 0;
    self->evaluated = 0;
}

static gboolean gst_ae_train_start(GstBaseSink *sink)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;

    GST_OBJECT_LOCK(self);
    settings_copy(&self->run, &self->settings);
    GST_OBJECT_UNLOCK(self);
    if (self->run.mode == MODE_EVALUATE)
        self->run.validate_every = self->run.keep_best = 0;
    forget(self);
    if (!make_task(self, &error) || !load_model(self, &error) ||
        !can_save(self, &error)) {
        gst_ae_train_stop(sink);
        return fail(self, error);
    }
    self->sampler = gst_ae_sampler_new(&(GstAeSamplerOptions){
        .yuv420 = self->run.colour == COLOUR_YUV420,
        .still = self->run.task.target == GST_AE_TARGET_NOISY,
        .patch_size = (int)self->run.patch_size,
        .patches_per_frame = (int)self->run.patches_per_frame,
        .augment = self->run.augment,
        .shuffle_buffer = (int)self->run.shuffle_buffer,
        .seed = self->run.task.seed});
    return TRUE;
}

static void gst_ae_train_finalize(GObject *object)
{
    settings_clear(&((GstAeTrain *)object)->run);
    G_OBJECT_CLASS(gst_ae_train_parent_class)->finalize(object);
}

static void gst_ae_train_class_init(GstAeTrainClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(gst_ae_train_debug, "aetrain", 0,
                            "Autoencoder trainer");
    G_OBJECT_CLASS(klass)->finalize = gst_ae_train_finalize;
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_set_static_metadata(
        element, "Autoencoder trainer", "Sink/Video",
        "Trains or evaluates an autoencoder on the frames that arrive",
        "The gst-autoencoder authors");
    klass->start = gst_ae_train_start;
    klass->stop = gst_ae_train_stop;
    klass->set_caps = gst_ae_train_set_caps;
    klass->render = gst_ae_train_render;
    klass->event = gst_ae_train_event;
}

static void gst_ae_train_init(GstAeTrain *self)
{
    gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
}
