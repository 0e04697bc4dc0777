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
    {"camera:gain=0.01,sd=0.02,spread=0", 0.5f, 0, 0.0734847},
    {"none|none", 0.3f, 0, 0},
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
        ae_noise_apply(noise, x, x, &(AeNoisePlane){N, 1, 1}, 1, 1, 2, NULL);
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
    ae_noise_apply(noise, a, zero, &(AeNoisePlane){3000, 1, 1}, 1, 4, 7, NULL);
    ae_noise_apply(noise, b, zero, &(AeNoisePlane){3000, 1, 1}, 1, 4, 8, NULL);
    ae_noise_apply(noise, c, zero, &(AeNoisePlane){3000, 1, 1}, 1, 4, 7, NULL);
    g_assert_cmpmem(a, sizeof a, c, sizeof c);
    g_assert_true(memcmp(a, b, sizeof a) != 0);
    ae_noise_apply(noise, c, zero, &(AeNoisePlane){3000, 1, 1}, 1, 5, 7, NULL);
    g_assert_true(memcmp(a, c, sizeof a) != 0);
}

/* Each image draws its own value of a range. */
static void test_range(void)
{
    g_autoptr(AeNoise) noise =
        ae_noise_parse("uniform:mean=-0.2..0.4,width=0,clip=false", NULL);
    float x, low = 1, high = -1, zero = 0;

    for (uint64_t image = 0; image < 200; image++) {
        ae_noise_apply(noise, &x, &zero, &(AeNoisePlane){1, 1, 1}, 1, 3, image,
                       NULL);
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

    ae_noise_apply(clipped, a, zero, &(AeNoisePlane){500, 1, 1}, 1, 0, 0, NULL);
    ae_noise_apply(whole, b, zero, &(AeNoisePlane){500, 1, 1}, 1, 0, 0, NULL);
    for (int i = 0; i < 500; i++)
        g_assert_cmpfloat(a[i], ==, CLAMP(b[i], 0, 1));
}

static double correlation(const float *x, int width, int height, int dx, int dy)
{
    double product = 0, square = 0;

    for (int y = 0; y < height - dy; y++)
        for (int i = 0; i < width - dx; i++) {
            double a = (double)x[y * width + i] - 0.5;
            double b = (double)x[(y + dy) * width + i + dx] - 0.5;
            product += a * b;
            square += a * a;
        }
    return product / square;
}

/* White noise that a Gaussian of sd R has blurred correlates as
 * exp(-distance^2 / (4 R^2)). */
static void test_spread(void)
{
    enum { SIDE = 512 };
    static const double spreads[] = {0, 0.8, 1.5, 4};
    g_autofree float *x = g_new(float, SIDE *SIDE);

    for (size_t s = 0; s < G_N_ELEMENTS(spreads); s++) {
        double r = spreads[s], sd = 0;
        g_autofree char *text =
            g_strdup_printf("camera:gain=0,sd=0.05,spread=%g", r);
        g_autoptr(AeNoise) noise = ae_noise_parse(text, NULL);

        for (int i = 0; i < SIDE * SIDE; i++)
            x[i] = 0.5f;
        ae_noise_apply(noise, x, x, &(AeNoisePlane){SIDE, SIDE, 1}, 1, 1, 2,
                       NULL);
        for (int i = 0; i < SIDE * SIDE; i++)
            sd += pow((double)x[i] - 0.5, 2) / (SIDE * SIDE);
        g_assert_cmpfloat_with_epsilon(sqrt(sd), 0.05, 0.002);
        for (int dy = 0; dy < 3; dy++)
            for (int dx = 0; dx < 3; dx++) {
                double d2 = dx * dx + dy * dy;
                double wanted = r > 0 ? exp(-d2 / (4 * r * r)) : d2 == 0;
                g_assert_cmpfloat_with_epsilon(
                    correlation(x, SIDE, SIDE, dx, dy), wanted, 0.03);
            }
    }
}

/* A point of light becomes a Gaussian of soft * spread pixels in the picture
 * that is to be found, and the noise on it stays what it was. */
static void test_soft(void)
{
    enum { SIDE = 64, AT = SIDE / 2 };
    static const AeNoisePlane plane = {SIDE, SIDE, 2};
    static float sharp[SIDE * SIDE * 2], soft[SIDE * SIDE * 2];
    static float noisy[2][SIDE * SIDE * 2];
    g_autoptr(AeNoise) plain =
        ae_noise_parse("camera:gain=0,spread=1.5,clip=false", NULL);
    g_autoptr(AeNoise) softening =
        ae_noise_parse("camera:gain=0,spread=1.5,soft=1.4,clip=false", NULL);
    double sum[2] = {0}, square[2] = {0};

    sharp[(AT * SIDE + AT) * 2] = 100;
    memcpy(soft, sharp, sizeof soft);
    ae_noise_apply(plain, noisy[0], sharp, &plane, 1, 1, 2, NULL);
    ae_noise_apply(softening, noisy[1], soft, &plane, 1, 1, 2, NULL);
    g_assert_cmpfloat(sharp[(AT * SIDE + AT) * 2], ==, 100);
    for (int i = 0; i < SIDE * SIDE * 2; i++) {
        int y = i / 2 / SIDE - AT, x = i / 2 % SIDE - AT;

        g_assert_cmpfloat_with_epsilon(noisy[0][i] - sharp[i],
                                       noisy[1][i] - soft[i], 1e-5);
        sum[i % 2] += (double)soft[i];
        square[0] += (double)soft[i] * x * x;
        square[1] += (double)soft[i] * y * y;
    }
    g_assert_cmpfloat_with_epsilon(sum[0], 100, 0.01);
    g_assert_cmpfloat(sum[1], ==, 0);
    for (int i = 0; i < 2; i++)
        g_assert_cmpfloat_with_epsilon(sqrt(square[i] / sum[0]), 1.5 * 1.4,
                                       0.05);
}

/* Of two models, about half of the images draw each; channels and planes of an
 * image get numbers of their own. */
static void test_choice(void)
{
    g_autoptr(AeNoise) noise =
        ae_noise_parse("none | camera:sd=0.1,spread=1", NULL);
    static const AeNoisePlane planes[] = {{4, 2, 2}, {2, 1, 1}};
    int changed = 0;

    for (uint64_t image = 0; image < 400; image++) {
        float x[18];

        for (int i = 0; i < 18; i++)
            x[i] = 0.5f;
        ae_noise_apply(noise, x, x, planes, 2, 3, image, NULL);
        changed += x[0] != 0.5f;
        for (int i = 1; i < 18 && x[0] != 0.5f; i++)
            g_assert_true(x[i] != 0.5f && x[i] != x[0]);
    }
    g_assert_cmpint(changed, >, 150);
    g_assert_cmpint(changed, <, 250);
}

/* Of a range every plane draws its own level. */
static void test_levels(void)
{
    enum { N = 4096, IMAGES = 200 };
    static const AeNoisePlane planes[] = {{N, 1, 1}, {N, 1, 1}};
    static float x[2 * N];
    g_autoptr(AeNoise) noise =
        ae_noise_parse("gaussian:sd=0..1,clip=false", NULL);
    double sum = 0, apart = 0;

    for (uint64_t image = 0; image < IMAGES; image++) {
        double sd[2] = {0};

        memset(x, 0, sizeof x);
        ae_noise_apply(noise, x, x, planes, 2, 1, image, NULL);
        for (int i = 0; i < 2 * N; i++)
            sd[i / N] += (double)x[i] * (double)x[i] / N;
        sum += sqrt(sd[0]) + sqrt(sd[1]);
        apart += fabs(sqrt(sd[0]) - sqrt(sd[1]));
    }
    g_assert_cmpfloat_with_epsilon(sum / IMAGES, 1, 0.1);
    g_assert_cmpfloat_with_epsilon(apart / IMAGES, 1 / 3.0, 0.08);
}

/* How much JPEG takes away, and that it takes it from blocks: of a smooth ramp
 * what remains changes most where blocks meet. */
static void test_jpeg(void)
{
    enum { SIDE = 128 };
    static const char *const models[] = {
        "camera:gain=0,sd=0,spread=0,quality=0", "jpeg:quality=100",
        "jpeg:quality=50", "jpeg:quality=10",
        "camera:gain=0,sd=0,spread=0,quality=7"};
    g_autofree float *x = g_new(float, SIDE *SIDE);
    double before = -1;

    for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
        g_autoptr(AeNoise) noise = ae_noise_parse(models[m], NULL);
        double error = 0, at[8] = {0}, all = 0, most = 0;

        for (int i = 0; i < SIDE * SIDE; i++)
            x[i] = (float)(i % SIDE + i / SIDE) / (2 * SIDE);
        ae_noise_apply(noise, x, x, &(AeNoisePlane){SIDE, SIDE, 1}, 1, 1, 2,
                       NULL);
        for (int i = 0; i < SIDE * SIDE; i++) {
            double d =
                (double)x[i] - (double)(i % SIDE + i / SIDE) / (2 * SIDE);
            error += d * d / (SIDE * SIDE);
            if (i % SIDE > 0)
                at[i % 8] += fabs((double)x[i] - (double)x[i - 1]);
        }
        g_assert_cmpfloat(sqrt(error), <, 0.05);
        g_assert_cmpfloat(error, >, before);
        before = error;
        for (int i = 0; i < 8; i++) {
            all += at[i];
            most = MAX(most, at[i]);
        }
        if (m >= 3)
            g_assert_cmpfloat(most, >, 0.5 * all);
    }
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
        {"camera:spread=0..5", "spread must be a number from 0 to 4"},
        {"camera:quality=101", "quality must be a number from 0 to 100"},
        {"jpeg:quality=0..50", "quality must be a number from 1 to 100"},
        {"gaussian|pink", "no noise model \"pink\""},
        {"gaussian|", "no noise model \"\""},
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
    g_test_add_func("/noise/spread", test_spread);
    g_test_add_func("/noise/soft", test_soft);
    g_test_add_func("/noise/choice", test_choice);
    g_test_add_func("/noise/levels", test_levels);
    g_test_add_func("/noise/jpeg", test_jpeg);
    g_test_add_func("/noise/errors", test_errors);
    return g_test_run();
}
