/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "base/random.h"

#include <math.h>

/* SSIM by its definition, in double. */
static double reference_ssim(const uint8_t *a, const uint8_t *b, int stride,
                             int width, int height)
{
    double window[11][11], norm = 0, total = 0;

    for (int y = 0; y < 11; y++)
        for (int x = 0; x < 11; x++)
            norm += window[y][x] =
                exp(-((y - 5) * (y - 5) + (x - 5) * (x - 5)) / 4.5);
    for (int y = 0; y + 11 <= height; y++)
        for (int x = 0; x + 11 <= width; x++) {
            double ma = 0, mb = 0, va = 0, vb = 0, c = 0;
            for (int i = 0; i < 121; i++) {
                int at = (y + i / 11) * stride + x + i % 11;
                ma += window[i / 11][i % 11] / norm * a[at];
                mb += window[i / 11][i % 11] / norm * b[at];
            }
            for (int i = 0; i < 121; i++) {
                int at = (y + i / 11) * stride + x + i % 11;
                double w = window[i / 11][i % 11] / norm;
                va += w * (a[at] - ma) * (a[at] - ma);
                vb += w * (b[at] - mb) * (b[at] - mb);
                c += w * (a[at] - ma) * (b[at] - mb);
            }
            total += (2 * ma * mb + 6.5025) * (2 * c + 58.5225) /
                     ((ma * ma + mb * mb + 6.5025) * (va + vb + 58.5225));
        }
    return total / ((width - 10.0) * (height - 10.0));
}

static AePlane plane(const uint8_t *data, int stride, int width, int height)
{
    return ae_plane((uint8_t *)data, stride, 1, width, height, 8);
}

static double ssim_of(const AePlane *a, const AePlane *b)
{
    g_autoptr(GError) error = NULL;
    double result = 0;

    ae_ssim(a, b, &result, &error);
    g_assert_no_error(error);
    return result;
}

static double ssim(const uint8_t *a, const uint8_t *b, int stride, int width,
                   int height)
{
    AePlane first = plane(a, stride, width, height);
    AePlane second = plane(b, stride, width, height);

    return ssim_of(&first, &second);
}

static double mse(const uint8_t *a, int stride_a, const uint8_t *b,
                  int stride_b, int width, int height)
{
    AePlane first = plane(a, stride_a, width, height);
    AePlane second = plane(b, stride_b, width, height);

    return ae_mse(&first, &second);
}

static void fill(uint8_t *a, uint8_t *b, int n, int contrast)
{
    AeRandom random = ae_random(1, (uint64_t)contrast);

    for (int i = 0; i < n; i++) {
        a[i] = (uint8_t)(ae_random_below(&random, (uint32_t)contrast + 1) +
                         (255 - contrast));
        b[i] = (uint8_t)CLAMP(a[i] + (int)ae_random_below(&random, 21) - 10, 0,
                              255);
    }
}

static void test_ssim(void)
{
    static const struct {
        int width, height, stride, contrast;
    } cases[] = {
        {11, 11, 11, 255}, {11, 30, 13, 255}, {37, 12, 40, 255},
        {64, 48, 64, 20},  {33, 29, 33, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int w = cases[i].width, h = cases[i].height, stride = cases[i].stride;
        g_autofree uint8_t *a = g_malloc((gsize)stride * h);
        g_autofree uint8_t *b = g_malloc((gsize)stride * h);
        fill(a, b, stride * h, cases[i].contrast);
        /* float against double: a few units of the 24-bit mantissa */
        g_assert_cmpfloat_with_epsilon(
            ssim(a, b, stride, w, h), reference_ssim(a, b, stride, w, h), 2e-5);
        g_assert_cmpfloat_with_epsilon(ssim(a, a, stride, w, h), 1, 1e-6);
    }
}

/* Under the window's size: one window, equal weights. */
static void test_ssim_small(void)
{
    static const uint8_t a[] = {10, 20, 30, 40}, b[] = {20, 20, 20, 60};
    /* means 25, 30; variances 125, 300; covariance 150 */
    double expected = (2 * 25 * 30 + 6.5025) * (2 * 150 + 58.5225) /
                      ((625 + 900 + 6.5025) * (425 + 58.5225));

    g_assert_cmpfloat_with_epsilon(ssim(a, b, 2, 2, 2), expected, 1e-5);
    g_assert_cmpfloat_with_epsilon(ssim(a, b, 4, 4, 1), expected, 1e-5);
}

static void test_mse(void)
{
    static const uint8_t a[] = {0, 255, 9, 100, 3, 9};
    static const uint8_t b[] = {255, 255, 100, 98, 7, 7, 7, 7};

    /* 3 x 2 would differ: the strides hide the 9s and 7s */
    g_assert_cmpfloat_with_epsilon(mse(a, 3, b, 4, 2, 1), 0.5, 1e-12);
    g_assert_cmpfloat_with_epsilon(mse(a + 3, 3, b + 3, 4, 2, 1),
                                   (4 + 16) / 2.0 / 65025, 1e-12);
    g_assert_cmpfloat(mse(a, 3, a, 3, 2, 2), ==, 0);
}

/* A row whose sum of squares passes 32 bits. */
static void test_mse_wide(void)
{
    enum { WIDTH = 100000 };
    g_autofree uint8_t *black = g_malloc0(WIDTH);
    g_autofree uint8_t *white = g_malloc(WIDTH);

    memset(white, 255, WIDTH);
    g_assert_cmpfloat(mse(black, WIDTH, white, WIDTH, WIDTH, 1), ==, 1);
}

/* Samples of 16 bits that are 257 times those of 8 are the same picture, and so
 * are those of 8 bits that lie apart. */
static void test_deep(void)
{
    enum { W = 21, H = 17 };
    uint8_t bytes[2][W * H], apart[2][W * H * 3], words[2][W * H * 2];
    AePlane planes[3][2];

    fill(bytes[0], bytes[1], W * H, 255);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < W * H; k++) {
            apart[i][3 * k] = bytes[i][k];
            words[i][2 * k] = words[i][2 * k + 1] = bytes[i][k];
        }
        planes[0][i] = plane(bytes[i], W, W, H);
        planes[1][i] = ae_plane(apart[i], 3 * W, 3, W, H, 8);
        planes[2][i] = ae_plane(words[i], 2 * W, 2, W, H, 16);
    }
    for (int k = 1; k < 3; k++) {
        g_assert_cmpfloat_with_epsilon(ae_mse(&planes[k][0], &planes[k][1]),
                                       ae_mse(&planes[0][0], &planes[0][1]),
                                       1e-12);
        g_assert_cmpfloat_with_epsilon(ssim_of(&planes[k][0], &planes[k][1]),
                                       ssim_of(&planes[0][0], &planes[0][1]),
                                       1e-6);
        planes[k][0].height = planes[k][1].height = 9;
        planes[0][0].height = planes[0][1].height = 9;
        g_assert_cmpfloat_with_epsilon(ssim_of(&planes[k][0], &planes[k][1]),
                                       ssim_of(&planes[0][0], &planes[0][1]),
                                       1e-6);
        planes[0][0].height = planes[0][1].height = H;
    }
}

/* One step of 1023 is what is seen between words of 10 bits. */
static void test_deep_step(void)
{
    const uint8_t a[] = {0, 0, 0xff, 3}, b[] = {1, 0, 0xff, 3};
    AePlane first = ae_plane((uint8_t *)a, 4, 2, 2, 1, 10);
    AePlane second = ae_plane((uint8_t *)b, 4, 2, 2, 1, 10);

    g_assert_cmpfloat_with_epsilon(ae_mse(&first, &second),
                                   0.5 / (1023.0 * 1023), 1e-15);
}

static void test_psnr(void)
{
    g_assert_cmpfloat_with_epsilon(ae_psnr(0.01), 20, 1e-9);
    g_assert_true(isinf(ae_psnr(0)) && ae_psnr(0) > 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/ssim", test_ssim);
    g_test_add_func("/metrics/ssim-small", test_ssim_small);
    g_test_add_func("/metrics/mse", test_mse);
    g_test_add_func("/metrics/mse-wide", test_mse_wide);
    g_test_add_func("/metrics/deep", test_deep);
    g_test_add_func("/metrics/deep-step", test_deep_step);
    g_test_add_func("/metrics/psnr", test_psnr);
    return g_test_run();
}
