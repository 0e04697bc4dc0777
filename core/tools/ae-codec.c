/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-codec.h"

#include <string.h>

#include "tools/ae-tool.h"

enum { BATCH = 256 };

/* Writes samples @first to @first + @count - 1 for a plan to read. */
typedef void (*Feed)(const void *source, int64_t first, int64_t count,
                     float *target);

typedef struct {
    const AeIdx *images;
    int64_t first;
} Images;

static void feed_images(const void *source, int64_t first, int64_t count,
                        float *target)
{
    const Images *part = source;
    int64_t size = (int64_t)ae_idx_item_size(part->images);
    const uint8_t *bytes = part->images->data + (part->first + first) * size;

    for (int64_t i = 0; i < count * size; i++)
        target[i] = bytes[i] / 255.0f;
}

static void feed_codes(const void *source, int64_t first, int64_t count,
                       float *target)
{
    const AeTensor *codes = source;
    int64_t size = ae_shape_elements(&codes->shape) / codes->shape.dim[0];

    memcpy(target, codes->data + first * size,
           (gsize)(count * size) * sizeof(float));
}

static void feed_labels(const uint8_t *labels, int classes, int64_t count,
                        float *target)
{
    memset(target, 0, (gsize)(count * classes) * sizeof(float));
    for (int64_t i = 0; i < count; i++)
        target[i * classes + labels[i]] = 1;
}

static gboolean check_labels(const Codec *codec, const uint8_t *labels,
                             int64_t count, GError **error)
{
    if (codec->label != NULL && labels == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the model is conditional: it needs labels");
        return FALSE;
    }
    for (int64_t i = 0; codec->label != NULL && i < count; i++)
        if (labels[i] >= codec->classes) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "label %d is not one of the model's %d classes, which "
                        "begin with 0",
                        labels[i], codec->classes);
            return FALSE;
        }
    return TRUE;
}

/* From value @in, of @shape but for the batch, to value @out (NULL: the model's
 * output). */
static AePlan *plan_part(const Codec *codec, const char *in,
                         const AeShape *shape, const char *out, int64_t batch,
                         GError **error)
{
    const char *inputs[] = {in, codec->label};
    AeShape shapes[] = {*shape, ae_shape(2, batch, codec->classes)};
    AePlanOptions options = {
        .inputs = inputs,
        .shapes = shapes,
        .n_inputs = codec->label != NULL ? 2 : 1,
        .outputs = out != NULL ? &out : NULL,
        .n_outputs = out != NULL ? 1 : 0,
        .pool = codec->pool,
    };

    shapes[0].dim[0] = batch;
    return ae_plan_new(codec->model, &options, error);
}

/* A model may insist on a size. */
static int64_t batch_size(const Codec *codec, int64_t count)
{
    const AeShape *image =
        &ae_model_value(codec->model, ae_model_input(codec->model, 0))->shape;

    return image->rank > 0 && image->dim[0] > 0 ? image->dim[0]
                                                : MIN(BATCH, count);
}

/* The first output of @plan has a row for each of its inputs. */
static gboolean check_rows(AePlan *plan, GError **error)
{
    const AeShape *in = ae_plan_input_shape(plan, 0);
    const AeShape *out = ae_plan_output_shape(plan, 0);

    if (out->rank >= 2 && out->dim[0] == in->dim[0])
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model does not give a row for each image");
    return FALSE;
}

/* Runs @plan on all of @source. */
static AeTensor *run_all(const Codec *codec, AePlan *plan, Feed feed,
                         const void *source, const uint8_t *labels,
                         int64_t count, GError **error)
{
    const int64_t batch = ae_plan_input_shape(plan, 0)->dim[0];
    AeShape shape = *ae_plan_output_shape(plan, 0);
    int64_t size = ae_shape_elements(&shape) / batch;
    AeTensor *result;

    if (!check_rows(plan, error))
        return NULL;
    shape.dim[0] = count;
    result = ae_tensor_new(&shape, error);
    for (int64_t i = 0; result != NULL && i < count; i += batch) {
        int64_t n = MIN(batch, count - i);

        feed(source, i, n, ae_plan_input(plan, 0));
        if (codec->label != NULL)
            feed_labels(labels + i, codec->classes, n, ae_plan_input(plan, 1));
        ae_plan_run(plan);
        memcpy(result->data + i * size, ae_plan_output(plan, 0),
               (gsize)(n * size) * sizeof(float));
    }
    return result;
}

static const char *input_name(const Codec *codec)
{
    return ae_model_value(codec->model, ae_model_input(codec->model, 0))->name;
}

static gboolean read_metadata(Codec *codec, GError **error)
{
    AeMetadata metadata;

    if (!ae_metadata_read(codec->model, &metadata, error) ||
        ae_metadata_value(codec->model, AE_NAME_LATENT, error) == NULL)
        return FALSE;
    codec->latent = metadata.names[AE_NAME_LATENT];
    codec->code = metadata.names[AE_NAME_MEAN] != NULL
                      ? metadata.names[AE_NAME_MEAN]
                      : codec->latent;
    codec->label = metadata.names[AE_NAME_LABEL];
    codec->classes = metadata.classes;
    if (metadata.range.low == 0 && metadata.range.span == 1)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "its samples range from %g to %g; only 0 to 1 is supported",
                (double)metadata.range.low,
                (double)metadata.range.low + metadata.range.span);
    return FALSE;
}

Codec *codec_load(const char *name, GError **error)
{
    g_autoptr(Codec) codec = g_new0(Codec, 1);

    codec->model = tool_load_model(name, error);
    if (codec->model == NULL)
        return NULL;
    codec->pool = ae_pool_new(0);
    if (read_metadata(codec, error))
        return g_steal_pointer(&codec);
    g_prefix_error(error, "%s: ", name);
    return NULL;
}

void codec_free(Codec *codec)
{
    if (codec == NULL)
        return;
    g_clear_pointer(&codec->model, ae_model_unref);
    ae_pool_free(codec->pool);
    g_free(codec);
}

gboolean codec_shape(const Codec *codec, AeShape *shape, GError **error)
{
    const AeValue *image =
        ae_model_value(codec->model, ae_model_input(codec->model, 0));
    g_autoptr(AePlan) plan = NULL;

    for (int i = 1; i < image->shape.rank; i++)
        if (image->shape.dim[i] == AE_UNKNOWN) {
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "the model leaves the size of its image open, so its "
                        "code has none");
            return FALSE;
        }
    plan = plan_part(codec, image->name, &image->shape, codec->latent,
                     batch_size(codec, 1), error);
    if (plan == NULL || !check_rows(plan, error))
        return FALSE;
    *shape = *ae_plan_output_shape(plan, 0);
    return TRUE;
}

AeTensor *codec_encode(const Codec *codec, const AeIdx *images, int64_t first,
                       int64_t count, const uint8_t *labels, GError **error)
{
    Images part = {images, first};
    AeShape shape = ae_shape(4, count, images->rank == 4 ? images->dim[3] : 1,
                             images->dim[1], images->dim[2]);
    g_autoptr(AePlan) plan = NULL;

    if (images->rank == 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "images were expected, and labels found");
        return NULL;
    }
    if (!check_labels(codec, labels, count, error))
        return NULL;
    plan = plan_part(codec, input_name(codec), &shape, codec->code,
                     batch_size(codec, count), error);
    return plan != NULL
               ? run_all(codec, plan, feed_images, &part, labels, count, error)
               : NULL;
}

AeTensor *codec_decode(const Codec *codec, const AeTensor *codes,
                       const uint8_t *labels, GError **error)
{
    int64_t count = codes->shape.dim[0];
    g_autoptr(AePlan) plan = NULL;

    if (!check_labels(codec, labels, count, error))
        return NULL;
    plan = plan_part(codec, codec->latent, &codes->shape, NULL,
                     batch_size(codec, count), error);
    return plan != NULL
               ? run_all(codec, plan, feed_codes, codes, labels, count, error)
               : NULL;
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
