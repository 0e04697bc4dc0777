/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-codec.h"

#include <math.h>
#include <string.h>

#include "tools/ae-tool.h"

enum { BATCH = 256 };

static void check_labels(const Codec *codec, const uint8_t *labels,
                         int64_t count)
{
    tool_require(codec->classes == 0 || labels != NULL,
                 "the model is conditional: it needs labels");
    for (int64_t i = 0; codec->classes > 0 && i < count; i++)
        tool_require(labels[i] < codec->classes,
                     "label %d is not one of the model's %d classes, which "
                     "begin with 0",
                     labels[i], codec->classes);
}

Codec *codec_load(const char *name)
{
    Codec *codec = g_new0(Codec, 1);
    AeMetadata metadata;

    codec->model = tool_load_model(name);
    if (!ae_metadata_read(codec->model, &metadata, &tool_error) ||
        ae_metadata_value(codec->model, AE_NAME_LATENT, &tool_error) == NULL)
        g_prefix_error(&tool_error, "%s: ", name);
    tool_check(tool_error == NULL);
    codec->classes = metadata.classes;
    return codec;
}

void codec_free(Codec *codec)
{
    if (codec == NULL)
        return;
    ae_model_unref(codec->model);
    g_free(codec);
}

AeShape codec_shape(const Codec *codec)
{
    g_autoptr(AeCodec) decoder = tool_need(
        ae_decoder_new(codec->model, &(AeCodecOptions){0}, &tool_error));

    return ae_codec_code(decoder, 0, 0).shape;
}

/* Room for @count tensors like @one. */
static AeTensor *new_rows(const AeTensor *one, int64_t count)
{
    AeShape shape = one->shape;

    shape.dim[0] = count;
    return tool_new_tensor(&shape);
}

static AePicture picture_of(const AeIdx *images, int64_t i)
{
    const AeImage image = ae_idx_image(images, i);

    return ae_picture_of_bytes(image.pixels, image.width, image.height,
                               image.channels);
}

AeTensor *codec_encode(const Codec *codec, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels)
{
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count)};

    tool_require(images->rank > 1, "images were expected, and labels found");
    check_labels(codec, labels, count);
    AePicture picture = picture_of(images, 0);
    g_autoptr(AeCodec) encoder = tool_need(
        ae_encoder_new(codec->model, &picture.format, &options, &tool_error));
    const AeTensor code = ae_codec_code(encoder, 0, 0);
    const int64_t size = ae_shape_elements(&code.shape);
    AeTensor *codes = new_rows(&code, count);

    for (int64_t i = 0; i < count; i += ae_codec_batch(encoder)) {
        int64_t n = MIN(ae_codec_batch(encoder), count - i);

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
                       const uint8_t *labels)
{
    const int64_t count = codes->shape.dim[0];
    AeShape shape = codes->shape;
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count),
                                    .code = &shape};

    shape.dim[0] = 1;
    check_labels(codec, labels, count);
    g_autoptr(AeCodec) decoder =
        tool_need(ae_decoder_new(codec->model, &options, &tool_error));
    const AeTensor image = ae_codec_image(decoder, 0);
    const AeRange range = ae_codec_range(decoder);
    const int64_t size = ae_shape_elements(&image.shape);
    const int64_t values = ae_shape_elements(&shape);
    AeTensor *images = new_rows(&image, count);

    for (int64_t i = 0; i < count; i += ae_codec_batch(decoder)) {
        int64_t n = MIN(ae_codec_batch(decoder), count - i);

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
                          const uint8_t *labels)
{
    g_autoptr(AeTensor) images = codec_decode(codec, codes, labels);
    const int64_t *dim = images->shape.dim;
    const int64_t n = ae_shape_elements(&images->shape);
    AeIdx *idx = g_new0(AeIdx, 1);
    uint8_t *bytes;

    tool_require(images->shape.rank == 4 && (dim[1] == 1 || dim[1] == 3),
                 "the model's output is no image of 1 or 3 channels");
    bytes = g_malloc(n);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)lrintf(CLAMP(images->data[i], 0, 1) * 255);
    *idx = (AeIdx){.rank = dim[1] == 1 ? 3 : 4,
                   .dim = {dim[0], dim[2], dim[3], dim[1]},
                   .data = bytes,
                   .bytes = g_bytes_new_take(bytes, (gsize)n)};
    return idx;
}

GOptionEntry codec_labels_option(char **path)
{
    return (GOptionEntry){
        "labels",    0,
        0,           G_OPTION_ARG_FILENAME,
        path,        "Labels of the images, for a conditional model",
        "LABELS.idx"};
}

uint8_t *codec_load_labels(const char *path, int64_t count)
{
    g_autoptr(AeIdx) labels = path != NULL ? tool_load_idx(path) : NULL;

    if (labels == NULL)
        return NULL;
    tool_require(labels->rank == 1 && labels->dim[0] == count,
                 "%s: %" G_GINT64_FORMAT " labels were expected", path, count);
    return g_memdup2(labels->data, (gsize)count);
}
