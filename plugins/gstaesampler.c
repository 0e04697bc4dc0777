/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaesampler.h"

#include <string.h>

#include "ae.h"

enum { STREAM_CUT = 1, STREAM_SHUFFLE }; /* parts of the seed */
enum { PAST = 2 };                       /* frames that are kept */

/* Between what noise alone gives (core/train/still.h), and what motion makes of it:
 * of the patches of 64 x 64 samples of a scene that stands still one in a
 * thousand is left out, of smaller ones more. */
#define STILL -0.35  /* the largest correlation */
#define COARSE 2     /* how often more coarse than most so far */
#define COARSEST 0.5 /* of noise: what pictures are made of has more */
#define DOWN 0.05    /* how fast it follows what is less coarse, */
#define UP 0.001     /* and what is more */

struct GstAeSampler {
    GstAeSamplerOptions options;
    int width, height, channels; /* of a sample */
    gsize image_size;            /* bytes of an image in it */
    gsize size;                  /* bytes of a sample */
    guint8 *sample;              /* the one just cut */
    guint8 *buffer;              /* shuffle_buffer samples */
    int *labels;                 /* of their frames */
    int held;
    guint64 frames, samples;  /* so far */
    GstVideoFrame past[PAST]; /* the last ones, the newer first */
    int kept;                 /* of these, that have come */
    double coarse;            /* of AeStill, a low quantile */
    guint64 moving;           /* places in turn that did not stand still */
};

GstAeSampler *gst_ae_sampler_new(const GstAeSamplerOptions *options)
{
    GstAeSampler *sampler = g_new0(GstAeSampler, 1);

    sampler->options = *options;
    sampler->coarse = COARSEST / COARSE;
    sampler->labels = g_new0(int, options->shuffle_buffer + 1);
    return sampler;
}

static void forget_past(GstAeSampler *sampler)
{
    for (int i = 0; i < PAST; i++)
        if (sampler->past[i].buffer != NULL)
            gst_video_frame_unmap(&sampler->past[i]);
    memset(sampler->past, 0, sizeof sampler->past);
    sampler->kept = 0;
}

void gst_ae_sampler_free(GstAeSampler *sampler)
{
    if (sampler == NULL)
        return;
    forget_past(sampler);
    ae_free(sampler->sample);
    ae_free(sampler->buffer);
    g_free(sampler->labels);
    g_free(sampler);
}

int gst_ae_sampler_channels(const GstAeSampler *sampler,
                            const GstVideoInfo *info)
{
    if (sampler->options.yuv420)
        return 6;
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

/* Whether samples of @width x @height can be cut from chroma too. */
static gboolean check_yuv420(const GstVideoInfo *info, int width, int height,
                             GError **error)
{
    const GstVideoFormatInfo *format = info->finfo;

    if (!GST_VIDEO_FORMAT_INFO_IS_YUV(format) || format->w_sub[1] != 1 ||
        format->h_sub[1] != 1)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "colour=yuv420 needs video of 4:2:0, such as I420, but "
                    "this is %s: put a videoconvert before the element",
                    format->name);
    else if (width % 2 != 0 || height % 2 != 0)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "colour=yuv420 needs even sizes, but a sample would have "
                    "%dx%d: set an even patch-size",
                    width, height);
    else
        return TRUE;
    return FALSE;
}

/* Room for frames of @info. */
static gboolean make_past(GstAeSampler *sampler, const GstVideoInfo *info,
                          GError **error)
{
    GstVideoInfo packed;

    forget_past(sampler);
    gst_video_info_set_format(&packed, GST_VIDEO_INFO_FORMAT(info),
                              (guint)GST_VIDEO_INFO_WIDTH(info),
                              (guint)GST_VIDEO_INFO_HEIGHT(info));
    for (int i = 0; i < PAST; i++) {
        g_autoptr(GstBuffer) buffer =
            gst_buffer_new_allocate(NULL, packed.size, NULL);

        if (buffer != NULL && gst_video_frame_map(&sampler->past[i], &packed,
                                                  buffer, GST_MAP_READWRITE))
            continue;
        g_set_error_literal(error, AE_ERROR, AE_ERROR_MEMORY,
                            "no memory for the frames before");
        return FALSE;
    }
    return TRUE;
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
    sampler->channels = gst_ae_sampler_channels(sampler, info);
    if (sampler->options.yuv420) {
        if (!check_yuv420(info, sampler->width, sampler->height, error))
            return FALSE;
        sampler->width /= 2;
        sampler->height /= 2;
    }
    if (sampler->options.still && !make_past(sampler, info, error))
        return FALSE;
    sampler->image_size =
        (gsize)sampler->width * sampler->height * sampler->channels;
    gsize size = sampler->image_size * (sampler->options.still ? 1 + PAST : 1);
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

/* Bytes of a sample that lie together: @channels components of a pixel side by
 * side, the first of them @component of the frame. */
typedef struct {
    guint8 *data;
    int component, channels, width, height;
} Plane;

/* Those of the image at @data; returns how many there are. */
static int list_planes(const GstAeSampler *s, guint8 *data, Plane planes[3])
{
    int n = s->options.yuv420 ? 3 : 1;

    for (int i = 0; i < n; i++) {
        int times = n == 3 && i == 0 ? 2 : 1;

        planes[i] = (Plane){data, i, n == 3 ? 1 : s->channels, s->width * times,
                            s->height * times};
        data += (gsize)planes[i].width * planes[i].height * planes[i].channels;
    }
    return n;
}

/* Copies one component of the rectangle at (x0, y0) into channel @c. */
static void cut_component(const Plane *plane, int c, GstVideoFrame *frame,
                          int x0, int y0)
{
    int component = plane->component + c;
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);
    int stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, component);
    const guint8 *data = GST_VIDEO_FRAME_COMP_DATA(frame, component);

    for (int y = 0; y < plane->height; y++) {
        const guint8 *in = data + (gssize)(y0 + y) * stride + x0 * step;
        guint8 *out =
            plane->data + (gsize)y * plane->width * plane->channels + c;
        for (int x = 0; x < plane->width; x++)
            out[x * plane->channels] = in[x * step];
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

static guint8 *pixel(const Plane *p, int y, int x)
{
    return p->data + ((gsize)y * p->width + x) * p->channels;
}

/* Turn @kind 0 .. 7: bit 0 mirrors columns, 1 mirrors rows, 2 (squares only)
 * transposes. */
static void turn(const Plane *p, guint kind)
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

/* The image at (x, y) of the plane that is the smallest, to @data. */
static void cut(const GstAeSampler *s, GstVideoFrame *frame, int x, int y,
                guint kind, guint8 *data)
{
    Plane planes[3];
    int n = list_planes(s, data, planes);

    for (int i = 0; i < n; i++) {
        int times = planes[i].width / s->width;

        for (int c = 0; c < planes[i].channels; c++)
            cut_component(&planes[i], c, frame, x * times, y * times);
        turn(&planes[i], kind);
    }
}

static gboolean is_still(GstAeSampler *s, AeStill still)
{
    gboolean coarse = still.coarse > COARSE * s->coarse;

    if (still.correlation > STILL)
        return FALSE;
    s->coarse +=
        (still.coarse - s->coarse) * (still.coarse < s->coarse ? DOWN : UP);
    return !coarse;
}

/* The same place in the frames before: TRUE if nothing moved there. */
static gboolean cut_past(GstAeSampler *s, int x, int y, guint kind)
{
    guint8 *images[1 + PAST];
    Plane planes[3];

    for (int i = 0; i <= PAST; i++)
        images[i] = s->sample + s->image_size * (gsize)i;
    for (int i = 0; i < PAST; i++)
        cut(s, &s->past[i], x, y, kind, images[1 + i]);
    list_planes(s, s->sample, planes);
    return is_still(s, ae_still_measure(images[2], images[1], images[0],
                                        planes[0].width, planes[0].height,
                                        planes[0].channels));
}

static void keep(GstAeSampler *s, const GstVideoFrame *frame)
{
    GstVideoFrame oldest = s->past[PAST - 1];

    memmove(&s->past[1], &s->past[0], (PAST - 1) * sizeof *s->past);
    s->past[0] = oldest;
    gst_video_frame_copy(&s->past[0], frame);
    s->kept = MIN(s->kept + 1, PAST);
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
    int times = s->options.yuv420 ? 2 : 1;
    guint32 room_x =
        (guint32)(GST_VIDEO_FRAME_WIDTH(frame) / times - s->width + 1);
    guint32 room_y =
        (guint32)(GST_VIDEO_FRAME_HEIGHT(frame) / times - s->height + 1);
    int n = s->options.patch_size > 0 ? s->options.patches_per_frame : 1;

    for (int i = 0; i < n; i++) {
        int x = (int)ae_random_below(&random, room_x);
        int y = (int)ae_random_below(&random, room_y);
        guint kind = s->options.augment ? ae_random_below(&random, 8) : 0;

        cut(s, frame, x, y, kind, s->sample);
        if (s->options.still && (s->kept < PAST || !cut_past(s, x, y, kind))) {
            s->moving++;
            continue;
        }
        s->moving = 0;
        emit_shuffled(s, label, emit, user);
    }
    if (s->options.still)
        keep(s, frame);
}

guint64 gst_ae_sampler_moving(const GstAeSampler *sampler)
{
    return sampler->moving;
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
