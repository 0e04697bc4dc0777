/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the core on the bus. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Posts @error as GStreamer's error or warning (@type GST_MESSAGE_ERROR or
 * GST_MESSAGE_WARNING) of the same meaning: under RESOURCE what concerns files
 * and memory, under STREAM what concerns content, under LIBRARY what concerns
 * settings; the message is the sentence of @error. Never call it with a lock
 * held. */
void gst_ae_post(GstElement *element, GstMessageType type, const GError *error);

G_END_DECLS
