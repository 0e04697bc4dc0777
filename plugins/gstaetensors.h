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
 * Optional fields describe the frame that a code was made from: ae-width,
 * ae-height, ae-format, ae-colorimetry and pixel-aspect-ratio are the fields
 * width, height, format, colorimetry and pixel-aspect-ratio of its video/x-raw
 * caps. */
#pragma once

#include <gst/gst.h>

#include "ae.h"

G_BEGIN_DECLS

#define GST_AE_TENSORS_MAX 16

typedef struct {
    int n;                             /* tensors: 1 .. GST_AE_TENSORS_MAX */
    AeShape shape[GST_AE_TENSORS_MAX]; /* outermost first, like a batch of 1 */
} GstAeTensors;

/* The caps of codes of frames of @video, which are fixed caps of raw video. */
GstCaps *gst_ae_tensors_to_caps(const GstAeTensors *tensors,
                                const GstCaps *video);

/* Reads fixed caps of any writer: dimensions may have up to 16 axes, `format`
 * may be absent, tensors may be separated by ',' or '.'. Ones at the front of a
 * shape are left out. Errors, which quote the caps: AE_ERROR_FORMAT (no tensor
 * caps), AE_ERROR_UNSUPPORTED (not static, not float32). */
gboolean gst_ae_tensors_from_caps(GstAeTensors *tensors, const GstCaps *caps,
                                  GError **error);

/* The framerate and the description of the frame, as caps of video/x-raw. */
GstCaps *gst_ae_tensors_to_video(const GstCaps *caps);

G_END_DECLS
