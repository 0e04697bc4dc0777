/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sheets: each image of a grid is that of its own code; labels and codes that
 * the model does not take are refused. */
#include "ae.h"
#include "model/build.h"

#include <string.h>

enum { SIZE = 2, COLUMNS = 3, ROWS = 4 };

/* A decoder alone: the code is an image of two pixels. */
static AeModel *new_model(int values)
{
    AeShape shape = ae_shape(4, AE_UNKNOWN, 1, 1, values);
    AeModel *model = ae_model_new(17);
    int code = ae_model_add_input(model, "code", &shape, NULL);
    int image = ae_model_add_value(model, "image", NULL, NULL);
    AeMetadata metadata = {.names[AE_NAME_LATENT] = "code"};

    ae_model_add_node(model, "Identity", "", &code, 1, &image, 1, NULL);
    ae_model_add_output(model, image);
    ae_metadata_write(model, &metadata);
    return model;
}

static gboolean stop_after(void *data)
{
    return (*(int *)data)-- == 0;
}

/* The first value of the code goes down, the second to the right. */
static void test_grid(void)
{
    g_autoptr(AeModel) model = new_model(SIZE);
    g_autoptr(AeCodec) decoder =
        ae_decoder_new(model, &(AeCodecOptions){.batch = 5}, NULL);
    const AeSheetOptions options = {
        .path = {.mode = AE_PATH_GRID, .range_min = 0, .range_max = 1},
        .label = AE_SHEET_RANDOM_LABEL};
    g_autoptr(AeSheet) sheet = ae_sheet_new(decoder, &options, NULL);
    uint8_t bytes[ROWS][COLUMNS][SIZE];
    AePicture picture =
        ae_picture_of_bytes(&bytes[0][0][0], COLUMNS * SIZE, ROWS, 1);
    int batches = 1;

    g_assert_cmpint(ae_sheet_label(sheet, 0), ==, -1);
    g_assert_cmpint(ae_path_columns(ae_sheet_path(sheet)), ==, 0);
    ae_sheet_draw(sheet, 0, &picture, NULL, NULL);
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLUMNS; x++) {
            g_assert_cmpint(bytes[y][x][0], ==, 85 * y);
            g_assert_cmpint(bytes[y][x][1], ==, (255 * x + 1) / 2);
        }
    memset(bytes, 7, sizeof bytes);
    ae_sheet_draw(sheet, 0, &picture, stop_after, &batches);
    g_assert_cmpint(bytes[1][1][1], ==, 128); /* the fifth and last */
    g_assert_cmpint(bytes[1][2][1], ==, 7);
}

static void test_batch(void)
{
    static const struct {
        AePath path;
        int batch;
    } cases[] = {
        {{.mode = AE_PATH_WALK, .columns = 9, .rows = 9}, 1},
        {{.mode = AE_PATH_GRID, .columns = 3, .rows = 2}, 6},
        {{.mode = AE_PATH_GRID, .columns = 3}, 30},
        {{.mode = AE_PATH_GRID}, 64},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(ae_sheet_batch(&cases[i].path), ==, cases[i].batch);
}

static void test_latent(void)
{
    g_autoptr(AeModel) model = new_model(SIZE);
    g_autoptr(AeCodec) decoder =
        ae_decoder_new(model, &(AeCodecOptions){0}, NULL);
    const AeSheetOptions options = {.label = AE_SHEET_RANDOM_LABEL,
                                    .latent = "0.2 ,1"};
    g_autoptr(AeSheet) sheet = ae_sheet_new(decoder, &options, NULL);
    uint8_t bytes[SIZE];
    AePicture picture = ae_picture_of_bytes(bytes, SIZE, 1, 1);

    ae_sheet_draw(sheet, 3, &picture, NULL, NULL);
    g_assert_cmpint(bytes[0], ==, 51);
    g_assert_cmpint(bytes[1], ==, 255);
}

static void test_labels(void)
{
    AeArchitectureOptions network = {.classes = 3, .hidden_size = 4};
    g_autoptr(AeModel) model = ae_architecture_new("vae", &network, NULL);
    g_autoptr(AeCodec) decoder =
        ae_decoder_new(model, &(AeCodecOptions){0}, NULL);
    AeSheetOptions options = {.label = 2};
    g_autoptr(AeSheet) fixed = ae_sheet_new(decoder, &options, NULL);
    g_autoptr(AeSheet) random = NULL;
    int seen = 0;

    options.label = AE_SHEET_RANDOM_LABEL;
    random = ae_sheet_new(decoder, &options, NULL);
    for (uint64_t n = 0; n < 40; n++) {
        g_assert_cmpint(ae_sheet_label(fixed, n), ==, 2);
        seen |= 1 << ae_sheet_label(random, n);
    }
    g_assert_cmpint(seen, ==, 7);
}

static const struct {
    int values;
    AeSheetOptions options;
    const char *says;
} refusals[] = {
    {2, {.label = 0}, "the label is 0, but the model takes no label"},
    {2, {.label = -1, .latent = "1"}, "holds 1 numbers, but the code"},
    {2, {.label = -1, .latent = "1,2,3"}, "holds 3 numbers"},
    {2, {.label = -1, .latent = "1,nan"}, "latent=1,nan, where numbers"},
    {2, {.label = -1, .latent = "1;2"}, "latent=1;2, where numbers"},
    {1, {.label = -1, .path = {.mode = AE_PATH_GRID}}, "codes of 2 values"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(AeModel) model = new_model(refusals[i].values);
        g_autoptr(AeCodec) decoder =
            ae_decoder_new(model, &(AeCodecOptions){0}, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(ae_sheet_new(decoder, &refusals[i].options, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        g_assert_nonnull(strstr(error->message, refusals[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sheet/grid", test_grid);
    g_test_add_func("/sheet/batch", test_batch);
    g_test_add_func("/sheet/latent", test_latent);
    g_test_add_func("/sheet/labels", test_labels);
    g_test_add_func("/sheet/refusals", test_refusals);
    return g_test_run();
}
