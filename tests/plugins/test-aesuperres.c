/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aesuperres through GstHarness: networks that only repeat pixels, on every
 * format and scale, on odd sizes, with padded strides; what is negotiated; bad
 * models; changes while the stream runs. */
#include <math.h>

#include "frames.h"
#include "models.h"
#include "model/build.h"

static const char *const luma_formats[] = {
    "GRAY8",     "I420",      "Y41B",      "YV12",      "NV12",
    "NV21",      "NV16",      "NV24",      "Y42B",      "Y444",
    "YUY2",      "UYVY",      "AYUV",      "A420",      "I420_10LE",
    "I422_10LE", "Y444_10LE", "I420_12LE", "I422_12LE", "Y444_12LE",
    "GRAY16_LE", "P010_10LE", "P012_LE",   "P010_10BE", "P012_BE",
    "GRAY16_BE", "I420_10BE", "I422_10BE", "Y444_10BE", "I420_12BE",
    "I422_12BE", "Y444_12BE",
};
static const char *const rgb_formats[] = {
    "RGB",  "BGR",  "RGBx", "xRGB", "BGRx", "xBGR", "RGBA",
    "ARGB", "BGRA", "ABGR", "GBR",  "GBRA", "RGBP", "BGRP",
};

static const struct {
    int width, height;
} sizes[] = {{1, 1}, {3, 5}, {33, 17}, {64, 48}};

/* Models. */

/* With weights of zero superres-s repeats each pixel. */
static void save_network(const char *name, const char *architecture,
                         int channels, int scale, gboolean zero)
{
    AeArchitectureOptions options = {.channels = channels, .scale = scale};
    g_autofree char *path = models_path(name);
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model =
        ae_architecture_new(architecture, &options, &error);

    g_assert_no_error(error);
    for (guint i = 0; zero && i < model->values->len; i++) {
        AeValue *value = ae_model_value(model, (int)i);

        if (value->trainable)
            memset(value->constant->data, 0,
                   (gsize)ae_shape_elements(&value->constant->shape) *
                       sizeof(float));
    }
    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
}

/* Rows twice, of images of @height (-1: any), columns @across times. */
static void save_resize(const char *name, int height, float across)
{
    AeShape image = ae_shape(4, -1, 1, height, -1), four = ae_shape(1, 4);
    AeTensor *scales = ae_tensor_new(&four, NULL);
    AeModel *model = ae_model_new(17);
    g_autofree char *path = models_path(name);
    int in[3] = {ae_model_add_input(model, "image", &image, NULL), -1, 0}, out;

    ae_tensor_from_row_major(scales, (float[]){1, 1, 2, across});
    in[2] = ae_model_add_constant(model, "scales", scales, FALSE, NULL);
    out = ae_model_add_value(model, "large", NULL, NULL);
    ae_model_add_node(model, "Resize", "large", in, 3, &out, 1, NULL);
    ae_model_add_output(model, out);
    g_assert_true(ae_onnx_save(model, path, NULL));
    ae_model_unref(model);
}

static void save_models(void)
{
    models_begin("aesuperres");
    for (int scale = 2; scale <= 4; scale++) {
        g_autofree char *luma = g_strdup_printf("luma%d", scale);
        g_autofree char *rgb = g_strdup_printf("rgb%d", scale);
        g_autofree char *named = g_strdup_printf("superres%d", scale);

        save_network(luma, "superres-s", 1, scale, TRUE);
        save_network(rgb, "superres-s", 3, scale, TRUE);
        save_network(named, "superres-s", 1, scale, TRUE);
    }
    save_network("fresh", "superres-s", 1, 2, FALSE);
    save_network("smooth", "bicubic", 1, 2, FALSE);
    save_network("smooth-rgb", "bicubic", 3, 2, FALSE);
    save_network("fixed", "keras-superres", 1, 2, FALSE);
    save_network("denoiser", "unet-xs", 1, 0, FALSE);
    save_network("fourth", "bicubic", 4, 2, FALSE);
    save_resize("uneven", -1, 3);
    save_resize("flat", 0, 2);
}

/* Frames. */

/* The element gets a bus; @model: NULL, none is named. */
static GstHarness *new_harness(const char *model, GstBus **bus)
{
    GstElement *element = gst_element_factory_make("aesuperres", NULL);
    g_autofree char *path = model != NULL ? models_path(model) : NULL;

    g_object_set(element, "model-file", path, "threads", 2, NULL);
    return frames_put_in_harness(element, bus);
}

/* The caps of what comes out. */
static void get_output(GstHarness *harness, GstVideoInfo *info)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(harness->sinkpad);

    g_assert_nonnull(caps);
    g_assert_true(gst_video_info_from_caps(info, caps));
}

static gboolean is_repeated(const GstVideoInfo *info, int component)
{
    return component == 0 ||
           (GST_VIDEO_INFO_IS_RGB(info) && component != GST_VIDEO_COMP_A);
}

/* The first @columns of a component, by core/resample. */
static void check_resampled(const GstVideoFrame *in, const GstVideoFrame *out,
                            int c, int scale, int columns)
{
    int w = GST_VIDEO_FRAME_COMP_WIDTH(in, c);
    int h = GST_VIDEO_FRAME_COMP_HEIGHT(in, c);
    g_autofree float *small = g_new(float, w *h);
    g_autofree float *large = g_new(float, w *h *scale *scale);
    g_autoptr(AeResampler) resampler = ae_resampler_new(
        w, h, w * scale, h * scale, 1, AE_RESAMPLE_BICUBIC, NULL);

    for (int i = 0; i < w * h; i++)
        small[i] = (float)frames_sample(in, c, i % w, i / w);
    ae_resampler_run(resampler, small, large);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(out, c); y++)
        for (int x = 0; x < columns; x++) {
            float expected =
                CLAMP(large[y * w * scale + x], 0, (float)frames_most(in, c));

            /* half a level of rounding, and a little of another order */
            g_assert_cmpfloat_with_epsilon(
                expected, (float)frames_sample(out, c, x, y), 0.502f);
        }
}

/* From column @from on. */
static void check_repeated(const GstVideoFrame *in, const GstVideoFrame *out,
                           int c, int scale, int from)
{
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(out, c); y++)
        for (int x = from; x < GST_VIDEO_FRAME_COMP_WIDTH(out, c); x++)
            g_assert_cmpint(frames_sample(out, c, x, y), ==,
                            frames_sample(in, c, x / scale, y / scale));
}

/* Pushes a frame and checks what comes; @late: every component is repeated.
 * Takes @buffer. */
static void check_frame(GstHarness *harness, GstVideoInfo *info,
                        GstBuffer *buffer, int scale, gboolean late)
{
    GstBuffer *result =
        gst_harness_push_and_pull(harness, gst_buffer_ref(buffer));
    GstVideoInfo large;
    GstVideoFrame in, out;

    g_assert_nonnull(result);
    get_output(harness, &large);
    g_assert_cmpint(large.width, ==, info->width * scale);
    g_assert_cmpint(large.height, ==, info->height * scale);
    g_assert_cmpuint(GST_BUFFER_PTS(result), ==, GST_BUFFER_PTS(buffer));
    g_assert_true(gst_video_frame_map(&in, info, buffer, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&out, &large, result, GST_MAP_READ));
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        if (late || is_repeated(info, c))
            check_repeated(&in, &out, c, scale, 0);
        else
            check_resampled(&in, &out, c, scale,
                            GST_VIDEO_FRAME_COMP_WIDTH(&out, c));
    gst_video_frame_unmap(&in);
    gst_video_frame_unmap(&out);
    gst_buffer_unref(buffer);
    gst_buffer_unref(result);
}

static void check_formats(const char *kind, const char *const *formats, gsize n,
                          int scale)
{
    g_autofree char *model = g_strdup_printf("%s%d", kind, scale);
    GstHarness *harness = new_harness(model, NULL);
    GstVideoInfo info;

    for (gsize f = 0; f < n; f++)
        for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
            frames_set_caps(harness, &info, formats[f], sizes[i].width,
                            sizes[i].height);
            check_frame(harness, &info, frames_new_frame(&info, i), scale,
                        FALSE);
            check_frame(harness, &info, frames_new_padded_frame(&info, i),
                        scale, FALSE);
        }
    frames_free_harness(harness, NULL);
}

/* Every format, size and scale, in one stream a model. */
static void test_formats(void)
{
    for (int scale = 2; scale <= 4; scale++) {
        check_formats("luma", luma_formats, G_N_ELEMENTS(luma_formats), scale);
        check_formats("rgb", rgb_formats, G_N_ELEMENTS(rgb_formats), scale);
    }
}

/* Left of the split no network has been at work. */
static void test_split(void)
{
    static const struct {
        const char *model, *format;
        float split;
        int column; /* of 66 */
    } cases[] = {
        {"luma2", "GRAY8", 0.25f, 16},     {"luma2", "I420", 0.5f, 32},
        {"luma2", "NV12", 0.02f, 2},       {"luma2", "Y42B", 1, 66},
        {"luma2", "I420_10LE", 0.98f, 64}, {"luma2", "A420", 0.5f, 32},
        {"luma2", "P010_10LE", 0.5f, 32},  {"luma2", "GRAY16_BE", 0.25f, 16},
        {"rgb2", "RGB", 0.5f, 33},         {"rgb2", "GBRA", 0.25f, 16},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness(cases[i].model, NULL);
        GstVideoInfo info, large;
        GstBuffer *buffer, *result;
        GstVideoFrame in, out;

        g_object_set(harness->element, "split", (double)cases[i].split, NULL);
        frames_set_caps(harness, &info, cases[i].format, 33, 17);
        buffer = frames_new_padded_frame(&info, i);
        result = gst_harness_push_and_pull(harness, gst_buffer_ref(buffer));
        get_output(harness, &large);
        g_assert_true(gst_video_frame_map(&in, &info, buffer, GST_MAP_READ));
        g_assert_true(gst_video_frame_map(&out, &large, result, GST_MAP_READ));
        for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(&info); c++) {
            if (!is_repeated(&info, c))
                continue;
            check_resampled(&in, &out, c, 2, cases[i].column);
            check_repeated(&in, &out, c, 2, cases[i].column);
        }
        gst_video_frame_unmap(&in);
        gst_video_frame_unmap(&out);
        gst_buffer_unref(buffer);
        gst_buffer_unref(result);
        frames_free_harness(harness, NULL);
    }
}

/* Sizes between the factors of models. */

/* Where sample @x of a component lies in a row of @n pixels, from 0 to 1. */
static double place(int x, int n, guint subsampled, gboolean cosited)
{
    double first = cosited ? 0.5 : 0.5 * (1 << subsampled);

    return ((x << subsampled) + first) / n;
}

/* A smooth picture, which edges mirror as resampling does. */
static double smooth(const GstVideoFrame *frame, int c, int x, int y)
{
    const GstVideoFormatInfo *format = frame->info.finfo;
    GstVideoChromaSite site = GST_VIDEO_INFO_CHROMA_SITE(&frame->info);
    double u = place(x, GST_VIDEO_FRAME_WIDTH(frame),
                     GST_VIDEO_FORMAT_INFO_W_SUB(format, c),
                     (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
    double v = place(y, GST_VIDEO_FRAME_HEIGHT(frame),
                     GST_VIDEO_FORMAT_INFO_H_SUB(format, c),
                     (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);

    return 0.5 + 0.2 * cos(3 * G_PI * u) + 0.05 * (c + 1) * cos(2 * G_PI * v);
}

static GstBuffer *new_smooth_frame(const GstVideoInfo *info)
{
    GstBuffer *buffer = frames_new_padded_frame(info, 1);
    GstVideoFrame frame;

    gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE);
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                frames_set_sample(&frame, c, x, y,
                                  (int)lrint(smooth(&frame, c, x, y) *
                                             frames_most(&frame, c)));
    gst_video_frame_unmap(&frame);
    return buffer;
}

/* Takes @buffer. */
static void assert_smooth(GstHarness *harness, GstBuffer *buffer, int width,
                          int height)
{
    GstVideoFrame frame;
    GstVideoInfo info;

    get_output(harness, &info);
    g_assert_cmpint(info.width, ==, width);
    g_assert_cmpint(info.height, ==, height);
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(&info); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                /* of 255; half a level is the input's rounding, half the
                   output's, and cubics are not cosines */
                g_assert_cmpfloat_with_epsilon(
                    255 * smooth(&frame, c, x, y),
                    255.0 * frames_sample(&frame, c, x, y) /
                        frames_most(&frame, c),
                    1.4);
    gst_video_frame_unmap(&frame);
    gst_buffer_unref(buffer);
}

/* Nothing moves, left and right of a split; a fresh network makes noise, of
 * which nothing is left of the split. */
static void test_any_size(void)
{
    static const struct {
        const char *model, *format, *site;
        int width, height, out_width, out_height;
    } cases[] = {
        {"smooth", "GRAY8", NULL, 64, 36, 96, 54},
        {"smooth", "GRAY8", NULL, 75, 53, 100, 77},
        {"smooth", "GRAY8", NULL, 75, 53, 299, 75},
        {"smooth", "GRAY16_LE", NULL, 64, 36, 65, 36},
        {"smooth", "I420", "jpeg", 64, 36, 96, 54},
        {"smooth", "I420", "jpeg", 75, 53, 100, 77},
        {"smooth", "I420", "mpeg2", 75, 53, 100, 77},
        {"smooth", "I420", "cosited", 75, 53, 131, 84},
        {"smooth", "NV12", "mpeg2", 76, 53, 101, 78},
        {"smooth", "YUY2", "mpeg2", 64, 36, 96, 54},
        {"smooth", "A420", "jpeg", 64, 50, 96, 75},
        {"smooth", "I420_10LE", "mpeg2", 75, 53, 100, 77},
        {"fresh", "I420", "mpeg2", 75, 53, 100, 77},
        {"fresh", "GRAY8", NULL, 64, 36, 96, 54},
        {"smooth-rgb", "RGB", NULL, 64, 36, 96, 54},
        {"smooth-rgb", "GBRA", NULL, 75, 53, 200, 77},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness(cases[i].model, NULL);
        g_autofree char *wanted =
            g_strdup_printf("video/x-raw,width=%d,height=%d",
                            cases[i].out_width, cases[i].out_height);
        GstVideoInfo info;

        gst_video_info_set_format(&info,
                                  gst_video_format_from_string(cases[i].format),
                                  cases[i].width, cases[i].height);
        info.fps_n = 25;
        g_object_set(harness->element, "split",
                     strcmp(cases[i].model, "fresh") == 0 ? 1.0 : 0.3, NULL);
        if (cases[i].site != NULL)
            info.chroma_site = gst_video_chroma_site_from_string(cases[i].site);
        gst_harness_set_sink_caps_str(harness, wanted);
        gst_harness_set_src_caps(harness, gst_video_info_to_caps(&info));
        assert_smooth(
            harness,
            gst_harness_push_and_pull(harness, new_smooth_frame(&info)),
            cases[i].out_width, cases[i].out_height);
        frames_free_harness(harness, NULL);
    }
}

/* Downstream keeps its wish while sizes change in mid-stream; frames that have
 * the size already pass. */
static void test_any_size_changes(void)
{
    static const struct {
        int width, height;
    } cases[] = {{64, 36}, {96, 54}, {48, 27}, {80, 50}, {96, 54}, {72, 40}};
    GstHarness *harness = new_harness("smooth", NULL);

    gst_harness_set_sink_caps_str(harness, "video/x-raw,width=96,height=54");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBuffer *in, *out;
        GstVideoInfo info;

        frames_set_caps(harness, &info, "I420", cases[i].width,
                        cases[i].height);
        in = new_smooth_frame(&info);
        out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
        g_assert_true((in == out) == (cases[i].width == 96));
        gst_buffer_unref(in);
        assert_smooth(harness, out, 96, 54);
    }
    frames_free_harness(harness, NULL);
}

/* The factor is the smallest one that reaches the size. */
static void test_any_size_scale(void)
{
    static const struct {
        int width;
        const char *model;
    } cases[] = {{21, "superres2"},
                 {41, "superres3"},
                 {61, "superres4"},
                 {39, "superres2"},
                 {80, "superres4"}};
    GstHarness *harness = new_harness(NULL, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wanted =
            g_strdup_printf("video/x-raw,width=%d", cases[i].width);
        g_autoptr(GstStructure) stats = NULL;
        GstVideoInfo info;

        gst_harness_set_sink_caps_str(harness, wanted);
        frames_set_caps(harness, &info, "I420", 20, 14);
        gst_buffer_unref(
            gst_harness_push_and_pull(harness, frames_new_frame(&info, i)));
        g_object_get(harness->element, "stats", &stats, NULL);
        frames_assert_contains(gst_structure_get_string(stats, "model"),
                               cases[i].model);
    }
    frames_free_harness(harness, NULL);
}

/* The byte of RGBx that is of no colour. */
static void test_padding_byte(void)
{
    GstHarness *harness = new_harness("rgb2", NULL);
    GstVideoInfo info;
    GstBuffer *out;
    GstMapInfo map;

    frames_set_caps(harness, &info, "RGBx", 5, 3);
    out = gst_harness_push_and_pull(harness, frames_new_frame(&info, 1));
    gst_buffer_map(out, &map, GST_MAP_READ);
    for (gsize i = 3; i < 10 * 6 * 4; i += 4)
        g_assert_cmpint(map.data[i], ==, 255);
    gst_buffer_unmap(out, &map);
    gst_buffer_unref(out);
    frames_free_harness(harness, NULL);
}

/* Chroma keeps its place relative to luma: on a ramp sample j of the large
 * image lies at j / scale - (scale - 1) / (4 scale) where its first sample is
 * that of luma, at j / scale - (scale - 1) / (2 scale) where it lies between
 * two. */
static void test_chroma_site(void)
{
    static const struct {
        const char *site;
        double across, down;
    } cases[] = {{"mpeg2", 4, 2}, {"jpeg", 2, 2}, {"cosited", 4, 4}};
    enum { SIDE = 32, SCALE = 2 };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness("luma2", NULL);
        g_autofree char *caps = g_strdup_printf(
            "video/x-raw,format=I420,width=64,height=64,framerate=25/1,"
            "chroma-site=%s",
            cases[i].site);
        GstBuffer *buffer, *result;
        GstVideoInfo info, large;
        GstVideoFrame frame;

        gst_harness_set_src_caps_str(harness, caps);
        gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, 64, 64);
        buffer = frames_new_frame(&info, 1);
        gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE);
        for (int c = 1; c < 3; c++)
            for (int k = 0; k < SIDE * SIDE; k++)
                GST_VIDEO_FRAME_COMP_DATA(&frame, c)
        [k / SIDE * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) + k % SIDE] =
            (uint8_t)(8 * (c == 1 ? k % SIDE : k / SIDE));
        gst_video_frame_unmap(&frame);
        result = gst_harness_push_and_pull(harness, buffer);
        get_output(harness, &large);
        gst_video_frame_map(&frame, &large, result, GST_MAP_READ);
        for (int j = 8; j < 56; j++) {
            double right = 8 * (j - (SCALE - 1) / cases[i].across) / SCALE;
            double down = 8 * (j - (SCALE - 1) / cases[i].down) / SCALE;

            g_assert_cmpfloat_with_epsilon(frames_sample(&frame, 1, j, 20),
                                           right, 0.51);
            g_assert_cmpfloat_with_epsilon(frames_sample(&frame, 2, 20, j),
                                           down, 0.51);
        }
        gst_video_frame_unmap(&frame);
        gst_buffer_unref(result);
        frames_free_harness(harness, NULL);
    }
}

/* Negotiation. */

/* What @in becomes where downstream takes @wanted. */
static void test_negotiation(void)
{
    static const struct {
        guint scale;
        const char *model; /* NULL: the scale's own */
        const char *wanted;
        int width, height; /* 0: it cannot be */
    } cases[] = {
        {0, NULL, "video/x-raw", 40, 28},
        {3, NULL, "video/x-raw", 60, 42},
        {0, NULL, "video/x-raw,width=60", 60, 42},
        {0, NULL, "video/x-raw,height=56", 80, 56},
        {0, NULL, "video/x-raw,width=[50,70]", 60, 42},
        {0, NULL, "video/x-raw,width={10,80}", 80, 56},
        {0, "luma4", "video/x-raw", 80, 56},
        {4, "luma4", "video/x-raw", 80, 56},
        {2, NULL, "video/x-raw,width=60", 60, 42},
        {0, "luma4", "video/x-raw,width=60", 60, 42},
        {0, NULL, "video/x-raw,width=30", 30, 21},
        {0, NULL, "video/x-raw,height=50", 71, 50},
        {0, NULL, "video/x-raw,width=[1,50],height=[1,27]", 39, 27},
        {3, NULL, "video/x-raw,width=[1,50]", 50, 35},
        {0, NULL, "video/x-raw,width=20,height=14", 20, 14},
        {0, NULL, "video/x-raw,width=40,height=42", 40, 42},
        {0, NULL, "video/x-raw,width=81", 0, 0},
        {0, NULL, "video/x-raw,width=19", 0, 0},
        {0, NULL, "video/x-raw,width=40,height=57", 0, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBus *bus;
        GstHarness *harness = new_harness(cases[i].model, &bus);
        GstVideoInfo info, large;

        gst_element_set_state(harness->element, GST_STATE_NULL);
        g_object_set(harness->element, "scale", cases[i].scale, NULL);
        gst_harness_play(harness);
        gst_harness_set_sink_caps_str(harness, cases[i].wanted);
        frames_set_caps(harness, &info, "I420", 20, 14);
        if (cases[i].width > 0) {
            g_assert_cmpint(
                gst_harness_push(harness, frames_new_frame(&info, 1)), ==,
                GST_FLOW_OK);
            get_output(harness, &large);
            g_assert_cmpint(large.width, ==, cases[i].width);
            g_assert_cmpint(large.height, ==, cases[i].height);
        } else {
            g_autofree char *text = NULL;

            g_assert_cmpint(
                gst_harness_push(harness, frames_new_frame(&info, 1)), ==,
                GST_FLOW_NOT_NEGOTIATED);
            text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
            frames_assert_contains(text,
                                   "makes video/x-raw, width=(int)[ 20, 80 ]");
            frames_assert_contains(text,
                                   "next element takes video/x-raw, width");
        }
        frames_free_harness(harness, bus);
    }
}

/* Pushes a frame of @info, which must come out with caps within @out. */
static void check_caps(GstHarness *harness, const GstVideoInfo *info,
                       const char *out)
{
    g_autoptr(GstCaps) expected = gst_caps_from_string(out);
    g_autoptr(GstCaps) found = NULL;

    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(info, 0)));
    found = gst_pad_get_current_caps(harness->sinkpad);
    if (!gst_caps_is_subset(found, expected))
        g_error("%s", gst_caps_to_string(found));
}

/* The pixels' aspect changes with the picture's, unless downstream minds. */
static void test_aspect(void)
{
    static const struct {
        const char *in, *wanted, *out;
    } cases[] = {
        {"1/1", "width=40,height=42",
         "width=40,height=42,"
         "pixel-aspect-ratio=3/2"},
        {"1/1", "width=29,height=20",
         "width=29,height=20,"
         "pixel-aspect-ratio=1/1"},
        {"0/1", "width=50", "width=50,height=35"},
        {"16/15", "width=60", "width=60,height=42,pixel-aspect-ratio=16/15"},
        {"16/15", "pixel-aspect-ratio=1/1",
         "width=43,height=28,"
         "pixel-aspect-ratio=1/1"},
        {"16/15", "width=50,height=40,pixel-aspect-ratio=1/1",
         "width=50,height=40,pixel-aspect-ratio=1/1"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness(NULL, NULL);
        g_autofree char *in = g_strdup_printf(
            "video/x-raw,format=I420,width=20,height=14,framerate=25/1,"
            "pixel-aspect-ratio=%s",
            cases[i].in);
        g_autofree char *wanted =
            g_strdup_printf("video/x-raw,%s", cases[i].wanted);
        g_autofree char *out = g_strdup_printf("video/x-raw,%s", cases[i].out);
        GstVideoInfo info;

        gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, 20, 14);
        gst_harness_set_sink_caps_str(harness, wanted);
        gst_harness_set_src_caps_str(harness, in);
        check_caps(harness, &info, out);
        frames_free_harness(harness, NULL);
    }
}

/* What goes with the picture goes on; what its size implied is said. */
static void test_caps_are_carried_over(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"format=I420,width=640,height=360,framerate=30000/1001,"
         "pixel-aspect-ratio=8/9,colorimetry=bt709,chroma-site=mpeg2,"
         "interlace-mode=progressive",
         "format=I420,width=1280,height=720,framerate=30000/1001,"
         "pixel-aspect-ratio=8/9,colorimetry=bt709,chroma-site=mpeg2,"
         "interlace-mode=progressive"},
        {"format=I420,width=640,height=360,framerate=25/1",
         "format=I420,width=1280,height=720,framerate=25/1,"
         "colorimetry=bt601,chroma-site=jpeg"},
        {"format=I420,width=640,height=360,framerate=25/1,"
         "colorimetry=1:4:5:1",
         "format=I420,width=1280,height=720,framerate=25/1,"
         "colorimetry=1:4:5:1"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness("luma2", NULL);
        g_autofree char *in = g_strconcat("video/x-raw,", cases[i].in, NULL);
        g_autofree char *out = g_strconcat("video/x-raw,", cases[i].out, NULL);
        GstVideoInfo info;

        gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, 640, 360);
        gst_harness_set_src_caps_str(harness, in);
        check_caps(harness, &info, out);
        frames_free_harness(harness, NULL);
    }
}

/* The sizes that the element says it takes. */
static void test_queries(void)
{
    static const struct {
        const char *pad, *scaled, *downstream, *filter, *takes, *refuses;
    } cases[] = {
        {"sink", "luma3", "video/x-raw", "video/x-raw,width=[1,100]",
         "video/x-raw,width=100,height=7", "video/x-raw,format=RGB"},
        {"src", "luma3", "video/x-raw", "video/x-raw,width=[1,100]",
         "video/x-raw,width=99,height=9", "video/x-raw,format=RGB"},
        {"sink", "rgb2", "video/x-raw", "video/x-raw",
         "video/x-raw,format=BGRA", "video/x-raw,format=I420"},
        {"sink", "luma3", "video/x-raw,width=100,height=77", "video/x-raw",
         "video/x-raw,width=25,height=77", "video/x-raw,width=24"},
        {"sink", "luma3", "video/x-raw,width=100,height=77", "video/x-raw",
         "video/x-raw,width=100,height=20", "video/x-raw,height=[78,400]"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness(cases[i].scaled, NULL);
        g_autoptr(GstCaps) filter = gst_caps_from_string(cases[i].filter);
        g_autoptr(GstCaps) takes = gst_caps_from_string(cases[i].takes);
        g_autoptr(GstCaps) refuses = gst_caps_from_string(cases[i].refuses);
        GstPad *pad =
            gst_element_get_static_pad(harness->element, cases[i].pad);
        g_autoptr(GstCaps) caps = NULL;

        gst_harness_set_sink_caps_str(harness, cases[i].downstream);
        caps = gst_pad_query_caps(pad, filter);
        g_assert_true(gst_caps_can_intersect(caps, takes));
        g_assert_false(gst_caps_can_intersect(caps, refuses));
        gst_object_unref(pad);
        frames_free_harness(harness, NULL);
    }
}

/* Errors. */

/* Models that the element cannot start with, then a good one. */
static void test_bad_then_good(void)
{
    static const struct {
        const char *model;
        guint scale;
        const char *says;
    } cases[] = {
        {"missing", 0, "missing.onnx"},
        {"denoiser", 0, "1 times as large, where 2 to 4"},
        {"uneven", 0, "1x1x64x192"},
        {"flat", 0, "1x1x0x128"},
        {"fourth", 0, "1x4x32x64"},
        {"luma2", 3, "2 times as large, but 3 times"},
        {"luma2", 1, "2 times as large, but 1 times"},
    };
    GstElement *element = gst_element_factory_make("aesuperres", NULL);
    g_autoptr(GstBus) bus = gst_bus_new();
    g_autofree char *good = models_path("luma2");

    gst_element_set_bus(element, bus);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bad = models_path(cases[i].model);
        g_autofree char *text = NULL;

        g_object_set(element, "model-file", bad, "scale", cases[i].scale, NULL);
        g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                        GST_STATE_CHANGE_FAILURE);
        text = frames_pop_text(bus, GST_MESSAGE_ERROR,
                               i == 0 ? GST_RESOURCE_ERROR : GST_STREAM_ERROR);
        frames_assert_contains(text, cases[i].says);
        frames_assert_contains(text, cases[i].model);
        g_object_set(element, "model-file", good, "scale", 0, NULL);
        g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), !=,
                        GST_STATE_CHANGE_FAILURE);
        gst_element_set_state(element, GST_STATE_NULL);
    }
    gst_element_set_bus(element, NULL);
    gst_object_unref(element);
}

/* Streams that the model, or the element, cannot take. */
static void test_refused(void)
{
    static const struct {
        const char *model, *caps, *says;
    } cases[] = {
        {"luma2", "format=RGB", "YUV or gray, but this video is RGB"},
        {"rgb2", "format=I420", "RGB, but this video is I420"},
        {"fixed", "format=GRAY8", "14x14"},
        {"luma2", "format=I420,interlace-mode=interleaved",
         "interlaced, and cannot be enlarged"},
        {"luma2", "format=I420,interlace-mode=fields",
         "interlaced, and cannot be enlarged"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBus *bus;
        GstHarness *harness = new_harness(cases[i].model, &bus);
        g_autofree char *text = NULL;
        g_autofree char *caps = g_strdup_printf(
            "video/x-raw,width=32,height=16,framerate=25/1,%s", cases[i].caps);

        gst_harness_set_src_caps_str(harness, caps);
        g_assert_cmpint(gst_harness_push(harness, gst_buffer_new_allocate(
                                                      NULL, 32 * 16 * 3, NULL)),
                        ==, GST_FLOW_NOT_NEGOTIATED);
        text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
        frames_assert_contains(text, cases[i].says);
        frames_free_harness(harness, bus);
    }
}

/* Each buffer says whether it is interlaced; only such frames are refused. */
static void test_mixed(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("luma2", &bus);
    g_autofree char *text = NULL;
    GstVideoInfo info;
    GstBuffer *buffer;

    gst_video_info_set_interlaced_format(
        &info, GST_VIDEO_FORMAT_I420, GST_VIDEO_INTERLACE_MODE_MIXED, 32, 18);
    info.fps_n = 25;
    info.fps_d = 1;
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&info));
    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(&info, 0)));
    buffer = frames_new_frame(&info, 1);
    GST_BUFFER_FLAG_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    g_assert_cmpint(gst_harness_push(harness, buffer), ==, GST_FLOW_ERROR);
    text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
    frames_assert_contains(text, "interlaced, and cannot be enlarged");
    frames_free_harness(harness, bus);
}

/* A file that fixes its input's size. */
static void test_fixed(void)
{
    GstHarness *harness = new_harness("fixed", NULL);
    GstVideoInfo info, large;

    frames_set_caps(harness, &info, "GRAY8", 14, 14);
    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(&info, 0)));
    get_output(harness, &large);
    g_assert_cmpint(large.width, ==, 28);
    frames_free_harness(harness, NULL);
}

/* Changes while the stream runs. */

/* The size, the format and what downstream wants. */
static void test_stream_changes(void)
{
    static const struct {
        const char *format;
        int width, height, scale;
    } cases[] = {{"I420", 64, 48, 2},
                 {"GRAY8", 7, 5, 3},
                 {"NV12", 7, 5, 4},
                 {"I420", 64, 48, 2}};
    GstHarness *harness = new_harness(NULL, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *wanted = g_strdup_printf(
            "video/x-raw,width=%d", cases[i].width * cases[i].scale);
        GstVideoInfo info;

        gst_harness_set_sink_caps_str(harness, wanted);
        frames_set_caps(harness, &info, cases[i].format, cases[i].width,
                        cases[i].height);
        check_frame(harness, &info, frames_new_frame(&info, i), cases[i].scale,
                    FALSE);
    }
    frames_free_harness(harness, NULL);
}

/* Frames that came too late are enlarged all the same. */
static void check_late(const char *format)
{
    GstHarness *harness = new_harness("fresh", NULL);
    GstVideoInfo info;

    frames_set_caps(harness, &info, format, 33, 17);
    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(&info, 0)));
    gst_harness_push_upstream_event(
        harness,
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 0));
    for (int i = 1; i < 3; i++)
        check_frame(harness, &info, frames_new_frame(&info, i), 2, TRUE);
    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(&info, 3)));
    g_assert_cmpuint(frames_get_stat(harness->element, "late"), ==, 2);
    g_assert_cmpuint(frames_get_stat(harness->element, "frames"), ==, 2);
    frames_free_harness(harness, NULL);
}

static void test_late(void)
{
    check_late("I420");
    check_late("I422_10LE");
}

/* ... to the size that downstream wants. */
static void test_late_any_size(void)
{
    GstHarness *harness = new_harness("fresh", NULL);
    GstVideoInfo info, large;
    GstBuffer *in, *out;
    GstVideoFrame from, to;

    gst_harness_set_sink_caps_str(harness, "video/x-raw,width=50,height=30");
    frames_set_caps(harness, &info, "I420", 33, 17);
    gst_buffer_unref(
        gst_harness_push_and_pull(harness, frames_new_frame(&info, 0)));
    gst_harness_push_upstream_event(
        harness,
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 0));
    in = frames_new_frame(&info, 1);
    out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
    get_output(harness, &large);
    gst_video_frame_map(&from, &info, in, GST_MAP_READ);
    gst_video_frame_map(&to, &large, out, GST_MAP_READ);
    for (int y = 0; y < 30; y++)
        for (int x = 0; x < 50; x++)
            g_assert_cmpint(frames_sample(&to, 0, x, y), ==,
                            frames_sample(&from, 0, (2 * x + 1) * 33 / 100,
                                          (2 * y + 1) * 17 / 60));
    gst_video_frame_unmap(&from);
    gst_video_frame_unmap(&to);
    gst_buffer_unref(in);
    gst_buffer_unref(out);
    frames_free_harness(harness, NULL);
}

/* The part of the frame that is to be shown grows with it, and so does where
 * something is seen: one and a half times across, twice down. */
static void test_crop(void)
{
    GstHarness *harness = new_harness("luma3", NULL);
    GstVideoRegionOfInterestMeta *roi;
    GstVideoCropMeta *crop;
    GstVideoInfo info;
    GstBuffer *buffer;

    gst_harness_set_sink_caps_str(harness, "video/x-raw,width=48,height=34");
    frames_set_caps(harness, &info, "I420", 32, 17);
    buffer = frames_new_frame(&info, 1);
    crop = gst_buffer_add_video_crop_meta(buffer);
    crop->x = 5;
    crop->y = 2;
    crop->width = 20;
    crop->height = 11;
    gst_buffer_add_video_region_of_interest_meta(buffer, "face", 5, 3, 8, 6);
    buffer = gst_harness_push_and_pull(harness, buffer);
    roi = gst_buffer_get_video_region_of_interest_meta_id(buffer, 0);
    g_assert_nonnull(roi);
    g_assert_cmpuint(roi->x, ==, 7);
    g_assert_cmpuint(roi->h, ==, 12);
    crop = gst_buffer_get_video_crop_meta(buffer);
    g_assert_nonnull(crop);
    g_assert_cmpuint(crop->x, ==, 8);
    g_assert_cmpuint(crop->y, ==, 4);
    g_assert_cmpuint(crop->width, ==, 30);
    g_assert_cmpuint(crop->height, ==, 22);
    gst_buffer_unref(buffer);
    frames_free_harness(harness, NULL);
}

static void set_model(GstHarness *harness, const char *model)
{
    g_autofree char *path = models_path(model);

    g_object_set(harness->element, "model-file", path, NULL);
}

/* Whether the first sample of the frame that comes is repeated. */
static gboolean repeats(GstHarness *harness, GstVideoInfo *info)
{
    GstBuffer *in = frames_new_frame(info, 5);
    GstBuffer *out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
    uint8_t before[64], after[64];

    gst_buffer_extract(in, 0, before, 64);
    gst_buffer_extract(out, 0, after, 64);
    gst_buffer_unref(in);
    gst_buffer_unref(out);
    for (int i = 0; i < 64; i++)
        if (after[i] != before[i / 2])
            return FALSE;
    return TRUE;
}

/* Another model of the same scale takes over; one of another does not. */
static void test_swap(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("luma2", &bus);
    gint64 end = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;
    g_autofree char *text = NULL;
    GstVideoInfo info;

    frames_set_caps(harness, &info, "GRAY8", 64, 48);
    g_assert_true(repeats(harness, &info));
    set_model(harness, "luma3");
    text = frames_pop_text(bus, GST_MESSAGE_WARNING, GST_STREAM_ERROR);
    frames_assert_contains(text, "3 times as large, but 2 times");
    g_assert_true(repeats(harness, &info));
    set_model(harness, "fresh");
    while (repeats(harness, &info) && g_get_monotonic_time() < end)
        ;
    g_assert_false(repeats(harness, &info));
    frames_free_harness(harness, bus);
}

/* The same bytes for any number of threads. */
static void test_threads(void)
{
    GstBuffer *first = NULL;
    GstMapInfo map;

    for (guint threads = 1; threads < 6; threads += 2) {
        GstHarness *harness = new_harness("fresh", NULL);
        GstVideoInfo info;
        GstBuffer *out;

        gst_element_set_state(harness->element, GST_STATE_NULL);
        g_object_set(harness->element, "threads", threads, NULL);
        gst_harness_play(harness);
        frames_set_caps(harness, &info, "Y444", 98, 61); /* no padding */
        out = gst_harness_push_and_pull(harness, frames_new_frame(&info, 7));
        if (first == NULL)
            first = gst_buffer_ref(out);
        gst_buffer_map(first, &map, GST_MAP_READ);
        g_assert_cmpint(gst_buffer_memcmp(out, 0, map.data, map.size), ==, 0);
        gst_buffer_unmap(first, &map);
        gst_buffer_unref(out);
        frames_free_harness(harness, NULL);
    }
    gst_buffer_unref(first);
}

/* Two elements in a row; the pipeline starts again from NULL and from READY. */
static void test_pipeline(void)
{
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=5 ! "
        "video/x-raw,format=I420,width=49,height=33 ! aesuperres scale=3 ! "
        "aesuperres name=b ! video/x-raw,width=294,height=198 ! fakesink",
        &error);
    g_autoptr(GstElement) second = gst_bin_get_by_name(GST_BIN(pipeline), "b");
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);

    g_assert_no_error(error);
    for (int i = 0; i < 4; i++) {
        g_autoptr(GstMessage) message = NULL;

        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        message = gst_bus_timed_pop_filtered(
            bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
        g_assert_nonnull(message);
        g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
        g_assert_cmpuint(frames_get_stat(second, "frames") +
                             frames_get_stat(second, "late"),
                         ==, 5);
        gst_element_set_state(pipeline,
                              i % 2 == 0 ? GST_STATE_NULL : GST_STATE_READY);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

/* What no negotiation can reach ends in a sentence. */
static void test_impossible(void)
{
    g_autoptr(GError) error = NULL;
    GstElement *pipeline =
        gst_parse_launch("videotestsrc ! video/x-raw,format=RGB ! aesuperres ! "
                         "video/x-raw,format=RGB ! fakesink",
                         &error);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
    frames_assert_contains(text, "wants YUV or gray, but this video is RGB");
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    save_models();
    g_setenv("GST_AE_MODEL_PATH", models_folder, TRUE);
    g_test_add_func("/aesuperres/formats", test_formats);
    g_test_add_func("/aesuperres/split", test_split);
    g_test_add_func("/aesuperres/any-size", test_any_size);
    g_test_add_func("/aesuperres/any-size-changes", test_any_size_changes);
    g_test_add_func("/aesuperres/any-size-scale", test_any_size_scale);
    g_test_add_func("/aesuperres/padding-byte", test_padding_byte);
    g_test_add_func("/aesuperres/chroma-site", test_chroma_site);
    g_test_add_func("/aesuperres/negotiation", test_negotiation);
    g_test_add_func("/aesuperres/aspect", test_aspect);
    g_test_add_func("/aesuperres/caps-are-carried-over",
                    test_caps_are_carried_over);
    g_test_add_func("/aesuperres/queries", test_queries);
    g_test_add_func("/aesuperres/bad-then-good", test_bad_then_good);
    g_test_add_func("/aesuperres/refused", test_refused);
    g_test_add_func("/aesuperres/mixed", test_mixed);
    g_test_add_func("/aesuperres/impossible", test_impossible);
    g_test_add_func("/aesuperres/fixed", test_fixed);
    g_test_add_func("/aesuperres/stream-changes", test_stream_changes);
    g_test_add_func("/aesuperres/late", test_late);
    g_test_add_func("/aesuperres/late-any-size", test_late_any_size);
    g_test_add_func("/aesuperres/crop", test_crop);
    g_test_add_func("/aesuperres/swap", test_swap);
    g_test_add_func("/aesuperres/threads", test_threads);
    g_test_add_func("/aesuperres/pipeline", test_pipeline);
    result = g_test_run();
    models_end();
    return result;
}
