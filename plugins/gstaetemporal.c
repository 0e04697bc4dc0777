/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of frames for the temporal filter. */
#include "gstaetemporal.h"

#include "gstaepixels.h"

struct GstAeTemporal {
    AeTemporal *filter;
    int widths[AE_TEMPORAL_PLANES]; /* samples that are read */
};

typedef struct {
    const GstAeTemporal *temporal;
    const GstVideoFrame *in;
    GstVideoFrame *out;
} Job;

static const AeRange levels = {0.0f, 255.0f};

static void read_noisy(void *data, int plane, int y, float *row)
{
    const Job *job = data;

    gst_ae_pixels_read(job->in, plane, y, job->temporal->widths[plane], &levels,
                       row, 1);
}

static void read_denoised(void *data, int plane, int y, float *row)
{
    const Job *job = data;

    gst_ae_pixels_read(job->out, plane, y, job->temporal->widths[plane],
                       &levels, row, 1);
}

static void write_row(void *data, int plane, int y, const float *row)
{
    const Job *job = data;

    if (y >= GST_VIDEO_FRAME_COMP_HEIGHT(job->out, plane))
        return;
    gst_ae_pixels_write(job->out, plane, 0, y,
                        GST_VIDEO_FRAME_COMP_WIDTH(job->out, plane), &levels,
                        row, 1);
}

static void blend(GstVideoFrame *out, const GstVideoFrame *in, int n,
                  float strength)
{
    for (int c = 0; c < n; c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(out, c); y++)
            gst_ae_pixels_blend(out, in, c, y, strength);
}

/* Without alpha, which is the last one. */
static int count_colours(const GstVideoInfo *info)
{
    return (int)GST_VIDEO_INFO_N_COMPONENTS(info) -
           (GST_VIDEO_INFO_HAS_ALPHA(info) ? 1 : 0);
}

GstAeTemporal *gst_ae_temporal_new(const GstVideoInfo *info, AePool *pool,
                                   GError **error)
{
    GstAeTemporal *temporal = g_new0(GstAeTemporal, 1);
    gboolean halved_x[AE_TEMPORAL_PLANES], halved_y[AE_TEMPORAL_PLANES];
    int n = count_colours(info);
    int width = ae_round_up(info->width, AE_TEMPORAL_BLOCK);

    for (int c = 0; c < n; c++) {
        halved_x[c] = info->finfo->w_sub[c] > 0;
        halved_y[c] = info->finfo->h_sub[c] > 0;
        temporal->widths[c] = halved_x[c] ? width / 2 : width;
    }
    temporal->filter = ae_temporal_new(info->width, info->height, n, halved_x,
                                       halved_y, pool, error);
    if (temporal->filter != NULL)
        return temporal;
    g_free(temporal);
    return NULL;
}

void gst_ae_temporal_free(GstAeTemporal *temporal)
{
    if (temporal == NULL)
        return;
    ae_temporal_free(temporal->filter);
    g_free(temporal);
}

void gst_ae_temporal_reset(GstAeTemporal *temporal)
{
    ae_temporal_reset(temporal->filter);
}

float gst_ae_temporal_run(GstAeTemporal *temporal, const GstVideoFrame *in,
                          GstVideoFrame *out, float strength, float sigma)
{
    Job job = {temporal, in, out};
    AeTemporalFrame frame = {read_noisy, read_denoised, write_row, &job};

    ae_temporal_run(temporal->filter, &frame, sigma);
    if (strength < 1)
        blend(out, in, count_colours(&out->info), strength);
    return ae_temporal_sigma(temporal->filter);
}
