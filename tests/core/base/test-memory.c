/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wherever there is no memory, an error comes back, nothing is lost, and what
 * follows works: each scenario runs with its first allocation failing, then its
 * second, and so on until it runs through. */
#include <glib/gstdio.h>
#include <string.h>

#include "ae.h"
#include "base/memory.h"
#include "data/npy.h"
#include "data/png.h"
#include "model/safetensors.h"
#include "networks/architectures.h"
#include "tools/figure.h"
#include "tools/neighbours.h"
#include "tools/pca.h"

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

typedef gboolean (*Scenario)(const char *text, GError **error);

static void check(Scenario scenario, const char *text)
{
    for (int n = 1;; n++) {
        g_autoptr(GError) error = NULL;

        ae_alloc_fail(n);
        gboolean done = scenario(text, &error);
        int calls = ae_alloc_fail(0);

        g_assert_cmpint(done, ==, error == NULL);
        if (error != NULL && !g_error_matches(error, AE_ERROR, AE_ERROR_MEMORY))
            g_error("%s, allocation %d: %s", text, n, error->message);
        if (calls < n) {
            g_assert_no_error(error);
            g_test_message("%s: %d allocations", text, calls);
            break;
        }
    }
}

static gboolean has_open_size(AeModel *model)
{
    return ae_model_value(model, ae_model_input(model, 0))->shape.dim[2] < 0;
}

static gboolean run_plan(AeModel *model, GError **error)
{
    AeShape shape = ae_model_value(model, ae_model_input(model, 0))->shape;
    g_autoptr(AePool) pool = ae_pool_new(2);

    shape.dim[0] = 1;
    if (has_open_size(model))
        shape.dim[2] = shape.dim[3] = 24;

    AePlanOptions options = {.shapes = &shape, .n_inputs = 1, .pool = pool};
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, error);

    if (plan == NULL)
        return FALSE;
    ae_plan_run(plan);
    return TRUE;
}

static gboolean plan_builtin(const char *name, GError **error)
{
    g_autoptr(AeModel) model = ae_builtin_load(name, error);

    return model != NULL && run_plan(model, error);
}

static gboolean plan_new(const char *name, GError **error)
{
    g_autoptr(AeModel) model =
        ae_architecture_new(name, &(AeArchitectureOptions){0}, error);

    return model != NULL && run_plan(model, error);
}

static gboolean save_and_load(const char *name, GError **error)
{
    g_autofree char *path = in_folder("model.onnx");
    g_autoptr(AeModel) model =
        ae_architecture_new(name, &(AeArchitectureOptions){0}, error);
    g_autoptr(AeModel) again = NULL, copy = NULL;

    if (model == NULL || !ae_onnx_save(model, path, error))
        return FALSE;
    again = ae_onnx_load(path, error);
    if (again != NULL)
        copy = ae_model_copy(again, error);
    return copy != NULL && run_plan(copy, error);
}

enum { SIDE = 36 };

static AePictureFormat format_of(AeColour colour)
{
    gboolean yuv = colour == AE_COLOUR_YUV;
    int planes = colour == AE_COLOUR_GRAY ? 1 : 3;

    return (AePictureFormat){.name = "test",
                             .colour = colour,
                             .width = SIDE,
                             .height = SIDE,
                             .bits = 8,
                             .n_planes = planes,
                             .n_colours = planes,
                             .log2_x = {0, yuv, yuv},
                             .log2_y = {0, yuv, yuv}};
}

static AePicture picture_of(uint8_t *data, AeColour colour, int scale)
{
    AePicture picture = {.format = format_of(colour)};

    for (int i = 0; i < picture.format.n_planes; i++) {
        int side = (SIDE >> picture.format.log2_x[i]) * scale;

        picture.plane[i] = ae_plane(data, side, 1, side, side, 8);
        data += side * side;
    }
    picture.format.width = picture.format.height = SIDE * scale;
    return picture;
}

/* @times: how large the result is; @scale: of the model. */
static gboolean filter(const char *name, AeColour colour, int times, int scale,
                       GError **error)
{
    uint8_t in[3 * SIDE * SIDE] = {0}, out[3 * 16 * SIDE * SIDE];
    AePicture source = picture_of(in, colour, 1);
    AePicture target = picture_of(out, colour, times);
    AeFilterOptions options = {.scale = scale,
                               .threads = 2,
                               .width = times * SIDE,
                               .height = times * SIDE};
    AeFilterSettings settings = {.strength = 1, .temporal = scale == 1};
    g_autoptr(AeModel) model = ae_builtin_load(name, error);
    g_autoptr(AeImageModel) images = NULL;
    g_autoptr(AeFilter) made = NULL;

    if (model != NULL)
        images = ae_image_model_new(model, error);
    if (images != NULL)
        made = ae_filter_new(images, &source.format, &options, error);
    for (int i = 0; made != NULL && i < 3; i++)
        ae_filter_run(made, &source, &target, &settings);
    return made != NULL;
}

static gboolean denoise_yuv(const char *name, GError **error)
{
    return filter(name, AE_COLOUR_YUV, 1, 1, error);
}

static gboolean denoise_rgb(const char *name, GError **error)
{
    return filter(name, AE_COLOUR_RGB, 1, 1, error);
}

static gboolean enlarge(const char *name, GError **error)
{
    return filter(name, AE_COLOUR_YUV, 2, 2, error) &&
           filter(name, AE_COLOUR_YUV, 3, 2, error);
}

/* "option=value option=value ..." */
static AeSession *new_session(const char *text, GError **error)
{
    g_auto(AeSessionOptions) options;
    g_auto(GStrv) settings = g_strsplit(text, " ", -1);
    g_autofree char *path = in_folder("trained.onnx");

    ae_session_options_init(&options);
    ae_session_options_set(&options, "model-file", path, NULL);
    for (char **setting = settings; *setting != NULL; setting++) {
        char *value = strchr(*setting, '=');

        *value++ = '\0';
        if (!ae_session_options_set(&options, *setting, value, error))
            return NULL;
    }
    return ae_session_new(&options, NULL, NULL, error);
}

static gboolean learn(const char *text, GError **error)
{
    g_autoptr(AeSession) session = new_session(text, error);
    uint8_t data[28 * 28];
    AePicture picture = ae_picture_of_bytes(data, 28, 28, 1);

    for (int i = 0; session != NULL && i < 8; i++) {
        memset(data, 20 * i, sizeof data);
        if (!ae_session_push(session, &picture, i % 2, error))
            return FALSE;
    }
    return session != NULL && ae_session_finish(session, error);
}

/* A run, and the run that resumes it. */
static gboolean learn_and_resume(const char *text, GError **error)
{
    g_autofree char *again = g_strconcat(text, " resume=true", NULL);

    return learn(text, error) && learn(again, error);
}

static gboolean use_codec(const char *name, GError **error)
{
    AeCodecOptions options = {.batch = 2, .threads = 2};
    AePictureFormat format = format_of(AE_COLOUR_GRAY);
    g_autoptr(AeModel) model = ae_builtin_load(name, error);
    AeSheetOptions sheet_options = {.latent = "1,2,3,4,5,6,7,8", .label = -1};
    g_autoptr(AeCodec) encoder = NULL, decoder = NULL;
    g_autoptr(AeSheet) sheet = NULL;

    format.width = format.height = 28;
    if (model != NULL)
        encoder = ae_encoder_new(model, &format, &options, error);
    if (encoder != NULL)
        decoder = ae_decoder_new(model, &options, error);
    if (decoder != NULL)
        sheet = ae_sheet_new(decoder, &sheet_options, error);
    return sheet != NULL;
}

static gboolean compare(const char *text G_GNUC_UNUSED, GError **error)
{
    uint8_t data[SIDE * SIDE] = {0};
    const AePicture picture = picture_of(data, AE_COLOUR_GRAY, 1);
    double ssim;

    return ae_ssim(&picture.plane[0], &picture.plane[0], &ssim, error);
}

static gboolean read_files(const char *text G_GNUC_UNUSED, GError **error)
{
    g_autofree char *tensors = in_folder("t.safetensors");
    g_autofree char *rows = in_folder("t.npy"), *png = in_folder("t.png");
    g_autofree char *idx = in_folder("t.idx");
    AeShape shape = ae_shape(2, 3, 4);
    g_autoptr(AeTensor) tensor = ae_tensor_new(&shape, error), again = NULL;
    g_autoptr(AeSafetensors) file = ae_safetensors_new(), loaded = NULL;
    g_autoptr(AeImage) image = NULL, image_again = NULL;
    g_autoptr(AeIdx) items = NULL;

    if (tensor == NULL || !ae_npy_save(tensor, rows, error))
        return FALSE;
    again = ae_npy_load(rows, error);
    if (again == NULL)
        return FALSE;
    ae_safetensors_add(file, "t", g_steal_pointer(&again));
    if (!ae_safetensors_save(file, tensors, error))
        return FALSE;
    loaded = ae_safetensors_load(tensors, error);
    image = loaded != NULL ? ae_image_new(5, 4, 3, error) : NULL;
    if (image == NULL || !ae_image_save_png(image, png, error))
        return FALSE;
    image_again = ae_image_load_png(png, error);
    items = image_again != NULL ? ae_idx_load(idx, error) : NULL;
    if (items == NULL)
        return FALSE;
    g_autoptr(AeOrder) order = ae_order_new(9, TRUE, 1, error);

    return order != NULL;
}

static gboolean find_components(const char *text G_GNUC_UNUSED, GError **error)
{
    uint8_t file[16 + 3 * 4] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2};
    g_autoptr(AeIdx) images = NULL;
    g_autoptr(AeModel) model = NULL;

    memset(file + 16, 9, 5);
    images = ae_idx_parse(file, sizeof file, "images", error);
    if (images != NULL)
        model = ae_pca_new(images, 2, NULL, error);
    return model != NULL;
}

static gboolean find_neighbours(const char *text G_GNUC_UNUSED, GError **error)
{
    float rows[] = {1, 2, 3, 4};
    AeTensor tensor = {.shape = ae_shape(2, 2, 2), .data = rows};
    uint8_t labels[] = {1, 2}, answers[2];
    g_autoptr(AePool) pool = ae_pool_new(1);

    return ae_neighbours_classify(&tensor, labels, &tensor, 1, answers, pool,
                                  error);
}

static gboolean draw_weights(const char *text G_GNUC_UNUSED, GError **error)
{
    const float tiles[] = {1, 2, 3, 4};
    g_autoptr(cairo_t) canvas = ae_canvas_new();

    return ae_figure_weights(canvas, tiles, 2, 1, 2, 2, 1, error);
}

static const struct {
    const char *name;
    Scenario run;
    const char *text;
} scenarios[] = {
    {"plan-light", plan_builtin, "light"},
    {"plan-int8", plan_builtin, "medium-int8"},
    {"plan-lstm", plan_new, "lstm"},
    {"save-and-load", save_and_load, "vae"},
    {"denoise-yuv", denoise_yuv, "light"},
    {"denoise-rgb", denoise_rgb, "medium"},
    {"enlarge", enlarge, "superres2"},
    {"codec", use_codec, "vae"},
    {"compare", compare, ""},
    {"files", read_files, ""},
    {"components", find_components, ""},
    {"neighbours", find_neighbours, ""},
    {"weights", draw_weights, ""},
    {"learn", learn_and_resume,
     "task=denoise noise=camera:gain=0.01,soft=1 batch-size=4 shuffle-buffer=3 "
     "validate-every=5 threads=2"},
    {"learn-vae", learn,
     "task=vae conditional=true classes=2 batch-size=4 threads=2"},
    {"learn-adversarial", learn,
     "task=adversarial architecture=linear latent-size=2 batch-size=8"},
    {"learn-smaller", learn,
     "task=superres architecture=superres-s batch-size=4"},
    {"learn-still", learn, "task=denoise target=noisy batch-size=4"},
    {"learn-further", learn, "initial-model=vae task=vae batch-size=4"},
};

static void test_scenario(const void *which)
{
    const size_t i = GPOINTER_TO_SIZE(which);

    check(scenarios[i].run, scenarios[i].text);
}

/* More than the machine has, in one block and in several. */
static void test_too_much(void)
{
    g_autoptr(GError) error = NULL;
    size_t large = (size_t)1 << 40;

    g_assert_null(ae_alloc(large, 1, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_MEMORY);
    g_assert_nonnull(strstr(error->message, "1099511627776 bytes"));
    g_clear_error(&error);
    g_assert_null(ae_alloc(G_MAXSIZE, 3, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_MEMORY);
    g_clear_error(&error);
    ae_autofree void *small = ae_alloc(3, 5, &error);

    g_assert_no_error(error);
    g_assert_nonnull(small);
}

static void write_idx(void)
{
    g_autofree char *path = in_folder("t.idx");
    static const char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 7};

    g_assert_true(g_file_set_contents(path, labels, sizeof labels, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("ae-memory-XXXXXX", NULL);
    write_idx();
    g_test_add_func("/memory/too-much", test_too_much);
    for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++) {
        g_autofree char *path =
            g_strconcat("/memory/", scenarios[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_scenario);
    }
    int result = g_test_run();
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);

    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(folder);
    return result;
}
