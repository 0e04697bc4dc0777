/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* aeencode through GstHarness: codes are those that the core makes of the same
 * image; caps, labels, seeds; what does not fit is refused in a sentence. */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "frames.h"
#include "models.h"
#include "plan/training.h"
#include "model/build.h"
#include "base/random.h"

static void save_network(const char *name, const char *architecture,
                         int channels, int classes)
{
    AeArchitectureOptions options = {
        .channels = channels, .classes = classes, .seed = 3};
    GError *error = NULL;
    AeModel *model = ae_architecture_new(architecture, &options, &error);

    g_assert_no_error(error);
    models_save(model, name);
}

/* An encoder alone, whose code is its output. */
static void save_half(void)
{
    g_autofree char *path = models_path("keras");
    g_autoptr(AeModel) whole = ae_onnx_load(path, NULL);
    AeModel *half =
        ae_model_cut(whole, NULL, ae_model_get(whole, "ae.latent"), NULL);

    ae_model_set(half, "ae.latent", ae_model_get(whole, "ae.latent"));
    models_save(half, "half");
}

static void save_with(const char *name, const char *from, const char *key,
                      const char *value)
{
    g_autofree char *path = models_path(from);
    AeModel *model = ae_onnx_load(path, NULL);

    ae_model_set(model, key, value);
    models_save(model, name);
}

static void save_models(void)
{
    models_begin("aeencode");
    save_network("keras", "keras", 1, 0);
    save_network("rgb", "keras", 3, 0);
    save_network("dense", "dense", 1, 0);
    save_network("vae", "vae", 1, 0);
    save_network("labelled", "vae", 1, 10);
    save_network("any", "keras-denoise", 1, 0);
    save_network("unet", "unet-xs", 1, 0);
    save_half();
    save_with("nowhere", "keras", "ae.latent", "nowhere");
    save_with("decoder", "keras", "ae.latent", "image");
    save_with("classes", "labelled", "ae.classes", "11");
    save_with("range", "keras", "ae.range", "wide");
}

/* The element. */

static GstHarness *new_harness(const char *model, const char *output,
                               GstBus **bus)
{
    g_autofree char *path = models_path(model);
    GstElement *element = gst_element_factory_make("aeencode", NULL);

    g_assert_nonnull(element);
    g_object_set(element, "model-file", path, "threads", 2, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "output", output);
    return frames_put_in_harness(element, bus);
}

static void set_caps(GstHarness *harness, GstVideoInfo *info,
                     const char *format, int width, int height)
{
    gst_video_info_set_format(info, gst_video_format_from_string(format),
                              (guint)width, (guint)height);
    info->fps_n = 25;
    info->fps_d = 1;
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(info));
}

static guint8 sample(int c, int x, int y)
{
    return (guint8)(13 * x + 29 * y + 71 * c + x * y);
}

static void fill(GstBuffer *buffer, const GstVideoInfo *info)
{
    GstVideoFrame frame;

    gst_video_frame_map(&frame, info, buffer, GST_MAP_WRITE);
    for (int c = 0; c < (int)GST_VIDEO_FRAME_N_COMPONENTS(&frame); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                ((guint8 *)GST_VIDEO_FRAME_COMP_DATA(
                    &frame, c))[y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) +
                                x * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c)] =
                    sample(c, x, y);
    gst_video_frame_unmap(&frame);
}

static GstBuffer *new_frame(const GstVideoInfo *info)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);

    gst_buffer_memset(buffer, 0, 200, info->size);
    fill(buffer, info);
    GST_BUFFER_PTS(buffer) = GST_SECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    return buffer;
}

/* Rows wider than the caps say, as GstVideoMeta tells. */
static GstBuffer *new_padded_frame(const GstVideoInfo *info)
{
    GstVideoInfo wide = *info;
    GstVideoAlignment padding;
    GstBuffer *buffer;

    gst_video_alignment_reset(&padding);
    padding.padding_right = 5;
    padding.padding_left = 3;
    gst_video_info_align(&wide, &padding);
    buffer = gst_buffer_new_allocate(NULL, wide.size, NULL);
    gst_buffer_memset(buffer, 0, 200, wide.size);
    gst_buffer_add_video_meta_full(
        buffer, 0, GST_VIDEO_INFO_FORMAT(info),
        (guint)GST_VIDEO_INFO_WIDTH(info), (guint)GST_VIDEO_INFO_HEIGHT(info),
        GST_VIDEO_INFO_N_PLANES(info), wide.offset, wide.stride);
    fill(buffer, info);
    return buffer;
}

static void attach_label(GstBuffer *buffer, int label)
{
    GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, "GstAeLabelMeta");

    gst_structure_set(gst_custom_meta_get_structure(meta), "label", G_TYPE_INT,
                      label, NULL);
}

/* What the core makes of an image of @channels: the values that the metadata
 * @keys name, one after the other. */

static int reflected(int i, int n)
{
    return i < n ? i : 2 * (n - 1) - i;
}

static void fill_image(float *image, int channels, int width, int height,
                       int padded_width, int padded_height)
{
    for (int y = 0; y < padded_height; y++)
        for (int x = 0; x < padded_width; x++)
            for (int c = 0; c < channels; c++)
                image[(y * padded_width + x) * channels + c] =
                    sample(c, reflected(x, width), reflected(y, height)) /
                    255.0f;
}

static GBytes *expected_code(const char *model, int channels, int width,
                             int height, int multiple, int classes, int label,
                             const char *const *keys, guint64 seed)
{
    g_autofree char *path = models_path(model);
    g_autoptr(AeModel) m = ae_onnx_load(path, NULL);
    int w = (width + multiple - 1) / multiple * multiple;
    int h = (height + multiple - 1) / multiple * multiple;
    AeShape shapes[] = {ae_shape(4, 1, channels, h, w),
                        ae_shape(2, 1, classes)};
    const char *names[2];
    AePlanOptions options = {
        .shapes = shapes, .n_inputs = classes > 0 ? 2 : 1, .outputs = names};
    GByteArray *all = g_byte_array_new();
    GError *error = NULL;

    for (; keys[options.n_outputs] != NULL; options.n_outputs++)
        names[options.n_outputs] = ae_model_get(m, keys[options.n_outputs]);
    g_autoptr(AePlan) plan = ae_plan_new(m, &options, &error);
    g_assert_no_error(error);
    fill_image(ae_plan_input(plan, 0), channels, width, height, w, h);
    if (classes > 0)
        ae_plan_input(plan, 1)[label] = 1;
    ae_plan_set_seed(plan, seed);
    ae_plan_run(plan);
    for (int i = 0; i < options.n_outputs; i++) {
        AeTensor tensor = {.shape = *ae_plan_output_shape(plan, i),
                           .data = (float *)ae_plan_output(plan, i)};
        guint size = (guint)ae_shape_elements(&tensor.shape) * sizeof(float);
        g_autofree float *row_major = g_malloc(size);
        ae_tensor_to_row_major(&tensor, row_major);
        g_byte_array_append(all, (guint8 *)row_major, size);
    }
    return g_byte_array_free_to_bytes(all);
}

static void check_content(GstBuffer *buffer, GBytes *expected)
{
    gsize size;
    const void *data = g_bytes_get_data(expected, &size);
    GstMapInfo map;

    gst_buffer_map(buffer, &map, GST_MAP_READ);
    g_assert_cmpmem(map.data, map.size, data, size);
    gst_buffer_unmap(buffer, &map);
}

static const char *const latent[] = {"ae.latent", NULL};
static const char *const mean[] = {"ae.mean", NULL};
static const char *const moments[] = {"ae.mean", "ae.log-variance", NULL};

#define TENSORS(n, types, dimensions)                                          \
    "other/tensors,format=static,num_tensors=" n ",types=(string)" types       \
    ",dimensions=(string)" dimensions ",framerate=25/1,"

static const struct {
    const char *model, *output, *format;
    int width, height;
    int channels, multiple, classes, label;
    const char *const *keys;
    const char *caps;
} cases[] = {
    {"keras", "mean", "GRAY8", 28, 28, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"keras", "sample", "I420", 28, 28, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"half", "mean", "YUY2", 28, 28, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"rgb", "mean", "RGB", 28, 28, 3, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"rgb", "mean", "BGRx", 28, 28, 3, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"rgb", "mean", "GBRA", 28, 28, 3, 1, 0, 0, latent,
     TENSORS("1", "float32", "4:4:8:1")},
    {"dense", "mean", "NV12", 28, 28, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "2:1:1:1")},
    {"vae", "mean", "GRAY8", 28, 28, 1, 1, 0, 0, mean,
     TENSORS("1", "float32", "2:1:1:1")},
    {"vae", "sample", "GRAY8", 28, 28, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "2:1:1:1")},
    {"vae", "moments", "GRAY8", 28, 28, 1, 1, 0, 0, moments,
     TENSORS("2", "\"float32,float32\"", "\"2:1:1:1,2:1:1:1\"")},
    {"labelled", "mean", "GRAY8", 28, 28, 1, 1, 10, 7, mean,
     TENSORS("1", "float32", "2:1:1:1")},
    {"any", "mean", "GRAY8", 32, 20, 1, 1, 0, 0, latent,
     TENSORS("1", "float32", "8:5:32:1")},
    {"any", "mean", "GRAY8", 33, 21, 1, 4, 0, 0, latent,
     TENSORS("1", "float32", "9:6:32:1")},
};

static void check_caps(GstHarness *harness, const char *text)
{
    g_autoptr(GstCaps) expected = gst_caps_from_string(text);
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(harness->sinkpad);

    g_autofree char *found = gst_caps_to_string(caps);

    g_test_message("%s", found);
    g_assert_true(gst_caps_is_equal(caps, expected));
}

static void check_case(size_t i, gboolean padded)
{
    const char *text = cases[i].format;
    GstVideoInfo info;
    GstBus *bus;
    GstHarness *harness = new_harness(cases[i].model, cases[i].output, &bus);

    g_object_set(harness->element, "label", cases[i].label, "seed", (guint64)99,
                 NULL);
    gst_harness_play(harness);
    set_caps(harness, &info, text, cases[i].width, cases[i].height);
    GstBuffer *in = padded ? new_padded_frame(&info) : new_frame(&info);
    GstClockTime time = GST_BUFFER_PTS(in);
    g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
    g_autofree char *color = gst_video_colorimetry_to_string(&info.colorimetry);
    g_autofree char *caps = g_strdup_printf(
        "%sae-width=%d,ae-height=%d,ae-format=%s,pixel-aspect-ratio=1/1%s%s",
        cases[i].caps, cases[i].width, cases[i].height, text,
        color != NULL ? ",ae-colorimetry=" : "", color != NULL ? color : "");
    g_autoptr(GBytes) expected =
        expected_code(cases[i].model, cases[i].channels, cases[i].width,
                      cases[i].height, cases[i].multiple, cases[i].classes,
                      cases[i].label, cases[i].keys, ae_random_mix(99, 0));

    check_caps(harness, caps);
    g_assert_cmpuint(gst_buffer_n_memory(out), ==,
                     g_strv_length((char **)cases[i].keys));
    check_content(out, expected);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, time);
    frames_free_harness(harness, bus);
}

static void test_codes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        check_case(i, FALSE);
        check_case(i, TRUE);
    }
}

/* Draws of one frame and the next with a seed. */
static void draw(guint64 seed, float codes[4])
{
    GstVideoInfo info;
    GstBus *bus;
    GstHarness *harness = new_harness("vae", "sample", &bus);

    g_object_set(harness->element, "seed", seed, NULL);
    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GstBuffer) out =
            gst_harness_push_and_pull(harness, new_frame(&info));
        g_assert_cmpuint(gst_buffer_extract(out, 0, codes + 2 * i, 8), ==, 8);
    }
    frames_free_harness(harness, bus);
}

static void test_seed(void)
{
    float first[4], again[4], other[4];

    draw(1, first);
    draw(1, again);
    draw(2, other);
    g_assert_cmpmem(first, 16, again, 16);
    g_assert_cmpfloat(first[0], !=, first[2]);
    g_assert_cmpfloat(first[0], !=, other[0]);
    g_assert_cmpfloat(first[2], !=, other[2]);
}

static void test_labels(void)
{
    GstVideoInfo info;
    GstBus *bus;
    GstHarness *harness = new_harness("labelled", "mean", &bus);

    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    for (int label = 0; label < 10; label++) {
        GstBuffer *in = new_frame(&info);
        attach_label(in, label);
        g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
        g_autoptr(GBytes) expected =
            expected_code("labelled", 1, 28, 28, 1, 10, label, mean, 0);
        GstCustomMeta *meta = gst_buffer_get_custom_meta(out, "GstAeLabelMeta");
        int found = -1;

        check_content(out, expected);
        g_assert_nonnull(meta);
        gst_structure_get_int(gst_custom_meta_get_structure(meta), "label",
                              &found);
        g_assert_cmpint(found, ==, label);
    }
    frames_free_harness(harness, bus);
}

/* The property goes from label to label; frames are a second apart. */
static void test_label_controlled(void)
{
    GstVideoInfo info;
    GstBus *bus;
    GstHarness *harness = new_harness("labelled", "mean", &bus);

    frames_control(harness->element, "label", 2, 6);
    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    for (int i = 0; i <= 4; i++) {
        GstBuffer *in = new_frame(&info);

        GST_BUFFER_PTS(in) = (GstClockTime)i * 250 * GST_MSECOND;
        g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
        g_autoptr(GBytes) expected =
            expected_code("labelled", 1, 28, 28, 1, 10, 2 + i, mean, 0);
        check_content(out, expected);
    }
    frames_free_harness(harness, bus);
}

/* Through what stands before aeencode, or after it. */
static void test_labels_travel(void)
{
    static const char *const ways[] = {
        "queue",
        "videoconvert ! video/x-raw,format=RGB ! videoconvert",
        "videoscale ! video/x-raw,width=20,height=20 ! identity",
        "aenoise",
        "aedenoise threads=1",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        GstHarness *harness = gst_harness_new_parse(ways[i]);
        GstVideoInfo info;
        int label = -1;

        gst_harness_set_sink_caps_str(harness, "video/x-raw");
        set_caps(harness, &info, "GRAY8", 28, 28);
        GstBuffer *in = new_frame(&info);
        attach_label(in, 5);
        g_autoptr(GstBuffer) out = gst_harness_push_and_pull(harness, in);
        GstCustomMeta *meta = gst_buffer_get_custom_meta(out, "GstAeLabelMeta");
        g_assert_nonnull(meta);
        gst_structure_get_int(gst_custom_meta_get_structure(meta), "label",
                              &label);
        g_assert_cmpint(label, ==, 5);
        gst_harness_teardown(harness);
    }
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

static const struct {
    const char *model, *output, *format;
    int size, label;
    const char *says;
} refusals[] = {
    {"missing", "mean", "GRAY8", 28, -1, "missing.onnx"},
    {"unet", "mean", "GRAY8", 28, -1, "lack ae.latent"},
    {"nowhere", "mean", "GRAY8", 28, -1, "ae.latent=nowhere"},
    {"decoder", "mean", "GRAY8", 28, -1, "it is a decoder"},
    {"classes", "mean", "GRAY8", 28, -1, "ae.classes=11"},
    {"range", "mean", "GRAY8", 28, -1, "ae.range=wide"},
    {"keras", "moments", "GRAY8", 28, -1, "has no moments"},
    {"keras", "mean", "GRAY8", 32, -1, "images of 28x28, but this is 32x32"},
    {"keras", "mean", "RGB", 28, -1, "gray images or luma, but this is RGB"},
    {"rgb", "mean", "I420", 28, -1, "RGB, but this is I420"},
    {"labelled", "mean", "GRAY8", 28, -1, "wants a label from 0 to 9"},
    {"labelled", "mean", "GRAY8", 28, 10, "labels 0 to 9, but this frame's is"},
};

static void check_push(GstHarness *harness, const GstVideoInfo *info,
                       gsize size)
{
    g_autoptr(GstBuffer) out =
        gst_harness_push_and_pull(harness, new_frame(info));

    g_assert_nonnull(out);
    g_assert_cmpuint(gst_buffer_get_size(out), ==, size);
}

/* Forgets the messages. */
static void set_model(GstHarness *harness, GstBus *bus, const char *model,
                      const char *output)
{
    g_autofree char *path = models_path(model);

    gst_element_set_state(harness->element, GST_STATE_NULL);
    gst_bus_set_flushing(bus, TRUE);
    gst_bus_set_flushing(bus, FALSE);
    g_object_set(harness->element, "model-file", path, NULL);
    gst_util_set_object_arg(G_OBJECT(harness->element), "output", output);
    gst_element_set_state(harness->element, GST_STATE_PLAYING);
}

/* And a good model on the same element afterwards. */
static void test_refusals(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("dense", "mean", &bus);
    GstVideoInfo info;

    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        int size = refusals[i].size;

        g_object_set(harness->element, "label", refusals[i].label, NULL);
        set_model(harness, bus, refusals[i].model, refusals[i].output);
        set_caps(harness, &info, refusals[i].format, size, size);
        g_assert_cmpint(gst_harness_push(harness, new_frame(&info)), !=,
                        GST_FLOW_OK);
        check_text(bus, GST_MESSAGE_ERROR, refusals[i].says);

        set_model(harness, bus, "dense", "mean");
        set_caps(harness, &info, "GRAY8", 28, 28);
        check_push(harness, &info, 8);
    }
    frames_free_harness(harness, bus);
}

/* A frame whose caps never came. */
static void test_no_caps(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("dense", "mean", &bus);
    GstSegment segment;
    GstVideoInfo info;

    gst_harness_play(harness);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(harness, gst_event_new_stream_start("frames"));
    gst_harness_push_event(harness, gst_event_new_segment(&segment));
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, 28, 28);
    g_assert_cmpint(gst_harness_push(harness, new_frame(&info)), ==,
                    GST_FLOW_NOT_NEGOTIATED);
    frames_free_harness(harness, bus);
}

/* What the sink pad asks upstream for. */
static void test_offers(void)
{
    static const struct {
        const char *model, *filter, *answer;
    } offers[] = {
        {"keras", "video/x-raw,format={RGB,I420},width=[1,99]",
         "video/x-raw,format=I420,width=28,height=28"},
        {"rgb", "video/x-raw,format={RGB,I420},width=[1,99]",
         "video/x-raw,format=RGB,width=28,height=28"},
        {"any", "video/x-raw,format={RGB,I420},width=[1,99]",
         "video/x-raw,format=I420,width=[1,99],height=[1,max]"},
        {"keras", "video/x-raw,format={RGB,I420},width=32,height=32",
         "video/x-raw,format=I420,width=32,height=32"},
        {"keras", "video/x-raw,format=RGB,width=32,height=32",
         "video/x-raw,format=RGB,width=32,height=32"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
        g_autoptr(GstCaps) filter = gst_caps_from_string(offers[i].filter);
        g_autoptr(GstCaps) expected = gst_caps_from_string(offers[i].answer);
        GstBus *bus;
        GstHarness *harness = new_harness(offers[i].model, "mean", &bus);

        gst_harness_play(harness);
        g_autoptr(GstCaps) caps =
            gst_pad_peer_query_caps(harness->srcpad, filter);
        caps = gst_caps_make_writable(g_steal_pointer(&caps));
        gst_structure_remove_field(gst_caps_get_structure(caps, 0),
                                   "framerate");
        g_autofree char *found = gst_caps_to_string(caps);
        g_test_message("%s", found);
        g_assert_true(gst_caps_is_equal(caps, expected));
        frames_free_harness(harness, bus);
    }
}

static void test_downstream(void)
{
    GstBus *bus;
    GstHarness *harness = new_harness("dense", "mean", &bus);
    GstVideoInfo info;

    gst_harness_set_sink_caps_str(
        harness, "other/tensors,dimensions=(string)3:1:1:1,framerate=25/1");
    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    g_assert_cmpint(gst_harness_push(harness, new_frame(&info)), !=,
                    GST_FLOW_OK);
    g_autofree char *text = pop_text(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(text);
    g_assert_nonnull(strstr(text, "2:1:1:1"));
    g_assert_nonnull(strstr(text, "3:1:1:1"));

    /* nothing in common at all */
    gst_harness_set_sink_caps_str(harness, "other/tensors,format=flexible");
    g_autoptr(GstCaps) caps = gst_pad_peer_query_caps(harness->srcpad, NULL);
    g_assert_true(gst_caps_is_empty(caps));
    frames_free_harness(harness, bus);
}

/* Another model, and a wrong one, while frames come; another size. */
static void test_changes(void)
{
    g_autofree char *keras = models_path("keras"), *wrong = models_path("unet");
    g_autofree char *any = models_path("any");
    GstBus *bus;
    GstHarness *harness = new_harness("dense", "mean", &bus);
    GstVideoInfo info;

    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    check_push(harness, &info, 8);
    g_object_set(harness->element, "model-file", keras, NULL);
    check_push(harness, &info, 512);
    g_object_set(harness->element, "model-file", wrong, NULL);
    check_push(harness, &info, 512);
    check_text(bus, GST_MESSAGE_WARNING, "lack ae.latent");
    g_object_set(harness->element, "model-file", any, NULL);
    check_push(harness, &info, 7 * 7 * 32 * 4);
    set_caps(harness, &info, "GRAY8", 16, 4);
    check_push(harness, &info, 4 * 1 * 32 * 4);
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
    GstHarness *harness = new_harness("dense", "mean", &bus);
    GstVideoInfo info;

    gst_harness_set_upstream_latency(harness, 0);
    for (int cycle = 0; cycle < 3; cycle++) {
        gst_harness_play(harness);
        set_caps(harness, &info, "GRAY8", 28, 28);
        check_push(harness, &info, 8);
        gst_harness_push_event(harness, gst_event_new_flush_start());
        gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_harness_push_event(harness, gst_event_new_segment(&segment));
        check_push(harness, &info, 8);
        g_assert_cmpuint(gst_harness_query_latency(harness), ==, 0);
        gst_element_set_state(harness->element, GST_STATE_NULL);
    }
    gst_harness_play(harness);
    set_caps(harness, &info, "GRAY8", 28, 28);
    check_push(harness, &info, 8);
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
    g_test_add_func("/aeencode/codes", test_codes);
    g_test_add_func("/aeencode/seed", test_seed);
    g_test_add_func("/aeencode/labels", test_labels);
    g_test_add_func("/aeencode/label-controlled", test_label_controlled);
    g_test_add_func("/aeencode/labels-travel", test_labels_travel);
    g_test_add_func("/aeencode/refusals", test_refusals);
    g_test_add_func("/aeencode/no-caps", test_no_caps);
    g_test_add_func("/aeencode/offers", test_offers);
    g_test_add_func("/aeencode/downstream", test_downstream);
    g_test_add_func("/aeencode/changes", test_changes);
    g_test_add_func("/aeencode/stream", test_stream);
    result = g_test_run();
    models_end();
    return result;
}
