/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats that hold the samples of another in other words: elements make the
 * same samples of both, and write zeros to the bits that belong to none. */
#include "frames.h"

static const struct {
    const char *format, *plain;
} pairs[] = {
    {"P010_10LE", "I420_10LE"}, {"P010_10BE", "I420_10LE"},
    {"P012_LE", "I420_12LE"},   {"P012_BE", "I420_12LE"},
    {"GRAY16_BE", "GRAY16_LE"}, {"I420_10BE", "I420_10LE"},
    {"I422_10BE", "I422_10LE"}, {"Y444_10BE", "Y444_10LE"},
    {"I420_12BE", "I420_12LE"}, {"I422_12BE", "I422_12LE"},
    {"Y444_12BE", "Y444_12LE"},
};

static const struct {
    const char *description;
    int width, height;
} cases[] = {
    {"aedenoise model=light temporal=1", 33, 17},
    {"aedenoise model=light", 1, 1},
    {"aedenoise model=light strength=0.3 split=0.4", 34, 18},
    {"aesuperres", 33, 17},
    {"aenoise", 33, 17},
};

typedef void (*Visit)(GstVideoFrame *frame, GstVideoFrame *other, int c, int x,
                      int y);

static void visit_samples(GstBuffer *buffer, const GstVideoInfo *info,
                          GstBuffer *other_buffer,
                          const GstVideoInfo *other_info, GstMapFlags flags,
                          Visit visit)
{
    GstVideoFrame frame, other;

    g_assert_true(gst_video_frame_map(&frame, info, buffer, flags));
    g_assert_true(
        gst_video_frame_map(&other, other_info, other_buffer, GST_MAP_READ));
    for (int c = 0; c < (int)GST_VIDEO_INFO_N_COMPONENTS(info); c++)
        for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(info, c); y++)
            for (int x = 0; x < GST_VIDEO_INFO_COMP_WIDTH(info, c); x++)
                visit(&frame, &other, c, x, y);
    gst_video_frame_unmap(&frame);
    gst_video_frame_unmap(&other);
}

static void copy(GstVideoFrame *frame, GstVideoFrame *other, int c, int x,
                 int y)
{
    frames_set_sample(frame, c, x, y, frames_sample(other, c, x, y));
}

static void assert_equal(GstVideoFrame *frame, GstVideoFrame *other, int c,
                         int x, int y)
{
    const int shift = (int)GST_VIDEO_FORMAT_INFO_SHIFT(frame->info.finfo, c);
    const int word = frames_word(frame, c, x, y);

    g_assert_cmpint(word, ==, frames_sample(other, c, x, y) << shift);
}

static void assert_same(GstHarness *harness, GstBuffer *buffer,
                        GstHarness *other_harness, GstBuffer *other)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(harness->sinkpad);
    g_autoptr(GstCaps) other_caps =
        gst_pad_get_current_caps(other_harness->sinkpad);
    GstVideoInfo info, other_info;

    g_assert_true(gst_video_info_from_caps(&info, caps));
    g_assert_true(gst_video_info_from_caps(&other_info, other_caps));
    visit_samples(buffer, &info, other, &other_info, GST_MAP_READ,
                  assert_equal);
}

/* Three frames, the second of which has padded rows. */
static void check(gsize which, const char *format, const char *plain)
{
    enum { N = 2 };
    const char *formats[N] = {format, plain};
    GstHarness *harness[N];
    GstVideoInfo info[N];

    for (int i = 0; i < N; i++) {
        harness[i] = gst_harness_new_parse(cases[which].description);
        frames_set_caps(harness[i], &info[i], formats[i], cases[which].width,
                        cases[which].height);
    }
    for (uint64_t seed = 0; seed < 3; seed++) {
        GstBuffer *in[N], *out[N];

        for (int i = 0; i < N; i++)
            in[i] = seed == 1 ? frames_new_padded_frame(&info[i], seed)
                              : frames_new_frame(&info[i], seed);
        visit_samples(in[0], &info[0], in[1], &info[1], GST_MAP_WRITE, copy);
        for (int i = 0; i < N; i++)
            out[i] = gst_harness_push_and_pull(harness[i], in[i]);
        assert_same(harness[0], out[0], harness[1], out[1]);
        for (int i = 0; i < N; i++)
            gst_buffer_unref(out[i]);
    }
    for (int i = 0; i < N; i++)
        gst_harness_teardown(harness[i]);
}

static void test_deep(const void *which)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        check(GPOINTER_TO_SIZE(which), pairs[i].format, pairs[i].plain);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/deep/%s %dx%d", cases[i].description,
                            cases[i].width, cases[i].height);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_deep);
    }
    return g_test_run();
}
