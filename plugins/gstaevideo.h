/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of elements that send video frames through a model and keep their
 * size: everything but a name and a default model.
 *
 * Late frames (by the QoS events of downstream, while `qos` is set) pass
 * untouched instead of being dropped. A model that is set while the element
 * runs is loaded and planned in another thread and takes over between two
 * frames; if that fails a warning is posted and the old model stays. */
#pragma once

#include <gst/video/gstvideofilter.h>

#include "gstaemodel.h"

G_BEGIN_DECLS

#define GST_TYPE_AE_VIDEO (gst_ae_video_get_type())
#define GST_AE_VIDEO(object)                                                   \
    (G_TYPE_CHECK_INSTANCE_CAST((object), GST_TYPE_AE_VIDEO, GstAeVideo))
#define GST_AE_VIDEO_GET_CLASS(object)                                         \
    (G_TYPE_INSTANCE_GET_CLASS((object), GST_TYPE_AE_VIDEO, GstAeVideoClass))

typedef struct GstAeVideoPrivate GstAeVideoPrivate;

typedef struct {
    GstVideoFilter parent;
    GstAeModelSettings settings; /* under the object lock */
    GstAeVideoPrivate *priv;
} GstAeVideo;

typedef struct {
    GstVideoFilterClass parent;
    const char *default_model; /* the name that `model` starts with */
} GstAeVideoClass;

GType gst_ae_video_get_type(void);

G_END_DECLS
