/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Codes and labels into a plan of the decoder half, images out of it. */
#include "gstaedecoder.h"

#include "gstaelabel.h"
#include "gstaepixels.h"

struct GstAeDecoder {
    AePool *pool;
    AePlan *plan; /* inputs: codes, labels if conditional; output: images */
    AeRange range;
    AeShape code; /* of one: the first axis is 1 */
    int batch, size, classes;
    int channels, width, height;
};

static gboolean is_complete(const AeShape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN)
            return FALSE;
    return TRUE;
}

/* What the model's own encoder makes of one image; FALSE if the size of images
 * is open, or there is no encoder. */
static gboolean encode_shape(const GstAeModel *model, const AeValue *code,
                             AeShape *shape)
{
    const AeModel *m = model->model;
    g_autofree AeShape *shapes = g_new0(AeShape, m->inputs->len + 1);
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)m->inputs->len,
                             .outputs = (const char *[]){code->name},
                             .n_outputs = 1};
    g_autoptr(AePlan) plan = NULL;

    for (guint i = 0; i < m->inputs->len; i++) {
        shapes[i] = ae_model_value(m, ae_model_input(m, (int)i))->shape;
        if (shapes[i].rank > 0 && shapes[i].dim[0] == AE_UNKNOWN)
            shapes[i].dim[0] = 1;
        if (!is_complete(&shapes[i]))
            return FALSE;
    }
    plan = ae_plan_new(model->model, &options, NULL);
    if (plan != NULL)
        *shape = *ae_plan_output_shape(plan, 0);
    return plan != NULL;
}

/* The shape of a single code; @given may be NULL. */
static gboolean find_shape(const GstAeModel *model, const AeValue *code,
                           const AeShape *given, AeShape *shape, GError **error)
{
    gboolean found = given != NULL;

    *shape = found ? *given : code->shape;
    if (!found && code->has_shape && shape->rank > 0) {
        shape->dim[0] = 1;
        found = is_complete(shape);
    }
    if (!found)
        found = encode_shape(model, code, shape);
    if (found && shape->rank >= 2) {
        shape->dim[0] = 1;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' leaves the shape of its code '%s' open, where "
                "fixed sizes were expected",
                model->label, code->name);
    return FALSE;
}

/* How many codes the file lets through at once. */
static int choose_batch(const GstAeModel *model, const AeValue *code,
                        int wanted)
{
    const AeModel *m = model->model;
    const AeValue *value = code;

    if (!code->has_shape && m->inputs->len > 0)
        value = ae_model_value(m, ae_model_input(m, 0));
    if (!value->has_shape || value->shape.rank == 0 || value->shape.dim[0] <= 0)
        return wanted;
    return (int)MIN(value->shape.dim[0], G_MAXINT16);
}

/* The plan, for codes of decoder->code. */
static AePlan *plan_decoder(const GstAeModel *model, const AeValue *code,
                            const GstAeDecoder *decoder, AePrecision precision,
                            GError **error)
{
    const AeValue *out =
        ae_model_value(model->model, ae_model_output(model->model, 0));
    const char *inputs[] = {code->name, model->metadata.names[AE_NAME_LABEL]};
    AeShape shapes[] = {decoder->code,
                        ae_shape(2, decoder->batch, decoder->classes)};
    AePlanOptions options = {.inputs = inputs,
                             .shapes = shapes,
                             .n_inputs = decoder->classes > 0 ? 2 : 1,
                             .outputs = (const char *[]){out->name},
                             .n_outputs = 1,
                             .pool = decoder->pool,
                             .precision = precision};
    AePlan *plan;

    shapes[0].dim[0] = decoder->batch;
    plan = ae_plan_new(model->model, &options, error);
    if (plan == NULL)
        g_prefix_error(error, "model '%s' cannot decode from '%s' to '%s': ",
                       model->label, code->name, out->name);
    return plan;
}

/* Takes over the facts of an output that is @batch images. */
static gboolean accept_images(const GstAeModel *model, GstAeDecoder *decoder,
                              GError **error)
{
    const AeShape *shape = ae_plan_output_shape(decoder->plan, 0);
    g_autofree char *text = NULL;

    if (shape->rank == 4 && shape->dim[0] == decoder->batch &&
        (shape->dim[1] == 1 || shape->dim[1] == 3) && shape->dim[2] > 0 &&
        shape->dim[2] <= G_MAXINT16 && shape->dim[3] > 0 &&
        shape->dim[3] <= G_MAXINT16) {
        decoder->channels = (int)shape->dim[1];
        decoder->height = (int)shape->dim[2];
        decoder->width = (int)shape->dim[3];
        return TRUE;
    }
    text = ae_shape_to_string(shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' turns %d codes into %s, where images of 1 or 3 "
                "channels (%dx1x?x? or %dx3x?x?) were expected",
                model->label, decoder->batch, text, decoder->batch,
                decoder->batch);
    return FALSE;
}

static gboolean has_decoder(const GstAeModel *model, const AeValue *code,
                            GError **error)
{
    const AeModel *m = model->model;

    if (m->outputs->len > 0 && ae_model_value(m, ae_model_output(m, 0)) != code)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' ends with its code '%s': it is an encoder, where "
                "a decoder was expected",
                model->label, code->name);
    return FALSE;
}

GstAeDecoder *gst_ae_decoder_new(const GstAeModel *model, const AeShape *code,
                                 int batch, int threads, AePrecision precision,
                                 GError **error)
{
    g_autoptr(GstAeDecoder) decoder = g_new0(GstAeDecoder, 1);
    const AeValue *value = gst_ae_model_value(model, AE_NAME_LATENT, error);

    if (value == NULL || !has_decoder(model, value, error) ||
        !find_shape(model, value, code, &decoder->code, error))
        return NULL;
    decoder->range = model->metadata.range;
    decoder->classes = model->metadata.classes;
    decoder->batch = choose_batch(model, value, batch);
    decoder->pool = ae_pool_new(threads);
    decoder->plan = plan_decoder(model, value, decoder, precision, error);
    if (decoder->plan == NULL || !accept_images(model, decoder, error))
        return NULL;
    decoder->size = (int)ae_shape_elements(&decoder->code);
    return g_steal_pointer(&decoder);
}

void gst_ae_decoder_free(GstAeDecoder *decoder)
{
    if (decoder == NULL)
        return;
    ae_plan_free(decoder->plan);
    if (decoder->pool != NULL)
        ae_pool_free(decoder->pool);
    g_free(decoder);
}

const AeShape *gst_ae_decoder_shape(const GstAeDecoder *decoder)
{
    return ae_plan_input_shape(decoder->plan, 0);
}

int gst_ae_decoder_batch(const GstAeDecoder *decoder)
{
    return decoder->batch;
}

int gst_ae_decoder_size(const GstAeDecoder *decoder)
{
    return decoder->size;
}

int gst_ae_decoder_classes(const GstAeDecoder *decoder)
{
    return decoder->classes;
}

int gst_ae_decoder_channels(const GstAeDecoder *decoder)
{
    return decoder->channels;
}

int gst_ae_decoder_width(const GstAeDecoder *decoder)
{
    return decoder->width;
}

int gst_ae_decoder_height(const GstAeDecoder *decoder)
{
    return decoder->height;
}

GstCaps *gst_ae_decoder_caps(const GstAeDecoder *decoder, int columns, int rows)
{
    GstCaps *caps = gst_caps_from_string(
        decoder->channels == 1
            ? GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                  ", " GST_AE_YUV_FORMATS " }")
            : GST_VIDEO_CAPS_MAKE("{ " GST_AE_RGB_FORMATS " }"));

    gst_caps_set_simple(caps, "width", G_TYPE_INT, columns * decoder->width,
                        "height", G_TYPE_INT, rows * decoder->height, NULL);
    return caps;
}

void gst_ae_decoder_set_code(GstAeDecoder *decoder, int i, const float *code)
{
    AeTensor tensor = {.shape = decoder->code,
                       .data = ae_plan_input(decoder->plan, 0) +
                               (gsize)i * (gsize)decoder->size};

    ae_tensor_from_row_major(&tensor, code);
}

void gst_ae_decoder_set_label(GstAeDecoder *decoder, int i, int label)
{
    gst_ae_label_one_hot(ae_plan_input(decoder->plan, 1) +
                             (gsize)i * decoder->classes,
                         decoder->classes, label);
}

void gst_ae_decoder_run(GstAeDecoder *decoder)
{
    ae_plan_run(decoder->plan);
}

void gst_ae_decoder_write(const GstAeDecoder *decoder, int i,
                          GstVideoFrame *frame, int x, int y)
{
    int channels = decoder->channels;
    int components = GST_VIDEO_INFO_IS_RGB(&frame->info) ? 3 : 1;
    int width = MIN(decoder->width, GST_VIDEO_FRAME_WIDTH(frame) - x);
    int height = MIN(decoder->height, GST_VIDEO_FRAME_HEIGHT(frame) - y);
    const float *image = ae_plan_output(decoder->plan, 0) +
                         (gsize)i * channels * decoder->height * decoder->width;

    for (int row = 0; row < height; row++)
        for (int c = 0; c < components; c++)
            gst_ae_pixels_write(frame, c, x, y + row, width, &decoder->range,
                                image + (gsize)row * decoder->width * channels +
                                    c % channels,
                                channels);
}

static void fill(GstVideoFrame *frame, int component, uint8_t value)
{
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);

    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, component); y++) {
        uint8_t *row = GST_VIDEO_FRAME_COMP_DATA(frame, component) +
                       (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, component);

        for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(frame, component); x++)
            row[(gsize)x * step] = value;
    }
}

/* The fourth byte of RGBx and its like. */
static void fill_padding(GstVideoFrame *frame)
{
    for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); y++)
        memset((uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) +
                   (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
               255, 4 * (gsize)GST_VIDEO_FRAME_WIDTH(frame));
}

void gst_ae_decoder_clear(GstVideoFrame *frame)
{
    if (GST_VIDEO_INFO_HAS_ALPHA(&frame->info))
        fill(frame, GST_VIDEO_COMP_A, 255);
    else if (gst_ae_pixels_have_rest(&frame->info))
        fill_padding(frame);
    for (int c = 1; c < 3 && GST_VIDEO_INFO_IS_YUV(&frame->info); c++)
        fill(frame, c, 128);
}
