/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes of frames that are enlarged without the model, or whose model makes
 * them in another size than is wanted: samples to floats, resampled, and back.
 */
#include "base/error.h"
#include "video/plane.h"
#include "video/private.h"

/* Rows are the tasks. */
typedef struct {
    const AeFilterResample *resample;
    const AePlane *in, *out;
    int columns; /* to be written */
} Job;

static const AeRange unit_range = {0.0f, 1.0f};

static int row_floats(const AeFilterResample *resample)
{
    return resample->out_width + (int)ae_resampler_scratch(resample->resampler);
}

/* How samples of a plane lie that has one for 2^@log2 pixels, where @in pixels
 * become @out. Enlarging moves the first pixel outwards by (out - in) / (2 out)
 * pixels. Chroma that is cosited has to stay with the first sample of luma,
 * whose samples lie 2^@log2 times as close. */
static AeResampleAxis plane_axis(int in, int out, int log2, gboolean cosited)
{
    double outwards = (out - in) / (2.0 * out) * (1 - 1.0 / (1 << log2));

    return (AeResampleAxis){ae_subsampled(in, log2), ae_subsampled(out, log2),
                            (double)in / out, cosited ? outwards : 0};
}

gboolean ae_filter_add_resample(const AeFilter *filter,
                                AeFilterResample *resample, int plane,
                                int times, AeResampleKernel kernel,
                                GError **error)
{
    const AePictureFormat *format = &filter->format;
    AeResampleAxis across =
        plane_axis(format->width * times, filter->width, format->log2_x[plane],
                   format->cosited_x);
    AeResampleAxis down = plane_axis(format->height * times, filter->height,
                                     format->log2_y[plane], format->cosited_y);

    resample->width = across.in;
    resample->height = down.in;
    resample->out_width = across.out;
    resample->resampler =
        ae_resampler_new_axes(&across, &down, 1, kernel, error);
    if (resample->resampler == NULL)
        return FALSE;
    resample->source =
        ae_alloc((size_t)across.in * (size_t)down.in, sizeof(float), error);
    if (resample->source == NULL)
        return FALSE;
    resample->rows =
        ae_alloc((size_t)ae_pool_threads(filter->pool),
                 sizeof(float) * (size_t)row_floats(resample), error);
    return resample->rows != NULL;
}

void ae_filter_clear_resample(AeFilterResample *resample)
{
    ae_resampler_free(resample->resampler);
    ae_free(resample->source);
    ae_free(resample->rows);
}

static void read_task(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Job *job = data;
    int width = job->resample->width;

    ae_plane_read(job->in, (int)index, width, unit_range,
                  job->resample->source + (size_t)index * (size_t)width, 1);
}

static void write_task(void *data, int64_t index, int thread)
{
    const Job *job = data;
    const AeFilterResample *resample = job->resample;
    float *row = resample->rows + (size_t)thread * row_floats(resample);

    ae_resampler_row(resample->resampler, resample->source, (int)index,
                     row + resample->out_width, row);
    ae_plane_write(job->out, 0, (int)index, job->columns, unit_range, row, 1);
}

void ae_filter_resample(const AeFilter *filter,
                        const AeFilterResample *resample, const AePlane *in,
                        const AePlane *out, int columns)
{
    Job job = {resample, in, out, columns};

    if (in != NULL)
        ae_pool_run(filter->pool, read_task, &job, resample->height);
    ae_pool_run(filter->pool, write_task, &job, out->height);
}
