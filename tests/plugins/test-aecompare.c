/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <math.h>

#include "ae.h"
#include "base/random.h"
#include "frames.h"

/* An aecompare with a harness on each sink pad, and what it posts. */
typedef struct {
    GstElement *element;
    GstHarness *test, *reference;
    GstBus *bus;
} Fixture;

static Fixture setup(void)
{
    Fixture f;

    f.element = gst_element_factory_make("aecompare", NULL);
    f.test = gst_harness_new_with_element(f.element, "sink", "src");
    f.reference = gst_harness_new_with_element(f.element, "reference", NULL);
    f.bus = gst_bus_new();
    gst_element_set_bus(f.element, f.bus);
    return f;
}

static void teardown(Fixture *f)
{
    gst_element_set_bus(f->element, NULL);
    gst_object_unref(f->bus);
    gst_harness_teardown(f->reference);
    gst_harness_teardown(f->test);
    gst_object_unref(f->element);
}

static GstVideoInfo set_caps(GstHarness *harness, GstVideoFormat format,
                             int width, int height)
{
    GstVideoInfo info;

    g_assert_true(
        gst_video_info_set_format(&info, format, (guint)width, (guint)height));
    info.fps_n = 30;
    info.fps_d = 1;
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(&info));
    return info;
}

/* A level of 8 bits in samples of the format. */
static int level(const GstVideoInfo *info)
{
    return ((1 << GST_VIDEO_INFO_COMP_DEPTH(info, 0)) - 1) / 255;
}

/* Random samples; rows @pad bytes longer than usual. They follow from @seed
 * alone; @add levels are added to those of colour. */
static GstBuffer *new_buffer(const GstVideoInfo *info, int pad, guint64 seed,
                             int add)
{
    GstVideoInfo wide = *info;
    GstVideoFrame frame;
    AeRandom random = ae_random(seed, 0);
    gsize size = 0;

    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
        gint comp[GST_VIDEO_MAX_COMPONENTS];
        gst_video_format_info_component(info->finfo, p, comp);
        wide.offset[p] = size;
        wide.stride[p] += pad;
        size += (gsize)wide.stride[p] *
                (gsize)GST_VIDEO_INFO_COMP_HEIGHT(info, comp[0]);
    }
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
    gst_buffer_memset(buffer, 0, (guint8)(pad + add), size);
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        (guint)info->width, (guint)info->height, GST_VIDEO_INFO_N_PLANES(info),
        wide.offset, wide.stride);
    g_assert_true(gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE));
    for (int c = 0; c < MIN(3, (int)GST_VIDEO_INFO_N_COMPONENTS(info)); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                frames_set_sample(&frame, c, x, y,
                                  ((int)ae_random_below(&random, 200) + add) *
                                      level(info));
    gst_video_frame_unmap(&frame);
    return buffer;
}

/* Pushes a pair and returns what comes out; the message's fields in @m. */
static GstBuffer *push_pair(Fixture *f, GstBuffer *test, GstBuffer *reference,
                            double *mse, double *psnr, double *ssim)
{
    GstBuffer *out;
    const GstStructure *fields;

    g_assert_cmpint(gst_harness_push(f->reference, reference), ==, GST_FLOW_OK);
    g_assert_cmpint(gst_harness_push(f->test, test), ==, GST_FLOW_OK);
    out = gst_harness_pull(f->test);
    g_assert_nonnull(out);
    g_autoptr(GstMessage) message =
        gst_bus_pop_filtered(f->bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull(message);
    fields = gst_message_get_structure(message);
    g_assert_true(gst_structure_has_name(fields, "ae-compare"));
    g_assert_true(gst_structure_get(fields, "mse", G_TYPE_DOUBLE, mse, "psnr",
                                    G_TYPE_DOUBLE, psnr, "ssim", G_TYPE_DOUBLE,
                                    ssim, NULL));
    return out;
}

static const GstVideoFormat formats[] = {
    GST_VIDEO_FORMAT_GRAY8,     GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_YV12,      GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_NV16,      GST_VIDEO_FORMAT_NV24,
    GST_VIDEO_FORMAT_Y41B,      GST_VIDEO_FORMAT_Y42B,
    GST_VIDEO_FORMAT_Y444,      GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_AYUV,      GST_VIDEO_FORMAT_RGB,
    GST_VIDEO_FORMAT_BGRx,      GST_VIDEO_FORMAT_ARGB,
    GST_VIDEO_FORMAT_GBR,       GST_VIDEO_FORMAT_GBRA,
    GST_VIDEO_FORMAT_RGBP,      GST_VIDEO_FORMAT_BGRP,
    GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_I422_10LE,
    GST_VIDEO_FORMAT_I420_12LE, GST_VIDEO_FORMAT_I422_12LE,
    GST_VIDEO_FORMAT_Y444_12LE, GST_VIDEO_FORMAT_A420,
    GST_VIDEO_FORMAT_Y444_10LE, GST_VIDEO_FORMAT_GRAY16_LE,
    GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_P010_10BE,
    GST_VIDEO_FORMAT_P012_LE,   GST_VIDEO_FORMAT_P012_BE,
    GST_VIDEO_FORMAT_GRAY16_BE, GST_VIDEO_FORMAT_I422_10BE,
};

/* Every sample differs by 10 levels; padding and alpha differ by other amounts.
 */
static void test_formats(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        for (int pad = 0; pad <= 16; pad += 16) {
            Fixture f = setup();
            GstVideoInfo info = set_caps(f.test, formats[i], 35, 23);
            set_caps(f.reference, formats[i], 35, 23);
            int most = (1 << GST_VIDEO_INFO_COMP_DEPTH(&info, 0)) - 1;
            double mse, psnr, ssim, exact = pow(10.0 * level(&info) / most, 2);
            GstBuffer *test = new_buffer(&info, pad, 1, 10);
            GstBuffer *out = push_pair(&f, test, new_buffer(&info, 0, 1, 0),
                                       &mse, &psnr, &ssim);
            g_assert_true(out == test);
            gst_buffer_unref(out);
            g_assert_cmpfloat_with_epsilon(mse, exact, 1e-12);
            g_assert_cmpfloat_with_epsilon(psnr, ae_psnr(exact), 1e-9);
            g_assert_true(ssim > 0.9 && ssim < 1);
            out = push_pair(&f, new_buffer(&info, pad, 2, 0),
                            new_buffer(&info, 0, 2, 0), &mse, &psnr, &ssim);
            gst_buffer_unref(out);
            g_assert_cmpfloat(mse, ==, 0);
            g_assert_true(isinf(psnr));
            g_assert_cmpfloat_with_epsilon(ssim, 1, 1e-6);
            teardown(&f);
        }
}

static GstMessage *wait_total(Fixture *f)
{
    for (;;) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            f->bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);
        g_assert_nonnull(message);
        if (gst_message_has_name(message, "ae-compare-total"))
            return message;
        gst_message_unref(message);
    }
}

/* Errors of 10 and 20: the PSNR of the mean and the mean of the PSNR. */
static void test_total(void)
{
    Fixture f = setup();
    GstVideoInfo info = set_caps(f.test, GST_VIDEO_FORMAT_GRAY8, 16, 16);
    double first, second, psnr, ssim, sum = 0;
    guint64 frames;

    set_caps(f.reference, GST_VIDEO_FORMAT_GRAY8, 16, 16);
    gst_buffer_unref(push_pair(&f, new_buffer(&info, 0, 1, 10),
                               new_buffer(&info, 0, 1, 0), &first, &psnr,
                               &ssim));
    sum += ssim / 2;
    gst_buffer_unref(push_pair(&f, new_buffer(&info, 0, 1, 20),
                               new_buffer(&info, 0, 1, 0), &second, &psnr,
                               &ssim));
    sum += ssim / 2;
    gst_harness_push_event(f.reference, gst_event_new_eos());
    gst_harness_push_event(f.test, gst_event_new_eos());
    g_autoptr(GstMessage) message = wait_total(&f);
    const GstStructure *fields = gst_message_get_structure(message);
    double mse, of_mean, mean, similarity;
    g_assert_true(gst_structure_get(
        fields, "frames", G_TYPE_UINT64, &frames, "mse", G_TYPE_DOUBLE, &mse,
        "psnr", G_TYPE_DOUBLE, &of_mean, "psnr-mean", G_TYPE_DOUBLE, &mean,
        "ssim", G_TYPE_DOUBLE, &similarity, NULL));
    g_assert_cmpuint(frames, ==, 2);
    g_assert_cmpfloat_with_epsilon(mse, 250 / 65025.0, 1e-12);
    g_assert_cmpfloat_with_epsilon(of_mean, ae_psnr(250 / 65025.0), 1e-9);
    g_assert_cmpfloat_with_epsilon(
        mean, (ae_psnr(100 / 65025.0) + ae_psnr(400 / 65025.0)) / 2, 1e-9);
    g_assert_cmpfloat_with_epsilon(similarity, sum, 1e-9);

    double p_mse, p_psnr, p_mean, p_ssim;
    g_object_get(f.element, "frames", &frames, "mse", &p_mse, "psnr", &p_psnr,
                 "psnr-mean", &p_mean, "ssim", &p_ssim, NULL);
    g_assert_cmpuint(frames, ==, 2);
    g_assert_cmpfloat(p_mse, ==, mse);
    g_assert_cmpfloat(p_psnr, ==, of_mean);
    g_assert_cmpfloat(p_mean, ==, mean);
    g_assert_cmpfloat(p_ssim, ==, similarity);
    teardown(&f);
}

/* Both streams change size and format together, with one running ahead. */
static void test_changes(void)
{
    static const struct {
        GstVideoFormat format;
        int width, height;
    } steps[] = {
        {GST_VIDEO_FORMAT_GRAY8, 40, 30}, {GST_VIDEO_FORMAT_GRAY8, 30, 40},
        {GST_VIDEO_FORMAT_RGB, 7, 5},     {GST_VIDEO_FORMAT_I420, 33, 21},
        {GST_VIDEO_FORMAT_I420, 1, 1},
    };
    g_autofree char *line = NULL;
    g_autoptr(GString) text = g_string_new(
        "aecompare name=c messages=false ! fakesink "
        "concat name=a ! queue ! c.sink concat name=b ! queue ! c.reference");

    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
            g_string_append_printf(
                text,
                " videotestsrc num-buffers=%d pattern=ball ! "
                "video/x-raw,format=%s,width=%d,height=%d ! %s.",
                (int)i + 1, gst_video_format_to_string(steps[i].format),
                steps[i].width, steps[i].height, side ? "b" : "a");
    g_autoptr(GstElement) pipeline = gst_parse_launch(text->str, NULL);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, 20 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    g_autoptr(GstElement) compare = gst_bin_get_by_name(GST_BIN(pipeline), "c");
    guint64 frames;
    double mse;
    g_object_get(compare, "frames", &frames, "mse", &mse, NULL);
    g_assert_cmpuint(frames, ==, 1 + 2 + 3 + 4 + 5);
    g_assert_cmpfloat(mse, ==, 0);
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

/* Frames that do not fit: an error that says so; then a good run. */
static void test_mismatch(void)
{
    Fixture f = setup();
    GstVideoInfo small = set_caps(f.test, GST_VIDEO_FORMAT_GRAY8, 16, 16);
    GstVideoInfo large = set_caps(f.reference, GST_VIDEO_FORMAT_I420, 32, 16);
    double mse, psnr, ssim;

    gst_harness_push(f.reference, new_buffer(&large, 0, 1, 0));
    gst_harness_push(f.test, new_buffer(&small, 0, 1, 0));
    g_autoptr(GstMessage) message =
        gst_bus_timed_pop_filtered(f.bus, 10 * GST_SECOND, GST_MESSAGE_ERROR);
    g_autoptr(GError) error = NULL;
    g_assert_nonnull(message);
    gst_message_parse_error(message, &error, NULL);
    g_assert_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE);
    g_assert_nonnull(strstr(error->message, "GRAY8 of 16x16"));
    g_assert_nonnull(strstr(error->message, "I420 of 32x16"));

    gst_element_set_state(f.element, GST_STATE_NULL);
    gst_harness_play(f.test);
    gst_harness_play(f.reference);
    set_caps(f.test, GST_VIDEO_FORMAT_GRAY8, 16, 16);
    set_caps(f.reference, GST_VIDEO_FORMAT_GRAY8, 16, 16);
    gst_buffer_unref(push_pair(&f, new_buffer(&small, 0, 1, 10),
                               new_buffer(&small, 0, 1, 0), &mse, &psnr,
                               &ssim));
    g_assert_cmpfloat_with_epsilon(mse, 100 / 65025.0, 1e-12);
    teardown(&f);
}

/* A short stream ends the comparison, on whichever pad it is. */
static void test_lengths(void)
{
    static const int lengths[][2] = {{3, 5}, {5, 3}, {0, 2}, {4, 4}};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        Fixture f = setup();
        GstVideoInfo info = set_caps(f.test, GST_VIDEO_FORMAT_GRAY8, 16, 16);
        guint64 frames;
        set_caps(f.reference, GST_VIDEO_FORMAT_GRAY8, 16, 16);
        g_object_set(f.element, "messages", FALSE, NULL);
        int both = MIN(lengths[i][0], lengths[i][1]);
        for (int n = 0; n < both; n++) {
            gst_harness_push(f.test, new_buffer(&info, 0, 1, 0));
            gst_harness_push(f.reference, new_buffer(&info, 0, 1, 0));
            gst_buffer_unref(gst_harness_pull(f.test));
        }
        if (lengths[i][0] > both)
            gst_harness_push(f.test, new_buffer(&info, 0, 1, 0));
        else
            gst_harness_push_event(f.test, gst_event_new_eos());
        if (lengths[i][1] > both)
            gst_harness_push(f.reference, new_buffer(&info, 0, 1, 0));
        else
            gst_harness_push_event(f.reference, gst_event_new_eos());
        g_autoptr(GstMessage) message = wait_total(&f);
        gst_structure_get_uint64(gst_message_get_structure(message), "frames",
                                 &frames);
        g_assert_cmpuint(frames, ==, (guint64)both);
        teardown(&f);
    }
}

/* Started anew after NULL: totals begin again. */
static void test_again(void)
{
    Fixture f = setup();
    double mse, psnr, ssim;
    guint64 frames;

    for (int run = 0; run < 2; run++) {
        GstVideoInfo info = set_caps(f.test, GST_VIDEO_FORMAT_GRAY8, 16, 16);
        set_caps(f.reference, GST_VIDEO_FORMAT_GRAY8, 16, 16);
        gst_buffer_unref(push_pair(&f, new_buffer(&info, 0, 1, 10),
                                   new_buffer(&info, 0, 1, 0), &mse, &psnr,
                                   &ssim));
        g_object_get(f.element, "frames", &frames, NULL);
        g_assert_cmpuint(frames, ==, 1);
        gst_element_set_state(f.element, GST_STATE_NULL);
        gst_harness_play(f.test);
        gst_harness_play(f.reference);
    }
    teardown(&f);
}

/* A seek that flushes begins a new measurement: one second is 30 frames. */
static void test_flush(void)
{
    g_autoptr(GstElement) pipeline = gst_parse_launch(
        "videotestsrc ! video/x-raw,format=GRAY8,width=16,height=16,"
        "framerate=30/1 ! tee name=t ! queue ! aecompare name=c ! "
        "fakesink sync=false t. ! queue ! c.reference",
        NULL);
    g_autoptr(GstElement) compare = gst_bin_get_by_name(GST_BIN(pipeline), "c");
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    guint64 frames;

    for (int round = 0; round < 3; round++) {
        gst_element_set_state(pipeline, GST_STATE_PAUSED);
        gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
        g_assert_true(gst_element_seek(
            pipeline, 1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
            GST_SEEK_TYPE_SET, (gint64)(round * GST_SECOND), GST_SEEK_TYPE_SET,
            (gint64)((round + 1) * GST_SECOND)));
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
            bus, 20 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        g_assert_nonnull(message);
        g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
        g_object_get(compare, "frames", &frames, NULL);
        g_assert_cmpuint(frames, ==, 30);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aecompare/formats", test_formats);
    g_test_add_func("/aecompare/total", test_total);
    g_test_add_func("/aecompare/changes", test_changes);
    g_test_add_func("/aecompare/mismatch", test_mismatch);
    g_test_add_func("/aecompare/lengths", test_lengths);
    g_test_add_func("/aecompare/again", test_again);
    g_test_add_func("/aecompare/flush", test_flush);
    return g_test_run();
}
