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
} Stream;

static gboolean is_done(const Stream *s)
{
    return s->max_batches > 0 && s->batches >= s->max_batches;
}

static void check_output(gboolean done)
{
    tool_require(done, "standard output takes no more samples: %s",
                 g_strerror(errno));
}

/* Writes one image of height x width x channels as little-endian planes. */
static void put_image(const Stream *s, const AeShape *shape, const float *image)
{
    int64_t channels = shape->dim[1], pixels = shape->dim[2] * shape->dim[3];
    size_t n = (size_t)ae_shape_elements(shape);

    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < pixels; i++)
            s->planes[c * pixels + i] = image[i * channels + c];
    ae_floats_to_bytes(s->planes, s->planes, n);
    check_output(fwrite(s->planes, sizeof(float), n, stdout) == n);
}

static void put_batch(Stream *s)
{
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < s->batch_size; i++)
            put_image(s, &s->shape[half],
                      s->floats[half] + i * ae_shape_elements(&s->shape[half]));
    s->filled = 0;
    s->batches++;
}

static void take_sample(void *user, const AeSample *sample)
{
    Stream *s = user;
    AeExample example;

    if (is_done(s))
        return;
    example = (AeExample){
        s->floats[0] + s->filled * ae_shape_elements(&s->shape[0]),
        s->floats[1] + s->filled * ae_shape_elements(&s->shape[1]), NULL};
    tool_check(
        ae_task_fill(s->task, sample, 0, s->samples++, example, &tool_error));
    if (++s->filled == s->batch_size)
        put_batch(s);
}

/* The first picture tells the shapes: writes the header. */
static void begin(Stream *s)
{
    static const char *const names[] = {"input", "target"};

    tool_check(ae_task_set_size(s->task, &s->size, &tool_error));
    s->shape[0] = ae_task_input_shape(s->task);
    s->shape[1] = ae_task_target_shape(s->task);
    s->planes = ae_alloc_floats((size_t)ae_shape_elements(&s->shape[1]));
    for (int half = 0; half < 2; half++)
        s->floats[half] = ae_alloc_floats(
            (size_t)ae_shape_elements(&s->shape[half]) * (size_t)s->batch_size);
    tool_require(s->planes != NULL && s->floats[0] != NULL &&
                     s->floats[1] != NULL,
                 "no memory for a batch");
    printf("ae-samples 1");
    for (int half = 0; half < 2; half++)
        printf(" %s %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
               " %" G_GINT64_FORMAT,
               names[half], s->batch_size, s->shape[half].dim[1],
               s->shape[half].dim[2], s->shape[half].dim[3]);
    check_output(putchar('\n') != EOF);
}

static void push(Stream *s, const AePicture *picture, int label)
{
    AeSampleSize size;

    tool_check(
        ae_sampler_size(s->sampler, &picture->format, &size, &tool_error));
    if (s->size.width == 0) {
        s->size = size;
        begin(s);
    }
    tool_require(size.channels == s->size.channels &&
                     size.width == s->size.width &&
                     size.height == s->size.height,
                 "samples of %dx%dx%d follow those of %dx%dx%d: set "
                 "--patch-size for pictures of several sizes, --gray where "
                 "some are gray",
                 size.width, size.height, size.channels, s->size.width,
                 s->size.height, s->size.channels);
    tool_check(
        ae_sampler_set_format(s->sampler, &picture->format, &tool_error));
    ae_sampler_push(s->sampler, picture, label, take_sample, s);
}

void run_samples(Arguments *args)
{
    g_auto(Training) training = training_parse(args);

    tool_usage(!isatty(STDOUT_FILENO),
               "standard output is a terminal: send the samples to a file "
               "or a program");
    g_autoptr(Pictures) pictures = pictures_new(&training);
    g_autoptr(AeTask) task =
        tool_need(ae_task_new(&training.options.task, &tool_error));
    g_autoptr(AeSampler) sampler =
        ae_task_new_sampler(&training.options.task, &training.options.sampler);
    Stream stream = {.task = task,
                     .sampler = sampler,
                     .batch_size = (int)training.options.batch_size,
                     .max_batches = training.options.max_steps};
    const uint64_t total = pictures_total(pictures);

    for (uint64_t i = 0; i < total && !is_done(&stream); i++) {
        int label;
        const AePicture picture = pictures_read(pictures, i, &label);

        push(&stream, &picture, label);
    }
    ae_sampler_drain(sampler, take_sample, &stream);
    check_output(fflush(stdout) == 0);
    ae_free(stream.floats[0]);
    ae_free(stream.floats[1]);
    ae_free(stream.planes);
}
