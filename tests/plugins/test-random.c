/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random pipelines of all elements, with random properties, caps, states,
 * seeks and events, must neither crash nor hang nor make GLib critical. Errors
 * are fine.
 *
 *   [AE_NETWORKS=FOLDER] test-random [COUNT [SEED]]
 *
 * FOLDER has the networks of tests/core/networks/named, for aedenoise and
 * aesuperres. Pipeline SEED is the first one (1), COUNT (500) the number of
 * pipelines. A pipeline depends on its seed alone; one that fails says it, with
 * its line. */
#include <gst/gst.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 60 }; /* seconds that a pipeline may take */

static GRand *dice;
static char *folder;
static GString *line; /* of the pipeline, for failures */
static int seed;

static int below(int n)
{
    return g_rand_int_range(dice, 0, n);
}

static gboolean one_in(int n)
{
    return below(n) == 0;
}

#define PICK(list) list[below((int)G_N_ELEMENTS(list))]

/* Texts for the properties of that name; others of type string stay. */
static const char *text_for(const char *name)
{
    static const struct {
        const char *name, *texts[9];
    } known[] = {
        {"noise",
         {"none", "gaussian:sd=0..0.3", "camera:gain=0.02,spread=1",
          "jpeg:quality=20", "salt-pepper:p=0.2", "gaussian:sd=-1", "pink", "",
          "uniform:width=0.5|none"}},
        {"model",
         {"light", "medium", "medium-int8", "superres2", "superres3", "vae",
          "none", "", "superres2-compressed"}},
        {"architecture",
         {"keras", "dense", "vae", "unet-xs", "superres-s", "lstm", "linear",
          "none", "conv-vae"}},
        {"latent",
         {"0", "0.5,-1", "1,2,3", "", "nan,1", "x", "1e9,0", ",", "0,0"}},
        {"initial-model",
         {"light", "vae", "none", "", "medium", "superres2", "vae", "light",
          "/"}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return PICK(known[i].texts);
    return NULL;
}

/* The largest number that does not make a test slow. */
static double most_for(const char *name)
{
    static const struct {
        const char *name;
        double most;
    } known[] = {
        {"threads", 4},
        {"hidden-size", 40},
        {"latent-size", 20},
        {"batch-size", 8},
        {"shuffle-buffer", 20},
        {"patch-size", 33},
        {"columns", 5},
        {"rows", 5},
        {"patches-per-frame", 3},
        {"num-buffers", 12},
        {"epochs", 3},
        {"frames-per-step", 9},
        {"classes", 12},
        {"max-steps", 4},
        {"scale", 4},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].most;
    return 1000;
}

static double draw(const char *name, double least, double most)
{
    double high = MIN(most, most_for(name));

    if (one_in(4))
        return one_in(2) ? MAX(least, -1000) : high;
    return g_rand_double_range(dice, MAX(least, -1000), high + 1e-9);
}

/* A random value of a property as text; NULL: it stays. */
static char *value_for(const GParamSpec *spec)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (G_IS_PARAM_SPEC_BOOLEAN(spec))
        return g_strdup(one_in(2) ? "true" : "false");
    if (G_IS_PARAM_SPEC_ENUM(spec)) {
        GEnumClass *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;

        return g_strdup(klass->values[below((int)klass->n_values)].value_nick);
    }
    if (G_IS_PARAM_SPEC_INT(spec))
        return g_strdup_printf(
            "%d", (int)draw(spec->name, G_PARAM_SPEC_INT(spec)->minimum,
                            G_PARAM_SPEC_INT(spec)->maximum));
    if (G_IS_PARAM_SPEC_UINT(spec))
        return g_strdup_printf(
            "%u", (unsigned)draw(spec->name, G_PARAM_SPEC_UINT(spec)->minimum,
                                 G_PARAM_SPEC_UINT(spec)->maximum));
    if (G_IS_PARAM_SPEC_UINT64(spec))
        return g_strdup_printf("%d", (int)draw(spec->name, 0, 1000));
    if (G_IS_PARAM_SPEC_FLOAT(spec))
        return g_strdup(g_ascii_dtostr(
            number, sizeof number,
            draw(spec->name, (double)G_PARAM_SPEC_FLOAT(spec)->minimum,
                 (double)G_PARAM_SPEC_FLOAT(spec)->maximum)));
    if (G_IS_PARAM_SPEC_STRING(spec) && text_for(spec->name) != NULL)
        return g_strdup_printf("\"%s\"", text_for(spec->name));
    return NULL;
}

static gboolean is_settable(const GParamSpec *spec)
{
    static const char *const others[] = {"name",     "parent",  "blocksize",
                                         "typefind", "is-live", "do-timestamp",
                                         NULL};

    return (spec->flags & G_PARAM_WRITABLE) != 0 &&
           !g_strv_contains(others, spec->name);
}

/* " NAME=VALUE" of some properties. */
static void append_properties(const char *factory)
{
    g_autoptr(GstElement) element =
        gst_object_ref_sink(gst_element_factory_make(factory, NULL));
    static const char *const networks[] = {
        "fastdvdnet", "recurrent", "ffdnet", "drunet", "waifu2x-upconv7",
        "mae",        "espcn",     "edsr",   "warp",   "style"};
    guint n;
    g_autofree GParamSpec **specs =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);

    g_string_append(line, factory);
    for (guint i = 0; i < n; i++) {
        g_autofree char *value =
            is_settable(specs[i]) && one_in(5) ? value_for(specs[i]) : NULL;

        if (value != NULL)
            g_string_append_printf(line, " %s=%s", specs[i]->name, value);
    }
    if ((strcmp(factory, "aedenoise") == 0 ||
         strcmp(factory, "aesuperres") == 0) &&
        g_getenv("AE_NETWORKS") != NULL && one_in(3))
        g_string_append_printf(line, " model-file=%s/%s.onnx",
                               g_getenv("AE_NETWORKS"), PICK(networks));
    if (strcmp(factory, "aetrain") == 0 && one_in(2))
        g_string_append_printf(line, " model-file=%s/m%d.onnx", folder,
                               below(3));
}

static void append_caps(void)
{
    static const char *const formats[] = {
        "GRAY8",     "I420",      "RGB",       "NV12",      "YUY2", "AYUV",
        "I420_10LE", "RGBA",      "GRAY16_LE", "P010_10LE", "Y444", "GBRA",
        "xBGR",      "I422_12LE", "A420",      "YV12",      "RGB16"};
    static const char *const modes[] = {
        "", ",interlace-mode=interleaved,field-order=top-field-first",
        ",interlace-mode=mixed"};

    g_string_append_printf(
        line, "video/x-raw,format=%s,width=%d,height=%d,framerate=%d/%d%s",
        PICK(formats), 1 + below(70), 1 + below(60), below(4) * 10,
        1 + below(3), one_in(4) ? PICK(modes) : "");
}

static void append_source(void)
{
    if (one_in(3)) {
        append_properties("vaesample");
        g_string_append(line, " ! ");
        return;
    }
    if (one_in(4)) {
        append_properties("idxsrc");
        g_string_append_printf(line, " location=%s/%s.idx ! ", folder,
                               one_in(3) ? "labels" : "images");
        return;
    }
    /* The larger patterns divide by the width minus one. */
    g_string_append_printf(line, "videotestsrc pattern=%d num-buffers=%d ! ",
                           below(4), 1 + below(12));
    append_caps();
    g_string_append(line, " ! ");
}

static void make_line(void)
{
    static const char *const filters[] = {"aedenoise", "aesuperres",
                                          "aenoise",   "aedenoise",
                                          "aetrain",   "aeencode ! aedecode"};
    int n = 1 + below(3);

    g_string_truncate(line, 0);
    append_source();
    for (int i = 0; i < n; i++) {
        g_auto(GStrv) names = g_strsplit(PICK(filters), " ! ", 2);

        if (one_in(3))
            g_string_append(line, "queue ! ");
        for (char **name = names; *name != NULL; name++) {
            append_properties(*name);
            g_string_append(line, " ! ");
        }
        if (one_in(3))
            g_string_append(line, "videoconvert ! ");
    }
    if (one_in(6))
        g_string_append(line, "c.sink videotestsrc num-buffers=4 ! c.reference "
                              "aecompare name=c ! ");
    g_string_append(line, "fakesink name=sink sync=false");
}

static void change_property(GstElement *pipeline)
{
    g_autoptr(GstIterator) elements =
        gst_bin_iterate_elements(GST_BIN(pipeline));
    g_auto(GValue) item = G_VALUE_INIT;

    for (int skip = below(4);
         gst_iterator_next(elements, &item) == GST_ITERATOR_OK; skip--) {
        GObject *element = g_value_get_object(&item);
        guint n;
        g_autofree GParamSpec **specs =
            g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);
        GParamSpec *spec = specs[below((int)n)];
        g_autofree char *value =
            skip <= 0 && is_settable(spec) ? value_for(spec) : NULL;

        if (value != NULL &&
            g_str_has_prefix(G_OBJECT_TYPE_NAME(element), "GstAe"))
            gst_util_set_object_arg(element, spec->name,
                                    g_strdelimit(value, "\"", ' '));
        g_value_reset(&item);
    }
}

/* Always with a flush: without one a seek waits for a sink that is paused. */
static void seek(GstElement *pipeline)
{
    gint64 start = (gint64)below(2000) * GST_MSECOND;

    gst_element_seek(pipeline, one_in(3) ? -1 : 1, GST_FORMAT_TIME,
                     GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, start,
                     GST_SEEK_TYPE_SET,
                     start + (gint64)below(1000) * GST_MSECOND);
}

/* Events of downstream. Those of applications that have to wait for the stream
 * (EOS, flushes without a seek) block where the sink is paused. */
static void send_event(GstElement *pipeline)
{
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");

    if (one_in(2))
        gst_element_send_event(sink, gst_event_new_reconfigure());
    else
        gst_element_send_event(
            sink, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5,
                                    (GstClockTimeDiff)below(100) * GST_MSECOND,
                                    (GstClockTime)below(500) * GST_MSECOND));
}

static void act(GstElement *pipeline)
{
    static const GstState states[] = {GST_STATE_PLAYING, GST_STATE_PAUSED,
                                      GST_STATE_READY, GST_STATE_NULL,
                                      GST_STATE_PLAYING};

    switch (below(5)) {
    case 0:
        change_property(pipeline);
        break;
    case 1:
        seek(pipeline);
        break;
    case 2:
        send_event(pipeline);
        break;
    default:
        gst_element_set_state(pipeline, PICK(states));
        gst_element_get_state(pipeline, NULL, NULL,
                              (GstClockTime)below(30) * GST_MSECOND);
    }
}

static void run_pipeline(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GstElement) pipeline = NULL;

    make_line();
    pipeline = gst_parse_launch(line->str, &error);
    if (pipeline == NULL)
        return;
    gst_object_ref_sink(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    gst_element_get_state(pipeline, NULL, NULL, 30 * GST_MSECOND);
    for (int i = below(5); i > 0; i--)
        act(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
}

static void die(int signal)
{
    char text[64];
    int n =
        g_snprintf(text, sizeof text, "\nseed %d, signal %d: ", seed, signal);

    if (write(2, text, (size_t)n) < 0 || write(2, line->str, line->len) < 0 ||
        write(2, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

static void write_idx(const char *name, const char *header, gsize size, int n)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)header, (guint)size);
    for (int i = 0; i < n; i++) {
        guint8 byte = (guint8)(i % 7);

        g_byte_array_append(bytes, &byte, 1);
    }
    g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 500;
    int first = argc > 2 ? atoi(argv[2]) : 1;
    static const int signals[] = {SIGSEGV, SIGABRT, SIGTRAP,
                                  SIGALRM, SIGFPE,  SIGBUS};

    gst_init(NULL, NULL);
    gst_debug_set_default_threshold(GST_LEVEL_NONE);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        signal(signals[i], die);
    folder = g_dir_make_tmp("ae-random-XXXXXX", NULL);
    write_idx("images.idx", "\0\0\10\3\0\0\0\5\0\0\0\34\0\0\0\34", 16, 5 * 784);
    write_idx("labels.idx", "\0\0\10\1\0\0\0\5", 8, 5);
    line = g_string_new(NULL);
    for (seed = first; seed < first + count; seed++) {
        dice = g_rand_new_with_seed((guint32)seed);
        alarm(PATIENCE);
        run_pipeline();
        alarm(0);
        g_rand_free(dice);
    }
    g_print("%d random pipelines\n", count);
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);

    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    return 0;
}
