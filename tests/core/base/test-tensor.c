/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ae.h"

static void test_strides(void)
{
    static const struct {
        AeShape shape;
        int64_t stride[5];
    } cases[] = {
        {{1, {7}}, {1}},
        {{2, {3, 5}}, {5, 1}},
        {{3, {2, 3, 5}}, {15, 1, 3}},
        {{4, {2, 3, 5, 7}}, {105, 1, 21, 3}},
        {{5, {2, 3, 5, 7, 11}}, {1155, 1, 231, 33, 3}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t stride[AE_MAX_RANK];
        ae_shape_strides(&cases[i].shape, stride);
        for (int j = 0; j < cases[i].shape.rank; j++)
            g_assert_cmpint(stride[j], ==, cases[i].stride[j]);
    }
}

static void test_count(void)
{
    static const struct {
        AeShape shape;
        int64_t count; /* -1: refused */
    } cases[] = {
        {{0, {0}}, 1},
        {{2, {3, 0}}, 0},
        {{2, {3, 4}}, 12},
        {{2, {3, -1}}, -1},
        {{3, {1 << 30, 1 << 30, 1 << 30}}, -1},
        {{2, {G_MAXINT64, 2}}, -1},
        {{9, {1, 1, 1, 1, 1, 1, 1, 1}}, -1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        int64_t count = -1;
        gboolean fits = ae_shape_count(&cases[i].shape, &count, &error);
        g_assert_cmpint(fits, ==, cases[i].count >= 0);
        if (fits)
            g_assert_cmpint(count, ==, cases[i].count);
        else
            g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
    }
}

static void test_row_major(void)
{
    AeShape shape = ae_shape(4, 2, 3, 4, 5);
    g_autoptr(AeTensor) tensor = ae_tensor_new(&shape, NULL);
    float source[120], back[120];

    for (int i = 0; i < 120; i++)
        source[i] = (float)i;
    ae_tensor_from_row_major(tensor, source);
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < 4; y++)
                for (int x = 0; x < 5; x++)
                    g_assert_cmpfloat(
                        tensor->data[((n * 4 + y) * 5 + x) * 3 + c], ==,
                        source[((n * 3 + c) * 4 + y) * 5 + x]);
    ae_tensor_to_row_major(tensor, back);
    g_assert_cmpmem(source, sizeof source, back, sizeof back);
}

static void test_copy_sums_and_repeats(void)
{
    const float source[6] = {1, 2, 3, 4, 5, 6};
    float sums[2] = {10, 20}, repeated[4];

    ae_copy_strided(sums, (int64_t[]){1, 0}, source, (int64_t[]){3, 1},
                    (int64_t[]){2, 3}, 2, TRUE);
    g_assert_cmpfloat(sums[0], ==, 16);
    g_assert_cmpfloat(sums[1], ==, 35);
    ae_copy_strided(repeated, (int64_t[]){2, 1}, source, (int64_t[]){1, 0},
                    (int64_t[]){2, 2}, 2, FALSE);
    g_assert_cmpfloat(repeated[1], ==, 1);
    g_assert_cmpfloat(repeated[2], ==, 2);
}

static void test_copy_reverses(void)
{
    const float source[3] = {1, 2, 3};
    float target[3];

    ae_copy_strided(target, (int64_t[]){1}, source + 2, (int64_t[]){-1},
                    (int64_t[]){3}, 1, FALSE);
    g_assert_cmpfloat(target[0], ==, 3);
    g_assert_cmpfloat(target[2], ==, 1);
}

static void test_memory_is_bounded(void)
{
    AeShape shape = ae_shape(2, 1 << 22, 1 << 22);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_tensor_new(&shape, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_MEMORY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tensor/strides", test_strides);
    g_test_add_func("/tensor/count", test_count);
    g_test_add_func("/tensor/row-major", test_row_major);
    g_test_add_func("/tensor/copy-sums-and-repeats",
                    test_copy_sums_and_repeats);
    g_test_add_func("/tensor/copy-reverses", test_copy_reverses);
    g_test_add_func("/tensor/memory-is-bounded", test_memory_is_bounded);
    return g_test_run();
}
