/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of sources whose frame depends on its number alone: timestamps,
 * framerate (what downstream asks for, else 30/1), seeking by time, playing
 * backwards, and the pace of live sources. A subclass says which frames it can
 * make, and makes the frame of a given number. Its `start` and `fixate`, if it
 * has them, call those of the base. */
#pragma once

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_TYPE_AE_FRAME_SRC (gst_ae_frame_src_get_type())
#define GST_AE_FRAME_SRC(object)                                               \
    (G_TYPE_CHECK_INSTANCE_CAST((object), GST_TYPE_AE_FRAME_SRC, GstAeFrameSrc))
#define GST_AE_FRAME_SRC_GET_CLASS(object)                                     \
    (G_TYPE_INSTANCE_GET_CLASS((object), GST_TYPE_AE_FRAME_SRC,                \
                               GstAeFrameSrcClass))

#define GST_AE_ENDLESS G_MAXUINT64

typedef struct {
    GstPushSrc parent;
    GstVideoInfo info; /* of the negotiated caps */
    guint64 total;     /* frames of a whole run, set by the subclass in start;
                          GST_AE_ENDLESS unless it does */
    /*< private >*/
    guint64 number; /* of the next frame, from 0; backwards: frames left */
    gboolean backwards;
    GstClockTime position; /* that a seek asked for; none: nothing to do */
} GstAeFrameSrc;

typedef struct {
    GstPushSrcClass parent;
    GstDebugCategory *category; /* for what the base has to log */
    /* The frames that it can make; NULL: as the template has it, because
     * nothing is known before start. Any thread. */
    GstCaps *(*made_caps)(GstAeFrameSrc *src);
    /* Frame @number, below the total, without offset and timestamps. */
    GstFlowReturn (*make)(GstAeFrameSrc *src, guint64 number,
                          GstBuffer **buffer);
} GstAeFrameSrcClass;

GType gst_ae_frame_src_get_type(void);

/* The timestamp of frame @number; GST_CLOCK_TIME_NONE at a framerate of 0. */
GstClockTime gst_ae_frame_src_time(const GstAeFrameSrc *src, guint64 number);

G_END_DECLS
