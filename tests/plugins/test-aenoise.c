/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <math.h>

enum { PAD = 16 }; /* further bytes a row, where rows are padded */

static GstVideoInfo video_info(GstVideoFormat format, int width, int height)
{
    GstVideoInfo info;

    g_assert_true(
        gst_video_info_set_format(&info, format, (guint)width, (guint)height));
    info.fps_n = 30;
    info.fps_d = 1;
    return info;
}

/* A buffer of bytes @value whose rows are @pad bytes longer than usual. */
static GstBuffer *new_buffer(const GstVideoInfo *info, int pad, guint8 value)
{
    gsize offset[GST_VIDEO_MAX_PLANES] = {0}, size = 0;
    gint stride[GST_VIDEO_MAX_PLANES] = {0};

    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
        gint comp[GST_VIDEO_MAX_COMPONENTS];
        gst_video_format_info_component(info->finfo, p, comp);
        offset[p] = size;
        stride[p] = GST_VIDEO_INFO_PLANE_STRIDE(info, p) + pad;
        size +=
            (gsize)stride[p] * (gsize)GST_VIDEO_INFO_COMP_HEIGHT(info, comp[0]);
    }
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
    gst_buffer_memset(buffer, 0, value, size);
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        (guint)info->width, (guint)info->height, GST_VIDEO_INFO_N_PLANES(info),
        offset, stride);
    return buffer;
}

static void set_caps(GstHarness *harness, const GstVideoInfo *info)
{
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(info);

    gst_harness_set_src_caps(harness, gst_caps_ref(caps));
}

static int sample(GstVideoFrame *frame, guint c, int x, int y)
{
    return ((guint8 *)GST_VIDEO_FRAME_COMP_DATA(
        frame, c))[y * GST_VIDEO_FRAME_COMP_STRIDE(frame, c) +
                   x * GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c)];
}

/* Sum, sum of squares and number of the component's differences from 100. */
typedef struct {
    double sum, squares;
    int n;
} Moments;

static Moments moments(GstVideoFrame *frame, guint c)
{
    Moments m = {0};

    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, c); y++)
        for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(frame, c); x++) {
            double difference = sample(frame, c, x, y) - 100;
            m.sum += difference;
            m.squares += difference * difference;
            m.n++;
        }
    return m;
}

/* Bytes that are not 100: samples alone, if padding is left as it is. */
static int count_changed(GstBuffer *buffer)
{
    GstMapInfo map;
    int count = 0;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    for (gsize i = 0; i < map.size; i++)
        count += map.data[i] != 100;
    gst_buffer_unmap(buffer, &map);
    return count;
}

static void check_noisy(const GstVideoInfo *info, GstBuffer *buffer)
{
    GstVideoFrame frame;
    int samples = 0, unchanged = 0;

    g_assert_true(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++) {
        Moments m = moments(&frame, c);
        if (c == 3) { /* alpha */
            g_assert_cmpfloat(m.squares, ==, 0);
            continue;
        }
        /* sd 0.1 is 25.5; clipped under 1 in 10000; five standard errors */
        double sd = sqrt(m.squares / m.n), error = 25.5 / sqrt(m.n);
        g_assert_cmpfloat_with_epsilon(m.sum / m.n, 0, 5 * error);
        g_assert_cmpfloat_with_epsilon(sd, 25.5, 5 * error);
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++) {
                samples++;
                unchanged += sample(&frame, c, x, y) == 100;
            }
    }
    gst_video_frame_unmap(&frame);
    g_assert_cmpint(count_changed(buffer), ==, samples - unchanged);
}

static const GstVideoFormat formats[] = {
    GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12,
    GST_VIDEO_FORMAT_NV12,  GST_VIDEO_FORMAT_NV21, GST_VIDEO_FORMAT_NV16,
    GST_VIDEO_FORMAT_NV24,  GST_VIDEO_FORMAT_Y41B, GST_VIDEO_FORMAT_Y42B,
    GST_VIDEO_FORMAT_Y444,  GST_VIDEO_FORMAT_AYUV, GST_VIDEO_FORMAT_RGB,
    GST_VIDEO_FORMAT_BGR,   GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_xBGR,
    GST_VIDEO_FORMAT_BGRA,  GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_GBR,
    GST_VIDEO_FORMAT_GBRA,  GST_VIDEO_FORMAT_RGBP, GST_VIDEO_FORMAT_BGRP,
};

static void test_formats(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        for (int pad = 0; pad <= PAD; pad += PAD) {
            GstVideoInfo info = video_info(formats[i], 67, 45);
            GstHarness *harness = gst_harness_new("aenoise");
            set_caps(harness, &info);
            g_autoptr(GstBuffer) out =
                gst_harness_push_and_pull(harness, new_buffer(&info, pad, 100));
            check_noisy(&info, out);
            gst_harness_teardown(harness);
        }
}

/* Words of the middle gray get noise of the same part of the full range. */
static void test_deep_formats(void)
{
    static const GstVideoFormat deep[] = {
        GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_I422_10LE,
        GST_VIDEO_FORMAT_I420_12LE, GST_VIDEO_FORMAT_I422_12LE,
        GST_VIDEO_FORMAT_Y444_12LE, GST_VIDEO_FORMAT_Y444_10LE,
        GST_VIDEO_FORMAT_GRAY16_LE};

    for (size_t i = 0; i < G_N_ELEMENTS(deep); i++) {
        GstVideoInfo info = video_info(deep[i], 66, 44);
        int most = (1 << GST_VIDEO_INFO_COMP_DEPTH(&info, 0)) - 1;
        GstHarness *harness = gst_harness_new("aenoise");
        GstBuffer *in = gst_buffer_new_allocate(NULL, info.size, NULL);
        double sum = 0, squares = 0;
        gsize n = info.size / 2;
        GstMapInfo map;

        gst_buffer_map(in, &map, GST_MAP_WRITE);
        for (gsize k = 0; k < n; k++)
            GST_WRITE_UINT16_LE(map.data + 2 * k, (guint16)(most / 2));
        gst_buffer_unmap(in, &map);
        set_caps(harness, &info);
        g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
        gst_buffer_map(out, &map, GST_MAP_READ);
        for (gsize k = 0; k < n; k++) {
            double v = GST_READ_UINT16_LE(map.data + 2 * k);

            g_assert_cmpfloat(v, <=, most);
            sum += (v - most / 2) / most;
            squares += pow((v - most / 2) / most, 2);
        }
        gst_buffer_unmap(out, &map);
        /* sd 0.1; five standard errors */
        double error = 0.1 / sqrt((double)n);
        g_assert_cmpfloat_with_epsilon(sum / (double)n, 0, 5 * error);
        g_assert_cmpfloat_with_epsilon(sqrt(squares / (double)n), 0.1,
                                       5 * error);
        gst_harness_teardown(harness);
    }
}

/* The same samples whatever the stride. */
static void test_stride_does_not_matter(void)
{
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_I420, 33, 17);
    GstHarness *harness[2];
    GstBuffer *buffer[2];
    GstVideoFrame frame[2];

    for (int i = 0; i < 2; i++) {
        harness[i] = gst_harness_new("aenoise");
        set_caps(harness[i], &info);
        buffer[i] = gst_harness_push_and_pull(harness[i],
                                              new_buffer(&info, i * PAD, 100));
        gst_video_frame_map(&frame[i], &info, buffer[i], GST_MAP_READ);
    }
    for (guint c = 0; c < 3; c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame[0], c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame[0], c); x++)
                g_assert_cmpint(sample(&frame[0], c, x, y), ==,
                                sample(&frame[1], c, x, y));
    for (int i = 0; i < 2; i++) {
        gst_video_frame_unmap(&frame[i]);
        gst_buffer_unref(buffer[i]);
        gst_harness_teardown(harness[i]);
    }
}

static GBytes *noisy(GstHarness *harness, const GstVideoInfo *info)
{
    g_autoptr(GstBuffer) out =
        gst_harness_push_and_pull(harness, new_buffer(info, 0, 100));
    gpointer data;
    gsize size;

    gst_buffer_extract_dup(out, 0, gst_buffer_get_size(out), &data, &size);
    return g_bytes_new_take(data, size);
}

/* Frames differ; a second element, and a second run, repeat them. */
static void test_repeats(void)
{
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_GRAY8, 32, 32);
    GstHarness *a = gst_harness_new("aenoise");
    GstHarness *b = gst_harness_new("aenoise");
    set_caps(a, &info);
    set_caps(b, &info);
    g_autoptr(GBytes) first = noisy(a, &info);
    g_autoptr(GBytes) second = noisy(a, &info);
    g_autoptr(GBytes) other = noisy(b, &info);
    g_assert_false(g_bytes_equal(first, second));
    g_assert_true(g_bytes_equal(first, other));

    gst_element_set_state(a->element, GST_STATE_NULL);
    gst_harness_play(a);
    set_caps(a, &info);
    g_autoptr(GBytes) again = noisy(a, &info);
    g_assert_true(g_bytes_equal(first, again));
    g_object_set(b->element, "seed", G_GUINT64_CONSTANT(5), NULL);
    g_autoptr(GBytes) seeded = noisy(b, &info);
    g_assert_false(g_bytes_equal(second, seeded));
    gst_harness_teardown(a);
    gst_harness_teardown(b);
}

/* none passes frames on untouched, and does not move the noise of later ones.
 */
static void test_change(void)
{
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_GRAY8, 32, 32);
    GstHarness *harness = gst_harness_new("aenoise");
    GstHarness *steady = gst_harness_new("aenoise");

    g_object_set(harness->element, "noise", "none", NULL);
    set_caps(harness, &info);
    set_caps(steady, &info);
    GstBuffer *in = new_buffer(&info, 0, 100);
    g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
    g_assert_true(out == in);
    g_assert_cmpint(count_changed(out), ==, 0);
    g_autoptr(GBytes) skipped = noisy(steady, &info);

    g_object_set(harness->element, "noise", "gaussian:sd=0.1", NULL);
    g_autoptr(GBytes) a = noisy(harness, &info);
    g_autoptr(GBytes) b = noisy(steady, &info);
    g_assert_true(g_bytes_equal(a, b));
    gst_harness_teardown(harness);
    gst_harness_teardown(steady);
}

static void check_error(GstBus *bus, const char *says)
{
    g_autoptr(GstMessage) message =
        gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(message);
    gst_message_parse_error(message, &error, NULL);
    g_assert_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_assert_nonnull(strstr(error->message, says));
}

/* A bad model at the start and while running; a good one after each. */
static void test_errors(void)
{
    GstVideoInfo info = video_info(GST_VIDEO_FORMAT_GRAY8, 32, 32);
    GstElement *element = gst_element_factory_make("aenoise", NULL);
    g_autoptr(GstBus) bus = gst_bus_new();

    g_object_set(element, "noise", "pink", NULL);
    gst_element_set_bus(element, bus);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    check_error(bus, "\"pink\"");
    gst_element_set_state(element, GST_STATE_NULL);
    g_object_set(element, "noise", "uniform", NULL);

    GstHarness *harness = gst_harness_new_with_element(element, "sink", "src");
    gst_element_set_bus(element, bus);
    set_caps(harness, &info);
    g_assert_cmpint(gst_harness_push(harness, new_buffer(&info, 0, 100)), ==,
                    GST_FLOW_OK);
    g_object_set(element, "noise", "gaussian:sd=-1", NULL);
    g_assert_cmpint(gst_harness_push(harness, new_buffer(&info, 0, 100)), ==,
                    GST_FLOW_ERROR);
    check_error(bus, "sd must be a number of 0 or more");
    g_object_set(element, "noise", "uniform", NULL);
    g_assert_cmpint(gst_harness_push(harness, new_buffer(&info, 0, 100)), ==,
                    GST_FLOW_OK);
    gst_element_set_bus(element, NULL);
    gst_harness_teardown(harness);
    gst_object_unref(element);
}

static void test_size_change(void)
{
    GstHarness *harness = gst_harness_new("aenoise");
    static const int sizes[][2] = {{33, 17}, {128, 64}, {1, 1}, {34, 20}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        GstVideoInfo info = video_info(formats[i], sizes[i][0], sizes[i][1]);
        set_caps(harness, &info);
        g_autoptr(GstBuffer) out =
            gst_harness_push_and_pull(harness, new_buffer(&info, PAD, 100));
        check_noisy(&info, out);
    }
    gst_harness_teardown(harness);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aenoise/formats", test_formats);
    g_test_add_func("/aenoise/deep-formats", test_deep_formats);
    g_test_add_func("/aenoise/stride", test_stride_does_not_matter);
    g_test_add_func("/aenoise/repeats", test_repeats);
    g_test_add_func("/aenoise/change", test_change);
    g_test_add_func("/aenoise/errors", test_errors);
    g_test_add_func("/aenoise/size-change", test_size_change);
    return g_test_run();
}
