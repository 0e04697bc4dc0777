/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aedecode through GstHarness: frames follow the hints of a code's caps, or the
 * model, in every format; every spelling of the caps is read, every wrong code
 * refused. */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "frames.h"
#include "models.h"
#include "model/build.h"

static void save_network(const char *name, const char *architecture,
                         int classes)
{
    AeArchitectureOptions options = {.classes = classes, .seed = 3};
    GError *error = NULL;
    AeModel *model = ae_architecture_new(architecture, &options, &error);

    g_assert_no_error(error);
    models_save(model, name);
}

/* Codes that are the images; an encoder has no more than the code. */
static void save_identity(const char *name, int channels, int height, int width,
                          gboolean encoder)
{
    AeShape shape = ae_shape(4, -1, channels, height, width);
    AeModel *model = ae_model_new(17);
    int in = ae_model_add_input(model, "image", &shape, NULL);
    int code = ae_model_add_value(model, "code", &shape, NULL), out = code;

    ae_model_add_node(model, "Identity", "encode", &in, 1, &code, 1, NULL);
    if (!encoder) {
        out = ae_model_add_value(model, "out", NULL, NULL);
        ae_model_add_node(model, "Identity", "decode", &code, 1, &out, 1, NULL);
    }
    ae_model_add_output(model, out);
    ae_model_set(model, "ae.latent", "code");
    models_save(model, name);
}

static void save_models(void)
{
    models_begin("aedecode");
    save_identity("gray", 1, 6, 4, FALSE);
    save_identity("rgb", 3, 6, 4, FALSE);
    save_identity("any", 1, -1, -1, FALSE);
    save_identity("encoder", 1, 6, 4, TRUE);
    save_network("dense", "dense", 0);
    save_network("labelled", "vae", 10);
    save_network("unet", "unet-xs", 0);
}

/* The element. */

static GstHarness *new_harness(const char *model, GstBus **bus)
{
    g_autofree char *path = models_path(model);
    GstElement *element = gst_element_factory_make("aedecode", NULL);

    g_assert_nonnull(element);
    g_object_set(element, "model-file", path, "threads", 2, NULL);
    return frames_put_in_harness(element, bus);
}

static GstCaps *codes(const char *fields)
{
    g_autofree char *text = g_strconcat("other/tensors,", fields, NULL);
    GstCaps *caps = gst_caps_from_string(text);

    g_assert_nonnull(caps);
    return caps;
}

/* Number i is i / 255. */
static GstBuffer *new_code(int size)
{
    gsize bytes = (gsize)size * sizeof(float);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, bytes, NULL);

    for (int i = 0; i < size; i++) {
        float value = (float)i / 255;
        gst_buffer_fill(buffer, (gsize)i * sizeof value, &value, sizeof value);
    }
    GST_BUFFER_PTS(buffer) = GST_SECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    return buffer;
}

#define ONE "format=static,num_tensors=1,types=float32,"
#define GRAY ONE "dimensions=(string)4:6:1:1,framerate=25/1"
#define RGB ONE "dimensions=(string)4:6:3:1,framerate=25/1"
#define MADE "video/x-raw,framerate=25/1,pixel-aspect-ratio=1/1,"

static const struct {
    const char *model, *codes;
    int size;
    const char *downstream, *frames;
} cases[] = {
    {"gray", GRAY, 24, "video/x-raw", MADE "format=GRAY8,width=4,height=6"},
    {"rgb", RGB, 72, "video/x-raw", MADE "format=RGB,width=4,height=6"},
    {"gray", GRAY ",ae-format=NV12,ae-width=4,ae-height=6,ae-colorimetry=bt709",
     24, "video/x-raw", MADE "format=NV12,colorimetry=bt709,width=4,height=6"},
    {"gray", GRAY ",ae-format=I420,pixel-aspect-ratio=4/3", 24, "video/x-raw",
     "video/x-raw,framerate=25/1,pixel-aspect-ratio=4/3,format=I420,width=4,"
     "height=6"},
    /* sizes before the model's multiples, and others */
    {"gray", GRAY ",ae-width=3,ae-height=5", 24, "video/x-raw",
     MADE "format=GRAY8,width=3,height=5"},
    {"gray", GRAY ",ae-width=4,ae-height=7", 24, "video/x-raw",
     MADE "format=GRAY8,width=4,height=6"},
    {"gray", GRAY ",ae-width=1,ae-height=1", 24, "video/x-raw",
     MADE "format=GRAY8,width=4,height=6"},
    /* hints that make no sense */
    {"rgb", RGB ",ae-format=I420,ae-colorimetry=bt709", 72, "video/x-raw",
     MADE "format=RGB,width=4,height=6"},
    {"gray", GRAY ",ae-format=7,ae-width=wide,ae-height=-1", 24, "video/x-raw",
     MADE "format=GRAY8,width=4,height=6"},
    {"gray", GRAY ",ae-colorimetry=bt709", 24, "video/x-raw",
     MADE "format=GRAY8,width=4,height=6"},
    /* downstream has other wishes */
    {"gray", GRAY ",ae-format=I420,ae-colorimetry=bt709", 24,
     "video/x-raw,format={RGB,BGR}", MADE "format=RGB,width=4,height=6"},
    /* spellings */
    {"gray", ONE "dimensions=(string)4:6,framerate=25/1", 24, "video/x-raw",
     MADE "format=GRAY8,width=4,height=6"},
    {"gray", "types=float32,dimensions=(string)4:6:1:1:1:1:1,framerate=25/1",
     24, "video/x-raw", MADE "format=GRAY8,width=4,height=6"},
    {"gray", ONE "dimensions=(string)4:6:1", 24, "video/x-raw",
     "video/x-raw,framerate=0/1,pixel-aspect-ratio=1/1,format=GRAY8,width=4,"
     "height=6"},
    /* the code tells the size */
    {"any", ONE "dimensions=(string)7:2:1:1,framerate=25/1", 14, "video/x-raw",
     MADE "format=GRAY8,width=7,height=2"},
    {"dense", ONE "dimensions=(string)2:1:1:1,framerate=25/1", 2, "video/x-raw",
     MADE "format=GRAY8,width=28,height=28"},
};

/* Of the models whose codes are images. */
static void check_pixels(GstBuffer *buffer, const GstCaps *caps, int width)
{
    GstVideoInfo info;
    GstVideoFrame frame;

    g_assert_true(gst_video_info_from_caps(&info, caps));
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(&frame); y++)
        for (int x = 0; x < GST_VIDEO_FRAME_WIDTH(&frame); x++) {
            const guint8 *data = GST_VIDEO_FRAME_COMP_DATA(&frame, 0);
            g_assert_cmpint(data[y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, 0) +
                                 x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 0)],
                            ==, y * width + x);
        }
    gst_video_frame_unmap(&frame);
}

static void check_case(size_t i)
{
    g_autoptr(GstCaps) expected = gst_caps_from_string(cases[i].frames);
    g_autoptr(GstCaps) caps = NULL;
    g_autoptr(GstBuffer) out = NULL;
    g_autofree char *text = NULL;
    GstBus *bus;
    GstHarness *harness = new_harness(cases[i].model, &bus);

    gst_harness_set_sink_caps_str(harness, cases[i].downstream);
    gst_harness_set_src_caps(harness, codes(cases[i].codes));
    out = gst_harness_push_and_pull(harness, new_code(cases[i].size));
    caps = gst_pad_get_current_caps(harness->sinkpad);
    text = gst_caps_to_string(caps);
    g_test_message("%s", text);
    g_assert_true(gst_caps_is_equal(caps, expected));
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, GST_SECOND);
    g_assert_cmpuint(GST_BUFFER_DURATION(out), ==, 40 * GST_MSECOND);
    if (strcmp(cases[i].model, "dense") != 0)
        check_pixels(out, caps, strcmp(cases[i].model, "any") == 0 ? 7 : 4);
    frames_free_harness(harness, bus);
}

/* All that pixels of @frame hold: numbers that count up from 0, neutral chroma,
 * opaque alpha. */
static void check_samples(GstBuffer *buffer, const GstVideoInfo *info,
                          int channels)
{
    GstVideoFrame frame;

    g_assert_true(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS(&frame); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++) {
                const guint8 *data = GST_VIDEO_FRAME_COMP_DATA(&frame, c);
                int expected = ((int)c % channels * 6 + y) * 4 + x;

                if (c == GST_VIDEO_COMP_A)
                    expected = 255;
                else if (GST_VIDEO_INFO_IS_YUV(info) && c > 0)
                    expected = 128;
                g_assert_cmpint(
                    data[y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) +
                         x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c)],
                    ==, expected);
            }
    gst_video_frame_unmap(&frame);
}

/* Every format of the pad: gray images fit all, images of three channels RGB.
 */
static void test_formats(void)
{
    g_autoptr(GstElement) element = gst_element_factory_make("aedecode", NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "src");
    g_autoptr(GstCaps) template = gst_pad_get_pad_template_caps(pad);
    const GValue *list =
        gst_structure_get_value(gst_caps_get_structure(template, 0), "format");

    g_assert_cmpuint(gst_value_list_get_size(list), >=, 25);
    for (guint i = 0; i < gst_value_list_get_size(list); i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            const char *format =
                g_value_get_string(gst_value_list_get_value(list, i));
            g_autofree char *caps =
                g_strdup_printf("video/x-raw,format=%s", format);
            g_autoptr(GstBuffer) out = NULL;
            GstHarness *harness;
            GstVideoInfo info;
            GstBus *bus;

            gst_video_info_set_format(
                &info, gst_video_format_from_string(format), 4, 6);
            if (channels == 3 && !GST_VIDEO_INFO_IS_RGB(&info))
                continue;
            harness = new_harness(channels == 1 ? "gray" : "rgb", &bus);
            gst_harness_set_sink_caps_str(harness, caps);
            gst_harness_set_src_caps(harness,
                                     codes(channels == 1 ? GRAY : RGB));
            out = gst_harness_push_and_pull(harness, new_code(24 * channels));
            check_samples(out, &info, channels);
            frames_free_harness(harness, bus);
        }
}

static void test_frames(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_case(i);
}

/* The text of the next message of @type; NULL if there is none. Free. */
static char *pop_text(GstBus *bus, GstMessageType type)
{
    g_autoptr(GstMessage) message = gst_bus_pop_filtered(bus, type);
    g_autoptr(GError) error = NULL;

    if (message == NULL)
        return NULL;
    if (type == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else
        gst_message_parse_warning(message, &error, NULL);
    g_test_message("%s", error->message);
    return g_strdup(error->message);
}

static void check_text(GstBus *bus, GstMessageType type, const char *part)
{
    g_autofree char *text = pop_text(bus, type);

    g_assert_nonnull(text);
    g_assert_nonnull(strstr(text, part));
}

#define TWO ONE "dimensions=(string)2:1:1:1,framerate=25/1"

static const struct {
    const char *model, *codes;
    int size;
    const char *says;
} refusals[] = {
    {"missing", GRAY, 24, "missing.onnx"},
    {"unet", GRAY, 24, "lack ae.latent"},
    {"encoder", GRAY, 24, "it is an encoder"},
    {"gray", RGB, 72, "decodes codes of 1x1x6x4, but these are 3x6x4"},
    {"gray", TWO, 2, "decodes codes of 1x1x6x4, but these are 2"},
    {"dense", GRAY, 24, "decodes codes of 1x2, but these are 6x4"},
    {"any", RGB, 72, "decodes codes of 1x1x?x?, but these are 3x6x4"},
    {"any", ONE "dimensions=(string)2:2:1:2", 8, "but these are 2x1x2x2"},
    {"gray", GRAY, 23, "96 bytes here, but a buffer has 92"},
    {"gray", GRAY, 25, "96 bytes here, but a buffer has 100"},
    {"dense",
     "types=\"float32,float32\",dimensions=(string)\"2:1:1:1,2:1:1:1\"", 4,
     "one tensor was expected, the code, but there are 2"},
    {"dense", "types=uint8,dimensions=(string)2:1:1:1", 2, "types=uint8"},
    {"dense", "format=flexible", 2, "format=flexible"},
    {"dense", ONE "dimensions=(string)2:0:1:1", 2, "dimensions=2:0:1:1"},
    {"labelled", TWO, 2, "wants a label from 0 to 9"},
};

/* Forgets the messages. */
static void set_model(GstHarness *harness, GstBus *bus, const char *model)
{
    g_autofree char *path = models_path(model);

    gst_element_set_state(harness->element, GST_STATE_NULL);
    gst_bus_set_flushing(bus, TRUE);
    gst_bus_set_flushing(bus, FALSE);
    g_object_set(harness->element, "model-file", path, NULL);
    gst_element_set_state(harness->element, GST_STATE_PLAYING);
}

static void check_push(GstHarness *harness, int size, gsize frame)
{
    g_autoptr(GstBuffer) out =
        gst_harness_push_and_pull(harness, new_code(size));

    g_assert_nonnull(out);
    g_assert_cmpuint(gst_buffer_get_size(out), ==, frame);
}

/* And a good model on the same element afterwards. */
static void test_refusals(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("dense", &bus);

    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        set_model(harness, bus, refusals[i].model);
        gst_harness_set_src_caps(harness, codes(refusals[i].codes));
        g_assert_cmpint(gst_harness_push(harness, new_code(refusals[i].size)),
                        !=, GST_FLOW_OK);
        check_text(bus, GST_MESSAGE_ERROR, refusals[i].says);

        set_model(harness, bus, "dense");
        gst_harness_set_src_caps(harness, codes(TWO));
        check_push(harness, 2, 28 * 28);
    }
    frames_free_harness(harness, bus);
}

static void test_downstream(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("dense", &bus);
    g_autofree char *text = NULL;

    gst_harness_set_sink_caps_str(harness, "video/x-raw,width=50");
    gst_harness_set_src_caps(harness, codes(TWO));
    g_assert_cmpint(gst_harness_push(harness, new_code(2)), !=, GST_FLOW_OK);
    text = pop_text(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(text);
    g_assert_nonnull(strstr(text, "makes video/x-raw, width=(int)28, but"));
    g_assert_nonnull(strstr(text, "takes video/x-raw, width=(int)50"));
    frames_free_harness(harness, bus);
}

typedef enum { BY_PROPERTY, BY_CONTROLLER, BY_BUFFER } LabelSource;

/* A frame for each label. */
static GBytes *decode_label(LabelSource source, int label)
{
    GstBus *bus;
    GstHarness *harness = new_harness("labelled", &bus);
    GstBuffer *in = new_code(2);
    g_autoptr(GstBuffer) out = NULL;
    gpointer data;
    gsize size;

    gst_harness_set_src_caps(harness, codes(TWO));
    if (source == BY_PROPERTY)
        g_object_set(harness->element, "label", label, NULL);
    else if (source == BY_CONTROLLER)
        frames_control(harness->element, "label", 0, label);
    else
        gst_structure_set(gst_custom_meta_get_structure(
                              gst_buffer_add_custom_meta(in, "GstAeLabelMeta")),
                          "label", G_TYPE_INT, label, NULL);
    out = gst_harness_push_and_pull(harness, in);
    g_assert_true((gst_buffer_get_custom_meta(out, "GstAeLabelMeta") != NULL) ==
                  (source == BY_BUFFER));
    gst_buffer_extract_dup(out, 0, G_MAXSIZE, &data, &size);
    frames_free_harness(harness, bus);
    return g_bytes_new_take(data, size);
}

static void test_labels(void)
{
    g_autoptr(GBytes) last = NULL;

    for (int label = 0; label < 10; label++) {
        GBytes *one = decode_label(BY_PROPERTY, label);
        g_autoptr(GBytes) other = decode_label(BY_BUFFER, label);
        g_autoptr(GBytes) controlled = decode_label(BY_CONTROLLER, label);

        g_assert_true(g_bytes_equal(one, other));
        g_assert_true(g_bytes_equal(one, controlled));
        g_assert_false(last != NULL && g_bytes_equal(one, last));
        g_clear_pointer(&last, g_bytes_unref);
        last = one;
    }
}

/* Another model, and wrong ones, while codes come; other codes. */
static void test_changes(void)
{
    g_autofree char *any = models_path("any"), *wrong = models_path("dense");
    g_autofree char *missing = models_path("missing");
    GstBus *bus;
    GstHarness *harness = new_harness("gray", &bus);

    gst_harness_set_src_caps(harness, codes(GRAY));
    check_push(harness, 24, 24);
    g_object_set(harness->element, "model-file", wrong, NULL);
    check_push(harness, 24, 24);
    check_text(bus, GST_MESSAGE_WARNING, "but these are 6x4");
    g_object_set(harness->element, "model-file", missing, NULL);
    check_push(harness, 24, 24);
    check_text(bus, GST_MESSAGE_WARNING, "missing.onnx");
    g_object_set(harness->element, "model-file", any, NULL);
    check_push(harness, 24, 24);
    gst_harness_set_src_caps(harness, codes(ONE "dimensions=(string)8:2:1:1"));
    check_push(harness, 16, 16);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    frames_free_harness(harness, bus);
}

/* The type of the next event that came out. */
static GstEventType pull_event(GstHarness *harness)
{
    g_autoptr(GstEvent) event = gst_harness_pull_event(harness);

    g_assert_nonnull(event);
    return GST_EVENT_TYPE(event);
}

static void test_stream(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("gray", &bus);
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_set_upstream_latency(harness, 0);
    for (int cycle = 0; cycle < 3; cycle++) {
        gst_harness_play(harness);
        gst_harness_set_src_caps(harness, codes(GRAY));
        check_push(harness, 24, 24);
        gst_harness_push_event(harness, gst_event_new_flush_start());
        gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
        gst_harness_push_event(harness, gst_event_new_segment(&segment));
        check_push(harness, 24, 24);
        g_assert_cmpuint(gst_harness_query_latency(harness), ==, 0);
        gst_element_set_state(harness->element, GST_STATE_NULL);
    }
    gst_harness_play(harness);
    gst_harness_set_src_caps(harness, codes(GRAY));
    check_push(harness, 24, 24);
    g_assert_true(gst_harness_push_event(harness, gst_event_new_eos()));
    while (pull_event(harness) != GST_EVENT_EOS)
        ;
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    frames_free_harness(harness, bus);
}

int main(int argc, char **argv)
{
    int result;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    save_models();
    g_test_add_func("/aedecode/frames", test_frames);
    g_test_add_func("/aedecode/formats", test_formats);
    g_test_add_func("/aedecode/refusals", test_refusals);
    g_test_add_func("/aedecode/downstream", test_downstream);
    g_test_add_func("/aedecode/labels", test_labels);
    g_test_add_func("/aedecode/changes", test_changes);
    g_test_add_func("/aedecode/stream", test_stream);
    result = g_test_run();
    models_end();
    return result;
}
