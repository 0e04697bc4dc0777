/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aedecode
 * @title: aedecode
 * @short_description: makes video frames of codes
 *
 * Every code, as `aeencode` makes it, goes through the decoder half of the same
 * autoencoder and leaves as a frame. Where the caps of the codes describe the
 * frame that was encoded, its format, colorimetry and size return; else the
 * frame is the image as the model makes it. Downstream may ask for another
 * format.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 idxsrc
 * location=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
 * num-buffers=90 ! aeencode model-file=fashion.onnx ! queue ! aedecode
 * model-file=fashion.onnx ! videoconvert ! autovideosink
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

GST_DEBUG_CATEGORY_STATIC(ae_decode_debug);
#define GST_CAT_DEFAULT ae_decode_debug

typedef struct {
    GstAeCodec parent;
    AeShape shape;     /* of the codes that come */
    GstVideoInfo info; /* of the frames that leave */
} GstAeDecode;

typedef GstAeCodecClass GstAeDecodeClass;

GType gst_ae_decode_get_type(void);
G_DEFINE_TYPE(GstAeDecode, gst_ae_decode, GST_TYPE_AE_CODEC)
GST_ELEMENT_REGISTER_DEFINE(aedecode, "aedecode", GST_RANK_NONE,
                            gst_ae_decode_get_type())

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("other/tensors"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                        ", " GST_AE_YUV_FORMATS " }")));

static gboolean check(const AeModel *model, GError **error)
{
    return ae_metadata_value(model, AE_NAME_LATENT, error) != NULL;
}

/* The one tensor that a code is. */
static gboolean read_caps(GstAeCodec *codec, const GstCaps *caps,
                          GError **error)
{
    GstAeTensors tensors;

    if (!gst_ae_tensors_from_caps(&tensors, caps, error))
        return FALSE;
    ((GstAeDecode *)codec)->shape = tensors.shape[0];
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

static AeCodec *make(GstAeCodec *codec, AeModel *model, AeCodecOptions *options,
                     GError **error)
{
    options->code = &((GstAeDecode *)codec)->shape;
    return ae_decoder_new(model, options, error);
}

static GstCaps *transform_caps(GstBaseTransform *base G_GNUC_UNUSED,
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
static gboolean is_enlarged(const GstAeCodec *self, int width, int height)
{
    const AeShape image = ae_codec_image(self->codec, 0).shape;
    int multiple;

    if (width < 1 || width > image.dim[3] || height < 1 ||
        height > image.dim[2])
        return FALSE;
    for (int i = 0;
         (multiple = ae_metadata_multiple(&self->model->metadata, i)) != 0; i++)
        if (ae_round_up(width, multiple) == image.dim[3] &&
            ae_round_up(height, multiple) == image.dim[2])
            return TRUE;
    return FALSE;
}

/* The frame that @caps describe, without its size. Where they name no framerate
 * or pixel-aspect-ratio, these are 0/1 and 1/1. */
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

/* The frames that codes of @caps can become: first of the format that @caps
 * describe, then of any format that can hold the image. */
static GstCaps *make_frames(const GstAeCodec *self, const GstCaps *caps)
{
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    g_autoptr(GstCaps) frames = gst_ae_codec_frames(self->codec, 1, 1);
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

/* @other: the caps that downstream takes. */
static GstCaps *fixate_caps(GstBaseTransform *base, GstPadDirection direction,
                            GstCaps *caps, GstCaps *other)
{
    GstAeCodec *self = GST_AE_CODEC(base);
    g_autoptr(GstCaps) frames = NULL;
    GstCaps *result;

    if (direction != GST_PAD_SINK || self->codec == NULL)
        return GST_BASE_TRANSFORM_CLASS(gst_ae_decode_parent_class)
            ->fixate_caps(base, direction, caps, other);
    gst_ae_codec_renew(self);
    frames = make_frames(self, caps);
    result = gst_caps_intersect_full(frames, other, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(other);
    if (gst_caps_is_empty(result)) {
        gst_ae_peer_takes(base->srcpad, frames, self->model->label);
        return result;
    }
    return gst_caps_fixate(result);
}

static gboolean set_caps(GstBaseTransform *base, GstCaps *in G_GNUC_UNUSED,
                         GstCaps *out)
{
    GST_INFO_OBJECT(base, "sends %" GST_PTR_FORMAT, (void *)out);
    return gst_video_info_from_caps(&((GstAeDecode *)base)->info, out);
}

static gboolean transform_size(GstBaseTransform *base G_GNUC_UNUSED,
                               GstPadDirection direction,
                               GstCaps *caps G_GNUC_UNUSED,
                               gsize size G_GNUC_UNUSED, GstCaps *other,
                               gsize *other_size)
{
    GstVideoInfo info;

    if (direction != GST_PAD_SINK || !gst_video_info_from_caps(&info, other))
        return FALSE;
    *other_size = GST_VIDEO_INFO_SIZE(&info);
    return TRUE;
}

static gboolean set_code(GstAeCodec *self, GstBuffer *buffer)
{
    AeTensor code = ae_codec_code(self->codec, 0, 0);
    gsize size = (gsize)ae_shape_elements(&code.shape) * sizeof(float);
    gsize found = gst_buffer_get_size(buffer);
    g_autoptr(GError) error = NULL;

    if (found != size) {
        GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE,
                          ("A code is %" G_GSIZE_FORMAT
                           " bytes here, but a buffer has %" G_GSIZE_FORMAT ".",
                           size, found),
                          (NULL));
        return FALSE;
    }
    ae_autofree float *numbers = ae_alloc(size, 1, &error);

    if (numbers == NULL) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    gst_buffer_extract(buffer, 0, numbers, size);
    ae_tensor_from_row_major(&code, numbers);
    return TRUE;
}

static GstFlowReturn transform(GstBaseTransform *base, GstBuffer *in,
                               GstBuffer *out)
{
    GstAeCodec *self = GST_AE_CODEC(base);
    GstVideoFrame frame;
    AePicture picture;

    GST_LOG_OBJECT(self, "decodes code %" G_GUINT64_FORMAT, self->frames - 1);
    if (!gst_ae_codec_set_label(self, in) || !set_code(self, in) ||
        !gst_ae_picture_map_new(GST_ELEMENT(self), &frame,
                                &((GstAeDecode *)base)->info, out))
        return GST_FLOW_ERROR;
    picture = gst_ae_picture_of_frame(&frame);
    ae_codec_run(self->codec);
    ae_codec_clear_picture(&picture);
    ae_codec_get_picture(self->codec, 0, &picture, 0, 0);
    gst_video_frame_unmap(&frame);
    return GST_FLOW_OK;
}

static void gst_ae_decode_class_init(GstAeDecodeClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *base = GST_BASE_TRANSFORM_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(ae_decode_debug, "aedecode", 0,
                            "Decoder of autoencoders");
    gst_element_class_set_static_metadata(
        element, "Autoencoder decoder", "Filter/Converter/Video",
        "Makes video frames of codes with a trained autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    base->transform_caps = transform_caps;
    base->fixate_caps = fixate_caps;
    base->set_caps = set_caps;
    base->transform_size = transform_size;
    base->transform = transform;
    klass->category = ae_decode_debug;
    klass->read_caps = read_caps;
    klass->make = make;
    klass->check = check;
}

static void gst_ae_decode_init(GstAeDecode *self G_GNUC_UNUSED)
{
}
