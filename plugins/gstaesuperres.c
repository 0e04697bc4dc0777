/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aesuperres
 * @title: aesuperres
 * @short_description: enlarges video with a trained network
 *
 * Every frame becomes as large as downstream asks for, up to 4 times, or
 * #GstAeSuperres:scale times as large, 2, 3 or 4, where that is left open. A
 * model with one input channel enlarges luma, and chroma is resampled
 * bicubically: such a model takes YUV and gray; one with three channels takes
 * RGB. Where neither a scale nor a model is set, the scale is the smallest one
 * that reaches the size that downstream asks for, or else 2. What a model makes
 * is resampled to that size if it is not it already, and the pixel-aspect-ratio
 * adapted.
 *
 * With no model set the built-in one of the scale is used: "superres2",
 * "superres3" or "superres4"; with "-large" behind the name there is one of six
 * (scale 2: twelve) times the work, and "superres2-compressed" is for
 * compressed, slightly noisy video, such as webcams send. A model of your own
 * is an ONNX file (#GstAeVideo:model-file) from `aetrain task=superres` or from
 * any other tool; it can be changed for another of the same scale while the
 * pipeline plays.
 *
 * What is left of #GstAeVideo:split is enlarged bicubically, for comparison.
 *
 * Frames that come too late to be shown are enlarged by their nearest pixels,
 * while `qos` is true (the default); `stats` counts them. Interlaced frames are
 * refused; with `interlace-mode=mixed` each buffer says whether it is one.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 ! aesuperres ! videoconvert !
 * autovideosink
 * ]|
 * Any size:
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 !
 * video/x-raw,width=640,height=360 ! aesuperres !
 * video/x-raw,width=960,height=540 ! videoconvert ! autovideosink
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
#include "gstaeerror.h"
#include "gstaenegotiate.h"
#include "gstaepicture.h"
#include "gstaescale.h"
#include "gstaevideo.h"

#define SMALLEST_SCALE 2
#define LARGEST_SCALE 4

typedef struct {
    GstAeVideo parent;
    guint scale; /* under the object lock; 0: as the model or downstream has it
                  */
} GstAeSuperres;

typedef GstAeVideoClass GstAeSuperresClass;

G_DEFINE_TYPE(GstAeSuperres, gst_ae_superres, GST_TYPE_AE_VIDEO)
GST_ELEMENT_REGISTER_DEFINE(aesuperres, "aesuperres", GST_RANK_NONE,
                            gst_ae_superres_get_type())

static const GstAeProperty properties[] = {
    {"scale", "Scale",
     "Upscaling factor of the model, 2 to 4 (0: the model's own; if none is "
     "set, the smallest that reaches the size of downstream, or else 2)",
     G_TYPE_UINT, G_STRUCT_OFFSET(GstAeSuperres, scale),
     .maximum = LARGEST_SCALE, .flags = GST_PARAM_MUTABLE_READY},
};

static int wanted_scale(GstAeVideo *video)
{
    return (int)((GstAeSuperres *)video)->scale;
}

static char *default_model(int scale)
{
    return g_strdup_printf("superres%d", MAX(scale, SMALLEST_SCALE));
}

static int find_scale(const GstAeModel *model, int scale, int wanted,
                      GError **error)
{
    if (scale < SMALLEST_SCALE || scale > LARGEST_SCALE)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' makes images %d times as large, where %d to %d "
                    "times was expected",
                    model->label, scale, SMALLEST_SCALE, LARGEST_SCALE);
    else if (wanted != 0 && scale != wanted)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' makes images %d times as large, but %d times "
                    "was asked for",
                    model->label, scale, wanted);
    else
        return scale;
    return 0;
}

/* The only factor that is possible; 0: all are. A model that the element has
 * chosen by itself can be exchanged for one of another factor. */
static int fixed_scale(GstAeVideo *video)
{
    const GstAeModelSettings *settings = &video->settings;
    gboolean named;
    int scale, in_use;

    GST_OBJECT_LOCK(video);
    scale = wanted_scale(video);
    in_use = gst_ae_video_scale(video);
    named = settings->model_file != NULL || settings->model != NULL;
    GST_OBJECT_UNLOCK(video);
    return in_use > 0 && (named || scale > 0) ? in_use : scale;
}

/* The smallest factor that reaches the size, if no model is set. */
static int choose_scale(GstAeVideo *video, const AePictureFormat *format,
                        int width, int height)
{
    int scale = fixed_scale(video);

    if (scale > 0)
        return scale;
    scale = SMALLEST_SCALE;
    while (scale < LARGEST_SCALE && ((gint64)format->width * scale < width ||
                                     (gint64)format->height * scale < height))
        scale++;
    return scale;
}

static GstCaps *scale_by(const GstCaps *caps, gboolean up, int least, int most)
{
    return up ? gst_ae_scale_up(caps, least, most)
              : gst_ae_scale_down(caps, least, most);
}

/* In all factors that a model can have, the smallest first, then in all sizes.
 */
static GstCaps *scale_caps(GstAeVideo *video, gboolean up, GstCaps *caps)
{
    int fixed = fixed_scale(video);
    GstCaps *result = gst_caps_new_empty();

    if (up)
        caps = gst_ae_scale_name_colours(caps);
    for (int s = SMALLEST_SCALE; s <= LARGEST_SCALE; s++)
        if (fixed == 0 || s == fixed)
            gst_caps_append(result, scale_by(caps, up, s, s));
    gst_caps_append(result, scale_by(caps, up, 1, LARGEST_SCALE));
    gst_caps_unref(caps);
    return result;
}

/* One of the factors of scale_caps(), if @caps have it; or else the size next
 * to it. Takes @caps. */
static GstCaps *choose_size(GstAeVideo *video, const GstVideoInfo *info,
                            GstCaps *in, GstCaps *caps)
{
    int fixed = fixed_scale(video);

    for (int s = SMALLEST_SCALE; s <= LARGEST_SCALE; s++) {
        g_autoptr(GstCaps) whole = gst_ae_scale_up(in, s, s);

        if ((fixed == 0 || s == fixed) && gst_caps_can_intersect(caps, whole)) {
            gst_caps_take(&caps, gst_caps_intersect_full(
                                     caps, whole, GST_CAPS_INTERSECT_FIRST));
            return caps;
        }
    }
    caps = gst_caps_truncate(caps);
    caps = gst_caps_make_writable(caps);
    gst_ae_scale_fixate(gst_caps_get_structure(caps, 0), info,
                        fixed > 0 ? fixed : SMALLEST_SCALE);
    return caps;
}

static GstCaps *fixate_caps(GstBaseTransform *trans, GstPadDirection direction,
                            GstCaps *caps, GstCaps *other)
{
    GstVideoInfo info;

    if (direction == GST_PAD_SINK && !gst_caps_is_empty(other) &&
        gst_video_info_from_caps(&info, caps))
        other = choose_size(GST_AE_VIDEO(trans), &info, caps, other);
    return GST_BASE_TRANSFORM_CLASS(gst_ae_superres_parent_class)
        ->fixate_caps(trans, direction, caps, other);
}

/* TRUE, with an error, if @caps are no video, or downstream does not take its
 * enlarged frames. */
static gboolean refuses(GstBaseTransform *trans, GstCaps *caps)
{
    g_autoptr(GstCaps) made = NULL;
    g_autoptr(GError) error = NULL;
    GstVideoInfo info;

    if (!gst_ae_picture_info(&info, caps, &error)) {
        gst_ae_post(GST_ELEMENT(trans), GST_MESSAGE_ERROR, error);
        return TRUE;
    }
    made = gst_ae_scale_up(caps, 1, LARGEST_SCALE);
    return !gst_ae_peer_takes(trans->srcpad, made,
                              gst_ae_video_label(GST_AE_VIDEO(trans)));
}

/* The new size of frames follows from the new model. */
static gboolean sink_event(GstBaseTransform *trans, GstEvent *event)
{
    GstCaps *caps = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        gst_event_parse_caps(event, &caps);
        gst_ae_video_use_replacement(GST_AE_VIDEO(trans));
        if (refuses(trans, caps)) {
            gst_event_unref(event);
            return FALSE;
        }
    }
    return GST_BASE_TRANSFORM_CLASS(gst_ae_superres_parent_class)
        ->sink_event(trans, event);
}

static void gst_ae_superres_class_init(GstAeSuperresClass *klass)
{
    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Autoencoder enlarger",
        "Filter/Effect/Converter/Video/Scaler",
        "Enlarges video with a trained network", "gst-autoencoder");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    GST_BASE_TRANSFORM_CLASS(klass)->sink_event = sink_event;
    GST_BASE_TRANSFORM_CLASS(klass)->fixate_caps = fixate_caps;
    klass->wanted_scale = wanted_scale;
    klass->default_model = default_model;
    klass->find_scale = find_scale;
    klass->scale_caps = scale_caps;
    klass->choose_scale = choose_scale;
}

static void gst_ae_superres_init(GstAeSuperres *self G_GNUC_UNUSED)
{
}
