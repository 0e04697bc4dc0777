/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aedenoise
 * @title: aedenoise
 * @short_description: removes noise with a trained autoencoder
 *
 * Every frame goes through an image-to-image model and keeps its format, size
 * and time. A model with one input channel sees each of Y, U and V as a gray
 * image, of RGB luma and chroma if the model's file asks for it, as the
 * built-in ones do, or else R, G and B; one with three channels sees RGB, and
 * the element then accepts RGB formats only; one with six sees luma and chroma
 * of 4:2:0 video together, and of other formats every component by itself. Any
 * size will do: where the model's strides do not divide it, edges are reflected
 * inside and cropped outside. Samples of 10 and 16 bits are read and written as
 * such; the fields of interlaced frames are images of their own.
 *
 * Where nothing moves, what frames before have shown makes the picture better
 * still (#GstAeDenoise:temporal), without delay. A frame that its decoder marks
 * as corrupted is denoised by itself, and frames after it do not use it.
 *
 * Where less shall be removed, #GstAeDenoise:strength mixes the frame as it
 * came with the denoised one. To compare both in one picture, what is left of
 * #GstAeVideo:split stays as it came.
 *
 * Models that take the level of the noise, such as FFDNet and DRUNet, are told
 * it: measured in each frame, or #GstAeDenoise:sigma.
 *
 * With no property set the built-in model named "medium" is used. A model of
 * your own is an ONNX file (#GstAeVideo:model-file) from `aetrain` or from any
 * other tool; it can be changed while the pipeline plays and then takes over
 * between two frames.
 *
 * Frames that come too late to be shown pass as they are, while `qos` is true
 * (the default); `stats` counts them.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! videoconvert ! aedenoise !
 * videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! aedenoise threads=2 ! videoconvert !
 * autovideosink
 * ]|
 * A file, denoised at leisure:
 * |[
 * gst-launch-1.0 filesrc location=in.webm ! decodebin ! videoconvert !
 * aedenoise model-file=mine.onnx ! vp8enc ! webmmux ! filesink
 * location=out.webm
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaevideo.h"

typedef struct {
    GstAeVideo parent;
    /* Under the object lock. */
    float strength, sigma;
    gboolean temporal;
} GstAeDenoise;

typedef GstAeVideoClass GstAeDenoiseClass;

G_DEFINE_TYPE_WITH_CODE(GstAeDenoise, gst_ae_denoise, GST_TYPE_AE_VIDEO,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_PRESET, NULL))
GST_ELEMENT_REGISTER_DEFINE(aedenoise, "aedenoise", GST_RANK_NONE,
                            gst_ae_denoise_get_type())

static const GstAeProperty properties[] = {
    {"strength", "Strength",
     "Weight of the denoised frame; the input frame has the rest. At 0 the "
     "input passes bit for bit",
     G_TYPE_FLOAT, G_STRUCT_OFFSET(GstAeDenoise, strength), .number = 1,
     .maximum = 1, .flags = GST_PARAM_CONTROLLABLE | GST_PARAM_MUTABLE_PLAYING},
    {"temporal", "Temporal",
     "Use past frames where nothing moves (for models trained to denoise, "
     "and progressive video)",
     G_TYPE_BOOLEAN, G_STRUCT_OFFSET(GstAeDenoise, temporal), .number = 1,
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"sigma", "Sigma",
     "Standard deviation of the noise where 255 is white: for models that take "
     "it, and the temporal filter, which tells motion from noise by it (-1: "
     "measured, see \"stats\"; 0: the input passes bit for bit)",
     G_TYPE_FLOAT, G_STRUCT_OFFSET(GstAeDenoise, sigma), .minimum = -1,
     .number = -1, .maximum = 255,
     .flags = GST_PARAM_CONTROLLABLE | GST_PARAM_MUTABLE_PLAYING},
};

static void get_settings(GstAeVideo *video, AeFilterSettings *settings)
{
    const GstAeDenoise *self = (const GstAeDenoise *)video;

    *settings =
        (AeFilterSettings){.strength = self->sigma == 0 ? 0 : self->strength,
                           .temporal = self->temporal,
                           .sigma = MAX(self->sigma, 0)};
}

/* Properties that were given have been set by now. */
static void constructed(GObject *object)
{
    G_OBJECT_CLASS(gst_ae_denoise_parent_class)->constructed(object);
    if (GST_AE_VIDEO(object)->settings.model == NULL)
        g_object_set(object, "model", "medium", NULL);
}

static void gst_ae_denoise_class_init(GstAeDenoiseClass *klass)
{
    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Autoencoder denoiser", "Filter/Effect/Video",
        "Removes noise from video with a trained autoencoder",
        "gst-autoencoder");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    G_OBJECT_CLASS(klass)->constructed = constructed;
    klass->get_settings = get_settings;
}

static void gst_ae_denoise_init(GstAeDenoise *self G_GNUC_UNUSED)
{
}
