/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"

#include <math.h>
#include <string.h>

enum { N = 100000 };

/* Mean and standard deviation of the noise on a plane of @level. */
static const struct {
    const char *text;
    float level;
    double mean, sd;
} models[] = {
    {"none", 0.3f, 0, 0},
    {"gaussian:clip=false", 0.3f, 0, 0.1},
    {"gaussian:mean=0.5,sd=0.5,clip=false", 0.2f, 0.5, 0.5},
    {" gaussian : sd = 0.02 ", 0.5f, 0, 0.02},
    {"gaussian:sd=0", 0.5f, 0, 0},
    {"uniform:mean=-0.1,width=0.2", 0.5f, -0.1, 0.2 / 3.4641016},
    {"poisson-gaussian:gain=0.01,sd=0.02", 0.5f, 0, 0.0734847},
    {"poisson-gaussian:gain=0,sd=0.02", 0.5f, 0, 0.02},
    {"salt-pepper:p=0.2", 0.5f, 0, 0.2236068}, /* sqrt(p) / 2 */
    {"salt-pepper:p=1", 0.0f, 0.5, 0.5},
};

static void test_moments(void)
{
    g_autofree float *x = g_new(float, N);

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeNoise) noise = ae_noise_parse(models[i].text, &error);
        double mean = 0, square = 0;
        g_assert_no_error(error);
        for (int j = 0; j < N; j++)
            x[j] = models[i].level;
        ae_noise_apply(noise, x, x, N, 1, 2);
        for (int j = 0; j < N; j++)
            mean += ((double)x[j] - (double)models[i].level) / N;
        for (int j = 0; j < N; j++)
            square += pow((double)(x[j] - models[i].level) - mean, 2) / N;
        /* five standard errors, and rounding */
        double sd = models[i].sd;
        g_assert_cmpfloat_with_epsilon(mean, models[i].mean,
                                       5 * sd / sqrt(N) + 1e-6);
        g_assert_cmpfloat_with_epsilon(sqrt(square), sd,
                                       5 * sd / sqrt(N) + 1e-6);
    }
}

static void test_repeats(void)
{
    g_autoptr(AeNoise) noise = ae_noise_parse("gaussian:sd=0.1..0.4", NULL);
    float zero[3000], a[3000], b[3000], c[3000];

    for (int i = 0; i < 3000; i++)
        zero[i] = 0.5f;
    ae_noise_apply(noise, a, zero, 3000, 4, 7);
    ae_noise_apply(noise, b, zero, 3000, 4, 8);
    ae_noise_apply(noise, c, zero, 3000, 4, 7);
    g_assert_cmpmem(a, sizeof a, c, sizeof c);
    g_assert_true(memcmp(a, b, sizeof a) != 0);
    ae_noise_apply(noise, c, zero, 3000, 5, 7);
    g_assert_true(memcmp(a, c, sizeof a) != 0);
}

/* Each image draws its own value of a range. */
static void test_range(void)
{
    g_autoptr(AeNoise) noise =
        ae_noise_parse("uniform:mean=-0.2..0.4,width=0,clip=false", NULL);
    float x, low = 1, high = -1, zero = 0;

    for (uint64_t image = 0; image < 200; image++) {
        ae_noise_apply(noise, &x, &zero, 1, 3, image);
        low = MIN(low, x);
        high = MAX(high, x);
    }
    g_assert_true(low >= -0.2f && low < -0.17f);
    g_assert_true(high <= 0.4f && high > 0.37f);
}

static void test_clip(void)
{
    g_autoptr(AeNoise) clipped = ae_noise_parse("gaussian:sd=1", NULL);
    g_autoptr(AeNoise) whole = ae_noise_parse("gaussian:sd=1,clip=false", NULL);
    float zero[500] = {0}, a[500], b[500];

    ae_noise_apply(clipped, a, zero, 500, 0, 0);
    ae_noise_apply(whole, b, zero, 500, 0, 0);
    for (int i = 0; i < 500; i++)
        g_assert_cmpfloat(a[i], ==, CLAMP(b[i], 0, 1));
}

static void test_errors(void)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {NULL, "no noise model \"\""},
        {"", "no noise model \"\""},
        {"pink", "no noise model \"pink\"; known are none, gaussian"},
        {"gaussian:sigma=1", "no key \"sigma\"; it knows mean, sd, clip"},
        {"none:sd=1", "it knows clip"},
        {"gaussian:sd", "expected KEY=VALUE, but found \"sd\""},
        {"gaussian:sd=1,", "expected KEY=VALUE"},
        {"gaussian:sd=-1", "0 or more"},
        {"gaussian:sd=", "sd must be a number"},
        {"gaussian:sd=nan", "sd must be a number"},
        {"gaussian:sd=1e99", "sd must be a number"},
        {"gaussian:sd=0.1x", "\"0.1x\""},
        {"gaussian:sd=0.3..0.1", "0.3..0.1"},
        {"gaussian:clip=maybe", "true or false"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ae_noise_parse(wrong[i].text, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        g_assert_nonnull(strstr(error->message, wrong[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/noise/moments", test_moments);
    g_test_add_func("/noise/repeats", test_repeats);
    g_test_add_func("/noise/range", test_range);
    g_test_add_func("/noise/clip", test_clip);
    g_test_add_func("/noise/errors", test_errors);
    return g_test_run();
}
