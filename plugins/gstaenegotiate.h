/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Negotiation of caps whose failures are sentences on the bus. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

/* For accept_caps(): whatever the template has. What a model refuses shall come
 * as a CAPS event, so that it can be answered by a sentence. */
gboolean gst_ae_accept_template(GstBaseTransform *base,
                                GstPadDirection direction, GstCaps *caps);

/* For transform_caps(): @other once for each framerate of @caps, and of that
 * what @filter (NULL: any) leaves. Takes @other. */
GstCaps *gst_ae_transform_framerate(GstCaps *other, const GstCaps *caps,
                                    GstCaps *filter);

/* Whether the peer of @pad, if there is one, takes any of @caps. If not, an
 * error is posted that names both sides, as far as they differ, and the model
 * that makes what @caps describe (@label; NULL: a source without one). */
gboolean gst_ae_peer_takes(GstPad *pad, GstCaps *caps, const char *label);

G_END_DECLS
