/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-codec.h"

#include <math.h>
#include <string.h>

#include "tools/ae-tool.h"

enum { BATCH = 256 };

AeModel *codec_load(const char *name)
{
    AeModel *model = tool_load_model(name);
    AeMetadata metadata;

    if (!ae_metadata_read(model, &metadata, &tool_error) ||
        ae_metadata_value(model, AE_NAME_LATENT, &tool_error) == NULL)
        g_prefix_error(&tool_error, "%s: ", name);
    tool_check(tool_error == NULL);
    return model;
}

int codec_classes(const AeModel *model)
{
    AeMetadata metadata;

    tool_check(ae_metadata_read(model, &metadata, &tool_error));
    return metadata.classes;
}

/* TRUE if the model is conditional. @labels must then have its labels. */
static gboolean check_labels(const AeModel *model, const uint8_t *labels,
                             int64_t count)
{
    const int classes = codec_classes(model);

    tool_require(classes == 0 || labels != NULL,
                 "the model is conditional: it needs labels");
    for (int64_t i = 0; classes > 0 && i < count; i++)
        tool_require(labels[i] < classes,
                     "label %d is not one of the model's %d classes, which "
                     "begin with 0",
                     labels[i], classes);
    return classes > 0;
}

AeShape codec_shape(AeModel *model)
{
    g_autoptr(AeCodec) decoder =
        tool_need(ae_decoder_new(model, &(AeCodecOptions){0}, &tool_error));

    return ae_codec_code(decoder, 0, 0).shape;
}

AeTensor *codec_encode(AeModel *model, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels)
{
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count)};

    tool_require(images->rank > 1, "images were expected, and labels found");
    const gboolean conditional = check_labels(model, labels, count);
    AePicture picture = tool_picture_of(ae_idx_image(images, 0));
    g_autoptr(AeCodec) encoder = tool_need(
        ae_encoder_new(model, &picture.format, &options, &tool_error));
    const AeTensor code = ae_codec_code(encoder, 0, 0);
    const int64_t size = ae_shape_elements(&code.shape);
    AeTensor *codes = tool_new_rows(code.shape, count);

    for (int64_t i = 0; i < count; i += ae_codec_batch(encoder)) {
        int64_t n = MIN(ae_codec_batch(encoder), count - i);

        for (int k = 0; k < n; k++) {
            picture = tool_picture_of(ae_idx_image(images, first + i + k));
            ae_codec_set_picture(encoder, k, &picture);
            if (conditional)
                ae_codec_set_label(encoder, k, labels[i + k]);
        }
        ae_codec_run(encoder);
        memcpy(codes->data + i * size, code.data,
               (gsize)(n * size) * sizeof(float));
    }
    return codes;
}

AeTensor *codec_decode(AeModel *model, const AeTensor *codes,
                       const uint8_t *labels)
{
    const int64_t count = codes->shape.dim[0];
    AeShape shape = codes->shape;
    const AeCodecOptions options = {.batch = (int)MIN(BATCH, count),
                                    .code = &shape};

    shape.dim[0] = 1;
    const gboolean conditional = check_labels(model, labels, count);
    g_autoptr(AeCodec) decoder =
        tool_need(ae_decoder_new(model, &options, &tool_error));
    const AeTensor image = ae_codec_image(decoder, 0);
    const AeRange range = ae_codec_range(decoder);
    const int64_t size = ae_shape_elements(&image.shape);
    const int64_t values = ae_shape_elements(&shape);
    AeTensor *images = tool_new_rows(image.shape, count);

    for (int64_t i = 0; i < count; i += ae_codec_batch(decoder)) {
        int64_t n = MIN(ae_codec_batch(decoder), count - i);

        memcpy(ae_codec_code(decoder, 0, 0).data, codes->data + i * values,
               (gsize)(n * values) * sizeof(float));
        for (int k = 0; conditional && k < n; k++)
            ae_codec_set_label(decoder, k, labels[i + k]);
        ae_codec_run(decoder);
        for (int64_t k = 0; k < n * size; k++)
            images->data[i * size + k] =
                (image.data[k] - range.low) / range.span;
    }
    return images;
}

AeIdx *codec_decode_bytes(AeModel *model, const AeTensor *codes,
                          const uint8_t *labels)
{
    g_autoptr(AeTensor) images = codec_decode(model, codes, labels);
    const int64_t *dim = images->shape.dim;
    const int64_t n = ae_shape_elements(&images->shape);
    AeIdx *idx = g_new0(AeIdx, 1);
    uint8_t *bytes;

    tool_require(images->shape.rank == 4 && (dim[1] == 1 || dim[1] == 3),
                 "the model's output is no image of 1 or 3 channels");
    bytes = tool_alloc(n, 1);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)lrintf(CLAMP(images->data[i], 0, 1) * 255);
    *idx = (AeIdx){.rank = dim[1] == 1 ? 3 : 4,
                   .dim = {dim[0], dim[2], dim[3], dim[1]},
                   .data = bytes,
                   .bytes = ae_bytes(bytes, (gsize)n)};
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
    uint8_t *copy;

    if (labels == NULL)
        return NULL;
    tool_require(labels->rank == 1 && labels->dim[0] == count,
                 "%s: %" G_GINT64_FORMAT " labels were expected", path, count);
    copy = tool_alloc(count, 1);
    memcpy(copy, labels->data, (gsize)count);
    return copy;
}
