/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Components of video frames into tensors, through a model, and back. */
#include "gstaevideoplan.h"

#include "gstaechroma.h"
#include "gstaepixels.h"

#define NEUTRAL -1 /* the component of a lane without colour */
#define COLOURS 3  /* images: luma and chroma, all of one size */
#define CHROMAS 2  /* of them */

/* Images of one size, and the plan that they go through: all of them in one
 * run, or some at a time where the file fixes the batch. */
typedef struct {
    AePlan *plan;
    GstAeLane lanes[GST_VIDEO_MAX_COMPONENTS *
                    AE_YUV420_CHANNELS]; /* image by image */
    int n_images, channels;
    int batch; /* images a run */
    int width, height;
    int padded_width, padded_height;

    /* Of COLOURS images, where the model wants luma and chroma. */
    AePlan *coarse; /* chroma, at half of the size */
    float *more;    /* of chroma of that size */
    float *rows;    /* COLOURS, for each thread */
} Pass;

/* A component that is enlarged without the model. */
typedef struct {
    int component, width, height; /* of the input */
    AeResampler *resampler;
    float *small, *large;
} Plain;

struct GstAeVideoPlan {
    AePool *pool;
    GstVideoInfo info; /* of a field */
    int fields;        /* of a frame: 2 if it is interlaced, else 1 */
    int scale;
    Pass passes[GST_VIDEO_MAX_COMPONENTS];
    int n_passes;
    Plain plains[GST_VIDEO_MAX_COMPONENTS];
    int n_plains;
    gboolean copy; /* bytes of a frame that no pass writes */
    AeRange range;
};

/* One run of a pass: the rows of its components are the tasks. */
typedef struct {
    const GstAeVideoPlan *plan;
    const Pass *pass;
    GstVideoFrame *in, *out;
    int first; /* of the pass's images */
    float strength;
} Job;

/* All plain components: each is a task. */
typedef struct {
    const GstAeVideoPlan *plan;
    const GstVideoFrame *in;
    GstVideoFrame *out;
} PlainJob;

static const AeRange unit_range = {0.0f, 1.0f};

static const AeShape *input_shape(const AeModel *model)
{
    return &ae_model_value(model, ae_model_input(model, 0))->shape;
}

static const GstAeLane *lane_of(const Job *job, int image, int c)
{
    return &job->pass->lanes[(job->first + image) * job->pass->channels + c];
}

/* What chroma is where there is no colour. */
static float neutral(const AeRange *range)
{
    return range->low + 128 / 255.0f * range->span;
}

static void fill_neutral(const AeRange *range, float *target, int n, int step)
{
    for (int x = 0; x < n; x++)
        target[(gsize)x * step] = neutral(range);
}

/* The pixels before row @y of the pass's image @image. */
static gsize row_offset(const Pass *pass, int image, int y)
{
    return ((gsize)image * pass->padded_height + y) * pass->padded_width;
}

static void read_row(const Job *job, int image, int c, int y)
{
    const Pass *pass = job->pass;
    const GstAeLane *lane = lane_of(job, image, c);
    float *target = ae_plan_input(pass->plan, 0) +
                    row_offset(pass, image, y) * pass->channels + c;

    if (lane->component == NEUTRAL)
        fill_neutral(&job->plan->range, target, pass->padded_width,
                     pass->channels);
    else
        gst_ae_pixels_read_lane(job->in, lane, y, pass->padded_width,
                                &job->plan->range, target, pass->channels);
}

static void read_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    int height = job->pass->padded_height;

    for (int c = 0; c < job->pass->channels; c++)
        read_row(job, (int)(index / height), c, (int)(index % height));
}

/* @row: all channels. */
static void write_row(const Job *job, const float *row, int image, int c, int y)
{
    const GstAeLane *lane = lane_of(job, image, c);
    int line = lane->y + y * lane->every;

    if (lane->component == NEUTRAL ||
        line >= GST_VIDEO_FRAME_COMP_HEIGHT(job->out, lane->component))
        return;
    gst_ae_pixels_write_lane(job->out, lane, y, &job->plan->range, row + c,
                             job->pass->channels);
    if (job->strength < 1 && lane->x == lane->every - 1)
        gst_ae_pixels_blend(job->out, job->in, lane->component, line,
                            job->strength);
}

static void write_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    const Pass *pass = job->pass;
    gsize scale = (gsize)job->plan->scale;
    int height = pass->height * job->plan->scale;
    int image = (int)(index / height), y = (int)(index % height);
    gsize line = (gsize)image * pass->padded_height * scale + y;
    const float *row = ae_plan_output(pass->plan, 0) +
                       line * pass->padded_width * scale * pass->channels;

    for (int c = 0; c < pass->channels; c++)
        write_row(job, row, image, c, y);
}

/* The same at half of the size. */
static gsize half_offset(const Pass *pass, int chroma, int y)
{
    return ((gsize)chroma * (pass->padded_height / 2) + y) *
           (pass->padded_width / 2);
}

/* Two rows of the frame, which are one of chroma of half the size. */
static void read_colour_task(void *data, int64_t index,
                             int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    const Pass *pass = job->pass;
    float *images = ae_plan_input(pass->plan, 0);
    float *half = ae_plan_input(pass->coarse, 0);
    int row = (int)index;

    for (int y = 2 * row; y < 2 * row + 2; y++) {
        float *rows[COLOURS];

        for (int image = 0; image < COLOURS; image++) {
            rows[image] = images + row_offset(pass, image, y);
            read_row(job, image, 0, y);
        }
        if (GST_VIDEO_INFO_IS_RGB(&job->plan->info))
            gst_ae_chroma_from_rgb(rows, pass->padded_width,
                                   neutral(&job->plan->range));
    }
    for (int c = 0; c < CHROMAS; c++)
        gst_ae_chroma_halve(images + row_offset(pass, c + 1, 2 * row),
                            half + half_offset(pass, c, row),
                            pass->padded_width / 2);
}

/* Half of what chroma has more where it was seen at half the size. */
static void compare_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Pass *pass = ((const Job *)data)->pass;
    const float *images = ae_plan_output(pass->plan, 0);
    const float *half = ae_plan_output(pass->coarse, 0);
    int row = (int)index, n = pass->padded_width / 2;

    for (int c = 0; c < CHROMAS; c++) {
        gsize offset = half_offset(pass, c, row);
        float *more = pass->more + offset;

        gst_ae_chroma_halve(images + row_offset(pass, c + 1, 2 * row), more, n);
        for (int x = 0; x < n; x++)
            more[x] = 0.5f * (half[offset + x] - more[x]);
    }
}

static void write_colour_task(void *data, int64_t index, int thread)
{
    const Job *job = data;
    const Pass *pass = job->pass;
    const float *images = ae_plan_output(pass->plan, 0);
    int y = (int)index, near = y / 2, last = pass->padded_height / 2 - 1;
    int far = CLAMP(y % 2 == 0 ? near - 1 : near + 1, 0, last);
    gsize width = (gsize)pass->padded_width;
    float *rows[COLOURS];

    for (int image = 0; image < COLOURS; image++)
        rows[image] = pass->rows + (gsize)(thread * COLOURS + image) * width;
    memcpy(rows[0], images + row_offset(pass, 0, y), width * sizeof(float));
    for (int c = 0; c < CHROMAS; c++)
        gst_ae_chroma_add(images + row_offset(pass, c + 1, y),
                          pass->more + half_offset(pass, c, near),
                          pass->more + half_offset(pass, c, far), rows[c + 1],
                          (int)width / 2);
    if (GST_VIDEO_INFO_IS_RGB(&job->plan->info))
        gst_ae_chroma_to_rgb(rows, (int)width, neutral(&job->plan->range));
    for (int image = 0; image < COLOURS; image++)
        write_row(job, rows[image], image, 0, y);
}

static void run_colour(Job *job)
{
    const Pass *pass = job->pass;
    AePool *pool = job->plan->pool;

    ae_pool_run(pool, read_colour_task, job, pass->padded_height / 2);
    ae_plan_run(pass->plan);
    ae_plan_run(pass->coarse);
    ae_pool_run(pool, compare_task, job, pass->padded_height / 2);
    ae_pool_run(pool, write_colour_task, job, pass->height);
}

static void run_images(Job *job)
{
    const Pass *pass = job->pass;
    AePool *pool = job->plan->pool;

    ae_pool_run(pool, read_task, job,
                (int64_t)pass->batch * pass->padded_height);
    ae_plan_run(pass->plan);
    ae_pool_run(pool, write_task, job,
                (int64_t)pass->batch * pass->height * job->plan->scale);
}

static void run_pass(const GstAeVideoPlan *plan, const Pass *pass,
                     GstVideoFrame *in, GstVideoFrame *out, float strength)
{
    for (int first = 0; first < pass->n_images; first += pass->batch) {
        Job job = {plan, pass, in, out, first, strength};

        if (pass->coarse != NULL)
            run_colour(&job);
        else
            run_images(&job);
    }
}

static void plain_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const PlainJob *job = data;
    const Plain *plain = &job->plan->plains[index];
    int c = plain->component, width = plain->width * job->plan->scale;

    for (int y = 0; y < plain->height; y++)
        gst_ae_pixels_read(job->in, c, y, plain->width, &unit_range,
                           plain->small + (gsize)y * plain->width, 1);
    ae_resampler_run(plain->resampler, plain->small, plain->large);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(job->out, c); y++)
        gst_ae_pixels_write(job->out, c, 0, y,
                            GST_VIDEO_FRAME_COMP_WIDTH(job->out, c),
                            &unit_range, plain->large + (gsize)y * width, 1);
}

static void set_shape_error(const AePlan *plan, const char *label,
                            const char *wanted, GError **error)
{
    g_autofree char *in = ae_shape_to_string(ae_plan_input_shape(plan, 0));
    g_autofree char *out = ae_shape_to_string(ae_plan_output_shape(plan, 0));

    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' turns %s into %s, but its output must have %s",
                label, in, out, wanted);
}

static AePlan *plan_shape(const GstAeModel *model, const AeShape *shape,
                          AePool *pool, AePrecision precision, GError **error)
{
    AePlanOptions options = {
        .shapes = shape, .n_inputs = 1, .pool = pool, .precision = precision};
    AePlan *plan = ae_plan_new(model->model, &options, error);

    if (plan == NULL)
        g_prefix_error(error,
                       "model '%s' cannot run on images of %" G_GINT64_FORMAT
                       "x%" G_GINT64_FORMAT ": ",
                       model->label, shape->dim[3], shape->dim[2]);
    return plan;
}

/* The same images, how often larger? 0: not by a whole number. */
static int plan_scale(const AePlan *plan)
{
    const AeShape *in = ae_plan_input_shape(plan, 0);
    const AeShape *out = ae_plan_output_shape(plan, 0);
    int64_t scale =
        out->rank == 4 && in->dim[2] > 0 ? out->dim[2] / in->dim[2] : 0;

    if (scale == 0 || scale > G_MAXINT || out->dim[0] != in->dim[0] ||
        out->dim[1] != in->dim[1] || out->dim[2] != in->dim[2] * scale ||
        out->dim[3] != in->dim[3] * scale)
        return 0;
    return (int)scale;
}

static AePlan *plan_frames(const GstAeModel *model, const Pass *pass, int scale,
                           AePool *pool, AePrecision precision, GError **error)
{
    AeShape shape = ae_shape(4, pass->batch, pass->channels,
                             pass->padded_height, pass->padded_width);
    g_autoptr(AePlan) plan = plan_shape(model, &shape, pool, precision, error);

    if (plan == NULL || plan_scale(plan) == scale)
        return g_steal_pointer(&plan);
    set_shape_error(plan, model->label,
                    scale == 1 ? "the shape of its input"
                               : "the same multiple of every input's size",
                    error);
    return NULL;
}

/* The sizes that the file fixes. */
static gboolean accept_size(const GstAeModel *model, const Pass *pass,
                            GError **error)
{
    const AeShape *shape = input_shape(model->model);
    int64_t height = shape->dim[2], width = shape->dim[3];

    if ((width == AE_UNKNOWN || width == pass->width) &&
        (height == AE_UNKNOWN || height == pass->height))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' wants images of %" G_GINT64_FORMAT
                "x%" G_GINT64_FORMAT " and no others, but a plane of this "
                "video has %dx%d",
                model->label, width, height, pass->width, pass->height);
    return FALSE;
}

static gboolean choose_batch(const GstAeModel *model, Pass *pass,
                             GError **error)
{
    int64_t batch = input_shape(model->model)->dim[0];
    int images = pass->n_images;

    pass->batch = batch == AE_UNKNOWN ? images : (int)MIN(batch, images);
    if (pass->batch > 0 && batch <= images && images % pass->batch == 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' wants batches of %" G_GINT64_FORMAT
                " images, but %d planes of this video have %dx%d",
                model->label, batch, images, pass->width, pass->height);
    return FALSE;
}

/* Plans for the smallest padding that works, a multiple of @times those of the
 * model; the error is that of the first that does not. */
static gboolean plan_pass(const GstAeModel *model, Pass *pass, int scale,
                          int times, AePool *pool, AePrecision precision,
                          GError **error)
{
    g_autoptr(GError) first = NULL;
    int multiple;

    if (!accept_size(model, pass, error) || !choose_batch(model, pass, error))
        return FALSE;
    for (int i = 0; pass->plan == NULL; i++) {
        multiple = ae_metadata_multiple(&model->metadata, i) * times;
        if (multiple == 0)
            break;
        int width = ae_round_up(pass->width, multiple);
        int height = ae_round_up(pass->height, multiple);

        if (width == pass->padded_width && height == pass->padded_height)
            continue;
        pass->padded_width = width;
        pass->padded_height = height;
        pass->plan = plan_frames(model, pass, scale, pool, precision,
                                 first == NULL ? &first : NULL);
    }
    if (pass->plan == NULL)
        g_propagate_error(error, g_steal_pointer(&first));
    return pass->plan != NULL;
}

/* Whether luma and chroma of one size, or RGB, which becomes that, reach a
 * model of any size that wants them. */
static gboolean sees_colours(const GstAeModel *model,
                             const GstAeVideoPlan *plan)
{
    const GstVideoFormatInfo *format = plan->info.finfo;
    const AeShape *shape = input_shape(model->model);

    return plan->passes[0].n_images == COLOURS &&
           plan->passes[0].channels == 1 && format->w_sub[1] == 0 &&
           format->h_sub[1] == 0 && shape->dim[0] == AE_UNKNOWN &&
           shape->dim[2] == AE_UNKNOWN && shape->dim[3] == AE_UNKNOWN &&
           model->metadata.luma_chroma;
}

static gboolean plan_colours(const GstAeModel *model,
                             const GstAeVideoPlan *plan, Pass *pass,
                             AePrecision precision, GError **error)
{
    AeShape shape = ae_shape(4, CHROMAS, 1, pass->padded_height / 2,
                             pass->padded_width / 2);
    int threads = ae_pool_threads(plan->pool);

    pass->more = ae_alloc_floats((gsize)ae_shape_elements(&shape));
    pass->rows = ae_alloc_floats((gsize)threads * COLOURS * pass->padded_width);
    if (pass->more == NULL || pass->rows == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is not enough memory for chroma of %dx%d",
                    pass->padded_width / 2, pass->padded_height / 2);
        return FALSE;
    }
    pass->coarse = plan_shape(model, &shape, plan->pool, precision, error);
    return pass->coarse != NULL;
}

/* The pass for images of this size, made if there is none. */
static Pass *find_pass(GstAeVideoPlan *plan, int width, int height,
                       int channels)
{
    Pass *pass;

    for (int i = 0; i < plan->n_passes; i++)
        if (plan->passes[i].width == width && plan->passes[i].height == height)
            return &plan->passes[i];
    pass = &plan->passes[plan->n_passes++];
    pass->width = width;
    pass->height = height;
    pass->channels = channels;
    return pass;
}

/* Enlarging moves the first sample outwards by (scale - 1) / (2 scale) samples.
 * Chroma that is cosited has to stay with the first sample of luma, whose
 * samples are half as far apart. */
static double chroma_shift(const GstAeVideoPlan *plan, int subsampling,
                           gboolean cosited)
{
    return subsampling == 1 && cosited ? (plan->scale - 1) / (4.0 * plan->scale)
                                       : 0;
}

static gboolean add_plain(GstAeVideoPlan *plan, int component, GError **error)
{
    Plain *plain = &plan->plains[plan->n_plains++];
    GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE(&plan->info);
    int width = GST_VIDEO_INFO_COMP_WIDTH(&plan->info, component);
    int height = GST_VIDEO_INFO_COMP_HEIGHT(&plan->info, component);
    gsize n = (gsize)width * height;

    *plain = (Plain){component, width, height};
    plain->resampler = ae_resampler_new_shifted(
        width, height, width * plan->scale, height * plan->scale, 1,
        AE_RESAMPLE_BICUBIC,
        chroma_shift(plan, plan->info.finfo->w_sub[component],
                     (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0),
        chroma_shift(plan, plan->info.finfo->h_sub[component],
                     (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0));
    plain->small = ae_alloc_floats(n);
    plain->large = ae_alloc_floats(n * plan->scale * plan->scale);
    if (plain->small != NULL && plain->large != NULL)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                "there is not enough memory to make %dx%d samples %d times "
                "larger",
                width, height, plan->scale);
    return FALSE;
}

static gboolean is_yuv420(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_IS_YUV(info) && info->finfo->w_sub[1] == 1 &&
           info->finfo->h_sub[1] == 1;
}

/* An image of components, as many as the model has channels. */
static void add_image(GstAeVideoPlan *plan, int first, int channels)
{
    int width = GST_VIDEO_INFO_COMP_WIDTH(&plan->info, first);
    int height = GST_VIDEO_INFO_COMP_HEIGHT(&plan->info, first);
    Pass *pass = find_pass(plan, width, height, channels);
    GstAeLane *lanes = &pass->lanes[pass->n_images++ * channels];

    for (int c = 0; c < channels; c++)
        lanes[c] = (GstAeLane){first + c, 0, 0, 1};
}

/* An image of six channels, of three components or of one without colour. */
static void add_yuv420(GstAeVideoPlan *plan, int luma, gboolean colour)
{
    int width = (GST_VIDEO_INFO_COMP_WIDTH(&plan->info, luma) + 1) / 2;
    int height = (GST_VIDEO_INFO_COMP_HEIGHT(&plan->info, luma) + 1) / 2;
    Pass *pass = find_pass(plan, width, height, AE_YUV420_CHANNELS);
    GstAeLane *lanes = &pass->lanes[pass->n_images++ * AE_YUV420_CHANNELS];

    for (int c = 0; c < 4; c++)
        lanes[c] = (GstAeLane){luma, c % 2, c / 2, 2};
    for (int c = 4; c < AE_YUV420_CHANNELS; c++)
        lanes[c] = (GstAeLane){colour ? c - 3 : NEUTRAL, 0, 0, 1};
}

/* The first @n components as images. */
static void add_images(GstAeVideoPlan *plan, int channels, int n)
{
    gboolean colour = is_yuv420(&plan->info);

    if (channels == AE_YUV420_CHANNELS)
        for (int c = 0; c < (colour ? 1 : n); c++)
            add_yuv420(plan, c, colour);
    else
        for (int c = 0; c < n; c += channels)
            add_image(plan, c, channels);
}

static gboolean group_components(GstAeVideoPlan *plan, int channels,
                                 GError **error)
{
    int all = GST_VIDEO_INFO_N_COMPONENTS(&plan->info), n = all;

    if (GST_VIDEO_INFO_HAS_ALPHA(&plan->info))
        n = GST_VIDEO_COMP_A;
    if (plan->scale > 1 && channels == 1)
        n = 1;
    add_images(plan, channels, n);
    plan->copy = gst_ae_pixels_have_rest(&plan->info);
    for (int c = n; c < all && plan->scale > 1; c++)
        if (!add_plain(plan, c, error))
            return FALSE;
    return TRUE;
}

/* The fields of a frame alternate row by row in every component; they must have
 * equally many. */
static gboolean split_fields(GstAeVideoPlan *plan, GError **error)
{
    GstVideoInfo *info = &plan->info;
    gboolean even = info->interlace_mode != GST_VIDEO_INTERLACE_MODE_FIELDS;

    plan->fields = GST_VIDEO_INFO_IS_INTERLACED(info) ? 2 : 1;
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        even &= info->height % (2 << info->finfo->h_sub[c]) == 0;
    if (plan->fields == 2 && !even) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "this video is interlaced (%s), and its %d rows are not "
                    "those of two equal fields in turn: put a deinterlace "
                    "before the element",
                    gst_video_interlace_mode_to_string(info->interlace_mode),
                    info->height);
        return FALSE;
    }
    info->height /= plan->fields;
    return TRUE;
}

int gst_ae_video_plan_channels(const GstAeModel *model, GError **error)
{
    const AeModel *m = model->model;
    const AeShape *shape;
    g_autofree char *text = NULL;

    if (m->inputs->len != 1 || m->outputs->len != 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' has %u inputs and %u outputs, where one image "
                    "each was expected",
                    model->label, m->inputs->len, m->outputs->len);
        return 0;
    }
    shape = input_shape(m);
    if (shape->rank == 4 && (shape->dim[1] == 1 || shape->dim[1] == 3 ||
                             shape->dim[1] == AE_YUV420_CHANNELS))
        return (int)shape->dim[1];
    text = ae_shape_to_string(shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' takes an input of %s, where an image of 1, 3 or 6 "
                "channels (?x1x?x?, ?x3x?x? or ?x6x?x?) was expected",
                model->label, text);
    return 0;
}

gboolean gst_ae_video_plan_fits(const GstAeVideoPlan *plan,
                                const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_FORMAT(&plan->info) == GST_VIDEO_INFO_FORMAT(info) &&
           GST_VIDEO_INFO_WIDTH(&plan->info) == GST_VIDEO_INFO_WIDTH(info) &&
           GST_VIDEO_INFO_HEIGHT(&plan->info) * plan->fields ==
               GST_VIDEO_INFO_HEIGHT(info) &&
           GST_VIDEO_INFO_INTERLACE_MODE(&plan->info) ==
               GST_VIDEO_INFO_INTERLACE_MODE(info) &&
           GST_VIDEO_INFO_CHROMA_SITE(&plan->info) ==
               GST_VIDEO_INFO_CHROMA_SITE(info);
}

int gst_ae_video_plan_scale(const GstAeModel *model, GError **error)
{
    enum { SIDE = 32 };
    int multiple = ae_metadata_multiple(&model->metadata, 0), scale;
    AeShape shape = *input_shape(model->model);

    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] == AE_UNKNOWN)
            shape.dim[i] = i == 0 ? 1 : ae_round_up(SIDE, multiple);
    g_autoptr(AePlan) plan =
        plan_shape(model, &shape, NULL, AE_PRECISION_AUTO, error);
    if (plan == NULL)
        return 0;
    scale = plan_scale(plan);
    if (scale == 0)
        set_shape_error(plan, model->label,
                        "a whole multiple of its input's size", error);
    return scale;
}

GstAeVideoPlan *gst_ae_video_plan_new(const GstAeModel *model,
                                      const GstVideoInfo *info, int scale,
                                      int threads, AePrecision precision,
                                      GError **error)
{
    g_autoptr(GstAeVideoPlan) plan = g_new0(GstAeVideoPlan, 1);
    int channels = gst_ae_video_plan_channels(model, error);

    plan->info = *info;
    plan->scale = scale;
    if (channels == 0 || !split_fields(plan, error) ||
        !gst_ae_pixels_accept(model, channels, info, error))
        return NULL;
    plan->range = model->metadata.range;
    if (channels == AE_YUV420_CHANNELS && scale > 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "model '%s' takes 4:2:0 video (?x6x?x?), but only images "
                    "of 1 or 3 channels are enlarged",
                    model->label);
        return NULL;
    }
    plan->pool = ae_pool_new(threads);
    if (!group_components(plan, channels, error))
        return NULL;
    for (int i = 0; i < plan->n_passes; i++) {
        Pass *pass = &plan->passes[i];
        gboolean colours = i == 0 && sees_colours(model, plan);

        if (!plan_pass(model, pass, scale, colours ? 2 : 1, plan->pool,
                       precision, error) ||
            (colours && !plan_colours(model, plan, pass, precision, error)))
            return NULL;
    }
    return g_steal_pointer(&plan);
}

AePool *gst_ae_video_plan_pool(const GstAeVideoPlan *plan)
{
    return plan->pool;
}

static void pass_clear(Pass *pass)
{
    ae_plan_free(pass->plan);
    ae_plan_free(pass->coarse);
    ae_free(pass->more);
    ae_free(pass->rows);
}

static void plain_clear(Plain *plain)
{
    ae_resampler_free(plain->resampler);
    ae_free(plain->small);
    ae_free(plain->large);
}

void gst_ae_video_plan_free(GstAeVideoPlan *plan)
{
    if (plan == NULL)
        return;
    for (int i = 0; i < plan->n_passes; i++)
        pass_clear(&plan->passes[i]);
    for (int i = 0; i < plan->n_plains; i++)
        plain_clear(&plan->plains[i]);
    if (plan->pool != NULL)
        ae_pool_free(plan->pool);
    g_free(plan);
}

/* Every fields-th row, from row @field on; valid as long as @frame. */
static GstVideoFrame view_field(const GstVideoFrame *frame, int field,
                                int fields)
{
    GstVideoFrame view = *frame;

    view.info.height /= fields;
    for (int i = 0; i < (int)GST_VIDEO_FRAME_N_PLANES(frame); i++) {
        view.data[i] =
            (uint8_t *)frame->data[i] + (gssize)field * frame->info.stride[i];
        view.info.stride[i] *= fields;
    }
    return view;
}

static void run_field(const GstAeVideoPlan *plan, GstVideoFrame *in,
                      GstVideoFrame *out, float strength)
{
    PlainJob plains = {plan, in, out};

    if (strength == 0) {
        gst_ae_pixels_copy(out, in);
        return;
    }
    if (plan->copy && plan->scale > 1)
        gst_ae_pixels_enlarge(out, in, plan->scale);
    else if (plan->copy)
        gst_ae_pixels_copy(out, in);
    ae_pool_run(plan->pool, plain_task, &plains, plan->n_plains);
    for (int i = 0; i < plan->n_passes; i++)
        run_pass(plan, &plan->passes[i], in, out, strength);
}

void gst_ae_video_plan_run(GstAeVideoPlan *plan, GstVideoFrame *in,
                           GstVideoFrame *out, float strength)
{
    for (int i = 0; i < plan->fields; i++) {
        GstVideoFrame in_field = view_field(in, i, plan->fields);
        GstVideoFrame out_field = view_field(out, i, plan->fields);

        run_field(plan, &in_field, &out_field, strength);
    }
}
