/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One half of an autoencoder, made ready to run: the encoder, which turns
 * pictures into codes, or the decoder, which turns codes into pictures.
 *
 * The model's metadata name the code: any value of the model. In a variational
 * model they also name the moments of the normal distribution that the code is
 * drawn from. The encoder is what makes the code of the one input that is no
 * label; the decoder is what makes the first output of the code. Both inputs
 * and outputs are images of 1 or 3 channels. A file may hold one half alone:
 * its last or its first value then is the code.
 *
 *     encoder = ae_encoder_new(model, &picture.format, &options, &error);
 *     ae_codec_set_picture(encoder, 0, &picture);
 *     ae_codec_run(encoder);
 *     code = ae_codec_code(encoder, 0, 0);
 *
 *     decoder = ae_decoder_new(model, &options, &error);
 *     code = ae_codec_code(decoder, 0, 0);
 *     ae_tensor_from_row_major(&code, numbers);
 *     ae_codec_run(decoder);
 *     ae_codec_get_picture(decoder, 0, &picture, 0, 0);
 *
 * Making a codec does all that can fail. A codec belongs to one thread at a
 * time. */
#pragma once

#include "plan/plan.h"
#include "video/picture.h"

G_BEGIN_DECLS

#define AE_CODEC_CODES 2

/**
 * AeEncoding:
 * @AE_ENCODING_MEAN: the most likely code: the mean of a variational model, the
 *   code of any other
 * @AE_ENCODING_SAMPLE: the code; that of a variational model is drawn at random
 * @AE_ENCODING_MOMENTS: two tensors, mean and logarithm of the variance
 */
typedef enum {
    AE_ENCODING_MEAN,
    AE_ENCODING_SAMPLE,
    AE_ENCODING_MOMENTS,
} AeEncoding;

typedef struct {
    int batch;   /* pictures of a run; 0: 1. A file that fixes it prevails */
    int threads; /* most; 0: see ae_threads() */
    AePrecision precision;
    AeEncoding encoding; /* of an encoder */
    /* Of a decoder: the shape of one code, where axes of length 1 at the front
     * are optional; NULL: what the file declares or its encoder makes. */
    const AeShape *code;
} AeCodecOptions;

typedef struct AeCodec AeCodec;

/* The images that the encoder of @model takes, a batch of 1; AE_UNKNOWN is any
 * height or width. Errors: AE_ERROR_SHAPE (no encoder, not one image). */
gboolean ae_encoder_image(const AeModel *model, AeShape *image, GError **error);

/* An encoder of pictures of @format: RGB where the model takes 3 channels, the
 * luma or gray of others where it takes 1. Where the model takes any size,
 * pictures are enlarged by reflection to the first multiple
 * (ae_metadata_multiple()) at which the model, decoder included, keeps their
 * size. Errors: those of ae_encoder_image(), ae_metadata_read(),
 * ae_metadata_value() and ae_plan_new(); AE_ERROR_SHAPE (another size or format
 * of pictures, not a code for each image). */
AeCodec *ae_encoder_new(AeModel *model, const AePictureFormat *format,
                        const AeCodecOptions *options, GError **error);

/* Errors: those of ae_metadata_read(), ae_metadata_value() and ae_plan_new();
 * AE_ERROR_SHAPE (no decoder, not images, codes of another or of an unknown
 * shape). */
AeCodec *ae_decoder_new(AeModel *model, const AeCodecOptions *options,
                        GError **error);

void ae_codec_free(AeCodec *codec);

int ae_codec_batch(const AeCodec *codec);
int ae_codec_classes(const AeCodec *codec); /* 0: it takes no label */
AeRange ae_codec_range(const AeCodec *codec);
int ae_codec_codes(const AeCodec *codec); /* of a picture; 2: moments */

/* Code @k of picture @i of the batch, and the image @i as floats: tensors in
 * the codec's memory, which live as long as the codec. What the codec reads is
 * to be written before each run. */
AeTensor ae_codec_code(const AeCodec *codec, int i, int k);
AeTensor ae_codec_image(const AeCodec *codec, int i);

/* The label of picture @i, 0 .. classes - 1, in a conditional model, for the
 * next run. */
void ae_codec_set_label(AeCodec *codec, int i, int label);

/* The random numbers of the next run depend on @seed and on @number, that of
 * the run. */
void ae_codec_set_seed(AeCodec *codec, uint64_t seed, uint64_t number);

/* Encodes or decodes the whole batch. Cannot fail and allocates nothing. */
void ae_codec_run(AeCodec *codec);

/* Reads picture @i of the batch, of the encoder's format. */
void ae_codec_set_picture(AeCodec *codec, int i, const AePicture *picture);

/* Writes image @i of the batch with its upper left pixel at (@x, @y), as far as
 * the picture goes. Gray images become luma, or R, G and B. */
void ae_codec_get_picture(const AeCodec *codec, int i, const AePicture *picture,
                          int x, int y);

/* Fills what ae_codec_get_picture() leaves out: neutral chroma, opaque alpha.
 */
void ae_codec_clear_picture(const AePicture *picture);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeCodec, ae_codec_free)

G_END_DECLS
