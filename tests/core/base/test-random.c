/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Known answers of Philox4x32-10, and the distributions drawn from it. */
#include "ae.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

/* The published vectors: counter, key, answer. */
static const struct {
    uint32_t counter[4], key[2], answer[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static uint64_t pair(const uint32_t *words)
{
    return words[0] | (uint64_t)words[1] << 32;
}

static void test_known_answers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        AeRandom random =
            ae_random(pair(known[i].key), pair(known[i].counter + 2));
        random.counter = pair(known[i].counter);
        for (int j = 0; j < 4; j++)
            g_assert_cmphex(ae_random_bits(&random), ==, known[i].answer[j]);
    }
}

/* First four moments of n standard normal numbers, within five standard
 * errors: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n). */
static void check_normal(const float *x, int n)
{
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;

    for (int i = 0; i < n; i++) {
        double v = x[i];
        m1 += v / n;
        m2 += v * v / n;
        m3 += v * v * v / n;
        m4 += v * v * v * v / n;
    }
    g_assert_cmpfloat_with_epsilon(m1, 0, 5 * sqrt(1.0 / n));
    g_assert_cmpfloat_with_epsilon(m2, 1, 5 * sqrt(2.0 / n));
    g_assert_cmpfloat_with_epsilon(m3, 0, 5 * sqrt(15.0 / n));
    g_assert_cmpfloat_with_epsilon(m4, 3, 5 * sqrt(96.0 / n));
}

static void test_normal(void)
{
    enum { N = 200003 };
    g_autofree float *x = g_new(float, N);
    AeRandom random = ae_random(7, 0), single = ae_random(7, 1);
    double product = 0, largest = 0;

    ae_random_normals(&random, x, N);
    check_normal(x, N);
    for (int i = 0; i + 1 < N; i += 2) {
        product += (double)x[i] * x[i + 1] / (N / 2);
        largest = fmax(largest, fabs((double)x[i]));
    }
    /* the two of a pair are uncorrelated; tails are there */
    g_assert_cmpfloat_with_epsilon(product, 0, 5 * sqrt(2.0 / N));
    g_assert_cmpfloat(largest, >, 3.5);

    for (int i = 0; i < N; i++)
        x[i] = ae_random_normal(&single);
    check_normal(x, N);
}

/* Every bit pattern of the series stays close to the C library. */
static void test_normal_is_box_muller(void)
{
    for (uint64_t stream = 0; stream < 2000; stream++) {
        AeRandom random = ae_random(3, stream), bits = random;
        float pair[2];
        ae_random_normals(&random, pair, 2);
        double u = ((ae_random_bits(&bits) >> 8) + 1) / 16777216.0;
        double length = hypot((double)pair[0], (double)pair[1]);
        g_assert_cmpfloat_with_epsilon(length, sqrt(-2 * log(u)), 4e-6);
    }
}

static void test_normals_split(void)
{
    float whole[600], parts[600];
    AeRandom a = ae_random(1, 2), b = ae_random(1, 2);

    ae_random_normals(&a, whole, 600);
    ae_random_normals(&b, parts, 300);
    ae_random_normals(&b, parts + 300, 300);
    g_assert_cmpmem(whole, sizeof whole, parts, sizeof parts);
    ae_random_normals(&a, whole, 5); /* takes two blocks */
    ae_random_normals(&b, parts, 1);
    ae_random_normals(&b, parts + 4, 1);
    g_assert_cmpfloat(whole[0], ==, parts[0]);
    g_assert_cmpfloat(whole[4], ==, parts[4]);
}

static void test_below(void)
{
    static const uint32_t limits[] = {1, 2, 3, 10, 255};

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        enum { DRAWS = 20000 };
        uint32_t n = limits[i], counts[255] = {0};
        AeRandom random = ae_random(11, n);
        double expected = (double)DRAWS / n, chi = 0;
        for (int j = 0; j < DRAWS; j++) {
            uint32_t value = ae_random_below(&random, n);
            g_assert_cmpuint(value, <, n);
            counts[value]++;
        }
        for (uint32_t j = 0; j < n; j++)
            chi += (counts[j] - expected) * (counts[j] - expected) / expected;
        /* chi-square: mean n - 1, sd sqrt(2 (n - 1)) */
        g_assert_cmpfloat(chi, <=, n - 1 + 5 * sqrt(2.0 * n));
    }
}

static void test_uniform(void)
{
    enum { N = 100000 };
    AeRandom random = ae_random(5, 5);
    double mean = 0;

    for (int i = 0; i < N; i++) {
        float u = ae_random_uniform(&random);
        g_assert_true(u >= 0 && u < 1);
        mean += (double)u / N;
    }
    g_assert_cmpfloat_with_epsilon(mean, 0.5, 5 * sqrt(1 / 12.0 / N));
}

static void test_permutation(void)
{
    static const uint32_t sizes[] = {0, 1, 2, 1000};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint32_t n = sizes[i], fixed = 0;
        g_autofree uint32_t *order = g_new0(uint32_t, n + 1);
        g_autofree gboolean *seen = g_new0(gboolean, n + 1);
        AeRandom random = ae_random(9, n);
        ae_random_permutation(&random, order, n);
        for (uint32_t j = 0; j < n; j++) {
            g_assert_cmpuint(order[j], <, n);
            g_assert_false(seen[order[j]]);
            seen[order[j]] = TRUE;
            fixed += order[j] == j;
        }
        g_assert_cmpuint(fixed, <=, 10); /* 1 expected */
    }
}

static void test_independent(void)
{
    AeRandom a = ae_random(1, 0), b = ae_random(1, 1), c = ae_random(2, 0);
    uint32_t x = ae_random_bits(&a);

    g_assert_cmphex(x, !=, ae_random_bits(&b));
    g_assert_cmphex(x, !=, ae_random_bits(&c));
    g_assert_cmphex(ae_random_mix(1, 0), !=, ae_random_mix(1, 1));
    g_assert_cmphex(ae_random_mix(0, 0), ==, 0xe220a8397b1dcdafull);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/random/known-answers", test_known_answers);
    g_test_add_func("/random/normal", test_normal);
    g_test_add_func("/random/box-muller", test_normal_is_box_muller);
    g_test_add_func("/random/normals-split", test_normals_split);
    g_test_add_func("/random/below", test_below);
    g_test_add_func("/random/uniform", test_uniform);
    g_test_add_func("/random/permutation", test_permutation);
    g_test_add_func("/random/independent", test_independent);
    return g_test_run();
}
