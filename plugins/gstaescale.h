/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of video a whole number of times larger or smaller. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* @caps with width and height multiplied by @scale: numbers, ranges, lists of
 * them. Structures whose sizes become too large are left out. Free. */
GstCaps *gst_ae_scale_up(const GstCaps *caps, int scale);

/* With width and height divided by @scale. Structures where nothing is a
 * multiple of it are left out. Free. */
GstCaps *gst_ae_scale_down(const GstCaps *caps, int scale);

/* What downstream should know but @caps, if they are fixed, only imply by their
 * size: colorimetry and chroma-site. Takes and returns @caps. */
GstCaps *gst_ae_scale_name_colours(GstCaps *caps);

G_END_DECLS
