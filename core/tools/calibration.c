/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes inputs for a model from files of pictures. */
#include "tools/quantize.h"

#include <string.h>

#include "base/error.h"
#include "data/idx.h"
#include "video/noise.h"
#include "video/picture.h"

enum { MAX_IMAGES = 256, SEED = 1 };

/* The model's input, from its declaration and metadata. */
typedef struct {
    int channels;
    int64_t height, width; /* AE_UNKNOWN: any multiple */
    int64_t multiple;
    AeRange range;
    AeNoise *noise;
} Input;

static gboolean read_input(const AeModel *model, Input *input, GError **error)
{
    const AeValue *value = ae_model_value(model, ae_model_input(model, 0));
    AeMetadata metadata;

    if (!ae_metadata_read(model, &metadata, error))
        return FALSE;
    *input = (Input){.multiple = metadata.multiple > 0 ? metadata.multiple : 16,
                     .range = metadata.range};
    if (!value->has_shape || value->shape.rank != 4 ||
        (value->shape.dim[1] != 1 && value->shape.dim[1] != 3 &&
         value->shape.dim[1] != AE_YUV420_CHANNELS)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the input '%s' of the model is no image of 1, 3 or 6 "
                    "channels",
                    value->name);
        return FALSE;
    }
    input->channels = (int)value->shape.dim[1];
    input->height = value->shape.dim[2];
    input->width = value->shape.dim[3];
    input->noise =
        ae_noise_parse(metadata.noise != NULL ? metadata.noise : "none", error);
    return input->noise != NULL;
}

/* Channel @c of @channels, 0 to 1. Gray from RGB has the weights of BT.601. */
static float pixel_at(const AeImage *image, int channels, int64_t x, int64_t y,
                      int c)
{
    const uint8_t *p = image->pixels + (y * image->width + x) * image->channels;

    if (image->channels == 1)
        return p[0] / 255.0f;
    if (channels == 3)
        return p[c] / 255.0f;
    return (0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]) / 255;
}

/* Luma (@c 0), or chroma (1, 2) of the mean of 2x2 pixels, at place (@x, @y) of
 * the part of @image from (@left, @top) on: BT.601, with luma from 16 to 235
 * and chroma from 16 to 240, divided by 255. */
static float component_at(const AeImage *image, int64_t left, int64_t top,
                          int64_t x, int64_t y, int c)
{
    static const float rows[3][4] = {
        {16, 65.481f, 128.553f, 24.966f},
        {128, -37.797f, -74.203f, 112},
        {128, 112, -93.786f, -18.214f},
    };
    const int side = c == 0 ? 1 : 2;
    float sum = rows[c][0];

    for (int i = 0; i < side * side; i++)
        for (int k = 0; k < 3; k++)
            sum += rows[c][1 + k] *
                   pixel_at(image, 3, left + x * side + i % side,
                            top + y * side + i / side, k) /
                   (float)(side * side);
    return sum / 255;
}

/* Fills @sample with the part of @image from (@left, @top) on, and adds noise.
 * Of 4:2:0 video that is luma and two planes of chroma, which are half as large
 * as @image, as the sample is; of other images a plane with all channels. */
static gboolean fill(const Input *input, const AeImage *image, int64_t left,
                     int64_t top, uint64_t number, AeTensor *sample,
                     GError **error)
{
    const gboolean video = input->channels == AE_YUV420_CHANNELS;
    const int64_t h = sample->shape.dim[2], w = sample->shape.dim[3];
    const AeNoisePlane yuv[] = {{2 * w, 2 * h, 1}, {w, h, 1}, {w, h, 1}};
    const AeNoisePlane whole = {w, h, input->channels};
    const AeNoisePlane *planes = video ? yuv : &whole;
    const int n = video ? 3 : 1;
    g_autoptr(AeTensor) values = ae_tensor_new(&sample->shape, error);
    float *next;

    if (values == NULL)
        return FALSE;
    next = values->data;
    for (int i = 0; i < n; i++)
        for (int y = 0; y < planes[i].height; y++)
            for (int x = 0; x < planes[i].width; x++)
                for (int c = 0; c < planes[i].channels; c++)
                    *next++ = video ? component_at(image, left, top, x, y, i)
                                    : pixel_at(image, input->channels, left + x,
                                               top + y, c);
    if (!ae_noise_apply(input->noise, values->data, values->data, planes, n,
                        SEED, number, error))
        return FALSE;
    if (video)
        ae_yuv420_pack(values->data, (int)w, (int)h, sample->data);
    else
        memcpy(sample->data, values->data,
               (size_t)(h * w * input->channels) * sizeof(float));
    return TRUE;
}

/* Adds the middle of @image as a sample. */
static gboolean add_image(GPtrArray *samples, const Input *input,
                          const AeImage *image, const char *name,
                          GError **error)
{
    const gboolean half = input->channels == AE_YUV420_CHANNELS;
    const int64_t m = input->multiple, times = half ? 2 : 1;
    const int64_t h =
        input->height < 0 ? image->height / times / m * m : input->height;
    const int64_t w =
        input->width < 0 ? image->width / times / m * m : input->width;
    const AeShape shape = {.rank = 4, .dim = {1, input->channels, h, w}};
    const int64_t top = (image->height - h * times) / 2;
    const int64_t left = (image->width - w * times) / 2;
    g_autoptr(AeTensor) sample = NULL;

    if (h < 1 || w < 1 || top < 0 || left < 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s: the image of %dx%d pixels is too small for the model",
                    name, image->width, image->height);
        return FALSE;
    }
    sample = ae_tensor_new(&shape, error);
    if (sample == NULL)
        return FALSE;
    if (!fill(input, image, left, top, samples->len, sample, error))
        return FALSE;
    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        sample->data[i] =
            input->range.low + sample->data[i] * input->range.span;
    g_ptr_array_add(samples, g_steal_pointer(&sample));
    return TRUE;
}

static gboolean add_idx(GPtrArray *samples, const Input *input,
                        const char *path, GError **error)
{
    g_autoptr(AeIdx) idx = ae_idx_load(path, error);
    int64_t n;

    if (idx == NULL)
        return FALSE;
    if (idx->rank == 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s: it holds labels, not images", path);
        return FALSE;
    }
    n = MIN(idx->dim[0], MAX_IMAGES);
    for (int64_t i = 0; i < n; i++) {
        const AeImage image = ae_idx_image(idx, idx->dim[0] * i / n);

        if (!add_image(samples, input, &image, path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_file(GPtrArray *samples, const Input *input,
                         const char *path, GError **error)
{
    g_autoptr(AeImage) image = NULL;

    if (!g_str_has_suffix(path, ".png"))
        return add_idx(samples, input, path, error);
    image = ae_image_load_png(path, error);
    return image != NULL && add_image(samples, input, image, path, error);
}

GPtrArray *ae_calibration_load(const AeModel *model, char *const *paths,
                               GError **error)
{
    g_autoptr(GPtrArray) samples =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);
    Input input = {0};
    gboolean ok = read_input(model, &input, error);

    for (int i = 0; ok && paths[i] != NULL; i++)
        ok = add_file(samples, &input, paths[i], error);
    ae_noise_free(input.noise);
    return ok ? g_steal_pointer(&samples) : NULL;
}
