/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The encoder half of a model, made ready to turn frames into codes.
 *
 * The model's metadata name the code, and in a variational model the moments of
 * its distribution. Images come
 * from frames as gstaepixels.h reads them: gray ones from the luma, others from
 * RGB. Where the model takes any size, frames are enlarged by reflection to the
 * first multiple at which the model, decoder included, keeps their size. A
 * conditional model takes a label beside the image (gstaelabel.h).
 *
 *     encoder = gst_ae_encoder_new(model, GST_AE_OUTPUT_MEAN, &info, threads,
 *                                  precision, &error);
 *     gst_ae_encoder_run(encoder, &frame);
 *     gst_ae_encoder_read(encoder, 0, code);
 */
#pragma once

#include <gst/video/video.h>

#include "gstaemodel.h"
#include "gstaetensors.h"

G_BEGIN_DECLS

/**
 * GstAeOutput:
 * @GST_AE_OUTPUT_MEAN: the most likely code: the mean of a variational model,
 *   the code of any other
 * @GST_AE_OUTPUT_SAMPLE: the code; that of a variational model is drawn
 * @GST_AE_OUTPUT_MOMENTS: two tensors, mean and logarithm of the variance
 */
typedef enum {
    GST_AE_OUTPUT_MEAN,
    GST_AE_OUTPUT_SAMPLE,
    GST_AE_OUTPUT_MOMENTS,
} GstAeOutput;

/* The images that a model takes. */
typedef struct {
    int channels;      /* 1 or 3 */
    int width, height; /* 0: any */
} GstAeImage;

/* Errors: AE_ERROR_SHAPE, naming the model. */
gboolean gst_ae_encoder_image(const GstAeModel *model, GstAeImage *image,
                              GError **error);

typedef struct GstAeEncoder GstAeEncoder;

/* @model must outlive the encoder. @threads: 0, one a processor. Errors, all
 * naming the model: AE_ERROR_SHAPE (no code, no moments, another size or format
 * of frames), AE_ERROR_FORMAT (metadata), those of ae_plan_new(). */
GstAeEncoder *gst_ae_encoder_new(const GstAeModel *model, GstAeOutput output,
                                 const GstVideoInfo *info, int threads,
                                 AePrecision precision, GError **error);
void gst_ae_encoder_free(GstAeEncoder *encoder);

/* What a frame becomes, and 0 or the number of classes of a conditional
 * model. */
const GstAeTensors *gst_ae_encoder_tensors(const GstAeEncoder *encoder);
int gst_ae_encoder_classes(const GstAeEncoder *encoder);

/* The label and the random numbers of the next run. */
void gst_ae_encoder_set_label(GstAeEncoder *encoder, int label);
void gst_ae_encoder_set_seed(GstAeEncoder *encoder, guint64 seed);

/* Encodes a frame of the format and size of `info`. Cannot fail and allocates
 * nothing. */
void gst_ae_encoder_run(GstAeEncoder *encoder, const GstVideoFrame *frame);

/* Tensor @i of the last run, as ONNX stores it (c, h, w). */
void gst_ae_encoder_read(const GstAeEncoder *encoder, int i, float *target);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeEncoder, gst_ae_encoder_free)

G_END_DECLS
