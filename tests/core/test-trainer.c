/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <glib/gstdio.h>
#include <string.h>

#include "ae.h"

#define IMAGES 37 /* no multiple of lanes or passes */

static AeTrainer *new_trainer(const char *architecture, int size, int threads,
                              AeTrainerOptions options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_architecture_new(architecture, 1, 3, &error);
    AeShape shape = ae_shape(4, 1, 1, size, size);

    g_assert_no_error(error);
    options.batch_size = IMAGES;
    options.threads = threads;
    AeTrainer *trainer = ae_trainer_new(model, &shape, &options, &error);
    g_assert_no_error(error);
    return trainer;
}

static void fill(AeTrainer *trainer, uint64_t step)
{
    for (int i = 0; i < IMAGES; i++) {
        AeRandom random = ae_random(step, (uint64_t)i);
        for (int64_t j = 0; j < ae_trainer_input_size(trainer); j++)
            ae_trainer_input(trainer, i)[j] = ae_trainer_target(trainer, i)[j] =
                (float)((i * 5 + j) % 11) / 11 * ae_random_uniform(&random);
    }
}

static double train(AeTrainer *trainer, int first, int steps)
{
    double loss = NAN;

    for (int i = first; i < first + steps; i++) {
        g_autoptr(GError) error = NULL;
        fill(trainer, (uint64_t)i);
        ae_trainer_step(trainer, IMAGES - i % 3, &loss, &error);
        g_assert_no_error(error);
    }
    return loss;
}

static void assert_same_weights(AeTrainer *a, AeTrainer *b)
{
    const AeModel *x = ae_trainer_model(a), *y = ae_trainer_model(b);

    for (guint i = 0; i < x->values->len; i++) {
        const AeTensor *s = ae_model_value(x, (int)i)->constant;
        const AeTensor *t = ae_model_value(y, (int)i)->constant;
        size_t n = s != NULL ? (size_t)ae_shape_elements(&s->shape) : 0;
        if (s != NULL)
            g_assert_cmpmem(s->data, n * sizeof(float), t->data,
                            n * sizeof(float));
    }
}

static void test_threads_do_not_matter(void)
{
    static const struct {
        const char *architecture;
        int size;
    } cases[] = {{"keras", 28}, {"unet-xs", 16}, {"dense", 28}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeTrainerOptions options = {.learning_rate = 1e-3f, .seed = 5};
        g_autoptr(AeTrainer) one =
            new_trainer(cases[i].architecture, cases[i].size, 1, options);
        train(one, 0, 4);
        for (int threads = 2; threads <= 5; threads += 3) {
            g_autoptr(AeTrainer) more = new_trainer(
                cases[i].architecture, cases[i].size, threads, options);
            train(more, 0, 4);
            assert_same_weights(one, more);
        }
    }
}

static char *temporary_file(void)
{
    char *path = NULL;
    int file = g_file_open_tmp("ae-trainer-XXXXXX", &path, NULL);

    g_assert_cmpint(file, >=, 0);
    g_assert_true(g_close(file, NULL));
    return path;
}

static void test_resumed_is_identical(void)
{
    g_autofree char *path = temporary_file();

    for (int kind = AE_OPTIMIZER_ADAM; kind <= AE_OPTIMIZER_SGD; kind++) {
        AeTrainerOptions options = {.learning_rate = 1e-3f,
                                    .optimizer = (AeOptimizerKind)kind,
                                    .loss = AE_LOSS_BCE,
                                    .clip_norm = 0.01f,
                                    .cosine_steps = 20};
        g_autoptr(AeTrainer) whole = new_trainer("keras", 28, 2, options);
        g_autoptr(AeTrainer) resumed = new_trainer("keras", 28, 1, options);
        g_autoptr(GError) error = NULL;

        train(whole, 0, 3);
        ae_trainer_save(whole, path, &error);
        g_assert_no_error(error);
        train(whole, 3, 3);
        ae_trainer_resume(resumed, path, &error);
        g_assert_no_error(error);
        train(resumed, 3, 3);
        g_assert_cmpint(ae_trainer_steps(resumed), ==, 6);
        assert_same_weights(whole, resumed);
    }
    g_unlink(path);
}

static void test_checkpoint_must_match(void)
{
    g_autofree char *path = temporary_file();
    AeTrainerOptions options = {.learning_rate = 1e-3f};
    g_autoptr(AeTrainer) saved = new_trainer("unet-xs", 16, 1, options);
    g_autoptr(AeTrainer) other = new_trainer("keras", 28, 1, options);
    g_autoptr(GError) error = NULL;

    ae_trainer_save(saved, path, &error);
    g_assert_no_error(error);
    g_assert_false(ae_trainer_resume(other, path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    g_clear_error(&error);
    options.learning_rate = 2e-3f;
    g_autoptr(AeTrainer) faster = new_trainer("unet-xs", 16, 1, options);
    g_assert_false(ae_trainer_resume(faster, path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    g_assert_nonnull(strstr(error->message, "learning-rate"));
    g_unlink(path);
}

static void test_every_optimizer_learns(void)
{
    static const struct {
        AeOptimizerKind optimizer;
        float learning_rate;
    } cases[] = {{AE_OPTIMIZER_ADAM, 3e-3f},
                 {AE_OPTIMIZER_RMSPROP, 1e-3f},
                 {AE_OPTIMIZER_SGD, 0.5f}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeTrainerOptions options = {.learning_rate = cases[i].learning_rate,
                                    .optimizer = cases[i].optimizer};
        g_autoptr(AeTrainer) trainer = new_trainer("keras", 28, 2, options);
        double first = train(trainer, 0, 1), last = train(trainer, 1, 60);
        g_assert_cmpfloat(last, <, 0.8 * first);
    }
}

static void test_evaluation_learns_nothing(void)
{
    AeTrainerOptions options = {.learning_rate = 1e-3f};
    g_autoptr(AeTrainer) a = new_trainer("keras", 28, 2, options);
    g_autoptr(AeTrainer) b = new_trainer("keras", 28, 2, options);
    double losses[IMAGES], sum = 0;

    fill(a, 1);
    double mean = ae_trainer_evaluate(a, IMAGES, losses);
    for (int i = 0; i < IMAGES; i++)
        sum += losses[i];
    g_assert_cmpfloat_with_epsilon(mean, sum / IMAGES, 1e-9);
    train(a, 0, 2);
    train(b, 0, 2);
    assert_same_weights(a, b);
}

static void test_divergence_keeps_the_weights(void)
{
    AeTrainerOptions options = {.learning_rate = 1e-3f};
    g_autoptr(AeTrainer) trainer = new_trainer("keras", 28, 2, options);
    g_autoptr(AeTrainer) fresh = new_trainer("keras", 28, 2, options);
    g_autoptr(GError) error = NULL;
    double loss;

    fill(trainer, 0);
    ae_trainer_input(trainer, 7)[3] = NAN;
    g_assert_false(ae_trainer_step(trainer, IMAGES, &loss, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_DIVERGED);
    assert_same_weights(trainer, fresh);
    train(trainer, 0, 2);
    train(fresh, 0, 2);
    assert_same_weights(trainer, fresh);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trainer/threads-do-not-matter",
                    test_threads_do_not_matter);
    g_test_add_func("/trainer/resumed-is-identical", test_resumed_is_identical);
    g_test_add_func("/trainer/checkpoint-must-match",
                    test_checkpoint_must_match);
    g_test_add_func("/trainer/every-optimizer-learns",
                    test_every_optimizer_learns);
    g_test_add_func("/trainer/evaluation-learns-nothing",
                    test_evaluation_learns_nothing);
    g_test_add_func("/trainer/divergence-keeps-the-weights",
                    test_divergence_keeps_the_weights);
    return g_test_run();
}
