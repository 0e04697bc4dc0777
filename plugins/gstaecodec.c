/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaecodec.h"

#include "gstaeerror.h"
#include "gstaelabel.h"
#include "gstaenegotiate.h"
#include "gstaepicture.h"

G_DEFINE_ABSTRACT_TYPE(GstAeCodec, gst_ae_codec, GST_TYPE_BASE_TRANSFORM)

#define CLASS(self) G_TYPE_INSTANCE_GET_CLASS(self, 0, GstAeCodecClass)

/* The value of the property `label` that leaves the choice to the buffer. */
#define FROM_BUFFER (-1)

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstAeCodec, settings, "vae"),
    {"label", "Label",
     "Label of every frame, for conditional models; -1: the label that each "
     "buffer carries, as idxsrc attaches it",
     G_TYPE_INT, G_STRUCT_OFFSET(GstAeCodec, label), .number = FROM_BUFFER,
     .minimum = FROM_BUFFER, .maximum = G_MAXINT,
     .flags = GST_PARAM_CONTROLLABLE | GST_PARAM_MUTABLE_PLAYING},
};

/* Takes @model and @codec, either of which may be NULL. */
static void swap(GstAeCodec *self, GstAeModel *model, AeCodec *codec)
{
    GstAeModel *old;

    ae_codec_free(self->codec);
    self->codec = codec;
    GST_OBJECT_LOCK(self);
    old = self->model;
    self->model = model;
    GST_OBJECT_UNLOCK(self);
    if (old != NULL)
        gst_ae_model_unref(old);
}

/* The model, and @with_codec the codec, as the settings are now; all stays as
 * it was if that fails. The streaming thread, or start(). */
static gboolean renew(GstAeCodec *self, gboolean with_codec, GError **error)
{
    const GstAeCodecClass *klass = CLASS(self);
    g_auto(GstAeModelSettings) settings = {0};
    g_autoptr(GstAeModel) model = NULL;
    AeCodecOptions options = {0};
    AeCodec *codec = NULL;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    self->stale = FALSE;
    GST_OBJECT_UNLOCK(self);
    model = gst_ae_model_load(settings.model_file, settings.model,
                              settings.precision, error);
    if (model == NULL)
        return FALSE;
    options.threads = (int)settings.threads;
    options.precision = settings.precision;
    if (with_codec)
        codec = klass->make(self, model->model, &options, error);
    if (with_codec ? codec == NULL : !klass->check(model->model, error)) {
        g_prefix_error(error, "%s: ", model->label);
        return FALSE;
    }
    GST_CAT_INFO_OBJECT(klass->category, self, "uses model %s%s", model->label,
                        with_codec ? " for the caps that came" : "");
    swap(self, g_steal_pointer(&model), codec);
    return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
    swap(GST_AE_CODEC(base), NULL, NULL);
    return TRUE;
}

static gboolean start(GstBaseTransform *base)
{
    g_autoptr(GError) error = NULL;

    GST_AE_CODEC(base)->frames = 0;
    if (renew(GST_AE_CODEC(base), FALSE, &error))
        return TRUE;
    gst_ae_post(GST_ELEMENT(base), GST_MESSAGE_ERROR, error);
    return FALSE;
}

void gst_ae_codec_change(GstAeCodec *self)
{
    GST_OBJECT_LOCK(self);
    self->stale = TRUE;
    GST_OBJECT_UNLOCK(self);
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(self));
}

static void property_changed(GstElement *element, const char *name)
{
    if (strcmp(name, "label") != 0)
        gst_ae_codec_change(GST_AE_CODEC(element));
}

void gst_ae_codec_renew(GstAeCodec *self)
{
    g_autoptr(GError) error = NULL;
    gboolean stale;

    GST_OBJECT_LOCK(self);
    stale = self->stale;
    GST_OBJECT_UNLOCK(self);
    if (stale && !renew(self, TRUE, &error))
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
}

/* A change of caps finds a codec here, or an error. */
static gboolean sink_event(GstBaseTransform *base, GstEvent *event)
{
    GstAeCodec *self = GST_AE_CODEC(base);
    g_autoptr(GError) error = NULL;
    GstCaps *caps;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        GST_CAT_INFO_OBJECT(CLASS(self)->category, self,
                            "gets %" GST_PTR_FORMAT, (void *)caps);
        if (!CLASS(self)->read_caps(self, caps, &error) ||
            !renew(self, TRUE, &error)) {
            if (error != NULL)
                gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
            gst_event_unref(event);
            return FALSE;
        }
    }
    return GST_BASE_TRANSFORM_CLASS(gst_ae_codec_parent_class)
        ->sink_event(base, event);
}

static void before_transform(GstBaseTransform *base, GstBuffer *buffer)
{
    gst_ae_properties_sync(GST_ELEMENT(base), &base->segment, buffer);
    GST_AE_CODEC(base)->frames++;
}

gboolean gst_ae_codec_set_label(GstAeCodec *self, GstBuffer *buffer)
{
    int classes = ae_codec_classes(self->codec), label;

    if (classes == 0)
        return TRUE;
    GST_OBJECT_LOCK(self);
    label = self->label;
    GST_OBJECT_UNLOCK(self);
    if (label == FROM_BUFFER && !gst_ae_label_read(buffer, &label)) {
        GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS,
                          ("Model '%s' wants a label from 0 to %d with every "
                           "frame, but this one has none: set the property "
                           "label, or send labels from idxsrc.",
                           self->model->label, classes - 1),
                          (NULL));
        return FALSE;
    }
    if (label < 0 || label >= classes) {
        GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS,
                          ("Model '%s' knows the labels 0 to %d, but this "
                           "frame's is %d.",
                           self->model->label, classes - 1, label),
                          (NULL));
        return FALSE;
    }
    ae_codec_set_label(self->codec, 0, label);
    return TRUE;
}

GstCaps *gst_ae_codec_frames(const AeCodec *decoder, int columns, int rows)
{
    const AeShape image = ae_codec_image(decoder, 0).shape;
    GstCaps *caps = gst_caps_from_string(
        image.dim[1] == 1 ? GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                                ", " GST_AE_YUV_FORMATS " }")
                          : GST_VIDEO_CAPS_MAKE("{ " GST_AE_RGB_FORMATS " }"));

    gst_caps_set_simple(caps, "width", G_TYPE_INT, columns * (int)image.dim[3],
                        "height", G_TYPE_INT, rows * (int)image.dim[2], NULL);
    return caps;
}

static void gst_ae_codec_class_init(GstAeCodecClass *klass)
{
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

    gst_type_mark_as_plugin_api(GST_TYPE_AE_CODEC, 0);
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), property_changed);
    base->start = start;
    base->stop = stop;
    base->accept_caps = gst_ae_accept_template;
    base->sink_event = sink_event;
    base->before_transform = before_transform;
}

static void gst_ae_codec_init(GstAeCodec *self G_GNUC_UNUSED)
{
}
