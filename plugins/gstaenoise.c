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
 * Samples of 10 and 16 bits keep their depth: the full range is theirs.
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
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaeerror.h"
#include "gstaepicture.h"
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
} GstAeNoise;

typedef GstVideoFilterClass GstAeNoiseClass;

GType gst_ae_noise_get_type(void);
G_DEFINE_TYPE(GstAeNoise, gst_ae_noise, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(aenoise, "aenoise", GST_RANK_NONE,
                            gst_ae_noise_get_type())

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_AE_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_AE_CAPS));

static const GstAeProperty properties[] = {
    {"noise", "Noise", "The noise model, KIND:KEY=VALUE,...", G_TYPE_STRING,
     G_STRUCT_OFFSET(GstAeNoise, text), .text = "gaussian:sd=0.1",
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"seed", "Seed", "Seed of the random numbers", G_TYPE_UINT64,
     G_STRUCT_OFFSET(GstAeNoise, seed), .flags = GST_PARAM_MUTABLE_PLAYING},
};

/* The streaming thread takes up a new noise model, and posts what is wrong
 * with it, between two frames. */
static void property_changed(GstElement *element,
                             const char *name G_GNUC_UNUSED)
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
    else
        GST_INFO_OBJECT(self, "noise is '%s' now", text);
    gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self),
                                       self->noise != NULL &&
                                           ae_noise_is_none(self->noise));
    return self->noise != NULL;
}

/* Between the planes of colour, one after the other, and self->samples. */
static void move_samples(GstAeNoise *self, const AePicture *picture,
                         gboolean read)
{
    static const AeRange range = {0, 1};
    float *samples = self->samples;

    for (int c = 0; c < picture->format.n_colours; c++) {
        const AePlane *plane = &picture->plane[c];

        for (int y = 0; y < plane->height; y++, samples += plane->width)
            if (read)
                ae_plane_read(plane, y, plane->width, range, samples, 1);
            else
                ae_plane_write(plane, 0, y, plane->width, range, samples, 1);
    }
}

/* Counts every frame, so that one which is dropped for being late, or passed
 * through, does not move the noise of the others. */
static void before_transform(GstBaseTransform *base,
                             GstBuffer *buffer G_GNUC_UNUSED)
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
    AePicture picture = gst_ae_picture_of_frame(frame);
    AeNoisePlane planes[AE_PICTURE_PLANES];
    g_autoptr(GError) error = NULL;
    guint64 seed;

    if (self->noise == NULL)
        return GST_FLOW_ERROR;
    GST_OBJECT_LOCK(self);
    seed = self->seed;
    GST_OBJECT_UNLOCK(self);

    for (int c = 0; c < picture.format.n_colours; c++)
        planes[c] =
            (AeNoisePlane){picture.plane[c].width, picture.plane[c].height, 1};
    move_samples(self, &picture, TRUE);
    if (!ae_noise_apply(self->noise, self->samples, self->samples, planes,
                        picture.format.n_colours, seed, self->frames - 1,
                        &error)) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return GST_FLOW_ERROR;
    }
    move_samples(self, &picture, FALSE);
    GST_LOG_OBJECT(self, "frame %" G_GUINT64_FORMAT " has its noise",
                   self->frames - 1);
    return GST_FLOW_OK;
}

static gboolean set_info(GstVideoFilter *filter, GstCaps *in G_GNUC_UNUSED,
                         GstVideoInfo *info, GstCaps *out G_GNUC_UNUSED,
                         GstVideoInfo *out_info G_GNUC_UNUSED)
{
    GstAeNoise *self = (GstAeNoise *)filter;
    g_autoptr(GError) error = NULL;
    gsize count = 0;

    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        count += (gsize)GST_VIDEO_INFO_COMP_WIDTH(info, c) *
                 (gsize)GST_VIDEO_INFO_COMP_HEIGHT(info, c);
    ae_free(self->samples);
    self->samples = ae_alloc(count, sizeof(float), &error);
    if (self->samples == NULL) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    GST_INFO_OBJECT(self, "frames are %s of %dx%d now",
                    GST_VIDEO_INFO_NAME(info), GST_VIDEO_INFO_WIDTH(info),
                    GST_VIDEO_INFO_HEIGHT(info));
    return TRUE;
}

/* An error says what is wrong with caps that the base class only refuses. */
static gboolean set_caps(GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
    g_autoptr(GError) error = NULL;
    GstVideoInfo info;

    if (gst_ae_picture_info(&info, in, &error))
        return GST_BASE_TRANSFORM_CLASS(gst_ae_noise_parent_class)
            ->set_caps(base, in, out);
    gst_ae_post(GST_ELEMENT(base), GST_MESSAGE_ERROR, error);
    return FALSE;
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
    g_clear_pointer(&self->samples, ae_free);
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
    base->set_caps = set_caps;
    base->before_transform = before_transform;
    base->transform_ip = transform_ip;
    base->transform_ip_on_passthrough = FALSE;
    klass->set_info = set_info;
    klass->transform_frame_ip = transform_frame_ip;
}

static void gst_ae_noise_init(GstAeNoise *self G_GNUC_UNUSED)
{
}
