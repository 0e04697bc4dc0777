/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <glib/gstdio.h>
#include <string.h>

#include "ae.h"
#include "base/random.h"
#include "model/safetensors.h"

#define IMAGES 37 /* no multiple of lanes or micro-batches */

static AeTrainer *new_trainer_of(const char *architecture,
                                 AeArchitectureOptions network, int size,
                                 int threads, AeTrainerOptions options)
{
    g_autoptr(GError) error = NULL;
    network.seed = 3;
    g_autoptr(AeModel) model =
        ae_architecture_new(architecture, &network, &error);
    AeShape shape = ae_shape(4, 1, 1, size, size);

    g_assert_no_error(error);
    options.batch_size = IMAGES;
    options.threads = threads;
    AeTrainer *trainer = ae_trainer_new(model, &shape, &options, &error);
    g_assert_no_error(error);
    return trainer;
}

static AeTrainer *new_trainer(const char *architecture, int size, int threads,
                              AeTrainerOptions options)
{
    return new_trainer_of(architecture, (AeArchitectureOptions){0}, size,
                          threads, options);
}

static void fill(AeTrainer *trainer, uint64_t step)
{
    for (int i = 0; i < IMAGES; i++) {
        AeRandom random = ae_random(step, (uint64_t)i);
        for (int64_t j = 0; j < ae_trainer_input_size(trainer); j++)
            ae_trainer_input(trainer, i)[j] = ae_trainer_target(trainer, i)[j] =
                (float)((i * 5 + j) % 11) / 11 * ae_random_uniform(&random);
        for (int64_t j = 0; j < ae_trainer_label_size(trainer); j++)
            ae_trainer_label(trainer, i)[j] = i % 3 == j;
    }
}

static double train(AeTrainer *trainer, int first, int steps)
{
    AeTrainerLoss loss = {.total = NAN};

    for (int i = first; i < first + steps; i++) {
        g_autoptr(GError) error = NULL;
        fill(trainer, (uint64_t)i);
        ae_trainer_step(trainer, IMAGES - i % 3, &loss, &error);
        g_assert_no_error(error);
    }
    return loss.total;
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

/* Every kind of training, on small images where the network allows. */
static const struct {
    const char *name, *architecture;
    int size;
    AeArchitectureOptions network;
    AeTrainerOptions options;
} kinds[] = {
    {"plain", "keras", 28, {0}, {.loss = AE_LOSS_BCE}},
    {"unet", "unet-xs", 16, {0}, {0}},
    {"dense", "dense", 28, {0}, {0}},
    {"latent-noise",
     "shallow",
     8,
     {.width = 8, .height = 8, .latent_noise = 0.1f},
     {0}},
    {"sparse",
     "shallow",
     8,
     {.width = 8, .height = 8},
     {.code_term = AE_CODE_L1, .code_weight = 1e-3f}},
    {"variational",
     "vae",
     8,
     {.width = 8, .height = 8, .hidden_size = 20},
     {.loss = AE_LOSS_BCE,
      .sum = TRUE,
      .code_term = AE_CODE_KL,
      .code_weight = 1}},
    {"conditional",
     "vae",
     8,
     {.width = 8, .height = 8, .hidden_size = 20, .classes = 3},
     {.sum = TRUE, .code_term = AE_CODE_KL, .code_weight = 0.5f}},
    {"adversarial",
     "adversarial",
     8,
     {.width = 8, .height = 8, .hidden_size = 16, .latent_size = 5},
     {.code_term = AE_CODE_ADVERSARIAL,
      .code_weight = 0.1f,
      .adversary_rate = 1e-3f}},
    /* of a black image it takes the logarithm of zero */
    {"kvfrans",
     "kvfrans",
     28,
     {0},
     {.loss = AE_LOSS_BCE,
      .sum = TRUE,
      .code_term = AE_CODE_KL,
      .code_weight = 1}},
};

static AeTrainer *new_trainer_of_kind(size_t kind, int threads)
{
    AeTrainerOptions options = kinds[kind].options;

    options.learning_rate = 1e-3f;
    options.seed = 5;
    return new_trainer_of(kinds[kind].architecture, kinds[kind].network,
                          kinds[kind].size, threads, options);
}

static void test_threads_do_not_matter(gconstpointer kind)
{
    g_autoptr(AeTrainer) one = new_trainer_of_kind(GPOINTER_TO_SIZE(kind), 1);

    train(one, 0, 4);
    for (int threads = 2; threads <= 5; threads += 3) {
        g_autoptr(AeTrainer) more =
            new_trainer_of_kind(GPOINTER_TO_SIZE(kind), threads);
        train(more, 0, 4);
        assert_same_weights(one, more);
    }
}

static const char *const no_recipe[] = {NULL};

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
        ae_trainer_save(whole, no_recipe, path, &error);
        g_assert_no_error(error);
        train(whole, 3, 3);
        ae_trainer_resume(resumed, no_recipe, path, &error);
        g_assert_no_error(error);
        train(resumed, 3, 3);
        g_assert_cmpint(ae_trainer_steps(resumed), ==, 6);
        assert_same_weights(whole, resumed);
    }
    g_unlink(path);
}

static void test_every_kind_resumes(gconstpointer kind)
{
    g_autofree char *path = temporary_file();
    g_autoptr(GError) error = NULL;
    g_autoptr(AeTrainer) whole = new_trainer_of_kind(GPOINTER_TO_SIZE(kind), 2);
    g_autoptr(AeTrainer) resumed =
        new_trainer_of_kind(GPOINTER_TO_SIZE(kind), 1);

    train(whole, 0, 3);
    ae_trainer_save(whole, no_recipe, path, &error);
    g_assert_no_error(error);
    train(whole, 3, 3);
    ae_trainer_resume(resumed, no_recipe, path, &error);
    g_assert_no_error(error);
    train(resumed, 3, 3);
    assert_same_weights(whole, resumed);
    g_unlink(path);
}

/* The weighted term falls when it weighs much, and is part of the total. */
static void test_the_code_pays(void)
{
    static const struct {
        const char *architecture;
        AeCodeTerm term;
        float weight;
    } cases[] = {{"shallow", AE_CODE_L1, 1}, {"vae", AE_CODE_KL, 1000}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeTrainerOptions options = {.learning_rate = 1e-3f,
                                    .code_term = cases[i].term,
                                    .code_weight = cases[i].weight};
        g_autoptr(AeTrainer) trainer =
            new_trainer(cases[i].architecture, 28, 2, options);
        fill(trainer, 1);
        AeTrainerLoss before = ae_trainer_evaluate(trainer, IMAGES, NULL);
        train(trainer, 0, 100);
        fill(trainer, 1);
        AeTrainerLoss after = ae_trainer_evaluate(trainer, IMAGES, NULL);

        g_assert_cmpfloat(after.code, <, 0.3 * before.code);
        g_assert_cmpfloat_with_epsilon(after.total,
                                       after.reconstruction +
                                           (double)cases[i].weight * after.code,
                                       1e-6 * after.total);
    }
}

/* Before it is misled, the discriminator tells codes from the prior: these
 * codes weigh nothing in the encoder's loss. */
static void test_the_adversary_learns(void)
{
    AeTrainerOptions options = {.learning_rate = 1e-9f,
                                .code_term = AE_CODE_ADVERSARIAL,
                                .adversary_rate = 1e-3f};
    g_autoptr(AeTrainer) trainer = new_trainer_of(
        "adversarial",
        (AeArchitectureOptions){.hidden_size = 16, .latent_size = 5}, 28, 2,
        options);
    g_autoptr(GError) error = NULL;
    AeTrainerLoss loss;

    for (uint64_t i = 0; i < 60; i++) {
        fill(trainer, i);
        ae_trainer_step(trainer, IMAGES, &loss, &error);
        g_assert_no_error(error);
    }
    g_assert_cmpfloat(loss.accuracy, >, 0.9);
}

static double kl(float mean, float log_variance)
{
    return ae_loss_kl(&mean, &log_variance, 1, 1, NULL, NULL);
}

static void test_kl_is_that_of_normal_distributions(void)
{
    static const float points[][2] = {
        {0, 0}, {1, 0}, {-2, 0.5f}, {0.3f, -3}, {5, 2}};
    const float h = 1e-2f;

    for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
        float m = points[i][0], v = points[i][1], dm, dv;
        double value = ae_loss_kl(&m, &v, 1, 1, &dm, &dv);

        g_assert_cmpfloat_with_epsilon(
            value, 0.5 * ((double)m * m + exp((double)v) - 1 - (double)v),
            1e-5 * (1 + value));
        g_assert_cmpfloat_with_epsilon(
            dm, (kl(m + h, v) - kl(m - h, v)) / (2 * (double)h), 1e-3);
        g_assert_cmpfloat_with_epsilon(
            dv, (kl(m, v + h) - kl(m, v - h)) / (2 * (double)h), 1e-3);
    }
}

static void test_models_without_the_code_are_refused(void)
{
    static const struct {
        const char *architecture;
        AeCodeTerm term;
    } cases[] = {{"keras", AE_CODE_KL},
                 {"unet-xs", AE_CODE_L1},
                 {"unet-xs", AE_CODE_ADVERSARIAL}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeModel) model = ae_architecture_new(
            cases[i].architecture, &(AeArchitectureOptions){0}, NULL);
        AeShape shape = ae_shape(4, 1, 1, 32, 32);
        AeTrainerOptions options = {.learning_rate = 1e-3f,
                                    .batch_size = 1,
                                    .code_term = cases[i].term,
                                    .adversary_rate = 1e-3f};
        g_assert_null(ae_trainer_new(model, &shape, &options, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
        g_assert_nonnull(strstr(error->message, "its metadata lack"));
    }
}

/* A checkpoint from before numbers were free of the locale. */
static void test_checkpoint_with_commas(void)
{
    g_autofree char *path = temporary_file();
    AeTrainerOptions options = {.learning_rate = 2.5e-3f};
    g_autoptr(AeTrainer) trainer = new_trainer("unet-xs", 16, 1, options);
    g_autoptr(GError) error = NULL;

    ae_trainer_save(trainer, no_recipe, path, &error);
    g_assert_no_error(error);
    g_autoptr(AeSafetensors) file = ae_safetensors_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(g_hash_table_lookup(file->metadata, "ae.learning-rate"), ==,
                    "0.00249999994");
    g_hash_table_insert(file->metadata, g_strdup("ae.learning-rate"),
                        g_strdup("0,00249999994"));
    ae_safetensors_save(file, path, &error);
    g_assert_no_error(error);
    ae_trainer_resume(trainer, no_recipe, path, &error);
    g_assert_no_error(error);
    g_unlink(path);
}

static void test_checkpoint_must_match(void)
{
    g_autofree char *path = temporary_file();
    AeTrainerOptions options = {.learning_rate = 1e-3f};
    g_autoptr(AeTrainer) saved = new_trainer("unet-xs", 16, 1, options);
    g_autoptr(AeTrainer) other = new_trainer("keras", 28, 1, options);
    g_autoptr(GError) error = NULL;

    ae_trainer_save(saved, no_recipe, path, &error);
    g_assert_no_error(error);
    g_assert_false(ae_trainer_resume(other, no_recipe, path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    g_clear_error(&error);
    options.learning_rate = 2e-3f;
    g_autoptr(AeTrainer) faster = new_trainer("unet-xs", 16, 1, options);
    g_assert_false(ae_trainer_resume(faster, no_recipe, path, &error));
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
    double mean = ae_trainer_evaluate(a, IMAGES, losses).total;
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
    AeTrainerLoss loss;

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
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *threads =
            g_strconcat("/trainer/threads-do-not-matter/", kinds[i].name, NULL);
        g_autofree char *resumes =
            g_strconcat("/trainer/every-kind-resumes/", kinds[i].name, NULL);
        g_test_add_data_func(threads, GSIZE_TO_POINTER(i),
                             test_threads_do_not_matter);
        g_test_add_data_func(resumes, GSIZE_TO_POINTER(i),
                             test_every_kind_resumes);
    }
    g_test_add_func("/trainer/the-code-pays", test_the_code_pays);
    g_test_add_func("/trainer/the-adversary-learns", test_the_adversary_learns);
    g_test_add_func("/trainer/kl-is-that-of-normal-distributions",
                    test_kl_is_that_of_normal_distributions);
    g_test_add_func("/trainer/models-without-the-code-are-refused",
                    test_models_without_the_code_are_refused);
    g_test_add_func("/trainer/resumed-is-identical", test_resumed_is_identical);
    g_test_add_func("/trainer/checkpoint-with-commas",
                    test_checkpoint_with_commas);
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
