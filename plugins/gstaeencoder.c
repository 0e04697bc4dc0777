/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames and labels into a plan of the encoder half, codes out of it. */
#include "gstaeencoder.h"

#include "gstaelabel.h"
#include "gstaepixels.h"

struct GstAeEncoder {
    AePool *pool;
    AePlan *plan; /* inputs: images, labels if conditional; outputs: tensors */
    AeRange range;
    GstAeTensors tensors; /* the first axis of each is 1 */
    GstAeImage image;     /* enlarged where need be */
    int batch, classes;   /* of the batch only the first image is used */
};

/* One run's reading: the rows are the tasks. */
typedef struct {
    GstAeEncoder *encoder;
    const GstVideoFrame *frame;
} Job;

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

static gboolean is_decoder(const GstAeModel *model, const AeValue *input)
{
    return input != NULL &&
           input == ae_metadata_value(model->model, AE_NAME_LATENT, NULL);
}

gboolean gst_ae_encoder_image(const GstAeModel *model, GstAeImage *image,
                              GError **error)
{
    const AeValue *input = image_input(model->model);
    const AeShape *shape = input != NULL ? &input->shape : NULL;
    g_autofree char *text = NULL;

    if (is_decoder(model, input)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' begins with its code '%s': it is a decoder, "
                    "where an encoder was expected",
                    model->label, input->name);
        return FALSE;
    }
    if (input != NULL && input->has_shape && shape->rank == 4 &&
        (shape->dim[1] == 1 || shape->dim[1] == 3) &&
        shape->dim[2] <= G_MAXINT16 && shape->dim[3] <= G_MAXINT16) {
        image->channels = (int)shape->dim[1];
        image->height = (int)MAX(shape->dim[2], 0);
        image->width = (int)MAX(shape->dim[3], 0);
        return TRUE;
    }
    if (input != NULL && input->has_shape)
        text = ae_shape_to_string(shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' takes %s, where one image of 1 or 3 channels "
                "(?x1x?x? or ?x3x?x?) was expected",
                model->label, text != NULL ? text : "other inputs");
    return FALSE;
}

static gboolean accept_frames(const GstAeModel *model, const GstAeImage *image,
                              const GstVideoInfo *info, GError **error)
{
    int width = GST_VIDEO_INFO_WIDTH(info),
        height = GST_VIDEO_INFO_HEIGHT(info);

    if (GST_VIDEO_INFO_IS_RGB(info) != (image->channels == 3)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' encodes %s, but this video is %s: put a "
                    "videoconvert before the element",
                    model->label,
                    image->channels == 3 ? "RGB" : "gray images or luma",
                    GST_VIDEO_INFO_NAME(info));
        return FALSE;
    }
    if ((image->width == 0 || image->width == width) &&
        (image->height == 0 || image->height == height))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' encodes images of %dx%d, but this video has "
                "%dx%d: put a videoscale before the element",
                model->label, image->width, image->height, width, height);
    return FALSE;
}

/* The names of the values that are the tensors, as many as there will be; 0 and
 * an error if one is missing. */
static int find_outputs(const GstAeModel *model, GstAeOutput output,
                        const char *names[2], GError **error)
{
    gboolean moments = output == GST_AE_OUTPUT_MOMENTS;
    gboolean mean = output != GST_AE_OUTPUT_SAMPLE &&
                    (moments || model->metadata.names[AE_NAME_MEAN] != NULL);
    const AeValue *values[2];

    values[0] =
        gst_ae_model_value(model, mean ? AE_NAME_MEAN : AE_NAME_LATENT, error);
    if (values[0] == NULL)
        return 0;
    names[0] = values[0]->name;
    if (!moments)
        return 1;
    values[1] = gst_ae_model_value(model, AE_NAME_LOG_VARIANCE, error);
    if (values[1] == NULL)
        return 0;
    names[1] = values[1]->name;
    return 2;
}

/* A plan for images of the encoder's size; @outputs NULL: those of the model.
 */
static AePlan *plan_model(const GstAeEncoder *encoder, const GstAeModel *model,
                          const char *const *outputs, int n_outputs,
                          AePrecision precision, GError **error)
{
    const GstAeImage *image = &encoder->image;
    const char *inputs[] = {image_input(model->model)->name,
                            model->metadata.names[AE_NAME_LABEL]};
    AeShape shapes[] = {ae_shape(4, encoder->batch, image->channels,
                                 image->height, image->width),
                        ae_shape(2, encoder->batch, encoder->classes)};
    AePlanOptions options = {.inputs = inputs,
                             .shapes = shapes,
                             .n_inputs = encoder->classes > 0 ? 2 : 1,
                             .outputs = outputs,
                             .n_outputs = n_outputs,
                             .pool = encoder->pool,
                             .precision = precision};

    return ae_plan_new(model->model, &options, error);
}

/* Whether the model gives images of this size back. */
static gboolean keeps_size(const GstAeEncoder *encoder, const GstAeModel *model,
                           AePrecision precision)
{
    g_autoptr(AePlan) plan =
        plan_model(encoder, model, NULL, 0, precision, NULL);
    const AeShape *shape = plan != NULL ? ae_plan_output_shape(plan, 0) : NULL;

    return shape != NULL && shape->rank == 4 &&
           shape->dim[2] == encoder->image.height &&
           shape->dim[3] == encoder->image.width;
}

/* Of a model that keeps no size (an encoder alone) the frames stay as they
 * are, or have the multiple that the file names. */
static void choose_size(GstAeEncoder *encoder, const GstAeModel *model,
                        const GstVideoInfo *info, AePrecision precision)
{
    int width = GST_VIDEO_INFO_WIDTH(info),
        height = GST_VIDEO_INFO_HEIGHT(info);
    gboolean fixed = encoder->image.width > 0 && encoder->image.height > 0;
    int multiple;

    if (fixed)
        return;
    for (int i = 0; (multiple = ae_metadata_multiple(&model->metadata, i)) != 0;
         i++) {
        encoder->image.width = ae_round_up(width, multiple);
        encoder->image.height = ae_round_up(height, multiple);
        if (keeps_size(encoder, model, precision))
            return;
    }
    multiple = ae_metadata_multiple(&model->metadata, 0);
    encoder->image.width = ae_round_up(width, multiple);
    encoder->image.height = ae_round_up(height, multiple);
}

static gboolean plan_outputs(GstAeEncoder *encoder, const GstAeModel *model,
                             GstAeOutput output, AePrecision precision,
                             GError **error)
{
    const char *names[2];
    GstAeTensors *tensors = &encoder->tensors;

    tensors->n = find_outputs(model, output, names, error);
    if (tensors->n == 0)
        return FALSE;
    encoder->plan =
        plan_model(encoder, model, names, tensors->n, precision, error);
    if (encoder->plan == NULL) {
        g_prefix_error(
            error, "model '%s' cannot encode images of %dx%d: ", model->label,
            encoder->image.width, encoder->image.height);
        return FALSE;
    }
    for (int i = 0; i < tensors->n; i++) {
        const AeShape *shape = ae_plan_output_shape(encoder->plan, i);
        g_autofree char *text = ae_shape_to_string(shape);

        tensors->shape[i] = *shape;
        tensors->shape[i].dim[0] = 1;
        if (shape->rank >= 2 && shape->dim[0] == encoder->batch &&
            ae_shape_elements(shape) > 0)
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' turns %d images into '%s' of %s, where a code "
                    "for each image was expected",
                    model->label, encoder->batch, names[i], text);
        return FALSE;
    }
    return TRUE;
}

GstAeEncoder *gst_ae_encoder_new(const GstAeModel *model, GstAeOutput output,
                                 const GstVideoInfo *info, int threads,
                                 AePrecision precision, GError **error)
{
    g_autoptr(GstAeEncoder) encoder = g_new0(GstAeEncoder, 1);

    if (!gst_ae_encoder_image(model, &encoder->image, error) ||
        !accept_frames(model, &encoder->image, info, error))
        return NULL;
    encoder->range = model->metadata.range;
    encoder->classes = model->metadata.classes;
    encoder->batch =
        (int)CLAMP(image_input(model->model)->shape.dim[0], 1, G_MAXINT16);
    encoder->pool = ae_pool_new(threads);
    choose_size(encoder, model, info, precision);
    if (!plan_outputs(encoder, model, output, precision, error))
        return NULL;
    return g_steal_pointer(&encoder);
}

void gst_ae_encoder_free(GstAeEncoder *encoder)
{
    if (encoder == NULL)
        return;
    ae_plan_free(encoder->plan);
    if (encoder->pool != NULL)
        ae_pool_free(encoder->pool);
    g_free(encoder);
}

const GstAeTensors *gst_ae_encoder_tensors(const GstAeEncoder *encoder)
{
    return &encoder->tensors;
}

int gst_ae_encoder_classes(const GstAeEncoder *encoder)
{
    return encoder->classes;
}

void gst_ae_encoder_set_label(GstAeEncoder *encoder, int label)
{
    gst_ae_label_one_hot(ae_plan_input(encoder->plan, 1), encoder->classes,
                         label);
}

void gst_ae_encoder_set_seed(GstAeEncoder *encoder, guint64 seed)
{
    ae_plan_set_seed(encoder->plan, seed);
}

static void read_task(void *data, int64_t y, int thread)
{
    const Job *job = data;
    const GstAeEncoder *encoder = job->encoder;
    int channels = encoder->image.channels, width = encoder->image.width;
    float *row = ae_plan_input(encoder->plan, 0) + y * width * channels;

    for (int c = 0; c < channels; c++)
        gst_ae_pixels_read(job->frame, c, (int)y, width, &encoder->range,
                           row + c, channels);
}

void gst_ae_encoder_run(GstAeEncoder *encoder, const GstVideoFrame *frame)
{
    Job job = {encoder, frame};

    ae_pool_run(encoder->pool, read_task, &job, encoder->image.height);
    ae_plan_run(encoder->plan);
}

void gst_ae_encoder_read(const GstAeEncoder *encoder, int i, float *target)
{
    AeTensor tensor = {.shape = encoder->tensors.shape[i],
                       .data = (float *)ae_plan_output(encoder->plan, i)};

    ae_tensor_to_row_major(&tensor, target);
}
