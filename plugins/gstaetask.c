/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaetask.h"

#include <string.h>

#define STREAM_NOISE 3 /* part of the seed */
#define NEUTRAL (128 * (1 / 255.0f))

/* What tells the tasks apart. */
static const struct {
    AeTaskKind task;
    const char *architecture, *noise, *code_term;
    AeCodeTerm term;
    gboolean sum; /* the loss is that of an image, not of a sample */
} kinds[] = {
    [GST_AE_TASK_AUTOENCODE] = {AE_TASK_AUTOENCODE, "keras", "none", NULL,
                                AE_CODE_FREE, FALSE},
    [GST_AE_TASK_DENOISE] = {AE_TASK_DENOISE, "keras", "gaussian:sd=0.1", NULL,
                             AE_CODE_FREE, FALSE},
    [GST_AE_TASK_SUPERRES] = {AE_TASK_SUPERRES, "keras-superres", "none", NULL,
                              AE_CODE_FREE, FALSE},
    [GST_AE_TASK_VAE] = {AE_TASK_VAE, "vae", "none", "kl", AE_CODE_KL, TRUE},
    [GST_AE_TASK_ADVERSARIAL] = {AE_TASK_ADVERSARIAL, "adversarial", "none",
                                 "adversarial", AE_CODE_ADVERSARIAL, FALSE},
};

struct GstAeTask {
    GstAeTaskSettings settings;
    AeNoise *noise;
    AeResampler *smaller;        /* of superres */
    int channels, width, height; /* of a sample: the target */
    float *planes;               /* of 4:2:0: the target's and the input's */
};

GType gst_ae_task_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {GST_AE_TASK_AUTOENCODE, "Reproduce the frame", "autoencode"},
        {GST_AE_TASK_DENOISE, "Recover the frame from its noisy version",
         "denoise"},
        {GST_AE_TASK_SUPERRES, "Recover the frame from a smaller version",
         "superres"},
        {GST_AE_TASK_VAE, "Reproduce the frame from a variational code", "vae"},
        {GST_AE_TASK_ADVERSARIAL,
         "Reproduce the frame from a code that a discriminator takes for the "
         "prior",
         "adversarial"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainTask", values);
}

GType gst_ae_target_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {GST_AE_TARGET_CLEAN,
         "The frames are clean: they are the target, and get noise", "clean"},
        {GST_AE_TARGET_NOISY,
         "The frames are noisy: where nothing moves, the two before are the "
         "target (Noise2Noise)",
         "noisy"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainTarget", values);
}

GType gst_ae_loss_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {AE_LOSS_MSE, "Squared error", "mse"},
        {AE_LOSS_L1, "Smooth absolute error (Charbonnier)", "l1"},
        {AE_LOSS_BCE, "Binary cross-entropy", "bce"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainLoss", values);
}

GType gst_ae_vae_form_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {AE_VAE_LOG_VARIANCE, "Log variance", "log-variance"},
        {AE_VAE_LOG_SD, "Log standard deviation", "log-sd"},
        {AE_VAE_AS_PUBLISHED,
         "Log standard deviation in sampling, log variance in the loss: the "
         "lesson's mistake, for comparison",
         "as-published"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainForm", values);
}

GType gst_ae_downscale_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {AE_RESAMPLE_BOX, "The mean of scale x scale samples", "mean"},
        {AE_RESAMPLE_BICUBIC, "Bicubic with antialiasing", "bicubic"},
        {0, NULL, NULL}};

    return gst_ae_enum_type(&type, "GstAeTrainDownscale", values);
}

GstAeTaskSettings gst_ae_task_settings_copy(const GstAeTaskSettings *from)
{
    GstAeTaskSettings copy = *from;

    copy.architecture = g_strdup(from->architecture);
    copy.noise = g_strdup(from->noise);
    return copy;
}

void gst_ae_task_settings_clear(GstAeTaskSettings *settings)
{
    g_free((char *)settings->architecture);
    g_free((char *)settings->noise);
    memset(settings, 0, sizeof *settings);
}

static gboolean check(const GstAeTask *task, GError **error)
{
    const char *name = gst_ae_task_architecture(task);

    if (task->settings.activity_penalty > 0 &&
        kinds[task->settings.kind].term != AE_CODE_FREE) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "task=%s has a term of its own for the code: an "
                    "activity-penalty does not go with it",
                    ae_task_name(kinds[task->settings.kind].task));
        return FALSE;
    }
    if (task->settings.target == GST_AE_TARGET_NOISY &&
        task->settings.kind != GST_AE_TASK_DENOISE) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "target=noisy is for task=denoise, not task=%s",
                    ae_task_name(kinds[task->settings.kind].task));
        return FALSE;
    }
    if (ae_architecture_describe(name) != NULL)
        return TRUE;
    g_autoptr(AeModel) none =
        ae_architecture_new(name, &(AeArchitectureOptions){0}, error);
    return FALSE;
}

GstAeTask *gst_ae_task_new(const GstAeTaskSettings *settings, GError **error)
{
    g_autoptr(GstAeTask) task = g_new0(GstAeTask, 1);

    task->settings = gst_ae_task_settings_copy(settings);
    if (settings->noise == NULL)
        task->settings.noise = g_strdup(kinds[settings->kind].noise);
    task->noise = ae_noise_parse(task->settings.noise, error);
    if (task->noise == NULL || !check(task, error))
        return NULL;
    return g_steal_pointer(&task);
}

void gst_ae_task_free(GstAeTask *task)
{
    if (task == NULL)
        return;
    gst_ae_task_settings_clear(&task->settings);
    ae_noise_free(task->noise);
    ae_resampler_free(task->smaller);
    ae_free(task->planes);
    g_free(task);
}

const char *gst_ae_task_architecture(const GstAeTask *task)
{
    return task->settings.architecture != NULL
               ? task->settings.architecture
               : kinds[task->settings.kind].architecture;
}

/* What the network's input is smaller by. */
static int shrink(const GstAeTask *task)
{
    return task->settings.kind == GST_AE_TASK_SUPERRES
               ? (int)task->settings.scale
               : 1;
}

static gboolean is_yuv420(const GstAeTask *task)
{
    return task->channels == AE_YUV420_CHANNELS;
}

static gint64 sample_size(const GstAeTask *task)
{
    return (gint64)task->channels * task->width * task->height;
}

gboolean gst_ae_task_set_size(GstAeTask *task, int channels, int width,
                              int height, GError **error)
{
    int scale = shrink(task);

    if (width % scale != 0 || height % scale != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "images of %dx%d cannot be made smaller by scale=%d: crop "
                    "them, or set a patch-size that it divides",
                    width, height, scale);
        return FALSE;
    }
    if (channels == AE_YUV420_CHANNELS && scale > 1) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "task=superres does not go with colour=yuv420: "
                            "luma alone is enlarged by a network");
        return FALSE;
    }
    task->channels = channels;
    task->width = width;
    task->height = height;
    g_clear_pointer(&task->planes, ae_free);
    if (is_yuv420(task)) {
        task->planes = ae_alloc_floats(2 * (gsize)sample_size(task));
        if (task->planes == NULL) {
            g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                        "no memory for samples of %dx%d", 2 * width,
                        2 * height);
            return FALSE;
        }
    }
    g_clear_pointer(&task->smaller, ae_resampler_free);
    if (scale > 1)
        task->smaller =
            ae_resampler_new(width, height, width / scale, height / scale,
                             channels, task->settings.downscale);
    return TRUE;
}

AeModel *gst_ae_task_new_model(const GstAeTask *task, GError **error)
{
    const GstAeTaskSettings *s = &task->settings;
    AeArchitectureOptions options = {
        .channels = task->channels,
        .width = task->width,
        .height = task->height,
        .latent_size = (int)s->latent_size,
        .hidden_size = (int)s->hidden_size,
        .classes = s->conditional ? (int)s->classes : 0,
        .form = s->form,
        .scale = shrink(task) > 1 ? shrink(task) : 0,
        .latent_noise = s->latent_noise,
        .seed = s->seed,
    };

    return ae_architecture_new(gst_ae_task_architecture(task), &options, error);
}

/* The network must make images of the samples' size. */
static gboolean check_target(const GstAeTask *task, AeTrainer *trainer,
                             GError **error)
{
    gint64 wanted = sample_size(task);
    gint64 made = ae_trainer_target_size(trainer);

    if (made != wanted)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "from images of %dx%d with %d channels the model makes "
                    "%" G_GINT64_FORMAT " samples, but task=%s needs %dx%dx%d",
                    task->width / shrink(task), task->height / shrink(task),
                    task->channels, made,
                    ae_task_name(kinds[task->settings.kind].task), task->width,
                    task->height, task->channels);
    return made == wanted;
}

/* A network that is made for one size must get it. */
static gboolean check_size(const GstAeTask *task, const AeModel *model,
                           GError **error)
{
    int input = model->inputs->len > 0 ? ae_model_input(model, 0) : -1;
    AeShape shape =
        input >= 0 ? ae_model_value(model, input)->shape : (AeShape){0};
    gint64 width = shape.dim[3] * shrink(task);
    gint64 height = shape.dim[2] * shrink(task);

    if (shape.rank != 4 || width <= 0 || height <= 0 ||
        (width == task->width && height == task->height))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the network is made for images of %" G_GINT64_FORMAT
                "x%" G_GINT64_FORMAT ", but these have %dx%d: put a videoscale "
                "before the element, or set patch-size",
                width, height, task->width, task->height);
    return FALSE;
}

AeTrainer *gst_ae_task_new_trainer(const GstAeTask *task, AeModel *model,
                                   AeTrainerOptions options, GError **error)
{
    const GstAeTaskSettings *s = &task->settings;
    AeShape shape = ae_shape(4, 1, task->channels, task->height / shrink(task),
                             task->width / shrink(task));

    options.loss = s->loss;
    options.sum = kinds[s->kind].sum;
    options.code_term = kinds[s->kind].term;
    options.code_weight = s->beta;
    options.seed = s->seed;
    options.adversary_rate = s->discriminator_rate > 0 ? s->discriminator_rate
                                                       : options.learning_rate;
    if (s->activity_penalty > 0) {
        options.code_term = AE_CODE_L1;
        options.code_weight = s->activity_penalty;
    }
    if (!check_size(task, model, error))
        return NULL;
    g_autoptr(AeTrainer) trainer =
        ae_trainer_new(model, &shape, &options, error);
    if (trainer == NULL || !check_target(task, trainer, error))
        return NULL;
    return g_steal_pointer(&trainer);
}

static gboolean fill_label(int label, float *row, gint64 classes,
                           guint64 number, GError **error)
{
    if (label < 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "image %" G_GUINT64_FORMAT " has no label, which a "
                    "conditional network needs: set labels-location of idxsrc",
                    number);
    else if (label >= classes)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "image %" G_GUINT64_FORMAT " has the label %d, but the "
                    "network knows %" G_GINT64_FORMAT " classes",
                    number, label, classes);
    if (label < 0 || label >= classes)
        return FALSE;
    memset(row, 0, (gsize)classes * sizeof(float));
    row[label] = 1;
    return TRUE;
}

/* Chroma that says nothing. */
static gboolean is_neutral(const float *chroma, gint64 n)
{
    for (gint64 i = 0; i < n; i++)
        if (chroma[i] != NEUTRAL)
            return FALSE;
    return TRUE;
}

/* The planes of a gray picture's neutral chroma stay without noise: so comes a
 * single plane to a network for 4:2:0. */
static void add_noise(const GstAeTask *task, float *clean, float *input,
                      guint64 number)
{
    int scale = task->smaller != NULL ? (int)task->settings.scale : 1;
    int w = task->width / scale, h = task->height / scale, n = 1;
    gint64 luma = 4 * (gint64)w * h, chroma = 2 * (gint64)w * h;
    AeNoisePlane planes[3] = {{w, h, task->channels}};

    if (is_yuv420(task)) {
        planes[0] = (AeNoisePlane){2 * w, 2 * h, 1};
        planes[1] = planes[2] = (AeNoisePlane){w, h, 1};
        if (is_neutral(clean + luma, chroma))
            memcpy(input + luma, clean + luma, (gsize)chroma * sizeof(float));
        else
            n = 3;
    }
    ae_noise_apply(task->noise, input, clean, planes, n,
                   ae_random_mix(task->settings.seed, STREAM_NOISE), number);
}

static void make_input(GstAeTask *task, float *target, float *input,
                       guint64 number)
{
    if (task->smaller != NULL) {
        ae_resampler_run(task->smaller, target, input);
        add_noise(task, input, input, number);
    } else if (task->settings.kind == GST_AE_TASK_DENOISE)
        add_noise(task, target, input, number);
    else
        memcpy(input, target, (gsize)sample_size(task) * sizeof(float));
}

/* The means of @a and @b. */
static void to_floats(const guint8 *a, const guint8 *b, float *x, gint64 n)
{
    for (gint64 i = 0; i < n; i++)
        x[i] = (float)(a[i] + b[i]) * (0.5f / 255);
}

gboolean gst_ae_task_fill(GstAeTask *task, const guint8 *sample, int label,
                          gint64 classes, guint64 number, GstAeTaskSlot slot,
                          GError **error)
{
    gint64 n = sample_size(task);
    float *target = is_yuv420(task) ? task->planes : slot.target;
    float *input = is_yuv420(task) ? task->planes + n : slot.input;

    if (task->settings.target == GST_AE_TARGET_NOISY) {
        to_floats(sample, sample, input, n);
        to_floats(sample + n, sample + 2 * n, target, n);
    } else {
        to_floats(sample, sample, target, n);
        make_input(task, target, input, number);
    }
    if (is_yuv420(task)) {
        ae_yuv420_pack(target, task->width, task->height, slot.target);
        ae_yuv420_pack(input, task->width, task->height, slot.input);
    }
    return classes == 0 ||
           fill_label(label, slot.label, classes, number, error);
}

static gboolean adds_noise(const GstAeTask *task)
{
    if (task->settings.kind == GST_AE_TASK_DENOISE)
        return task->settings.target == GST_AE_TARGET_CLEAN;
    return task->smaller != NULL && !ae_noise_is_none(task->noise);
}

void gst_ae_task_describe(const GstAeTask *task, AeModel *model)
{
    AeMetadata metadata = {
        .task = kinds[task->settings.kind].task,
        .colour = is_yuv420(task)       ? AE_MODEL_YUV420
                  : task->channels == 3 ? AE_MODEL_RGB
                                        : AE_MODEL_GRAY,
        .range = {0, 1},
        .noise = adds_noise(task) ? task->settings.noise : NULL,
        .scale = task->settings.kind == GST_AE_TASK_SUPERRES
                     ? (int)task->settings.scale
                     : 0,
    };

    ae_metadata_write(model, &metadata);
}

const char *gst_ae_task_code_term(const GstAeTask *task)
{
    if (task->settings.activity_penalty > 0)
        return "activity";
    return kinds[task->settings.kind].code_term;
}
