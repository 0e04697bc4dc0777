/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaesampler.h"

#include <string.h>

#include "ae.h"

enum { STREAM_CUT = 1, STREAM_SHUFFLE }; /* parts of the seed */

struct GstAeSampler {
    GstAeSamplerOptions options;
    int width, height, channels; /* of a sample */
    gsize size;                  /* bytes of a sample */
    guint8 *sample;              /* the one just cut */
    guint8 *buffer;              /* shuffle_buffer samples */
    int *labels;                 /* of their frames */
    int held;
    guint64 frames, samples; /* so far */
};

GstAeSampler *gst_ae_sampler_new(const GstAeSamplerOptions *options)
{
    GstAeSampler *sampler = g_new0(GstAeSampler, 1);

    sampler->options = *options;
    sampler->labels = g_new0(int, options->shuffle_buffer + 1);
    return sampler;
}

void gst_ae_sampler_free(GstAeSampler *sampler)
{
    if (sampler == NULL)
        return;
    ae_free(sampler->sample);
    ae_free(sampler->buffer);
    g_free(sampler->labels);
    g_free(sampler);
}

int gst_ae_sampler_channels(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_IS_RGB(info) ? 3 : 1;
}

/* Bytes that may be missing: NULL then. */
static guint8 *allocate_bytes(gsize size)
{
    return (guint8 *)ae_alloc_floats(size / sizeof(float) + 1);
}

/* Room for the sample in hand and those of the shuffle buffer. */
static gboolean allocate(GstAeSampler *sampler, gsize size, GError **error)
{
    gsize held = (gsize)sampler->options.shuffle_buffer, all;

    g_clear_pointer(&sampler->sample, ae_free);
    g_clear_pointer(&sampler->buffer, ae_free);
    sampler->size = 0;
    if (g_size_checked_mul(&all, size, held)) {
        sampler->sample = allocate_bytes(size);
        sampler->buffer = allocate_bytes(all);
    }
    if (sampler->sample != NULL && sampler->buffer != NULL) {
        sampler->size = size;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                "no memory to mix %" G_GSIZE_FORMAT
                " images of %" G_GSIZE_FORMAT
                " bytes: set a smaller shuffle-buffer",
                held, size);
    return FALSE;
}

gboolean gst_ae_sampler_set_info(GstAeSampler *sampler,
                                 const GstVideoInfo *info, GError **error)
{
    int patch = sampler->options.patch_size;
    int w = GST_VIDEO_INFO_WIDTH(info), h = GST_VIDEO_INFO_HEIGHT(info);

    if (w < patch || h < patch) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "frames of %dx%d are smaller than a patch of %dx%d", w, h,
                    patch, patch);
        return FALSE;
    }
    sampler->width = patch > 0 ? patch : w;
    sampler->height = patch > 0 ? patch : h;
    sampler->channels = gst_ae_sampler_channels(info);
    gsize size = (gsize)sampler->width * sampler->height * sampler->channels;
    if (size == sampler->size)
        return TRUE;
    g_assert(sampler->held == 0);
    return allocate(sampler, size, error);
}

int gst_ae_sampler_width(const GstAeSampler *sampler)
{
    return sampler->width;
}

int gst_ae_sampler_height(const GstAeSampler *sampler)
{
    return sampler->height;
}

/* Copies one component of the rectangle at (x0, y0) into the sample. */
static void cut_component(GstAeSampler *s, GstVideoFrame *frame, int c, int x0,
                          int y0)
{
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c);
    int stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, c);
    const guint8 *data = GST_VIDEO_FRAME_COMP_DATA(frame, c);

    for (int y = 0; y < s->height; y++) {
        const guint8 *in = data + (gssize)(y0 + y) * stride + x0 * step;
        guint8 *out = s->sample + (gsize)y * s->width * s->channels + c;
        for (int x = 0; x < s->width; x++)
            out[x * s->channels] = in[x * step];
    }
}

static void swap_pixels(guint8 *a, guint8 *b, int channels)
{
    for (int c = 0; c < channels; c++) {
        guint8 swap = a[c];
        a[c] = b[c];
        b[c] = swap;
    }
}

static guint8 *pixel(GstAeSampler *s, int y, int x)
{
    return s->sample + ((gsize)y * s->width + x) * s->channels;
}

/* Turn @kind 0 .. 7: bit 0 mirrors columns, 1 mirrors rows, 2 (squares only)
 * transposes. */
static void turn(GstAeSampler *s, guint kind)
{
    int w = s->width, h = s->height;

    for (int y = 0; (kind & 1) && y < h; y++)
        for (int x = 0; x < w / 2; x++)
            swap_pixels(pixel(s, y, x), pixel(s, y, w - 1 - x), s->channels);
    for (int y = 0; (kind & 2) && y < h / 2; y++)
        for (int x = 0; x < w; x++)
            swap_pixels(pixel(s, y, x), pixel(s, h - 1 - y, x), s->channels);
    for (int y = 0; (kind & 4) && w == h && y < h; y++)
        for (int x = 0; x < y; x++)
            swap_pixels(pixel(s, y, x), pixel(s, x, y), s->channels);
}

static guint8 *slot(GstAeSampler *s, guint i)
{
    return s->buffer + s->size * i;
}

/* The sample takes the place of another, which leaves; or one that is free. */
static void emit_shuffled(GstAeSampler *s, int label, GstAeSamplerEmit emit,
                          gpointer user)
{
    guint32 capacity = (guint32)s->options.shuffle_buffer, i;
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_SHUFFLE), s->samples++);

    if (capacity == 0) {
        emit(user, s->sample, label);
        return;
    }
    if (s->held < (int)capacity) {
        i = (guint32)s->held++;
    } else {
        i = ae_random_below(&random, capacity);
        emit(user, slot(s, i), s->labels[i]);
    }
    memcpy(slot(s, i), s->sample, s->size);
    s->labels[i] = label;
}

void gst_ae_sampler_push(GstAeSampler *s, GstVideoFrame *frame, int label,
                         GstAeSamplerEmit emit, gpointer user)
{
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_CUT), s->frames++);
    guint32 room_x = (guint32)(GST_VIDEO_FRAME_WIDTH(frame) - s->width + 1);
    guint32 room_y = (guint32)(GST_VIDEO_FRAME_HEIGHT(frame) - s->height + 1);
    int n = s->options.patch_size > 0 ? s->options.patches_per_frame : 1;

    for (int i = 0; i < n; i++) {
        int x = (int)ae_random_below(&random, room_x);
        int y = (int)ae_random_below(&random, room_y);
        for (int c = 0; c < s->channels; c++)
            cut_component(s, frame, c, x, y);
        if (s->options.augment)
            turn(s, ae_random_below(&random, 8));
        emit_shuffled(s, label, emit, user);
    }
}

void gst_ae_sampler_drain(GstAeSampler *s, GstAeSamplerEmit emit, gpointer user)
{
    AeRandom random =
        ae_random(ae_random_mix(s->options.seed, STREAM_SHUFFLE), s->samples++);

    while (s->held > 0) {
        guint32 i = ae_random_below(&random, (guint32)s->held);

        emit(user, slot(s, i), s->labels[i]);
        s->held--;
        memmove(slot(s, i), slot(s, (guint)s->held), s->size);
        s->labels[i] = s->labels[s->held];
    }
}
