/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-codec.h"

#include <math.h>
#include <string.h>

#include "tools/ae-tool.h"

enum { BATCH = 256 };

static gboolean check_labels(const Codec *codec, const uint8_t *labels,
                             int64_t count, GError **error)
{
    if (codec->classes > 0 && labels == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the model is conditional: it needs labels");
        return FALSE;
    }
    for (int64_t i = 0; codec->classes > 0 && i < count; i++)
        if (labels[i] >= codec->classes) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "label %d is not one of the model's %d classes, which "
                        "begin with 0",
                        labels[i], codec->classes);
            return FALSE;
        }
    return TRUE;
}

Codec *codec_load(const char *name, GError **error)
{
    g_autoptr(Codec) codec = g_new0(Codec, 1);
    AeMetadata metadata;

    codec->model = tool_load_model(name, error);
    if (codec->model == NULL)
        return NULL;
    if (!ae_metadata_read(codec->model, &metadata, error) ||
        ae_metadata_value(codec->model, AE_NAME_LATENT, error) == NULL) {
        g_prefix_error(error, "%s: ", name);
        return NULL;
    }
    codec->classes = metadata.classes;
    return g_steal_pointer(&codec);
}

void codec_free(Codec *codec)
{
    if (codec == NULL)
        return;
    g_clear_pointer(&codec->model, ae_model_unref);
    g_free(codec);
}

gboolean codec_shape(const Codec *codec, AeShape *shape, GError **error)
{
    g_autoptr(AeCodec) decoder =
        ae_decoder_new(codec->model, &(AeCodecOptions){0}, error);

    if (decoder != NULL)
        *shape = ae_codec_code(decoder, 0, 0).shape;
    return decoder != NULL;
}

/* Room for @count tensors like @one. */
static AeTensor *new_rows(const AeTensor *one, int64_t count, GError **error)
{
    AeShape shape = one->shape;

    shape.dim[0] = count;
    return ae_tensor_new(&shape, error);
}

static AePicture picture_of(const AeIdx *images, int64_t i)
{
    const AeImage image = codec_image_of(images, i);

    return ae_picture_of_bytes(image.pixels, image.width, image.height,
                               image.channels);
}

AeTensor *codec_encode(const Codec *codec, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels, GError **error)
{
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count)};
    g_autoptr(AeCodec) encoder = NULL;
    AePicture picture;
    AeTensor *codes, code;

    if (images->rank == 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "images were expected, and labels found");
        return NULL;
    }
    picture = picture_of(images, 0);
    if (check_labels(codec, labels, count, error))
        encoder =
            ae_encoder_new(codec->model, &picture.format, &options, error);
    if (encoder == NULL)
        return NULL;
    code = ae_codec_code(encoder, 0, 0);
    codes = new_rows(&code, count, error);
    for (int64_t i = 0; codes != NULL && i < count;
         i += ae_codec_batch(encoder)) {
        int64_t n = MIN(ae_codec_batch(encoder), count - i);
        int64_t size = ae_shape_elements(&code.shape);

        for (int k = 0; k < n; k++) {
            picture = picture_of(images, first + i + k);
            ae_codec_set_picture(encoder, k, &picture);
            if (codec->classes > 0)
                ae_codec_set_label(encoder, k, labels[i + k]);
        }
        ae_codec_run(encoder);
        memcpy(codes->data + i * size, code.data,
               (gsize)(n * size) * sizeof(float));
    }
    return codes;
}

AeTensor *codec_decode(const Codec *codec, const AeTensor *codes,
                       const uint8_t *labels, GError **error)
{
    const int64_t count = codes->shape.dim[0];
    AeShape shape = codes->shape;
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count),
                                    .code = &shape};
    g_autoptr(AeCodec) decoder = NULL;
    AeTensor *images, image;
    AeRange range;

    shape.dim[0] = 1;
    if (check_labels(codec, labels, count, error))
        decoder = ae_decoder_new(codec->model, &options, error);
    if (decoder == NULL)
        return NULL;
    image = ae_codec_image(decoder, 0);
    range = ae_codec_range(decoder);
    images = new_rows(&image, count, error);
    for (int64_t i = 0; images != NULL && i < count;
         i += ae_codec_batch(decoder)) {
        int64_t n = MIN(ae_codec_batch(decoder), count - i);
        int64_t size = ae_shape_elements(&image.shape);
        int64_t values = ae_shape_elements(&shape);

        memcpy(ae_codec_code(decoder, 0, 0).data, codes->data + i * values,
               (gsize)(n * values) * sizeof(float));
        for (int k = 0; codec->classes > 0 && k < n; k++)
            ae_codec_set_label(decoder, k, labels[i + k]);
        ae_codec_run(decoder);
        for (int64_t k = 0; k < n * size; k++)
            images->data[i * size + k] =
                (image.data[k] - range.low) / range.span;
    }
    return images;
}

AeIdx *codec_decode_bytes(const Codec *codec, const AeTensor *codes,
                          const uint8_t *labels, GError **error)
{
    g_autoptr(AeTensor) images = codec_decode(codec, codes, labels, error);
    int64_t n;
    uint8_t *bytes;
    AeIdx *idx;

    if (images == NULL)
        return NULL;
    const int64_t *dim = images->shape.dim;
    if (images->shape.rank != 4 || (dim[1] != 1 && dim[1] != 3)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model's output is no image of 1 or 3 channels");
        return NULL;
    }
    n = ae_shape_elements(&images->shape);
    bytes = g_malloc(n);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)lrintf(CLAMP(images->data[i], 0, 1) * 255);
    idx = g_new0(AeIdx, 1);
    *idx = (AeIdx){.rank = dim[1] == 1 ? 3 : 4,
                   .dim = {dim[0], dim[2], dim[3], dim[1]},
                   .data = bytes,
                   .bytes = g_bytes_new_take(bytes, (gsize)n)};
    return idx;
}

AeImage codec_image_of(const AeIdx *images, int64_t i)
{
    const size_t at = (size_t)i * ae_idx_item_size(images);

    return (AeImage){(int)images->dim[2], (int)images->dim[1],
                     images->rank == 4 ? (int)images->dim[3] : 1,
                     (uint8_t *)images->data + at};
}

AeIdx *codec_load_labels(const char *path, int64_t count, GError **error)
{
    g_autoptr(AeIdx) labels = NULL;

    if (path == NULL)
        return NULL;
    labels = ae_idx_load(path, error);
    if (labels == NULL || (labels->rank == 1 && labels->dim[0] == count))
        return g_steal_pointer(&labels);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "%s: %" G_GINT64_FORMAT " labels were expected", path, count);
    return NULL;
}
