/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Negotiation of caps whose failures are sentences on the bus. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

/* An accept_caps() that accepts all caps of the pad's template. Caps that the
 * model refuses then come as a CAPS event, which can be answered by an error
 * that says why. */
gboolean gst_ae_accept_template(GstBaseTransform *base,
                                GstPadDirection direction, GstCaps *caps);

/* For transform_caps(): @other with the framerate of @caps, once for each
 * structure of @caps, intersected with @filter (may be NULL). Takes @other. */
GstCaps *gst_ae_transform_framerate(GstCaps *other, const GstCaps *caps,
                                    GstCaps *filter);

/* Whether the peer of @pad, if there is one, takes any of @caps. If not, posts
 * an error that says how @caps and the peer's caps differ, and which model
 * (@label; NULL: a source without a model) makes @caps. */
gboolean gst_ae_peer_takes(GstPad *pad, GstCaps *caps, const char *label);

G_END_DECLS
