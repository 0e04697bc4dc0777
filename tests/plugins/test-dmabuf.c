/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source that offers memory:DMABuf first and system memory after it, as
 * cameras and hardware decoders do: with every element that reads video it
 * settles on system memory, and a frame goes through. */
#include <gst/base/gstpushsrc.h>

#define FRAME "format=GRAY8,width=28,height=28,framerate=25/1"

enum { FRAME_SIZE = 28 * 28 };

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-raw(memory:DMABuf)," FRAME ";video/x-raw," FRAME));

typedef GstPushSrc Source;
typedef GstPushSrcClass SourceClass;

G_DEFINE_TYPE(Source, source, GST_TYPE_PUSH_SRC)

static GstFlowReturn fill(GstPushSrc *source G_GNUC_UNUSED, GstBuffer *buffer)
{
    gst_buffer_memset(buffer, 0, 128, FRAME_SIZE);
    GST_BUFFER_PTS(buffer) = 0;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    return GST_FLOW_OK;
}

static void source_class_init(SourceClass *klass)
{
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "Source", "Source",
                                          "Offers DMABuf", "gst-autoencoder");
    klass->fill = fill;
}

static void source_init(Source *self)
{
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
    g_object_set(self, "blocksize", FRAME_SIZE, "num-buffers", 1, NULL);
}

static GstElement *new_pipeline(const char *element)
{
    g_autofree char *description =
        g_strdup_printf("dmabufsrc name=source ! %s", element);
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(description, &error);

    g_assert_no_error(error);
    return pipeline;
}

static void wait_for_end(GstElement *pipeline)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
}

static void assert_system_memory(GstElement *pipeline)
{
    g_autoptr(GstElement) source =
        gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_autoptr(GstPad) pad = gst_element_get_static_pad(source, "src");
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);

    g_assert_nonnull(caps);
    g_assert_true(
        gst_caps_features_is_equal(gst_caps_get_features(caps, 0),
                                   GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
}

static void test_offered_first(void)
{
    static const char *const elements[] = {
        "aedenoise model=light ! fakesink",
        "aesuperres ! fakesink",
        "aenoise ! fakesink",
        "aeencode ! fakesink",
        "aetrain batch-size=1",
        "tee name=t ! queue ! aecompare name=c ! fakesink "
        "t. ! queue ! c.reference",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(elements); i++) {
        g_autoptr(GstElement) pipeline = new_pipeline(elements[i]);

        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        wait_for_end(pipeline);
        assert_system_memory(pipeline);
        gst_element_set_state(pipeline, GST_STATE_NULL);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    gst_element_register(NULL, "dmabufsrc", GST_RANK_NONE, source_get_type());
    g_test_add_func("/dmabuf/offered-first", test_offered_first);
    return g_test_run();
}
