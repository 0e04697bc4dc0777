/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Float models to 8 bits: a standard QDQ model (Quantize- and DequantizeLinear
 * around operators of floats), which ONNX Runtime runs as well.
 *
 * Convolutions of images are quantised, all but the last: their inputs to
 * unsigned bytes with one scale, their weights to signed bytes with a scale an
 * output channel, their biases to 32 bits. Other operators stay as they are,
 * and read a value that has been quantised for a convolution in that form. RGB
 * is then no longer to be shown as luma and chroma, which would magnify the
 * steps (its metadata no longer ask for luma and chroma). */
#pragma once

#include "model/model.h"

/* Pictures as @model, of one input, was trained on them: PNG and idx files (of
 * these at most 256 images, evenly spread), cut to a size that the model takes,
 * in the range and with the noise of its metadata. AeTensor, each of one image.
 * Errors: those of the files and of ae_metadata_read(); AE_ERROR_SHAPE,
 * AE_ERROR_VALUE. */
GPtrArray *ae_calibration_load(const AeModel *model, char *const *paths,
                               GError **error);

/* @samples: typical inputs, AeTensor; the ranges of values are taken from them.
 * @progress, or NULL, is called before each run of the model on a sample, and
 * at the end. Errors: AE_ERROR_UNSUPPORTED (nothing that can be quantised; an
 * opset whose operators mean something else in opset 13, which QDQ needs), and
 * what planning says. */
AeModel *ae_quantize(AeModel *model, const GPtrArray *samples,
                     void (*progress)(int64_t done, int64_t all),
                     GError **error);
