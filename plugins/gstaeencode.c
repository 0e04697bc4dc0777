/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aeencode
 * @title: aeencode
 * @short_description: makes codes of video frames
 *
 * Every frame goes through the encoder half of an autoencoder and leaves as its
 * code: a tensor of float32 with other/tensors caps. `aedecode` turns it back
 * into a frame; elements that take NNStreamer's tensors can store, send or
 * change it.
 *
 * The model is an ONNX file from `aetrain`, or any other that names its code in
 * its metadata. One with a fixed size offers it to upstream, so that a
 * videoscale adapts; others take any size.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -v videotestsrc num-buffers=30 ! videoconvert ! videoscale !
 * aeencode model-file=fashion.onnx ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaecodec.h"
#include "gstaeerror.h"
#include "gstaenegotiate.h"
#include "gstaepicture.h"
#include "gstaetensors.h"

GST_DEBUG_CATEGORY_STATIC(ae_encode_debug);
#define GST_CAT_DEFAULT ae_encode_debug

#define GRAY_FORMATS "GRAY8, " GST_AE_YUV_FORMATS

typedef struct {
    GstAeCodec parent;
    AeEncoding output; /* what the user sets: under the object lock */
    guint64 seed;
    GstVideoInfo info;
} GstAeEncode;

typedef GstAeCodecClass GstAeEncodeClass;

GType gst_ae_encode_get_type(void);
G_DEFINE_TYPE(GstAeEncode, gst_ae_encode, GST_TYPE_AE_CODEC)
GST_ELEMENT_REGISTER_DEFINE(aeencode, "aeencode", GST_RANK_NONE,
                            gst_ae_encode_get_type())

#define GST_TYPE_AE_OUTPUT (gst_ae_output_get_type())
static GType gst_ae_output_get_type(void)
{
    static const GEnumValue values[] = {
        {AE_ENCODING_MEAN,
         "The most likely code: the mean where the model is variational",
         "mean"},
        {AE_ENCODING_SAMPLE,
         "The code, drawn at random where the model is variational", "sample"},
        {AE_ENCODING_MOMENTS, "Mean and logarithm of the variance, two tensors",
         "moments"},
        {0}};
    static gsize type;

    return gst_ae_enum_type(&type, "GstAeOutput", values);
}

static const GstAeProperty properties[] = {
    {"output", "Output", "Which values of the code to send", G_TYPE_ENUM,
     G_STRUCT_OFFSET(GstAeEncode, output), .number = AE_ENCODING_MEAN,
     .get_type = gst_ae_output_get_type, .flags = GST_PARAM_MUTABLE_PLAYING},
    {"seed", "Seed", "Seed of the random codes of output=sample", G_TYPE_UINT64,
     G_STRUCT_OFFSET(GstAeEncode, seed), .flags = GST_PARAM_MUTABLE_PLAYING},
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

static void property_changed(GstElement *element, const char *name)
{
    if (strcmp(name, "output") == 0)
        gst_ae_codec_change(GST_AE_CODEC(element));
}

static gboolean check(const AeModel *model, GError **error)
{
    AeShape image;

    return ae_encoder_image(model, &image, error);
}

static gboolean read_caps(GstAeCodec *codec, const GstCaps *caps,
                          GError **error)
{
    return gst_ae_picture_info(&((GstAeEncode *)codec)->info, caps, error);
}

static AeCodec *make(GstAeCodec *codec, AeModel *model, AeCodecOptions *options,
                     GError **error)
{
    GstAeEncode *self = (GstAeEncode *)codec;
    AePictureFormat format = gst_ae_picture_format(&self->info);

    GST_OBJECT_LOCK(self);
    options->encoding = self->output;
    GST_OBJECT_UNLOCK(self);
    return ae_encoder_new(model, &format, options, error);
}

/* Frames that the model takes, with @any_size also those of another size;
 * before start() all frames of the template. */
static GstCaps *wanted_frames(GstAeCodec *self, gboolean any_size)
{
    AeShape image = {0};
    GstCaps *caps;

    GST_OBJECT_LOCK(self);
    if (self->model != NULL)
        ae_encoder_image(self->model->model, &image, NULL);
    GST_OBJECT_UNLOCK(self);
    if (image.rank == 0)
        return gst_static_pad_template_get_caps(&sink_template);
    caps = gst_caps_copy(
        gst_static_caps_get(image.dim[1] == 3 ? &rgb_caps : &gray_caps));
    if (image.dim[3] > 0 && !any_size)
        gst_caps_set_simple(caps, "width", G_TYPE_INT, (int)image.dim[3], NULL);
    if (image.dim[2] > 0 && !any_size)
        gst_caps_set_simple(caps, "height", G_TYPE_INT, (int)image.dim[2],
                            NULL);
    return caps;
}

/* Where upstream has only frames that the model does not take, they are offered
 * nonetheless: they then come as a CAPS event, and an error says why they do
 * not fit. */
static GstCaps *transform_caps(GstBaseTransform *base,
                               GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    if (direction == GST_PAD_SINK)
        return gst_ae_transform_framerate(
            gst_static_pad_template_get_caps(&src_template), caps, filter);
    for (int any_size = FALSE; any_size <= TRUE; any_size++) {
        GstCaps *frames = gst_ae_transform_framerate(
            wanted_frames(GST_AE_CODEC(base), any_size), caps, filter);

        if (!gst_caps_is_empty(frames))
            return frames;
        gst_caps_unref(frames);
    }
    return filter != NULL ? gst_caps_ref(filter) : gst_caps_new_empty();
}

static GstCaps *fixate_caps(GstBaseTransform *base, GstPadDirection direction,
                            GstCaps *caps, GstCaps *other)
{
    GstAeCodec *self = GST_AE_CODEC(base);
    GstAeTensors tensors;
    GstCaps *codes;

    if (direction != GST_PAD_SINK || self->codec == NULL)
        return GST_BASE_TRANSFORM_CLASS(gst_ae_encode_parent_class)
            ->fixate_caps(base, direction, caps, other);
    gst_caps_unref(other);
    gst_ae_codec_renew(self);
    tensors.n = ae_codec_codes(self->codec);
    for (int i = 0; i < tensors.n; i++)
        tensors.shape[i] = ae_codec_code(self->codec, 0, i).shape;
    codes = gst_ae_tensors_to_caps(&tensors, caps);
    if (!gst_ae_peer_takes(base->srcpad, codes, self->model->label))
        gst_caps_take(&codes, gst_caps_new_empty());
    return codes;
}

static gboolean propose_allocation(GstBaseTransform *base, GstQuery *decide,
                                   GstQuery *query)
{
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_BASE_TRANSFORM_CLASS(gst_ae_encode_parent_class)
        ->propose_allocation(base, decide, query);
}

/* transform() gives it its memories. */
static GstFlowReturn prepare_output_buffer(GstBaseTransform *base,
                                           GstBuffer *in, GstBuffer **out)
{
    if (GST_AE_CODEC(base)->codec == NULL)
        return GST_FLOW_NOT_NEGOTIATED;
    *out = gst_buffer_new();
    GST_BASE_TRANSFORM_GET_CLASS(base)->copy_metadata(base, in, *out);
    return GST_FLOW_OK;
}

/* One memory a tensor. */
static gboolean append_code(GstAeEncode *self, GstBuffer *buffer,
                            const AeTensor *code)
{
    gsize size = (gsize)ae_shape_elements(&code->shape) * sizeof(float);
    g_autoptr(GError) error = NULL;
    float *numbers = ae_alloc(size, 1, &error);

    if (numbers == NULL) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    ae_tensor_to_row_major(code, numbers);
    gst_buffer_append_memory(
        buffer,
        gst_memory_new_wrapped(0, numbers, size, 0, size, numbers, ae_free));
    return TRUE;
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *in,
                               GstBuffer *out)
{
    GstAeEncode *self = (GstAeEncode *)base;
    AeCodec *codec = self->parent.codec;
    GstVideoFrame frame;
    AePicture picture;
    guint64 seed, number = self->parent.frames - 1;

    GST_OBJECT_LOCK(self);
    seed = self->seed;
    GST_OBJECT_UNLOCK(self);
    GST_LOG_OBJECT(self, "encodes frame %" G_GUINT64_FORMAT, number);
    if (!gst_ae_codec_set_label(&self->parent, in) ||
        !gst_ae_picture_map(GST_ELEMENT(self), &frame, &self->info, in))
        return GST_FLOW_ERROR;
    picture = gst_ae_picture_of_frame(&frame);
    ae_codec_set_seed(codec, seed, number);
    ae_codec_set_picture(codec, 0, &picture);
    gst_video_frame_unmap(&frame);
    ae_codec_run(codec);
    for (int i = 0; i < ae_codec_codes(codec); i++) {
        const AeTensor code = ae_codec_code(codec, 0, i);

        if (!append_code(self, out, &code))
            return GST_FLOW_ERROR;
    }
    return GST_FLOW_OK;
}

static void gst_ae_encode_class_init(GstAeEncodeClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(ae_encode_debug, "aeencode", 0,
                            "Encoder of autoencoders");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), property_changed);
    gst_element_class_set_static_metadata(
        element, "Autoencoder encoder", "Filter/Converter/Video",
        "Makes codes of video frames with a trained autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    base->transform_caps = transform_caps;
    base->fixate_caps = fixate_caps;
    base->propose_allocation = propose_allocation;
    base->prepare_output_buffer = prepare_output_buffer;
    base->transform = transform;
    klass->category = ae_encode_debug;
    klass->read_caps = read_caps;
    klass->make = make;
    klass->check = check;
}

static void gst_ae_encode_init(GstAeEncode *self G_GNUC_UNUSED)
{
}
