/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Components of video frames into tensors, through a model, and back. */
#include "gstaevideoplan.h"

#include "gstaepixels.h"

/* Components of one size, and the plan that they go through: all of them in
 * one run, or some at a time where the file fixes the batch. */
typedef struct {
    AePlan *plan;
    int components[GST_VIDEO_MAX_COMPONENTS];
    int n_components;
    int batch, channels; /* batch * channels components a run */
    int width, height;
    int padded_width, padded_height;
} Pass;

struct GstAeVideoPlan {
    AePool *pool;
    GstVideoInfo info;
    Pass passes[GST_VIDEO_MAX_COMPONENTS];
    int n_passes;
    gboolean copy; /* bytes of a frame that no pass writes */
    GstAeRange range;
};

/* One run of a pass: the rows of its components are the tasks. */
typedef struct {
    const GstAeVideoPlan *plan;
    const Pass *pass;
    GstVideoFrame *frame;
    int first; /* of the pass's components */
} Job;

static const AeShape *input_shape(const AeModel *model)
{
    return &ae_model_value(model, ae_model_input(model, 0))->shape;
}

static void read_row(const Job *job, int image, int c, int y)
{
    const Pass *pass = job->pass;
    int component = pass->components[job->first + image * pass->channels + c];
    gsize row = (gsize)image * pass->padded_height + y;
    float *target = ae_plan_input(pass->plan, 0) +
                    row * pass->padded_width * pass->channels + c;

    gst_ae_pixels_read(job->frame, component, y, pass->padded_width,
                       &job->plan->range, target, pass->channels);
}

static void read_task(void *data, int64_t index, int thread)
{
    const Job *job = data;
    int height = job->pass->padded_height;

    for (int c = 0; c < job->pass->channels; c++)
        read_row(job, (int)(index / height), c, (int)(index % height));
}

static void write_row(const Job *job, int image, int c, int y)
{
    const Pass *pass = job->pass;
    int component = pass->components[job->first + image * pass->channels + c];
    gsize row = (gsize)image * pass->padded_height + y;
    const float *source = ae_plan_output(pass->plan, 0) +
                          row * pass->padded_width * pass->channels + c;

    gst_ae_pixels_write(job->frame, component, 0, y, pass->width,
                        &job->plan->range, source, pass->channels);
}

static void write_task(void *data, int64_t index, int thread)
{
    const Job *job = data;
    int height = job->pass->height;

    for (int c = 0; c < job->pass->channels; c++)
        write_row(job, (int)(index / height), c, (int)(index % height));
}

static void run_pass(const GstAeVideoPlan *plan, const Pass *pass,
                     GstVideoFrame *in, GstVideoFrame *out)
{
    int step = pass->batch * pass->channels;

    for (int first = 0; first < pass->n_components; first += step) {
        Job read = {plan, pass, in, first};
        Job write = {plan, pass, out, first};

        ae_pool_run(plan->pool, read_task, &read,
                    (int64_t)pass->batch * pass->padded_height);
        ae_plan_run(pass->plan);
        ae_pool_run(plan->pool, write_task, &write,
                    (int64_t)pass->batch * pass->height);
    }
}

static gboolean keeps_shape(const AePlan *plan, const char *label,
                            GError **error)
{
    const AeShape *in = ae_plan_input_shape(plan, 0);
    const AeShape *out = ae_plan_output_shape(plan, 0);
    g_autofree char *in_text = NULL, *out_text = NULL;

    if (ae_shape_equal(in, out))
        return TRUE;
    in_text = ae_shape_to_string(in);
    out_text = ae_shape_to_string(out);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' turns %s into %s, but its output must have the "
                "shape of its input",
                label, in_text, out_text);
    return FALSE;
}

static AePlan *plan_shape(const GstAeModel *model, const Pass *pass,
                          AePool *pool, AePrecision precision, GError **error)
{
    AeShape shape = ae_shape(4, pass->batch, pass->channels,
                             pass->padded_height, pass->padded_width);
    AePlanOptions options = {
        .shapes = &shape, .n_inputs = 1, .pool = pool, .precision = precision};
    g_autoptr(AePlan) plan = ae_plan_new(model->model, &options, error);

    if (plan == NULL) {
        g_prefix_error(error, "model '%s' cannot run on images of %dx%d: ",
                       model->label, pass->padded_width, pass->padded_height);
        return NULL;
    }
    if (!keeps_shape(plan, model->label, error))
        return NULL;
    return g_steal_pointer(&plan);
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
    int images = pass->n_components / pass->channels;

    pass->batch = batch == AE_UNKNOWN ? images : (int)MIN(batch, images);
    if (pass->batch > 0 && batch <= images && images % pass->batch == 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' wants batches of %" G_GINT64_FORMAT
                " images, but %d planes of this video have %dx%d",
                model->label, batch, images, pass->width, pass->height);
    return FALSE;
}

/* Plans for the smallest padding that works; the error is that of the first
 * that does not. */
static gboolean plan_pass(const GstAeModel *model, Pass *pass, AePool *pool,
                          AePrecision precision, GError **error)
{
    g_autoptr(GError) first = NULL;
    int multiples[GST_AE_PIXELS_MULTIPLES];

    if (!accept_size(model, pass, error) || !choose_batch(model, pass, error) ||
        !gst_ae_pixels_multiples(model, multiples, error))
        return FALSE;
    for (int i = 0; pass->plan == NULL && multiples[i] != 0; i++) {
        int width = gst_ae_pixels_round_up(pass->width, multiples[i]);
        int height = gst_ae_pixels_round_up(pass->height, multiples[i]);

        if (width == pass->padded_width && height == pass->padded_height)
            continue;
        pass->padded_width = width;
        pass->padded_height = height;
        pass->plan = plan_shape(model, pass, pool, precision,
                                first == NULL ? &first : NULL);
    }
    if (pass->plan == NULL)
        g_propagate_error(error, g_steal_pointer(&first));
    return pass->plan != NULL;
}

/* The pass for components like @component, made if there is none. */
static Pass *find_pass(GstAeVideoPlan *plan, int component, int channels)
{
    int width = GST_VIDEO_INFO_COMP_WIDTH(&plan->info, component);
    int height = GST_VIDEO_INFO_COMP_HEIGHT(&plan->info, component);
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

static void group_components(GstAeVideoPlan *plan, int channels)
{
    int n = GST_VIDEO_INFO_N_COMPONENTS(&plan->info);

    if (GST_VIDEO_INFO_HAS_ALPHA(&plan->info))
        n = GST_VIDEO_COMP_A;
    for (int c = 0; c < n; c++) {
        Pass *pass = find_pass(plan, c, channels);

        pass->components[pass->n_components++] = c;
    }
    plan->copy = gst_ae_pixels_have_rest(&plan->info);
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
    if (shape->rank == 4 && (shape->dim[1] == 1 || shape->dim[1] == 3))
        return (int)shape->dim[1];
    text = ae_shape_to_string(shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' takes an input of %s, where an image of 1 or 3 "
                "channels (?x1x?x? or ?x3x?x?) was expected",
                model->label, text);
    return 0;
}

gboolean gst_ae_video_plan_fits(const GstAeVideoPlan *plan,
                                const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_FORMAT(&plan->info) == GST_VIDEO_INFO_FORMAT(info) &&
           GST_VIDEO_INFO_WIDTH(&plan->info) == GST_VIDEO_INFO_WIDTH(info) &&
           GST_VIDEO_INFO_HEIGHT(&plan->info) == GST_VIDEO_INFO_HEIGHT(info);
}

GstAeVideoPlan *gst_ae_video_plan_new(const GstAeModel *model,
                                      const GstVideoInfo *info, int threads,
                                      AePrecision precision, GError **error)
{
    g_autoptr(GstAeVideoPlan) plan = g_new0(GstAeVideoPlan, 1);
    int channels = gst_ae_video_plan_channels(model, error);

    plan->info = *info;
    if (channels == 0 || !gst_ae_pixels_accept(model, channels, info, error) ||
        !gst_ae_pixels_range(model, &plan->range, error))
        return NULL;
    plan->pool = ae_pool_new(threads);
    group_components(plan, channels);
    for (int i = 0; i < plan->n_passes; i++)
        if (!plan_pass(model, &plan->passes[i], plan->pool, precision, error))
            return NULL;
    return g_steal_pointer(&plan);
}

void gst_ae_video_plan_free(GstAeVideoPlan *plan)
{
    if (plan == NULL)
        return;
    for (int i = 0; i < plan->n_passes; i++)
        ae_plan_free(plan->passes[i].plan);
    if (plan->pool != NULL)
        ae_pool_free(plan->pool);
    g_free(plan);
}

void gst_ae_video_plan_run(GstAeVideoPlan *plan, GstVideoFrame *in,
                           GstVideoFrame *out)
{
    if (plan->copy)
        gst_video_frame_copy(out, in);
    for (int i = 0; i < plan->n_passes; i++)
        run_pass(plan, &plan->passes[i], in, out);
}
