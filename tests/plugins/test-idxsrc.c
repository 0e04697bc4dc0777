/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <glib/gstdio.h>

static char *folder;

/* An idx file whose byte i is i mod 251; returns its path. */
static char *write_idx(const char *name, int rank, const int *dim)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const guint8 magic[] = {0, 0, 8, (guint8)rank};
    char *path = g_build_filename(folder, name, NULL);
    int count = 1;

    g_byte_array_append(bytes, magic, 4);
    for (int i = 0; i < rank; i++) {
        guint32 big = GUINT32_TO_BE((guint32)dim[i]);
        g_byte_array_append(bytes, (const guint8 *)&big, 4);
        count *= dim[i];
    }
    for (int i = 0; i < count; i++) {
        guint8 byte = (guint8)(i % 251);
        g_byte_array_append(bytes, &byte, 1);
    }
    g_assert_true(
        g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    return path;
}

static GstHarness *new_harness(const char *location)
{
    GstHarness *harness = gst_harness_new("idxsrc");

    g_object_set(harness->element, "location", location, NULL);
    return harness;
}

static gboolean reaches_eos(GstHarness *harness)
{
    GstEvent *event;

    while ((event = gst_harness_pull_event(harness))) {
        gboolean eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        gst_event_unref(event);
        if (eos)
            return TRUE;
    }
    return FALSE;
}

/* The first sample of the image tells which it is: image * size mod 251. */
static int first_sample(GstBuffer *buffer)
{
    guint8 sample;

    g_assert_cmpuint(gst_buffer_extract(buffer, 0, &sample, 1), ==, 1);
    return sample;
}

static const struct {
    int rank, dim[4];
    const char *format;
} shapes[] = {
    {3, {3, 28, 28}, "GRAY8"}, {3, {2, 5, 7}, "GRAY8"},
    {3, {1, 1, 1}, "GRAY8"},   {4, {3, 4, 8, 3}, "RGB"},
    {4, {2, 3, 5, 3}, "RGB"},
};

static void check_frame(GstBuffer *buffer, const GstVideoInfo *info, int image)
{
    GstVideoFrame frame;
    int row = GST_VIDEO_INFO_WIDTH(info) * GST_VIDEO_INFO_COMP_PSTRIDE(info, 0);

    g_assert_true(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    for (int y = 0; y < GST_VIDEO_INFO_HEIGHT(info); y++)
        for (int x = 0; x < row; x++) {
            const guint8 *line =
                (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
            int at = (image * GST_VIDEO_INFO_HEIGHT(info) + y) * row + x;
            g_assert_cmpint(line[x], ==, at % 251);
        }
    gst_video_frame_unmap(&frame);
}

static void test_shapes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autofree char *path =
            write_idx("images", shapes[i].rank, shapes[i].dim);
        GstHarness *harness = new_harness(path);
        GstVideoInfo info;
        gst_harness_play(harness);
        for (int image = 0; image < shapes[i].dim[0]; image++) {
            g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
            g_autoptr(GstCaps) caps =
                gst_pad_get_current_caps(harness->sinkpad);
            g_assert_true(gst_video_info_from_caps(&info, caps));
            g_assert_cmpstr(GST_VIDEO_INFO_NAME(&info), ==, shapes[i].format);
            g_assert_cmpint(info.width, ==, shapes[i].dim[2]);
            g_assert_cmpint(info.height, ==, shapes[i].dim[1]);
            check_frame(buffer, &info, image);
            g_assert_cmpuint(GST_BUFFER_OFFSET(buffer), ==, (guint64)image);
            g_assert_cmpuint(
                GST_BUFFER_PTS(buffer), ==,
                gst_util_uint64_scale((guint64)image, GST_SECOND, 30));
        }
        g_assert_true(reaches_eos(harness));
        gst_harness_teardown(harness);
        g_remove(path);
    }
}

static void test_framerate(void)
{
    const int dim[] = {4, 28, 28};
    g_autofree char *path = write_idx("images", 3, dim);
    GstHarness *harness = new_harness(path);

    gst_harness_set_sink_caps_str(harness, "video/x-raw,framerate=5/1");
    gst_harness_play(harness);
    for (guint i = 0; i < 4; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
        g_assert_cmpuint(GST_BUFFER_PTS(buffer), ==, i * GST_SECOND / 5);
        g_assert_cmpuint(GST_BUFFER_DURATION(buffer), ==, GST_SECOND / 5);
    }
    gst_harness_teardown(harness);
    g_remove(path);
}

/* The images of a whole run in the order in which they came. */
static void collect(const char *path, guint64 seed, gboolean shuffle,
                    guint epochs, int *order)
{
    GstHarness *harness = new_harness(path);

    g_object_set(harness->element, "seed", seed, "shuffle", shuffle, "epochs",
                 epochs, NULL);
    gst_harness_play(harness);
    for (guint i = 0; i < epochs * 100; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
        order[i] = first_sample(buffer);
    }
    g_assert_true(reaches_eos(harness));
    gst_harness_teardown(harness);
}

static void test_shuffle(void)
{
    const int dim[] = {100, 1, 1}; /* the sample is the image's number */
    g_autofree char *path = write_idx("images", 3, dim);
    int plain[200], first[200], again[200], other[200];

    collect(path, 1, FALSE, 2, plain);
    collect(path, 1, TRUE, 2, first);
    collect(path, 1, TRUE, 2, again);
    collect(path, 2, TRUE, 2, other);
    g_assert_cmpmem(first, sizeof first, again, sizeof again);
    g_assert_true(memcmp(first, other, sizeof first) != 0);
    g_assert_true(memcmp(first, first + 100, sizeof first / 2) != 0);
    for (int epoch = 0; epoch < 2; epoch++) {
        gboolean seen[100] = {FALSE};
        for (int i = 0; i < 100; i++) {
            g_assert_cmpint(plain[epoch * 100 + i], ==, i);
            g_assert_false(seen[first[epoch * 100 + i]]);
            seen[first[epoch * 100 + i]] = TRUE;
        }
    }
    g_remove(path);
}

static void test_endless(void)
{
    const int dim[] = {3, 4, 4};
    g_autofree char *path = write_idx("images", 3, dim);
    GstHarness *harness = new_harness(path);

    g_object_set(harness->element, "epochs", 0, "num-buffers", 50, NULL);
    gst_harness_play(harness);
    for (int i = 0; i < 50; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
        g_assert_cmpint(first_sample(buffer), ==, i % 3 * 16);
    }
    g_assert_true(reaches_eos(harness));
    gst_harness_teardown(harness);
    g_remove(path);
}

static void test_labels(void)
{
    const int dim[] = {5, 4, 4};
    g_autofree char *images = write_idx("images", 3, dim);
    g_autofree char *labels = write_idx("labels", 1, dim);
    GstHarness *harness = new_harness(images);

    g_object_set(harness->element, "labels-location", labels, "shuffle", TRUE,
                 NULL);
    gst_harness_play(harness);
    for (int i = 0; i < 5; i++) {
        g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
        GstCustomMeta *meta =
            gst_buffer_get_custom_meta(buffer, "GstAeLabelMeta");
        int label = -1;
        g_assert_nonnull(meta);
        gst_structure_get_int(gst_custom_meta_get_structure(meta), "label",
                              &label);
        g_assert_cmpint(first_sample(buffer), ==, label * 16);
    }
    gst_harness_teardown(harness);
    g_remove(images);
    g_remove(labels);
}

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

static void check_error(GstElement *element, GQuark domain, int code,
                        const char *says)
{
    g_autoptr(GError) error = pause_error(element);

    g_assert_error(error, domain, code);
    g_assert_nonnull(strstr(error->message, says));
}

/* Bad files, then good ones, on one element. */
static void test_errors(void)
{
    const int dim[] = {5, 4, 4}, more[] = {6}, wide[] = {1, 1, (1 << 20) + 1};
    g_autofree char *images = write_idx("images", 3, dim);
    g_autofree char *labels = write_idx("labels", 1, more);
    g_autofree char *large = write_idx("large", 3, wide);
    g_autofree char *broken = g_build_filename(folder, "broken", NULL);
    GstElement *src =
        gst_object_ref_sink(gst_element_factory_make("idxsrc", NULL));

    g_file_set_contents(broken, "no idx", -1, NULL);
    check_error(src, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                "location");
    g_object_set(src, "location", "/no/such/file", NULL);
    check_error(src, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                "/no/such/file");
    g_object_set(src, "location", folder, NULL);
    check_error(src, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, folder);
    g_object_set(src, "location", broken, NULL);
    check_error(src, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, broken);
    g_object_set(src, "location", labels, NULL);
    check_error(src, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "images are wanted");
    g_object_set(src, "location", large, NULL);
    check_error(src, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "images of 1048577x1 samples");
    g_object_set(src, "location", images, "labels-location", images, NULL);
    check_error(src, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "labels are wanted");
    g_object_set(src, "labels-location", labels, NULL);
    check_error(src, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "6 labels, but there are 5 images");
    g_object_set(src, "labels-location", NULL, NULL);
    GstHarness *harness = gst_harness_new_with_element(src, NULL, "src");
    gst_harness_play(harness);
    gst_buffer_unref(gst_harness_pull(harness));
    gst_harness_teardown(harness);
    gst_object_unref(src);
    g_remove(images);
    g_remove(labels);
    g_remove(large);
    g_remove(broken);
}

static void test_seek(void)
{
    const int dim[] = {100, 1, 1};
    g_autofree char *path = write_idx("images", 3, dim);
    g_autofree char *line =
        g_strdup_printf("idxsrc location=%s ! video/x-raw,framerate=10/1 ! "
                        "fakesink name=sink sync=false",
                        path);
    g_autoptr(GstElement) pipeline = gst_parse_launch(line, NULL);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GstSample) sample = NULL;
    gint64 duration;

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    g_assert_true(
        gst_element_query_duration(pipeline, GST_FORMAT_TIME, &duration));
    g_assert_cmpint(duration, ==, 10 * GST_SECOND);
    g_assert_true(gst_element_seek_simple(pipeline, GST_FORMAT_TIME,
                                          GST_SEEK_FLAG_FLUSH, 4 * GST_SECOND));
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    g_object_get(sink, "last-sample", &sample, NULL);
    g_assert_cmpint(first_sample(gst_sample_get_buffer(sample)), ==, 40);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_remove(path);
}

static void remember(GstElement *sink G_GNUC_UNUSED, GstBuffer *buffer,
                     GstPad *pad G_GNUC_UNUSED, gpointer numbers)
{
    g_array_append_vals(numbers, &GST_BUFFER_OFFSET(buffer), 1);
}

/* Plays backwards from @stop (-1: the end); the frames are @first .. @last. */
static void check_backwards(const char *source, gint64 stop, int first,
                            int last)
{
    g_autofree char *line = g_strdup_printf(
        "%s ! video/x-raw,framerate=10/1 ! fakesink name=sink sync=false "
        "signal-handoffs=true",
        source);
    g_autoptr(GstElement) pipeline = gst_parse_launch(line, NULL);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    g_assert_true(gst_element_seek(pipeline, -1, GST_FORMAT_TIME,
                                   GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
                                   GST_SEEK_TYPE_SET, stop));
    gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    g_signal_connect(sink, "handoff", G_CALLBACK(remember), numbers);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_autoptr(GstMessage) end = gst_bus_timed_pop_filtered(
        bus, 10 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(end);
    g_assert_cmpint(GST_MESSAGE_TYPE(end), ==, GST_MESSAGE_EOS);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_assert_cmpint(numbers->len, ==, first - last + 1);
    for (int i = 0; i <= first - last; i++)
        g_assert_cmpuint(g_array_index(numbers, guint64, i), ==,
                         (guint64)(first - i));
}

static void test_backwards(void)
{
    const int dim[] = {100, 1, 1};
    g_autofree char *path = write_idx("images", 3, dim);
    g_autofree char *source = g_strdup_printf("idxsrc location=%s", path);
    g_autofree char *endless =
        g_strdup_printf("idxsrc location=%s epochs=0 shuffle=true", path);

    check_backwards(source, 5 * GST_SECOND, 49, 0);
    check_backwards(source, 5 * GST_SECOND + 1, 50, 0);
    check_backwards(source, -1, 99, 0);
    check_backwards(source, 100 * GST_SECOND, 99, 0);
    check_backwards(endless, 30 * GST_SECOND, 299, 0);
    check_backwards("vaesample", 2 * GST_SECOND, 19, 0);
    check_backwards("vaesample", -1, 0, 0); /* from the frame in hand */
    g_remove(path);
}

/* Played twice, with a stop between: the second run starts anew. */
static void test_again(void)
{
    const int dim[] = {10, 4, 4};
    g_autofree char *path = write_idx("images", 3, dim);
    GstHarness *harness = new_harness(path);

    for (int run = 0; run < 2; run++) {
        gst_harness_play(harness);
        for (int i = 0; i < 3; i++) {
            g_autoptr(GstBuffer) buffer = gst_harness_pull(harness);
            g_assert_cmpint(first_sample(buffer), ==, i * 16);
            g_assert_cmpuint(GST_BUFFER_OFFSET(buffer), ==, (guint64)i);
        }
        gst_element_set_state(harness->element, GST_STATE_NULL);
        while (gst_harness_buffers_in_queue(harness))
            gst_buffer_unref(gst_harness_pull(harness));
    }
    gst_harness_teardown(harness);
    g_remove(path);
}

/* Properties as the table says, strings too, and defaults. */
static void test_properties(void)
{
    GstElement *src =
        gst_object_ref_sink(gst_element_factory_make("idxsrc", NULL));
    g_autofree char *location = NULL;
    g_autofree char *changed = NULL;
    guint epochs;
    guint64 seed;
    gboolean shuffle;

    g_object_get(src, "location", &location, "epochs", &epochs, "seed", &seed,
                 "shuffle", &shuffle, NULL);
    g_assert_null(location);
    g_assert_cmpuint(epochs, ==, 1);
    g_assert_cmpuint(seed, ==, 0);
    g_assert_false(shuffle);
    g_object_set(src, "location", "a", NULL);
    g_object_set(src, "location", "b", "epochs", 9, "seed", G_MAXUINT64,
                 "shuffle", TRUE, NULL);
    g_object_get(src, "location", &changed, "epochs", &epochs, "seed", &seed,
                 "shuffle", &shuffle, NULL);
    g_assert_cmpstr(changed, ==, "b");
    g_assert_cmpuint(epochs, ==, 9);
    g_assert_cmpuint(seed, ==, G_MAXUINT64);
    g_assert_true(shuffle);
    gst_object_unref(src);
}

int main(int argc, char **argv)
{
    int result;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("idxsrc-XXXXXX", NULL);
    g_test_add_func("/idxsrc/properties", test_properties);
    g_test_add_func("/idxsrc/shapes", test_shapes);
    g_test_add_func("/idxsrc/framerate", test_framerate);
    g_test_add_func("/idxsrc/shuffle", test_shuffle);
    g_test_add_func("/idxsrc/endless", test_endless);
    g_test_add_func("/idxsrc/labels", test_labels);
    g_test_add_func("/idxsrc/errors", test_errors);
    g_test_add_func("/idxsrc/seek", test_seek);
    g_test_add_func("/idxsrc/backwards", test_backwards);
    g_test_add_func("/idxsrc/again", test_again);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
