/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three noisy images of a scene: without motion the correlation is -1/2 for
 * every kind of noise, motion lifts it. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "train/still.h"

enum { SIDE = 64, ROUNDS = 40 };

/* Stripes and dots of a few pixels, moved by @shift pixels. */
static float scene(double x, double y, double shift)
{
    return (float)(0.5 + 0.2 * sin((x - shift) / 3) * cos(y / 5) +
                   0.1 * sin((x - shift + y) / 2));
}

static void make_image(uint16_t *image, int channels, const AeNoise *noise,
                       double shift, uint64_t number)
{
    float samples[SIDE * SIDE * 3];
    AeNoisePlane plane = {SIDE, SIDE, channels};
    int n = SIDE * SIDE * channels;

    for (int i = 0; i < n; i++)
        samples[i] = scene(i / channels % SIDE, i / channels / SIDE, shift);
    ae_noise_apply(noise, samples, samples, &plane, 1, 5, number, NULL);
    for (int i = 0; i < n; i++)
        image[i] = (uint16_t)(samples[i] * 255 + 0.5f);
}

/* Means, over several triples, of a scene that moves @speed pixels an image;
 * @spread: the correlation's standard deviation. */
static AeStill measure(const char *text, int channels, double speed,
                       double *spread)
{
    g_autoptr(AeNoise) noise = ae_noise_parse(text, NULL);
    uint16_t images[3][SIDE * SIDE * 3];
    AeStill mean = {0, 0};
    double squares = 0;

    for (int round = 0; round < ROUNDS; round++) {
        AeStill still;

        for (int i = 0; i < 3; i++)
            make_image(images[i], channels, noise, round + i * speed,
                       (uint64_t)(round * 3 + i));
        still = ae_still_measure(images[0], images[1], images[2], SIDE, SIDE,
                                 channels);
        mean.correlation += still.correlation / ROUNDS;
        mean.coarse += still.coarse / ROUNDS;
        squares += still.correlation * still.correlation / ROUNDS;
    }
    *spread = sqrt(squares - mean.correlation * mean.correlation);
    return mean;
}

static void test_still(void)
{
    static const struct {
        const char *noise;
        int channels;
        double coarse;
    } cases[] = {
        {"gaussian:sd=0.02", 1, 1 / 16.0},
        {"gaussian:sd=0.2", 1, 1 / 16.0},
        {"gaussian:sd=0.05", 3, 1 / 48.0},
        {"poisson-gaussian:gain=0.01,sd=0.01", 1, 1 / 16.0},
        {"camera:gain=0.002,sd=0.02,spread=1", 1, 0.4},
        {"salt-pepper:p=0.1", 1, 1 / 16.0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double spread;
        AeStill mean = measure(cases[i].noise, cases[i].channels, 0, &spread);

        g_test_message("%s: %.3f (sd %.3f), %.3f", cases[i].noise,
                       mean.correlation, spread, mean.coarse);
        g_assert_cmpfloat_with_epsilon(mean.correlation, -0.5, 0.04);
        g_assert_cmpfloat(spread, <, 0.1);
        g_assert_cmpfloat_with_epsilon(mean.coarse, cases[i].coarse,
                                       cases[i].coarse * 0.1);
    }
}

/* Slow motion shows in the one, fast motion in the other. */
static void test_motion(void)
{
    static const struct {
        const char *noise;
        double speed;
    } cases[] = {
        {"none", 0.5},           {"gaussian:sd=0.02", 0.3},
        {"gaussian:sd=0.02", 1}, {"gaussian:sd=0.02", 4},
        {"gaussian:sd=0.02", 9}, {"gaussian:sd=0.1", 1},
        {"gaussian:sd=0.1", 5},  {"gaussian:sd=0.1", 20},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double spread;
        AeStill mean = measure(cases[i].noise, 1, cases[i].speed, &spread);

        g_test_message("%s, speed %g: %.3f, %.3f", cases[i].noise,
                       cases[i].speed, mean.correlation, mean.coarse);
        g_assert_true(mean.correlation > -0.3 || mean.coarse > 2 / 16.0);
    }
}

/* Equal images have equal noise; sizes that blocks do not divide. */
static void test_edges(void)
{
    uint16_t a[7 * 5], b[7 * 5], c[7 * 5];

    memset(a, 1, sizeof a);
    memset(b, 2, sizeof b);
    memset(c, 1, sizeof c);
    g_assert_cmpfloat(ae_still_measure(a, a, b, 7, 5, 1).correlation, ==, 1);
    g_assert_cmpfloat(ae_still_measure(a, b, b, 7, 5, 1).correlation, ==, 1);
    a[34] = b[34] = c[34] = 9;
    for (int i = 0; i < 2; i++) {
        AeStill still = ae_still_measure(a, b, c, 7, 5, 1);

        g_assert_cmpfloat_with_epsilon(still.correlation, -1, 1e-9);
        g_assert_cmpfloat(still.coarse, >, 0.9);
        a[34] = b[34] = c[34] = 1;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/still/still", test_still);
    g_test_add_func("/still/motion", test_motion);
    g_test_add_func("/still/edges", test_edges);
    return g_test_run();
}
