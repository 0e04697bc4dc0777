/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images to codes and back, many at a time, through the halves of one model.
 * The code is the mean of a variational model, so that nothing is drawn at
 * random. */
#pragma once

#include "ae.h"
#include "data/png.h"

typedef struct {
    AeModel *model;
    int classes; /* of labels; 0: the model takes none */
} Codec;

/* Errors: those of loading, of ae_metadata_read() and ae_metadata_value(). */
Codec *codec_load(const char *name, GError **error);
void codec_free(Codec *codec);

/* The shape of one code. Errors: AE_ERROR_SHAPE where the model leaves it open.
 */
gboolean codec_shape(const Codec *codec, AeShape *shape, GError **error);

/* Codes of images @first to @first + @count - 1, and images of codes, whose
 * samples are 0 to 1. Conditional models need @labels, one a code; others
 * ignore them. The memory of images and codes is as in all tensors: channels
 * innermost. */
AeTensor *codec_encode(const Codec *codec, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels, GError **error);
AeTensor *codec_decode(const Codec *codec, const AeTensor *codes,
                       const uint8_t *labels, GError **error);

/* The images of codes as bytes. Errors: AE_ERROR_SHAPE if the model's images
 * have not 1 or 3 channels. */
AeIdx *codec_decode_bytes(const Codec *codec, const AeTensor *codes,
                          const uint8_t *labels, GError **error);

/* Image @i of a file of images, whose pixels are borrowed and only read. */
AeImage codec_image_of(const AeIdx *images, int64_t i);

/* The labels of an idx file, one for each of @count images; NULL with no error
 * for a @path of NULL. Errors: AE_ERROR_SHAPE. */
AeIdx *codec_load_labels(const char *path, int64_t count, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Codec, codec_free)
