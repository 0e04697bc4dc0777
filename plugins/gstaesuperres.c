/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aesuperres
 * @title: aesuperres
 * @short_description: enlarges video with a trained network
 *
 * Every frame becomes #GstAeSuperres:scale times as large, 2, 3 or 4. A model
 * with one input channel enlarges luma, and chroma is resampled bicubically:
 * such a model takes YUV and gray; one with three channels takes RGB. Where
 * neither a scale nor a model is set, the scale follows from the size that
 * downstream asks for, and is 2 where that is left open.
 *
 * With no model set the built-in one of the scale is used: "superres2",
 * "superres3" or "superres4"; with "-large" behind the name there is one of six
 * (scale 2: twelve) times the work, and "superres2-compressed" is for
 * compressed, slightly noisy video, such as webcams send. A model of your own
 * is an ONNX file (#GstAeVideo:model-file) from `aetrain task=superres` or from
 * any other tool; it can be changed for another of the same scale while the
 * pipeline plays.
 *
 * Frames that come too late to be shown are enlarged by their nearest pixels,
 * while `qos` is true (the default); `stats` counts them. Interlaced video is
 * refused.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! aesuperres ! videoconvert !
 * autovideosink
 * ]|
 * A file:
 * |[
 * gst-launch-1.0 filesrc location=in.webm ! decodebin ! videoconvert !
 * aesuperres ! videoconvert ! autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaevideo.h"

typedef GstAeVideo GstAeSuperres;
typedef GstAeVideoClass GstAeSuperresClass;

G_DEFINE_TYPE(GstAeSuperres, gst_ae_superres, GST_TYPE_AE_VIDEO)
GST_ELEMENT_REGISTER_DEFINE(aesuperres, "aesuperres", GST_RANK_NONE,
                            gst_ae_superres_get_type())

static const GstAeProperty properties[] = {
    {"scale", "Scale",
     "How often larger frames become, 2 to 4 (0: as the model makes them; "
     "where none is set, as downstream asks for, or else 2)",
     G_TYPE_UINT, G_STRUCT_OFFSET(GstAeVideo, scale), .maximum = 4,
     .flags = GST_PARAM_MUTABLE_READY},
};

static void gst_ae_superres_class_init(GstAeSuperresClass *klass)
{
    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Autoencoder enlarger",
        "Filter/Effect/Converter/Video/Scaler",
        "Enlarges video with a trained network", "gst-autoencoder");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    klass->default_model = "superres";
    klass->largest_scale = 4;
}

static void gst_ae_superres_init(GstAeSuperres *self G_GNUC_UNUSED)
{
}
