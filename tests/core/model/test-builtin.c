/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in models: each loads, is the one that its card describes, and
 * leaves graphics what they are. */
#include <gio/gio.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "base/random.h"

static void check_card(const char *name)
{
    g_autofree char *path =
        g_strdup_printf("%s/%s.md", g_getenv("AE_MODEL_CARDS"), name);
    g_autofree char *file = g_strdup_printf("/ae/models/%s.onnx", name);
    g_autoptr(GBytes) model = g_resources_lookup_data(file, 0, NULL);
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

        g_assert_null(ae_builtin_load(unknown[i], &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
    }
}

enum { SIDE = 96, TILE = 4, LINE = 2 };

/* The root of the mean squared error of @made, made smaller again and clipped.
 */
static double error_of(const float *image, const float *made, int scale)
{
    double sum = 0;

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double mean = 0;

            for (int i = 0; i < scale * scale; i++) {
                gsize row = (gsize)(y * scale + i / scale);
                float v = made[row * SIDE * scale + x * scale + i % scale];

                mean += CLAMP(v, 0, 1) / (scale * scale);
            }
            sum += (mean - image[y * SIDE + x]) * (mean - image[y * SIDE + x]);
        }
    return sqrt(sum / (SIDE * SIDE));
}

/* What models have learnt from photographs must not break graphics: a network
 * that has seen none can leave all bounds there, or take them for noise. */
static void check_graphics(const float *image)
{
    const char *const *names = ae_builtin_names();
    AeShape shape = ae_shape(4, 1, 1, SIDE, SIDE);
    AePlanOptions options = {.shapes = &shape, .n_inputs = 1};

    for (int i = 0; names[i] != NULL; i++) {
        g_autoptr(AeModel) model = ae_builtin_load(names[i], NULL);
        const char *task = ae_model_get(model, "ae.task");
        gboolean denoises = g_strcmp0(task, "denoise") == 0;

        if (!denoises && g_strcmp0(task, "superres") != 0)
            continue;
        g_autoptr(AePlan) plan = ae_plan_new(model, &options, NULL);
        memcpy(ae_plan_input(plan, 0), image, SIDE * SIDE * sizeof(float));
        ae_plan_run(plan);
        double error =
            error_of(image, ae_plan_output(plan, 0),
                     (int)ae_plan_output_shape(plan, 0)->dim[2] / SIDE);
        g_test_message("%s: %.3f", names[i], error);
        if (!(error < (denoises ? 0.05 : 0.1)))
            g_test_fail();
    }
}

/* Tiles of black and white, as sharp as text; below them nothing but black. */
static void test_tiles(void)
{
    AeRandom random = ae_random(1, 0);
    float image[SIDE * SIDE] = {0}, tiles[SIDE / TILE];

    for (int y = 0; y < SIDE * 2 / 3; y++)
        for (int x = 0; x < SIDE; x++) {
            if (y % TILE == 0 && x % TILE == 0)
                tiles[x / TILE] = ae_random_uniform(&random) < 0.5f;
            image[y * SIDE + x] = tiles[x / TILE];
        }
    check_graphics(image);
}

/* White lines both ways on black, with three times their width between them. */
static void test_lines(void)
{
    float image[SIDE * SIDE];

    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            image[y * SIDE + x] = x / LINE % 4 == 0 || y / LINE % 4 == 0;
    check_graphics(image);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/builtin/names", test_names);
    g_test_add_func("/builtin/unknown", test_unknown);
    g_test_add_func("/builtin/graphics/tiles", test_tiles);
    g_test_add_func("/builtin/graphics/lines", test_lines);
    return g_test_run();
}
