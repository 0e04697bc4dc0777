/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "base/random.h"

#include <math.h>

static double kernel_value(AeResampleKernel kernel, double x)
{
    double d = fabs(x);

    if (kernel == AE_RESAMPLE_BOX)
        return x >= -0.5 && x < 0.5 ? 1 : 0;
    if (kernel == AE_RESAMPLE_LANCZOS && d > 0)
        return d < 3 ? 3 * sin(G_PI * d) * sin(G_PI * d / 3) /
                           (G_PI * G_PI * d * d)
                     : 0;
    if (d <= 1)
        return 1.5 * d * d * d - 2.5 * d * d + 1;
    return d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0;
}

/* The weight of input @j, all its mirror images counted, in output @i. */
static double weight(AeResampleKernel kernel, int in, int out, int i, int j)
{
    double ratio = (double)in / out, width = fmax(ratio, 1);
    double centre = (i + 0.5) * ratio - 0.5, sum = 0, own = 0;

    for (int k = -12 * in - 12; k < 13 * in + 12; k++) {
        double w = kernel_value(kernel, (centre - k) / width);
        int inside = ((k % (2 * in)) + 2 * in) % (2 * in);
        sum += w;
        own += j == MIN(inside, 2 * in - 1 - inside) ? w : 0;
    }
    return own / sum;
}

static const struct {
    int in_w, in_h, out_w, out_h, c;
    AeResampleKernel kernel;
} cases[] = {
    {1, 1, 1, 1, 1, AE_RESAMPLE_BICUBIC},
    {1, 1, 5, 4, 3, AE_RESAMPLE_BICUBIC},
    {2, 1, 4, 3, 1, AE_RESAMPLE_BICUBIC},
    {7, 5, 14, 10, 1, AE_RESAMPLE_BICUBIC},
    {7, 5, 21, 20, 3, AE_RESAMPLE_BICUBIC},
    {12, 9, 4, 3, 1, AE_RESAMPLE_BICUBIC},
    {12, 9, 3, 9, 2, AE_RESAMPLE_BICUBIC}, /* one axis as it is */
    {11, 13, 7, 17, 4, AE_RESAMPLE_BICUBIC},
    {16, 16, 1, 1, 1, AE_RESAMPLE_BICUBIC},
    {3, 40, 9, 2, 1, AE_RESAMPLE_BICUBIC}, /* kernels longer than an axis */
    {7, 5, 14, 8, 1, AE_RESAMPLE_LANCZOS},
    {12, 9, 9, 7, 3, AE_RESAMPLE_LANCZOS},
    {3, 40, 9, 2, 1, AE_RESAMPLE_LANCZOS},
    {12, 9, 6, 3, 3, AE_RESAMPLE_BOX},
    {12, 8, 3, 8, 1, AE_RESAMPLE_BOX},
    {4, 3, 12, 6, 2, AE_RESAMPLE_BOX},
    {10, 7, 4, 3, 1, AE_RESAMPLE_BOX},
};

static void fill(float *x, int n, int seed)
{
    AeRandom random = ae_random(1, (uint64_t)seed);

    for (int i = 0; i < n; i++)
        x[i] = ae_random_uniform(&random);
}

/* Output value @at by the definition, in double. */
static double definition(size_t c, const float *x, int at)
{
    int channels = cases[c].c, channel = at % channels;
    int column = at / channels % cases[c].out_w;
    int row = at / channels / cases[c].out_w;
    double sum = 0;

    for (int j = 0; j < cases[c].in_h; j++) {
        double rows =
            weight(cases[c].kernel, cases[c].in_h, cases[c].out_h, row, j);
        for (int i = 0; rows != 0 && i < cases[c].in_w; i++)
            sum += rows *
                   weight(cases[c].kernel, cases[c].in_w, cases[c].out_w,
                          column, i) *
                   (double)x[(j * cases[c].in_w + i) * channels + channel];
    }
    return sum;
}

static void test_definition(void)
{
    for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
        int n_in = cases[c].in_w * cases[c].in_h * cases[c].c;
        int n_out = cases[c].out_w * cases[c].out_h * cases[c].c;
        g_autofree float *x = g_new(float, n_in), *y = g_new(float, n_out);
        g_autoptr(AeResampler) resampler =
            ae_resampler_new(cases[c].in_w, cases[c].in_h, cases[c].out_w,
                             cases[c].out_h, cases[c].c, cases[c].kernel, NULL);

        fill(x, n_in, (int)c);
        ae_resampler_run(resampler, x, y);
        /* sums of under 100 products of values below 1, in float */
        for (int i = 0; i < n_out; i++)
            g_assert_cmpfloat_with_epsilon((double)y[i], definition(c, x, i),
                                           2e-6);
    }
}

/* The mean of 2 x 3 pixels. */
static void test_mean(void)
{
    static const float x[] = {1, 2, 3, 4, 10, 0, 5, 6, 1, 2, 0, 8};
    g_autoptr(AeResampler) resampler =
        ae_resampler_new(4, 3, 2, 1, 1, AE_RESAMPLE_BOX, NULL);
    float y[2];

    ae_resampler_run(resampler, x, y);
    g_assert_cmpfloat_with_epsilon((double)y[0], 16.0 / 6, 1e-6);
    g_assert_cmpfloat_with_epsilon((double)y[1], 26.0 / 6, 1e-6);
}

/* Halves a row: Keys' kernel at 0.25, 0.75, 1.25 and 1.75 is 0.8671875,
 * 0.2265625, -0.0703125 and -0.0234375. */
static void test_halving(void)
{
    float x[16] = {0}, y[8];
    g_autoptr(AeResampler) resampler =
        ae_resampler_new(16, 1, 8, 1, 1, AE_RESAMPLE_BICUBIC, NULL);

    x[8] = 1;
    ae_resampler_run(resampler, x, y);
    g_assert_cmpfloat_with_epsilon((double)y[4], 0.8671875 / 2, 1e-6);
    g_assert_cmpfloat_with_epsilon((double)y[3], 0.2265625 / 2, 1e-6);
    g_assert_cmpfloat_with_epsilon((double)y[5], -0.0703125 / 2, 1e-6);
    g_assert_cmpfloat_with_epsilon((double)y[2], -0.0234375 / 2, 1e-6);
    g_assert_cmpfloat((double)y[1], ==, 0);
}

/* Shifted by whole pixels an image moves, its edges mirrored. */
static void test_shift(void)
{
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const float moved[] = {6, 7, 8, 8, 10, 11, 12, 12, 10, 11, 12, 12};
    const AeResampleAxis across = {4, 4, 1, 1}, down = {3, 3, 1, 1};
    g_autoptr(AeResampler) resampler =
        ae_resampler_new_axes(&across, &down, 1, AE_RESAMPLE_BICUBIC, NULL);
    float y[12];

    ae_resampler_run(resampler, x, y);
    for (int i = 0; i < 12; i++)
        g_assert_cmpfloat_with_epsilon(y[i], moved[i], 1e-5f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resample/definition", test_definition);
    g_test_add_func("/resample/mean", test_mean);
    g_test_add_func("/resample/halving", test_halving);
    g_test_add_func("/resample/shift", test_shift);
    return g_test_run();
}
