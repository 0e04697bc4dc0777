/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaepicture.h"

/* Where the last pixel in memory of a component ends that lies as @meta says;
 * more than any size if one lies before the buffer's beginning. */
static gsize component_end(const GstVideoInfo *info, const GstVideoMeta *meta,
                           int c)
{
    int plane = GST_VIDEO_INFO_COMP_PLANE(info, c);
    gint64 first = (gint64)meta->offset[plane];
    gint64 last = first + (GST_VIDEO_INFO_COMP_HEIGHT(info, c) - 1) *
                              (gint64)meta->stride[plane];
    gint64 row = (gint64)GST_VIDEO_INFO_COMP_WIDTH(info, c) *
                 GST_VIDEO_INFO_COMP_PSTRIDE(info, c);

    return last < 0 ? G_MAXSIZE : (gsize)(MAX(first, last) + row);
}

/* @meta: of the buffer, or NULL. */
static gsize frame_size(const GstVideoInfo *info, const GstVideoMeta *meta)
{
    gsize size = 0;

    if (meta == NULL)
        return GST_VIDEO_INFO_SIZE(info);
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        size = MAX(size, component_end(info, meta, c));
    return size;
}

static gboolean is_of(const GstVideoMeta *meta, const GstVideoInfo *info)
{
    return meta->format == GST_VIDEO_INFO_FORMAT(info) &&
           meta->width >= (guint)GST_VIDEO_INFO_WIDTH(info) &&
           meta->height >= (guint)GST_VIDEO_INFO_HEIGHT(info);
}

gboolean gst_ae_picture_fit(GstElement *element, const GstVideoInfo *info,
                            GstBuffer *buffer)
{
    const GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
    gsize needed = frame_size(info, meta);
    gsize found = gst_buffer_get_size(buffer);

    if (meta != NULL && !is_of(meta, info)) {
        GST_ELEMENT_ERROR(element, STREAM, FORMAT,
                          ("This video is %s of %dx%d, but a buffer says that "
                           "its frame is %s of %ux%u.",
                           GST_VIDEO_INFO_NAME(info),
                           GST_VIDEO_INFO_WIDTH(info),
                           GST_VIDEO_INFO_HEIGHT(info),
                           gst_video_format_to_string(meta->format),
                           meta->width, meta->height),
                          (NULL));
        return FALSE;
    }
    if (found >= needed)
        return TRUE;
    GST_ELEMENT_ERROR(element, STREAM, FORMAT,
                      ("A frame of %s of %dx%d is %" G_GSIZE_FORMAT
                       " bytes here, but a buffer has %" G_GSIZE_FORMAT ".",
                       GST_VIDEO_INFO_NAME(info), GST_VIDEO_INFO_WIDTH(info),
                       GST_VIDEO_INFO_HEIGHT(info), needed, found),
                      (NULL));
    return FALSE;
}

gboolean gst_ae_picture_map(GstElement *element, GstVideoFrame *frame,
                            const GstVideoInfo *info, GstBuffer *buffer)
{
    if (!gst_ae_picture_fit(element, info, buffer))
        return FALSE;
    if (gst_video_frame_map(frame, info, buffer, GST_MAP_READ))
        return TRUE;
    GST_ELEMENT_ERROR(element, RESOURCE, READ,
                      ("A frame's memory cannot be read."), (NULL));
    return FALSE;
}

gboolean gst_ae_picture_map_new(GstElement *element, GstVideoFrame *frame,
                                const GstVideoInfo *info, GstBuffer *buffer)
{
    gst_buffer_memset(buffer, 0, 0, gst_buffer_get_size(buffer));
    if (gst_video_frame_map(frame, info, buffer, GST_MAP_WRITE))
        return TRUE;
    GST_ELEMENT_ERROR(element, RESOURCE, WRITE,
                      ("A buffer of downstream cannot be written to."), (NULL));
    return FALSE;
}

/* Where the mode is mixed each buffer says whether it is interlaced. */
static AeFields fields_of(const GstVideoInfo *info)
{
    switch (GST_VIDEO_INFO_INTERLACE_MODE(info)) {
    case GST_VIDEO_INTERLACE_MODE_PROGRESSIVE:
    case GST_VIDEO_INTERLACE_MODE_MIXED:
        return AE_FIELDS_NONE;
    case GST_VIDEO_INTERLACE_MODE_FIELDS:
        return AE_FIELDS_APART;
    default:
        return AE_FIELDS_INTERLEAVED;
    }
}

static gboolean is_mixed(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_INTERLACE_MODE(info) ==
           GST_VIDEO_INTERLACE_MODE_MIXED;
}

/* Whether pixels have a byte that belongs to no component: RGBx and the like.
 */
static gboolean has_unused_byte(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_IS_RGB(info) && !GST_VIDEO_INFO_HAS_ALPHA(info) &&
           GST_VIDEO_INFO_COMP_PSTRIDE(info, 0) == 4;
}

AePictureFormat gst_ae_picture_format(const GstVideoInfo *info)
{
    GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE(info);
    gboolean alpha = GST_VIDEO_INFO_HAS_ALPHA(info);
    int n = (int)GST_VIDEO_INFO_N_COMPONENTS(info);
    AePictureFormat format = {
        .name = GST_VIDEO_INFO_NAME(info),
        .colour = GST_VIDEO_INFO_IS_RGB(info)   ? AE_COLOUR_RGB
                  : GST_VIDEO_INFO_IS_YUV(info) ? AE_COLOUR_YUV
                                                : AE_COLOUR_GRAY,
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .bits = GST_VIDEO_INFO_COMP_DEPTH(info, 0),
        .n_planes = n + (has_unused_byte(info) ? 1 : 0),
        .n_colours = alpha ? GST_VIDEO_COMP_A : n,
        .alpha = alpha,
        .cosited_x = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
        .cosited_y = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0,
        .fields = fields_of(info),
    };

    for (int c = 0; c < n; c++) {
        format.log2_x[c] = (int)info->finfo->w_sub[c];
        format.log2_y[c] = (int)info->finfo->h_sub[c];
    }
    return format;
}

/* GStreamer finds most sizes that are too large, but computes the bytes of a
 * row as an int, which may overflow. */
gboolean gst_ae_picture_info(GstVideoInfo *info, const GstCaps *caps,
                             GError **error)
{
    AePictureFormat format;

    if (!gst_video_info_from_caps(info, caps)) {
        g_autofree char *text = gst_caps_to_string(caps);

        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the caps describe no video frames: %s", text);
        return FALSE;
    }
    format = gst_ae_picture_format(info);
    return ae_picture_check(&format, error);
}

/* The four bytes of a pixel have the offsets 0 to 3; colours say theirs. */
static AePlane unused_plane(const GstVideoFrame *frame)
{
    int offset = 0 + 1 + 2 + 3;

    for (int c = 0; c < 3; c++)
        offset -= GST_VIDEO_FRAME_COMP_POFFSET(frame, c);
    return ae_plane((uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) + offset,
                    GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0), 4,
                    GST_VIDEO_FRAME_WIDTH(frame), GST_VIDEO_FRAME_HEIGHT(frame),
                    8);
}

/* Where the first sample of a component lies in its plane. Of two words the
 * second lies half a pixel further, for which GStreamer 1.22 says 1 byte. */
static int component_offset(const GstVideoFrame *frame, int c)
{
    int offset = GST_VIDEO_FRAME_COMP_POFFSET(frame, c);
    gboolean second = offset > 0 && GST_VIDEO_FRAME_COMP_DEPTH(frame, c) > 8;

    return second ? GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c) / 2 : offset;
}

static AePlane component_plane(const GstVideoFrame *frame, int c)
{
    const GstVideoFormatInfo *info = frame->info.finfo;
    const int plane = GST_VIDEO_FRAME_COMP_PLANE(frame, c);
    const int bits = (int)GST_VIDEO_FRAME_COMP_DEPTH(frame, c);

    return (AePlane){
        .data = (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(frame, plane) +
                component_offset(frame, c),
        .stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, c),
        .step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c),
        .width = GST_VIDEO_FRAME_COMP_WIDTH(frame, c),
        .height = GST_VIDEO_FRAME_COMP_HEIGHT(frame, c),
        .bits = bits,
        .shift = (int)GST_VIDEO_FORMAT_INFO_SHIFT(info, c),
        .big_endian = bits > 8 && !GST_VIDEO_FORMAT_INFO_IS_LE(info),
    };
}

AePicture gst_ae_picture_of_frame(const GstVideoFrame *frame)
{
    AePicture picture = {.format = gst_ae_picture_format(&frame->info)};

    if (is_mixed(&frame->info) && GST_VIDEO_FRAME_IS_INTERLACED(frame))
        picture.format.fields = AE_FIELDS_INTERLEAVED;
    for (int c = 0; c < (int)GST_VIDEO_FRAME_N_COMPONENTS(frame); c++)
        picture.plane[c] = component_plane(frame, c);
    if (has_unused_byte(&frame->info))
        picture.plane[3] = unused_plane(frame);
    return picture;
}
