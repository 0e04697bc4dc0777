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

/* How sizes become others. */
typedef struct {
    int least, most; /* factor */
    gboolean up;     /* multiply by it; or divide */
} Scale;

static gboolean scale_range(GValue *out, const GValue *in, const Scale *scale)
{
    int least, most;

    if (!read_range(in, &least, &most))
        return FALSE;
    if (!scale->up)
        return write_range(out, least / scale->most + (least % scale->most > 0),
                           most / scale->least);
    if (least > G_MAXINT / scale->least)
        return FALSE;
    return write_range(out, least * scale->least,
                       most > G_MAXINT / scale->most ? G_MAXINT
                                                     : most * scale->most);
}

static gboolean scale_list(GValue *out, const GValue *in, const Scale *scale)
{
    g_value_init(out, GST_TYPE_LIST);
    for (guint i = 0; i < gst_value_list_get_size(in); i++) {
        GValue item = G_VALUE_INIT;

        if (scale_range(&item, gst_value_list_get_value(in, i), scale))
            gst_value_list_append_and_take_value(out, &item);
    }
    return gst_value_list_get_size(out) > 0;
}

/* FALSE: nothing is left. */
static gboolean scale_field(GstStructure *structure, const char *name,
                            const Scale *scale)
{
    const GValue *in = gst_structure_get_value(structure, name);
    g_auto(GValue) out = G_VALUE_INIT;

    if (in == NULL)
        return TRUE;
    if (!(GST_VALUE_HOLDS_LIST(in) ? scale_list(&out, in, scale)
                                   : scale_range(&out, in, scale)))
        return FALSE;
    gst_structure_set_value(structure, name, &out);
    return TRUE;
}

/* Pixels become wider or higher where the two sides may grow unequally. */
static void open_aspect(GstStructure *structure, const Scale *scale)
{
    if (scale->least < scale->most &&
        gst_structure_has_field(structure, "pixel-aspect-ratio"))
        gst_structure_set(structure, "pixel-aspect-ratio",
                          GST_TYPE_FRACTION_RANGE, 1, G_MAXINT, G_MAXINT, 1,
                          NULL);
}

static GstCaps *scale_caps(const GstCaps *caps, const Scale *scale)
{
    GstCaps *result;

    if (gst_caps_is_any(caps))
        return gst_caps_new_any();
    result = gst_caps_new_empty();
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        GstStructure *structure =
            gst_structure_copy(gst_caps_get_structure(caps, i));
        GstCapsFeatures *features = gst_caps_get_features(caps, i);

        open_aspect(structure, scale);
        if (scale_field(structure, "width", scale) &&
            scale_field(structure, "height", scale))
            gst_caps_append_structure_full(result, structure,
                                           gst_caps_features_copy(features));
        else
            gst_structure_free(structure);
    }
    return result;
}

GstCaps *gst_ae_scale_up(const GstCaps *caps, int least, int most)
{
    return scale_caps(caps, &(Scale){least, most, TRUE});
}

GstCaps *gst_ae_scale_down(const GstCaps *caps, int least, int most)
{
    return scale_caps(caps, &(Scale){least, most, FALSE});
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

/* The number nearest to @wanted that a field may be. */
static int nearest(const GstStructure *structure, const char *field, int wanted)
{
    GstStructure *copy = gst_structure_copy(structure);
    int number = wanted;

    gst_structure_fixate_field_nearest_int(copy, field, wanted);
    gst_structure_get_int(copy, field, &number);
    gst_structure_free(copy);
    return number;
}

static int multiply(int number, int by, int divisor)
{
    return (int)MIN(
        gst_util_uint64_scale_int_round((guint64)number, by, divisor),
        G_MAXINT);
}

/* The ratio of width and height that shows the picture as it is, on pixels of
 * the aspect that @structure asks for, if it asks for one. */
static void find_ratio(const GstStructure *structure, const GstVideoInfo *info,
                       int *across, int *down)
{
    int n = GST_VIDEO_INFO_PAR_N(info), d = GST_VIDEO_INFO_PAR_D(info);
    guint ratio_n, ratio_d;

    gst_structure_get_fraction(structure, "pixel-aspect-ratio", &n, &d);
    *across = GST_VIDEO_INFO_WIDTH(info);
    *down = GST_VIDEO_INFO_HEIGHT(info);
    if (n > 0 && GST_VIDEO_INFO_PAR_N(info) > 0 &&
        gst_video_calculate_display_ratio(
            &ratio_n, &ratio_d, (guint)*across, (guint)*down,
            (guint)GST_VIDEO_INFO_PAR_N(info),
            (guint)GST_VIDEO_INFO_PAR_D(info), (guint)n, (guint)d)) {
        *across = (int)ratio_n;
        *down = (int)ratio_d;
    }
}

/* The pixels' aspect that shows a picture of @info in its new size as it was.
 */
static void fixate_aspect(GstStructure *structure, const GstVideoInfo *info,
                          int width, int height)
{
    guint n, d;

    if (GST_VIDEO_INFO_PAR_N(info) <= 0 ||
        !gst_video_calculate_display_ratio(
            &n, &d, (guint)GST_VIDEO_INFO_WIDTH(info),
            (guint)GST_VIDEO_INFO_HEIGHT(info),
            (guint)GST_VIDEO_INFO_PAR_N(info),
            (guint)GST_VIDEO_INFO_PAR_D(info), (guint)width, (guint)height))
        return;
    if (gst_structure_has_field(structure, "pixel-aspect-ratio"))
        gst_structure_fixate_field_nearest_fraction(
            structure, "pixel-aspect-ratio", (int)n, (int)d);
    else
        gst_structure_set(structure, "pixel-aspect-ratio", GST_TYPE_FRACTION,
                          (int)n, (int)d, NULL);
}

void gst_ae_scale_fixate(GstStructure *structure, const GstVideoInfo *info,
                         int scale)
{
    int across, down, width, height;

    find_ratio(structure, info, &across, &down);
    height = nearest(structure, "height", GST_VIDEO_INFO_HEIGHT(info) * scale);
    width = nearest(structure, "width", multiply(height, across, down));
    height = nearest(structure, "height", multiply(width, down, across));
    gst_structure_set(structure, "width", G_TYPE_INT, width, "height",
                      G_TYPE_INT, height, NULL);
    if (width == multiply(height, across, down) ||
        height == multiply(width, down, across)) {
        width = GST_VIDEO_INFO_WIDTH(info);
        height = GST_VIDEO_INFO_HEIGHT(info);
    }
    fixate_aspect(structure, info, width, height);
}
