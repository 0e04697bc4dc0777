/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of elements that send video frames through a model, which keep their
 * size or make them larger: everything but a name and a default model.
 *
 * Late frames (by the QoS events of downstream, while `qos` is set) pass
 * untouched, or enlarged by the nearest pixels, instead of being dropped. A
 * model that is set while the element runs is loaded and planned in another
 * thread and takes over between two frames; if that fails a warning is posted
 * and the old model stays. */
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
    /* Under the object lock. */
    GstAeModelSettings settings;
    gboolean reload; /* the model file, whenever it has changed */
    guint scale;    /* how often larger frames become; 0: as the model does, and
                       where none is named, as downstream wants */
    float strength; /* how much the model counts in frames that keep their
                       size; the rest is the frame as it came */
    gboolean temporal; /* frames before help where the model is a denoiser and
                          video is not interlaced */
    float sigma;       /* level of the noise, of 255, for that; 0: measured */
    GstAeVideoPrivate *priv;
} GstAeVideo;

typedef struct {
    GstVideoFilterClass parent;
    /* The name that `model` starts with. Where frames become larger, that and
     * the scale are the name of the model that is used if none is set. */
    const char *default_model;
    int largest_scale; /* frames become 2 .. times larger; 0: they do not */
} GstAeVideoClass;

GType gst_ae_video_get_type(void);

G_END_DECLS
