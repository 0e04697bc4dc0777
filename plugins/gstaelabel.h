/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels: what an image shows, as a number from 0.
 *
 * A label travels with its buffer as a GstCustomMeta of this name, whose int
 * field is "label": through queues, video filters, aeencode and aedecode, but
 * not through files and sockets. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_AE_LABEL_META "GstAeLabelMeta"

/* Makes the meta known, once, when the plugin is loaded. */
void gst_ae_label_register(void);

void gst_ae_label_attach(GstBuffer *buffer, int label);

/* FALSE: @buffer has no label. */
gboolean gst_ae_label_read(GstBuffer *buffer, int *label);

G_END_DECLS
