/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Video frames of GStreamer as pictures of the core: the only place that knows
 * both, and the lists of pixel formats. A new format goes into a list here, and
 * into docs/user/elements.md and the tests that name all. An element that takes
 * other formats than GST_AE_CAPS joins the lists itself. */
#pragma once

#include <gst/video/video.h>

#include "ae.h"

G_BEGIN_DECLS

#define GST_AE_RGB_FORMATS                                                     \
    "RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GBR, GBRA, "    \
    "RGBP, BGRP"
#define GST_AE_YUV_FORMATS                                                     \
    "I420, YV12, NV12, NV21, NV16, NV24, Y41B, Y42B, Y444, YUY2, UYVY, AYUV, " \
    "A420"
/* Gray or YUV of more than 8 bits, each sample in a 16-bit word. */
#define GST_AE_DEEP_FORMATS                                                    \
    "I420_10LE, I422_10LE, Y444_10LE, I420_12LE, I422_12LE, Y444_12LE, "       \
    "P010_10LE, P012_LE, GRAY16_LE, "                                          \
    "I420_10BE, I422_10BE, Y444_10BE, I420_12BE, I422_12BE, Y444_12BE, "       \
    "P010_10BE, P012_BE, GRAY16_BE"

/* Caps of all formats; of RGB; and of gray and YUV. Deep formats come last: an
 * element that has the choice sends 8 bits. */
#define GST_AE_DEEP_CAPS GST_VIDEO_CAPS_MAKE("{ " GST_AE_DEEP_FORMATS " }")
#define GST_AE_LUMA_CAPS                                                       \
    GST_VIDEO_CAPS_MAKE("{ " GST_AE_YUV_FORMATS ", GRAY8 }")                   \
    "; " GST_AE_DEEP_CAPS
#define GST_AE_RGB_CAPS GST_VIDEO_CAPS_MAKE("{ " GST_AE_RGB_FORMATS " }")
#define GST_AE_CAPS                                                            \
    GST_VIDEO_CAPS_MAKE("{ " GST_AE_YUV_FORMATS ", GRAY8, " GST_AE_RGB_FORMATS \
                        " }")                                                  \
    "; " GST_AE_DEEP_CAPS

/* Reads the caps of video; FALSE and @error if they describe no frames that
 * memory can hold. */
gboolean gst_ae_picture_info(GstVideoInfo *info, const GstCaps *caps,
                             GError **error);

/* TRUE if @buffer holds a whole frame of @info, and its GstVideoMeta agrees;
 * else posts an error of @element that says why. */
gboolean gst_ae_picture_fit(GstElement *element, const GstVideoInfo *info,
                            GstBuffer *buffer);

/* Checks @buffer as gst_ae_picture_fit() does, and maps it to be read. */
gboolean gst_ae_picture_map(GstElement *element, GstVideoFrame *frame,
                            const GstVideoInfo *info, GstBuffer *buffer);

/* Fills @buffer with zeros, padding too, so that it is the same on every run,
 * and maps it to be written; else posts an error of @element. */
gboolean gst_ae_picture_map_new(GstElement *element, GstVideoFrame *frame,
                                const GstVideoInfo *info, GstBuffer *buffer);

/* What pictures of frames of @info have in common; where the interlace-mode is
 * mixed, of those that are progressive. */
AePictureFormat gst_ae_picture_format(const GstVideoInfo *info);

/* The samples of @frame, valid while the frame is mapped. */
AePicture gst_ae_picture_of_frame(const GstVideoFrame *frame);

G_END_DECLS
