/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aenoise
 * @title: aenoise
 *
 * Adds noise to video: the same models that training uses, so that a denoiser
 * can be shown, and measured with aecompare, on the noise that it knows.
 *
 * `noise` is a model, KIND:KEY=VALUE,...: "none", "gaussian:mean=0,sd=0.1",
 * "uniform:mean=0,width=0.1", "poisson-gaussian:gain=0.01,sd=0.01",
 * "camera:gain=0.01,sd=0.01,spread=1,soft=0,quality=0" (shared by neighbours as
 * after demosaicing; soft times as far, the picture is; then JPEG's loss),
 * "jpeg:quality=50,sd=0" or "salt-pepper:p=0.05", in units of the full range of
 * a sample (25/255 is 0.098); a value may be a range A..B from which each frame
 * draws its own, and of several models with | between them each frame draws
 * one. It may change while playing.
 *
 * The noise of a frame follows from `seed` and the frame's number since the
 * start alone. Every sample of every component gets noise of its own; alpha and
 * padding are left as they are.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=90 ! aenoise
 * noise=poisson-gaussian:gain=0.02,sd=0.05 ! videoconvert ! autovideosink
 * ]|
 */
#include "elements.h"
#include "gstaeerror.h"
#include "gstaepixels.h"
#include "gstaeproperties.h"

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include "ae.h"

GST_DEBUG_CATEGORY_STATIC(ae_noise_debug);
#define GST_CAT_DEFAULT ae_noise_debug

typedef struct {
    GstVideoFilter parent;
    const char *text; /* the noise model; it and seed under the object lock */
    guint64 seed;

    gboolean stale; /* atomic: the text has changed since it was parsed */
    AeNoise *noise; /* from here on: the streaming thread's */
    guint64 frames; /* that have come, the one in hand included */
    float *samples; /* of one frame */
    gsize count;
} GstAeNoise;

typedef GstVideoFilterClass GstAeNoiseClass;

GType gst_ae_noise_get_type(void);
G_DEFINE_TYPE(GstAeNoise, gst_ae_noise, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(aenoise, "aenoise", GST_RANK_NONE,
                            gst_ae_noise_get_type())

#define FORMATS                                                                \
    "{ GRAY8, I420, YV12, NV12, NV21, Y41B, Y42B, Y444, YUY2, UYVY, AYUV, "    \
    "RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GBR }"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(FORMATS)));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(FORMATS)));

static const GstAeProperty properties[] = {
    {"noise", "Noise", "The noise model, KIND:KEY=VALUE,...", G_TYPE_STRING,
     G_STRUCT_OFFSET(GstAeNoise, text), .text = "gaussian:sd=0.1",
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"seed", "Seed", "Chooses the random numbers", G_TYPE_UINT64,
     G_STRUCT_OFFSET(GstAeNoise, seed), .flags = GST_PARAM_MUTABLE_PLAYING},
};

/* The streaming thread takes up a new noise model, and posts what is wrong
 * with it, between two frames. */
static void property_changed(GstElement *element, const char *name)
{
    g_atomic_int_set(&((GstAeNoise *)element)->stale, TRUE);
}

static gboolean parse_noise(GstAeNoise *self)
{
    g_autofree char *text = gst_ae_property_dup(self, &self->text);
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&self->noise, ae_noise_free);
    self->noise = ae_noise_parse(text, &error);
    if (self->noise == NULL)
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self),
                                       self->noise != NULL &&
                                           ae_noise_is_none(self->noise));
    return self->noise != NULL;
}

/* The colour components; alpha is the last. */
static guint components(const GstVideoFrame *frame)
{
    guint n = GST_VIDEO_FRAME_N_COMPONENTS(frame);

    return GST_VIDEO_INFO_HAS_ALPHA(&frame->info) ? n - 1 : n;
}

static gsize count_samples(const GstVideoFrame *frame)
{
    gsize count = 0;

    for (guint c = 0; c < components(frame); c++)
        count += (gsize)GST_VIDEO_FRAME_COMP_WIDTH(frame, c) *
                 (gsize)GST_VIDEO_FRAME_COMP_HEIGHT(frame, c);
    return count;
}

static guint8 *component_row(GstVideoFrame *frame, guint c, int y)
{
    return (guint8 *)GST_VIDEO_FRAME_COMP_DATA(frame, c) +
           (gssize)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, c);
}

static void read_row(float *target, const guint8 *source, int n, int step)
{
    for (int x = 0; x < n; x++)
        target[x] = (float)source[(gssize)x * step] / 255;
}

static void write_row(guint8 *target, const float *source, int n, int step)
{
    for (int x = 0; x < n; x++) {
        float value = source[x] * 255 + 0.5f;
        value = value > 0 ? value : 0;
        target[(gssize)x * step] = (guint8)(value < 255 ? value : 255);
    }
}

/* Between the frame's components, one after the other, and self->samples. */
static void move_samples(GstAeNoise *self, GstVideoFrame *frame, gboolean read)
{
    float *samples = self->samples;

    for (guint c = 0; c < components(frame); c++) {
        int n = GST_VIDEO_FRAME_COMP_WIDTH(frame, c);
        int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c);
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, c); y++) {
            guint8 *row = component_row(frame, c, y);
            if (read)
                read_row(samples, row, n, step);
            else
                write_row(row, samples, n, step);
            samples += n;
        }
    }
}

static void fit_samples(GstAeNoise *self, gsize count)
{
    if (self->count != count) {
        g_free(self->samples);
        self->samples = g_new(float, count);
        self->count = count;
    }
}

/* Counts every frame, so that one which is dropped for being late, or passed
 * through, does not move the noise of the others. */
static void before_transform(GstBaseTransform *base, GstBuffer *buffer)
{
    GstAeNoise *self = (GstAeNoise *)base;

    self->frames++;
    if (g_atomic_int_compare_and_exchange(&self->stale, TRUE, FALSE))
        parse_noise(self);
}

static GstFlowReturn transform_frame_ip(GstVideoFilter *filter,
                                        GstVideoFrame *frame)
{
    GstAeNoise *self = (GstAeNoise *)filter;
    gsize count = count_samples(frame);
    AeNoisePlane planes[GST_VIDEO_MAX_COMPONENTS];
    guint64 seed;

    if (self->noise == NULL)
        return GST_FLOW_ERROR;
    GST_OBJECT_LOCK(self);
    seed = self->seed;
    GST_OBJECT_UNLOCK(self);

    fit_samples(self, count);
    move_samples(self, frame, TRUE);
    for (guint c = 0; c < components(frame); c++)
        planes[c] = (AeNoisePlane){GST_VIDEO_FRAME_COMP_WIDTH(frame, c),
                                   GST_VIDEO_FRAME_COMP_HEIGHT(frame, c), 1};
    ae_noise_apply(self->noise, self->samples, self->samples, planes,
                   (int)components(frame), seed, self->frames - 1);
    move_samples(self, frame, FALSE);
    return GST_FLOW_OK;
}

static GstFlowReturn transform_ip(GstBaseTransform *base, GstBuffer *buffer)
{
    if (!gst_ae_picture_fit(GST_ELEMENT(base), &GST_VIDEO_FILTER(base)->in_info,
                           buffer))
        return GST_FLOW_ERROR;
    return GST_BASE_TRANSFORM_CLASS(gst_ae_noise_parent_class)
        ->transform_ip(base, buffer);
}

static gboolean start(GstBaseTransform *base)
{
    GstAeNoise *self = (GstAeNoise *)base;

    self->frames = 0;
    g_atomic_int_set(&self->stale, FALSE);
    return parse_noise(self);
}

static gboolean stop(GstBaseTransform *base)
{
    GstAeNoise *self = (GstAeNoise *)base;

    g_clear_pointer(&self->noise, ae_noise_free);
    g_clear_pointer(&self->samples, g_free);
    self->count = 0;
    return TRUE;
}

static void gst_ae_noise_class_init(GstAeNoiseClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(ae_noise_debug, "aenoise", 0, "noise");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), property_changed);
    gst_element_class_set_static_metadata(
        element, "Noise", "Filter/Effect/Video",
        "Adds noise of the models that training uses", "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    base->start = start;
    base->stop = stop;
    base->before_transform = before_transform;
    base->transform_ip = transform_ip;
    base->transform_ip_on_passthrough = FALSE;
    klass->transform_frame_ip = transform_frame_ip;
}

static void gst_ae_noise_init(GstAeNoise *self)
{
}
