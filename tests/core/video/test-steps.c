/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise in the means of places, told from what else changes them. */
#include "video/steps.h"

#include <math.h>

#include "ae.h"

enum { PLACES = 4000 };

/* Three frames of places whose noise has variance @variance, where 1 is
 * expected; of which @moving in a thousand jump, and all rise by @rise a
 * frame. */
static float noise_of(double variance, int moving, float rise)
{
    AeRandom random = ae_random(1, 2);
    AeSteps steps = {0}, others = {0};
    float sd = sqrtf((float)variance);

    for (int i = 0; i < PLACES; i++) {
        float frames[3];

        ae_random_normals(&random, frames, 3);
        for (int t = 0; t < 3; t++) {
            frames[t] = sd * frames[t] + (float)t * rise;
            frames[t] += i % 1000 < moving ? (float)(t * t * (i % 7)) : 0;
        }
        ae_steps_add(i % 2 ? &steps : &others, frames[2] - frames[1],
                     frames[1] - frames[0], 2);
    }
    ae_steps_merge(&steps, &others);
    return ae_steps_noise(&steps);
}

/* As much as there is, from a thousandth to a thousand times. */
static void test_noise(void)
{
    static const double variances[] = {0.001, 0.3, 1, 1.1, 7, 1000};

    for (gsize i = 0; i < G_N_ELEMENTS(variances); i++)
        g_assert_cmpfloat_with_epsilon(
            (double)noise_of(variances[i], 0, 0) / variances[i], 1, 0.15);
}

/* What moves in a third of the places adds no more than leaving these out would
 * (the quantile then is 0.36 of the rest, where the distribution is 2.1 times
 * as large); a rise that is the same everywhere is no
 * noise, however large. */
static void test_motion(void)
{
    g_assert_cmpfloat(noise_of(1, 300, 0), <, 2.1);
    g_assert_cmpfloat(noise_of(1, 0, 1), <, 1);
    g_assert_cmpfloat(noise_of(1, 0, 30), <, 1e-3);
}

static void test_few(void)
{
    AeSteps steps = {0};

    g_assert_cmpfloat(ae_steps_noise(&steps), ==, 0);
    for (int i = 0; i < 31; i++)
        ae_steps_add(&steps, 1, -1, 1);
    g_assert_cmpfloat(ae_steps_noise(&steps), ==, 0);
    ae_steps_add(&steps, 0, 0, 1);
    g_assert_cmpfloat(ae_steps_noise(&steps), >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steps/noise", test_noise);
    g_test_add_func("/steps/motion", test_motion);
    g_test_add_func("/steps/few", test_few);
    return g_test_run();
}
