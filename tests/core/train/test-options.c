/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of training from text: defaults, ranges, sentences. */
#include <string.h>

#include "ae.h"

static void test_defaults(void)
{
    g_auto(AeSessionOptions) options;

    ae_session_options_init(&options);
    g_assert_cmpint(options.task.kind, ==, AE_TASK_AUTOENCODE);
    g_assert_cmpint(options.task.downscale, ==, AE_RESAMPLE_BICUBIC);
    g_assert_cmpuint(options.task.seed, ==, 1);
    g_assert_cmpuint(options.batch_size, ==, 128);
    g_assert_cmpfloat(options.learning_rate, ==, 1e-3f);
    g_assert_cmpuint(options.sampler.patches_per_frame, ==, 1);
    g_assert_null(options.model_file);
}

static void test_set(void)
{
    g_auto(AeSessionOptions) options;
    g_autoptr(GError) error = NULL;
    static const char *const texts[][2] = {
        {"task", "vae"},
        {"loss", "bce"},
        {"seed", "18446744073709551615"},
        {"learning-rate", "0.25"},
        {"augment", "true"},
        {"noise", "uniform"},
        {"noise", "none"},
        {"patch-size", "4096"},
    };

    ae_session_options_init(&options);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        ae_session_options_set(&options, texts[i][0], texts[i][1], &error);
        g_assert_no_error(error);
    }
    g_auto(AeSessionOptions) copy = ae_session_options_copy(&options);
    g_assert_cmpint(copy.task.kind, ==, AE_TASK_VAE);
    g_assert_cmpint(copy.task.loss, ==, AE_LOSS_BCE);
    g_assert_cmpuint(copy.task.seed, ==, G_MAXUINT64);
    g_assert_cmpfloat(copy.learning_rate, ==, 0.25f);
    g_assert_true(copy.sampler.augment);
    g_assert_cmpuint(copy.sampler.patch_size, ==, 4096);
    g_assert_cmpstr(copy.task.noise, ==, "none");
    g_assert_true(copy.task.noise != options.task.noise);
}

static void test_refused(void)
{
    static const struct {
        const char *name, *text, *sentence;
    } cases[] = {
        {"colours", "auto", "training has no option 'colours'"},
        {"task", "paint", "one of autoencode, denoise, superres, vae"},
        {"batch-size", "0", "a whole number from 1 to 65536 was expected"},
        {"batch-size", "65537", "from 1 to 65536"},
        {"batch-size", "1.5", "a whole number"},
        {"batch-size", "", "a whole number"},
        {"batch-size", "8x", "a whole number"},
        {"beta", "nan", "a number from 0 to 1000000"},
        {"seed", "-1", "a whole number was expected"},
        {"resume", "yes", "true or false was expected"},
    };
    g_auto(AeSessionOptions) options;

    ae_session_options_init(&options);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(ae_session_options_set(&options, cases[i].name,
                                              cases[i].text, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        if (strstr(error->message, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].sentence, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/set", test_set);
    g_test_add_func("/options/refused", test_refused);
    return g_test_run();
}
