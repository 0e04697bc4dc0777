/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aeencode
 * @title: aeencode
 * @short_description: makes codes of video frames
 *
 * Every frame goes through the encoder half of an autoencoder and leaves as its
 * code: a tensor of float32 in other/tensors caps, which `aedecode` turns back
 * into a frame, and which any element that NNStreamer's tensors pass through
 * can store, send or change.
 *
 * The model is an ONNX file from `aetrain`, or any other that names its code in
 * its metadata. One with a fixed size offers it to upstream, so
 * that a videoscale adapts; others take any size.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -v videotestsrc num-buffers=30 ! videoconvert ! videoscale !
 * aeencode model-file=fashion.onnx ! fakesink
 * ]|
 */
#include "elements.h"
#include "gstaeencoder.h"
#include "gstaeerror.h"
#include "gstaelabel.h"
#include "gstaenegotiate.h"
#include "gstaepixels.h"

#define GRAY_FORMATS "GRAY8, " GST_AE_YUV_FORMATS

typedef struct {
    GstBaseTransform parent;
    /* What the user sets; under the object lock. */
    GstAeModelSettings settings;
    GstAeOutput output;
    guint64 seed;
    int label;
    gboolean stale; /* settings have changed since they were used */

    GstAeImage image;      /* of the model in use; under the object lock */
    GstAeModel *model;     /* between start and stop */
    GstAeEncoder *encoder; /* NULL before caps */
    GstVideoInfo info;
    guint64 frames; /* that have come, the one in hand included */
} GstAeEncode;

typedef GstBaseTransformClass GstAeEncodeClass;

GType gst_ae_encode_get_type(void);
G_DEFINE_TYPE(GstAeEncode, gst_ae_encode, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(aeencode, "aeencode", GST_RANK_NONE,
                            gst_ae_encode_get_type())

#define GST_TYPE_AE_OUTPUT (gst_ae_output_get_type())
static GType gst_ae_output_get_type(void)
{
    static const GEnumValue values[] = {
        {GST_AE_OUTPUT_MEAN,
         "The most likely code: the mean where the model is variational",
         "mean"},
        {GST_AE_OUTPUT_SAMPLE,
         "The code, drawn at random where the model is variational", "sample"},
        {GST_AE_OUTPUT_MOMENTS,
         "Mean and logarithm of the variance, two tensors", "moments"},
        {0}};
    static gsize type;

    return gst_ae_enum_type(&type, "GstAeOutput", values);
}

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstAeEncode, settings, "vae"),
    {"output", "Output", "What of the code is sent", G_TYPE_ENUM,
     G_STRUCT_OFFSET(GstAeEncode, output), .number = GST_AE_OUTPUT_MEAN,
     .get_type = gst_ae_output_get_type, .flags = GST_PARAM_MUTABLE_PLAYING},
    {"seed", "Seed", "Chooses the random numbers of output=sample",
     G_TYPE_UINT64, G_STRUCT_OFFSET(GstAeEncode, seed),
     .flags = GST_PARAM_MUTABLE_PLAYING},
    GST_AE_LABEL_PROPERTY(GstAeEncode, label),
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        GST_VIDEO_CAPS_MAKE("{ " GRAY_FORMATS ", " GST_AE_RGB_FORMATS " }")));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        "other/tensors,format=(string)static,num_tensors=(int)[1,2],"
        "framerate=(fraction)[0/1,max]"));
static GstStaticCaps gray_caps =
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ " GRAY_FORMATS " }"));
static GstStaticCaps rgb_caps =
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ " GST_AE_RGB_FORMATS " }"));

/* The model, and with @info the encoder, as the settings are now; all stays as
 * it was if that fails. The streaming thread, or start(). */
static gboolean renew(GstAeEncode *self, const GstVideoInfo *info,
                      GError **error)
{
    g_auto(GstAeModelSettings) settings = {0};
    g_autoptr(GstAeModel) model = NULL;
    g_autoptr(GstAeEncoder) encoder = NULL;
    GstAeOutput output;
    GstAeImage image;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    output = self->output;
    self->stale = FALSE;
    GST_OBJECT_UNLOCK(self);
    model = gst_ae_model_load(settings.model_file, settings.model,
                              settings.precision, error);
    if (model == NULL || !gst_ae_encoder_image(model, &image, error))
        return FALSE;
    if (info != NULL) {
        encoder = gst_ae_encoder_new(model, output, info, (int)settings.threads,
                                     settings.precision, error);
        if (encoder == NULL)
            return FALSE;
    }
    GST_OBJECT_LOCK(self);
    self->image = image;
    GST_OBJECT_UNLOCK(self);
    gst_ae_encoder_free(self->encoder);
    self->encoder = g_steal_pointer(&encoder);
    g_clear_pointer(&self->model, gst_ae_model_unref);
    self->model = g_steal_pointer(&model);
    return TRUE;
}

static gboolean stop(GstBaseTransform *base)
{
    GstAeEncode *self = (GstAeEncode *)base;

    g_clear_pointer(&self->encoder, gst_ae_encoder_free);
    g_clear_pointer(&self->model, gst_ae_model_unref);
    GST_OBJECT_LOCK(self);
    self->image = (GstAeImage){0};
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean start(GstBaseTransform *base)
{
    GstAeEncode *self = (GstAeEncode *)base;
    g_autoptr(GError) error = NULL;

    self->frames = 0;
    if (renew(self, NULL, &error))
        return TRUE;
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

/* What a running element can take over: it asks for new caps, and gets there in
 * fixate_caps(). */
static void property_changed(GstElement *element, const char *name)
{
    GstAeEncode *self = (GstAeEncode *)element;

    if (strcmp(name, "seed") == 0 || strcmp(name, "label") == 0)
        return;
    GST_OBJECT_LOCK(self);
    self->stale = TRUE;
    GST_OBJECT_UNLOCK(self);
    gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(self));
}

static void renew_if_stale(GstAeEncode *self)
{
    g_autoptr(GError) error = NULL;
    gboolean stale;

    GST_OBJECT_LOCK(self);
    stale = self->stale;
    GST_OBJECT_UNLOCK(self);
    if (stale && !renew(self, &self->info, &error))
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
}

/* Frames that the model takes, with @any_size those of wrong size too; all that
 * the template has before start(). */
static GstCaps *wanted_frames(GstAeEncode *self, gboolean any_size)
{
    GstAeImage image;
    GstCaps *caps;

    GST_OBJECT_LOCK(self);
    image = self->image;
    GST_OBJECT_UNLOCK(self);
    if (image.channels == 0)
        return gst_static_pad_template_get_caps(&sink_template);
    caps = gst_caps_copy(
        gst_static_caps_get(image.channels == 3 ? &rgb_caps : &gray_caps));
    if (image.width > 0 && !any_size)
        gst_caps_set_simple(caps, "width", G_TYPE_INT, image.width, NULL);
    if (image.height > 0 && !any_size)
        gst_caps_set_simple(caps, "height", G_TYPE_INT, image.height, NULL);
    return caps;
}

/* What the model does not take is offered after all where upstream has nothing
 * else: it then comes as a CAPS event, and is answered by a sentence. */
static GstCaps *offer_frames(GstAeEncode *self, GstCaps *codes, GstCaps *filter)
{
    for (int any_size = FALSE; any_size <= TRUE; any_size++) {
        GstCaps *wanted = wanted_frames(self, any_size);
        GstCaps *caps = gst_ae_transform_framerate(wanted, codes, filter);

        if (!gst_caps_is_empty(caps))
            return caps;
        gst_caps_unref(caps);
    }
    return filter != NULL ? gst_caps_ref(filter) : gst_caps_new_empty();
}

static GstCaps *transform_caps(GstBaseTransform *base,
                               GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    GstCaps *codes;

    if (direction == GST_PAD_SRC)
        return offer_frames((GstAeEncode *)base, caps, filter);
    codes = gst_static_pad_template_get_caps(&src_template);
    return gst_ae_transform_framerate(codes, caps, filter);
}

static GstCaps *fixate_caps(GstBaseTransform *base, GstPadDirection direction,
                            GstCaps *caps, GstCaps *other)
{
    GstAeEncode *self = (GstAeEncode *)base;
    GstCaps *codes;

    if (direction != GST_PAD_SINK || self->encoder == NULL)
        return GST_BASE_TRANSFORM_CLASS(gst_ae_encode_parent_class)
            ->fixate_caps(base, direction, caps, other);
    gst_caps_unref(other);
    renew_if_stale(self);
    codes = gst_ae_tensors_to_caps(gst_ae_encoder_tensors(self->encoder), caps);
    if (!gst_ae_peer_takes(base->srcpad, codes, self->model->label))
        gst_caps_take(&codes, gst_caps_new_empty());
    return codes;
}

/* A change of format finds an encoder here, or an error. */
static gboolean accept_video(GstAeEncode *self, GstEvent *event)
{
    g_autoptr(GError) error = NULL;
    GstCaps *caps;

    gst_event_parse_caps(event, &caps);
    if (!gst_video_info_from_caps(&self->info, caps))
        return FALSE;
    if (renew(self, &self->info, &error))
        return TRUE;
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

static gboolean sink_event(GstBaseTransform *base, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS &&
        !accept_video((GstAeEncode *)base, event)) {
        gst_event_unref(event);
        return FALSE;
    }
    return GST_BASE_TRANSFORM_CLASS(gst_ae_encode_parent_class)
        ->sink_event(base, event);
}

static gboolean propose_allocation(GstBaseTransform *base, GstQuery *decide,
                                   GstQuery *query)
{
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_BASE_TRANSFORM_CLASS(gst_ae_encode_parent_class)
        ->propose_allocation(base, decide, query);
}

/* One memory a tensor. */
static GstFlowReturn prepare_output_buffer(GstBaseTransform *base,
                                           GstBuffer *in, GstBuffer **out)
{
    GstAeEncoder *encoder = ((GstAeEncode *)base)->encoder;
    const GstAeTensors *tensors;

    if (encoder == NULL)
        return GST_FLOW_NOT_NEGOTIATED;
    tensors = gst_ae_encoder_tensors(encoder);
    *out = gst_buffer_new();
    for (int i = 0; i < tensors->n; i++)
        gst_buffer_append_memory(
            *out,
            gst_allocator_alloc(NULL,
                                (gsize)ae_shape_elements(&tensors->shape[i]) *
                                    sizeof(float),
                                NULL));
    GST_BASE_TRANSFORM_GET_CLASS(base)->copy_metadata(base, in, *out);
    return GST_FLOW_OK;
}

/* Every frame has a number, also one that is dropped. */
static void before_transform(GstBaseTransform *base, GstBuffer *buffer)
{
    gst_ae_properties_sync(GST_ELEMENT(base), &base->segment, buffer);
    ((GstAeEncode *)base)->frames++;
}

static gboolean set_label(GstAeEncode *self, GstBuffer *buffer, int property)
{
    int classes = gst_ae_encoder_classes(self->encoder), label;
    g_autoptr(GError) error = NULL;

    if (classes == 0)
        return TRUE;
    label = gst_ae_label_choose(self->model, property, buffer, &error);
    if (label < 0) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    gst_ae_encoder_set_label(self->encoder, label);
    return TRUE;
}

static void write_tensors(GstAeEncode *self, GstBuffer *buffer)
{
    GstMapInfo map;

    for (int i = 0; i < gst_ae_encoder_tensors(self->encoder)->n; i++)
        if (gst_buffer_map_range(buffer, (guint)i, 1, &map, GST_MAP_WRITE)) {
            gst_ae_encoder_read(self->encoder, i, (float *)map.data);
            gst_buffer_unmap(buffer, &map);
        }
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *in,
                               GstBuffer *out)
{
    GstAeEncode *self = (GstAeEncode *)base;
    GstVideoFrame frame;
    guint64 seed;
    int label;

    GST_OBJECT_LOCK(self);
    seed = self->seed;
    label = self->label;
    GST_OBJECT_UNLOCK(self);
    if (!set_label(self, in, label))
        return GST_FLOW_ERROR;
    if (!gst_ae_picture_map(GST_ELEMENT(self), &frame, &self->info, in))
        return GST_FLOW_ERROR;
    gst_ae_encoder_set_seed(self->encoder,
                            ae_random_mix(seed, self->frames - 1));
    gst_ae_encoder_run(self->encoder, &frame);
    gst_video_frame_unmap(&frame);
    write_tensors(self, out);
    return GST_FLOW_OK;
}

static void gst_ae_encode_class_init(GstAeEncodeClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);

    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), property_changed);
    gst_element_class_set_static_metadata(
        element, "Autoencoder encoder", "Filter/Converter/Video",
        "Makes codes of video frames with a trained autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    klass->start = start;
    klass->stop = stop;
    klass->transform_caps = transform_caps;
    klass->accept_caps = gst_ae_accept_template;
    klass->fixate_caps = fixate_caps;
    klass->sink_event = sink_event;
    klass->propose_allocation = propose_allocation;
    klass->prepare_output_buffer = prepare_output_buffer;
    klass->before_transform = before_transform;
    klass->transform = transform;
}

static void gst_ae_encode_init(GstAeEncode *self)
{
}
