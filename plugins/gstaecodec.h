/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of aeencode and aedecode: a transform whose work one half of a model
 * does. It loads the model, makes the codec for the caps that come, and does
 * both again when a property changes while the element runs; if that fails, the
 * element goes on as before and posts a warning. */
#pragma once

#include <gst/base/gstbasetransform.h>

#include "gstaemodel.h"

G_BEGIN_DECLS

#define GST_TYPE_AE_CODEC (gst_ae_codec_get_type())
#define GST_AE_CODEC(object)                                                   \
    (G_TYPE_CHECK_INSTANCE_CAST((object), GST_TYPE_AE_CODEC, GstAeCodec))
#define GST_AE_CODEC_CLASS(klass)                                              \
    (G_TYPE_CHECK_CLASS_CAST((klass), GST_TYPE_AE_CODEC, GstAeCodecClass))

typedef struct {
    GstBaseTransform parent;
    GstAeModel *model; /* between start and stop; written under object lock */
    AeCodec *codec;    /* of the streaming thread; NULL before caps */
    guint64 frames;    /* since start, dropped ones and this one included */
    /*< private >*/
    GstAeModelSettings settings; /* what the user sets: under object lock */
    int label;
    gboolean stale; /* settings have changed since they were used */
} GstAeCodec;

typedef struct {
    GstBaseTransformClass parent_class;
    GstDebugCategory *category;
    /* Takes over the caps of the sink pad. */
    gboolean (*read_caps)(GstAeCodec *self, const GstCaps *caps,
                          GError **error);
    /* A codec of @model for these caps. */
    AeCodec *(*make)(GstAeCodec *self, AeModel *model, AeCodecOptions *options,
                     GError **error);
    /* FALSE with an error if the element cannot use @model for any caps. */
    gboolean (*check)(const AeModel *model, GError **error);
} GstAeCodecClass;

GType gst_ae_codec_get_type(void);

/* Makes the element load its model and make its codec anew before the next
 * frame. */
void gst_ae_codec_change(GstAeCodec *self);

/* From fixate_caps(): does what gst_ae_codec_change() asked for. */
void gst_ae_codec_renew(GstAeCodec *self);

/* Gives a conditional model the label of @buffer; if there is none, FALSE and
 * an error is posted. */
gboolean gst_ae_codec_set_label(GstAeCodec *self, GstBuffer *buffer);

/* What frames can hold @columns x @rows images of a decoder: gray images fit
 * all formats of 8 bits, GRAY8 first; others RGB. */
GstCaps *gst_ae_codec_frames(const AeCodec *decoder, int columns, int rows);

G_END_DECLS
