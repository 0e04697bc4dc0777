/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aedenoise through GstHarness: models small enough to be computed by hand, on
 * every format, on odd sizes, with padded strides; bad models; changes while
 * the stream runs. */
#include <math.h>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "frames.h"
#include "models.h"
#include "ops/attributes.h"
#include "model/build.h"
#include "base/file.h"
#include "base/random.h"

static const char *const formats[] = {
    "I420_10LE", "I422_10LE", "Y444_10LE", "I420_12LE", "I422_12LE",
    "Y444_12LE", "A420",      "GRAY16_LE", "GRAY8",     "I420",
    "YV12",      "NV12",      "NV21",      "NV16",      "NV24",
    "Y42B",      "Y444",      "YUY2",      "UYVY",      "AYUV",
    "RGB",       "BGR",       "RGBx",      "xRGB",      "BGRx",
    "xBGR",      "RGBA",      "ARGB",      "BGRA",      "ABGR",
    "GBR",       "GBRA",      "RGBP",      "BGRP",      "Y41B",
    "P010_10LE", "P012_LE",   "P010_10BE", "P012_BE",   "GRAY16_BE",
    "I420_10BE", "I422_10BE", "Y444_10BE", "I420_12BE", "I422_12BE",
    "Y444_12BE",
};

static const struct {
    int width, height;
} sizes[] = {{1, 1}, {3, 5}, {33, 17}, {64, 48}};

/* Models. */

static AeModel *new_model(int n, int channels, int height, int width, int *in)
{
    AeShape shape = ae_shape(4, n, channels, height, width);
    AeModel *model = ae_model_new(17);

    *in = ae_model_add_input(model, "image", &shape, NULL);
    return model;
}

static AeNode *add_node(AeModel *model, const char *op, const int *in, int n,
                        const char *name, int *out)
{
    GError *error = NULL;
    AeNode *node;

    *out = ae_model_add_value(model, name, NULL, NULL);
    node = ae_model_add_node(model, op, name, in, n, out, 1, &error);
    g_assert_no_error(error);
    return node;
}

static int add_constant(AeModel *model, const char *name, const AeShape *shape,
                        const float *values)
{
    AeTensor *tensor = ae_tensor_new(shape, NULL);

    ae_tensor_from_row_major(tensor, values);
    return ae_model_add_constant(model, name, tensor, TRUE, NULL);
}

/* Takes the model. */
static void save(AeModel *model, int output, const char *name)
{
    g_autofree char *path = models_path(name);
    GError *error = NULL;

    ae_model_add_output(model, output);
    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
    ae_model_unref(model);
}

/* What the file says of planes is nothing to three or six channels. */
static void save_identity(const char *name, int n, int c, int h, int w)
{
    int in, out;
    AeModel *model = new_model(n, c, h, w, &in);

    if (c > 1)
        ae_model_set(model, "ae.components", "yuv");
    add_node(model, "Identity", &in, 1, "same", &out);
    save(model, out, name);
}

/* A convolution with @pad on every side. */
static void save_conv(const char *name, const char *range, int channels, int k,
                      int pad, const float *weight, const float *bias)
{
    AeShape weight_shape = ae_shape(4, channels, channels, k, k);
    AeShape bias_shape = ae_shape(1, channels);
    int64_t pads[4] = {pad, pad, pad, pad};
    int in[3], out;
    AeModel *model = new_model(-1, channels, -1, -1, &in[0]);
    AeNode *node;

    in[1] = add_constant(model, "w", &weight_shape, weight);
    in[2] = add_constant(model, "b", &bias_shape, bias);
    node = add_node(model, "Conv", in, 3, "conv", &out);
    ae_node_set_ints(node, "pads", pads, 4);
    if (range != NULL)
        ae_model_set(model, "ae.range", range);
    save(model, out, name);
}

/* Means of 2x2 samples, each written four times: needs even sizes. */
static void save_blocks(void)
{
    AeShape shape = ae_shape(1, 4);
    int64_t two[2] = {2, 2};
    float scales[4] = {1, 1, 2, 2};
    int in[3], pooled, out;
    AeModel *model = new_model(-1, 1, -1, -1, &in[0]);
    AeNode *node = add_node(model, "AveragePool", in, 1, "pooled", &pooled);

    ae_node_set_ints(node, "kernel_shape", two, 2);
    ae_node_set_ints(node, "strides", two, 2);
    in[0] = pooled;
    in[1] = -1;
    in[2] = add_constant(model, "scales", &shape, scales);
    node = add_node(model, "Resize", in, 3, "large", &out);
    ae_node_set_string(node, "mode", "nearest");
    ae_node_set_string(node, "coordinate_transformation_mode", "asymmetric");
    ae_node_set_string(node, "nearest_mode", "floor");
    save(model, out, "blocks");
}

/* Adds @TINT levels to what it sees, of RGB luma and chroma. */
enum { TINT = 20 };
static void save_tint(void)
{
    AeShape shape = ae_shape(4, 1, 1, 1, 1);
    float tint = TINT / 255.0f;
    int in[2], out;
    AeModel *model = new_model(-1, 1, -1, -1, &in[0]);

    in[1] = add_constant(model, "tint", &shape, &tint);
    add_node(model, "Add", in, 2, "sum", &out);
    ae_model_set(model, "ae.components", "yuv");
    save(model, out, "tint");
}

/* Brings what is below the level of neutral chroma half as close to it. */
#define NEUTRAL (128 / 255.0)
static void save_lift(void)
{
    AeShape shape = ae_shape(4, 1, 1, 1, 1);
    float neutral = NEUTRAL;
    int in[2], below, out;
    AeModel *model = new_model(-1, 1, -1, -1, &in[0]);
    AeNode *node;

    in[1] = add_constant(model, "neutral", &shape, &neutral);
    add_node(model, "Sub", in, 2, "difference", &below);
    node = add_node(model, "LeakyRelu", &below, 1, "half", &in[0]);
    ae_node_set_float(node, "alpha", 0.5f);
    add_node(model, "Add", in, 2, "sum", &out);
    ae_model_set(model, "ae.components", "yuv");
    save(model, out, "lift");
}

/* Makes of @FRAMES frames the one at @place. */
enum { FRAMES = 5 };
static void save_window(const char *name, int place, const char *ahead)
{
    const float bounds[] = {(float)(3 * place), (float)(3 * place + 3), 1};
    AeShape one = ae_shape(1, 1);
    int in[4], out;
    AeModel *model = new_model(-1, 3 * FRAMES, -1, -1, &in[0]);

    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"begin", "end", "axis"};

        in[1 + i] = add_constant(model, names[i], &one, &bounds[i]);
    }
    add_node(model, "Slice", in, 4, "frame", &out);
    if (ahead != NULL)
        ae_model_set(model, "ae.ahead", ahead);
    save(model, out, name);
}

/* Files that cannot be loaded. */
static void save_damaged(void)
{
    g_autofree char *source = models_path("identity");
    g_autofree char *broken = models_path("broken");
    g_autofree char *unknown = models_path("unknown");
    g_autofree char *content = NULL;
    gsize size;
    char *op;

    g_assert_true(g_file_get_contents(source, &content, &size, NULL));
    g_assert_true(g_file_set_contents(broken, content, size / 2, NULL));
    op = memmem(content, size, "Identity", 8);
    g_assert_nonnull(op);
    memcpy(op, "Strength", 8);
    g_assert_true(g_file_set_contents(unknown, content, size, NULL));
}

static void save_models(void)
{
    static const float blur[9] = {.0625, .125,  .0625, .125, .25,
                                  .125,  .0625, .125,  .0625};
    static const float minus[1] = {-1}, one[1] = {1}, zero[6] = {0};
    static const float ones[6] = {1, 1, 1, 1, 1, 1};
    /* All luma becomes the first of the block, the two of chroma change. */
    static const float first[36] = {
        [0] = 1, [6] = 1, [12] = 1, [18] = 1, [29] = 1, [34] = 1};
    static const float minuses[36] = {
        [0] = -1, [7] = -1, [14] = -1, [21] = -1, [28] = -1, [35] = -1};
    static const float rotate[9] = {0, 1, 0, 0, 0, 1, 1, 0, 0};

    models_begin("aedenoise");
    save_identity("identity", -1, 1, -1, -1);
    save_identity("single", 1, 1, -1, -1);
    save_identity("none", 0, 1, -1, -1);
    save_identity("fixed", -1, 1, 48, 64);
    save_identity("rgb", -1, 3, -1, -1);
    save_identity("many", -1, 5, -1, -1);
    save_conv("blur", NULL, 1, 3, 1, blur, zero);
    save_conv("shrink", NULL, 1, 3, 0, blur, zero);
    save_conv("invert", NULL, 1, 1, 0, minus, one);
    save_conv("negate", "-1,1", 1, 1, 0, minus, zero);
    save_conv("range", "high", 1, 1, 0, minus, zero);
    save_conv("rotate", NULL, 3, 1, 0, rotate, zero);
    save_tint();
    save_lift();
    save_identity("video", -1, 6, -1, -1);
    save_conv("video-invert", NULL, 6, 1, 0, minuses, ones);
    save_conv("video-first", NULL, 6, 1, 0, first, zero);
    save_blocks();
    save_window("window-middle", 2, NULL);
    save_window("window-last", 4, NULL);
    save_window("window-first", 0, NULL);
    save_window("window-past", 1, "0");
    save_damaged();
}

/* Frames. */

static GstElement *new_element(const char *model)
{
    g_autofree char *path = models_path(model);
    GstElement *element = gst_element_factory_make("aedenoise", NULL);

    g_assert_nonnull(element);
    g_object_set(element, "model-file", path, "threads", 2, NULL);
    return element;
}

static GstHarness *new_harness(const char *model, GstBus **bus)
{
    return frames_put_in_harness(new_element(model), bus);
}

/* What the sample of the output should be. */
typedef int (*Expect)(const GstVideoFrame *in, int component, int x, int y);

static int same(const GstVideoFrame *in, int component, int x, int y)
{
    return frames_sample(in, component, x, y);
}

static int inverted(const GstVideoFrame *in, int component, int x, int y)
{
    return component == GST_VIDEO_COMP_A
               ? same(in, component, x, y)
               : frames_most(in, component) - same(in, component, x, y);
}

static int rotated(const GstVideoFrame *in, int component, int x, int y)
{
    return component == GST_VIDEO_COMP_A
               ? same(in, component, x, y)
               : frames_sample(in, (component + 1) % 3, x, y);
}

static int first_of_block(const GstVideoFrame *in, int component, int x, int y)
{
    const GstVideoFormatInfo *format = in->info.finfo;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    if (GST_VIDEO_FORMAT_INFO_IS_YUV(format) && format->h_sub[1] == 1 &&
        component > 0)
        return frames_sample(in, 3 - component, x, y);
    return frames_sample(in, component, x / 2 * 2, y / 2 * 2);
}

static int blurred(const GstVideoFrame *in, int component, int x, int y)
{
    int width = GST_VIDEO_FRAME_COMP_WIDTH(in, component);
    int height = GST_VIDEO_FRAME_COMP_HEIGHT(in, component);
    int sum = 0;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    for (int v = -1; v <= 1; v++)
        for (int u = -1; u <= 1; u++)
            if (x + u >= 0 && x + u < width && y + v >= 0 && y + v < height)
                sum += (2 - ABS(u)) * (2 - ABS(v)) *
                       frames_sample(in, component, x + u, y + v);
    return (sum + 8) / 16;
}

static int mirrored(int i, int n)
{
    i = n > 1 ? ABS(i) : 0;
    return i < n ? i : 2 * (n - 1) - i;
}

/* As blurred(), but samples are reflected at the edge. */
static int blurred_within(const GstVideoFrame *in, int component, int x, int y)
{
    int width = GST_VIDEO_FRAME_COMP_WIDTH(in, component);
    int height = GST_VIDEO_FRAME_COMP_HEIGHT(in, component);
    int sum = 0;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    for (int v = -1; v <= 1; v++)
        for (int u = -1; u <= 1; u++)
            sum += (2 - ABS(u)) * (2 - ABS(v)) *
                   frames_sample(in, component, mirrored(x + u, width),
                                 mirrored(y + v, height));
    return (sum + 8) / 16;
}

/* What TINT more of luma and of both of chroma is of red, green and blue. */
static int tinted(const GstVideoFrame *in, int component, int x, int y)
{
    static const double rgb[] = {2.402, 1 - 0.344136 - 0.714136, 2.772};
    int most = (int)frames_most(in, component);
    double tint = TINT / 255.0 * most;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    if (GST_VIDEO_INFO_IS_RGB(&in->info))
        tint *= rgb[component];
    return CLAMP((int)floor(same(in, component, x, y) + tint + 0.5), 0, most);
}

static double lift(double v)
{
    return v > NEUTRAL ? v : (v + NEUTRAL) / 2;
}

/* Luma or chroma (BT.601, full range for RGB) in 0 .. 1; beyond the right and
 * lower edges reflected. */
static double colour(const GstVideoFrame *in, int component, int x, int y)
{
    int last_x = GST_VIDEO_FRAME_WIDTH(in) - 1;
    int last_y = GST_VIDEO_FRAME_HEIGHT(in) - 1;
    double v[3], luma;

    x = x > last_x ? MAX(2 * last_x - x, 0) : x;
    y = y > last_y ? MAX(2 * last_y - y, 0) : y;
    for (int c = 0; c < 3; c++)
        v[c] = frames_sample(in, c, x, y) / (double)frames_most(in, c);
    if (!GST_VIDEO_INFO_IS_RGB(&in->info))
        return v[component];
    luma = 0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2];
    return component == 0   ? luma
           : component == 1 ? NEUTRAL + (v[2] - luma) / 1.772
                            : NEUTRAL + (v[0] - luma) / 1.402;
}

/* Half of what chroma has more where its block of 2x2 is lifted as one. */
static double lifted_more(const GstVideoFrame *in, int component, int x, int y)
{
    double mean = 0, after = 0;

    x = CLAMP(x, 0, (GST_VIDEO_FRAME_WIDTH(in) - 1) / 2);
    y = CLAMP(y, 0, (GST_VIDEO_FRAME_HEIGHT(in) - 1) / 2);
    for (int i = 0; i < 4; i++) {
        double v = colour(in, component, 2 * x + i % 2, 2 * y + i / 2);

        mean += v / 4;
        after += lift(v) / 4;
    }
    return (lift(mean) - after) / 2;
}

static double lifted_colour(const GstVideoFrame *in, int component, int x,
                            int y)
{
    int dx = x % 2 * 2 - 1, dy = y % 2 * 2 - 1;
    double v = lift(colour(in, component, x, y));

    if (component == 0)
        return v;
    x /= 2;
    y /= 2;
    return v + lifted_more(in, component, x, y) * 9 / 16 +
           lifted_more(in, component, x + dx, y) * 3 / 16 +
           lifted_more(in, component, x, y + dy) * 3 / 16 +
           lifted_more(in, component, x + dx, y + dy) / 16;
}

/* Where chroma has the size of luma it is lifted at half of it, too. */
static int lifted(const GstVideoFrame *in, int component, int x, int y)
{
    const GstVideoFormatInfo *format = in->info.finfo;
    double most = (double)frames_most(in, component), v[3], g;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    if (GST_VIDEO_INFO_N_COMPONENTS(&in->info) < 3 || format->w_sub[1] != 0 ||
        format->h_sub[1] != 0)
        return (int)floor(lift(same(in, component, x, y) / most) * most + 0.5);
    for (int c = 0; c < 3; c++)
        v[c] = lifted_colour(in, c, x, y);
    if (GST_VIDEO_INFO_IS_RGB(&in->info)) {
        double red = v[0] + 1.402 * (v[2] - NEUTRAL);
        double blue = v[0] + 1.772 * (v[1] - NEUTRAL);

        g = (v[0] - 0.299 * red - 0.114 * blue) / 0.587;
        v[0] = red;
        v[1] = g;
        v[2] = blue;
    }
    return (int)floor(CLAMP(v[component], 0, 1) * most + 0.5);
}

/* A block that crosses the edge sees the sample before the last again, or the
 * last where there is no other. */
static int in_blocks(const GstVideoFrame *in, int component, int x, int y)
{
    int width = GST_VIDEO_FRAME_COMP_WIDTH(in, component);
    int height = GST_VIDEO_FRAME_COMP_HEIGHT(in, component);
    int sum = 0;

    if (component == GST_VIDEO_COMP_A)
        return same(in, component, x, y);
    for (int v = y / 2 * 2; v < y / 2 * 2 + 2; v++)
        for (int u = x / 2 * 2; u < x / 2 * 2 + 2; u++)
            sum +=
                frames_sample(in, component, u < width ? u : MAX(width - 2, 0),
                              v < height ? v : MAX(height - 2, 0));
    return (sum + 2) / 4;
}

/* The largest difference of a sample. */
static int compare(GstBuffer *in_buffer, GstBuffer *out_buffer,
                   GstVideoInfo *info, Expect expect)
{
    GstVideoFrame in, out;
    int worst = 0;

    g_assert_true(gst_video_frame_map(&in, info, in_buffer, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&out, info, out_buffer, GST_MAP_READ));
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(info, c); y++)
            for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(info, c); x++) {
                int found = frames_sample(&out, c, x, y);
                int expected = expect(&in, c, x, y);

                worst = MAX(worst, ABS(found - expected));
            }
    gst_video_frame_unmap(&in);
    gst_video_frame_unmap(&out);
    return worst;
}

/* Pushes a frame; the largest difference of what comes. Takes @in. */
static int push(GstHarness *harness, GstVideoInfo *info, GstBuffer *in,
                Expect expect)
{
    GstBuffer *out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
    int worst;

    g_assert_nonnull(out);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, GST_BUFFER_PTS(in));
    worst = compare(in, out, info, expect);
    gst_buffer_unref(in);
    gst_buffer_unref(out);
    return worst;
}

/* Sums are rounded in another order than by the model: one level. */
static const struct {
    const char *model;
    gboolean rgb;
    Expect expect;
    int tolerance;
} models[] = {
    {"identity", FALSE, same, 0},
    {"single", FALSE, same, 0},
    {"rgb", TRUE, same, 0},
    {"invert", FALSE, inverted, 0},
    {"negate", FALSE, inverted, 0},
    {"rotate", TRUE, rotated, 0},
    {"blur", FALSE, blurred, 1},
    {"shrink", FALSE, blurred_within, 1},
    {"blocks", FALSE, in_blocks, 1},
    {"tint", FALSE, tinted, 1},
    {"lift", FALSE, lifted, 1},
    {"video", FALSE, same, 0},
    {"video-invert", FALSE, inverted, 0},
    {"video-first", FALSE, first_of_block, 0},
};

static void check_format(GstHarness *harness, int m, const char *format)
{
    GstVideoInfo info;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        frames_set_caps(harness, &info, format, sizes[i].width,
                        sizes[i].height);
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), models[m].expect),
            <=, models[m].tolerance);
        g_assert_cmpint(push(harness, &info, frames_new_padded_frame(&info, i),
                             models[m].expect),
                        <=, models[m].tolerance);
    }
}

/* Every format and size with every model, in one stream a model. */
static void test_formats(void)
{
    for (gsize m = 0; m < G_N_ELEMENTS(models); m++) {
        GstHarness *harness = new_harness(models[m].model, NULL);

        for (gsize f = 0; f < G_N_ELEMENTS(formats); f++) {
            const GstVideoFormatInfo *info = gst_video_format_get_info(
                gst_video_format_from_string(formats[f]));

            if (!models[m].rgb || GST_VIDEO_FORMAT_INFO_IS_RGB(info))
                check_format(harness, (int)m, formats[f]);
        }
        frames_free_harness(harness, NULL);
    }
}

/* What "invert" and a strength make of a frame. */
static float strength;

static int partly_inverted(const GstVideoFrame *in, int component, int x, int y)
{
    int from = same(in, component, x, y), to = inverted(in, component, x, y);

    return (int)floorf((float)from + strength * (float)(to - from) + 0.5f);
}

/* @model with each of @n @values of @property, of which @value tells @expected
 * in all formats. */
static void check_values(const char *model, const char *property,
                         const float *values, gsize n, float *value,
                         Expect expected)
{
    GstHarness *harness = new_harness(model, NULL);

    for (gsize i = 0; i < n; i++) {
        *value = values[i];
        g_object_set(harness->element, property, (double)*value, NULL);
        for (gsize f = 0; f < G_N_ELEMENTS(formats); f++) {
            GstVideoInfo info;

            frames_set_caps(harness, &info, formats[f], 33, 17);
            g_assert_cmpint(push(harness, &info,
                                 frames_new_padded_frame(&info, i), expected),
                            ==, 0);
        }
    }
    frames_free_harness(harness, NULL);
}

/* Between the frame as it came, bit for bit, and what the model makes of it. */
static void test_strength(void)
{
    static const float strengths[] = {0, 0.25f, 0.5f, 0.7f, 1};

    check_values("invert", "strength", strengths, G_N_ELEMENTS(strengths),
                 &strength, partly_inverted);
    check_values("video-invert", "strength", strengths, G_N_ELEMENTS(strengths),
                 &strength, partly_inverted);
}

/* Frames that have no place in time: a file of bytes, cut into frames. */
static void test_bytes(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstSegment segment;
    GstVideoInfo info;

    gst_segment_init(&segment, GST_FORMAT_BYTES);
    frames_set_caps(harness, &info, "GRAY8", 33, 17);
    gst_harness_push_event(harness, gst_event_new_segment(&segment));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), inverted), ==, 0);
    frames_free_harness(harness, NULL);
}

static void test_controlled(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    frames_control(harness->element, "strength", 0, 1);
    frames_control(harness->element, "sigma", 10, 20);
    frames_set_caps(harness, &info, "GRAY8", 33, 17);
    for (guint64 time = 0; time <= 4; time++) {
        GstBuffer *frame = frames_new_frame(&info, 3);
        float sigma;

        GST_BUFFER_PTS(frame) = time * 250 * GST_MSECOND;
        strength = (float)time / 4;
        g_assert_cmpint(push(harness, &info, frame, partly_inverted), ==, 0);
        g_object_get(harness->element, "sigma", &sigma, NULL);
        g_assert_cmpfloat_with_epsilon(sigma, 10 + 2.5 * (double)time, 1e-4);
    }
    frames_free_harness(harness, NULL);
}

static float split;

/* The first column of a component that is right of the split. */
static int split_column(const GstVideoFrame *frame, int component)
{
    const GstVideoFormatInfo *format = frame->info.finfo;
    int components = (int)GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format);
    int shift =
        components > 1 ? (int)GST_VIDEO_FORMAT_INFO_W_SUB(format, 1) : 0;
    int blocks = (GST_VIDEO_FRAME_WIDTH(frame) + (1 << shift) - 1) >> shift;
    int column = (int)lrintf(split * (float)blocks) << shift;

    return column >> GST_VIDEO_FORMAT_INFO_W_SUB(format, component);
}

static int right_inverted(const GstVideoFrame *in, int component, int x, int y)
{
    return x < split_column(in, component) ? same(in, component, x, y)
                                           : inverted(in, component, x, y);
}

/* Left of the split the frame comes as it was, bit for bit. */
static void test_split(void)
{
    static const float splits[] = {0, 0.1f, 0.5f, 0.99f, 1};

    check_values("invert", "split", splits, G_N_ELEMENTS(splits), &split,
                 right_inverted);
    check_values("video-invert", "split", splits, G_N_ELEMENTS(splits), &split,
                 right_inverted);
}

static void test_split_controlled(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    frames_control(harness->element, "split", 0, 1);
    frames_set_caps(harness, &info, "NV12", 33, 17);
    for (guint64 time = 0; time <= 4; time++) {
        GstBuffer *frame = frames_new_frame(&info, 3);

        GST_BUFFER_PTS(frame) = time * 250 * GST_MSECOND;
        split = (float)time / 4;
        g_assert_cmpint(push(harness, &info, frame, right_inverted), ==, 0);
    }
    frames_free_harness(harness, NULL);
}

/* Models that cannot be loaded, then a good one in the same element. */
static void test_bad_then_good(void)
{
    static const struct {
        const char *model, *says;
        gboolean file; /* the file's fault, not its content's */
    } cases[] = {
        {"missing", "missing.onnx", TRUE},  {"broken", "broken.onnx", FALSE},
        {"unknown", "Strength", FALSE},     {"many", "?x5x?x?", FALSE},
        {"unknown", "unknown.onnx", FALSE}, {"range", "ae.range", FALSE},
    };
    GstElement *element = new_element("identity");
    g_autoptr(GstBus) bus = gst_bus_new();

    gst_element_set_bus(element, bus);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bad = models_path(cases[i].model);
        g_autofree char *good = models_path("identity");
        g_autofree char *text = NULL;

        g_object_set(element, "model-file", bad, NULL);
        g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                        GST_STATE_CHANGE_FAILURE);
        text = frames_pop_text(bus, GST_MESSAGE_ERROR,
                               cases[i].file ? GST_RESOURCE_ERROR
                                             : GST_STREAM_ERROR);
        frames_assert_contains(text, cases[i].says);
        g_object_set(element, "model-file", good, NULL);
        g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), !=,
                        GST_STATE_CHANGE_FAILURE);
        gst_element_set_state(element, GST_STATE_NULL);
    }
    gst_element_set_bus(element, NULL);
    gst_object_unref(element);
}

/* The frame of @info that @seed made came out of @harness, as frame @time. */
static void check_window(GstHarness *harness, const GstVideoInfo *info,
                         int time, int seed)
{
    GstBuffer *out = gst_harness_try_pull(harness);
    g_autoptr(GstBuffer) expected = frames_new_frame(info, (uint64_t)seed);
    GstMapInfo map;

    g_assert_nonnull(out);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, (guint64)time * 40 * GST_MSECOND);
    gst_buffer_map(out, &map, GST_MAP_READ);
    g_assert_cmpint(gst_buffer_memcmp(expected, 0, map.data, map.size), ==, 0);
    gst_buffer_unmap(out, &map);
    gst_buffer_unref(out);
}

/* Models of several frames: the last ones come with EOS, none is lost, and the
 * LATENCY query tells how long frames wait. */
static void test_window(void)
{
    enum { N = 8 };
    static const struct {
        const char *model;
        int ahead, offset; /* of what the model makes from the frame's time */
    } cases[] = {{"window-middle", 2, 0},
                 {"window-last", 2, 2},
                 {"window-first", 2, -2},
                 {"window-past", 0, -3}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstHarness *harness = new_harness(cases[i].model, NULL);
        int ahead = cases[i].ahead, offset = cases[i].offset;
        GstSegment segment;
        GstVideoInfo info;

        frames_set_caps(harness, &info, "RGB", 20, 14);
        for (int again = 0; again < 2; again++) {
            for (int k = 0; k < N; k++) {
                g_assert_cmpint(
                    gst_harness_push(harness,
                                     frames_new_frame(&info, (uint64_t)k)),
                    ==, GST_FLOW_OK);
                if (k >= ahead)
                    check_window(harness, &info, k - ahead,
                                 MAX(k - ahead + offset, 0));
                g_assert_null(gst_harness_try_pull(harness));
            }
            g_assert_cmpuint(gst_harness_query_latency(harness), ==,
                             (guint64)ahead * 40 * GST_MSECOND);
            if (again == 1)
                break;
            /* A flush forgets the frames that wait. */
            gst_harness_push_event(harness, gst_event_new_flush_start());
            gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
            gst_segment_init(&segment, GST_FORMAT_TIME);
            gst_harness_push_event(harness, gst_event_new_segment(&segment));
        }
        gst_harness_push_event(harness, gst_event_new_eos());
        for (int k = N - ahead; k < N; k++)
            check_window(harness, &info, k, CLAMP(k + offset, 0, N - 1));
        g_assert_null(gst_harness_try_pull(harness));
        frames_free_harness(harness, NULL);
    }
}

/* A stream that is shorter than the window, and new sizes. */
static void test_short_window(void)
{
    GstHarness *harness = new_harness("window-last", NULL);
    GstVideoInfo info;

    for (int width = 20; width <= 24; width += 4) {
        frames_set_caps(harness, &info, "RGB", width, 14);
        for (int k = 0; k < 2; k++)
            gst_harness_push(harness, frames_new_frame(&info, (uint64_t)k));
    }
    gst_harness_push_event(harness, gst_event_new_eos());
    g_assert_cmpuint(gst_harness_buffers_received(harness), ==, 4);
    frames_free_harness(harness, NULL);
}

/* Models that load but do not fit the stream. */
static void test_refused(void)
{
    static const struct {
        const char *model, *format;
        int width, height;
        const char *says;
    } cases[] = {
        {"none", "GRAY8", 32, 32, "batches of 0 images"},
        {"fixed", "GRAY8", 48, 64, "64x48"},
        {"fixed", "I420", 66, 48, "64x48"},
        {"rgb", "I420", 64, 48, "RGB"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBus *bus;
        GstHarness *harness = new_harness(cases[i].model, &bus);
        g_autofree char *text = NULL;
        GstVideoInfo info;

        frames_set_caps(harness, &info, cases[i].format, cases[i].width,
                        cases[i].height);
        g_assert_cmpint(gst_harness_push(harness, frames_new_frame(&info, 0)),
                        ==, GST_FLOW_NOT_NEGOTIATED);
        text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
        frames_assert_contains(text, cases[i].says);
        frames_assert_contains(text, cases[i].model);
        frames_free_harness(harness, bus);
    }
}

/* A model for RGB offers nothing else, unless upstream has nothing else: that
 * is answered by a sentence, see test_refused(). */
static void test_caps(void)
{
    GstHarness *harness = new_harness("rgb", NULL);
    g_autoptr(GstCaps) yuv =
        gst_caps_from_string("video/x-raw,format={I420,GRAY8}");
    g_autoptr(GstCaps) both =
        gst_caps_from_string("video/x-raw,format={I420,BGRA}");
    g_autoptr(GstCaps) rgb = gst_caps_from_string("video/x-raw,format=BGRA");
    GstPad *pad = gst_element_get_static_pad(harness->element, "sink");
    g_autoptr(GstCaps) caps = gst_pad_query_caps(pad, NULL);
    g_autoptr(GstCaps) of_both = gst_pad_query_caps(pad, both);
    g_autoptr(GstCaps) of_yuv = gst_pad_query_caps(pad, yuv);

    g_assert_false(gst_caps_can_intersect(caps, yuv));
    g_assert_true(gst_caps_can_intersect(caps, rgb));
    g_assert_false(gst_caps_can_intersect(of_both, yuv));
    g_assert_true(gst_caps_can_intersect(of_yuv, yuv));
    gst_object_unref(pad);
    frames_free_harness(harness, NULL);
}

static void test_fixed(void)
{
    GstHarness *harness = new_harness("fixed", NULL);
    GstVideoInfo info;

    frames_set_caps(harness, &info, "RGB", 64, 48);
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 1), same), ==,
                    0);
    frames_free_harness(harness, NULL);
}

/* Looked up by name; a path is not a name. */
static void test_names(void)
{
    GstElement *element = gst_element_factory_make("aedenoise", NULL);
    g_autoptr(GstBus) bus = gst_bus_new();
    g_autofree char *initial = NULL;
    g_autofree char *text = NULL;

    gst_element_set_bus(element, bus);
    g_object_get(element, "model", &initial, NULL);
    g_assert_cmpstr(initial, ==, "medium");
    g_object_set(element, "model", "invert", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), !=,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_set(element, "model", "none-such", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    gst_message_unref(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    g_object_set(element, "model", models_folder, NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(element);
}

/* Changes while the stream runs. */

/* Frames that came too late pass as they are. */
static void check_late(const char *format)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    frames_set_caps(harness, &info, format, 33, 17);
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 0), inverted),
                    ==, 0);
    gst_harness_push_upstream_event(
        harness,
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 0));
    for (int i = 1; i < 6; i++)
        g_assert_cmpint(push(harness, &info, frames_new_frame(&info, i),
                             i * 40 < 100 ? same : inverted),
                        ==, 0);
    g_assert_cmpuint(frames_get_stat(harness->element, "late"), ==, 2);
    g_assert_cmpuint(frames_get_stat(harness->element, "frames"), ==, 4);
    g_object_set(harness->element, "qos", FALSE, NULL);
    gst_harness_push_upstream_event(
        harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0));
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 6), inverted),
                    ==, 0);
    frames_free_harness(harness, NULL);
}

static void test_late(void)
{
    check_late("I420");
    check_late("I422_10LE");
}

/* Pushes frames until one looks as @expect says; all before it look as @before
 * does. */
static void push_until(GstHarness *harness, GstVideoInfo *info, Expect before,
                       Expect expect)
{
    gint64 end = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;

    for (guint64 i = 0; g_get_monotonic_time() < end; i++) {
        GstBuffer *in = frames_new_frame(info, i);
        GstBuffer *out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
        gboolean arrived = compare(in, out, info, expect) == 0;

        g_assert_true(arrived || compare(in, out, info, before) == 0);
        gst_buffer_unref(in);
        gst_buffer_unref(out);
        if (arrived)
            return;
    }
    g_error("the new model never took over");
}

static void set_model(GstHarness *harness, const char *model)
{
    g_autofree char *path = models_path(model);

    g_object_set(harness->element, "model-file", path, NULL);
}

static void test_swap(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("identity", &bus);
    GstVideoInfo info;

    frames_set_caps(harness, &info, "NV12", 65, 49);
    for (int round = 0; round < 10; round++) {
        set_model(harness, "invert");
        push_until(harness, &info, same, inverted);
        set_model(harness, "blur"); /* overtaken by the next line */
        set_model(harness, "identity");
        push_until(harness, &info, inverted, same);
    }
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING));
    frames_free_harness(harness, bus);
}

/* Writes the model's content to another file, at once. */
static void copy_model(const char *from, const char *to)
{
    g_autofree char *source = models_path(from);
    g_autofree char *target = models_path(to);
    g_autofree char *content = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(source, &content, &size, NULL));
    g_assert_true(ae_file_write(target, content, size, NULL));
}

/* A file that somebody else writes, while a named model stands in for it. */
static void test_reload(void)
{
    GstBus *bus;
    GstElement *element = new_element("later");
    g_autofree char *text = NULL;
    GstHarness *harness;
    GstVideoInfo info;

    g_object_set(element, "reload", TRUE, "model", "invert", NULL);
    harness = frames_put_in_harness(element, &bus);
    frames_set_caps(harness, &info, "NV12", 65, 49);
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 0), inverted),
                    ==, 0);
    copy_model("identity", "later");
    push_until(harness, &info, inverted, same);
    copy_model("invert", "later");
    push_until(harness, &info, same, inverted);
    copy_model("broken", "later");
    for (gint64 end = g_get_monotonic_time() + G_TIME_SPAN_SECOND;
         g_get_monotonic_time() < end;)
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, 0), inverted), ==, 0);
    text = frames_pop_text(bus, GST_MESSAGE_WARNING, GST_STREAM_ERROR);
    frames_assert_contains(text, "later.onnx");
    frames_free_harness(harness, bus);
}

/* A model that fails, or that does not fit the stream, leaves the old one. */
static void test_swap_fails(void)
{
    static const struct {
        const char *model, *says;
    } cases[] = {
        {"missing", "missing.onnx"},
        {"unknown", "Strength"},
        {"rgb", "videoconvert"},
        {"fixed", "64x48"},
    };
    GstBus *bus;
    GstHarness *harness = new_harness("invert", &bus);
    GstVideoInfo info;

    frames_set_caps(harness, &info, "NV12", 65, 49);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;

        set_model(harness, cases[i].model);
        text = frames_pop_text(bus, GST_MESSAGE_WARNING,
                               i == 0 ? GST_RESOURCE_ERROR : GST_STREAM_ERROR);
        frames_assert_contains(text, cases[i].says);
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), inverted), ==, 0);
    }
    frames_free_harness(harness, bus);
}

/* As blurred(), of the rows of one field. */
static int blurred_field(const GstVideoFrame *in, int component, int x, int y)
{
    GstVideoFrame field = *in;

    for (int i = 0; i < (int)GST_VIDEO_FRAME_N_PLANES(in); i++) {
        field.data[i] = (uint8_t *)in->data[i] + y % 2 * in->info.stride[i];
        field.info.stride[i] *= 2;
    }
    field.info.height /= 2;
    return blurred(&field, component, x, y / 2);
}

static void set_interlaced_caps(GstHarness *harness, GstVideoInfo *info,
                                const char *format, int height,
                                GstVideoInterlaceMode mode)
{
    gst_video_info_set_interlaced_format(
        info, gst_video_format_from_string(format), mode, 37, height);
    info->fps_n = 25;
    info->fps_d = 1;
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(info));
}

/* Fields are images of their own; then the same size, progressive. */
static void test_interlaced(void)
{
    static const struct {
        const char *format;
        int height;
        GstVideoInterlaceMode mode;
    } cases[] = {
        {"GRAY8", 2, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
        {"I420", 20, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
        {"I422_10LE", 18, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
        {"RGBA", 18, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
    };
    GstHarness *harness = new_harness("blur", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstVideoInfo info;

        set_interlaced_caps(harness, &info, cases[i].format, cases[i].height,
                            cases[i].mode);
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), blurred_field), <=,
            1);
        g_assert_cmpint(push(harness, &info, frames_new_padded_frame(&info, i),
                             blurred_field),
                        <=, 1);
        frames_set_caps(harness, &info, cases[i].format, 37, cases[i].height);
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), blurred), <=, 1);
    }
    frames_free_harness(harness, NULL);
}

static void test_interlaced_split(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    split = 0.4f;
    g_object_set(harness->element, "split", (double)split, NULL);
    set_interlaced_caps(harness, &info, "I420", 20,
                        GST_VIDEO_INTERLACE_MODE_INTERLEAVED);
    g_assert_cmpint(
        push(harness, &info, frames_new_padded_frame(&info, 1), right_inverted),
        ==, 0);
    frames_free_harness(harness, NULL);
}

static void assert_interlaced_refused(GstHarness *harness, GstBus *bus,
                                      const char *format, int height,
                                      GstVideoInterlaceMode mode)
{
    g_autofree char *text = NULL;
    GstVideoInfo info;

    set_interlaced_caps(harness, &info, format, height, mode);
    g_assert_cmpint(gst_harness_push(harness, frames_new_frame(&info, 0)), ==,
                    GST_FLOW_NOT_NEGOTIATED);
    text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
    frames_assert_contains(text, "put a deinterlace before");
}

/* Rows that are not those of two equal fields. */
static void test_interlaced_refused(void)
{
    static const struct {
        const char *format;
        int height;
        GstVideoInterlaceMode mode;
    } cases[] = {
        {"GRAY8", 17, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
        {"I420", 18, GST_VIDEO_INTERLACE_MODE_INTERLEAVED},
        {"GRAY8", 18, GST_VIDEO_INTERLACE_MODE_FIELDS},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBus *bus;
        GstHarness *harness = new_harness("blur", &bus);

        assert_interlaced_refused(harness, bus, cases[i].format,
                                  cases[i].height, cases[i].mode);
        frames_free_harness(harness, bus);
    }
}

static GstBuffer *new_interlaced_frame(const GstVideoInfo *info, uint64_t seed)
{
    GstBuffer *buffer = frames_new_frame(info, seed);

    GST_BUFFER_FLAG_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    return buffer;
}

/* Each buffer says whether it is interlaced. */
static void test_mixed(void)
{
    GstHarness *harness = new_harness("blur", NULL);
    GstVideoInfo info;

    set_interlaced_caps(harness, &info, "I420", 20,
                        GST_VIDEO_INTERLACE_MODE_MIXED);
    for (uint64_t i = 0; i < 6; i++)
        g_assert_cmpint(
            i % 3 == 1
                ? push(harness, &info, new_interlaced_frame(&info, i),
                       blurred_field)
                : push(harness, &info, frames_new_frame(&info, i), blurred),
            <=, 1);
    frames_free_harness(harness, NULL);
}

/* The height of NTSC: only frames that are interlaced need equal fields. */
static void test_mixed_refused(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("blur", &bus);
    g_autofree char *text = NULL;
    GstVideoInfo info;

    set_interlaced_caps(harness, &info, "I420", 486,
                        GST_VIDEO_INTERLACE_MODE_MIXED);
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 0), blurred),
                    <=, 1);
    g_assert_cmpint(gst_harness_push(harness, new_interlaced_frame(&info, 1)),
                    ==, GST_FLOW_ERROR);
    text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
    frames_assert_contains(text, "486 rows");
    frames_free_harness(harness, bus);
}

/* Fields as frames are refused also where a plan for rows in turn is there. */
static void test_interlaced_changes(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("blur", &bus);
    GstVideoInfo info;

    set_interlaced_caps(harness, &info, "GRAY8", 16,
                        GST_VIDEO_INTERLACE_MODE_INTERLEAVED);
    g_assert_cmpint(gst_harness_push(harness, frames_new_frame(&info, 0)), ==,
                    GST_FLOW_OK);
    assert_interlaced_refused(harness, bus, "GRAY8", 16,
                              GST_VIDEO_INTERLACE_MODE_FIELDS);
    frames_free_harness(harness, bus);
}

/* The part of the frame that is to be shown goes on with it, and so does what
 * is seen where. */
static void test_crop(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoRegionOfInterestMeta *roi;
    GstVideoCropMeta *crop;
    GstBuffer *in, *out;
    GstVideoInfo info;

    frames_set_caps(harness, &info, "I420", 33, 17);
    in = frames_new_padded_frame(&info, 1);
    crop = gst_buffer_add_video_crop_meta(in);
    crop->x = 4;
    crop->y = 2;
    crop->width = 20;
    crop->height = 11;
    gst_buffer_add_video_region_of_interest_meta(in, "face", 5, 3, 8, 6);
    out = gst_harness_push_and_pull(harness, gst_buffer_ref(in));
    g_assert_cmpint(compare(in, out, &info, inverted), ==, 0);
    roi = gst_buffer_get_video_region_of_interest_meta_id(out, 0);
    g_assert_nonnull(roi);
    g_assert_cmpuint(roi->x, ==, 5);
    g_assert_cmpuint(roi->h, ==, 6);
    crop = gst_buffer_get_video_crop_meta(out);
    g_assert_nonnull(crop);
    g_assert_cmpuint(crop->x, ==, 4);
    g_assert_cmpuint(crop->y, ==, 2);
    g_assert_cmpuint(crop->width, ==, 20);
    g_assert_cmpuint(crop->height, ==, 11);
    gst_buffer_unref(in);
    gst_buffer_unref(out);
    frames_free_harness(harness, NULL);
}

static void push_segment(GstHarness *harness, double rate)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = rate;
    segment.stop = segment.duration = GST_SECOND;
    segment.position = rate < 0 ? segment.stop : 0;
    gst_harness_push_event(harness, gst_event_new_segment(&segment));
}

/* A flushing seek forgets how late the stream was. */
static void test_flush(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    frames_set_caps(harness, &info, "I420", 33, 17);
    gst_harness_push_upstream_event(
        harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, GST_SECOND, 0));
    g_assert_cmpint(push(harness, &info, frames_new_frame(&info, 1), same), ==,
                    0);
    gst_harness_push_event(harness, gst_event_new_flush_start());
    gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
    push_segment(harness, 1);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(
            push(harness, &info, frames_new_frame(&info, i), inverted), ==, 0);
    g_assert_cmpuint(frames_get_stat(harness->element, "late"), ==, 1);
    frames_free_harness(harness, NULL);
}

/* Frames come from the last to the first: the last is shown at time 0. */
static void test_reverse(void)
{
    GstHarness *harness = new_harness("invert", NULL);
    GstVideoInfo info;

    frames_set_caps(harness, &info, "I420", 33, 17);
    push_segment(harness, -1);
    gst_harness_push_upstream_event(
        harness,
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 0));
    for (int i = 24; i >= 0; i--)
        g_assert_cmpint(push(harness, &info, frames_new_frame(&info, i),
                             1000 - i * 40 < 100 ? same : inverted),
                        ==, 0);
    g_assert_cmpuint(frames_get_stat(harness->element, "late"), ==, 2);
    frames_free_harness(harness, NULL);
}

/* The size changes while models do. */
static void test_swap_and_resize(void)
{
    GstHarness *harness = new_harness("identity", NULL);
    GstVideoInfo info;

    for (int i = 0; i < 40; i++) {
        set_model(harness, i % 2 == 0 ? "blur" : "blocks");
        frames_set_caps(harness, &info, i % 3 == 0 ? "I420" : "RGB", 20 + i,
                        30 - i / 2);
        gst_buffer_unref(
            gst_harness_push_and_pull(harness, frames_new_frame(&info, i)));
    }
    set_model(harness, "identity");
    for (int i = 0; i < 3; i++)
        gst_buffer_unref(
            gst_harness_push_and_pull(harness, frames_new_frame(&info, i)));
    frames_free_harness(harness, NULL);
}

/* Pipelines. */

static void run_to_end(GstElement *pipeline)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GstMessage) message = NULL;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND,
                                         GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
}

/* Two elements share a model; the pipeline starts again from NULL and from
 * READY. */
static void test_pipeline(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_strdup_printf(
        "videotestsrc num-buffers=5 ! "
        "video/x-raw,format=I420,width=99,height=67 "
        "! aedenoise name=a model-file=%s/blur.onnx ! aedenoise name=b "
        "model-file=%s/blur.onnx ! fakesink",
        models_folder, models_folder);
    GstElement *pipeline = gst_parse_launch(line, &error);
    g_autoptr(GstElement) second = gst_bin_get_by_name(GST_BIN(pipeline), "b");

    g_assert_no_error(error);
    for (int i = 0; i < 4; i++) {
        run_to_end(pipeline);
        g_assert_cmpuint(frames_get_stat(second, "frames") +
                             frames_get_stat(second, "late"),
                         ==, 5);
        gst_element_set_state(pipeline,
                              i % 2 == 0 ? GST_STATE_NULL : GST_STATE_READY);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

/* A flushing seek to a second that is played from its end to its begin. */
static void test_seek(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_strdup_printf(
        "videotestsrc num-buffers=1000 ! "
        "video/x-raw,format=I420,width=99,height=67,framerate=25/1 ! "
        "aedenoise name=a model-file=%s/blur.onnx ! "
        "fakesink name=sink sync=false enable-last-sample=true",
        models_folder);
    GstElement *pipeline = gst_parse_launch(line, &error);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GstSample) last = NULL;

    g_assert_no_error(error);
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    g_assert_true(gst_element_seek(pipeline, -1, GST_FORMAT_TIME,
                                   GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
                                   GST_SEEK_TYPE_SET, GST_SECOND));
    run_to_end(pipeline);
    g_object_get(sink, "last-sample", &last, NULL);
    g_assert_cmpuint(GST_BUFFER_PTS(gst_sample_get_buffer(last)), ==, 0);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

/* The same bytes for any number of threads. */
static void test_threads(void)
{
    GstHarness *harness = new_harness("blur", NULL);
    GstBuffer *first = NULL;
    GstVideoInfo info;

    for (guint threads = 1; threads < 6; threads += 2) {
        GstBuffer *out;

        g_object_set(harness->element, "threads", threads, NULL);
        frames_set_caps(harness, &info, "I420", 97, 61);
        out = gst_harness_push_and_pull(harness, frames_new_frame(&info, 7));
        if (first != NULL) {
            g_assert_cmpint(compare(first, out, &info, same), ==, 0);
            gst_buffer_unref(out);
        } else {
            first = out;
        }
    }
    gst_buffer_unref(first);
    frames_free_harness(harness, NULL);
}

/* A ramp with a little noise through the built-in model. */
static GstBuffer *denoise(const char *precision, const char *model)
{
    GstElement *element = gst_element_factory_make("aedenoise", NULL);
    g_autoptr(GstStructure) stats = NULL;
    GstHarness *harness;
    GstVideoInfo info;
    GstBuffer *frame, *out;
    GstMapInfo map;

    gst_util_set_object_arg(G_OBJECT(element), "precision", precision);
    harness = gst_harness_new_with_element(element, "sink", "src");
    frames_set_caps(harness, &info, "GRAY8", 64, 48);
    frame = frames_new_frame(&info, 7);
    gst_buffer_map(frame, &map, GST_MAP_READWRITE);
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = (uint8_t)(20 + 3 * (i % 64) + map.data[i] % 16);
    gst_buffer_unmap(frame, &map);
    out = gst_harness_push_and_pull(harness, frame);
    g_object_get(element, "stats", &stats, NULL);
    g_assert_cmpstr(gst_structure_get_string(stats, "model"), ==, model);
    gst_harness_teardown(harness);
    gst_object_unref(element);
    return out;
}

/* A file of floats in 8 bits is refused by a sentence that says what to do. */
static void test_precision_refused(void)
{
    GstElement *element = new_element("blur");
    GstBus *bus = gst_bus_new();
    g_autofree char *text = NULL;
    GstHarness *harness;
    GstVideoInfo info;

    gst_util_set_object_arg(G_OBJECT(element), "precision", "int8");
    gst_element_set_bus(element, bus);
    harness = gst_harness_new_with_element(element, "sink", "src");
    frames_set_caps(harness, &info, "GRAY8", 64, 48);
    g_assert_cmpint(gst_harness_push(harness, frames_new_frame(&info, 0)), ==,
                    GST_FLOW_NOT_NEGOTIATED);
    text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
    frames_assert_contains(text, "ae quantize");
    gst_object_unref(element);
    frames_free_harness(harness, bus);
}

/* The built-in model in floats and in 8 bits. */
static void test_precision(void)
{
    static const struct {
        const char *precision, *model;
        int least, most; /* levels of 255 away from floats, the worst pixel */
    } cases[] = {{"fp32", "medium", 0, 0}, {"int8", "medium-int8", 1, 9}};
    GstBuffer *floats = denoise("fp32", "medium");
    GstVideoInfo info;

    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, 64, 48);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstBuffer *out = denoise(cases[i].precision, cases[i].model);
        const int worst = compare(floats, out, &info, same);

        g_assert_cmpint(worst, >=, cases[i].least);
        g_assert_cmpint(worst, <=, cases[i].most);
        gst_buffer_unref(out);
    }
    gst_buffer_unref(floats);
}

/* Temporal: the built-in model on a scene that stands still. */

static guint8 pattern_at(int x, int y)
{
    return (guint8)(128 + 60 * sin(x / 6.0) * cos(y / 9.0));
}

static GstBuffer *new_noisy_frame(const GstVideoInfo *info, guint64 seed)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
    AeRandom random = ae_random(seed, 0);
    GstVideoFrame frame;

    gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE);
    for (int y = 0; y < GST_VIDEO_INFO_HEIGHT(info); y++)
        for (int x = 0; x < GST_VIDEO_INFO_WIDTH(info); x++) {
            float noise;

            ae_random_normals(&random, &noise, 1);
            GST_VIDEO_FRAME_COMP_DATA(&frame, 0)
            [y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 0) + x] =
                (guint8)(pattern_at(x, y) + 15 * noise);
        }
    gst_video_frame_unmap(&frame);
    GST_BUFFER_PTS(buffer) = seed * 40 * GST_MSECOND;
    /* as in reverse, or after a leaky queue */
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    return buffer;
}

static double square_error(GstVideoInfo *info, GstBuffer *buffer)
{
    GstVideoFrame frame;
    double sum = 0;

    gst_video_frame_map(&frame, info, buffer, GST_MAP_READ);
    for (int y = 0; y < GST_VIDEO_INFO_HEIGHT(info); y++)
        for (int x = 0; x < GST_VIDEO_INFO_WIDTH(info); x++) {
            int d = frames_sample(&frame, 0, x, y) - pattern_at(x, y);

            sum += d * d;
        }
    gst_video_frame_unmap(&frame);
    return sum / (info->width * info->height);
}

static GstHarness *new_temporal_harness(gboolean temporal, GstVideoInfo *info)
{
    GstElement *element = gst_element_factory_make("aedenoise", NULL);
    GstHarness *harness;

    g_object_set(element, "temporal", temporal, "threads", 2, NULL);
    harness = frames_put_in_harness(element, NULL);
    frames_set_caps(harness, info, "GRAY8", 128, 96);
    return harness;
}

static GstBuffer *denoise_noisy(GstHarness *harness, const GstVideoInfo *info,
                                guint64 seed)
{
    return gst_harness_push_and_pull(harness, new_noisy_frame(info, seed));
}

/* Frames before help; the first one, and the first after a flush or a late one
 * that passed by, is what the model makes of it alone. */
static void test_temporal(void)
{
    GstVideoInfo info;
    GstHarness *with = new_temporal_harness(TRUE, &info);
    GstHarness *without = new_temporal_harness(FALSE, &info);
    g_autoptr(GstStructure) stats = NULL;
    double better = 0, plain = 0, sigma = 0;

    for (guint64 i = 0; i < 40; i++) {
        GstBuffer *a = denoise_noisy(with, &info, i);
        GstBuffer *b = denoise_noisy(without, &info, i);

        if (i % 20 == 0)
            g_assert_cmpint(compare(b, a, &info, same), ==, 0);
        if (i % 20 >= 12) {
            better += square_error(&info, a);
            plain += square_error(&info, b);
        }
        gst_buffer_unref(a);
        gst_buffer_unref(b);
        if (i == 19) {
            gst_harness_push_event(with, gst_event_new_flush_start());
            gst_harness_push_event(with, gst_event_new_flush_stop(TRUE));
            push_segment(with, 1);
        }
    }
    g_assert_cmpfloat(better, <, 0.7 * plain);
    g_object_get(with->element, "stats", &stats, NULL);
    gst_structure_get_double(stats, "sigma", &sigma);
    g_assert_cmpfloat_with_epsilon(sigma, 15, 2);
    frames_free_harness(with, NULL);
    frames_free_harness(without, NULL);
}

/* A split that moves changes nothing right of it, nor in frames after it. */
static void test_temporal_split(void)
{
    GstVideoInfo info;
    GstHarness *moved = new_temporal_harness(TRUE, &info);
    GstHarness *whole = new_temporal_harness(TRUE, &info);

    for (guint64 i = 0; i < 12; i++) {
        GstBuffer *in = new_noisy_frame(&info, i), *a, *b;
        int column = i % 4 * 32; /* of 128 */
        GstVideoFrame frames[3];

        g_object_set(moved->element, "split", column / 128.0, NULL);
        b = gst_harness_push_and_pull(whole, gst_buffer_ref(in));
        a = gst_harness_push_and_pull(moved, gst_buffer_ref(in));
        gst_video_frame_map(&frames[0], &info, in, GST_MAP_READ);
        gst_video_frame_map(&frames[1], &info, b, GST_MAP_READ);
        gst_video_frame_map(&frames[2], &info, a, GST_MAP_READ);
        for (int y = 0; y < info.height; y++)
            for (int x = 0; x < info.width; x++)
                g_assert_cmpint(
                    frames_sample(&frames[2], 0, x, y), ==,
                    frames_sample(&frames[x < column ? 0 : 1], 0, x, y));
        for (int k = 0; k < 3; k++)
            gst_video_frame_unmap(&frames[k]);
        gst_buffer_unref(in);
        gst_buffer_unref(a);
        gst_buffer_unref(b);
    }
    frames_free_harness(moved, NULL);
    frames_free_harness(whole, NULL);
}

/* A damaged frame is what the model makes of it alone, and the frames after it
 * are as if it had never been. */
static void test_damaged(void)
{
    GstVideoInfo info;
    GstHarness *with = new_temporal_harness(TRUE, &info);
    GstHarness *spared = new_temporal_harness(TRUE, &info);
    GstHarness *without = new_temporal_harness(FALSE, &info);

    for (guint64 i = 0; i < 12; i++) {
        gboolean damaged = i % 4 == 2;
        GstBuffer *in =
            damaged ? frames_new_frame(&info, i) : new_noisy_frame(&info, i);
        GstHarness *other = damaged ? without : spared;
        GstBuffer *out, *expected;

        if (damaged)
            GST_BUFFER_FLAG_SET(in, GST_BUFFER_FLAG_CORRUPTED);
        expected = gst_harness_push_and_pull(other, gst_buffer_ref(in));
        out = gst_harness_push_and_pull(with, in);
        g_assert_cmpint(compare(expected, out, &info, same), ==, 0);
        g_assert_cmpint(GST_BUFFER_FLAG_IS_SET(out, GST_BUFFER_FLAG_CORRUPTED),
                        ==, damaged);
        gst_buffer_unref(expected);
        gst_buffer_unref(out);
    }
    frames_free_harness(with, NULL);
    frames_free_harness(spared, NULL);
    frames_free_harness(without, NULL);
}

static void test_presets(void)
{
    static const char *const names[] = {"light", "medium", "strong"};
    GstElement *element = gst_element_factory_make("aedenoise", NULL);
    g_auto(GStrv) found = gst_preset_get_preset_names(GST_PRESET(element));

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *model = NULL;

        g_assert_true(g_strv_contains((const char *const *)found, names[i]));
        g_assert_true(gst_preset_load_preset(GST_PRESET(element), names[i]));
        g_object_get(element, "model", &model, NULL);
        g_assert_cmpstr(model, ==, names[i]);
    }
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), !=,
                    GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    save_models();
    g_setenv("GST_AE_MODEL_PATH", models_folder, TRUE);
    g_test_add_func("/aedenoise/formats", test_formats);
    g_test_add_func("/aedenoise/strength", test_strength);
    g_test_add_func("/aedenoise/split", test_split);
    g_test_add_func("/aedenoise/split-controlled", test_split_controlled);
    g_test_add_func("/aedenoise/bytes", test_bytes);
    g_test_add_func("/aedenoise/controlled", test_controlled);
    g_test_add_func("/aedenoise/bad-then-good", test_bad_then_good);
    g_test_add_func("/aedenoise/refused", test_refused);
    g_test_add_func("/aedenoise/caps", test_caps);
    g_test_add_func("/aedenoise/fixed", test_fixed);
    g_test_add_func("/aedenoise/window", test_window);
    g_test_add_func("/aedenoise/short-window", test_short_window);
    g_test_add_func("/aedenoise/names", test_names);
    g_test_add_func("/aedenoise/precision", test_precision);
    g_test_add_func("/aedenoise/precision-refused", test_precision_refused);
    g_test_add_func("/aedenoise/late", test_late);
    g_test_add_func("/aedenoise/interlaced", test_interlaced);
    g_test_add_func("/aedenoise/interlaced-split", test_interlaced_split);
    g_test_add_func("/aedenoise/interlaced-refused", test_interlaced_refused);
    g_test_add_func("/aedenoise/interlaced-changes", test_interlaced_changes);
    g_test_add_func("/aedenoise/mixed", test_mixed);
    g_test_add_func("/aedenoise/mixed-refused", test_mixed_refused);
    g_test_add_func("/aedenoise/crop", test_crop);
    g_test_add_func("/aedenoise/flush", test_flush);
    g_test_add_func("/aedenoise/reverse", test_reverse);
    g_test_add_func("/aedenoise/temporal", test_temporal);
    g_test_add_func("/aedenoise/temporal-split", test_temporal_split);
    g_test_add_func("/aedenoise/damaged", test_damaged);
    g_test_add_func("/aedenoise/presets", test_presets);
    g_test_add_func("/aedenoise/swap", test_swap);
    g_test_add_func("/aedenoise/reload", test_reload);
    g_test_add_func("/aedenoise/swap-fails", test_swap_fails);
    g_test_add_func("/aedenoise/swap-and-resize", test_swap_and_resize);
    g_test_add_func("/aedenoise/pipeline", test_pipeline);
    g_test_add_func("/aedenoise/seek", test_seek);
    g_test_add_func("/aedenoise/threads", test_threads);
    result = g_test_run();
    models_end();
    return result;
}
