/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metadata: what is written is read again, what is damaged is refused by a
 * sentence that names key and value. */
#include "ae.h"
#include "model/build.h"

/* An image, a label of 3 classes, and a sum of the image with itself. */
static AeModel *new_model(void)
{
    AeModel *model = ae_model_new(17);
    AeShape image = ae_shape(4, AE_UNKNOWN, 1, 8, 8);
    AeShape label = ae_shape(2, AE_UNKNOWN, 3);
    int x = ae_model_add_input(model, "image", &image, NULL);
    int y = ae_model_add_value(model, "sum", NULL, NULL);

    ae_model_add_input(model, "label", &label, NULL);
    ae_model_add_node(model, "Add", "", (int[]){x, x}, 2, &y, 1, NULL);
    ae_model_add_output(model, y);
    return model;
}

static void test_nothing(void)
{
    g_autoptr(AeModel) model = new_model();
    g_autoptr(GError) error = NULL;
    AeMetadata m;

    g_assert_true(ae_metadata_read(model, &m, &error));
    g_assert_no_error(error);
    g_assert_null(m.architecture);
    g_assert_null(m.noise);
    g_assert_cmpint(m.task, ==, AE_TASK_UNKNOWN);
    g_assert_cmpint(m.colour, ==, AE_MODEL_COLOUR_UNKNOWN);
    g_assert_cmpfloat(m.range.low, ==, 0);
    g_assert_cmpfloat(m.range.span, ==, 1);
    g_assert_cmpint(m.scale, ==, 0);
    g_assert_cmpint(m.multiple, ==, 0);
    g_assert_cmpint(m.classes, ==, 0);
    g_assert_false(m.luma_chroma);
    for (int i = 0; i < AE_N_NAMES; i++)
        g_assert_null(m.names[i]);
}

static void test_round_trip(void)
{
    const AeMetadata written = {
        .architecture = "vae",
        .noise = "none",
        .names = {[AE_NAME_LATENT] = "sum", [AE_NAME_LABEL] = "label"},
        .classes = 3,
        .task = AE_TASK_VAE,
        .colour = AE_MODEL_YUV420,
        .range = {-0.5f, 2},
        .scale = 3,
        .multiple = 4096,
        .luma_chroma = TRUE,
    };
    g_autoptr(AeModel) model = new_model();
    g_autoptr(GError) error = NULL;
    AeMetadata m;

    ae_metadata_write(model, &written);
    ae_metadata_write(model, &(AeMetadata){.scale = 2}); /* the rest stays */
    g_assert_cmpstr(ae_model_get(model, "ae.range"), ==, "-0.5,1.5");
    g_assert_cmpstr(ae_model_get(model, "ae.task"), ==, "vae");
    g_assert_true(ae_metadata_read(model, &m, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(m.architecture, ==, "vae");
    g_assert_cmpstr(m.noise, ==, "none");
    g_assert_cmpstr(m.names[AE_NAME_LATENT], ==, "sum");
    g_assert_cmpstr(m.names[AE_NAME_LABEL], ==, "label");
    g_assert_null(m.names[AE_NAME_MEAN]);
    g_assert_cmpint(m.classes, ==, 3);
    g_assert_cmpint(m.task, ==, AE_TASK_VAE);
    g_assert_cmpstr(ae_task_name(m.task), ==, "vae");
    g_assert_cmpint(m.colour, ==, AE_MODEL_YUV420);
    g_assert_cmpfloat(m.range.low, ==, -0.5f);
    g_assert_cmpfloat(m.range.span, ==, 2);
    g_assert_cmpint(m.scale, ==, 2);
    g_assert_cmpint(m.multiple, ==, 4096);
    g_assert_true(m.luma_chroma);
    ae_metadata_drop_luma_chroma(model);
    g_assert_true(ae_metadata_read(model, &m, NULL));
    g_assert_false(m.luma_chroma);
}

/* Pairs of key and value; the last pair is at fault. */
static const struct {
    const char *pairs[4], *says;
} wrong[] = {
    {{"ae.range", "wide"}, "ae.range=wide, where a pair of numbers"},
    {{"ae.range", "1,0"}, "ae.range=1,0, where a pair of numbers"},
    {{"ae.range", "0,1,2"}, "ae.range=0,1,2, where"},
    {{"ae.range", "0,1e7"}, "ae.range=0,1e7, where"},
    {{"ae.range", ""}, "ae.range=, where"},
    {{"ae.multiple", "0"}, "ae.multiple=0, where a whole number from 1 to"},
    {{"ae.multiple", "4097"}, "ae.multiple=4097, where"},
    {{"ae.multiple", "8 "}, "ae.multiple=8 , where"},
    {{"ae.scale", "-2"}, "ae.scale=-2, where a whole number from 1 to 16"},
    {{"ae.scale", "1.5"}, "ae.scale=1.5, where"},
    {{"ae.task", "Denoise"}, "ae.task=Denoise, where autoencode or denoise"},
    {{"ae.colour", "cmyk"}, "ae.colour=cmyk, where gray or rgb or yuv420"},
    {{"ae.components", "rgb"}, "ae.components=rgb, where yuv"},
    {{"ae.classes", "3", "ae.label", "which"},
     "ae.label=which, where the name"},
    {{"ae.label", "label"}, "ae.classes=, where the length"},
    {{"ae.label", "label", "ae.classes", "4"}, "ae.classes=4, where"},
    {{"ae.label", "label", "ae.classes", "65537"}, "ae.classes=65537, where"},
};

static void test_wrong(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(AeModel) model = new_model();
        g_autoptr(GError) error = NULL;
        AeMetadata m;

        for (int k = 0; k < 4 && wrong[i].pairs[k] != NULL; k += 2)
            ae_model_set(model, wrong[i].pairs[k], wrong[i].pairs[k + 1]);
        g_assert_false(ae_metadata_read(model, &m, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, "the model says "));
        g_assert_nonnull(strstr(error->message, wrong[i].says));
    }
}

static void test_values(void)
{
    g_autoptr(AeModel) model = new_model();
    g_autoptr(GError) lacking = NULL, nowhere = NULL;

    g_assert_null(ae_metadata_value(model, AE_NAME_MEAN, &lacking));
    g_assert_error(lacking, AE_ERROR, AE_ERROR_SHAPE);
    g_assert_nonnull(strstr(lacking->message, "lack ae.mean"));
    ae_model_set(model, "ae.latent", "nowhere");
    g_assert_null(ae_metadata_value(model, AE_NAME_LATENT, &nowhere));
    g_assert_error(nowhere, AE_ERROR, AE_ERROR_FORMAT);
    g_assert_nonnull(strstr(nowhere->message, "ae.latent=nowhere"));
    ae_model_set(model, "ae.latent", "sum");
    g_assert_true(ae_metadata_value(model, AE_NAME_LATENT, NULL) ==
                  ae_model_value(model, ae_model_find(model, "sum")));
}

static void test_multiples(void)
{
    const AeMetadata known = {.multiple = 12}, open = {0};

    g_assert_cmpint(ae_metadata_multiple(&known, 0), ==, 12);
    g_assert_cmpint(ae_metadata_multiple(&known, 1), ==, 0);
    for (int i = 0; i < 6; i++)
        g_assert_cmpint(ae_metadata_multiple(&open, i), ==, 1 << i);
    g_assert_cmpint(ae_metadata_multiple(&open, 6), ==, 0);
    g_assert_cmpint(ae_round_up(24, 12), ==, 24);
    g_assert_cmpint(ae_round_up(25, 12), ==, 36);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metadata/nothing", test_nothing);
    g_test_add_func("/metadata/round-trip", test_round_trip);
    g_test_add_func("/metadata/wrong", test_wrong);
    g_test_add_func("/metadata/values", test_values);
    g_test_add_func("/metadata/multiples", test_multiples);
    return g_test_run();
}
