/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts a model into its halves, and plans one of them for batches of pictures.
 */
#include "codec/codec.h"

#include "base/error.h"
#include "base/processors.h"
#include "base/random.h"
#include "plan/training.h"
#include "video/plane.h"

struct AeCodec {
    gboolean encodes;
    AeMetadata metadata;
    AePool *pool;
    AePlan *plan; /* inputs: images or codes, labels; outputs: the others */
    int batch, n_codes;
    AeShape image, code[AE_CODEC_CODES]; /* of one: the first axis is 1 */
};

/* One reading: the rows are the tasks. */
typedef struct {
    AeCodec *codec;
    const AePicture *picture;
    float *target;
} Reading;

static gboolean is_image(const AeShape *shape)
{
    return shape->rank == 4 && (shape->dim[1] == 1 || shape->dim[1] == 3) &&
           shape->dim[2] <= G_MAXINT16 && shape->dim[3] <= G_MAXINT16;
}

static gboolean is_complete(const AeShape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN)
            return FALSE;
    return TRUE;
}

static AeCodec *codec_new(const AeModel *model, const AeCodecOptions *options,
                          GError **error)
{
    AeCodec *codec = g_new0(AeCodec, 1);

    if (!ae_metadata_read(model, &codec->metadata, error)) {
        g_free(codec);
        return NULL;
    }
    codec->batch = MAX(options->batch, 1);
    codec->pool = ae_pool_new(ae_threads((unsigned)options->threads));
    return codec;
}

/* From the value @in of @shape, but for the batch, and the labels to @out. */
static AePlan *plan_half(const AeCodec *codec, AeModel *model, const char *in,
                         const AeShape *shape, const char *const *out,
                         int n_out, AePrecision precision, GError **error)
{
    const char *inputs[] = {in, codec->metadata.names[AE_NAME_LABEL]};
    AeShape shapes[] = {*shape,
                        ae_shape(2, codec->batch, codec->metadata.classes)};
    AePlanOptions options = {.inputs = inputs,
                             .shapes = shapes,
                             .n_inputs = codec->metadata.classes > 0 ? 2 : 1,
                             .outputs = out,
                             .n_outputs = n_out,
                             .pool = codec->pool,
                             .precision = precision};

    shapes[0].dim[0] = codec->batch;
    return ae_plan_new(model, &options, error);
}

/* The input that is not the label; NULL unless there is exactly one. */
static const AeValue *image_input(const AeModel *model)
{
    const AeValue *label = ae_metadata_value(model, AE_NAME_LABEL, NULL);
    const AeValue *image = NULL;

    for (guint i = 0; i < model->inputs->len; i++) {
        const AeValue *input =
            ae_model_value(model, ae_model_input(model, (int)i));

        if (input == label)
            continue;
        if (image != NULL)
            return NULL;
        image = input;
    }
    return image;
}

gboolean ae_encoder_image(const AeModel *model, AeShape *image, GError **error)
{
    const AeValue *input = image_input(model);
    g_autofree char *text = NULL;

    if (input != NULL &&
        input == ae_metadata_value(model, AE_NAME_LATENT, NULL)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model begins with its code '%s': it is a decoder, "
                    "where an encoder was expected",
                    input->name);
        return FALSE;
    }
    if (input != NULL && input->has_shape && is_image(&input->shape)) {
        *image = input->shape;
        image->dim[0] = 1;
        return TRUE;
    }
    if (input != NULL && input->has_shape)
        text = ae_shape_to_string(&input->shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model takes %s, where one image of 1 or 3 channels "
                "(?x1x?x? or ?x3x?x?) was expected",
                text != NULL ? text : "other inputs");
    return FALSE;
}

static gboolean accept_format(const AeShape *image,
                              const AePictureFormat *format, GError **error)
{
    gboolean colours = image->dim[1] == 3;

    if ((format->colour == AE_COLOUR_RGB) != colours) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model encodes %s, but this is %s: convert it first",
                    colours ? "RGB" : "gray images or luma", format->name);
        return FALSE;
    }
    if ((image->dim[2] == AE_UNKNOWN || image->dim[2] == format->height) &&
        (image->dim[3] == AE_UNKNOWN || image->dim[3] == format->width))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model encodes images of %" G_GINT64_FORMAT
                "x%" G_GINT64_FORMAT ", but this is %dx%d: scale it first",
                MAX(image->dim[3], 0), MAX(image->dim[2], 0), format->width,
                format->height);
    return FALSE;
}

/* Whether the model gives images of this size back. */
static gboolean keeps_size(const AeCodec *codec, AeModel *model,
                           AePrecision precision)
{
    g_autoptr(AePlan) plan = plan_half(codec, model, image_input(model)->name,
                                       &codec->image, NULL, 0, precision, NULL);
    const AeShape *shape = plan != NULL ? ae_plan_output_shape(plan, 0) : NULL;

    return shape != NULL && shape->rank == 4 &&
           shape->dim[2] == codec->image.dim[2] &&
           shape->dim[3] == codec->image.dim[3];
}

static void enlarge(AeShape *image, const AePictureFormat *format, int multiple)
{
    image->dim[2] = ae_round_up(format->height, multiple);
    image->dim[3] = ae_round_up(format->width, multiple);
}

/* Pictures for a model that keeps no size (an encoder alone) stay as they are,
 * or have the multiple that the file names. */
static void choose_size(AeCodec *codec, AeModel *model,
                        const AePictureFormat *format, AePrecision precision)
{
    int multiple;

    if (is_complete(&codec->image))
        return;
    for (int i = 0; (multiple = ae_metadata_multiple(&codec->metadata, i)) != 0;
         i++) {
        enlarge(&codec->image, format, multiple);
        if (keeps_size(codec, model, precision))
            return;
    }
    enlarge(&codec->image, format, ae_metadata_multiple(&codec->metadata, 0));
}

/* The values to deliver; FALSE if one is missing. */
static gboolean find_codes(AeCodec *codec, const AeModel *model,
                           AeEncoding encoding, const char **names,
                           GError **error)
{
    gboolean moments = encoding == AE_ENCODING_MOMENTS;
    gboolean mean = moments || (encoding == AE_ENCODING_MEAN &&
                                codec->metadata.names[AE_NAME_MEAN] != NULL);
    AeMetadataName wanted[] = {mean ? AE_NAME_MEAN : AE_NAME_LATENT,
                               AE_NAME_LOG_VARIANCE};

    codec->n_codes = moments ? 2 : 1;
    for (int i = 0; i < codec->n_codes; i++) {
        const AeValue *value = ae_metadata_value(model, wanted[i], error);

        if (value == NULL)
            return FALSE;
        names[i] = value->name;
    }
    return TRUE;
}

static gboolean plan_encoder(AeCodec *codec, AeModel *model,
                             const AeCodecOptions *options, GError **error)
{
    const char *names[AE_CODEC_CODES];

    if (!find_codes(codec, model, options->encoding, names, error))
        return FALSE;
    codec->plan =
        plan_half(codec, model, image_input(model)->name, &codec->image, names,
                  codec->n_codes, options->precision, error);
    if (codec->plan == NULL) {
        g_prefix_error(error,
                       "the model cannot encode images of %" G_GINT64_FORMAT
                       "x%" G_GINT64_FORMAT ": ",
                       codec->image.dim[3], codec->image.dim[2]);
        return FALSE;
    }
    for (int i = 0; i < codec->n_codes; i++) {
        const AeShape *shape = ae_plan_output_shape(codec->plan, i);
        g_autofree char *text = ae_shape_to_string(shape);

        codec->code[i] = *shape;
        codec->code[i].dim[0] = 1;
        if (shape->rank >= 2 && shape->dim[0] == codec->batch &&
            ae_shape_elements(shape) > 0)
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model turns %d images into '%s' of %s, where a code "
                    "for each image was expected",
                    codec->batch, names[i], text);
        return FALSE;
    }
    return TRUE;
}

AeCodec *ae_encoder_new(AeModel *model, const AePictureFormat *format,
                        const AeCodecOptions *options, GError **error)
{
    g_autoptr(AeCodec) codec = codec_new(model, options, error);
    int64_t batch;

    if (codec == NULL || !ae_picture_check(format, error) ||
        !ae_encoder_image(model, &codec->image, error) ||
        !accept_format(&codec->image, format, error))
        return NULL;
    codec->encodes = TRUE;
    batch = image_input(model)->shape.dim[0];
    if (batch != AE_UNKNOWN)
        codec->batch = (int)CLAMP(batch, 1, G_MAXINT16);
    choose_size(codec, model, format, options->precision);
    return plan_encoder(codec, model, options, error) ? g_steal_pointer(&codec)
                                                      : NULL;
}

/* What the model's own encoder makes of one image; FALSE if the size of images
 * is open, or there is no encoder. */
static gboolean encode_shape(AeModel *model, const AeValue *code,
                             AeShape *shape)
{
    g_autofree AeShape *shapes = g_new0(AeShape, model->inputs->len + 1);
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len,
                             .outputs = (const char *[]){code->name},
                             .n_outputs = 1};
    g_autoptr(AePlan) plan = NULL;

    for (guint i = 0; i < model->inputs->len; i++) {
        shapes[i] = ae_model_value(model, ae_model_input(model, (int)i))->shape;
        if (shapes[i].rank > 0 && shapes[i].dim[0] == AE_UNKNOWN)
            shapes[i].dim[0] = 1;
        if (!is_complete(&shapes[i]))
            return FALSE;
    }
    plan = ae_plan_new(model, &options, NULL);
    if (plan != NULL)
        *shape = *ae_plan_output_shape(plan, 0);
    return plan != NULL;
}

/* As far as the model tells. */
static AeShape declared_code(AeModel *model, const AeValue *code)
{
    AeShape shape = ae_shape(4, 1, AE_UNKNOWN, AE_UNKNOWN, AE_UNKNOWN);

    if (code->has_shape && code->shape.rank >= 2)
        shape = code->shape;
    shape.dim[0] = 1;
    if (!is_complete(&shape) && encode_shape(model, code, &shape))
        shape.dim[0] = 1;
    return shape;
}

/* Fills what is open in @code from @given; FALSE if they contradict. */
static gboolean fit_code(AeShape *code, const AeShape *given)
{
    int extra = given->rank - code->rank;

    for (int i = 0; i <= extra; i++)
        if (given->dim[i] != 1)
            return FALSE;
    for (int i = 1; i < code->rank; i++) {
        int64_t dim = i + extra >= 0 ? given->dim[i + extra] : 1;

        if (code->dim[i] != AE_UNKNOWN && code->dim[i] != dim)
            return FALSE;
        code->dim[i] = dim;
    }
    return TRUE;
}

/* The shape of a single code; @given may be NULL. */
static gboolean find_code(AeModel *model, const AeValue *code,
                          const AeShape *given, AeShape *shape, GError **error)
{
    const AeShape declared = declared_code(model, code);
    g_autofree char *wanted = ae_shape_to_string(&declared);

    *shape = declared;
    if (shape->rank >= 2 &&
        (given == NULL ? is_complete(shape) : fit_code(shape, given)))
        return TRUE;
    if (given != NULL) {
        g_autofree char *found = ae_shape_to_string(given);

        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model decodes codes of %s, but these are %s", wanted,
                    found);
    } else {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model's code '%s' has the shape %s, where a batch of "
                    "codes of a fixed size was expected",
                    code->name, wanted);
    }
    return FALSE;
}

/* How many codes the file lets through at once. */
static int decoder_batch(const AeModel *model, const AeValue *code, int wanted)
{
    const AeValue *value = code;

    if (!code->has_shape && model->inputs->len > 0)
        value = ae_model_value(model, ae_model_input(model, 0));
    if (!value->has_shape || value->shape.rank == 0 || value->shape.dim[0] <= 0)
        return wanted;
    return (int)MIN(value->shape.dim[0], G_MAXINT16);
}

static gboolean plan_decoder(AeCodec *codec, AeModel *model,
                             const AeValue *code, AePrecision precision,
                             GError **error)
{
    const char *out = ae_model_value(model, ae_model_output(model, 0))->name;
    g_autofree char *text = NULL;

    codec->plan = plan_half(codec, model, code->name, &codec->code[0], &out, 1,
                            precision, error);
    if (codec->plan == NULL) {
        g_prefix_error(error, "the model cannot decode from '%s' to '%s': ",
                       code->name, out);
        return FALSE;
    }
    codec->image = *ae_plan_output_shape(codec->plan, 0);
    if (is_image(&codec->image) && codec->image.dim[0] == codec->batch &&
        ae_shape_elements(&codec->image) > 0) {
        codec->image.dim[0] = 1;
        return TRUE;
    }
    text = ae_shape_to_string(&codec->image);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model turns %d codes into %s, where images of 1 or 3 "
                "channels (%dx1x?x? or %dx3x?x?) were expected",
                codec->batch, text, codec->batch, codec->batch);
    return FALSE;
}

AeCodec *ae_decoder_new(AeModel *model, const AeCodecOptions *options,
                        GError **error)
{
    g_autoptr(AeCodec) codec = codec_new(model, options, error);
    const AeValue *code =
        codec != NULL ? ae_metadata_value(model, AE_NAME_LATENT, error) : NULL;

    if (code == NULL)
        return NULL;
    if (model->outputs->len == 0 ||
        ae_model_value(model, ae_model_output(model, 0)) == code) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model ends with its code '%s': it is an encoder, "
                    "where a decoder was expected",
                    code->name);
        return NULL;
    }
    codec->n_codes = 1;
    codec->batch = decoder_batch(model, code, codec->batch);
    if (!find_code(model, code, options->code, &codec->code[0], error) ||
        !plan_decoder(codec, model, code, options->precision, error))
        return NULL;
    return g_steal_pointer(&codec);
}

void ae_codec_free(AeCodec *codec)
{
    if (codec == NULL)
        return;
    ae_plan_free(codec->plan);
    ae_pool_free(codec->pool);
    g_free(codec);
}

int ae_codec_batch(const AeCodec *codec)
{
    return codec->batch;
}

int ae_codec_classes(const AeCodec *codec)
{
    return codec->metadata.classes;
}

AeRange ae_codec_range(const AeCodec *codec)
{
    return codec->metadata.range;
}

int ae_codec_codes(const AeCodec *codec)
{
    return codec->n_codes;
}

AeTensor ae_codec_code(const AeCodec *codec, int i, int k)
{
    const AeShape *shape = &codec->code[k];
    float *all = codec->encodes ? (float *)ae_plan_output(codec->plan, k)
                                : ae_plan_input(codec->plan, 0);

    return (AeTensor){.shape = *shape,
                      .data = all + i * ae_shape_elements(shape)};
}

AeTensor ae_codec_image(const AeCodec *codec, int i)
{
    float *all = codec->encodes ? ae_plan_input(codec->plan, 0)
                                : (float *)ae_plan_output(codec->plan, 0);

    return (AeTensor){.shape = codec->image,
                      .data = all + i * ae_shape_elements(&codec->image)};
}

void ae_codec_set_label(AeCodec *codec, int i, int label)
{
    int classes = codec->metadata.classes;
    float *row = ae_plan_input(codec->plan, 1) + (gsize)i * classes;

    for (int k = 0; k < classes; k++)
        row[k] = k == label;
}

void ae_codec_set_seed(AeCodec *codec, uint64_t seed, uint64_t number)
{
    ae_plan_set_seed(codec->plan, ae_random_mix(seed, number));
}

void ae_codec_run(AeCodec *codec)
{
    ae_plan_run(codec->plan);
}

static void read_row(void *data, int64_t y, int thread G_GNUC_UNUSED)
{
    const Reading *reading = data;
    const AeCodec *codec = reading->codec;
    int channels = (int)codec->image.dim[1], width = (int)codec->image.dim[3];
    float *row = reading->target + y * width * channels;

    for (int c = 0; c < channels; c++)
        ae_plane_read(&reading->picture->plane[c], (int)y, width,
                      codec->metadata.range, row + c, channels);
}

void ae_codec_set_picture(AeCodec *codec, int i, const AePicture *picture)
{
    Reading reading = {codec, picture, ae_codec_image(codec, i).data};

    ae_pool_run(codec->pool, read_row, &reading, codec->image.dim[2]);
}

void ae_codec_get_picture(const AeCodec *codec, int i, const AePicture *picture,
                          int x, int y)
{
    const AeTensor image = ae_codec_image(codec, i);
    int channels = (int)image.shape.dim[1], width = (int)image.shape.dim[3];
    int components = picture->format.colour == AE_COLOUR_RGB ? 3 : 1;
    int rows = MIN((int)image.shape.dim[2], picture->format.height - y);
    int columns = MIN(width, picture->format.width - x);

    for (int row = 0; row < rows; row++)
        for (int c = 0; c < components; c++)
            ae_plane_write(
                &picture->plane[c], x, y + row, columns, codec->metadata.range,
                image.data + (gsize)row * width * channels + c % channels,
                channels);
}

void ae_codec_clear_picture(const AePicture *picture)
{
    const AePictureFormat *format = &picture->format;

    for (int c = 0; c < format->n_planes; c++)
        if (c >= format->n_colours)
            ae_plane_fill(&picture->plane[c], 255);
        else if (c > 0 && format->colour == AE_COLOUR_YUV)
            ae_plane_fill(&picture->plane[c], 128);
}
