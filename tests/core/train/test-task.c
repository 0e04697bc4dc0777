/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Examples that tasks make of one sample. */
#include <math.h>

#include "ae.h"

enum { SIDE = 4, N = SIDE * SIDE };

static AeTask *make(AeTaskOptions options, int channels)
{
    g_autoptr(GError) error = NULL;
    AeTask *task = ae_task_new(&options, &error);
    AeSampleSize size = {channels, SIDE, SIDE};

    g_assert_no_error(error);
    ae_task_set_size(task, &size, &error);
    g_assert_no_error(error);
    return task;
}

/* Samples of more bits are the same picture, more finely graded. */
static void test_bits(void)
{
    static const int bits[] = {8, 10, 16};

    for (size_t i = 0; i < G_N_ELEMENTS(bits); i++) {
        int most = (1 << bits[i]) - 1;
        uint16_t data[N] = {0, (uint16_t)most, (uint16_t)(most / 3)};
        AeSample sample = {data, bits[i], -1};
        g_autoptr(AeTask) task =
            make((AeTaskOptions){.kind = AE_TASK_AUTOENCODE}, 1);
        float input[N], target[N];

        g_assert_true(ae_task_fill(task, &sample, 0, 0,
                                   (AeExample){input, target, NULL}, NULL));
        g_assert_cmpfloat(target[0], ==, 0);
        g_assert_cmpfloat(target[1], ==, 1);
        g_assert_cmpfloat(target[2], ==, (float)(most / 3) * (1 / (float)most));
        g_assert_cmpmem(input, sizeof input, target, sizeof target);
    }
}

/* The noise of example @number is its own. */
static void test_denoise(void)
{
    uint16_t data[N];
    AeSample sample = {data, 8, -1};
    g_autoptr(AeTask) task = make(
        (AeTaskOptions){.kind = AE_TASK_DENOISE, .noise = "gaussian:sd=0.05"},
        1);
    float input[3][N], target[N];

    for (int i = 0; i < N; i++)
        data[i] = 128;
    for (guint i = 0; i < 3; i++)
        g_assert_true(ae_task_fill(task, &sample, 0, i / 2,
                                   (AeExample){input[i], target, NULL}, NULL));
    g_assert_cmpmem(input[0], sizeof input[0], input[1], sizeof input[1]);
    for (int i = 0; i < N; i++) {
        g_assert_cmpfloat(target[i], ==, 128 / 255.0f);
        g_assert_cmpfloat(input[0][i], !=, input[2][i]);
        g_assert_cmpfloat(fabsf(input[0][i] - target[i]), <, 0.3f);
    }
}

static void test_superres(void)
{
    uint16_t data[N];
    AeSample sample = {data, 10, -1};
    g_autoptr(AeTask) task = make((AeTaskOptions){.kind = AE_TASK_SUPERRES,
                                                  .scale = 2,
                                                  .downscale = AE_RESAMPLE_BOX},
                                  1);
    AeShape in = ae_task_input_shape(task), out = ae_task_target_shape(task);
    float input[N / 4], target[N];

    g_assert_cmpint(in.dim[3], ==, 2);
    g_assert_cmpint(out.dim[3], ==, 4);
    for (int i = 0; i < N; i++)
        data[i] = (uint16_t)(i % 2 * 200);
    g_assert_true(ae_task_fill(task, &sample, 0, 0,
                               (AeExample){input, target, NULL}, NULL));
    for (int i = 0; i < N / 4; i++)
        g_assert_cmpfloat_with_epsilon(input[i], 100 / 1023.0f, 1e-6f);
}

/* The first picture is the input, the mean of the others the target. */
static void test_noisy_target(void)
{
    uint16_t data[3 * N];
    AeSample sample = {data, 8, -1};
    g_autoptr(AeTask) task =
        make((AeTaskOptions){.kind = AE_TASK_DENOISE,
                             .target = AE_TASK_TARGET_NOISY},
             1);
    float input[N], target[N];

    for (int i = 0; i < 3 * N; i++)
        data[i] = (uint16_t)(i < N ? 10 : i < 2 * N ? 20 : 31);
    g_assert_true(ae_task_fill(task, &sample, 0, 0,
                               (AeExample){input, target, NULL}, NULL));
    g_assert_cmpfloat_with_epsilon(input[5], 10 / 255.0f, 1e-7f);
    g_assert_cmpfloat_with_epsilon(target[5], 25.5f / 255, 1e-7f);
}

static void test_labels(void)
{
    static const int labels[] = {-1, 0, 2, 3};
    uint16_t data[N] = {0};
    g_autoptr(AeTask) task = make((AeTaskOptions){.kind = AE_TASK_VAE}, 1);
    float input[N], target[N], row[3];

    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        AeSample sample = {data, 8, labels[i]};
        g_autoptr(GError) error = NULL;
        gboolean good = labels[i] >= 0 && labels[i] < 3;

        g_assert_cmpint(ae_task_fill(task, &sample, 3, 0,
                                     (AeExample){input, target, row}, &error),
                        ==, good);
        if (!good)
            g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        for (int c = 0; good && c < 3; c++)
            g_assert_cmpfloat(row[c], ==, c == labels[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/task/bits", test_bits);
    g_test_add_func("/task/denoise", test_denoise);
    g_test_add_func("/task/superres", test_superres);
    g_test_add_func("/task/noisy-target", test_noisy_target);
    g_test_add_func("/task/labels", test_labels);
    return g_test_run();
}
