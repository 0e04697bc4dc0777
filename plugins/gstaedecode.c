/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aedecode
 * @title: aedecode
 * @short_description: makes video frames of codes
 *
 * Every code, as `aeencode` makes it, goes through the decoder half of the same
 * autoencoder and leaves as a frame. Format, colorimetry and size are those of
 * the frame that was encoded where the caps tell; else the model's image is
 * sent as it is. Downstream may ask for another format.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 idxsrc
 * location=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
 * num-buffers=90 ! aeencode model-file=fashion.onnx ! queue ! aedecode
 * model-file=fashion.onnx ! videoconvert ! autovideosink
 * ]|
 */
#include "elements.h"
#include "gstaedecoder.h"
#include "gstaeerror.h"
#include "gstaelabel.h"
#include "gstaenegotiate.h"
#include "gstaepixels.h"
#include "gstaetensors.h"

typedef struct {
    GstBaseTransform parent;
    /* What the user sets; under the object lock. */
    GstAeModelSettings settings;
    int label;
    gboolean stale; /* settings have changed since they were used */

    GstAeModel *model;     /* between start and stop */
    GstAeDecoder *decoder; /* NULL before caps */
    AeShape shape;         /* of the codes that come */
    GstVideoInfo info;     /* of the frames that leave */
    float *code;           /* as it came */
} GstAeDecode;

typedef GstBaseTransformClass GstAeDecodeClass;

GType gst_ae_decode_get_type(void);
G_DEFINE_TYPE(GstAeDecode, gst_ae_decode, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(aedecode, "aedecode", GST_RANK_NONE,
                            gst_ae_decode_get_type())

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstAeDecode, settings, "vae"),
    GST_AE_LABEL_PROPERTY(GstAeDecode, label),
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("other/tensors"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                        ", " GST_AE_YUV_FORMATS " }")));

static gboolean refuse_shape(const GstAeModel *model, const AeShape *wanted,
                             const AeShape *found, GError **error)
{
    g_autofree char *wanted_text = gst_ae_tensors_dimensions(wanted);
    g_autofree char *found_text = gst_ae_tensors_dimensions(found);

    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' decodes codes of %s, but these are %s",
                model->label, wanted_text, found_text);
    return FALSE;
}

/* A code of a model that leaves its size open: @shape in as many axes as the
 * model has, and a batch of one before. */
static gboolean fit_shape(const GstAeModel *model, const AeShape *shape,
                          AeShape *code, GError **error)
{
    const AeValue *value = gst_ae_model_value(model, AE_NAME_LATENT, error);
    AeShape declared = ae_shape(4, 1, AE_UNKNOWN, AE_UNKNOWN, AE_UNKNOWN);

    if (value == NULL)
        return FALSE;
    if (value->has_shape && value->shape.rank >= 2)
        declared = value->shape;
    declared.dim[0] = 1;
    *code = declared;
    for (int i = 1; i < declared.rank; i++) {
        int from = i - declared.rank + shape->rank;
        int64_t dim = from >= 0 ? shape->dim[from] : 1;

        if (declared.dim[i] != AE_UNKNOWN && declared.dim[i] != dim)
            return refuse_shape(model, &declared, shape, error);
        code->dim[i] = dim;
    }
    if (shape->rank >= declared.rank)
        return refuse_shape(model, &declared, shape, error);
    return TRUE;
}

/* For codes of @shape. The model says what it wants, or leaves it open. */
static GstAeDecoder *new_decoder(const GstAeModel *model, const AeShape *shape,
                                 const GstAeModelSettings *settings,
                                 GError **error)
{
    g_autoptr(GstAeDecoder) decoder = gst_ae_decoder_new(
        model, NULL, 1, (int)settings->threads, settings->precision, NULL);
    AeShape code;

    if (decoder == NULL)
        return fit_shape(model, shape, &code, error)
                   ? gst_ae_decoder_new(model, &code, 1, (int)settings->threads,
                                        settings->precision, error)
                   : NULL;
    code = *gst_ae_decoder_shape(decoder);
    code.dim[0] = 1;
    if (gst_ae_tensors_same_shape(&code, shape))
        return g_steal_pointer(&decoder);
    refuse_shape(model, &code, shape, error);
    return NULL;
}

/* The model, and with @shape the decoder, as the settings are now; all stays as
 * it was if that fails. The streaming thread, or start(). */
static gboolean renew(GstAeDecode *self, const AeShape *shape, GError **error)
{
    g_auto(GstAeModelSettings) settings = {0};
    g_autoptr(GstAeModel) model = NULL;
    g_autoptr(GstAeDecoder) decoder = NULL;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    self->stale = FALSE;
    GST_OBJECT_UNLOCK(self);
    model = gst_ae_model_load(settings.model_file, settings.model,
                              settings.precision, error);
    if (model == NULL)
        return FALSE;
    if (shape != NULL) {
        decoder = new_decoder(model, shape, &settings, error);
        if (decoder == NULL)
            return FALSE;
    }
    gst_ae_decoder_free(self->decoder);
    self->decoder = g_steal_pointer(&decoder);
    g_clear_pointer(&self->model, gst_ae_model_unref);
    self->model = g_steal_pointer(&model);
    return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
    GstAeDecode *self = (GstAeDecode *)base;

    g_clear_pointer(&self->decoder, gst_ae_decoder_free);
    g_clear_pointer(&self->model, gst_ae_model_unref);
    g_clear_pointer(&self->code, g_free);
    return TRUE;
}

static gboolean start(GstBaseTransform *base)
{
    GstAeDecode *self = (GstAeDecode *)base;
    g_autoptr(GError) error = NULL;

    if (renew(self, NULL, &error))
        return TRUE;
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

/* What a running element can take over: it asks for new caps, and gets there in
 * fixate_caps(). */
static void property_changed(GstElement *element, const char *name)
{
    GstAeDecode *self = (GstAeDecode *)element;

    if (strcmp(name, "label") == 0)
        return;
    GST_OBJECT_LOCK(self);
    self->stale = TRUE;
    GST_OBJECT_UNLOCK(self);
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(self));
}

static void renew_if_stale(GstAeDecode *self)
{
    g_autoptr(GError) error = NULL;
    gboolean stale;

    GST_OBJECT_LOCK(self);
    stale = self->stale;
    GST_OBJECT_UNLOCK(self);
    if (stale && !renew(self, &self->shape, &error))
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
}

static GstCaps *transform_caps(GstBaseTransform *base,
                               GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    GstStaticPadTemplate *other =
        direction == GST_PAD_SINK ? &src_template : &sink_template;

    return gst_ae_transform_framerate(gst_static_pad_template_get_caps(other),
                                      caps, filter);
}

/* Whether frames of @width x @height become the decoder's images when they are
 * enlarged to a multiple that the model may want. */
static gboolean is_enlarged(const GstAeDecode *self, int width, int height)
{
    int multiple;

    if (width < 1 || width > gst_ae_decoder_width(self->decoder) ||
        height < 1 || height > gst_ae_decoder_height(self->decoder))
        return FALSE;
    for (int i = 0;
         (multiple = ae_metadata_multiple(&self->model->metadata, i)) != 0; i++)
        if (ae_round_up(width, multiple) ==
                gst_ae_decoder_width(self->decoder) &&
            ae_round_up(height, multiple) ==
                gst_ae_decoder_height(self->decoder))
            return TRUE;
    return FALSE;
}

/* What the hints of @caps tell of frames, size apart; nothing of it is missing
 * that video needs. */
static GstCaps *read_hints(const GstCaps *caps)
{
    static const struct {
        const char *name;
        int n, d;
    } needed[] = {{"framerate", 0, 1}, {"pixel-aspect-ratio", 1, 1}};
    GstCaps *hints = gst_ae_tensors_to_video(caps);
    GstStructure *s = gst_caps_get_structure(hints, 0);

    gst_structure_remove_fields(s, "width", "height", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!gst_structure_has_field_typed(s, needed[i].name,
                                           GST_TYPE_FRACTION))
            gst_structure_set(s, needed[i].name, GST_TYPE_FRACTION, needed[i].n,
                              needed[i].d, NULL);
    if (!gst_structure_has_field(s, "format"))
        gst_structure_remove_field(s, "colorimetry");
    return hints;
}

/* The frames that codes of @caps can become: first those that the hints tell,
 * then all that can hold the image. */
static GstCaps *make_frames(const GstAeDecode *self, const GstCaps *caps)
{
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    g_autoptr(GstCaps) frames = gst_ae_decoder_caps(self->decoder, 1, 1);
    g_autoptr(GstCaps) hints = read_hints(caps);
    g_autoptr(GstCaps) plain = gst_caps_copy(hints);
    int width, height;

    if (gst_structure_get(s, "ae-width", G_TYPE_INT, &width, "ae-height",
                          G_TYPE_INT, &height, NULL) &&
        is_enlarged(self, width, height))
        gst_caps_set_simple(frames, "width", G_TYPE_INT, width, "height",
                            G_TYPE_INT, height, NULL);
    gst_structure_remove_fields(gst_caps_get_structure(plain, 0), "format",
                                "colorimetry", NULL);
    return gst_caps_merge(gst_caps_intersect(hints, frames),
                          gst_caps_intersect(plain, frames));
}

/* @other is what downstream takes. */
static GstCaps *fixate_caps(GstBaseTransform *base, GstPadDirection direction,
                            GstCaps *caps, GstCaps *other)
{
    GstAeDecode *self = (GstAeDecode *)base;
    g_autoptr(GstCaps) frames = NULL;
    GstCaps *result;

    if (direction != GST_PAD_SINK || self->decoder == NULL)
        return GST_BASE_TRANSFORM_CLASS(gst_ae_decode_parent_class)
            ->fixate_caps(base, direction, caps, other);
    renew_if_stale(self);
    frames = make_frames(self, caps);
    result = gst_caps_intersect_full(frames, other, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(other);
    if (gst_caps_is_empty(result)) {
        gst_ae_peer_takes(base->srcpad, frames, self->model->label);
        return result;
    }
    return gst_caps_fixate(result);
}

/* The one tensor that a code is. */
static gboolean read_shape(const GstCaps *caps, AeShape *shape, GError **error)
{
    GstAeTensors tensors;

    if (!gst_ae_tensors_from_caps(&tensors, caps, error))
        return FALSE;
    *shape = tensors.shape[0];
    if (tensors.n == 1)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "one tensor was expected, the code, but there are %d, "
                "dimensions=%s (aeencode output=moments sends two)",
                tensors.n,
                gst_structure_get_string(gst_caps_get_structure(caps, 0),
                                         "dimensions"));
    return FALSE;
}

/* A change of codes finds a decoder here, or an error. */
static gboolean accept_codes(GstAeDecode *self, GstEvent *event)
{
    g_autoptr(GError) error = NULL;
    GstCaps *caps;

    gst_event_parse_caps(event, &caps);
    if (read_shape(caps, &self->shape, &error) &&
        renew(self, &self->shape, &error)) {
        g_free(self->code);
        self->code = g_new(float, (gsize)gst_ae_decoder_size(self->decoder));
        return TRUE;
    }
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

static gboolean sink_event(GstBaseTransform *base, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS &&
        !accept_codes((GstAeDecode *)base, event)) {
        gst_event_unref(event);
        return FALSE;
    }
    return GST_BASE_TRANSFORM_CLASS(gst_ae_decode_parent_class)
        ->sink_event(base, event);
}

static gboolean set_caps(GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
    return gst_video_info_from_caps(&((GstAeDecode *)base)->info, out);
}

static gboolean transform_size(GstBaseTransform *base,
                               GstPadDirection direction, GstCaps *caps,
                               gsize size, GstCaps *other, gsize *other_size)
{
    GstVideoInfo info;

    if (direction != GST_PAD_SINK || !gst_video_info_from_caps(&info, other))
        return FALSE;
    *other_size = GST_VIDEO_INFO_SIZE(&info);
    return TRUE;
}

static void before_transform(GstBaseTransform *base, GstBuffer *buffer)
{
    gst_ae_properties_sync(GST_ELEMENT(base), &base->segment, buffer);
}

static gboolean set_label(GstAeDecode *self, GstBuffer *buffer)
{
    int classes = gst_ae_decoder_classes(self->decoder), label;
    g_autoptr(GError) error = NULL;

    if (classes == 0)
        return TRUE;
    GST_OBJECT_LOCK(self);
    label = self->label;
    GST_OBJECT_UNLOCK(self);
    label = gst_ae_label_choose(self->model, label, buffer, &error);
    if (label < 0) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    gst_ae_decoder_set_label(self->decoder, 0, label);
    return TRUE;
}

static gboolean set_code(GstAeDecode *self, GstBuffer *buffer)
{
    gsize size = (gsize)gst_ae_decoder_size(self->decoder) * sizeof(float);
    gsize found = gst_buffer_get_size(buffer);

    if (found != size) {
        GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE,
                          ("A code is %" G_GSIZE_FORMAT
                           " bytes here, but a buffer has %" G_GSIZE_FORMAT ".",
                           size, found),
                          (NULL));
        return FALSE;
    }
    gst_buffer_extract(buffer, 0, self->code, size);
    gst_ae_decoder_set_code(self->decoder, 0, self->code);
    return TRUE;
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *in,
                               GstBuffer *out)
{
    GstAeDecode *self = (GstAeDecode *)base;
    GstVideoFrame frame;

    if (!set_label(self, in) || !set_code(self, in))
        return GST_FLOW_ERROR;
    /* Padding, too, is the same on every run. */
    gst_buffer_memset(out, 0, 0, gst_buffer_get_size(out));
    if (!gst_video_frame_map(&frame, &self->info, out, GST_MAP_WRITE)) {
        GST_ELEMENT_ERROR(self, RESOURCE, WRITE,
                          ("A buffer of downstream is smaller than a frame."),
                          (NULL));
        return GST_FLOW_ERROR;
    }
    gst_ae_decoder_run(self->decoder);
    gst_ae_decoder_clear(&frame);
    gst_ae_decoder_write(self->decoder, 0, &frame, 0, 0);
    gst_video_frame_unmap(&frame);
    return GST_FLOW_OK;
}

static void gst_ae_decode_class_init(GstAeDecodeClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);

    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), property_changed);
    gst_element_class_set_static_metadata(
        element, "Autoencoder decoder", "Filter/Converter/Video",
        "Makes video frames of codes with a trained autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    klass->start = start;
    klass->stop = stop;
    klass->transform_caps = transform_caps;
    klass->accept_caps = gst_ae_accept_template;
    klass->fixate_caps = fixate_caps;
    klass->sink_event = sink_event;
    klass->set_caps = set_caps;
    klass->transform_size = transform_size;
    klass->before_transform = before_transform;
    klass->transform = transform;
}

static void gst_ae_decode_init(GstAeDecode *self)
{
}
