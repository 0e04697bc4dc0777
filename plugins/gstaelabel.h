/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels: what an image shows, as a number from 0.
 *
 * A label travels with its buffer as a GstCustomMeta, through queues, video
 * filters, aeencode and aedecode, but not through files and sockets.
 * A conditional model takes it as a second input: a row that is 1 at the label
 * and 0 elsewhere. */
#pragma once

#include "gstaemodel.h"

G_BEGIN_DECLS

/* The meta's name; its int field is "label". */
#define GST_AE_LABEL_META "GstAeLabelMeta"

/* The value of a property `label` that leaves the choice to the buffer. */
#define GST_AE_LABEL_FROM_BUFFER (-1)

/* The entry of a property table for @field, an int in instances of @Type. */
/* clang-format off */
#define GST_AE_LABEL_PROPERTY(Type, field)                                     \
    {"label", "Label",                                                         \
     "Label of every frame, for conditional models; -1: each buffer's own, as "\
     "idxsrc attaches it", G_TYPE_INT, G_STRUCT_OFFSET(Type, field),           \
     .number = GST_AE_LABEL_FROM_BUFFER, .minimum = GST_AE_LABEL_FROM_BUFFER,  \
     .maximum = G_MAXINT,                                                      \
     .flags = GST_PARAM_CONTROLLABLE | GST_PARAM_MUTABLE_PLAYING}
/* clang-format on */

/* Makes the meta known, once, when the plugin is loaded. */
void gst_ae_label_register(void);

void gst_ae_label_attach(GstBuffer *buffer, int label);

/* FALSE: @buffer has no label. */
gboolean gst_ae_label_read(GstBuffer *buffer, int *label);

/* The label of @buffer for a conditional model: @property, or the buffer's own
 * where that is GST_AE_LABEL_FROM_BUFFER. -1 with an error (AE_ERROR_VALUE) if
 * there is none, or none that the model knows. */
int gst_ae_label_choose(const GstAeModel *model, int property,
                        GstBuffer *buffer, GError **error);

G_END_DECLS
