/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The level of noise in pictures of known noise: smooth, with edges and with
 * texture, of 8 and 16 bits, with and without clipping. */
#include "ae.h"
#include "base/random.h"
#include "video/noise-level.h"

#include <math.h>

enum { W = 320, H = 240 };

/* Sources in 0 .. 255. */
static double smooth(int x, int y)
{
    return 60 + x * 0.4 + 20 * sin(y * 0.05);
}

static double edges(int x, int y)
{
    return (x / 40 + y / 30) % 2 ? 60 : 190;
}

/* Half of the picture is fine stripes. */
static double texture(int x, int y)
{
    return x < W / 2 ? smooth(x, y) : 128 + 60 * sin(x * 1.9 + y * 0.7);
}

static double dark(int x, int y)
{
    return 2 + x * 0.05 + y * 0.02;
}

static double measure(double (*source)(int x, int y), double sigma, int bits)
{
    static uint8_t bytes[2 * W * H];
    AePlane plane = ae_plane(bytes, W * bits / 8, bits / 8, W, H, bits);
    g_autoptr(AeNoiseLevel) level = ae_noise_level_new(W, NULL);
    AeRandom random = ae_random(5, (uint64_t)(10 * sigma));

    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const AeRange range = {0, 255};
            float v = (float)(source(x, y) + sigma * ae_random_normal(&random));

            ae_plane_write(&plane, x, y, 1, range, &v, 1);
        }
    return ae_noise_level_measure(level, &plane);
}

static void test_levels(void)
{
    static const struct {
        double (*source)(int x, int y);
        double relative; /* error from sigma 5 on */
    } sources[] = {{smooth, 0.06}, {edges, 0.06}, {texture, 0.06}, {dark, 0.1}};
    static const double sigmas[] = {0, 1, 2, 5, 10, 25, 50, 75};

    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(sigmas); k++) {
            double sigma = sigmas[k],
                   found = measure(sources[i].source, sigma, 8);

            g_test_message("source %zu, sigma %g: %.2f", i, sigma, found);
            g_assert_cmpfloat(fabs(found - sigma), <=,
                              MAX(sources[i].relative * sigma, 0.4));
        }
}

/* Samples of 16 bits are measured in units of 8. */
static void test_bits(void)
{
    g_assert_cmpfloat_with_epsilon(measure(smooth, 12, 16),
                                   measure(smooth, 12, 8), 0.3);
    g_assert_cmpfloat_with_epsilon(measure(smooth, 0.5, 16), 0.5, 0.05);
}

static void test_small(void)
{
    uint8_t bytes[64] = {0};
    AePlane plane = ae_plane(bytes, 8, 1, 8, 8, 8);
    AePlane flat = ae_plane(bytes, 64, 1, 64, 1, 8);
    g_autoptr(AeNoiseLevel) level = ae_noise_level_new(64, NULL);

    g_assert_cmpfloat(ae_noise_level_measure(level, &plane), ==, 0);
    g_assert_cmpfloat(ae_noise_level_measure(level, &flat), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/noise-level/levels", test_levels);
    g_test_add_func("/noise-level/bits", test_bits);
    g_test_add_func("/noise-level/small", test_small);
    return g_test_run();
}
