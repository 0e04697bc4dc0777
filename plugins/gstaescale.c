/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaescale.h"

#include <gst/video/video.h>

/* The least and most of a number or a range. */
static gboolean read_range(const GValue *value, int *least, int *most)
{
    if (G_VALUE_HOLDS_INT(value)) {
        *least = *most = g_value_get_int(value);
        return TRUE;
    }
    if (!GST_VALUE_HOLDS_INT_RANGE(value))
        return FALSE;
    *least = gst_value_get_int_range_min(value);
    *most = gst_value_get_int_range_max(value);
    return TRUE;
}

/* FALSE: no number is left. */
static gboolean write_range(GValue *value, int least, int most)
{
    if (least > most)
        return FALSE;
    g_value_init(value, least == most ? G_TYPE_INT : GST_TYPE_INT_RANGE);
    if (least == most)
        g_value_set_int(value, least);
    else
        gst_value_set_int_range(value, least, most);
    return TRUE;
}

static gboolean scale_range(GValue *out, const GValue *in, int scale,
                            gboolean up)
{
    int least, most;

    if (!read_range(in, &least, &most))
        return FALSE;
    if (!up)
        return write_range(out, least / scale + (least % scale > 0),
                           most / scale);
    if (least > G_MAXINT / scale)
        return FALSE;
    return write_range(out, least * scale,
                       most > G_MAXINT / scale ? G_MAXINT : most * scale);
}

static gboolean scale_list(GValue *out, const GValue *in, int scale,
                           gboolean up)
{
    g_value_init(out, GST_TYPE_LIST);
    for (guint i = 0; i < gst_value_list_get_size(in); i++) {
        GValue item = G_VALUE_INIT;

        if (scale_range(&item, gst_value_list_get_value(in, i), scale, up))
            gst_value_list_append_and_take_value(out, &item);
    }
    return gst_value_list_get_size(out) > 0;
}

/* FALSE: nothing is left. */
static gboolean scale_field(GstStructure *structure, const char *name,
                            int scale, gboolean up)
{
    const GValue *in = gst_structure_get_value(structure, name);
    g_auto(GValue) out = G_VALUE_INIT;

    if (in == NULL)
        return TRUE;
    if (!(GST_VALUE_HOLDS_LIST(in) ? scale_list(&out, in, scale, up)
                                   : scale_range(&out, in, scale, up)))
        return FALSE;
    gst_structure_set_value(structure, name, &out);
    return TRUE;
}

static GstCaps *scale_caps(const GstCaps *caps, int scale, gboolean up)
{
    GstCaps *result;

    if (gst_caps_is_any(caps))
        return gst_caps_new_any();
    result = gst_caps_new_empty();
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        GstStructure *structure =
            gst_structure_copy(gst_caps_get_structure(caps, i));
        GstCapsFeatures *features = gst_caps_get_features(caps, i);

        if (scale_field(structure, "width", scale, up) &&
            scale_field(structure, "height", scale, up))
            gst_caps_append_structure_full(result, structure,
                                           gst_caps_features_copy(features));
        else
            gst_structure_free(structure);
    }
    return result;
}

GstCaps *gst_ae_scale_up(const GstCaps *caps, int scale)
{
    return scale_caps(caps, scale, TRUE);
}

GstCaps *gst_ae_scale_down(const GstCaps *caps, int scale)
{
    return scale_caps(caps, scale, FALSE);
}

static void add_text(GstCaps *caps, const char *field, char *text)
{
    if (text != NULL &&
        !gst_structure_has_field(gst_caps_get_structure(caps, 0), field))
        gst_caps_set_simple(caps, field, G_TYPE_STRING, text, NULL);
    g_free(text);
}

GstCaps *gst_ae_scale_name_colours(GstCaps *caps)
{
    GstVideoInfo info;

    if (!gst_caps_is_fixed(caps) || !gst_video_info_from_caps(&info, caps))
        return caps;
    caps = gst_caps_make_writable(caps);
    add_text(caps, "colorimetry",
             gst_video_colorimetry_to_string(&info.colorimetry));
    if (GST_VIDEO_INFO_IS_YUV(&info) &&
        GST_VIDEO_INFO_CHROMA_SITE(&info) != GST_VIDEO_CHROMA_SITE_UNKNOWN)
        add_text(
            caps, "chroma-site",
            gst_video_chroma_site_to_string(GST_VIDEO_INFO_CHROMA_SITE(&info)));
    return caps;
}
