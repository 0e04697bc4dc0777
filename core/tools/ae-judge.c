/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae judge`: how well a discriminator that is trained for nothing else tells
 * codes from the prior. A coin is right in half of the cases. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

enum { PAIRS = 128 /* a code and a sample each, of a batch */ };

/* Rows of as many numbers as @like has. */
static AeTensor *load_rows(const char *path, const AeTensor *like,
                           GError **error)
{
    AeTensor *rows = ae_npy_load(path, error);

    if (rows == NULL ||
        (rows->shape.rank == 2 && ae_shape_elements(&rows->shape) > 0 &&
         (like == NULL || like->shape.dim[1] == rows->shape.dim[1])))
        return rows;
    g_set_error(
        error, AE_ERROR, AE_ERROR_SHAPE, "%s: codes were expected, rows of %s",
        path, like != NULL ? "as many numbers as the first file's" : "numbers");
    ae_tensor_free(rows);
    return NULL;
}

static AeTrainer *new_discriminator(int size, uint64_t seed, GError **error)
{
    g_autoptr(AeModel) model = ae_architecture_discriminator(size, seed);
    AeShape shape = ae_shape(2, 1, size);
    AeTrainerOptions options = {.loss = AE_LOSS_BCE,
                                .learning_rate = 1e-3f,
                                .batch_size = 2 * PAIRS,
                                .seed = seed};

    return ae_trainer_new(model, &shape, &options, error);
}

/* @n codes, whose target is 0, and as many samples of the prior: 1. @order:
 * which rows, or NULL: the first ones. */
static void fill(AeTrainer *trainer, const float *codes, const uint32_t *order,
                 int n, AeRandom *random)
{
    int64_t size = ae_trainer_input_size(trainer);

    for (int i = 0; i < n; i++)
        memcpy(ae_trainer_input(trainer, i),
               codes + (order != NULL ? order[i] : (uint32_t)i) * size,
               (gsize)size * sizeof(float));
    ae_random_normals(random, ae_trainer_input(trainer, n), n * size);
    for (int i = 0; i < 2 * n; i++)
        *ae_trainer_target(trainer, i) = i < n ? 0 : 1;
}

/* Each row once. */
static gboolean learn(AeTrainer *trainer, const AeTensor *codes,
                      AeRandom *random, GError **error)
{
    uint32_t n = (uint32_t)codes->shape.dim[0];
    g_autofree uint32_t *order = g_new(uint32_t, n);
    AeTrainerLoss loss;

    ae_random_permutation(random, order, n);
    for (uint32_t i = 0; i < n; i += PAIRS) {
        int pairs = (int)MIN(PAIRS, n - i);

        fill(trainer, codes->data, order + i, pairs, random);
        if (!ae_trainer_step(trainer, 2 * pairs, &loss, error))
            return FALSE;
    }
    return TRUE;
}

static double measure(AeTrainer *trainer, const AeTensor *codes,
                      AeRandom *random)
{
    int64_t n = codes->shape.dim[0], right = 0;

    for (int64_t i = 0; i < n; i += PAIRS) {
        int pairs = (int)MIN(PAIRS, n - i);

        fill(trainer, codes->data + i * codes->shape.dim[1], NULL, pairs,
             random);
        ae_trainer_evaluate(trainer, 2 * pairs, NULL);
        for (int j = 0; j < 2 * pairs; j++)
            right += (*ae_trainer_output(trainer, j) > 0.5f) == (j >= pairs);
    }
    return (double)right / (2.0 * (double)n);
}

static gboolean run_judge(int argc, char **argv, const char *usage,
                          GError **error)
{
    int epochs = 3;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        {"epochs", 0, 0, G_OPTION_ARG_INT, &epochs,
         "How often it sees each of CODES (default: 3)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Default: 1", "N"},
        {0}};
    g_autoptr(AeTensor) codes = NULL, test = NULL;
    g_autoptr(AeTrainer) trainer = NULL;
    AeRandom random;

    if (!tool_parse(entries, usage, 2, 2, &argc, &argv, error))
        return FALSE;
    codes = load_rows(argv[1], NULL, error);
    if (codes != NULL)
        test = load_rows(argv[2], codes, error);
    if (test != NULL)
        trainer =
            new_discriminator((int)codes->shape.dim[1], (uint64_t)seed, error);
    if (trainer == NULL)
        return FALSE;
    random = ae_random((uint64_t)seed, 1);
    for (int i = 0; i < epochs; i++)
        if (!learn(trainer, codes, &random, error))
            return FALSE;
    printf("a fresh discriminator is right in %.4f\n",
           measure(trainer, test, &random));
    return TRUE;
}

const Command judge_commands[] = {
    {"judge", "judge CODES.npy TEST-CODES.npy",
     "how well codes can be told from standard normal numbers", run_judge},
    {0},
};
