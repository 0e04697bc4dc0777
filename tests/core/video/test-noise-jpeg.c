/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loss of JPEG: how large it is, and where its blocks lie. */
#include "video/noise-jpeg.h"

#include "ae.h"
#include "base/random.h"

enum { W = 19, H = 13, C = 3, SIZE = W * H * C };

static void fill(float *samples)
{
    AeRandom random = ae_random(1, 2);

    for (int i = 0; i < SIZE; i++)
        samples[i] = ae_random_uniform(&random);
}

/* The mean squared error that @quality leaves of a random picture. */
static double loss(float quality)
{
    const float before[2] = {0.3f, 0.8f};
    float in[SIZE], out[SIZE];
    double sum = 0;

    fill(in);
    memcpy(out, in, sizeof out);
    ae_noise_jpeg(out, W, H, C, quality, before);
    for (int i = 0; i < SIZE; i++)
        sum += ((double)out[i] - in[i]) * ((double)out[i] - in[i]);
    return sum / SIZE;
}

/* With quality 100 all steps are one level: rounding to a level has the
 * variance 1/12. */
static void test_quality(void)
{
    g_assert_cmpfloat_with_epsilon(loss(100) * 255 * 255, 1 / 12.0, 0.01);
    g_assert_cmpfloat(loss(100), <, loss(90));
    g_assert_cmpfloat(loss(90), <, loss(50));
    g_assert_cmpfloat(loss(50), <, loss(10));
}

/* A changed sample changes its own block and channel alone. */
static void test_blocks(void)
{
    static const struct {
        float before[2];
        int x, y, x0, x1, y0, y1; /* the sample, and its block */
    } cases[] = {
        {{0, 0}, 9, 3, 8, 16, 0, 8},
        {{0, 0}, 18, 12, 16, 19, 8, 13},
        {{0.5f, 0}, 9, 3, 4, 12, 0, 8},
        {{0.5f, 0.25f}, 1, 5, 0, 4, 0, 6},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        float a[SIZE], b[SIZE];
        int changed = 0;

        fill(a);
        fill(b);
        b[(cases[i].y * W + cases[i].x) * C + 1] += 1;
        ae_noise_jpeg(a, W, H, C, 30, cases[i].before);
        ae_noise_jpeg(b, W, H, C, 30, cases[i].before);
        for (int k = 0; k < SIZE; k++) {
            const int x = k / C % W, y = k / C / W;
            const gboolean inside = k % C == 1 && x >= cases[i].x0 &&
                                    x < cases[i].x1 && y >= cases[i].y0 &&
                                    y < cases[i].y1;

            g_assert_true(a[k] == b[k] || inside);
            changed += a[k] != b[k];
        }
        g_assert_cmpint(changed, >, 8);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/noise-jpeg/quality", test_quality);
    g_test_add_func("/noise-jpeg/blocks", test_blocks);
    return g_test_run();
}
