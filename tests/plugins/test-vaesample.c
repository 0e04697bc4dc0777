/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vaesample through GstHarness. The model "mirror" has images for codes, so
 * that frames show the codes themselves; others are networks with fresh
 * weights. */
#include <gst/base/gstbasesrc.h>
#include <gst/check/gstharness.h>
#include <gst/controller/controller.h>
#include <gst/video/video.h>
#include <math.h>

#include "codec/slerp.h"
#include "models.h"
#include "model/build.h"
#include "base/random.h"

enum { SIDE = 3, SIZE = SIDE * SIDE }; /* of mirror's images */

/* Models. */

/* Codes are images of -4 .. 4. */
static void save_mirror(const char *name, int batch, int channels, int side)
{
    AeShape shape = ae_shape(4, batch, channels, side, side);
    AeModel *model = ae_model_new(17);
    int in = ae_model_add_input(model, "image", &shape, NULL);
    int code = ae_model_add_value(model, "code", NULL, NULL);
    int out = ae_model_add_value(model, "out", NULL, NULL);

    ae_model_add_node(model, "Identity", "encode", &in, 1, &code, 1, NULL);
    ae_model_add_node(model, "Identity", "decode", &code, 1, &out, 1, NULL);
    ae_model_add_output(model, out);
    ae_model_set(model, "ae.latent", "code");
    ae_model_set(model, "ae.range", "-4,4");
    models_save(model, name);
}

static void save_network(const char *name, const char *architecture,
                         AeArchitectureOptions options)
{
    GError *error = NULL;
    AeModel *model;

    options.seed = 1;
    model = ae_architecture_new(architecture, &options, &error);
    g_assert_no_error(error);
    models_save(model, name);
}

static void save_encoder(void)
{
    g_autofree char *path = models_path("vae");
    g_autoptr(AeModel) whole = ae_onnx_load(path, NULL);

    models_save(
        ae_model_cut(whole, NULL, ae_model_get(whole, "ae.latent"), NULL),
        "encoder");
}

static void save_models(void)
{
    models_begin("vaesample");
    save_mirror("mirror", -1, 1, SIDE);
    save_mirror("single", 1, 1, SIDE);
    save_mirror("colour", -1, 3, 8);
    save_mirror("open", -1, 1, -1);
    save_mirror("dot", -1, 1, 1);
    save_mirror("large", -1, 1, 40);
    save_network("vae", "vae", (AeArchitectureOptions){.hidden_size = 32});
    save_network("cvae", "vae",
                 (AeArchitectureOptions){.hidden_size = 32, .classes = 4});
    save_network("keras", "keras", (AeArchitectureOptions){0});
    save_network("unet", "unet-xs", (AeArchitectureOptions){0});
    save_encoder();
}

/* Frames. */

static void set_model(GstElement *element, const char *model)
{
    g_autofree char *path = models_path(model);

    g_object_set(element, "model-file", path, NULL);
}

/* @settings is "name=value name=value ..." */
static void set_all(GstElement *element, const char *settings)
{
    g_auto(GStrv) list = g_strsplit(settings, " ", -1);

    for (int i = 0; list[i] != NULL; i++) {
        g_auto(GStrv) pair = g_strsplit(list[i], "=", 2);

        if (pair[0] != NULL)
            gst_util_set_object_arg(G_OBJECT(element), pair[0], pair[1]);
    }
}

static GstHarness *new_harness(const char *model, const char *settings)
{
    GstHarness *harness = gst_harness_new("vaesample");

    set_model(harness->element, model);
    set_all(harness->element, settings);
    return harness;
}

static GstHarness *play(const char *model, const char *settings)
{
    GstHarness *harness = new_harness(model, settings);

    gst_harness_play(harness);
    return harness;
}

static void current_info(GstHarness *harness, GstVideoInfo *info)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(harness->sinkpad);

    g_assert_true(gst_video_info_from_caps(info, caps));
}

/* The samples of a frame, without padding. */
static GBytes *samples_of(GstBuffer *buffer, GstVideoInfo *info)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    GstVideoFrame frame;

    g_assert_nonnull(buffer);
    g_assert_true(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS(&frame); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                g_byte_array_append(
                    bytes,
                    (guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frame, c) +
                        y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) +
                        x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c),
                    1);
    gst_video_frame_unmap(&frame);
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* Those of the next frame. */
static GBytes *pull_samples(GstHarness *harness)
{
    g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
    GstVideoInfo info;

    current_info(harness, &info);
    return samples_of(buffer, &info);
}

/* @n frames, one after the other. */
static GBytes *collect(const char *model, const char *settings, int n)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    GstHarness *harness = play(model, settings);

    for (int i = 0; i < n; i++) {
        g_autoptr(GBytes) frame = pull_samples(harness);

        g_byte_array_append(all, g_bytes_get_data(frame, NULL),
                            (guint)g_bytes_get_size(frame));
    }
    gst_harness_teardown(harness);
    return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

static int byte_at(GBytes *bytes, int i)
{
    g_assert_cmpint(i, <, (int)g_bytes_get_size(bytes));
    return ((const guint8 *)g_bytes_get_data(bytes, NULL))[i];
}

/* As what mirror's frames show a value. */
static int shown(float value)
{
    return (int)floorf(CLAMP((value + 4) * 255 / 8, 0, 255) + 0.5f);
}

/* Modes. */

static void draw(guint64 seed, guint64 number, float *code)
{
    AeRandom random = ae_random(seed, number);

    ae_random_normals(&random, code, SIZE);
}

static void test_random(void)
{
    static const float temperatures[] = {1, 0.25f, 0};

    for (size_t t = 0; t < G_N_ELEMENTS(temperatures); t++) {
        g_autofree char *settings = g_strdup_printf(
            "seed=12345678901234 temperature=%g", (double)temperatures[t]);
        g_autoptr(GBytes) frames = collect("mirror", settings, 5);

        for (int n = 0; n < 5; n++) {
            float code[SIZE];

            draw(12345678901234, (guint64)n, code);
            for (int i = 0; i < SIZE; i++)
                g_assert_cmpint(byte_at(frames, n * SIZE + i), ==,
                                shown(temperatures[t] * code[i]));
        }
    }
}

/* At the end of each step a walk is at a random code, from one frame to the
 * next it goes a short way, and codes are as long as slerp makes them. */
static void test_walk(void)
{
    enum { STEP = 20, N = 5 };
    g_autoptr(GBytes) codes = collect("mirror", "seed=7", N);
    g_autoptr(GBytes) walk = collect(
        "mirror", "seed=7 mode=walk frames-per-step=20", (N - 1) * STEP + 1);
    float a[SIZE], b[SIZE], code[SIZE];

    for (int n = 0; n < N; n++)
        for (int i = 0; i < SIZE; i++)
            g_assert_cmpint(byte_at(walk, n * STEP * SIZE + i), ==,
                            byte_at(codes, n * SIZE + i));
    for (int i = 0; i < (N - 1) * STEP * SIZE; i++)
        g_assert_cmpint(ABS(byte_at(walk, i + SIZE) - byte_at(walk, i)), <=,
                        20);
    draw(7, 2, a);
    draw(7, 3, b);
    for (int n = 0; n < STEP; n++) {
        ae_path_slerp(code, a, b, SIZE, n / (double)STEP);
        for (int i = 0; i < SIZE; i++)
            g_assert_cmpint(byte_at(walk, ((2 * STEP + n) * SIZE) + i), ==,
                            shown(code[i]));
    }
}

static const struct {
    const char *model, *settings;
    int columns, rows;
    float from, to;
    float others;
} grids[] = {
    {"mirror", "", 10, 10, -2, 2, 0},
    {"mirror", "columns=3 rows=2", 3, 2, -2, 2, 0},
    {"mirror", "columns=1 rows=5", 1, 5, -2, 2, 0},
    {"mirror", "columns=11 rows=9 range-min=-1 range-max=1", 11, 9, -1, 1, 0},
    {"mirror", "columns=2 rows=3 range-min=3 range-max=-3", 2, 3, 3, -3, 0},
    {"mirror", "columns=2 rows=2 latent=9,9,.5,.5,.5,.5,.5,.5,.5", 2, 2, -2, 2,
     0.5f},
    {"single", "columns=3 rows=2", 3, 2, -2, 2, 0},
};

static float even(float from, float to, int i, int n)
{
    return n == 1 ? (from + to) / 2 : from + (to - from) * i / (n - 1);
}

static void check_grid(size_t g)
{
    g_autofree char *settings =
        g_strstrip(g_strconcat("mode=grid ", grids[g].settings, NULL));
    int columns = grids[g].columns, rows = grids[g].rows;
    GstHarness *harness = play(grids[g].model, settings);

    for (int n = 0; n < 2; n++) {
        g_autoptr(GBytes) frame = pull_samples(harness);

        g_assert_cmpint(g_bytes_get_size(frame), ==, columns * rows * SIZE);
        for (int y = 0; y < rows * SIDE; y++)
            for (int x = 0; x < columns * SIDE; x++) {
                int i = y % SIDE * SIDE + x % SIDE;
                float value = grids[g].others;

                if (i == 0)
                    value = even(grids[g].from, grids[g].to, y / SIDE, rows);
                else if (i == 1)
                    value = even(grids[g].from, grids[g].to, x / SIDE, columns);
                g_assert_cmpint(
                    ABS(byte_at(frame, y * columns * SIDE + x) - shown(value)),
                    <=, 1);
            }
    }
    gst_harness_teardown(harness);
}

static void test_grid(void)
{
    for (size_t g = 0; g < G_N_ELEMENTS(grids); g++)
        check_grid(g);
}

/* Where they are not set, columns and rows follow from what downstream asks
 * for; a sheet that is set again keeps its size. */
static void test_grid_size(void)
{
    static const struct {
        const char *settings, *downstream;
        int width, height;
    } cases[] = {
        {"mode=grid", "width=12,height=3", 12, 3},
        {"mode=grid rows=4", "width=12", 12, 12},
        {"mode=grid", "width=[1,20],height=[35,2000]", 18, 36},
        {"mode=grid", "width=[1,200],height=[1,20000]", 30, 30},
        {"mode=walk", "width=[1,200],height=[1,20000]", 3, 3},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness("mirror", cases[i].settings);
        g_autofree char *caps =
            g_strconcat("video/x-raw,", cases[i].downstream, NULL);

        gst_harness_set_sink_caps_str(harness, caps);
        gst_harness_play(harness);
        for (int n = 0; n < 20; n++) {
            g_autoptr(GBytes) frame = pull_samples(harness);

            g_assert_cmpint(g_bytes_get_size(frame), ==,
                            cases[i].width * cases[i].height);
            g_object_set(harness->element, "seed", (guint64)n, NULL);
        }
        gst_harness_teardown(harness);
    }
}

/* Each image of a sheet is what its code gives when it is decoded alone. */
static void test_grid_of_single_codes(void)
{
    enum { W = 28, COLUMNS = 10, ROWS = 8 };
    g_autoptr(GBytes) sheet = collect(
        "vae", "mode=grid columns=10 rows=8 range-min=-1.75 range-max=1.75", 1);

    for (int n = 0; n < COLUMNS * ROWS; n++) {
        g_autofree char *settings = g_strdup_printf(
            "latent=%g,%g", (double)even(-1.75f, 1.75f, n / COLUMNS, ROWS),
            (double)even(-1.75f, 1.75f, n % COLUMNS, COLUMNS));
        g_autoptr(GBytes) image = collect("vae", settings, 1);

        for (int y = 0; y < W; y++)
            for (int x = 0; x < W; x++) {
                int at = ((n / COLUMNS) * W + y) * COLUMNS * W +
                         (n % COLUMNS) * W + x;

                g_assert_cmpint(
                    ABS(byte_at(sheet, at) - byte_at(image, y * W + x)), <=, 1);
            }
    }
}

static void test_traverse(void)
{
    enum { STEP = 4 };
    static const struct {
        const char *settings;
        float from, to, others;
    } cases[] = {
        {"mode=traverse frames-per-step=4", -2, 2, 0},
        {"mode=traverse frames-per-step=4 range-min=1 range-max=2.5 "
         "latent=-1,-1,-1,-1,-1,-1,-1,-1,-1",
         1, 2.5f, -1},
    };

    for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
        int n = (SIZE + 1) * STEP; /* the first value again */
        g_autoptr(GBytes) frames = collect("mirror", cases[c].settings, n);

        for (int f = 0; f < n; f++)
            for (int i = 0; i < SIZE; i++)
                g_assert_cmpint(ABS(byte_at(frames, f * SIZE + i) -
                                    shown(f / STEP % SIZE == i
                                              ? even(cases[c].from, cases[c].to,
                                                     f % STEP, STEP)
                                              : cases[c].others)),
                                <=, 1);
    }
}

static void test_latent(void)
{
    static const char *const modes[] = {"random", "walk"};

    for (size_t m = 0; m < G_N_ELEMENTS(modes); m++) {
        g_autofree char *settings = g_strdup_printf(
            "mode=%s latent=-4,-3,-2e0,-1,0,+1,2,3,4", modes[m]);
        g_autoptr(GBytes) frames = collect("mirror", settings, 3);

        for (int i = 0; i < 3 * SIZE; i++)
            g_assert_cmpint(byte_at(frames, i), ==,
                            shown((float)(i % SIZE - 4)));
    }
}

/* Streams. */

static void test_same_seed(void)
{
    static const char *const models[] = {"mirror", "colour", "vae", "cvae",
                                         "keras"};
    static const char *const modes[] = {"random", "walk", "grid", "traverse"};

    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        for (size_t m = 0; m < G_N_ELEMENTS(modes); m++) {
            g_autofree char *settings =
                g_strdup_printf("mode=%s threads=1", modes[m]);
            g_autofree char *again =
                g_strdup_printf("mode=%s threads=2 seed=0", modes[m]);
            g_autofree char *other =
                g_strdup_printf("mode=%s seed=1", modes[m]);
            g_autoptr(GBytes) a = collect(models[i], settings, 6);
            g_autoptr(GBytes) b = collect(models[i], again, 6);
            g_autoptr(GBytes) c = collect(models[i], other, 6);

            g_assert_true(g_bytes_equal(a, b));
            if (m < 2)
                g_assert_false(g_bytes_equal(a, c));
        }
}

/* What lies between rows is the same on every run: zeros. */
static void test_padding(void)
{
    GstHarness *harness = play("mirror", "latent=4,4,4,4,4,4,4,4,4");

    for (int n = 0; n < 20; n++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
        guint8 bytes[12];

        g_assert_cmpuint(gst_buffer_extract(buffer, 0, bytes, 12), ==, 12);
        for (int i = 0; i < 12; i++)
            g_assert_cmpint(bytes[i], ==, i % 4 < SIDE ? 255 : 0);
    }
    gst_harness_teardown(harness);
}

static void test_times(void)
{
    GstHarness *harness = new_harness("mirror", "num-buffers=4");

    gst_harness_set_sink_caps_str(harness, "video/x-raw,framerate=5/1");
    gst_harness_play(harness);
    for (guint i = 0; i < 4; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);

        g_assert_cmpuint(GST_BUFFER_PTS(buffer), ==, i * GST_SECOND / 5);
        g_assert_cmpuint(GST_BUFFER_DURATION(buffer), ==, GST_SECOND / 5);
        g_assert_cmpuint(GST_BUFFER_OFFSET(buffer), ==, i);
    }
    gst_harness_teardown(harness);
}

static const struct {
    const char *model, *settings, *asked;
    const char *format;
    int width, height, fps;
} formats[] = {
    {"vae", "", NULL, "GRAY8", 28, 28, 30},
    {"vae", "mode=grid columns=3", NULL, "GRAY8", 84, 280, 30},
    {"colour", "", NULL, "RGB", 8, 8, 30},
    {"mirror", "", "format=RGBx,framerate=24/1", "RGBx", 3, 3, 24},
    {"mirror", "", "format=I420", "I420", 3, 3, 30},
    {"mirror", "", "format={NV12,BGR}", "BGR", 3, 3, 30},
    {"colour", "", "format={I420,GRAY8,GBRA}", "GBRA", 8, 8, 30},
};

static void test_caps(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        GstHarness *harness =
            new_harness(formats[i].model, formats[i].settings);
        g_autoptr(GBytes) frame = NULL;
        GstVideoInfo info;

        if (formats[i].asked != NULL) {
            g_autofree char *caps =
                g_strconcat("video/x-raw,", formats[i].asked, NULL);
            gst_harness_set_sink_caps_str(harness, caps);
        }
        gst_harness_play(harness);
        frame = pull_samples(harness);
        current_info(harness, &info);
        g_assert_cmpstr(GST_VIDEO_INFO_NAME(&info), ==, formats[i].format);
        g_assert_cmpint(info.width, ==, formats[i].width);
        g_assert_cmpint(info.height, ==, formats[i].height);
        g_assert_cmpint(info.fps_n, ==, formats[i].fps);
        if (GST_VIDEO_INFO_IS_YUV(&info))
            g_assert_cmpint(info.colorimetry.range, ==,
                            GST_VIDEO_COLOR_RANGE_0_255);
        gst_harness_teardown(harness);
    }
}

static int label_of(GstBuffer *buffer)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, "GstAeLabelMeta");
    int label = -1;

    if (meta != NULL)
        gst_structure_get_int(gst_custom_meta_get_structure(meta), "label",
                              &label);
    return label;
}

static void check_labels(const char *model, const char *settings, int n,
                         int *labels)
{
    GstHarness *harness = play(model, settings);

    for (int i = 0; i < n; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);

        labels[i] = label_of(buffer);
    }
    gst_harness_teardown(harness);
}

static void test_labels(void)
{
    int labels[60], again[60], seen = 0;
    g_autoptr(GBytes) two = collect("cvae", "label=2 latent=1,1", 1);
    g_autoptr(GBytes) three = collect("cvae", "label=3 latent=1,1", 1);

    g_assert_false(g_bytes_equal(two, three));
    check_labels("vae", "", 3, labels);
    g_assert_cmpint(labels[2], ==, -1);
    check_labels("cvae", "label=2", 3, labels);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(labels[i], ==, 2);
    check_labels("cvae", "seed=5", 60, labels);
    check_labels("cvae", "seed=5", 60, again);
    g_assert_cmpmem(labels, sizeof labels, again, sizeof again);
    for (int i = 0; i < 60; i++)
        seen |= 1 << labels[i];
    g_assert_cmpint(seen, ==, 0xf);
    check_labels("cvae", "seed=5 mode=walk frames-per-step=10", 60, again);
    for (int i = 0; i < 60; i++)
        g_assert_cmpint(again[i], ==, labels[i / 10]);
}

/* A conditional frame shows what its label and code give. */
static void test_random_labels_decode(void)
{
    g_autoptr(GBytes) frames = collect("cvae", "seed=5 latent=1,-1", 6);
    int labels[6];

    check_labels("cvae", "seed=5", 6, labels);
    for (int n = 0; n < 6; n++) {
        g_autofree char *settings =
            g_strdup_printf("latent=1,-1 label=%d", labels[n]);
        g_autoptr(GBytes) image = collect("cvae", settings, 1);
        g_autoptr(GBytes) frame =
            g_bytes_new_from_bytes(frames, (gsize)n * 784, 784);

        g_assert_true(g_bytes_equal(frame, image));
    }
}

static GstElement *parse(const char *line)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(line, &error);

    g_assert_no_error(error);
    return pipeline;
}

/* Position and framerate tell the frame, also before the first one is made. */
static void test_seek(void)
{
    g_autofree char *path = models_path("mirror");
    g_autofree char *line = g_strdup_printf(
        "vaesample model-file=%s mode=walk ! "
        "video/x-raw,format=GRAY8,framerate=10/1 ! fakesink name=sink",
        path);
    g_autoptr(GBytes) frames = collect("mirror", "mode=walk", 61);
    g_autoptr(GstElement) pipeline = parse(line);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    static const int seconds[] = {4, 0, 6, 1};

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_autoptr(GstSample) sample = NULL;
        guint8 first[SIDE];

        gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
        g_assert_true(gst_element_seek_simple(pipeline, GST_FORMAT_TIME,
                                              GST_SEEK_FLAG_FLUSH,
                                              seconds[i] * GST_SECOND));
        gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
        g_object_get(sink, "last-sample", &sample, NULL);
        gst_buffer_extract(gst_sample_get_buffer(sample), 0, first, SIDE);
        for (int x = 0; x < SIDE; x++)
            g_assert_cmpint(first[x], ==,
                            byte_at(frames, seconds[i] * 10 * SIZE + x));
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

/* Played twice, with a stop between: the second run is the first again. */
static void test_again(void)
{
    GstHarness *harness = new_harness("cvae", "mode=walk");
    g_autoptr(GBytes) first = NULL;

    for (int run = 0; run < 3; run++) {
        g_autoptr(GBytes) frame = NULL;

        gst_harness_play(harness);
        frame = pull_samples(harness);
        if (first == NULL)
            first = g_bytes_ref(frame);
        g_assert_true(g_bytes_equal(frame, first));
        gst_element_set_state(harness->element, GST_STATE_NULL);
        while (gst_harness_buffers_in_queue(harness))
            gst_buffer_unref(gst_harness_pull(harness));
    }
    gst_harness_teardown(harness);
}

static void run_to_end(const char *line)
{
    g_autoptr(GstElement) pipeline = parse(line);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GstMessage) message = NULL;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 30 * GST_SECOND,
                                         GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    g_assert_cmpstr(GST_MESSAGE_TYPE_NAME(message), ==, "eos");
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

static void test_two_at_once(void)
{
    g_autofree char *path = models_path("cvae");
    g_autofree char *line = g_strdup_printf(
        "vaesample model-file=%s num-buffers=200 ! fakesink "
        "vaesample model-file=%s mode=grid num-buffers=20 ! fakesink",
        path, path);

    run_to_end(line);
}

static void test_live(void)
{
    GstHarness *harness = new_harness("mirror", "is-live=true");
    GstClockTime latency;

    gst_harness_use_testclock(harness);
    gst_harness_play(harness);
    g_assert_true(gst_base_src_is_live(GST_BASE_SRC(harness->element)));
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GstBuffer) buffer = NULL;

        gst_harness_crank_single_clock_wait(harness);
        buffer = gst_harness_pull(harness);
        g_assert_cmpuint(GST_BUFFER_PTS(buffer), ==,
                         gst_util_uint64_scale(i, GST_SECOND, 30));
    }
    latency = gst_harness_query_latency(harness);
    g_assert_cmpuint(latency, <, GST_SECOND);
    gst_harness_teardown(harness);
}

/* Bad input. */

static const struct {
    const char *model, *settings;
    GQuark (*domain)(void);
    int code;
    const char *says;
} errors[] = {
    {"nowhere", "", gst_resource_error_quark, GST_RESOURCE_ERROR_READ,
     "nowhere.onnx"},
    {"encoder", "", gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE,
     "it is an encoder"},
    {"unet", "", gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE,
     "ae.latent"},
    {"open", "", gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE,
     "has the shape 1x?x?x?, where"},
    {"vae", "latent=1", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "latent holds 1 numbers, but the code of the model"},
    {"vae", "latent=1,2,3", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "latent holds 3 numbers"},
    {"vae", "latent=1,two", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "latent=1,two, where numbers"},
    {"vae", "latent=1;2", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "latent=1;2"},
    {"vae", "latent=1,", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "latent=1,,"},
    {"vae", "latent=1,1e40", gst_library_error_quark,
     GST_LIBRARY_ERROR_SETTINGS, "latent=1,1e40"},
    {"vae", "label=0", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "takes no label"},
    {"cvae", "label=4", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "labels 0 to 3"},
    {"dot", "mode=grid", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS,
     "codes of 2 values"},
    {"large", "mode=grid columns=1000 rows=2", gst_library_error_quark,
     GST_LIBRARY_ERROR_SETTINGS, "1000 columns and 2 rows of images of 40x40"},
    {"large", "mode=grid columns=2 rows=1000", gst_library_error_quark,
     GST_LIBRARY_ERROR_SETTINGS, "larger than 32767x32767"},
};

/* Tries to pause; the error that is posted. */
static GError *pause_error(GstElement *element)
{
    g_autoptr(GstBus) bus = gst_bus_new();
    g_autoptr(GstMessage) message = NULL;
    GError *error = NULL;

    gst_element_set_bus(element, bus);
    gst_element_set_state(element, GST_STATE_PAUSED);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    gst_message_parse_error(message, &error, NULL);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    return error;
}

/* Bad settings, then good ones, on one element. */
static void test_errors(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
        GstHarness *harness = gst_harness_new("vaesample");
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) frame = NULL;

        set_model(harness->element, errors[i].model);
        set_all(harness->element, errors[i].settings);
        error = pause_error(harness->element);
        g_test_message("%s", error->message);
        g_assert_error(error, errors[i].domain(), errors[i].code);
        g_assert_nonnull(strstr(error->message, errors[i].says));
        set_model(harness->element, "vae");
        set_all(harness->element, "latent= label=-1 mode=random");
        gst_harness_play(harness);
        frame = pull_samples(harness);
        gst_harness_teardown(harness);
    }
}

static GError *wait_for(GstBus *bus, GstMessageType type)
{
    g_autoptr(GstMessage) message =
        gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, type);
    GError *error = NULL;

    g_assert_nonnull(message);
    if (type == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else
        gst_message_parse_warning(message, &error, NULL);
    return error;
}

static void test_refused_caps(void)
{
    g_autofree char *path = models_path("vae");
    g_autofree char *line = g_strdup_printf(
        "vaesample model-file=%s ! video/x-raw,width=64 ! fakesink", path);
    g_autoptr(GstElement) pipeline = parse(line);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GError) error = NULL;

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    error = wait_for(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(strstr(error->message, "width=(int)28"));
    g_assert_nonnull(strstr(error->message, "width=(int)64"));
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

/* Changes while it plays. */

/* Frames of the old size may be under way. The source waits until a frame is
 * taken, so before that the caps are the frame's. */
static void pull_until_size(GstHarness *harness, int width, int height)
{
    GstVideoInfo info;

    do {
        g_autoptr(GstBuffer) buffer = NULL;
        g_autoptr(GBytes) frame = NULL;

        while (gst_harness_buffers_in_queue(harness) == 0)
            g_usleep(100);
        current_info(harness, &info);
        buffer = gst_harness_pull(harness);
        frame = samples_of(buffer, &info);
    } while (info.width != width || info.height != height);
}

static void test_changes(void)
{
    GstHarness *harness = new_harness("mirror", "mode=grid columns=2 rows=1");
    g_autoptr(GstBus) bus = gst_bus_new();
    static const char *const refused[] = {"label=3", "latent=1",
                                          "model-file=/no/such/file"};

    gst_element_set_bus(harness->element, bus);
    gst_harness_set_blocking_push_mode(harness);
    gst_harness_play(harness);
    pull_until_size(harness, 6, 3);
    set_all(harness->element, "columns=5 rows=4");
    pull_until_size(harness, 15, 12);
    set_all(harness->element, "mode=random");
    pull_until_size(harness, 3, 3);
    set_model(harness->element, "vae");
    pull_until_size(harness, 28, 28);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) warning = NULL;

        set_all(harness->element, refused[i]);
        pull_until_size(harness, 28, 28);
        pull_until_size(harness, 28, 28);
        warning = wait_for(bus, GST_MESSAGE_WARNING);
        set_all(harness->element, "label=-1 latent=");
        g_test_message("%s", warning->message);
    }
    set_model(harness->element, "cvae");
    set_all(harness->element, "mode=grid columns=2 rows=1 label=3");
    pull_until_size(harness, 56, 28);
    gst_element_set_bus(harness->element, NULL);
    gst_harness_teardown(harness);
}

/* A controlled temperature goes from 0 to 1 in a second. */
static void test_controlled(void)
{
    GstHarness *harness = new_harness("mirror", "");
    GstControlSource *ramp = gst_interpolation_control_source_new();
    GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE(ramp);
    float code[SIZE];

    g_object_set(ramp, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
    gst_timed_value_control_source_set(values, 0, 0);
    gst_timed_value_control_source_set(values, GST_SECOND, 0.01);
    gst_object_add_control_binding(
        GST_OBJECT(harness->element),
        gst_direct_control_binding_new(GST_OBJECT(harness->element),
                                       "temperature", ramp));
    gst_harness_play(harness);
    for (int n = 0; n < 31; n++) {
        g_autoptr(GBytes) frame = pull_samples(harness);

        draw(0, (guint64)n, code);
        for (int i = 0; i < SIZE; i++)
            g_assert_cmpint(
                ABS(byte_at(frame, i) - shown(code[i] * (float)n / 30)), <=, 1);
    }
    gst_harness_teardown(harness);
    gst_object_unref(ramp);
}

int main(int argc, char **argv)
{
    int result;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    save_models();
    g_test_add_func("/vaesample/random", test_random);
    g_test_add_func("/vaesample/walk", test_walk);
    g_test_add_func("/vaesample/grid", test_grid);
    g_test_add_func("/vaesample/grid-size", test_grid_size);
    g_test_add_func("/vaesample/grid-of-single-codes",
                    test_grid_of_single_codes);
    g_test_add_func("/vaesample/traverse", test_traverse);
    g_test_add_func("/vaesample/latent", test_latent);
    g_test_add_func("/vaesample/same-seed", test_same_seed);
    g_test_add_func("/vaesample/padding", test_padding);
    g_test_add_func("/vaesample/times", test_times);
    g_test_add_func("/vaesample/caps", test_caps);
    g_test_add_func("/vaesample/labels", test_labels);
    g_test_add_func("/vaesample/random-labels-decode",
                    test_random_labels_decode);
    g_test_add_func("/vaesample/seek", test_seek);
    g_test_add_func("/vaesample/again", test_again);
    g_test_add_func("/vaesample/two-at-once", test_two_at_once);
    g_test_add_func("/vaesample/live", test_live);
    g_test_add_func("/vaesample/errors", test_errors);
    g_test_add_func("/vaesample/refused-caps", test_refused_caps);
    g_test_add_func("/vaesample/changes", test_changes);
    g_test_add_func("/vaesample/controlled", test_controlled);
    result = g_test_run();
    models_end();
    return result;
}
