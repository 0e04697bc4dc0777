/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae.h"
#include "model/build.h"
#include "model/safetensors.h"

static char *program, *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

typedef struct {
    char *error;            /* NULL: end of stream */
    GstStructure *training; /* the last of each, or NULL */
    GstStructure *evaluation;
} Outcome;

static void outcome_clear(Outcome *outcome)
{
    g_free(outcome->error);
    g_clear_pointer(&outcome->training, gst_structure_free);
    g_clear_pointer(&outcome->evaluation, gst_structure_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static void keep_message(Outcome *outcome, GstMessage *message)
{
    const GstStructure *s = gst_message_get_structure(message);
    GstStructure **slot = gst_structure_has_name(s, "ae-training")
                              ? &outcome->training
                              : &outcome->evaluation;

    if (!g_str_has_prefix(gst_structure_get_name(s), "ae-"))
        return;
    g_clear_pointer(slot, gst_structure_free);
    *slot = gst_structure_copy(s);
}

static Outcome run_pipeline(GstElement *pipeline)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    Outcome outcome = {0};
    gboolean done = FALSE;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    while (!done) {
        g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
            bus, 120 * GST_SECOND,
            GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
        g_assert_nonnull(message);
        done = GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT;
        if (!done)
            keep_message(&outcome, message);
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            g_autoptr(GError) error = NULL;
            gst_message_parse_error(message, &error, NULL);
            outcome.error = g_strdup(error->message);
        }
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_bus_set_flushing(bus, TRUE);
    gst_bus_set_flushing(bus, FALSE);
    return outcome;
}

static AeModel *load(const char *path)
{
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_onnx_load(path, &error);

    g_assert_no_error(error);
    return model;
}

static Outcome run(const char *format, ...) G_GNUC_PRINTF(1, 2);

static Outcome run(const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    va_list args;

    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(GstElement) pipeline = gst_parse_launch(line, &error);
    g_assert_no_error(error);
    return run_pipeline(pipeline);
}

#define SOURCE                                                                 \
    "videotestsrc pattern=ball num-buffers=%d ! "                              \
    "video/x-raw,format=%s,width=%d,height=%d ! "

#define DIGITS                                                                 \
    "videotestsrc pattern=ball num-buffers=%d ! "                              \
    "video/x-raw,format=GRAY8,width=28,height=28 ! "

static void test_formats_and_sizes(void)
{
    static const struct {
        const char *format;
        int width, height, patch;
        const char *architecture;
    } cases[] = {
        {"GRAY8", 28, 28, 0, "keras"},     {"I420", 28, 28, 0, "keras"},
        {"RGB", 28, 28, 0, "keras"},       {"BGRA", 28, 28, 0, "keras"},
        {"NV12", 33, 47, 28, "keras"},     {"I420", 61, 35, 16, "unet-xs"},
        {"GRAY8", 32, 24, 0, "unet-xs"},   {"RGBx", 41, 29, 24, "unet-xs"},
        {"GRAY8", 28, 28, 0, "dense"},     {"RGB", 33, 47, 28, "dense"},
        {"I420_10LE", 28, 28, 0, "keras"}, {"GRAY16_LE", 33, 47, 28, "keras"},
        {"NV16", 33, 47, 28, "keras"},     {"GBR", 28, 28, 0, "keras"},
        {"YUY2", 28, 28, 0, "keras"},      {"P010_10LE", 61, 35, 16, "unet-xs"},
        {"GRAY16_BE", 28, 28, 0, "keras"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run(SOURCE "aetrain batch-size=4 patch-size=%d augment=true "
                       "architecture=%s task=denoise patches-per-frame=2",
                10, cases[i].format, cases[i].width, cases[i].height,
                cases[i].patch, cases[i].architecture);
        gint64 steps = 0;
        g_assert_cmpstr(outcome.error, ==, NULL);
        gst_structure_get_int64(outcome.training, "step", &steps);
        g_assert_cmpint(steps, ==, cases[i].patch > 0 ? 5 : 3);
    }
}

/* 40 images of 28 x 28 and a label for each: 0, 1, 2, 0, ... */
static void write_digits(void)
{
    enum { N = 40, SIZE = 28 * 28 };
    guint8 images[16 + N * SIZE] = {0, 0, 8, 3,  0, 0, 0, N,
                                    0, 0, 0, 28, 0, 0, 0, 28};
    guint8 labels[8 + N] = {0, 0, 8, 1, 0, 0, 0, N};
    g_autofree char *image_path = in_folder("images.idx");
    g_autofree char *label_path = in_folder("labels.idx");

    for (int i = 0; i < N; i++) {
        labels[8 + i] = (guint8)(i % 3);
        for (int j = 0; j < SIZE; j++)
            images[16 + i * SIZE + j] =
                (guint8)(j / 28 % (i % 3 + 2) == 0 ? 255 - i : i);
    }
    g_assert_true(
        g_file_set_contents(image_path, (char *)images, sizeof images, NULL));
    g_assert_true(
        g_file_set_contents(label_path, (char *)labels, sizeof labels, NULL));
}

/* Each task says what its loss is made of, in training and in measuring. */
static void test_tasks(void)
{
    static const struct {
        const char *settings, *term, *key, *value;
    } cases[] = {
        {"task=autoencode", NULL, "ae.architecture", "keras"},
        {"task=autoencode architecture=shallow activity-penalty=1e-3",
         "activity", "ae.task", "autoencode"},
        {"task=denoise architecture=keras-denoise", NULL, "ae.task", "denoise"},
        {"task=superres downscale=mean", NULL, "ae.scale", "2"},
        {"task=superres", NULL, "ae.noise", NULL},
        {"task=superres noise=jpeg:quality=20..80", NULL, "ae.noise",
         "jpeg:quality=20..80"},
        {"task=autoencode noise=uniform", NULL, "ae.noise", NULL},
        {"task=vae", "kl", "ae.architecture", "vae"},
        {"task=vae form=log-sd loss=bce latent-size=3 hidden-size=20", "kl",
         "ae.task", "vae"},
        {"task=vae architecture=conv-vae form=as-published", "kl",
         "ae.architecture", "conv-vae"},
        {"task=vae architecture=kvfrans", "kl", "ae.architecture", "kvfrans"},
        {"task=vae conditional=true classes=3", "kl", "ae.classes", "3"},
        {"task=adversarial hidden-size=20 latent-size=4 beta=0.1",
         "adversarial", "ae.architecture", "adversarial"},
    };
    g_autofree char *path = in_folder("task.onnx");
    g_autofree char *images = in_folder("images.idx");
    g_autofree char *labels = in_folder("labels.idx");

    write_digits();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int evaluate = 0; evaluate < 2; evaluate++) {
            g_auto(Outcome) outcome =
                run("idxsrc location=%s labels-location=%s ! aetrain mode=%s "
                    "batch-size=16 shuffle-buffer=%d model-file=%s %s",
                    images, labels, evaluate ? "evaluate" : "train",
                    evaluate ? 0 : 7, path, cases[i].settings);
            const GstStructure *s =
                evaluate ? outcome.evaluation : outcome.training;
            double loss, reconstruction;

            g_assert_cmpstr(outcome.error, ==, NULL);
            g_assert_true(gst_structure_get_double(s, "loss", &loss));
            g_assert_cmpfloat(loss, >, 0);
            g_assert_cmpint(
                gst_structure_get_double(s, "reconstruction", &reconstruction),
                ==, cases[i].term != NULL);
            if (cases[i].term != NULL)
                g_assert_true(gst_structure_has_field(s, cases[i].term));
            g_autoptr(AeModel) model = load(path);
            g_assert_cmpstr(ae_model_get(model, cases[i].key), ==,
                            cases[i].value);
        }
}

/* A conditional network wants a label of its classes with every image. */
static void test_labels_are_checked(void)
{
    g_autofree char *images = in_folder("images.idx");
    g_autofree char *labels = in_folder("labels.idx");
    static const struct {
        gboolean labels;
        int classes;
        const char *sentence;
    } cases[] = {{FALSE, 3, "has no label"}, {TRUE, 2, "has the label 2"}};

    write_digits();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run("idxsrc location=%s %s%s ! aetrain task=vae conditional=true "
                "classes=%d batch-size=16",
                images, cases[i].labels ? "labels-location=" : "",
                cases[i].labels ? labels : "", cases[i].classes);
        g_assert_nonnull(outcome.error);
        g_assert_nonnull(strstr(outcome.error, cases[i].sentence));
    }
}

static void test_bad_settings(void)
{
    static const struct {
        const char *settings, *sentence;
    } cases[] = {
        {"architecture=resnet", "no architecture is called 'resnet'"},
        {"noise=gaussian:sd=x task=denoise", "sd"},
        {"schedule=cosine", "needs max-steps"},
        {"task=vae activity-penalty=1", "does not go with it"},
        {"task=vae architecture=keras", "not a variational"},
        {"task=adversarial architecture=unet-xs patch-size=16",
         "autoencoder with a code"},
        {"conditional=true", "has no conditional form"},
        {"latent-size=7", "code of its own size"},
        {"task=superres scale=3", "28x28 cannot be made smaller by scale=3"},
        {"task=superres architecture=keras", "does not enlarge"},
        {"mode=evaluate", "needs a model-file"},
        {"keep-best=true", "needs validate-every"},
        {"task=vae target=noisy", "is for task=denoise, not task=vae"},
        {"mode=evaluate model-file=/nonexistent/m.onnx", "/nonexistent/m.onnx"},
        {"patch-size=64", "smaller than a patch"},
        {"architecture=keras patch-size=20",
         "made for images of 28x28, but these have 20x20"},
        {"model-file=/nonexistent/m.onnx", "/nonexistent"},
        {"architecture=unet-xs patch-size=16 learning-rate=1000 optimizer=sgd",
         "diverged"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run(DIGITS "aetrain batch-size=2 %s", 300, cases[i].settings);
        if (outcome.error == NULL ||
            strstr(outcome.error, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].settings, outcome.error);
    }
}

/* Before the first step. */
static void test_unwritable(void)
{
    static const char *const properties[] = {"model-file", "checkpoint-file"};
    g_autofree char *file = in_folder("nowhere/m.onnx");
    const char *const names[] = {file, g_get_tmp_dir()};

    for (size_t i = 0; i < G_N_ELEMENTS(properties); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            GstElement *train = gst_element_factory_make("aetrain", NULL);

            g_object_set(train, properties[i], names[j], NULL);
            g_assert_cmpint(gst_element_set_state(train, GST_STATE_PAUSED), ==,
                            GST_STATE_CHANGE_FAILURE);
            gst_element_set_state(train, GST_STATE_NULL);
            gst_object_unref(train);
        }
}

static void test_bad_then_good(void)
{
    g_autoptr(GstElement) pipeline =
        gst_parse_launch("videotestsrc num-buffers=10 ! "
                         "video/x-raw,format=GRAY8,width=28,height=28 ! "
                         "aetrain name=t batch-size=2",
                         NULL);
    g_autoptr(GstElement) train = gst_bin_get_by_name(GST_BIN(pipeline), "t");

    for (int i = 0; i < 4; i++) {
        g_object_set(train, "architecture", i % 2 ? "keras" : "none", NULL);
        g_auto(Outcome) outcome = run_pipeline(pipeline);
        if ((outcome.error == NULL) != (i % 2 == 1))
            g_error("run %d: %s", i, outcome.error);
    }
}

static void test_size_change_is_an_error(void)
{
    g_auto(Outcome) outcome =
        run("concat name=c ! aetrain architecture=unet-xs batch-size=2 " SOURCE
            "c. " SOURCE "c.",
            4, "GRAY8", 32, 32, 4, "GRAY8", 40, 40);

    g_assert_nonnull(outcome.error);
    g_assert_nonnull(strstr(outcome.error, "changed their size"));
}

static void test_sizes_change_with_patches(void)
{
    g_auto(Outcome) outcome =
        run("concat name=c ! aetrain architecture=unet-xs batch-size=2 "
            "patch-size=16 shuffle-buffer=3 " SOURCE "c. " SOURCE "c.",
            4, "GRAY8", 32, 32, 4, "I420", 40, 41);
    gint64 steps = 0;

    g_assert_cmpstr(outcome.error, ==, NULL);
    gst_structure_get_int64(outcome.training, "step", &steps);
    g_assert_cmpint(steps, ==, 4);
}

static void assert_same_files(const char *a, const char *b)
{
    g_autofree char *x = NULL, *y = NULL;
    gsize n, m;

    g_assert_true(g_file_get_contents(a, &x, &n, NULL));
    g_assert_true(g_file_get_contents(b, &y, &m, NULL));
    g_assert_cmpmem(x, n, y, m);
}

#define RECIPE                                                                 \
    "task=denoise noise=gaussian:sd=0..0.3 batch-size=4 shuffle-buffer=9 "     \
    "augment=true validate-every=7 "

static void test_threads_do_not_matter(void)
{
    g_autofree char *one = in_folder("one.onnx"), *two = in_folder("two.onnx");
    g_auto(Outcome) a =
        run(DIGITS "aetrain threads=1 model-file=%s " RECIPE, 60, one);
    g_auto(Outcome) b =
        run(DIGITS "aetrain threads=2 model-file=%s " RECIPE, 60, two);

    g_assert_cmpstr(a.error, ==, NULL);
    g_assert_cmpstr(b.error, ==, NULL);
    assert_same_files(one, two);
}

static void test_evaluate_measures(void)
{
    g_autofree char *model = in_folder("evaluate.onnx");
    g_auto(Outcome) trained =
        run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s", 160, model);
    g_auto(Outcome) measured =
        run(DIGITS "aetrain mode=evaluate loss=bce batch-size=7 model-file=%s",
            20, model);
    gint64 images = 0;
    double loss = 0, mse = 0, psnr = 0;

    g_assert_cmpstr(trained.error, ==, NULL);
    g_assert_cmpstr(measured.error, ==, NULL);
    gst_structure_get(measured.evaluation, "images", G_TYPE_INT64, &images,
                      "loss", G_TYPE_DOUBLE, &loss, "mse", G_TYPE_DOUBLE, &mse,
                      "psnr", G_TYPE_DOUBLE, &psnr, NULL);
    g_assert_cmpint(images, ==, 20);
    g_assert_cmpfloat(loss, >, 0);
    g_assert_cmpfloat(loss, <, 0.69);
    g_assert_cmpfloat_with_epsilon(psnr, ae_psnr(mse), 1e-9);
}

/* A model is trained further: its first loss is what the first run came to. */
static void test_initial_model(void)
{
    g_autofree char *model = in_folder("initial.onnx");
    g_autofree char *further = in_folder("further.onnx");
    g_autofree char *none = in_folder("none.onnx");
    g_auto(Outcome) first =
        run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s", 160, model);
    g_auto(Outcome) measured =
        run(DIGITS "aetrain mode=evaluate loss=bce batch-size=8 model-file=%s",
            8, model);
    g_auto(Outcome) second =
        run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s "
                   "initial-model=%s",
            8, further, model);
    g_auto(Outcome) unlike =
        run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s "
                   "architecture=dense initial-model=%s",
            8, further, model);
    g_auto(Outcome) missing =
        run(DIGITS "aetrain model-file=%s initial-model=%s", 8, further, none);
    double reached = 0, loss = 1;

    g_assert_cmpstr(first.error, ==, NULL);
    g_assert_cmpstr(second.error, ==, NULL);
    gst_structure_get(measured.evaluation, "loss", G_TYPE_DOUBLE, &reached,
                      NULL);
    gst_structure_get(second.training, "loss", G_TYPE_DOUBLE, &loss, NULL);
    g_assert_cmpfloat_with_epsilon(loss, reached, 1e-6);
    g_assert_nonnull(strstr(missing.error, none));
    g_assert_nonnull(strstr(unlike.error, "no weights that fit"));
}

static float first_weight(const AeModel *model, const char *name)
{
    int value = ae_model_find(model, name);

    g_assert_cmpint(value, >=, 0);
    return ae_model_value(model, value)->constant->data[0];
}

/* A network for another scale begins with what it has in common with the given
 * one: at a rate of nearly nothing the difference stays visible. */
static void test_transfer(void)
{
    g_autofree char *two = in_folder("two.onnx");
    g_autofree char *three = in_folder("three.onnx");
    g_auto(Outcome) first =
        run("videotestsrc num-buffers=%d pattern=circular ! video/x-raw,"
            "format=GRAY8,width=48,height=48 ! aetrain task=superres scale=2 "
            "architecture=superres-s batch-size=2 model-file=%s",
            4, two);
    g_auto(Outcome) second =
        run("videotestsrc num-buffers=%d pattern=circular ! video/x-raw,"
            "format=GRAY8,width=48,height=48 ! aetrain task=superres scale=3 "
            "architecture=superres-s batch-size=2 learning-rate=1e-12 seed=2 "
            "initial-model=%s model-file=%s",
            4, two, three);

    g_assert_cmpstr(first.error, ==, NULL);
    g_assert_cmpstr(second.error, ==, NULL);
    g_autoptr(AeModel) from = load(two), to = load(three);
    g_assert_cmpint(ae_model_parameters(to), >, ae_model_parameters(from));
    g_assert_cmpfloat_with_epsilon(first_weight(to, "1.weight"),
                                   first_weight(from, "1.weight"), 1e-6);
}

/* Trains in a child that dies by SIGKILL in the middle, then resumes. */
static void test_killed_run_resumes(void)
{
    g_autofree char *whole = in_folder("whole.onnx");
    g_autofree char *killed = in_folder("killed.onnx");
    g_autofree char *checkpoint = in_folder("killed.onnx.safetensors");
    const char *line = DIGITS
        "aetrain checkpoint-interval=3 resume=true model-file=%s " RECIPE;
    g_auto(Outcome) first = run(line, 240, whole);

    g_assert_cmpstr(first.error, ==, NULL);
    g_autofree char *text = g_strdup_printf(line, 240, killed);
    char *child[] = {program, "--child", text, NULL};
    GPid pid;
    g_assert_true(g_spawn_async(NULL, child, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                NULL, NULL, &pid, NULL));
    for (int i = 0; i < 60000 && !g_file_test(checkpoint, G_FILE_TEST_EXISTS);
         i++)
        g_usleep(1000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    g_assert_true(g_file_test(checkpoint, G_FILE_TEST_EXISTS));

    g_auto(Outcome) second = run(line, 240, killed);
    g_assert_cmpstr(second.error, ==, NULL);
    assert_same_files(whole, killed);
}

static void test_state_cycles(void)
{
    g_autoptr(GstElement) pipeline = gst_parse_launch(
        "videotestsrc ! video/x-raw,format=GRAY8,width=28,height=28 ! "
        "aetrain batch-size=4 "
        "videotestsrc ! video/x-raw,format=GRAY8,width=28,height=28 ! "
        "aetrain name=t batch-size=4",
        NULL);
    static const GstState states[] = {
        GST_STATE_READY, GST_STATE_PAUSED,  GST_STATE_PLAYING,
        GST_STATE_NULL,  GST_STATE_PLAYING, GST_STATE_PAUSED,
        GST_STATE_READY, GST_STATE_PLAYING, GST_STATE_NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        gst_element_set_state(pipeline, states[i]);
        g_assert_cmpint(
            gst_element_get_state(pipeline, NULL, NULL, 20 * GST_SECOND), ==,
            GST_STATE_CHANGE_SUCCESS);
        g_usleep(20000);
    }
}

/* Stopping an endless stream saves what was learnt. */
static void test_stop_saves(void)
{
    g_autofree char *model = in_folder("stopped.onnx");
    g_autofree char *line = g_strdup_printf(
        "videotestsrc ! video/x-raw,format=GRAY8,width=28,height=28 ! "
        "aetrain name=t batch-size=4 model-file=%s",
        model);
    g_autoptr(GstElement) pipeline = gst_parse_launch(line, NULL);
    g_autoptr(GstElement) train = gst_bin_get_by_name(GST_BIN(pipeline), "t");
    gint64 step = 0;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (int i = 0; i < 20000 && step < 3; i++) {
        g_usleep(1000);
        g_object_get(train, "step", &step, NULL);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_autoptr(AeModel) saved = load(model);
    g_assert_cmpint(ae_model_parameters(saved), ==, 4385);
}

static void test_max_steps(void)
{
    g_auto(Outcome) outcome =
        run(DIGITS "aetrain batch-size=4 max-steps=5", -1);
    gint64 steps = 0;

    g_assert_cmpstr(outcome.error, ==, NULL);
    gst_structure_get_int64(outcome.training, "step", &steps);
    g_assert_cmpint(steps, ==, 5);
}

/* A run that has done its steps learns no more when it is resumed, but writes
 * a model that was lost. */
static void test_done_is_done(void)
{
    g_autofree char *model = in_folder("done.onnx");
    g_autofree char *before = in_folder("before.onnx");
    const char *line =
        DIGITS "aetrain batch-size=4 max-steps=5 resume=true model-file=%s";

    for (int i = 0; i < 2; i++) {
        g_auto(Outcome) outcome = run(line, -1, model);
        g_assert_cmpstr(outcome.error, ==, NULL);
        if (i == 0)
            g_assert_cmpint(g_rename(model, before), ==, 0);
    }
    assert_same_files(before, model);
}

/* A model that says nothing of training, for evaluation. */
static char *write_model(const char *name, const char *op, const AeShape *shape)
{
    char *path = in_folder(name);
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = ae_model_new(17);
    int in = ae_model_add_input(model, "x", shape, &error);
    int out = ae_model_add_value(model, "y", NULL, &error);

    ae_model_add_output(model, out);
    ae_model_add_node(model, op, "only", &in, 1, &out, 1, &error);
    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
    return path;
}

/* Files from anywhere: no weights, no batch or a fixed one, other sizes. */
static void test_evaluate_any_model(void)
{
    static const struct {
        const char *op;
        int n, rows;
        const char *sentence; /* NULL: measured */
    } cases[] = {
        {"Relu", AE_UNKNOWN, AE_UNKNOWN, NULL},
        {"Relu", 1, 28, NULL},
        {"Identity", 1, 28, NULL},
        {"Relu", 3, 28, "is 3x1x28x28, not 1x1x28x28"},
        {"Relu", AE_UNKNOWN, 32, "images of 28x32, but these have 28x28"},
        {"ReduceMean", AE_UNKNOWN, AE_UNKNOWN, "task=autoencode needs 28x28x1"},
        {"Shape", AE_UNKNOWN, AE_UNKNOWN, "task=autoencode needs 28x28x1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeShape shape = ae_shape(4, cases[i].n, 1, cases[i].rows, 28);
        g_autofree char *model = write_model("any.onnx", cases[i].op, &shape);
        g_auto(Outcome) outcome =
            run(DIGITS "aetrain mode=evaluate resume=true validate-every=2 "
                       "batch-size=16 model-file=%s",
                35, model);
        gint64 images = 0;
        double mse = 1;

        if (cases[i].sentence != NULL) {
            g_assert_nonnull(outcome.error);
            g_assert_nonnull(strstr(outcome.error, model));
            g_assert_nonnull(strstr(outcome.error, cases[i].sentence));
            continue;
        }
        g_assert_cmpstr(outcome.error, ==, NULL);
        gst_structure_get(outcome.evaluation, "images", G_TYPE_INT64, &images,
                          "mse", G_TYPE_DOUBLE, &mse, NULL);
        g_assert_cmpint(images, ==, 35);
        g_assert_cmpfloat(mse, ==, 0);
    }
}

/* Nothing near black or white, where what noise has in the mean is clipped. */
#define STILL_SCENE                                                            \
    "videotestsrc pattern=smpte num-buffers=%d ! video/x-raw,format=I420 ! "   \
    "videobalance contrast=0.4 ! videoconvert ! videoscale ! "                 \
    "video/x-raw,format=%s,width=64,height=48 ! "
#define STILL_NOISE "noise=gaussian:sd=0.1"

/* What a network leaves of a frame's noise when it has learnt from frames that
 * are clean, or noisy. */
static double learn_noise(const char *format, const char *colour,
                          const char *target, gint64 *steps)
{
    gboolean noisy = strcmp(target, "noisy") == 0;
    g_autofree char *path = in_folder("noisy.onnx");
    g_auto(Outcome) outcome =
        run(STILL_SCENE "aenoise %s ! aetrain task=denoise target=%s %s "
                        "colour=%s architecture=unet-xs batch-size=4 "
                        "patch-size=32 patches-per-frame=8 learning-rate=3e-3 "
                        "schedule=cosine max-steps=500 "
                        "model-file=%s",
            300, format, noisy ? STILL_NOISE : "noise=none", target,
            STILL_NOISE, colour, path);
    g_auto(Outcome) measured =
        run(STILL_SCENE "aetrain mode=evaluate task=denoise seed=9 %s "
                        "colour=%s model-file=%s",
            4, format, STILL_NOISE, colour, path);
    double mse = 1;

    g_assert_cmpstr(outcome.error, ==, NULL);
    gst_structure_get_int64(outcome.training, "step", steps);
    gst_structure_get_double(measured.evaluation, "mse", &mse);
    return mse;
}

/* Noisy frames of a scene that stands still teach about as much as clean ones
 * with other noise. */
static void test_target_noisy(void)
{
    static const char *const cases[][2] = {
        {"GRAY8", "auto"}, {"RGB", "auto"}, {"I420", "yuv420"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 steps = 0, all = 0;
        double noisy = learn_noise(cases[i][0], cases[i][1], "noisy", &steps);
        double clean = learn_noise(cases[i][0], cases[i][1], "clean", &all);

        g_test_message("%s: mse %g from noisy frames, %g from clean ones",
                       cases[i][0], noisy, clean);
        g_assert_cmpint(all, ==, 500);
        g_assert_cmpint(steps, ==, 500);
        g_assert_cmpfloat(noisy, <, 1.4 * clean);
        g_assert_cmpfloat(noisy, <, 0.0093); /* the noise: 0.0098 */
    }
}

/* Where everything moves, or nothing has noise, nothing is learnt. */
static void test_target_noisy_refuses(void)
{
    static const char *const sources[] = {
        "videotestsrc pattern=zone-plate kx2=5 ky2=5 kt=9",
        "videotestsrc pattern=smpte horizontal-speed=1",
        "videotestsrc pattern=circular",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autofree char *line = g_strdup_printf(
            "%s num-buffers=300 ! video/x-raw,format=GRAY8,width=64,height=48 "
            "! aenoise noise=%s ! aetrain task=denoise target=noisy "
            "architecture=unet-xs patch-size=32 patches-per-frame=8 "
            "batch-size=4",
            sources[i], i == 2 ? "none" : "gaussian:sd=0.01");
        g_autoptr(GstElement) pipeline = gst_parse_launch(line, NULL);
        g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
        g_autoptr(GstMessage) message = NULL;
        g_autoptr(GError) warning = NULL;

        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        message = gst_bus_timed_pop_filtered(
            bus, 60 * GST_SECOND,
            GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
        g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_WARNING);
        gst_message_parse_warning(message, &warning, NULL);
        g_assert_nonnull(strstr(warning->message, "Nothing stands still"));
        gst_element_set_state(pipeline, GST_STATE_NULL);
    }
}

/* A model that got worse is not written, one that got better is. */
static void test_keep_best(void)
{
    g_autofree char *initial = in_folder("before.onnx");
    g_autofree char *best = in_folder("best.onnx");
    static const struct {
        const char *rate;
        gboolean written;
    } cases[] = {{"0.5", FALSE}, {"1e-3", TRUE}};
    g_auto(Outcome) first =
        run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s", 80, initial);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run(DIGITS "aetrain loss=bce batch-size=8 model-file=%s "
                       "initial-model=%s keep-best=true validate-every=2 "
                       "checkpoint-interval=10 learning-rate=%s",
                400, best, initial, cases[i].rate);

        g_assert_cmpstr(outcome.error, ==, NULL);
        g_assert_cmpint(g_file_test(best, G_FILE_TEST_EXISTS), ==,
                        cases[i].written);
    }
}

/* Luma and chroma of 4:2:0 together, from whole frames and from patches. */
static void test_yuv420(void)
{
    static const struct {
        const char *format;
        int width, height, patch;
    } cases[] = {{"I420", 32, 24, 0},
                 {"NV12", 61, 35, 16},
                 {"YV12", 41, 29, 8},
                 {"I420_10LE", 41, 29, 8}};
    g_autofree char *path = in_folder("yuv420.onnx");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run(SOURCE "aetrain colour=yuv420 task=denoise batch-size=4 "
                       "architecture=unet-xs patch-size=%d augment=true "
                       "shuffle-buffer=3 model-file=%s",
                8, cases[i].format, cases[i].width, cases[i].height,
                cases[i].patch, path);
        g_assert_cmpstr(outcome.error, ==, NULL);
        g_autoptr(AeModel) model = load(path);
        g_assert_cmpstr(ae_model_get(model, "ae.colour"), ==, "yuv420");
        g_assert_cmpint(
            ae_model_value(model, ae_model_input(model, 0))->shape.dim[1], ==,
            6);
    }
}

/* What a model that changes nothing leaves is the noise: of all three planes,
 * but of luma alone, two thirds of the samples, where there is no colour. */
static void test_yuv420_noise(void)
{
    static const struct {
        const char *pattern;
        double share;
    } cases[] = {{"blue", 1}, {"black", 2 / 3.0}};
    AeShape shape = ae_shape(4, AE_UNKNOWN, 6, AE_UNKNOWN, AE_UNKNOWN);
    g_autofree char *model = write_model("same.onnx", "Identity", &shape);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run("videotestsrc pattern=%s num-buffers=4 ! "
                "video/x-raw,format=I420,width=128,height=96 ! aetrain "
                "mode=evaluate colour=yuv420 task=denoise model-file=%s "
                "noise=gaussian:sd=0.1,clip=false",
                cases[i].pattern, model);
        double mse = 0;

        g_assert_cmpstr(outcome.error, ==, NULL);
        gst_structure_get_double(outcome.evaluation, "mse", &mse);
        g_assert_cmpfloat_with_epsilon(mse, 0.01 * cases[i].share, 0.0003);
    }
}

static void test_yuv420_errors(void)
{
    static const struct {
        const char *format;
        int width;
        const char *settings, *sentence;
    } cases[] = {
        {"RGB", 32, "", "needs video of 4:2:0, such as I420, but this is RGB"},
        {"GRAY8", 32, "", "but this is GRAY8"},
        {"Y444", 32, "", "but this is Y444"},
        {"I420", 33, "", "would have 33x24: set an even patch-size"},
        {"I420", 32, "patch-size=15", "would have 15x15"},
        {"I420", 32, "task=superres architecture=superres-s",
         "does not go with colour=yuv420"},
        {"I420", 32, "architecture=keras", "does not take the six channels"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome =
            run(SOURCE "aetrain colour=yuv420 %s", 2, cases[i].format,
                cases[i].width, 24, cases[i].settings);
        if (outcome.error == NULL ||
            strstr(outcome.error, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].sentence, outcome.error);
    }
}

/* The files in the folder whose names begin with @prefix. */
static int count_files(const char *prefix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    int n = 0;

    while ((name = g_dir_read_name(dir)) != NULL)
        n += g_str_has_prefix(name, prefix);
    return n;
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = MIN(size, limit.rlim_max);
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* A disk without room, as a limit of 1000 bytes a file. */
static void test_full_disk(void)
{
    static const char *const cases[] = {"", "checkpoint-interval=2",
                                        "max-steps=3"};

    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *model = in_folder("full.onnx");
        limit_files(1000);
        g_auto(Outcome) outcome =
            run(DIGITS "aetrain batch-size=4 model-file=%s %s", 20, model,
                cases[i]);
        limit_files(RLIM_INFINITY);
        g_assert_nonnull(outcome.error);
        g_assert_nonnull(strstr(outcome.error, model));
        g_assert_nonnull(strstr(outcome.error, "cannot write the file"));
        g_assert_cmpint(count_files("full"), ==, 0);
    }
}

static void test_bad_checkpoints(void)
{
    static const struct {
        const char *settings;
        gsize bytes; /* that are left of the file; 0: all */
        const char *sentence;
    } cases[] = {
        {"", 0, NULL},
        {"", 1, "safetensors: "},
        {"", 9000, "safetensors: "},
        {"architecture=unet-xs", 0,
         "made with architecture=keras, not architecture=unet-xs"},
        {"initial-model=vae", 0, "of another model"},
        {"optimizer=sgd", 0, "made with optimizer=adam, not optimizer=sgd"},
        {"seed=7", 0, "made with seed=1, not seed=7"},
    };
    g_autofree char *model = in_folder("checked.onnx");
    g_autofree char *checkpoint = in_folder("checked.onnx.safetensors");
    g_autofree char *data = NULL;
    gsize size;
    const char *line = "videotestsrc num-buffers=8 ! video/x-raw,format=GRAY8,"
                       "width=28,height=28 ! aetrain batch-size=4 resume=true "
                       "patch-size=%d model-file=%s %s";
    g_auto(Outcome) first = run(line, 0, model, "");

    g_assert_cmpstr(first.error, ==, NULL);
    g_assert_true(g_file_get_contents(checkpoint, &data, &size, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize n = cases[i].bytes > 0 ? cases[i].bytes : size;
        int patch = strstr(cases[i].settings, "unet") ? 24 : 0;
        g_assert_true(g_file_set_contents(checkpoint, data, (gssize)n, NULL));
        g_auto(Outcome) outcome = run(line, patch, model, cases[i].settings);
        if (cases[i].sentence == NULL) {
            g_assert_cmpstr(outcome.error, ==, NULL);
            continue;
        }
        g_assert_nonnull(outcome.error);
        if (strstr(outcome.error, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].sentence, outcome.error);
        g_assert_nonnull(strstr(outcome.error, checkpoint));
    }
}

static void assert_finite(const char *checkpoint)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeSafetensors) file = ae_safetensors_load(checkpoint, &error);
    const AeKernels *kernels = ae_kernels_get();

    g_assert_no_error(error);
    for (guint i = 0; i < file->names->len; i++) {
        const AeTensor *tensor =
            ae_safetensors_find(file, g_ptr_array_index(file->names, i));
        g_assert_true(isfinite(kernels->sum_squares(
            tensor->data, ae_shape_elements(&tensor->shape))));
    }
}

/* What was saved before training diverged stays, and can be used. */
static void test_divergence_keeps_the_checkpoint(void)
{
    g_autofree char *model = in_folder("diverged.onnx");
    g_autofree char *checkpoint = in_folder("diverged.onnx.safetensors");
    g_auto(Outcome) outcome =
        run(DIGITS "aetrain architecture=unet-xs patch-size=16 batch-size=2 "
                   "optimizer=sgd learning-rate=1000 checkpoint-interval=1 "
                   "model-file=%s",
            300, model);

    g_assert_nonnull(outcome.error);
    g_assert_nonnull(strstr(outcome.error, "diverged"));
    g_autoptr(AeModel) saved = load(model);
    assert_finite(checkpoint);
}

static void push_frames(GstHarness *harness, int n)
{
    for (int i = 0; i < n; i++) {
        GstBuffer *buffer = gst_harness_create_buffer(harness, 28 * 28);
        gst_buffer_memset(buffer, 0, (guint8)(40 * i), 28 * 28);
        g_assert_cmpint(gst_harness_push(harness, buffer), ==, GST_FLOW_OK);
    }
}

static gint64 steps_of(GstHarness *harness)
{
    GstElement *train = gst_harness_find_element(harness, "aetrain");
    gint64 step;

    g_object_get(train, "step", &step, NULL);
    gst_object_unref(train);
    return step;
}

/* A seek between two ends of the stream: what came before is kept. */
static void test_flush_and_ends(void)
{
    GstHarness *harness = gst_harness_new_parse("aetrain batch-size=4");
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_set_src_caps_str(
        harness, "video/x-raw,format=GRAY8,width=28,height=28,framerate=25/1");
    push_frames(harness, 6);
    g_assert_cmpint(steps_of(harness), ==, 1);
    for (int end = 1; end <= 3; end++) {
        gst_harness_push_event(harness, gst_event_new_flush_start());
        gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
        gst_harness_push_event(harness, gst_event_new_segment(&segment));
        push_frames(harness, 2);
        g_assert_cmpint(steps_of(harness), ==, end == 1 ? 2 : end);
        gst_harness_push_event(harness, gst_event_new_eos());
        gst_harness_push_event(harness, gst_event_new_eos());
        g_assert_cmpint(steps_of(harness), ==, end == 1 ? 2 : end + 1);
    }
    gst_harness_teardown(harness);
}

static void test_too_much_to_mix(void)
{
    g_auto(Outcome) outcome =
        run(SOURCE "aetrain architecture=unet-xs shuffle-buffer=1048576", 1,
            "GRAY8", 4096, 4096);

    g_assert_nonnull(outcome.error);
    g_assert_nonnull(strstr(outcome.error, "a smaller shuffle-buffer"));
}

/* No frame, no model. */
static void test_nothing_to_learn(void)
{
    g_autofree char *model = in_folder("nothing.onnx");
    g_auto(Outcome) outcome = run(DIGITS "aetrain model-file=%s", 0, model);

    g_assert_cmpstr(outcome.error, ==, NULL);
    g_assert_cmpint(count_files("nothing"), ==, 0);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 3 && strcmp(argv[1], "--child") == 0) {
        gst_init(NULL, NULL);
        g_auto(Outcome) outcome = run("%s", argv[2]);
        return outcome.error != NULL;
    }
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    folder = g_dir_make_tmp("ae-train-XXXXXX", NULL);
    g_test_add_func("/aetrain/formats-and-sizes", test_formats_and_sizes);
    g_test_add_func("/aetrain/tasks", test_tasks);
    g_test_add_func("/aetrain/labels-are-checked", test_labels_are_checked);
    g_test_add_func("/aetrain/bad-settings", test_bad_settings);
    g_test_add_func("/aetrain/unwritable", test_unwritable);
    g_test_add_func("/aetrain/bad-then-good", test_bad_then_good);
    g_test_add_func("/aetrain/size-change-is-an-error",
                    test_size_change_is_an_error);
    g_test_add_func("/aetrain/sizes-change-with-patches",
                    test_sizes_change_with_patches);
    g_test_add_func("/aetrain/threads-do-not-matter",
                    test_threads_do_not_matter);
    g_test_add_func("/aetrain/evaluate-measures", test_evaluate_measures);
    g_test_add_func("/aetrain/initial-model", test_initial_model);
    g_test_add_func("/aetrain/transfer", test_transfer);
    g_test_add_func("/aetrain/killed-run-resumes", test_killed_run_resumes);
    g_test_add_func("/aetrain/state-cycles", test_state_cycles);
    g_test_add_func("/aetrain/stop-saves", test_stop_saves);
    g_test_add_func("/aetrain/max-steps", test_max_steps);
    g_test_add_func("/aetrain/done-is-done", test_done_is_done);
    g_test_add_func("/aetrain/evaluate-any-model", test_evaluate_any_model);
    g_test_add_func("/aetrain/target-noisy", test_target_noisy);
    g_test_add_func("/aetrain/target-noisy-refuses", test_target_noisy_refuses);
    g_test_add_func("/aetrain/keep-best", test_keep_best);
    g_test_add_func("/aetrain/yuv420", test_yuv420);
    g_test_add_func("/aetrain/yuv420-noise", test_yuv420_noise);
    g_test_add_func("/aetrain/yuv420-errors", test_yuv420_errors);
    g_test_add_func("/aetrain/full-disk", test_full_disk);
    g_test_add_func("/aetrain/bad-checkpoints", test_bad_checkpoints);
    g_test_add_func("/aetrain/divergence-keeps-the-checkpoint",
                    test_divergence_keeps_the_checkpoint);
    g_test_add_func("/aetrain/flush-and-ends", test_flush_and_ends);
    g_test_add_func("/aetrain/nothing-to-learn", test_nothing_to_learn);
    g_test_add_func("/aetrain/too-much-to-mix", test_too_much_to_mix);
    int result = g_test_run();
    g_autofree char *command = g_strconcat("rm -rf ", folder, NULL);
    g_assert_cmpint(system(command), ==, 0);
    return result;
}
