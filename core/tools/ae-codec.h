/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images to codes and back, many at a time, through the halves of one model.
 * The code is the mean of a variational model, so that nothing is drawn at
 * random. */
#pragma once

#include "ae.h"
#include "data/png.h"

/* A model with a latent. Ends the program, as all functions here, where it
 * cannot do its work. */
AeModel *codec_load(const char *name);

/* Of a conditional model's labels; 0: the model takes none. */
int codec_classes(const AeModel *model);

/* The shape of one code, which the model must not leave open. */
AeShape codec_shape(AeModel *model);

/* Codes of images @first to @first + @count - 1, and images of codes, whose
 * samples are 0 to 1. Conditional models need @labels, one a code; others
 * ignore them. The memory of images and codes is as in all tensors: channels
 * innermost. */
AeTensor *codec_encode(AeModel *model, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels);
AeTensor *codec_decode(AeModel *model, const AeTensor *codes,
                       const uint8_t *labels);

/* The images of codes as bytes, of 1 or 3 channels. */
AeIdx *codec_decode_bytes(AeModel *model, const AeTensor *codes,
                          const uint8_t *labels);

/* The option --labels, which leaves in @path what codec_load_labels() reads: an
 * idx file with one label for each of @count images. Free the labels with
 * ae_free(); they are NULL for a @path of NULL. */
GOptionEntry codec_labels_option(char **path);
uint8_t *codec_load_labels(const char *path, int64_t count);
