/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame through the filter: rows of planes into tensors, through the model,
 * perhaps through the temporal filter, and back. */
#include "video/private.h"

#include <math.h>
#include <string.h>

#include "video/chroma.h"
#include "video/plane.h"

/* What one tile gives in one direction, in pixels of the input. */
typedef struct {
    int begin; /* of the tile */
    int from, to;
} Part;

/* One run of a batch. Rows are the tasks. */
typedef struct {
    const AeFilter *filter;
    const AeFilterBatch *batch;
    const AePicture *in, *out;
    const AePicture *frames; /* of the field; NULL: in is all */
    int first;               /* of the batch's images */
    float strength, sigma;
    int field;
    gboolean damaged;
    Part across, down;
    int tile;
} Job;

static const AeRange unit_range = {0.0f, 1.0f};
static const AeRange level_range = {0.0f, 255.0f};

static const AeFilterChannel *channel_of(const Job *job, int image, int c)
{
    const AeFilterBatch *batch = job->batch;

    return &batch->channel[(job->first + image) * batch->channels + c];
}

/* Chroma of gray. */
static float neutral(AeRange range)
{
    return range.low + 128 / 255.0f * range.span;
}

/* The pixels before row @y of image @image. */
static size_t row_offset(const AeFilterBatch *batch, int image, int y)
{
    return ((size_t)image * batch->padded_height + y) * batch->padded_width;
}

/* Channel @c of frame @frame. */
static void read_row(const Job *job, int image, int frame, int c, int y)
{
    const AeFilterBatch *batch = job->batch;
    const AeFilterChannel *channel = channel_of(job, image, c);
    const AePicture *in = job->frames != NULL ? &job->frames[frame] : job->in;
    AeRange range = job->filter->range;
    float *target = ae_plan_input(batch->plan, 0) +
                    row_offset(batch, image, y) * batch->inputs +
                    frame * batch->channels + c;

    if (channel->plane >= 0)
        ae_plane_read_lane(&in->plane[channel->plane], &channel->lane,
                           job->across.begin - batch->across.margin,
                           job->down.begin - batch->down.margin + y,
                           batch->padded_width, range, target, batch->inputs);
    else
        for (int x = 0; x < batch->padded_width; x++)
            target[(size_t)x * batch->inputs] = neutral(range);
}

/* The level of the noise in an image, where 255 is white. */
static float image_sigma(const Job *job, int image)
{
    float sum = 0;
    int n = 0;

    if (job->sigma > 0)
        return job->sigma;
    for (int c = 0; c < job->batch->channels; c++) {
        int plane = channel_of(job, image, c)->plane;

        if (plane < 0)
            continue;
        sum += job->filter->measured[plane] * job->filter->measured[plane];
        n++;
    }
    return sqrtf(sum / (float)MAX(n, 1));
}

/* Row @y of the channel for the level of the noise. */
static void fill_sigma(const Job *job, int image, int y)
{
    const AeFilterBatch *batch = job->batch;
    AeRange range = job->filter->range;
    float value = range.low + image_sigma(job, image) / 255 * range.span;
    float *target = ae_plan_input(batch->plan, 0) +
                    row_offset(batch, image, y) * batch->inputs +
                    batch->inputs - 1;

    for (int x = 0; x < batch->padded_width; x++)
        target[(size_t)x * batch->inputs] = value;
}

static void read_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    int height = job->batch->padded_height, frames = job->filter->frames;

    for (int frame = 0; frame < frames; frame++)
        for (int c = 0; c < job->batch->channels; c++)
            read_row(job, (int)(index / height), frame, c,
                     (int)(index % height));
    if (job->batch->inputs > job->batch->channels * frames)
        fill_sigma(job, (int)(index / height), (int)(index % height));
}

/* Writes row @y of a tile. @row: all channels, from the tile's first column on.
 */
static void write_row(const Job *job, const float *row, int image, int c, int y)
{
    const AeFilterChannel *channel = channel_of(job, image, c);
    const AeLane *lane = &channel->lane;
    int scale = job->filter->scale, channels = job->batch->channels;
    int x = job->across.from * scale, n = job->across.to * scale - x;
    int line = lane->y + (job->down.begin * scale + y) * lane->every;
    const AePlane *out;

    if (channel->plane < 0)
        return;
    out = &job->out->plane[channel->plane];
    if (line >= out->height)
        return;
    row += (x - job->across.begin * scale) * channels + c;
    ae_plane_write_lane(out, lane, x, job->down.begin * scale + y, n,
                        job->filter->range, row, channels);
    if (job->strength < 1 && lane->x == lane->every - 1)
        ae_plane_blend(out, &job->in->plane[channel->plane], x * lane->every,
                       line, n * lane->every, job->strength);
}

/* Rows of an image that a tile gives. */
static int rows_given(const Job *job)
{
    return (job->down.to - job->down.from) * job->filter->scale;
}

static void write_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    const AeFilterBatch *batch = job->batch;
    const AeShape *shape = ae_plan_output_shape(batch->plan, 0);
    int scale = job->filter->scale;
    int image = (int)(index / rows_given(job));
    int y = (int)(index % rows_given(job)) +
            (job->down.from - job->down.begin) * scale;
    size_t line = (size_t)image * (size_t)shape->dim[2] + (size_t)y;
    const float *row = ae_plan_output(batch->plan, 0) +
                       line * (size_t)(shape->dim[3] * shape->dim[1]);

    for (int c = 0; c < batch->channels; c++)
        write_row(job, row, image, c, y);
}

/* Input @i of the plan, one number or a map. */
static void fill_level(const Job *job, int i)
{
    AePlan *plan = job->batch->plan;
    int64_t n = ae_shape_elements(ae_plan_input_shape(plan, i));
    float value = image_sigma(job, 0) / 255 * job->filter->range.span;

    for (int64_t k = 0; k < n; k++)
        ae_plan_input(plan, i)[k] = value;
}

/* Runs from the state of the field, the images and the tile; a damaged frame
 * leaves it. */
static void run_plan(const Job *job)
{
    const AeFilterBatch *batch = job->batch;
    int runs = batch->n_images / batch->per_run;
    int run = job->field * runs + job->first / batch->per_run;
    AeState *state;

    if (job->filter->sigma_input > 0)
        fill_level(job, job->filter->sigma_input);
    if (batch->states == NULL) {
        ae_plan_run(batch->plan);
        return;
    }
    state = batch->states[run * batch->across.n * batch->down.n + job->tile];
    ae_plan_run_state(batch->plan, state);
    if (!job->damaged)
        ae_state_advance(state);
}

static void run_images(Job *job)
{
    const AeFilterBatch *batch = job->batch;
    AePool *pool = job->filter->pool;

    ae_pool_run(pool, read_task, job,
                (int64_t)batch->per_run * batch->padded_height);
    run_plan(job);
    if (batch->direct && job->out == &job->filter->denoised)
        return;
    ae_pool_run(pool, write_task, job,
                (int64_t)batch->per_run * rows_given(job));
}

/* As row_offset(), of chroma at half of the size. */
static size_t half_offset(const AeFilterBatch *batch, int chroma, int y)
{
    return ((size_t)chroma * (batch->padded_height / 2) + y) *
           (batch->padded_width / 2);
}

/* Two rows of the frame, which are one of chroma at half of the size. */
static void read_colour_task(void *data, int64_t index,
                             int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    const AeFilterBatch *batch = job->batch;
    float *images = ae_plan_input(batch->plan, 0);
    float *half = ae_plan_input(batch->coarse, 0);
    int row = (int)index;

    for (int y = 2 * row; y < 2 * row + 2; y++) {
        float *rows[AE_FILTER_COLOURS];

        for (int image = 0; image < AE_FILTER_COLOURS; image++) {
            rows[image] = images + row_offset(batch, image, y);
            read_row(job, image, 0, 0, y);
        }
        if (job->filter->format.colour == AE_COLOUR_RGB)
            ae_chroma_from_rgb(rows, batch->padded_width,
                               neutral(job->filter->range));
    }
    for (int c = 0; c < AE_FILTER_CHROMAS; c++)
        ae_chroma_halve(images + row_offset(batch, c + 1, 2 * row),
                        half + half_offset(batch, c, row),
                        batch->padded_width / 2);
}

/* Half of what chroma has more where the model saw it at half of the size. */
static void compare_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const AeFilterBatch *batch = ((const Job *)data)->batch;
    const float *images = ae_plan_output(batch->plan, 0);
    const float *half = ae_plan_output(batch->coarse, 0);
    int row = (int)index, n = batch->padded_width / 2;

    for (int c = 0; c < AE_FILTER_CHROMAS; c++) {
        size_t offset = half_offset(batch, c, row);
        float *more = batch->more + offset;

        ae_chroma_halve(images + row_offset(batch, c + 1, 2 * row), more, n);
        for (int x = 0; x < n; x++)
            more[x] = 0.5f * (half[offset + x] - more[x]);
    }
}

static void write_colour_task(void *data, int64_t index, int thread)
{
    const Job *job = data;
    const AeFilterBatch *batch = job->batch;
    const float *images = ae_plan_output(batch->plan, 0);
    int y = (int)index, near = y / 2, last = batch->padded_height / 2 - 1;
    int far = CLAMP(y % 2 == 0 ? near - 1 : near + 1, 0, last);
    size_t width = (size_t)batch->padded_width;
    float *rows[AE_FILTER_COLOURS];

    for (int image = 0; image < AE_FILTER_COLOURS; image++)
        rows[image] =
            batch->rows + (size_t)(thread * AE_FILTER_COLOURS + image) * width;
    memcpy(rows[0], images + row_offset(batch, 0, y), width * sizeof(float));
    for (int c = 0; c < AE_FILTER_CHROMAS; c++)
        ae_chroma_add(images + row_offset(batch, c + 1, y),
                      batch->more + half_offset(batch, c, near),
                      batch->more + half_offset(batch, c, far), rows[c + 1],
                      (int)width / 2);
    if (job->filter->format.colour == AE_COLOUR_RGB)
        ae_chroma_to_rgb(rows, (int)width, neutral(job->filter->range));
    for (int image = 0; image < AE_FILTER_COLOURS; image++)
        write_row(job, rows[image], image, 0, y);
}

static void run_colour(Job *job)
{
    const AeFilterBatch *batch = job->batch;
    AePool *pool = job->filter->pool;

    ae_pool_run(pool, read_colour_task, job, batch->padded_height / 2);
    ae_plan_run(batch->plan);
    ae_plan_run(batch->coarse);
    ae_pool_run(pool, compare_task, job, batch->padded_height / 2);
    ae_pool_run(pool, write_colour_task, job, batch->height);
}

/* Writes what the model does not make: planes that it does not see. */
static void write_rest(const Job *job)
{
    const AeFilter *filter = job->filter;
    const AePictureFormat *format = &filter->format;

    for (int c = filter->n_seen; c < format->n_planes; c++) {
        const AePlane *in = &job->in->plane[c], *out = &job->out->plane[c];

        if (filter->plain[c].resampler != NULL)
            ae_filter_resample(filter, &filter->plain[c], in, out, out->width);
        else if (filter->scale > 1)
            ae_plane_fill(out, 255);
        else
            ae_plane_copy(out, in, out->width);
    }
}

static int tile_begin(const AeFilterTiles *tiles, int i)
{
    return i == 0 ? 0
                  : (int)((int64_t)i * (tiles->length - tiles->size) /
                          (tiles->n - 1));
}

static Part tile_part(const AeFilterTiles *tiles, int i)
{
    Part part = {tile_begin(tiles, i), 0, tiles->length};

    if (i > 0)
        part.from = (tile_begin(tiles, i - 1) + tiles->size + part.begin) / 2;
    if (i < tiles->n - 1)
        part.to = (part.begin + tiles->size + tile_begin(tiles, i + 1)) / 2;
    return part;
}

/* Runs the model on some images of a batch, tile by tile. */
static void run_tiles(Job *job)
{
    const AeFilterTiles *across = &job->batch->across;
    const AeFilterTiles *down = &job->batch->down;

    for (int i = 0; i < across->n * down->n; i++) {
        job->tile = i;
        job->across = tile_part(across, i % across->n);
        job->down = tile_part(down, i / across->n);
        if (job->batch->coarse != NULL)
            run_colour(job);
        else
            run_images(job);
    }
}

/* Runs the model on all colour planes of a field, as @all says. */
static void run_model(const Job *all)
{
    for (int i = 0; i < all->filter->n_batches; i++) {
        Job job = *all;

        job.batch = &all->filter->batch[i];
        for (job.first = 0; job.first < job.batch->n_images;
             job.first += job.batch->per_run)
            run_tiles(&job);
    }
}

/* The model's result waits as floats for the resampler. */
static void run_resized(const Job *job)
{
    const AeFilter *filter = job->filter;
    Job model = *job;

    model.out = &filter->large;
    run_model(&model);
    for (int c = 0; c < filter->n_seen; c++)
        ae_filter_resample(filter, &filter->resized[c], NULL,
                           &job->out->plane[c], job->out->plane[c].width);
}

/* Measures the noise in the planes of a field, if the model is to be told. */
static void measure_noise(const Job *job)
{
    const AeFilter *filter = job->filter;

    for (int c = 0;
         c < filter->n_seen && filter->level != NULL && job->sigma <= 0; c++)
        filter->measured[c] =
            ae_noise_level_measure(filter->level, &job->in->plane[c]);
}

static void run_field(const Job *job)
{
    if (job->strength == 0) {
        ae_picture_copy(job->out, job->in);
        return;
    }
    write_rest(job);
    measure_noise(job);
    if (job->filter->resized[0].resampler != NULL)
        run_resized(job);
    else
        run_model(job);
}

static int row_width(const AeFilter *filter, int plane)
{
    return ae_round_up(filter->format.width, AE_TEMPORAL_BLOCK) >>
           filter->format.log2_x[plane];
}

static void read_noisy(void *data, int plane, int y, float *row)
{
    const Job *job = data;

    ae_plane_read(&job->in->plane[plane], y, row_width(job->filter, plane),
                  level_range, row, 1);
}

static void read_denoised(void *data, int plane, int y, float *row)
{
    const Job *job = data;

    ae_plane_read(&job->filter->denoised.plane[plane], y,
                  row_width(job->filter, plane), level_range, row, 1);
}

/* Writes @row, of a plane in @range, mixed with the input. */
static void mix_row(const Job *job, int plane, int y, AeRange range,
                    const float *row)
{
    enum { CHUNK = 256 };
    const AePlane *in = &job->in->plane[plane], *out = &job->out->plane[plane];
    float mixed[CHUNK];

    for (int x = 0; x < out->width; x += CHUNK) {
        const AeLane lane = {0, 0, 1};
        int n = MIN(out->width - x, CHUNK);

        ae_plane_read_lane(in, &lane, x, y, n, range, mixed, 1);
        for (int i = 0; i < n; i++)
            mixed[i] += job->strength * (row[x + i] - mixed[i]);
        ae_plane_write(out, x, y, n, range, mixed, 1);
    }
}

static void give_row(const Job *job, int plane, int y, AeRange range,
                     const float *row)
{
    const AePlane *out = &job->out->plane[plane];

    if (y >= out->height)
        return;
    if (job->strength < 1)
        mix_row(job, plane, y, range, row);
    else
        ae_plane_write(out, 0, y, out->width, range, row, 1);
}

static void write_temporal(void *data, int plane, int y, const float *row)
{
    give_row(data, plane, y, level_range, row);
}

static void write_denoised_task(void *data, int64_t index,
                                int thread G_GNUC_UNUSED)
{
    const Job *job = data;

    for (int c = 0; c < job->filter->format.n_colours; c++) {
        const AePlane *plane = &job->filter->denoised.plane[c];
        int y = (int)index;

        if (y < plane->height)
            give_row(
                job, c, y, unit_range,
                (const float *)(plane->data + (ptrdiff_t)y * plane->stride));
    }
}

/* The model's result waits as floats for the temporal filter, which adds
 * nothing to the first frame of a scene. */
static void run_temporal(const AeFilter *filter, const AePicture *in,
                         const AePicture *out, const AeFilterSettings *settings)
{
    Job job = {.filter = filter,
               .in = in,
               .out = out,
               .strength = settings->strength,
               .sigma = settings->sigma};
    Job model = job;
    AeTemporalFrame frame = {read_noisy, read_denoised, write_temporal, &job};

    write_rest(&job);
    model.out = &filter->denoised;
    model.strength = 1;
    measure_noise(&model);
    run_model(&model);
    if (!ae_temporal_run(filter->temporal, &frame, settings->sigma))
        ae_pool_run(filter->pool, write_denoised_task, &job,
                    filter->format.height);
}

static void reset_temporal(AeFilter *filter)
{
    if (filter->temporal != NULL)
        ae_temporal_reset(filter->temporal);
}

static void reset_states(AeFilter *filter)
{
    for (int i = 0; i < filter->n_batches; i++)
        for (int k = 0; k < filter->batch[i].n_states; k++)
            ae_state_reset(filter->batch[i].states[k]);
}

void ae_filter_reset(AeFilter *filter)
{
    reset_temporal(filter);
    reset_states(filter);
}

static void run_fields(const AeFilter *filter, const AePicture *in,
                       const AePicture *out, const AeFilterSettings *settings)
{
    for (int i = 0; i < filter->n_fields; i++) {
        AePicture in_field = ae_picture_field(in, i, filter->n_fields);
        AePicture out_field = ae_picture_field(out, i, filter->n_fields);
        AePicture seen[AE_MAX_FRAMES];

        for (int k = 0; k < filter->frames && settings->frames != NULL; k++)
            seen[k] =
                ae_picture_field(settings->frames[k], i, filter->n_fields);
        run_field(&(Job){.filter = filter,
                         .in = &in_field,
                         .out = &out_field,
                         .frames = settings->frames != NULL ? seen : NULL,
                         .strength = settings->strength,
                         .sigma = settings->sigma,
                         .field = i,
                         .damaged = settings->damaged});
    }
}

/* Columns of a plane of @format that lie left of the split. */
static int left_columns(const AePictureFormat *format, int plane, float split)
{
    int log2 = 0, blocks;

    for (int c = 0; c < format->n_planes; c++)
        log2 = MAX(log2, format->log2_x[c]);
    blocks = (int)lrintf(split * (float)ae_subsampled(format->width, log2));
    return MIN(blocks << (log2 - format->log2_x[plane]),
               ae_subsampled(format->width, format->log2_x[plane]));
}

static void write_left(const AeFilter *filter, const AePicture *in,
                       const AePicture *out, float split)
{
    for (int c = 0; c < out->format.n_planes; c++) {
        const AeFilterResample *plain = &filter->plain[c];
        int columns = left_columns(&out->format, c, split);

        if (filter->scale == 1)
            ae_plane_copy(&out->plane[c], &in->plane[c], columns);
        else if (c < filter->n_seen)
            ae_filter_resample(filter, plain, &in->plane[c], &out->plane[c],
                               columns);
    }
}

/* The level that the model was told. */
static float told_sigma(const AeFilter *filter, float sigma)
{
    float sum = 0;

    if (filter->level == NULL || sigma > 0)
        return filter->level != NULL ? sigma : 0;
    for (int c = 0; c < filter->n_seen; c++)
        sum += filter->measured[c] * filter->measured[c];
    return sqrtf(sum / (float)filter->n_seen);
}

float ae_filter_run(AeFilter *filter, const AePicture *in, const AePicture *out,
                    const AeFilterSettings *settings)
{
    gboolean temporal = filter->temporal != NULL && settings->temporal &&
                        settings->strength > 0;

    if (!temporal)
        reset_temporal(filter);
    if (settings->strength == 0)
        reset_states(filter);
    if (temporal && !settings->damaged)
        run_temporal(filter, in, out, settings);
    else
        run_fields(filter, in, out, settings);
    if (settings->split > 0)
        write_left(filter, in, out, settings->split);
    return temporal ? ae_temporal_sigma(filter->temporal)
                    : told_sigma(filter, settings->sigma);
}
