/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ten thousand frames through aedenoise and aesuperres, whose sizes, formats
 * and models change every fifty: each comes out, in order, and once everything
 * has been seen the memory in use does not grow. */
#include <malloc.h>

#include "frames.h"

#define FRAMES 10000
#define STRETCH 50   /* frames between two changes */
#define WARM_UP 1200 /* by then all has been seen, and so begins again */
/* Bytes: a plan that stays behind is more, and so are 60 a frame. Threads that
 * load models end when they like, so that some are left at any time. */
#define GROWTH (512 << 10)

static const struct {
    const char *format;
    int width, height;
} videos[] = {
    {"I420", 48, 32},
    {"NV12", 33, 17},
    {"GRAY8", 64, 48},
    {"I420", 20, 50},
};

typedef struct {
    const char *element;
    const char *models[2];
} Case;

static gsize memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static gboolean uses(GstElement *element, const char *model)
{
    g_autoptr(GstStructure) stats = NULL;

    g_object_get(element, "stats", &stats, NULL);
    return g_strcmp0(gst_structure_get_string(stats, "model"), model) == 0;
}

static void push(GstHarness *harness, const GstVideoInfo *info, int number)
{
    GstBuffer *out =
        gst_harness_push_and_pull(harness, frames_new_frame(info, number));

    g_assert_nonnull(out);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, number * 40 * GST_MSECOND);
    g_assert_cmpuint(gst_harness_buffers_in_queue(harness), ==, 0);
    gst_buffer_unref(out);
    while (gst_harness_events_in_queue(harness) > 0)
        gst_event_unref(gst_harness_pull_event(harness));
}

/* Frames until the model that was asked for is in use. */
static int push_until(GstHarness *harness, const GstVideoInfo *info, int number,
                      const char *model)
{
    for (; !uses(harness->element, model); number++)
        push(harness, info, number);
    return number;
}

static void test_endurance(gconstpointer data)
{
    const Case *test = data;
    GstHarness *harness = gst_harness_new(test->element);
    gsize before = 0, after;
    GstVideoInfo info;
    int number = 0;

    g_object_set(harness->element, "threads", 2, NULL);
    gst_util_set_object_arg(G_OBJECT(harness->element), "precision", "fp32");
    for (int end = STRETCH; end <= FRAMES; end += STRETCH) {
        int change = end / STRETCH;
        int video = change % (int)G_N_ELEMENTS(videos);
        const char *model =
            test->models[change % (int)G_N_ELEMENTS(test->models)];

        g_object_set(harness->element, "model", model, NULL);
        frames_set_caps(harness, &info, videos[video].format,
                        videos[video].width, videos[video].height);
        number = push_until(harness, &info, number, model);
        for (; number < end; number++)
            push(harness, &info, number);
        if (end == WARM_UP)
            before = memory_in_use();
    }
    after = memory_in_use();
    g_test_message("%" G_GSIZE_FORMAT " bytes after %d frames, %" G_GSIZE_FORMAT
                   " after %d",
                   before, WARM_UP, after, number);
    g_assert_cmpuint(after, <, before + GROWTH);
    gst_harness_teardown(harness);
}

int main(int argc, char **argv)
{
    static const Case denoise = {"aedenoise", {"medium", "light"}};
    static const Case superres = {"aesuperres", {"superres2", "superres2"}};

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/endurance/aedenoise", &denoise, test_endurance);
    g_test_add_data_func("/endurance/aesuperres", &superres, test_endurance);
    return g_test_run();
}
