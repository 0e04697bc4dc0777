/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Separable resampling: for each output row first down the columns of the
 * input, then along the row. Output position i of an axis lies at
 *
 *   u = (i + 0.5) ratio - 0.5 + shift
 *
 * of the input and reads input j with the weight k((u - j) / w) / sum, k the
 * kernel and w = max(ratio, 1). */
#include "video/resample.h"

#include <math.h>

#include "base/cubic.h"
#include "base/memory.h"

/* Output position i reads inputs first[i] .. first[i] + n - 1; positions
 * outside the image are mirrored into it. */
typedef struct {
    int in, out, n;
    int *first;    /* out of them */
    float *weight; /* out x n */
} Axis;

struct AeResampler {
    Axis rows, columns;
    int channels;
    int before;  /* pixels that the line has in front of the image */
    int pixels;  /* of the line, mirrored edges included */
    float *line; /* one row, its columns resampled */
};

static double sinc(double x)
{
    return x == 0 ? 1 : sin(G_PI * x) / (G_PI * x);
}

static double kernel_weight(AeResampleKernel kernel, double x)
{
    if (kernel == AE_RESAMPLE_BICUBIC)
        return ae_cubic_weight(-0.5, x);
    if (kernel == AE_RESAMPLE_LANCZOS)
        return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
    return x >= -0.5 && x < 0.5 ? 1 : 0;
}

/* Pixels on each side of a position that may have a weight. */
static int kernel_reach(AeResampleKernel kernel)
{
    switch (kernel) {
    case AE_RESAMPLE_BICUBIC:
        return 2;
    case AE_RESAMPLE_LANCZOS:
        return 3;
    default:
        return 1;
    }
}

/* The position in the image that position @i mirrors. */
static int mirror(int i, int in)
{
    int period = 2 * in, at = i % period;

    if (at < 0)
        at += period;
    return at < in ? at : period - 1 - at;
}

static void fill_position(Axis *axis, int i, const AeResampleAxis *wanted,
                          AeResampleKernel kernel)
{
    double width = MAX(wanted->ratio, 1);
    double centre = (i + 0.5) * wanted->ratio - 0.5 + wanted->shift, sum = 0;
    float *weight = axis->weight + (size_t)i * (size_t)axis->n;
    int first = (int)floor(centre) - (axis->n - 1) / 2;

    for (int k = 0; k < axis->n; k++)
        sum += kernel_weight(kernel, (centre - first - k) / width);
    for (int k = 0; k < axis->n; k++)
        weight[k] =
            (float)(kernel_weight(kernel, (centre - first - k) / width) / sum);
    axis->first[i] = first;
}

static gboolean axis_init(Axis *axis, const AeResampleAxis *wanted,
                          AeResampleKernel kernel, GError **error)
{
    int out = wanted->out;

    axis->in = wanted->in;
    axis->out = out;
    axis->n = 2 * (int)ceil(kernel_reach(kernel) * MAX(wanted->ratio, 1));
    axis->first = ae_alloc((size_t)out, sizeof *axis->first, error);
    if (axis->first == NULL)
        return FALSE;
    axis->weight =
        ae_alloc((size_t)out, sizeof(float) * (size_t)axis->n, error);
    if (axis->weight == NULL)
        return FALSE;
    for (int i = 0; i < out; i++)
        fill_position(axis, i, wanted, kernel);
    return TRUE;
}

static void axis_clear(Axis *axis)
{
    ae_free(axis->first);
    ae_free(axis->weight);
}

AeResampler *ae_resampler_new_axes(const AeResampleAxis *across,
                                   const AeResampleAxis *down, int channels,
                                   AeResampleKernel kernel, GError **error)
{
    g_autoptr(AeResampler) resampler = g_new0(AeResampler, 1);
    Axis *columns = &resampler->columns;
    int end;

    if (!axis_init(&resampler->rows, down, kernel, error) ||
        !axis_init(columns, across, kernel, error))
        return NULL;
    resampler->channels = channels;
    resampler->before = MAX(0, -columns->first[0]);
    end = MAX(across->in, columns->first[across->out - 1] + columns->n);
    resampler->pixels = resampler->before + end;
    resampler->line = ae_alloc((size_t)resampler->pixels,
                               sizeof(float) * (size_t)channels, error);
    return resampler->line != NULL ? g_steal_pointer(&resampler) : NULL;
}

AeResampler *ae_resampler_new(int in_w, int in_h, int out_w, int out_h,
                              int channels, AeResampleKernel kernel,
                              GError **error)
{
    AeResampleAxis across = {in_w, out_w, (double)in_w / out_w, 0};
    AeResampleAxis down = {in_h, out_h, (double)in_h / out_h, 0};

    return ae_resampler_new_axes(&across, &down, channels, kernel, error);
}

void ae_resampler_free(AeResampler *resampler)
{
    if (resampler == NULL)
        return;
    axis_clear(&resampler->rows);
    axis_clear(&resampler->columns);
    ae_free(resampler->line);
    g_free(resampler);
}

static void add_row(float *restrict y, const float *restrict x, float weight,
                    size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += weight * x[i];
}

/* Fills pixels @begin .. @end - 1 of a line, which lie outside the image, from
 * the pixels that they mirror. */
static void mirror_pixels(const AeResampler *resampler, float *line, int begin,
                          int end)
{
    int c = resampler->channels;
    float *image = line + resampler->before * c;

    for (int i = begin; i < end; i++) {
        int inside = mirror(i, resampler->columns.in);

        for (int k = 0; k < c; k++)
            image[i * c + k] = image[inside * c + k];
    }
}

static void resample_columns(const AeResampler *resampler, const float *source,
                             int y, float *line)
{
    const Axis *axis = &resampler->rows;
    const float *weight = axis->weight + (size_t)y * (size_t)axis->n;
    size_t c = (size_t)resampler->channels;
    size_t row = (size_t)resampler->columns.in * c;
    float *image = line + (size_t)resampler->before * c;

    for (size_t i = 0; i < row; i++)
        image[i] = 0;
    for (int k = 0; k < axis->n; k++)
        add_row(image,
                source + row * (size_t)mirror(axis->first[y] + k, axis->in),
                weight[k], row);
    mirror_pixels(resampler, line, -resampler->before, 0);
    mirror_pixels(resampler, line, resampler->columns.in,
                  resampler->pixels - resampler->before);
}

static void resample_row(const AeResampler *resampler, const float *line,
                         float *target)
{
    const Axis *axis = &resampler->columns;
    const float *weight = axis->weight;
    int c = resampler->channels;

    for (int i = 0; i < axis->out; i++, weight += axis->n) {
        const float *x = line + (axis->first[i] + resampler->before) * c;

        for (int channel = 0; channel < c; channel++) {
            float sum = 0;

            for (int k = 0; k < axis->n; k++)
                sum += weight[k] * x[k * c + channel];
            *target++ = sum;
        }
    }
}

size_t ae_resampler_scratch(const AeResampler *resampler)
{
    return (size_t)resampler->pixels * (size_t)resampler->channels;
}

void ae_resampler_row(const AeResampler *resampler, const float *source, int y,
                      float *scratch, float *target)
{
    resample_columns(resampler, source, y, scratch);
    resample_row(resampler, scratch, target);
}

void ae_resampler_run(AeResampler *resampler, const float *source,
                      float *target)
{
    size_t row = (size_t)resampler->columns.out * (size_t)resampler->channels;

    for (int y = 0; y < resampler->rows.out; y++)
        ae_resampler_row(resampler, source, y, resampler->line,
                         target + row * (size_t)y);
}
