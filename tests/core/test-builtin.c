/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in models: each loads, and is the one that its card describes. */
#include "ae.h"

static void check_card(const char *name)
{
    g_autofree char *path =
        g_strdup_printf("%s/%s.md", g_getenv("AE_MODEL_CARDS"), name);
    g_autoptr(GBytes) model = ae_builtin_model(name);
    g_autofree char *sum =
        g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, model);
    g_autofree char *card = NULL;
    GError *error = NULL;

    g_file_get_contents(path, &card, NULL, &error);
    g_assert_no_error(error);
    if (strstr(card, sum) == NULL)
        g_error("%s does not name the SHA-256 %s", path, sum);
}

static void test_names(void)
{
    const char *const *names = ae_builtin_names();

    g_assert_nonnull(names);
    for (int i = 0; names[i] != NULL; i++) {
        GError *error = NULL;
        g_autoptr(AeModel) model = ae_builtin_load(names[i], &error);

        g_assert_no_error(error);
        g_assert_nonnull(model);
        check_card(names[i]);
        g_assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
    }
}

static void test_unknown(void)
{
    static const char *const unknown[] = {"", "no-such-model", "../models"};

    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(ae_builtin_model(unknown[i]));
        g_assert_null(ae_builtin_load(unknown[i], &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/builtin/names", test_names);
    g_test_add_func("/builtin/unknown", test_unknown);
    return g_test_run();
}
