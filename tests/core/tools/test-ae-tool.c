/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line `ae`, as a user calls it: what it says, where, and its exit
 * status. The cases run in order in an empty folder. */
#include <gio/gio.h>
#include <glib/gstdio.h>

#include "ae.h"
#include "model/build.h"
#include "model/safetensors.h"
#include "data/png.h"
#include "base/random.h"

static const struct {
    const char *arguments;
    int status;
    const char *out, *err; /* parts of what is said; NULL: nothing is */
} cases[] = {
    {"", 2, NULL, "ae info MODEL"},
    {"--help", 0, "unet-s", NULL},
    {"dance", 2, NULL, "usage"},
    {"info", 2, NULL, "ae info MODEL"},
    {"info --help", 0, "--size", NULL},
    {"info --size=3 net.onnx", 2, NULL, "640x480"},
    {"info --size=99999999999x1 net.onnx", 2, NULL, "640x480"},
    {"info net.onnx", 1, NULL, "net.onnx"},
    {"info no-such-name", 1, NULL, "no-such-name"},

    {"new unet-xs", 2, NULL, "--output"},
    {"new mystery -o net.onnx", 1, NULL, "unet-xs"},
    {"new unet-xs -o net.onnx --seed 3", 0, NULL, NULL},
    {"new unet-xs -o missing/net.onnx", 1, NULL, "missing/net.onnx"},
    {"new keras -o fixed.onnx", 0, NULL, NULL},

    {"info net.onnx", 0, "image ?x1x?x?", NULL},
    {"info net.onnx", 0, "ae.architecture = unet-xs", NULL},
    {"info net.onnx --size 640x480", 0, "1x1x480x640", NULL},
    {"info net.onnx -s 64x64", 0, " a pixel", NULL},
    {"info fixed.onnx", 0, "1x1x28x28", NULL},
    {"info damaged.onnx", 1, NULL, "damaged.onnx"},

    {"check --size 28x28 net.onnx fixed.onnx", 0, "fixed.onnx: runs here",
     NULL},
    {"check net.onnx damaged.onnx", 1, "net.onnx: runs here", "1 of 2"},
    {"check --size 63x64 net.onnx", 0, "runs here, in aedenoise", NULL},
    {"check superres3", 0, "in aesuperres: makes images 3 times", NULL},
    {"check --size 29x28 fixed.onnx", 0, "of 28x28 and no larger ones", NULL},

    {"import weights.safetensors", 2, NULL, "--output"},
    {"import none.safetensors -o weights.onnx", 1, NULL, "none.safetensors"},
    {"import net.onnx -o weights.onnx", 1, NULL, "net.onnx: the header"},
    {"import in.safetensors -o weights.onnx", 1, NULL,
     "in.safetensors: its tensors (1, the first is 'image')"},
    {"import weights.safetensors -o weights.onnx", 0, NULL, NULL},
    {"info weights.onnx", 0, "ae.architecture = SRVGGNetCompact", NULL},
    {"check weights.onnx", 0, "runs here, in aedenoise", NULL},

    {"split net.onnx", 2, NULL, "--output"},
    {"split net.onnx -o half --at nowhere", 1, NULL, "nowhere"},
    {"split fixed.onnx -o half --at maxpool9", 0, NULL, NULL},
    {"info half-encoder.onnx", 0, "maxpool9", NULL},
    {"info half-decoder.onnx", 0, "?x8x4x4", NULL},
    {"check half-encoder.onnx half-decoder.onnx", 0,
     "half-decoder.onnx: runs here, but not in", NULL},

    {"bench net.onnx --size 32x32 --threads 2 --seconds 0.01", 0, "frames/s",
     NULL},
    {"bench net.onnx --inputs in.safetensors --seconds 0.01", 0, "frames/s",
     NULL},
    {"bench fixed.onnx --inputs in.safetensors", 1, NULL, "28"},
    {"bench net.onnx --inputs missing.safetensors", 1, NULL, "missing"},
    {"bench damaged.onnx", 1, NULL, "damaged.onnx"},

    {"run net.onnx in.safetensors", 2, NULL, "ae run"},
    {"run net.onnx in.safetensors out.safetensors", 0, NULL, NULL},
    {"run fixed.onnx in.safetensors out.safetensors", 1, NULL, "28"},
    {"run half-decoder.onnx in.safetensors out.safetensors", 1, NULL,
     "no tensor 'maxpool9'"},
    {"run net.onnx missing.safetensors out.safetensors", 1, NULL, "missing"},

    {"quantize net.onnx -o bytes.onnx", 2, NULL, "--calibrate"},
    {"quantize net.onnx --calibrate gray.png", 2, NULL, "--output"},
    {"quantize net.onnx --calibrate gray.png -o bytes.onnx", 1, NULL,
     "too small"},
    {"quantize net.onnx --calibrate none.png -o bytes.onnx", 1, NULL,
     "none.png"},
    {"quantize net.onnx --calibrate large.png images.idx -o bytes.onnx", 0,
     NULL, NULL},
    {"quantize bytes.onnx --calibrate large.png -o twice.onnx", 1, NULL,
     "already"},
    {"run bytes.onnx in.safetensors out.safetensors", 0, NULL, NULL},

    {"new unet-xs -o video.onnx --channels 6", 0, NULL, NULL},
    {"new keras -o video.onnx --channels 6", 1, NULL, "4:2:0"},
    {"info video.onnx --size 640x480", 0, "1x6x240x320", NULL},
    {"quantize video.onnx --calibrate large.png -o bytes.onnx", 0, NULL, NULL},
    {"bench bytes.onnx --size 32x32 --seconds 0.01", 0, "frames/s", NULL},

    {"pca images.idx -k 3", 2, NULL, "--output"},
    {"pca labels.idx -o pca.onnx", 1, NULL, "labels"},
    {"pca images.idx -k 73 -o pca.onnx", 1, NULL, "1 to 72"},
    {"pca images.idx -k 3 -o pca.onnx", 0, "3 components hold 100.00 %", NULL},
    {"embed pca.onnx images.idx", 2, NULL, "--output"},
    {"embed net.onnx images.idx -o codes.npy", 1, NULL, "ae.latent"},
    {"embed pca.onnx labels.idx -o codes.npy", 1, NULL, "labels"},
    {"embed fixed.onnx images.idx -o codes.npy", 1, NULL, "28"},
    {"embed pca.onnx images.idx -o codes.npy", 0, "2 codes of 3 values: mean",
     NULL},
    {"pca images.idx -k 1 -o one.onnx", 0, "1 components", NULL},
    {"embed one.onnx images.idx -o one.npy", 0, "2 codes of 1 values: mean",
     NULL},
    {"new vae --classes 3 --hidden-size 16 -o vae.onnx", 0, NULL, NULL},
    {"embed vae.onnx digits.idx -o z.npy", 1, NULL, "conditional"},
    {"embed vae.onnx digits.idx --labels digits.idx -o z.npy", 1, NULL,
     "2 labels"},
    {"embed vae.onnx digits.idx --labels labels.idx -o z.npy", 0,
     "2 codes of 2", NULL},
    {"embed vae.onnx digits.idx --labels high.idx -o z.npy", 1, NULL,
     "label 3"},
    {"knn codes.npy labels.idx images.idx labels.idx", 1, NULL,
     "codes.npy has rows of 3 numbers, images.idx of 72"},
    {"knn codes.npy labels.idx codes.npy labels.idx", 2, NULL, "-k"},
    {"knn codes.npy labels.idx codes.npy labels.idx -k 1", 0,
     "accuracy 1.0000 (2 of 2", NULL},
    {"knn images.idx labels.idx images.idx labels.idx -k 1", 0,
     "accuracy 1.0000", NULL},
    {"knn images.idx digits.idx images.idx labels.idx", 1, NULL, "2 labels"},
    {"error pca.onnx images.idx", 0, "mean squared error 0.000000 (2 images",
     NULL},
    {"error pca.onnx images.idx images.idx", 0, "of 3", NULL},
    {"error vae.onnx digits.idx --labels labels.idx", 0, "mean squared error",
     NULL},
    {"error pca.onnx images.idx digits.idx", 1, NULL, "28"},
    {"embed whole.onnx digits.idx -o single.npy", 1, NULL,
     "a code for each image"},
    {"figure manifold whole.onnx -o z.png", 1, NULL, "a batch of codes"},
    {"embed single.onnx digits.idx -o single.npy", 0, "2 codes", NULL},

    {"decode pca.onnx codes.npy", 2, NULL, "--output"},
    {"decode pca.onnx none.npy -o out.idx", 1, NULL, "none.npy"},
    {"decode pca.onnx one.npy -o out.idx", 1, NULL, "rows of 3 numbers"},
    {"decode pca.onnx codes.npy -o out.idx --noise loud", 1, NULL, "loud"},
    {"decode vae.onnx z.npy -o out.idx", 1, NULL, "conditional"},
    {"decode vae.onnx z.npy -o out.idx --labels labels.idx", 0, NULL, NULL},
    {"decode pca.onnx codes.npy -o out.idx", 0, NULL, NULL},
    {"knn images.idx labels.idx out.idx labels.idx -k 1", 0, "accuracy 1.0000",
     NULL},
    {"decode pca.onnx codes.npy -o loud.idx --noise gaussian:sd=9,clip=false",
     0, NULL, NULL},
    {"error pca.onnx loud.idx", 0, "mean squared error", NULL},

    {"resize 3x2 gray.png", 2, NULL, "IN.png OUT.png"},
    {"resize large gray.png small.png", 2, NULL, "640x480"},
    {"resize 99999x2 gray.png small.png", 2, NULL, "16384"},
    {"resize 3x2 none.png small.png", 1, NULL, "none.png"},
    {"resize 3x2 gray.png small.png", 0, NULL, NULL},

    {"train digits.idx", 2, NULL, "--model-file is missing"},
    {"train -o t.onnx", 2, NULL, "no files of pictures"},
    {"train -o t.onnx --task paint digits.idx", 2, NULL,
     "one of autoencode, denoise"},
    {"train -o t.onnx --epochs 0 digits.idx", 2, NULL, "needs --max-steps"},
    {"train -o t.onnx none.idx", 1, NULL, "none.idx"},
    {"train -o t.onnx labels.idx", 1, NULL, "holds labels"},
    {"train -o t.onnx --labels digits.idx digits.idx", 1, NULL,
     "labels are wanted"},
    {"train -o t.onnx --labels labels.idx digits.idx large.png", 1, NULL,
     "2 labels, but there are 3 pictures"},
    {"train -o t.onnx --schedule cosine digits.idx", 1, NULL, "max-steps"},
    {"train -o t.onnx --batch-size 2 --epochs 3 --shuffle digits.idx", 0,
     "3 steps, loss", NULL},
    {"train -o t.onnx --batch-size 2 --epochs 5 --shuffle --resume digits.idx",
     0, "resuming after step 3", NULL},
    {"train -o t.onnx --mode evaluate digits.idx", 0, "2 images, loss", NULL},
    {"train -o v.onnx --task vae --conditional --classes 3 --batch-size 2 "
     "--labels labels.idx digits.idx",
     0, "1 steps, loss", NULL},
    {"train -o u.onnx --architecture unet-xs --patch-size 8 --gray "
     "--patches-per-frame 2 --batch-size 2 --max-steps 4 --epochs 0 large.png",
     0, "4 steps, loss", NULL},
    {"train -o u.onnx --architecture unet-xs --patch-size 8 .", 1, NULL,
     "smaller than a patch of 8x8"},
    {"samples --batch-size 2 --task superres digits.idx", 0,
     "ae-samples 1 input 2 1 14 14 target 2 1 28 28\n", NULL},
    {"samples --batch-size 2 digits.idx large.png", 1,
     "input 2 1 28 28 target 2 1 28 28\n", "set --patch-size"},
    {"samples none.png", 1, NULL, "none.png"},

    {"figure", 2, NULL, "ae figure curves"},
    {"figure circle -o out.png", 2, NULL, "ae figure curves"},
    {"figure --help", 0, "figure manifold MODEL", NULL},
    {"figure grid 1x1 gray.png", 2, NULL, "--output"},
    {"figure grid 1x1 gray.png gray.png -o out.png", 2, NULL, "places"},
    {"figure grid 1x2 gray.png none.png -o out.png", 1, NULL, "none.png"},
    {"figure grid 2x2 gray.png gray.png gray.png --zoom 3 "
     "--captions in,out --row-captions a,b -o out.png",
     0, NULL, NULL},
    {"figure grid 1x2 gray.png --captions one -o out.png", 2, NULL,
     "2 captions"},
    {"figure difference gray.png out.png -o same.png", 1, NULL, "same size"},
    {"figure difference gray.png gray.png", 2, NULL, "--output"},
    {"figure difference gray.png none.png -o out.png", 1, NULL, "none.png"},
    {"figure difference gray.png gray.png --gain 4 -o same.png", 0, NULL, NULL},
    {"figure difference gray.png same.png -o out.png", 0, NULL, NULL},
    {"figure scatter labels.idx codes.npy", 2, NULL, "--output"},
    {"figure scatter labels.idx codes.npy codes.npy -o out.png --captions a,b",
     0, NULL, NULL},
    {"figure scatter labels.idx codes.npy -o out.png --captions a,b", 2, NULL,
     "1 captions"},
    {"figure scatter images.idx codes.npy -o out.png", 1, NULL, "labels"},
    {"figure scatter labels.idx one.npy -o out.png", 1, NULL, "two numbers"},
    {"figure curves good.log -o out.png", 0, NULL, NULL},
    {"figure curves good.log good.log -o out.png --captions a,b", 0, NULL,
     NULL},
    {"figure curves gray.png -o out.png", 1, NULL, "ae-training"},
    {"figure weights pca.onnx -o out.png", 0, NULL, NULL},
    {"figure weights vae.onnx -o out.png", 0, NULL, NULL},
    {"figure weights net.onnx -o out.png", 0, NULL, NULL},
    {"figure manifold pca.onnx -o out.png", 1, NULL, "two values"},
    {"figure manifold net.onnx -o out.png", 1, NULL, "ae.latent"},
    {"figure manifold vae.onnx -o out.png", 1, NULL, "conditional"},
    {"figure manifold vae.onnx --label 3 -o out.png", 1, NULL, "label 3"},
    {"figure manifold vae.onnx --label 2 --count 1 -o out.png", 2, NULL,
     "--count"},
    {"figure manifold vae.onnx --label 2 --count 3 --range 2 -o out.png", 0,
     NULL, NULL},
    {"figure interpolate pca.onnx images.idx 0 2 -o out.png", 2, NULL,
     "0 to 1"},
    {"figure interpolate pca.onnx images.idx 0 1 -o out.png", 0, NULL, NULL},
    {"figure interpolate vae.onnx digits.idx 0 1 --label 1 -o out.png", 0, NULL,
     NULL},
    {"figure interpolate pca.onnx digits.idx 0 1 -o out.png", 1, NULL, "28"},
    {"figure labels pca.onnx -o out.png", 1, NULL, "conditional"},
    {"figure labels vae.onnx --count 4 --seed 3 -o out.png", 0, NULL, NULL},
};

static void check_text(const char *arguments, const char *text,
                       const char *part)
{
    if (part == NULL ? *text != '\0' : strstr(text, part) == NULL)
        g_error("ae %s: said '%s', not '%s'", arguments, text,
                part != NULL ? part : "");
}

static void run_case(const char *folder, gsize i)
{
    g_autofree char *line =
        g_strdup_printf("%s %s", g_getenv("AE_TOOL"), cases[i].arguments);
    g_auto(GStrv) argv = g_strsplit(g_strstrip(line), " ", -1);
    g_autofree char *out = NULL, *err = NULL;
    GError *error = NULL;
    int status;

    g_spawn_sync(folder, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err,
                 &status, &error);
    g_assert_no_error(error);
    g_assert_true(WIFEXITED(status));
    g_test_message("ae %s: %d", cases[i].arguments, WEXITSTATUS(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, cases[i].status);
    check_text(cases[i].arguments, out, cases[i].out);
    check_text(cases[i].arguments, err, cases[i].err);
}

/* What gst-launch-1.0 -m prints of a training. */
static const char messages[] =
    "Setting pipeline to PLAYING ...\n"
    "Got message #9 from element \"t\" (element): ae-training, "
    "step=(gint64)10, images=(gint64)1280, loss=(double)0.5, "
    "images-per-second=(double)2626.9;\n"
    "Got message #12 from element \"t\" (element): ae-training, "
    "step=(gint64)20, images=(gint64)2560, loss=(double)0.25, "
    "images-per-second=(double)2626.9, validation-loss=(double)0.3;\n";

/* An image for `ae run`. */
static void save_input(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "in.safetensors", NULL);
    g_autoptr(AeSafetensors) file = ae_safetensors_new();
    const AeShape shape = ae_shape(4, 1, 1, 16, 24);

    ae_safetensors_add(file, "image", ae_tensor_new(&shape, NULL));
    g_assert_true(ae_safetensors_save(file, path, NULL));
}

/* A network of one convolution for `ae import`. */
static void save_weights(const char *folder)
{
    g_autofree char *path =
        g_build_filename(folder, "weights.safetensors", NULL);
    g_autoptr(AeSafetensors) file = ae_safetensors_new();
    const AeShape shape = ae_shape(4, 1, 1, 3, 3), row = ae_shape(1, 1);

    ae_safetensors_add(file, "body.0.weight", ae_tensor_new(&shape, NULL));
    ae_safetensors_add(file, "body.0.bias", ae_tensor_new(&row, NULL));
    g_assert_true(ae_safetensors_save(file, path, NULL));
}

/* What `ae run` wrote has the image's size. */
static void check_output(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "out.safetensors", NULL);
    g_autoptr(AeSafetensors) file = ae_safetensors_load(path, NULL);
    const AeShape shape = ae_shape(4, 1, 1, 16, 24);
    const AeTensor *tensor;

    g_assert_nonnull(file);
    g_assert_cmpuint(file->tensors->len, ==, 1);
    tensor = g_ptr_array_index(file->tensors, 0);
    g_assert_true(ae_shape_equal(&tensor->shape, &shape));
}

/* Two bytes of labels, or two images of @side x @side + @wider random bytes.
 */
static void save_idx(const char *folder, const char *name, int rank, int side,
                     int wider)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    const int size = rank == 1 ? 1 : side * (side + wider);
    char bytes[16 + 2 * 28 * 28] = {0, 0, 8, (char)rank, 0, 0, 0, 2};
    const int header = 4 + 4 * rank;
    AeRandom random = ae_random(1, 0);

    bytes[11] = (char)side;
    bytes[15] = (char)(side + wider);
    for (int i = 0; i < 2 * size; i++)
        bytes[header + i] =
            rank == 1 ? (char)(side + i) : (char)ae_random_below(&random, 256);
    g_assert_true(g_file_set_contents(path, bytes, header + 2 * size, NULL));
}

/* A model of images that are their own code, of @batch images at a time, or
 * whose code (0) is one number for all of them. */
static void save_odd_model(const char *folder, const char *name, int64_t batch)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    const AeShape shape = ae_shape(4, batch > 0 ? batch : -1, 1, 28, 28);
    g_autoptr(AeModel) model = ae_model_new(13);
    int in = ae_model_add_input(model, "image", &shape, NULL);
    int code = ae_model_add_value(model, "code", NULL, NULL);
    int out = ae_model_add_value(model, "out", NULL, NULL);
    AeNode *node = ae_model_add_node(model, batch > 0 ? "Relu" : "ReduceMean",
                                     "encoder", &in, 1, &code, 1, NULL);

    if (batch == 0)
        ae_node_set_int(node, "keepdims", 0);
    ae_model_add_node(model, "Relu", "decoder", &code, 1, &out, 1, NULL);
    ae_model_add_output(model, out);
    ae_model_set(model, "ae.latent", "code");
    g_assert_true(ae_onnx_save(model, path, NULL));
}

static void prepare(const char *folder)
{
    g_autofree char *damaged = g_build_filename(folder, "damaged.onnx", NULL);
    g_autofree char *log = g_build_filename(folder, "good.log", NULL);
    g_autofree char *gray = g_build_filename(folder, "gray.png", NULL);
    g_autofree char *large = g_build_filename(folder, "large.png", NULL);
    g_autoptr(AeImage) image = ae_image_new(5, 4, 1, NULL);
    g_autoptr(AeImage) colours = ae_image_new(37, 19, 3, NULL);

    for (int i = 0; i < 37 * 19 * 3; i++)
        colours->pixels[i] = (uint8_t)(i * 7);
    save_input(folder);
    save_weights(folder);
    g_assert_true(ae_image_save_png(colours, large, NULL));
    g_assert_true(g_file_set_contents(log, messages, -1, NULL));
    save_odd_model(folder, "whole.onnx", 0);
    save_odd_model(folder, "single.onnx", 1);
    save_idx(folder, "images.idx", 3, 8, 1);
    save_idx(folder, "digits.idx", 3, 28, 0);
    save_idx(folder, "labels.idx", 1, 0, 0);
    save_idx(folder, "high.idx", 1, 2, 0);
    g_assert_true(ae_image_save_png(image, gray, NULL));
    g_assert_true(g_file_set_contents(damaged, "\x08\x08\xff\xff", 4, NULL));
}

static void delete_folder(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
}

static void test_cases(void)
{
    g_autofree char *folder = g_dir_make_tmp("ae-tool-XXXXXX", NULL);

    prepare(folder);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_case(folder, i);
    check_output(folder);
    delete_folder(folder);
}

/* So few samples that all of them wait in a buffer until the end: a full disk
 * must be noticed there as well. */
static void test_full_disk(void)
{
    g_autofree char *folder = g_dir_make_tmp("ae-tool-XXXXXX", NULL);
    char *argv[] = {"sh", "-c",
                    "\"$AE_TOOL\" samples --batch-size 1 tiny.idx >/dev/full",
                    NULL};
    g_autofree char *err = NULL;
    int status;

    if (!g_file_test("/dev/full", G_FILE_TEST_EXISTS)) {
        g_test_skip("this system has no /dev/full");
        return;
    }
    save_idx(folder, "tiny.idx", 3, 4, 0);
    g_assert_true(g_spawn_sync(folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                               NULL, NULL, &err, &status, NULL));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    check_text("samples", err, "standard output takes no more samples");
    delete_folder(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ae-tool/cases", test_cases);
    g_test_add_func("/ae-tool/full-disk", test_full_disk);
    return g_test_run();
}
