/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The noise of area means, told from motion and fades. */
#include "video/area-noise.h"

#include <math.h>

#include "ae.h"
#include "base/random.h"

enum { AREAS = 4000 };

/* The estimate from three frames of AREAS areas. Their noise has the variance
 * @variance, 1 is expected; @moving of a thousand areas jump, and all get
 * brighter by @rise a frame. */
static float noise_of(double variance, int moving, float rise)
{
    AeRandom random = ae_random(1, 2);
    AeAreaNoise noise = {0}, other = {0};
    float sd = sqrtf((float)variance);

    for (int i = 0; i < AREAS; i++) {
        float frames[3];

        ae_random_normals(&random, frames, 3);
        for (int t = 0; t < 3; t++) {
            frames[t] = sd * frames[t] + (float)t * rise;
            frames[t] += i % 1000 < moving ? (float)(t * t * (i % 7)) : 0;
        }
        ae_area_noise_add(i % 2 ? &noise : &other, frames[2] - frames[1],
                          frames[1] - frames[0], 2);
    }
    ae_area_noise_merge(&noise, &other);
    return ae_area_noise_estimate(&noise);
}

/* The estimate is right from a thousandth of the expected variance to a
 * thousand times. */
static void test_noise(void)
{
    static const double variances[] = {0.001, 0.3, 1, 1.1, 7, 1000};

    for (gsize i = 0; i < G_N_ELEMENTS(variances); i++)
        g_assert_cmpfloat_with_epsilon(
            (double)noise_of(variances[i], 0, 0) / variances[i], 1, 0.15);
}

/* If 300 of 1000 areas move, the estimate is at most that of the other areas
 * at their quantile 0.36, where the distribution is 2.1 times as large. A rise
 * that all areas share is no noise, however large. */
static void test_motion(void)
{
    g_assert_cmpfloat(noise_of(1, 300, 0), <, 2.1);
    g_assert_cmpfloat(noise_of(1, 0, 1), <, 1);
    g_assert_cmpfloat(noise_of(1, 0, 30), <, 1e-3);
}

static void test_few(void)
{
    AeAreaNoise noise = {0};

    g_assert_cmpfloat(ae_area_noise_estimate(&noise), ==, 0);
    for (int i = 0; i < 31; i++)
        ae_area_noise_add(&noise, 1, -1, 1);
    g_assert_cmpfloat(ae_area_noise_estimate(&noise), ==, 0);
    ae_area_noise_add(&noise, 0, 0, 1);
    g_assert_cmpfloat(ae_area_noise_estimate(&noise), >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/area-noise/noise", test_noise);
    g_test_add_func("/area-noise/motion", test_motion);
    g_test_add_func("/area-noise/few", test_few);
    return g_test_run();
}
