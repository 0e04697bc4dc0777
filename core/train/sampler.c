/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting, turning and mixing samples; finding places that stand still. */
#include "train/sampler.h"

#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "base/tensor.h"
#include "train/still.h"
#include "video/plane.h"

enum { STREAM_CUT = 1, STREAM_SHUFFLE }; /* parts of the seed */
enum { PAST = 2 };                       /* earlier pictures that are kept */

/* Limits between what noise alone gives (train/still.h) and what motion makes
 * of it: of the patches of 64 x 64 samples of a scene that stands still one in
 * a thousand is left out, of smaller patches more. */
#define STILL -0.35 /* the largest correlation */
#define COARSE                                                                 \
    2 /* the largest ratio of a place's coarse part to the                     \
         moving quantile */
#define COARSEST                                                               \
    0.5           /* the largest coarse part of noise; pictures have more      \
                   */
#define DOWN 0.05 /* how fast the quantile follows smaller values, */
#define UP 0.001  /* and larger ones */

struct AeSampler {
    AeSamplerOptions options;
    AeSampleSize size; /* of a sample */
    size_t image;      /* words of one picture of a sample */
    size_t words;      /* of a sample */
    uint16_t *sample;  /* the one that was cut last */
    uint16_t *buffer;  /* shuffle_buffer samples */
    AeSample *held;    /* in the buffer, each at its place */
    uint32_t n_held;
    uint64_t pictures, samples; /* so far */
    AePicture past[PAST];       /* copies of the last ones, the newest first */
    uint8_t *past_data[PAST];   /* their memory */
    int n_past;                 /* of these, that have come */
    double coarse;              /* of AeStill, a low quantile */
    uint64_t moving;            /* places in turn that did not stand still */
};

AeSampler *ae_sampler_new(const AeSamplerOptions *options)
{
    AeSampler *s = g_new0(AeSampler, 1);

    s->options = *options;
    s->coarse = COARSEST / COARSE;
    s->held = g_new0(AeSample, options->shuffle_buffer + 1);
    return s;
}

static void forget_past(AeSampler *s)
{
    for (int i = 0; i < PAST; i++)
        g_clear_pointer(&s->past_data[i], ae_free);
    s->n_past = 0;
}

void ae_sampler_free(AeSampler *s)
{
    if (s == NULL)
        return;
    forget_past(s);
    ae_free(s->sample);
    ae_free(s->buffer);
    g_free(s->held);
    g_free(s);
}

static gboolean is_yuv420(const AeSampler *s)
{
    return s->options.colour == AE_TRAIN_COLOUR_YUV420;
}

gboolean ae_sampler_size(const AeSampler *s, const AePictureFormat *format,
                         AeSampleSize *size, GError **error)
{
    int patch = (int)s->options.patch_size;

    if (!ae_picture_check(format, error))
        return FALSE;

    int width = patch > 0 ? patch : format->width;
    int height = patch > 0 ? patch : format->height;

    *size =
        (AeSampleSize){format->colour == AE_COLOUR_RGB ? 3 : 1, width, height};
    if (is_yuv420(s))
        *size = (AeSampleSize){AE_YUV420_CHANNELS, width / 2, height / 2};
    if (format->width < patch || format->height < patch)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "frames of %dx%d are smaller than a patch of %dx%d",
                    format->width, format->height, patch, patch);
    else if (is_yuv420(s) && !ae_picture_is_yuv420(format))
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "colour=yuv420 needs video of 4:2:0, such as I420, but "
                    "this is %s: convert it first (videoconvert)",
                    format->name);
    else if (is_yuv420(s) && (width % 2 != 0 || height % 2 != 0))
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "colour=yuv420 needs even sizes, but a sample would have "
                    "%dx%d: set an even patch-size",
                    width, height);
    else
        return TRUE;
    return FALSE;
}

/* Memory for @n words; NULL if there is none. */
static uint16_t *allocate_words(size_t n)
{
    return (uint16_t *)ae_alloc_floats(n / 2 + 1);
}

/* Room for the sample in hand and for those of the shuffle buffer. */
static gboolean allocate(AeSampler *s, size_t words, GError **error)
{
    size_t n = s->options.shuffle_buffer, all;

    g_clear_pointer(&s->sample, ae_free);
    g_clear_pointer(&s->buffer, ae_free);
    s->words = 0;
    if (g_size_checked_mul(&all, words, n)) {
        s->sample = allocate_words(words);
        s->buffer = allocate_words(all);
    }
    if (s->sample != NULL && s->buffer != NULL) {
        s->words = words;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                "no memory to mix %" G_GSIZE_FORMAT
                " images of %" G_GSIZE_FORMAT
                " bytes: set a smaller shuffle-buffer",
                n, words * sizeof(uint16_t));
    return FALSE;
}

/* Room for copies of the planes that samples are cut from. */
static gboolean make_past(AeSampler *s, const AePictureFormat *format,
                          GError **error)
{
    int bytes = format->bits > 8 ? 2 : 1;
    int n = is_yuv420(s) || format->colour == AE_COLOUR_RGB ? 3 : 1;
    AePicture packed = {.format = *format};
    size_t size = 0;

    forget_past(s);
    packed.format.n_planes = n;
    for (int c = 0; c < n; c++) {
        int width = ae_subsampled(format->width, format->log2_x[c]);
        int height = ae_subsampled(format->height, format->log2_y[c]);

        packed.plane[c] =
            ae_plane(NULL, width * bytes, bytes, width, height, format->bits);
        size += (size_t)width * (size_t)height * (size_t)bytes;
    }
    for (int i = 0; i < PAST; i++) {
        uint8_t *data = s->past_data[i] = ae_alloc(size, 1, NULL);

        if (data == NULL) {
            g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                                "no memory for the frames before");
            return FALSE;
        }
        s->past[i] = packed;
        for (int c = 0; c < n; c++) {
            AePlane *plane = &s->past[i].plane[c];

            plane->data = data;
            data += (size_t)plane->stride * plane->height;
        }
    }
    return TRUE;
}

gboolean ae_sampler_set_format(AeSampler *s, const AePictureFormat *format,
                               GError **error)
{
    if (!ae_sampler_size(s, format, &s->size, error) ||
        (s->options.still && !make_past(s, format, error)))
        return FALSE;
    s->image = (size_t)s->size.width * s->size.height * s->size.channels;
    size_t words = s->image * (s->options.still ? 1 + PAST : 1);
    if (words == s->words)
        return TRUE;
    g_assert(s->n_held == 0);
    return allocate(s, words, error);
}

/* A part of a sample: @channels planes of the picture, from @first on, their
 * samples side by side. */
typedef struct {
    uint16_t *data;
    int first, channels, width, height;
} Part;

/* The parts of one picture's words at @data; returns their number. */
static int list_parts(const AeSampler *s, uint16_t *data, Part parts[3])
{
    int n = is_yuv420(s) ? 3 : 1;

    for (int i = 0; i < n; i++) {
        int times = n == 3 && i == 0 ? 2 : 1;

        parts[i] = (Part){data, i, n == 3 ? 1 : s->size.channels,
                          s->size.width * times, s->size.height * times};
        data += (size_t)parts[i].width * parts[i].height * parts[i].channels;
    }
    return n;
}

static uint16_t *pixel(const Part *p, int y, int x)
{
    return p->data + ((size_t)y * p->width + x) * p->channels;
}

static void swap_pixels(uint16_t *a, uint16_t *b, int channels)
{
    for (int c = 0; c < channels; c++) {
        uint16_t swap = a[c];

        a[c] = b[c];
        b[c] = swap;
    }
}

/* Turn @kind 0 .. 7: bit 0 mirrors columns, 1 mirrors rows, 2 (squares only)
 * transposes. */
static void turn(const Part *p, uint32_t kind)
{
    int w = p->width, h = p->height;

    for (int y = 0; (kind & 1) && y < h; y++)
        for (int x = 0; x < w / 2; x++)
            swap_pixels(pixel(p, y, x), pixel(p, y, w - 1 - x), p->channels);
    for (int y = 0; (kind & 2) && y < h / 2; y++)
        for (int x = 0; x < w; x++)
            swap_pixels(pixel(p, y, x), pixel(p, h - 1 - y, x), p->channels);
    for (int y = 0; (kind & 4) && w == h && y < h; y++)
        for (int x = 0; x < y; x++)
            swap_pixels(pixel(p, y, x), pixel(p, x, y), p->channels);
}

/* Where a sample is cut: the corner, in samples of the smallest plane, and how
 * it is turned. */
typedef struct {
    int x, y;
    uint32_t turn;
} Place;

static void cut(const AeSampler *s, const AePicture *picture, Place place,
                uint16_t *data)
{
    Part parts[3];
    int n = list_parts(s, data, parts);

    for (int i = 0; i < n; i++) {
        const Part *part = &parts[i];
        int times = part->width / s->size.width;

        for (int c = 0; c < part->channels; c++)
            for (int y = 0; y < part->height; y++)
                ae_plane_read_integers(&picture->plane[part->first + c],
                                       place.x * times, place.y * times + y,
                                       part->width, pixel(part, y, 0) + c,
                                       part->channels);
        turn(part, place.turn);
    }
}

/* Cuts the sample's earlier pictures; TRUE if nothing moved in it. */
static gboolean cut_past(AeSampler *s, Place place)
{
    uint16_t *images[1 + PAST];
    Part parts[3];

    for (int i = 0; i <= PAST; i++)
        images[i] = s->sample + s->image * (size_t)i;
    for (int i = 0; i < PAST; i++)
        cut(s, &s->past[i], place, images[1 + i]);
    list_parts(s, s->sample, parts);
    AeStill still =
        ae_still_measure(images[2], images[1], images[0], parts[0].width,
                         parts[0].height, parts[0].channels);
    gboolean coarse = still.coarse > COARSE * s->coarse;
    if (still.correlation > STILL)
        return FALSE;
    s->coarse +=
        (still.coarse - s->coarse) * (still.coarse < s->coarse ? DOWN : UP);
    return !coarse;
}

static void keep(AeSampler *s, const AePicture *picture)
{
    AePicture oldest = s->past[PAST - 1];

    memmove(&s->past[1], &s->past[0], (PAST - 1) * sizeof *s->past);
    s->past[0] = oldest;
    ae_picture_copy(&s->past[0], picture);
    s->n_past = MIN(s->n_past + 1, PAST);
}

/* Puts the sample in hand at place @i of the shuffle buffer. */
static void hold(AeSampler *s, uint32_t i, const AeSample *sample)
{
    uint16_t *data = s->buffer + s->words * i;

    memcpy(data, sample->data, s->words * sizeof *data);
    s->held[i] = (AeSample){data, sample->bits, sample->label};
}

/* The sample takes a free place of the buffer, or that of another sample,
 * which leaves. */
static void emit_shuffled(AeSampler *s, const AeSample *sample,
                          AeSamplerEmit emit, void *user)
{
    uint32_t i;
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_SHUFFLE), s->samples++);

    if (s->options.shuffle_buffer == 0) {
        emit(user, sample);
        return;
    }
    if (s->n_held < s->options.shuffle_buffer) {
        i = s->n_held++;
    } else {
        i = ae_random_below(&random, s->options.shuffle_buffer);
        emit(user, &s->held[i]);
    }
    hold(s, i, sample);
}

void ae_sampler_push(AeSampler *s, const AePicture *picture, int label,
                     AeSamplerEmit emit, void *user)
{
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_CUT), s->pictures++);
    const AePictureFormat *format = &picture->format;
    int times = is_yuv420(s) ? 2 : 1;
    uint32_t room_x = (uint32_t)(format->width / times - s->size.width + 1);
    uint32_t room_y = (uint32_t)(format->height / times - s->size.height + 1);
    unsigned n = s->options.patch_size > 0 ? s->options.patches_per_frame : 1;

    for (unsigned i = 0; i < n; i++) {
        Place place = {.x = (int)ae_random_below(&random, room_x)};

        place.y = (int)ae_random_below(&random, room_y);
        place.turn = s->options.augment ? ae_random_below(&random, 8) : 0;
        cut(s, picture, place, s->sample);
        if (s->options.still && (s->n_past < PAST || !cut_past(s, place))) {
            s->moving++;
            continue;
        }
        s->moving = 0;
        emit_shuffled(s, &(AeSample){s->sample, format->bits, label}, emit,
                      user);
    }
    if (s->options.still)
        keep(s, picture);
}

uint64_t ae_sampler_moving(const AeSampler *s)
{
    return s->moving;
}

void ae_sampler_drain(AeSampler *s, AeSamplerEmit emit, void *user)
{
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_SHUFFLE), s->samples++);

    while (s->n_held > 0) {
        uint32_t i = ae_random_below(&random, s->n_held);

        emit(user, &s->held[i]);
        s->n_held--;
        if (i < s->n_held)
            hold(s, i, &s->held[s->n_held]);
    }
}
