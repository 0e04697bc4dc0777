/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae samples`: writes the pairs of input and target that `ae train` would
 * learn from with the same options, in the same order, for other trainers.
 *
 * The stream on standard output is one line of text and then batches:
 *
 *     ae-samples 1 input 64 1 48 48 target 64 1 96 96\n
 *
 * The numbers behind `input` and `target` are the shape of a batch: images,
 * channels, rows, columns; 1 is the version of the format. A batch is all
 * floats of the input and then all of the target, each little-endian float32,
 * dense and in this order of axes (NCHW), samples from 0 to 1. The stream ends
 * after the last full batch. In Python:
 *
 *     words = stream.readline().split()
 *     shapes = [[int(n) for n in words[i : i + 4]] for i in (3, 8)]
 *     batch = numpy.frombuffer(stream.read(4 * prod(shape)), "<f4") */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/ae-training.h"

typedef struct {
    AeTask *task;
    AeSampler *sampler;
    AeSampleSize size; /* width 0: not known yet */
    AeShape shape[2];  /* of input and target, one image */
    float *floats[2];  /* batch_size images, channels last */
    float *planes;     /* one image, channel after channel */
    int filled, batch_size;
    uint64_t samples, batches, max_batches; /* max_batches 0: no limit */
    GError *error;
} Stream;

static gboolean is_done(const Stream *s)
{
    return s->max_batches > 0 && s->batches >= s->max_batches;
}

static gboolean put(const void *data, size_t size, GError **error)
{
    if (fwrite(data, 1, size, stdout) == size)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                "standard output takes no more samples: %s", g_strerror(errno));
    return FALSE;
}

/* Writes one image of height x width x channels as little-endian planes. */
static gboolean put_image(Stream *s, const AeShape *shape, const float *image)
{
    int64_t channels = shape->dim[1], pixels = shape->dim[2] * shape->dim[3];
    size_t n = (size_t)ae_shape_elements(shape);

    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < pixels; i++)
            s->planes[c * pixels + i] = image[i * channels + c];
    ae_floats_to_bytes(s->planes, s->planes, n);
    return put(s->planes, n * sizeof(float), &s->error);
}

static void put_batch(Stream *s)
{
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < s->batch_size; i++)
            if (!put_image(s, &s->shape[half],
                           s->floats[half] +
                               i * ae_shape_elements(&s->shape[half])))
                return;
    s->filled = 0;
    s->batches++;
}

static void take_sample(void *user, const AeSample *sample)
{
    Stream *s = user;
    AeExample example;

    if (s->error != NULL || is_done(s))
        return;
    example = (AeExample){
        s->floats[0] + s->filled * ae_shape_elements(&s->shape[0]),
        s->floats[1] + s->filled * ae_shape_elements(&s->shape[1]), NULL};
    if (ae_task_fill(s->task, sample, 0, s->samples++, example, &s->error) &&
        ++s->filled == s->batch_size)
        put_batch(s);
}

/* The first picture tells the shapes: writes the header. */
static gboolean begin(Stream *s, GError **error)
{
    static const char *const names[] = {"input", "target"};
    g_autoptr(GString) header = g_string_new("ae-samples 1");

    if (!ae_task_set_size(s->task, &s->size, error))
        return FALSE;
    s->shape[0] = ae_task_input_shape(s->task);
    s->shape[1] = ae_task_target_shape(s->task);
    s->planes = ae_alloc_floats((size_t)ae_shape_elements(&s->shape[1]));
    for (int half = 0; half < 2; half++) {
        const AeShape *shape = &s->shape[half];

        g_string_append_printf(header,
                               " %s %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                               " %" G_GINT64_FORMAT,
                               names[half], s->batch_size, shape->dim[1],
                               shape->dim[2], shape->dim[3]);
        s->floats[half] = ae_alloc_floats((size_t)ae_shape_elements(shape) *
                                          (size_t)s->batch_size);
    }
    g_string_append_c(header, '\n');
    if (s->planes == NULL || s->floats[0] == NULL || s->floats[1] == NULL) {
        g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                            "no memory for a batch");
        return FALSE;
    }
    return put(header->str, header->len, error);
}

static gboolean push(Stream *s, const AePicture *picture, int label,
                     GError **error)
{
    AeSampleSize size;

    if (!ae_sampler_size(s->sampler, &picture->format, &size, error))
        return FALSE;
    if (s->size.width == 0) {
        s->size = size;
        if (!begin(s, error))
            return FALSE;
    } else if (size.channels != s->size.channels ||
               size.width != s->size.width || size.height != s->size.height) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "samples of %dx%dx%d follow those of %dx%dx%d: set "
                    "--patch-size for pictures of several sizes, --gray where "
                    "some are gray",
                    size.width, size.height, size.channels, s->size.width,
                    s->size.height, s->size.channels);
        return FALSE;
    }
    if (!ae_sampler_set_format(s->sampler, &picture->format, error))
        return FALSE;
    ae_sampler_push(s->sampler, picture, label, take_sample, s);
    return TRUE;
}

static gboolean write_all(Stream *s, Pictures *pictures, GError **error)
{
    uint64_t total = pictures_total(pictures);

    for (uint64_t i = 0; i < total && !is_done(s) && s->error == NULL; i++) {
        AePicture picture;
        int label;

        if (!pictures_read(pictures, i, &picture, &label, error) ||
            !push(s, &picture, label, error))
            return FALSE;
    }
    ae_sampler_drain(s->sampler, take_sample, s);
    if (s->error == NULL && fflush(stdout) != 0)
        put("", 1, &s->error);
    if (s->error != NULL)
        g_propagate_error(error, g_steal_pointer(&s->error));
    return *error == NULL;
}

static gboolean run_samples(Arguments *args, GError **error)
{
    g_auto(Training) training = {0};
    g_autoptr(Pictures) pictures = NULL;
    g_autoptr(AeTask) task = NULL;
    g_autoptr(AeSampler) sampler = NULL;
    gboolean done;

    if (!training_parse(&training, args, error))
        return FALSE;
    if (isatty(STDOUT_FILENO))
        return tool_refuse(error, "standard output is a terminal: send the "
                                  "samples to a file or a program");
    pictures = pictures_new(&training, error);
    task = pictures != NULL ? ae_task_new(&training.options.task, error) : NULL;
    if (task == NULL)
        return FALSE;
    sampler =
        ae_task_new_sampler(&training.options.task, &training.options.sampler);
    Stream stream = {.task = task,
                     .sampler = sampler,
                     .batch_size = (int)training.options.batch_size,
                     .max_batches = training.options.max_steps};
    done = write_all(&stream, pictures, error);
    ae_free(stream.floats[0]);
    ae_free(stream.floats[1]);
    ae_free(stream.planes);
    return done;
}

const Command samples_commands[] = {
    {"samples", "samples [OPTION...] FILE...",
     "writes what a network would learn from, for other trainers", run_samples},
    {0},
};
