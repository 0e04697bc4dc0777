/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of elements that send video frames through a model: life cycle, late
 * frames, statistics and the exchange of models. What a subclass does to a
 * frame is in core/video/filter.h; frames keep their size, unless the subclass
 * has find_scale(); it then enlarges them to any size, and frames that have
 * that size already pass.
 *
 * A model that sees several frames gets copies of them; a frame is made once
 * those that follow it have come (LATENCY query), or do not come any more.
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
    float split;     /* share of the frame that the model leaves alone */
    GstAeVideoPrivate *priv;
} GstAeVideo;

typedef struct {
    GstVideoFilterClass parent;

    /* The settings for the frame that comes, but the split. Called under the
     * object lock. NULL: the result alone, without past frames. */
    void (*get_settings)(GstAeVideo *self, AeFilterSettings *settings);

    /* For elements that enlarge; NULL: frames keep their size. */

    /* The upscaling factor that the user wants; 0: any. Called under the object
     * lock. */
    int (*wanted_scale)(GstAeVideo *self);
    /* Name of the model for a wanted upscaling factor, if none is set. Free. */
    char *(*default_model)(int scale);
    /* The upscaling factor of a model, @scale; 0 with an error if it is not
     * @wanted, or not one of the element's. */
    int (*find_scale)(const GstAeModel *model, int scale, int wanted,
                      GError **error);
    /* The upscaling factor of the model for frames of @format that become
     * @width x @height. */
    int (*choose_scale)(GstAeVideo *self, const AePictureFormat *format,
                        int width, int height);
    /* The sizes on one side of the element for @caps on the other, enlarged
     * (@up) or made smaller. Takes @caps. */
    GstCaps *(*scale_caps)(GstAeVideo *self, gboolean up, GstCaps *caps);
} GstAeVideoClass;

GType gst_ae_video_get_type(void);

/* The upscaling factor of the model in use; 0 before the start. Call it with
 * the object lock held. */
int gst_ae_video_scale(GstAeVideo *self);

/* The name of the model in use, for the streaming thread. */
const char *gst_ae_video_label(GstAeVideo *self);

/* The streaming thread, before caps change: a model that waits for the next
 * frame takes over now. */
void gst_ae_video_use_replacement(GstAeVideo *self);

G_END_DECLS
