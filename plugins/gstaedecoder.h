/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decoder half of a model, made ready to turn codes into images.
 *
 * The model's metadata name the code: any value of the tape (or an input, in a
 * file that holds a decoder alone), from which its first output follows, images
 * of 1 or 3 channels. A conditional model also takes a label an image.
 *
 *     decoder = gst_ae_decoder_new(model, NULL, 1, threads, precision, &error);
 *     gst_ae_decoder_set_code(decoder, 0, code);
 *     gst_ae_decoder_run(decoder);
 *     gst_ae_decoder_clear(&frame);
 *     gst_ae_decoder_write(decoder, 0, &frame, 0, 0);
 */
#pragma once

#include <gst/video/video.h>

#include "gstaemodel.h"

G_BEGIN_DECLS

typedef struct GstAeDecoder GstAeDecoder;

/* @model must outlive the decoder. @code: the shape of the codes, whose first
 * axis is not looked at; NULL: as the file declares or its encoder makes them.
 * @batch: codes to decode at once; a file that fixes the number has its way.
 * @threads: 0, one a processor. Errors, all naming the model: AE_ERROR_SHAPE
 * (no code, no decoder, not images, another shape of codes), AE_ERROR_FORMAT
 * (metadata), those of ae_plan_new(). */
GstAeDecoder *gst_ae_decoder_new(const GstAeModel *model, const AeShape *code,
                                 int batch, int threads, AePrecision precision,
                                 GError **error);
void gst_ae_decoder_free(GstAeDecoder *decoder);

/* Facts. The codes' shape has @batch as its first axis; the size is the number
 * of floats of one code; 0 classes: the model is not conditional. */
const AeShape *gst_ae_decoder_shape(const GstAeDecoder *decoder);
int gst_ae_decoder_batch(const GstAeDecoder *decoder);
int gst_ae_decoder_size(const GstAeDecoder *decoder);
int gst_ae_decoder_classes(const GstAeDecoder *decoder);
int gst_ae_decoder_channels(const GstAeDecoder *decoder);
int gst_ae_decoder_width(const GstAeDecoder *decoder);
int gst_ae_decoder_height(const GstAeDecoder *decoder);

/* What frames can hold the images: formats (gray images: all of gstaepixels.h,
 * GRAY8 first; others RGB), and the size of @columns x @rows images. */
GstCaps *gst_ae_decoder_caps(const GstAeDecoder *decoder, int columns,
                             int rows);

/* Code @i < batch of the next run, as ONNX would store it (c, h, w); and its
 * label, 0 .. classes - 1, in a conditional model. Both stay until they are
 * set again. */
void gst_ae_decoder_set_code(GstAeDecoder *decoder, int i, const float *code);
void gst_ae_decoder_set_label(GstAeDecoder *decoder, int i, int label);

/* Decodes the whole batch. Cannot fail and allocates nothing. */
void gst_ae_decoder_run(GstAeDecoder *decoder);

/* Image @i into @frame with its upper left pixel at (@x, @y), as far as the
 * frame goes. Gray images become luma, or R, G and B. */
void gst_ae_decoder_write(const GstAeDecoder *decoder, int i,
                          GstVideoFrame *frame, int x, int y);

/* All of the frame that no image writes: neutral chroma, opaque alpha. */
void gst_ae_decoder_clear(GstVideoFrame *frame);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeDecoder, gst_ae_decoder_free)

G_END_DECLS
