/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps of codes: other/tensors, as NNStreamer defines them,
 *
 *     other/tensors,format=static,num_tensors=1,types=float32,
 *         dimensions=W:H:C:1,framerate=N/D
 *
 * Dimensions are innermost first and at least four; a code of L values is
 * L:1:1:1. A buffer has one GstMemory a tensor: float32 of this machine in
 * row-major order, without gaps.
 *
 * Hints, never required, tell what the frame was that a code was made from:
 * ae-width, ae-height, ae-format and ae-colorimetry mean what the fields of
 * video/x-raw without "ae-" mean, and so does pixel-aspect-ratio. */
#pragma once

#include <gst/gst.h>

#include "ae.h"

G_BEGIN_DECLS

#define GST_AE_TENSORS_MAX 16

typedef struct {
    int n;                             /* tensors: 1 .. GST_AE_TENSORS_MAX */
    AeShape shape[GST_AE_TENSORS_MAX]; /* outermost first, like a batch of 1 */
} GstAeTensors;

/* The caps for codes of frames of @video, fixed caps of raw video: with its
 * framerate and hints. */
GstCaps *gst_ae_tensors_to_caps(const GstAeTensors *tensors,
                                const GstCaps *video);

/* Reads fixed caps, whoever wrote them: dimensions of any rank up to 16,
 * `format` absent, tensors separated by ',' or '.'. Errors, naming what was
 * found: AE_ERROR_FORMAT (no tensor caps), AE_ERROR_UNSUPPORTED (not static,
 * not float32). */
gboolean gst_ae_tensors_from_caps(GstAeTensors *tensors, const GstCaps *caps,
                                  GError **error);

/* The framerate and hints of @caps as fields of video/x-raw. */
GstCaps *gst_ae_tensors_to_video(const GstCaps *caps);

G_END_DECLS
