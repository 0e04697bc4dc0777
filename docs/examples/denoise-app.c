/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A camera, or any other source, denoised in an application of one's own:
 *
 *     denoise-app [--source LINE] [--sink LINE] [MODEL...]
 *
 * Return changes to the next MODEL while the video plays. */
#include <glib-unix.h>
#include <gst/gst.h>
#include <unistd.h>

static char *source = "videotestsrc is-live=true", *sink = "autovideosink";
static char **models;
static const GOptionEntry options[] = {
    {"source", 0, 0, G_OPTION_ARG_STRING, &source, "e.g. v4l2src", "LINE"},
    {"sink", 0, 0, G_OPTION_ARG_STRING, &sink, "where video goes", "LINE"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &models, NULL, NULL},
    {0}};
static GMainLoop *loop;
static int status;

/* Errors end the stream; after a warning it goes on: a model that cannot be
 * loaded while playing leaves the old one in use. */
static gboolean on_message(GstBus *bus G_GNUC_UNUSED, GstMessage *message,
                           void *data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message, &error, NULL);
        status = 1;
        g_main_loop_quit(loop);
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
        gst_message_parse_warning(message, &error, NULL);
    } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
        g_main_loop_quit(loop);
    }
    if (error != NULL)
        g_printerr("%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
    return G_SOURCE_CONTINUE;
}

static gboolean on_key(int fd, GIOCondition condition G_GNUC_UNUSED,
                       void *denoise)
{
    static guint pressed;
    const char *model;
    char line[256];

    if (read(fd, line, sizeof line) <= 0)
        return G_SOURCE_REMOVE;
    model = models[++pressed % g_strv_length(models)];
    g_print("model %s\n", model);
    g_object_set(denoise, "model", model, NULL);
    return G_SOURCE_CONTINUE;
}

static GstElement *new_pipeline(GError **error)
{
    g_autofree char *line = g_strdup_printf(
        "%s ! videoconvert ! queue leaky=downstream max-size-buffers=2 ! "
        "aedenoise name=denoise ! queue max-size-buffers=2 ! videoconvert ! %s",
        source, sink);

    return gst_parse_launch(line, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("[MODEL...]");
    g_autoptr(GstElement) pipeline = NULL, denoise = NULL;
    g_autoptr(GstStructure) stats = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GstBus) bus = NULL;

    gst_init(&argc, &argv);
    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error))
        pipeline = new_pipeline(&error);
    if (error != NULL) { /* there may be a part of a pipeline nevertheless */
        g_printerr("%s\n", error->message);
        return 1;
    }
    loop = g_main_loop_new(NULL, FALSE);
    denoise = gst_bin_get_by_name(GST_BIN(pipeline), "denoise");
    bus = gst_element_get_bus(pipeline);
    gst_bus_add_watch(bus, on_message, NULL);
    if (models != NULL) {
        g_object_set(denoise, "model", models[0], NULL);
        g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_key, denoise);
    }
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_main_loop_run(loop);
    g_object_get(denoise, "stats", &stats, NULL);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_println("%" GST_PTR_FORMAT, (void *)stats);
    return status;
}
