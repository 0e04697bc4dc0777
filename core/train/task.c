/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of task in one table, and what a sample becomes in each of them. */
#include "train/task.h"

#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "video/noise.h"

#define STREAM_NOISE 3 /* part of the seed */

/* What tells the tasks apart. */
static const struct {
    const char *architecture, *noise, *code_term;
    AeCodeTerm term;
    gboolean sum; /* the loss is summed over an image's samples */
} kinds[] = {
    [AE_TASK_AUTOENCODE] = {"keras", "none", NULL, AE_CODE_FREE, FALSE},
    [AE_TASK_DENOISE] = {"keras", "gaussian:sd=0.1", NULL, AE_CODE_FREE, FALSE},
    [AE_TASK_SUPERRES] = {"keras-superres", "none", NULL, AE_CODE_FREE, FALSE},
    [AE_TASK_VAE] = {"vae", "none", "kl", AE_CODE_KL, TRUE},
    [AE_TASK_ADVERSARIAL] = {"adversarial", "none", "adversarial",
                             AE_CODE_ADVERSARIAL, FALSE},
};

struct AeTask {
    AeTaskOptions options; /* with strings of its own */
    AeNoise *noise;
    AeResampler *smaller; /* of superres */
    AeSampleSize size;    /* of the target */
    float *planes;        /* of 4:2:0: the target's and the input's */
};

const char *ae_task_architecture(const AeTask *task)
{
    return task->options.architecture != NULL
               ? task->options.architecture
               : kinds[task->options.kind].architecture;
}

const char *ae_task_noise(const AeTask *task)
{
    return task->options.noise;
}

static gboolean check(const AeTask *task, GError **error)
{
    const AeTaskOptions *o = &task->options;
    const char *name = ae_task_architecture(task);
    g_autoptr(AeModel) none = NULL;

    if (o->activity_penalty > 0 && kinds[o->kind].term != AE_CODE_FREE)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "task=%s has a term of its own for the code: an "
                    "activity-penalty does not go with it",
                    ae_task_name(o->kind));
    else if (o->target == AE_TASK_TARGET_NOISY && o->kind != AE_TASK_DENOISE)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "target=noisy is for task=denoise, not task=%s",
                    ae_task_name(o->kind));
    else if (ae_architecture_describe(name) == NULL)
        none = ae_architecture_new(name, &(AeArchitectureOptions){0}, error);
    else
        return TRUE;
    return FALSE;
}

AeTask *ae_task_new(const AeTaskOptions *options, GError **error)
{
    g_autoptr(AeTask) task = g_new0(AeTask, 1);

    task->options = *options;
    task->options.architecture = g_strdup(options->architecture);
    task->options.noise = g_strdup(
        options->noise != NULL ? options->noise : kinds[options->kind].noise);
    task->noise = ae_noise_parse(task->options.noise, error);
    if (task->noise == NULL || !check(task, error))
        return NULL;
    return g_steal_pointer(&task);
}

void ae_task_free(AeTask *task)
{
    if (task == NULL)
        return;
    g_free((char *)task->options.architecture);
    g_free((char *)task->options.noise);
    ae_noise_free(task->noise);
    ae_resampler_free(task->smaller);
    ae_free(task->planes);
    g_free(task);
}

AeSampler *ae_task_new_sampler(const AeTaskOptions *task,
                               const AeSamplerOptions *options)
{
    AeSamplerOptions sampler = *options;

    sampler.still = task->target == AE_TASK_TARGET_NOISY;
    sampler.seed = task->seed;
    return ae_sampler_new(&sampler);
}

/* How often smaller the network's input is than its target. */
static int shrink(const AeTask *task)
{
    return task->options.kind == AE_TASK_SUPERRES ? (int)task->options.scale
                                                  : 1;
}

static gboolean is_yuv420(const AeTask *task)
{
    return task->size.channels == AE_YUV420_CHANNELS;
}

AeShape ae_task_input_shape(const AeTask *task)
{
    return ae_shape(4, 1, task->size.channels, task->size.height / shrink(task),
                    task->size.width / shrink(task));
}

AeShape ae_task_target_shape(const AeTask *task)
{
    return ae_shape(4, 1, task->size.channels, task->size.height,
                    task->size.width);
}

static int64_t target_size(const AeTask *task)
{
    AeShape shape = ae_task_target_shape(task);

    return ae_shape_elements(&shape);
}

gboolean ae_task_set_size(AeTask *task, const AeSampleSize *size,
                          GError **error)
{
    int width = size->width, height = size->height, scale = shrink(task);

    if (width % scale != 0 || height % scale != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "images of %dx%d cannot be made smaller by scale=%d: crop "
                    "them, or set a patch-size that it divides",
                    width, height, scale);
        return FALSE;
    }
    if (size->channels == AE_YUV420_CHANNELS && scale > 1) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_VALUE,
                            "task=superres does not go with colour=yuv420: "
                            "luma alone is enlarged by a network");
        return FALSE;
    }
    task->size = *size;
    g_clear_pointer(&task->planes, ae_free);
    if (is_yuv420(task)) {
        task->planes = ae_alloc_floats(2 * (size_t)target_size(task));
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
                             size->channels, task->options.downscale, error);
    return scale == 1 || task->smaller != NULL;
}

AeModel *ae_task_new_model(const AeTask *task, GError **error)
{
    const AeTaskOptions *o = &task->options;
    AeArchitectureOptions options = {
        .channels = task->size.channels,
        .width = task->size.width,
        .height = task->size.height,
        .latent_size = (int)o->latent_size,
        .hidden_size = (int)o->hidden_size,
        .classes = o->conditional ? (int)o->classes : 0,
        .form = o->form,
        .scale = shrink(task) > 1 ? shrink(task) : 0,
        .latent_noise = o->latent_noise,
        .seed = o->seed,
    };

    return ae_architecture_new(ae_task_architecture(task), &options, error);
}

/* Whether the network's strides divide the samples. */
static gboolean check_multiple(const AeTask *task, const AeModel *model,
                               GError **error)
{
    int width = task->size.width / shrink(task);
    int height = task->size.height / shrink(task);
    AeMetadata metadata;

    if (!ae_metadata_read(model, &metadata, error))
        return FALSE;
    if (metadata.multiple == 0 ||
        (width % metadata.multiple == 0 && height % metadata.multiple == 0))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the network needs images whose width and height are multiples "
                "of %d, but these have %dx%d: set patch-size to a multiple of "
                "%d, or crop the frames (videocrop)",
                metadata.multiple * shrink(task), task->size.width,
                task->size.height, metadata.multiple * shrink(task));
    return FALSE;
}

/* Whether a model that is made for one size is made for that of the samples. */
static gboolean check_input(const AeTask *task, const AeModel *model,
                            GError **error)
{
    int input = model->inputs->len > 0 ? ae_model_input(model, 0) : -1;
    AeShape shape =
        input >= 0 ? ae_model_value(model, input)->shape : (AeShape){0};
    int64_t width = shape.dim[3] * shrink(task);
    int64_t height = shape.dim[2] * shrink(task);

    if (shape.rank != 4 || width <= 0 || height <= 0 ||
        (width == task->size.width && height == task->size.height))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the network is made for images of %" G_GINT64_FORMAT
                "x%" G_GINT64_FORMAT ", but these have %dx%d: scale them to "
                "that size (videoscale), or set patch-size",
                width, height, task->size.width, task->size.height);
    return FALSE;
}

/* Whether the model makes images of the samples' size. */
static gboolean check_target(const AeTask *task, const AeTrainer *trainer,
                             GError **error)
{
    int64_t made = ae_trainer_target_size(trainer);
    const AeSampleSize *size = &task->size;

    if (made == target_size(task))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "from images of %dx%d with %d channels the model makes "
                "%" G_GINT64_FORMAT " samples, but task=%s needs %dx%dx%d",
                size->width / shrink(task), size->height / shrink(task),
                size->channels, made, ae_task_name(task->options.kind),
                size->width, size->height, size->channels);
    return FALSE;
}

AeTrainer *ae_task_new_trainer(const AeTask *task, AeModel *model,
                               AeTrainerOptions options, GError **error)
{
    const AeTaskOptions *o = &task->options;
    AeShape shape = ae_task_input_shape(task);

    options.loss = o->loss;
    options.sum = kinds[o->kind].sum;
    options.code_term = kinds[o->kind].term;
    options.code_weight = o->beta;
    options.seed = o->seed;
    options.adversary_rate = o->discriminator_rate > 0 ? o->discriminator_rate
                                                       : options.learning_rate;
    if (o->activity_penalty > 0) {
        options.code_term = AE_CODE_L1;
        options.code_weight = o->activity_penalty;
    }
    if (!check_input(task, model, error) || !check_multiple(task, model, error))
        return NULL;
    g_autoptr(AeTrainer) trainer =
        ae_trainer_new(model, &shape, &options, error);
    if (trainer == NULL || !check_target(task, trainer, error))
        return NULL;
    return g_steal_pointer(&trainer);
}

static gboolean fill_label(int label, float *row, int64_t classes,
                           uint64_t number, GError **error)
{
    if (label < 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "image %" G_GUINT64_FORMAT " has no label, which a "
                    "conditional network needs: give labels with the images, "
                    "such as labels-location of idxsrc",
                    number);
    else if (label >= classes)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "image %" G_GUINT64_FORMAT " has the label %d, but the "
                    "network knows %" G_GINT64_FORMAT " classes",
                    number, label, classes);
    if (label < 0 || label >= classes)
        return FALSE;
    memset(row, 0, (size_t)classes * sizeof(float));
    row[label] = 1;
    return TRUE;
}

/* The means of @a and @b, samples of @bits, as floats from 0 to 1. */
static void to_floats(const uint16_t *a, const uint16_t *b, int bits, float *x,
                      int64_t n)
{
    float half = 0.5f / (float)((1 << bits) - 1);

    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(a[i] + b[i]) * half;
}

/* Whether all of @n samples of chroma say that there is no colour. */
static gboolean is_neutral(const uint16_t *chroma, int64_t n, int bits)
{
    for (int64_t i = 0; i < n; i++)
        if (chroma[i] != 1 << (bits - 1))
            return FALSE;
    return TRUE;
}

/* Adds noise to @clean. The neutral chroma of a gray picture stays without
 * noise: so a network for 4:2:0 learns what a gray picture looks like. */
static gboolean add_noise(const AeTask *task, const AeSample *sample,
                          float *clean, float *input, uint64_t number,
                          GError **error)
{
    int scale = shrink(task), n = 1;
    int w = task->size.width / scale, h = task->size.height / scale;
    int64_t luma = 4 * (int64_t)w * h, chroma = 2 * (int64_t)w * h;
    AeNoisePlane planes[3] = {{w, h, task->size.channels}};

    if (is_yuv420(task)) {
        planes[0] = (AeNoisePlane){2 * w, 2 * h, 1};
        planes[1] = planes[2] = (AeNoisePlane){w, h, 1};
        if (is_neutral(sample->data + luma, chroma, sample->bits))
            memcpy(input + luma, clean + luma, (size_t)chroma * sizeof(float));
        else
            n = 3;
    }
    return ae_noise_apply(task->noise, input, clean, planes, n,
                          ae_random_mix(task->options.seed, STREAM_NOISE),
                          number, error);
}

static gboolean make_input(AeTask *task, const AeSample *sample, float *target,
                           float *input, uint64_t number, GError **error)
{
    if (task->smaller != NULL) {
        ae_resampler_run(task->smaller, target, input);
        return add_noise(task, sample, input, input, number, error);
    }
    if (task->options.kind == AE_TASK_DENOISE)
        return add_noise(task, sample, target, input, number, error);
    memcpy(input, target, (size_t)target_size(task) * sizeof(float));
    return TRUE;
}

gboolean ae_task_fill(AeTask *task, const AeSample *sample, int64_t classes,
                      uint64_t number, AeExample example, GError **error)
{
    const uint16_t *data = sample->data;
    int64_t n = target_size(task);
    float *target = is_yuv420(task) ? task->planes : example.target;
    float *input = is_yuv420(task) ? task->planes + n : example.input;

    if (task->options.target == AE_TASK_TARGET_NOISY) {
        to_floats(data, data, sample->bits, input, n);
        to_floats(data + n, data + 2 * n, sample->bits, target, n);
    } else {
        to_floats(data, data, sample->bits, target, n);
        if (!make_input(task, sample, target, input, number, error))
            return FALSE;
    }
    if (is_yuv420(task)) {
        ae_yuv420_pack(target, task->size.width, task->size.height,
                       example.target);
        ae_yuv420_pack(input, task->size.width, task->size.height,
                       example.input);
    }
    return classes == 0 ||
           fill_label(sample->label, example.label, classes, number, error);
}

static gboolean adds_noise(const AeTask *task)
{
    if (task->options.kind == AE_TASK_DENOISE)
        return task->options.target == AE_TASK_TARGET_CLEAN;
    return task->smaller != NULL && !ae_noise_is_none(task->noise);
}

void ae_task_describe(const AeTask *task, AeModel *model)
{
    AeMetadata metadata = {
        .task = task->options.kind,
        .colour = is_yuv420(task)            ? AE_MODEL_YUV420
                  : task->size.channels == 3 ? AE_MODEL_RGB
                                             : AE_MODEL_GRAY,
        .range = {0, 1},
        .noise = adds_noise(task) ? task->options.noise : NULL,
        .scale = task->options.kind == AE_TASK_SUPERRES
                     ? (int)task->options.scale
                     : 0,
    };

    ae_metadata_write(model, &metadata);
}

const char *ae_task_code_term(const AeTask *task)
{
    if (task->options.activity_penalty > 0)
        return "activity";
    return kinds[task->options.kind].code_term;
}
