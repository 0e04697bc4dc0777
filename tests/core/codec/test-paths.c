/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spherical interpolation and even spacing, against what geometry says. */
#include "ae.h"
#include "base/random.h"
#include "codec/slerp.h"

#include <math.h>

static const struct {
    float a[2], b[2];
    double t;
    float expected[2];
} slerps[] = {
    {{1, 0}, {0, 1}, 0, {1, 0}},
    {{1, 0}, {0, 1}, 1, {0, 1}},
    {{1, 0}, {0, 1}, 1.0 / 3, {0.8660254f, 0.5f}},
    {{2, 0}, {0, 2}, 2.0 / 3, {1, 1.7320508f}},
    {{3, 4}, {-4, 3}, 0.5, {-0.7071068f, 4.9497475f}},
    {{1, 2}, {1, 2}, 0.3, {1, 2}},       /* no angle */
    {{1, 2}, {2, 4}, 0.5, {1.5f, 3}},    /* the same direction */
    {{1, 2}, {-1, -2}, 0.25, {0.5f, 1}}, /* no plane */
    {{0, 0}, {4, 8}, 0.25, {1, 2}},      /* no direction */
};

static void test_slerp(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(slerps); i++) {
        float target[2];

        ae_path_slerp(target, slerps[i].a, slerps[i].b, 2, slerps[i].t);
        for (int k = 0; k < 2; k++)
            g_assert_cmpfloat_with_epsilon(target[k], slerps[i].expected[k],
                                           1e-6);
    }
}

static double length(const float *a, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)a[i] * a[i];
    return sqrt(sum);
}

/* Between codes of one length all have this length; the ends are exact. */
static void test_ends(void)
{
    enum { N = 37 };
    float a[N], b[N], target[N], scale;
    AeRandom random = ae_random(5, 0);

    ae_random_normals(&random, a, N);
    ae_random_normals(&random, b, N);
    scale = (float)(length(a, N) / length(b, N));
    for (int i = 0; i < N; i++)
        b[i] *= scale;
    for (int step = 0; step <= 10; step++) {
        ae_path_slerp(target, a, b, N, step / 10.0);
        g_assert_cmpfloat_with_epsilon(length(target, N), length(a, N), 1e-4);
    }
    ae_path_slerp(target, a, b, N, 0);
    g_assert_cmpmem(target, sizeof target, a, sizeof a);
    ae_path_slerp(target, a, b, N, 1);
    g_assert_cmpmem(target, sizeof target, b, sizeof b);
}

static const struct {
    float low, high;
    int i, n;
    float expected;
} places[] = {
    {-1, 1, 0, 5, -1},      {-1, 1, 1, 5, -0.5f}, {-1, 1, 4, 5, 1},
    {-1, 3, 0, 1, 1},       {2, -2, 0, 2, 2},     {2, -2, 1, 2, -2},
    {0, 0.7f, 9, 10, 0.7f},
};

static void test_between(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        g_assert_cmpfloat(ae_path_between(places[i].low, places[i].high,
                                          places[i].i, places[i].n),
                          ==, places[i].expected);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/paths/slerp", test_slerp);
    g_test_add_func("/paths/ends", test_ends);
    g_test_add_func("/paths/between", test_between);
    return g_test_run();
}
