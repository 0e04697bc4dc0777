/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers that are smaller than their frames, or whose meta is of others, and
 * frames that are larger than can be: every element that reads video says what
 * was expected and found, and none reads past the end. */
#include "frames.h"

static const char *const elements[] = {
    "aedenoise model=light",
    "aesuperres",
    "aenoise",
    "aeencode",
    "aetrain batch-size=1",
    "tee name=t ! aecompare name=c t. ! c.reference",
};

static const char *const formats[] = {"GRAY8", "I420",      "NV12",
                                      "YUY2",  "AYUV",      "RGB",
                                      "GBR",   "I420_10LE", "P010_10LE"};

static GstHarness *new_harness(const char *description, GstBus **bus)
{
    GstHarness *harness = gst_harness_new_parse(description);

    *bus = gst_bus_new();
    gst_element_set_bus(harness->element, *bus);
    return harness;
}

/* FALSE: the element does not take this format. */
static gboolean takes(GstHarness *harness, const char *format)
{
    g_autoptr(GstCaps) wanted = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, format, NULL);
    g_autoptr(GstCaps) taken = gst_pad_peer_query_caps(harness->srcpad, NULL);

    return gst_caps_can_intersect(wanted, taken);
}

/* The last byte that is needed is missing. */
static void check(const char *description, const char *format, gboolean padded)
{
    GstBus *bus;
    GstHarness *harness = new_harness(description, &bus);
    g_autofree char *text = NULL, *found = NULL;
    GstVideoInfo info;
    GstBuffer *buffer;
    gsize size;

    if (takes(harness, format)) {
        frames_set_caps(harness, &info, format, 28, 28);
        buffer = padded ? frames_new_padded_frame(&info, 1)
                        : frames_new_frame(&info, 1);
        size = padded ? gst_buffer_get_size(buffer) / 2
                      : gst_buffer_get_size(buffer) - 1;
        gst_buffer_set_size(buffer, (gssize)size);
        gst_harness_push(harness, buffer);
        text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
        found = g_strdup_printf("a buffer has %" G_GSIZE_FORMAT, size);
        frames_assert_contains(text, format);
        frames_assert_contains(text, found);
    }
    frames_free_harness(harness, bus);
}

static void test_truncated(void)
{
    for (gsize e = 0; e < G_N_ELEMENTS(elements); e++)
        for (gsize f = 0; f < G_N_ELEMENTS(formats); f++) {
            check(elements[e], formats[f], FALSE);
            check(elements[e], formats[f], TRUE);
        }
}

/* Metas of a frame of GRAY8 of 28x28, whose rows lie bottom up in the first
 * case, with a byte too few; the others contradict the caps. */
static void test_meta(void)
{
    static const struct {
        GstVideoFormat format;
        guint width;
        gsize size, offset;
        gint stride;
        const char *says;
    } cases[] = {
        {GST_VIDEO_FORMAT_GRAY8, 28, 783, 756, -28, "a buffer has 783"},
        {GST_VIDEO_FORMAT_GRAY8, 28, 784, 755, -28, "a buffer has 784"},
        {GST_VIDEO_FORMAT_GRAY8, 27, 784, 0, 28, "GRAY8 of 27x28"},
        {GST_VIDEO_FORMAT_GRAY16_LE, 28, 784, 0, 28, "GRAY16_LE of 28x28"},
    };

    for (gsize e = 0; e < G_N_ELEMENTS(elements); e++)
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
            GstBus *bus;
            GstHarness *harness = new_harness(elements[e], &bus);
            GstBuffer *buffer =
                gst_buffer_new_allocate(NULL, cases[i].size, NULL);
            g_autofree char *text = NULL;
            gsize offset[4] = {cases[i].offset};
            gint stride[4] = {cases[i].stride};
            GstVideoInfo info;

            frames_set_caps(harness, &info, "GRAY8", 28, 28);
            gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                           cases[i].format, cases[i].width, 28,
                                           1, offset, stride);
            gst_harness_push(harness, buffer);
            text = frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
            frames_assert_contains(text, cases[i].says);
            frames_free_harness(harness, bus);
        }
}

/* The bytes of a row, or those of a frame, fit no int. */
static void test_large(void)
{
    static const struct {
        const char *format;
        int width, height;
        const char *says;
    } cases[] = {
        {"GRAY8", G_MAXINT, 1, "pictures of 2147483647x1 are not"},
        {"RGBx", 1 << 30, 1, "pictures of 1073741824x1 are not"},
        {"GRAY8", 1, (1 << 20) + 1, "pictures of 1x1048577 are not"},
        {"GRAY8", 1, G_MAXINT, "height=(int)2147483647"},
        {"I420", 65536, 65536, "width=(int)65536, height=(int)65536"},
    };

    for (gsize e = 0; e < G_N_ELEMENTS(elements); e++)
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
            g_autoptr(GstCaps) caps = gst_caps_new_simple(
                "video/x-raw", "format", G_TYPE_STRING, cases[i].format,
                "width", G_TYPE_INT, cases[i].width, "height", G_TYPE_INT,
                cases[i].height, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
            GstBus *bus;
            GstHarness *harness = new_harness(elements[e], &bus);

            if (takes(harness, cases[i].format)) {
                g_autofree char *text = NULL;

                gst_harness_set_src_caps(harness, g_steal_pointer(&caps));
                gst_harness_push(harness, gst_buffer_new());
                text =
                    frames_pop_text(bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR);
                frames_assert_contains(text, cases[i].says);
            }
            frames_free_harness(harness, bus);
        }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/truncated/size", test_truncated);
    g_test_add_func("/truncated/meta", test_meta);
    g_test_add_func("/truncated/large", test_large);
    return g_test_run();
}
