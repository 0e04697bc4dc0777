/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaeframesrc.h"

#include "gstaenegotiate.h"

G_DEFINE_ABSTRACT_TYPE(GstAeFrameSrc, gst_ae_frame_src, GST_TYPE_PUSH_SRC)

GstClockTime gst_ae_frame_src_time(const GstAeFrameSrc *src, guint64 number)
{
    gint n = GST_VIDEO_INFO_FPS_N(&src->info);
    gint d = GST_VIDEO_INFO_FPS_D(&src->info);

    if (n == 0)
        return GST_CLOCK_TIME_NONE;
    return gst_util_uint64_scale(number, (guint64)d * GST_SECOND, (guint64)n);
}

static gboolean start(GstBaseSrc *src)
{
    GstAeFrameSrc *self = GST_AE_FRAME_SRC(src);

    gst_video_info_init(&self->info);
    self->total = GST_AE_ENDLESS;
    self->number = 0;
    self->backwards = FALSE;
    self->position = GST_CLOCK_TIME_NONE;
    return TRUE;
}

static gboolean negotiate(GstBaseSrc *src)
{
    g_autoptr(GstCaps) caps = NULL;

    if (GST_BASE_SRC_CLASS(gst_ae_frame_src_parent_class)->negotiate(src))
        return TRUE;
    caps = gst_pad_query_caps(src->srcpad, NULL);
    if (!GST_PAD_IS_FLUSHING(src->srcpad))
        gst_ae_peer_takes(src->srcpad, caps, NULL);
    return FALSE;
}

static GstCaps *get_caps(GstBaseSrc *src, GstCaps *filter)
{
    g_autoptr(GstCaps) caps =
        GST_AE_FRAME_SRC_GET_CLASS(src)->made_caps(GST_AE_FRAME_SRC(src));

    if (caps == NULL)
        caps = gst_pad_get_pad_template_caps(src->srcpad);
    if (filter != NULL)
        return gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
    return g_steal_pointer(&caps);
}

static GstCaps *fixate(GstBaseSrc *src, GstCaps *caps)
{
    GstStructure *structure;

    caps = gst_caps_make_writable(gst_caps_truncate(caps));
    structure = gst_caps_get_structure(caps, 0);
    gst_structure_fixate_field_nearest_fraction(structure, "framerate", 30, 1);
    return GST_BASE_SRC_CLASS(gst_ae_frame_src_parent_class)->fixate(src, caps);
}

static gboolean set_caps(GstBaseSrc *src, GstCaps *caps)
{
    GST_CAT_INFO_OBJECT(GST_AE_FRAME_SRC_GET_CLASS(src)->category, src,
                        "sends %" GST_PTR_FORMAT, (void *)caps);
    return gst_video_info_from_caps(&GST_AE_FRAME_SRC(src)->info, caps);
}

/* Carries out the last seek. Forwards goes on with the frame that its position
 * shows; backwards with the last one that begins before it. */
static void go_to_position(GstAeFrameSrc *self)
{
    guint64 n = (guint64)GST_VIDEO_INFO_FPS_N(&self->info);
    guint64 d = (guint64)GST_VIDEO_INFO_FPS_D(&self->info) * GST_SECOND;

    if (!GST_CLOCK_TIME_IS_VALID(self->position))
        return;
    self->number = self->backwards
                       ? gst_util_uint64_scale_ceil(self->position, n, d)
                       : gst_util_uint64_scale(self->position, n, d);
    self->number = MIN(self->number, self->total);
    self->position = GST_CLOCK_TIME_NONE;
    GST_CAT_INFO_OBJECT(GST_AE_FRAME_SRC_GET_CLASS(self)->category, self,
                        "goes on %s frame %" G_GUINT64_FORMAT,
                        self->backwards ? "backwards before" : "with",
                        self->number);
}

static void stamp(const GstAeFrameSrc *self, guint64 number, GstBuffer *buffer)
{
    GST_BUFFER_OFFSET(buffer) = number;
    GST_BUFFER_OFFSET_END(buffer) = number + 1;
    GST_BUFFER_PTS(buffer) = gst_ae_frame_src_time(self, number);
    if (GST_BUFFER_PTS_IS_VALID(buffer))
        GST_BUFFER_DURATION(buffer) =
            gst_ae_frame_src_time(self, number + 1) - GST_BUFFER_PTS(buffer);
}

static GstFlowReturn create(GstPushSrc *src, GstBuffer **buffer)
{
    GstAeFrameSrc *self = GST_AE_FRAME_SRC(src);
    GstFlowReturn result;

    go_to_position(self);
    if (self->number == (self->backwards ? 0 : self->total))
        return GST_FLOW_EOS;

    guint64 number = self->number - (self->backwards ? 1 : 0);

    result = GST_AE_FRAME_SRC_GET_CLASS(self)->make(self, number, buffer);
    if (result != GST_FLOW_OK)
        return result;
    stamp(self, number, *buffer);
    self->number = self->backwards ? number : number + 1;
    return GST_FLOW_OK;
}

static gboolean is_seekable(GstBaseSrc *src G_GNUC_UNUSED)
{
    return TRUE;
}

/* The framerate may not be known yet: create() finds the frame. Backwards
 * without a stop means from the end, and from here if there is none. */
static gboolean do_seek(GstBaseSrc *src, GstSegment *segment)
{
    GstAeFrameSrc *self = GST_AE_FRAME_SRC(src);

    self->backwards = segment->rate < 0;
    if (self->backwards && !GST_CLOCK_TIME_IS_VALID(segment->stop))
        segment->stop = gst_ae_frame_src_time(
            self, self->total != GST_AE_ENDLESS ? self->total : self->number);
    if (self->backwards)
        segment->position = segment->stop;
    self->position = segment->position;
    segment->time = segment->start;
    return TRUE;
}

/* A live source sends each frame when its time has come. */
static void get_times(GstBaseSrc *src, GstBuffer *buffer, GstClockTime *start,
                      GstClockTime *end)
{
    *start = *end = GST_CLOCK_TIME_NONE;
    if (!gst_base_src_is_live(src) || !GST_BUFFER_PTS_IS_VALID(buffer))
        return;
    *start = GST_BUFFER_PTS(buffer);
    *end = *start + GST_BUFFER_DURATION(buffer);
}

static void gst_ae_frame_src_class_init(GstAeFrameSrcClass *klass)
{
    GstBaseSrcClass *base = GST_BASE_SRC_CLASS(klass);

    gst_type_mark_as_plugin_api(GST_TYPE_AE_FRAME_SRC, 0);
    base->start = start;
    base->negotiate = negotiate;
    base->get_caps = get_caps;
    base->fixate = fixate;
    base->set_caps = set_caps;
    base->is_seekable = is_seekable;
    base->do_seek = do_seek;
    base->get_times = get_times;
    GST_PUSH_SRC_CLASS(klass)->create = create;
}

static void gst_ae_frame_src_init(GstAeFrameSrc *self)
{
    gst_video_info_init(&self->info);
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}
