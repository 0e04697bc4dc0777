/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a filter for a model and a format: which planes become which images,
 * in what sizes, and the plans for them. */
#include "video/private.h"

#include <string.h>

#include "base/error.h"
#include "base/processors.h"
#include "base/tensor.h"
#include "plan/bands.h"
#include "video/plane.h"

/* What the parts of a filter are made from. */
typedef struct {
    const AeImageModel *images;
    AePrecision precision;
} Maker;

void ae_image_shape_error(const AePlan *plan, const char *wanted,
                          GError **error)
{
    g_autofree char *in = ae_shape_to_string(ae_plan_input_shape(plan, 0));
    g_autofree char *out = ae_shape_to_string(ae_plan_output_shape(plan, 0));

    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model turns %s into %s, but its output must have %s", in,
                out, wanted);
}

/* Whether the images become as large as they should. */
static gboolean fits(const AePlan *plan, const AeFilterBatch *batch, int scale)
{
    const AeShape *in = ae_plan_input_shape(plan, 0);
    const AeShape *out = ae_plan_output_shape(plan, 0);
    int64_t lost = 2 * (int64_t)batch->down.margin;

    return out->rank == 4 && out->dim[0] == in->dim[0] &&
           out->dim[1] == batch->channels &&
           out->dim[2] == (in->dim[2] - lost) * scale &&
           out->dim[3] == (in->dim[3] - lost) * scale;
}

static AePlan *plan_images(const Maker *maker, const AeFilter *filter,
                           const AeFilterBatch *batch, GError **error)
{
    AeShape shape = ae_shape(4, batch->per_run, batch->inputs,
                             batch->padded_height, batch->padded_width);
    g_autoptr(AePlan) plan = ae_image_model_plan(
        maker->images, &shape, filter->pool, maker->precision, error);

    if (plan == NULL || fits(plan, batch, filter->scale))
        return g_steal_pointer(&plan);
    ae_image_shape_error(plan,
                         filter->scale == 1
                             ? "the shape of its input"
                             : "the same multiple of every input's size",
                         error);
    return NULL;
}

static gboolean choose_images_per_run(const AeImageModel *model,
                                      AeFilterBatch *batch, GError **error)
{
    int64_t fixed = ae_image_model_shape(model)->dim[0];
    int images = batch->n_images;

    if (fixed == AE_UNKNOWN)
        fixed = model->states->len > 0 || model->sigma_input > 0 ? 1 : images;
    batch->per_run = (int)MIN(fixed, images);
    if (batch->per_run > 0 && fixed <= images && images % batch->per_run == 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model wants batches of %" G_GINT64_FORMAT
                " images, but %d planes of this video have %dx%d",
                fixed, images, batch->width, batch->height);
    return FALSE;
}

/* How far beyond the margins an output pixel depends on pixels of the input;
 * -1: on all of them. Columns are taken to be as rows are. */
static int64_t find_reach(const AePlan *plan, int scale, int margin)
{
    int64_t height = ae_plan_output_shape(plan, 0)->dim[2], reach = 0;

    for (int64_t row = 0; row < height; row++) {
        int64_t place = row / scale + margin, begin, end;

        if (!ae_plan_input_rows(plan, row, &begin, &end))
            return -1;
        reach = MAX(reach, place - begin);
        reach = MAX(reach, end - 1 - place);
    }
    return MAX(reach - margin, 0);
}

/* Tiles of @seen pixels without the margins, which overlap by at least twice
 * @reach. */
static AeFilterTiles find_tiles(int length, int seen, int margin, int reach)
{
    AeFilterTiles tiles = {1, length, seen - 2 * margin, margin};

    if (tiles.size < length)
        tiles.n = 1 + (length - tiles.size - 1) / (tiles.size - 2 * reach) + 1;
    return tiles;
}

/* Only a model that sees a part of the image around each pixel can be run tile
 * by tile. */
static gboolean deal_tiles(const Maker *maker, AeFilterBatch *batch,
                           GError **error)
{
    const AeImageModel *images = maker->images;
    int margin = images->margin;
    int smaller = MIN(batch->padded_width, batch->padded_height) - 2 * margin;
    int64_t reach = 0;

    if (batch->padded_width - 2 * margin < batch->width ||
        batch->padded_height - 2 * margin < batch->height) {
        reach = find_reach(batch->plan, images->scale, margin);
        if (reach < 0 || 4 * reach > smaller) {
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "the model wants images of %dx%d and no larger ones, "
                        "but a plane of this video has %dx%d",
                        batch->padded_width - 2 * margin,
                        batch->padded_height - 2 * margin, batch->width,
                        batch->height);
            return FALSE;
        }
    }
    batch->across =
        find_tiles(batch->width, batch->padded_width, margin, (int)reach);
    batch->down =
        find_tiles(batch->height, batch->padded_height, margin, (int)reach);
    return TRUE;
}

/* The side that the model sees in one direction: the one that its file fixes,
 * or @length and the margins, enlarged to a multiple. */
static int padded_side(int64_t fixed, int length, int margin, int multiple)
{
    return fixed != AE_UNKNOWN ? (int)MIN(fixed, G_MAXINT)
                               : ae_round_up(length + 2 * margin, multiple);
}

/* Plans for the smallest padding that works, a multiple of @times those of the
 * model; the error is that of the first that does not. */
static gboolean plan_batch(const Maker *maker, const AeFilter *filter,
                           AeFilterBatch *batch, int times, GError **error)
{
    const AeShape *shape = ae_image_model_shape(maker->images);
    int margin = maker->images->margin;
    g_autoptr(GError) first = NULL;
    int multiple;

    batch->across.margin = batch->down.margin = margin;
    if (!choose_images_per_run(maker->images, batch, error))
        return FALSE;
    for (int i = 0; batch->plan == NULL; i++) {
        multiple = ae_metadata_multiple(&maker->images->metadata, i) * times;
        if (multiple == 0)
            break;
        int width = padded_side(shape->dim[3], batch->width, margin, multiple);
        int height =
            padded_side(shape->dim[2], batch->height, margin, multiple);

        if (width == batch->padded_width && height == batch->padded_height)
            continue;
        batch->padded_width = width;
        batch->padded_height = height;
        batch->plan =
            plan_images(maker, filter, batch, first == NULL ? &first : NULL);
    }
    if (batch->plan == NULL)
        g_propagate_error(error, g_steal_pointer(&first));
    return batch->plan != NULL && deal_tiles(maker, batch, error);
}

static gboolean add_states(const AeFilter *filter, AeFilterBatch *batch,
                           GError **error)
{
    batch->n_states = filter->n_fields * (batch->n_images / batch->per_run) *
                      batch->across.n * batch->down.n;
    batch->states = g_new0(AeState *, batch->n_states + 1);
    for (int i = 0; i < batch->n_states; i++) {
        batch->states[i] = ae_state_new(batch->plan, error);
        if (batch->states[i] == NULL)
            return FALSE;
    }
    return TRUE;
}

/* Whether a batch has luma and chroma of one size, or RGB, which becomes that,
 * for a model of any size that wants them. */
static gboolean has_colours(const Maker *maker, const AeFilter *filter,
                            const AeFilterBatch *batch)
{
    const AeShape *shape = ae_image_model_shape(maker->images);

    return maker->images->metadata.luma_chroma &&
           maker->images->states->len == 0 && maker->images->frames == 1 &&
           maker->images->sigma_input == 0 && !maker->images->sigma_channel &&
           maker->images->margin == 0 && batch->channels == 1 &&
           batch->n_images == AE_FILTER_COLOURS &&
           filter->format.log2_x[1] == 0 && filter->format.log2_y[1] == 0 &&
           shape->dim[0] == AE_UNKNOWN && shape->dim[2] == AE_UNKNOWN &&
           shape->dim[3] == AE_UNKNOWN;
}

static gboolean plan_colours(const Maker *maker, const AeFilter *filter,
                             AeFilterBatch *batch, GError **error)
{
    AeShape shape = ae_shape(4, AE_FILTER_CHROMAS, 1, batch->padded_height / 2,
                             batch->padded_width / 2);
    size_t rows = (size_t)ae_pool_threads(filter->pool) * AE_FILTER_COLOURS;

    batch->more = ae_alloc_floats((size_t)ae_shape_elements(&shape));
    batch->rows = ae_alloc_floats(rows * (size_t)batch->padded_width);
    if (batch->more == NULL || batch->rows == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is not enough memory for chroma of %dx%d",
                    batch->padded_width / 2, batch->padded_height / 2);
        return FALSE;
    }
    batch->coarse = ae_image_model_plan(maker->images, &shape, filter->pool,
                                        maker->precision, error);
    return batch->coarse != NULL;
}

static AePlane float_plane(float *data, int width, int height)
{
    const int bytes = sizeof *data;

    return ae_plane(data, width * bytes, bytes, width, height, AE_PLANE_FLOAT);
}

/* Samples of a plane, of fields where frames are interlaced. */
static int plane_width(const AeFilter *filter, int plane)
{
    return ae_subsampled(filter->format.width, filter->format.log2_x[plane]);
}

static int plane_height(const AeFilter *filter, int plane)
{
    return ae_subsampled(filter->format.height / filter->n_fields,
                         filter->format.log2_y[plane]);
}

/* The channels of a further image of this size, in the batch of that size. */
static AeFilterChannel *add_image(AeFilter *filter, int width, int height,
                                  int channels)
{
    AeFilterBatch *batch = filter->batch;

    while (batch < filter->batch + filter->n_batches &&
           (batch->width != width || batch->height != height))
        batch++;
    if (batch == filter->batch + filter->n_batches) {
        filter->n_batches++;
        batch->width = width;
        batch->height = height;
        batch->channels = channels;
    }
    return &batch->channel[batch->n_images++ * channels];
}

/* An image of AE_YUV420_CHANNELS, of three planes or of one without colour. */
static void add_yuv420(AeFilter *filter, int luma, gboolean colour)
{
    AeFilterChannel *channel =
        add_image(filter, (plane_width(filter, luma) + 1) / 2,
                  (plane_height(filter, luma) + 1) / 2, AE_YUV420_CHANNELS);

    for (int c = 0; c < 4; c++)
        channel[c] = (AeFilterChannel){luma, {c % 2, c / 2, 2}};
    for (int c = 4; c < AE_YUV420_CHANNELS; c++)
        channel[c] = (AeFilterChannel){colour ? c - 3 : -1, {0, 0, 1}};
}

/* The first @n planes become images of @channels. */
static void add_images(AeFilter *filter, int channels, int n)
{
    gboolean colour = ae_picture_is_yuv420(&filter->format);

    if (channels == AE_YUV420_CHANNELS) {
        for (int c = 0; c < (colour ? 1 : n); c++)
            add_yuv420(filter, c, colour);
        return;
    }
    for (int first = 0; first < n; first += channels) {
        AeFilterChannel *channel =
            add_image(filter, plane_width(filter, first),
                      plane_height(filter, first), channels);

        for (int c = 0; c < channels; c++)
            channel[c] = (AeFilterChannel){first + c, {0, 0, 1}};
    }
}

/* Whether width and height of what the model makes are numbers of video. */
static gboolean find_size(AeFilter *filter, const AeFilterOptions *options,
                          GError **error)
{
    const AePictureFormat *format = &filter->format;
    int64_t width = (int64_t)format->width * filter->scale;
    int64_t height = (int64_t)format->height * filter->scale;

    if (width > G_MAXINT || height > G_MAXINT) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "frames of %dx%d would become %" G_GINT64_FORMAT
                    "x%" G_GINT64_FORMAT ", more than video can have",
                    format->width, format->height, width, height);
        return FALSE;
    }
    filter->width = options->width > 0 ? options->width : (int)width;
    filter->height = options->height > 0 ? options->height : (int)height;
    return TRUE;
}

/* Which planes the model sees. All that are enlarged are enlarged without it
 * too: what it does not see, and what is left of a split. */
static gboolean group_planes(AeFilter *filter, int channels, GError **error)
{
    const AePictureFormat *format = &filter->format;

    filter->n_seen = filter->scale > 1 && channels == 1 ? 1 : format->n_colours;
    add_images(filter, channels, filter->n_seen);
    for (int c = 0; c < format->n_planes && filter->scale > 1; c++)
        if ((c < format->n_colours || format->alpha) &&
            !ae_filter_add_resample(filter, &filter->plain[c], c, 1,
                                    AE_RESAMPLE_BICUBIC, error))
            return FALSE;
    return TRUE;
}

/* The model's output is resampled to another size, if one is wanted. Most often
 * it becomes smaller, and Lanczos' kernel keeps more of its fine detail. */
static gboolean add_resized(AeFilter *filter, GError **error)
{
    const AePictureFormat *format = &filter->format;

    if (filter->scale == 1 ||
        (filter->width == format->width * filter->scale &&
         filter->height == format->height * filter->scale))
        return TRUE;
    filter->large.format = *format;
    for (int c = 0; c < filter->n_seen; c++) {
        AeFilterResample *resized = &filter->resized[c];

        if (!ae_filter_add_resample(filter, resized, c, filter->scale,
                                    AE_RESAMPLE_LANCZOS, error))
            return FALSE;
        filter->large.plane[c] =
            float_plane(resized->source, resized->width, resized->height);
    }
    return TRUE;
}

/* The fields of a frame alternate row by row in every plane; they must have
 * equally many. Fields are not enlarged: one is half a row above the other, and
 * its new rows would not lie between those of the other. */
static gboolean split_fields(AeFilter *filter, GError **error)
{
    const AePictureFormat *format = &filter->format;
    gboolean even = format->fields == AE_FIELDS_INTERLEAVED;

    filter->n_fields = format->fields == AE_FIELDS_NONE ? 1 : 2;
    for (int c = 0; c < format->n_planes; c++)
        even &= format->height % (2 << format->log2_y[c]) == 0;
    if (filter->n_fields == 1 || (even && filter->scale == 1))
        return TRUE;
    if (filter->scale > 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "this video is interlaced, and cannot be enlarged: put a "
                    "deinterlace before the element");
        return FALSE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "this video is interlaced, and its %d rows are not those of "
                "two equal fields in turn: put a deinterlace before the "
                "element",
                format->height);
    return FALSE;
}

static gboolean check_format(const Maker *maker, const AeFilter *filter,
                             GError **error)
{
    if (maker->images->channels == 3 &&
        filter->format.colour != AE_COLOUR_RGB) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model wants RGB, but this video is %s: put a "
                    "videoconvert before the element",
                    filter->format.name);
        return FALSE;
    }
    if (maker->images->channels == AE_YUV420_CHANNELS && filter->scale > 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model takes 4:2:0 video (?x6x?x?), but only images "
                    "of 1 or 3 channels are enlarged");
        return FALSE;
    }
    return TRUE;
}

/* Past frames can help a denoiser: what it takes away is noise, so the rest of
 * what changes is motion. */
static gboolean is_temporal(const Maker *maker, const AeFilter *filter)
{
    return maker->images->metadata.task == AE_TASK_DENOISE &&
           maker->images->states->len == 0 && maker->images->frames == 1 &&
           filter->scale == 1 && filter->n_fields == 1 &&
           filter->format.log2_x[1] <= 1;
}

/* Where the model makes one plane an image, from 0 to 1 and all in one run, its
 * output is read in place. */
static void read_in_place(AeFilter *filter, AeFilterBatch *batch)
{
    int stride = batch->padded_width * (int)sizeof(float);

    batch->direct = batch->channels == 1 && batch->coarse == NULL &&
                    batch->per_run == batch->n_images && batch->across.n == 1 &&
                    batch->down.n == 1 && batch->down.margin == 0 &&
                    filter->range.low == 0 && filter->range.span == 1;
    for (int i = 0; i < batch->n_images && batch->direct; i++)
        filter->denoised.plane[batch->channel[i].plane] = ae_plane(
            (uint8_t *)ae_plan_output(batch->plan, 0) +
                (size_t)i * (size_t)batch->padded_height * (size_t)stride,
            stride, sizeof(float), batch->width, batch->height, AE_PLANE_FLOAT);
}

static gboolean add_temporal(AeFilter *filter, GError **error)
{
    const AePictureFormat *format = &filter->format;
    gboolean halved_x[AE_TEMPORAL_PLANES], halved_y[AE_TEMPORAL_PLANES];

    filter->denoised.format = *format;
    for (int i = 0; i < filter->n_batches; i++)
        read_in_place(filter, &filter->batch[i]);
    for (int c = 0; c < format->n_colours; c++) {
        int width = plane_width(filter, c), height = plane_height(filter, c);

        halved_x[c] = format->log2_x[c] > 0;
        halved_y[c] = format->log2_y[c] > 0;
        if (filter->denoised.plane[c].data != NULL)
            continue;
        filter->memory[c] = ae_alloc_floats((size_t)width * (size_t)height);
        filter->denoised.plane[c] =
            float_plane(filter->memory[c], width, height);
        if (filter->memory[c] == NULL) {
            g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                        "there is not enough memory for frames of %dx%d",
                        format->width, format->height);
            return FALSE;
        }
    }
    filter->temporal =
        ae_temporal_new(format->width, format->height, format->n_colours,
                        halved_x, halved_y, filter->pool, error);
    return filter->temporal != NULL;
}

static gboolean add_level(AeFilter *filter, int sigma_input, GError **error)
{
    filter->level = ae_noise_level_new(filter->format.width, error);
    filter->sigma_input = sigma_input;
    filter->measured = g_new0(float, AE_PICTURE_PLANES);
    return filter->level != NULL;
}

AeFilter *ae_filter_new(const AeImageModel *images,
                        const AePictureFormat *format,
                        const AeFilterOptions *options, GError **error)
{
    g_autoptr(AeFilter) filter = g_new0(AeFilter, 1);
    Maker maker = {images, options->precision};

    filter->format = *format;
    filter->scale = options->scale;
    if (!ae_picture_check(format, error) ||
        !find_size(filter, options, error) || !split_fields(filter, error) ||
        !check_format(&maker, filter, error))
        return NULL;
    filter->frames = images->frames;
    filter->range = images->metadata.range;
    filter->pool = ae_pool_new(ae_threads((unsigned)options->threads));
    if (!group_planes(filter, images->channels, error) ||
        !add_resized(filter, error))
        return NULL;
    for (int i = 0; i < filter->n_batches; i++) {
        AeFilterBatch *batch = &filter->batch[i];

        batch->inputs =
            batch->channels * images->frames + images->sigma_channel;
        gboolean colours = has_colours(&maker, filter, batch);

        if (!plan_batch(&maker, filter, batch, colours ? 2 : 1, error) ||
            (colours && !plan_colours(&maker, filter, batch, error)) ||
            (images->states->len > 0 && !add_states(filter, batch, error)))
            return NULL;
    }
    if ((images->sigma_input > 0 || images->sigma_channel) &&
        !add_level(filter, images->sigma_input, error))
        return NULL;
    if (is_temporal(&maker, filter) && !add_temporal(filter, error))
        return NULL;
    return g_steal_pointer(&filter);
}

void ae_filter_free(AeFilter *filter)
{
    if (filter == NULL)
        return;
    for (int i = 0; i < filter->n_batches; i++) {
        for (int k = 0; k < filter->batch[i].n_states; k++)
            ae_state_free(filter->batch[i].states[k]);
        g_free(filter->batch[i].states);
        ae_plan_free(filter->batch[i].plan);
        ae_plan_free(filter->batch[i].coarse);
        ae_free(filter->batch[i].more);
        ae_free(filter->batch[i].rows);
    }
    for (int c = 0; c < AE_PICTURE_PLANES; c++) {
        ae_filter_clear_resample(&filter->plain[c]);
        ae_filter_clear_resample(&filter->resized[c]);
        ae_free(filter->memory[c]);
    }
    ae_noise_level_free(filter->level);
    g_free(filter->measured);
    ae_temporal_free(filter->temporal);
    if (filter->pool != NULL)
        ae_pool_free(filter->pool);
    g_free(filter);
}

gboolean ae_filter_fits(const AeFilter *filter, const AePictureFormat *format,
                        int width, int height)
{
    const AePictureFormat *own = &filter->format;

    return strcmp(own->name, format->name) == 0 &&
           own->width == format->width && own->height == format->height &&
           filter->width == width && filter->height == height &&
           own->fields == format->fields &&
           own->cosited_x == format->cosited_x &&
           own->cosited_y == format->cosited_y;
}
