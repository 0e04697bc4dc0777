/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vaesample
 * @title: vaesample
 *
 * Sends images that the decoder of an autoencoder makes from codes: random
 * ones, a walk between random ones, the sheet of a plane of codes, or a journey
 * along one value after the other. A frame depends on the properties and its
 * number alone: the same seed gives the same stream, and seeking shows the
 * frame of that time.
 *
 * The size of frames is that of the model's images, times `columns` and `rows`
 * with `mode=grid`; a videoscale makes others. Frames of a conditional model
 * carry their label as #GstCustomMeta "GstAeLabelMeta".
 *
 * What does not fit the model (a label, a code of another length) is an error
 * at the start; while playing it is a warning, and all stays as it was.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 vaesample model-file=clothes.onnx mode=walk num-buffers=90 !
 * videoconvert ! autovideosink
 * ]|
 */
#include "elements.h"
#include "gstaecodes.h"
#include "gstaedecoder.h"
#include "gstaeerror.h"
#include "gstaeframesrc.h"
#include "gstaelabel.h"
#include "gstaepixels.h"
#include "gstaeproperties.h"

#include <math.h>

#define RANDOM_LABEL (-1)
#define MAX_BATCH 64        /* images of a grid that are decoded at once */
#define MAX_SIZE G_MAXINT16 /* of a frame's side */

GST_DEBUG_CATEGORY_STATIC(vae_sample_debug);
#define GST_CAT_DEFAULT vae_sample_debug

typedef struct {
    GstAeModelSettings model;
    GstAeCodes codes;
    int label;          /* or RANDOM_LABEL */
    const char *latent; /* NULL or "": none */
    gboolean is_live;
} Settings;

/* A model that is ready to decode; counted by g_rc_box. */
typedef struct {
    GstAeModel *model;
    GstAeDecoder *decoder;
} Runner;

/* All that frames are made with. */
typedef struct {
    Runner *runner;
    GstAeCodes codes;
    int label;
    float *given; /* the property `latent`, or NULL */
    float *code, *work;
} Sampler;

typedef struct {
    GstAeFrameSrc parent;

    /* Under the object lock. */
    Settings settings;
    gboolean changed; /* since the streaming thread has looked */
    gboolean reload;  /* so has what the model depends on */
    GstCaps *caps;    /* of frames; NULL before the start */

    Sampler *sampler; /* of the streaming thread; from start to stop */
} GstVaeSample;

typedef GstAeFrameSrcClass GstVaeSampleClass;

GType gst_vae_sample_get_type(void);
G_DEFINE_TYPE(GstVaeSample, gst_vae_sample, GST_TYPE_AE_FRAME_SRC)
GST_ELEMENT_REGISTER_DEFINE(vaesample, "vaesample", GST_RANK_NONE,
                            gst_vae_sample_get_type())

#define FIELD(name) G_STRUCT_OFFSET(GstVaeSample, settings.name)
#define PLAYING .flags = GST_PARAM_MUTABLE_PLAYING
#define CONTROLLABLE .flags = GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstVaeSample, settings.model),
    {"mode", "Mode", "Which codes are decoded", G_TYPE_ENUM, FIELD(codes.mode),
     .number = GST_AE_CODES_RANDOM, .get_type = gst_ae_codes_mode_get_type,
     PLAYING},
    {"seed", "Seed", "Chooses the random codes and labels", G_TYPE_UINT64,
     FIELD(codes.seed), PLAYING},
    {"temperature", "Temperature", "Standard deviation of random codes",
     G_TYPE_FLOAT, FIELD(codes.temperature), .number = 1, .maximum = 100,
     CONTROLLABLE},
    {"frames-per-step", "Frames per step",
     "Frames from one random code to the next (walk), or for each value "
     "(traverse)",
     G_TYPE_UINT, FIELD(codes.frames_per_step), .number = 30, .minimum = 1,
     .maximum = G_MAXINT, PLAYING},
    {"range-min", "Range minimum",
     "First value of the top row, the left column (grid) and a journey "
     "(traverse)",
     G_TYPE_FLOAT, FIELD(codes.range_min), .number = -2, .minimum = -1000,
     .maximum = 1000, CONTROLLABLE},
    {"range-max", "Range maximum",
     "Last value of the bottom row, the right column (grid) and a journey "
     "(traverse)",
     G_TYPE_FLOAT, FIELD(codes.range_max), .number = 2, .minimum = -1000,
     .maximum = 1000, CONTROLLABLE},
    {"columns", "Columns",
     "Images side by side (grid): the code's second value", G_TYPE_UINT,
     FIELD(codes.columns), .number = 10, .minimum = 1, .maximum = 1000,
     PLAYING},
    {"rows", "Rows", "Images below each other (grid): the code's first value",
     G_TYPE_UINT, FIELD(codes.rows), .number = 10, .minimum = 1,
     .maximum = 1000, PLAYING},
    {"label", "Label",
     "Label of every frame, for conditional models; -1: a random one for each "
     "frame, or for each step (walk, traverse)",
     G_TYPE_INT, FIELD(label), .number = RANDOM_LABEL, .minimum = RANDOM_LABEL,
     .maximum = G_MAXINT, CONTROLLABLE},
    {"latent", "Latent",
     "A code as numbers with commas between them: decoded in every frame "
     "(random, walk), or the values that stay (grid, traverse)",
     G_TYPE_STRING, FIELD(latent), PLAYING},
    {"is-live", "Live", "Send each frame when its time has come",
     G_TYPE_BOOLEAN, FIELD(is_live), .flags = GST_PARAM_MUTABLE_READY},
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                        ", " GST_AE_YUV_FORMATS " }")));

static void settings_clear(Settings *settings)
{
    gst_ae_model_settings_clear(&settings->model);
    g_free((char *)settings->latent);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Settings, settings_clear)

/* With the object lock held. */
static Settings settings_copy(const Settings *from)
{
    Settings copy = *from;

    copy.model = gst_ae_model_settings_copy(&from->model);
    copy.latent = g_strdup(from->latent);
    return copy;
}

static void runner_clear(gpointer data)
{
    Runner *runner = data;

    gst_ae_decoder_free(runner->decoder);
    if (runner->model != NULL)
        gst_ae_model_unref(runner->model);
}

static void runner_release(Runner *runner)
{
    g_rc_box_release_full(runner, runner_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_release)

static int batch_of(const GstAeCodes *codes)
{
    return MIN(gst_ae_codes_columns(codes) * gst_ae_codes_rows(codes),
               MAX_BATCH);
}

static Runner *runner_new(const Settings *settings, GError **error)
{
    g_autoptr(Runner) runner = g_rc_box_new0(Runner);
    const GstAeModelSettings *model = &settings->model;

    runner->model = gst_ae_model_load(model->model_file, model->model,
                                      model->precision, error);
    if (runner->model == NULL)
        return NULL;
    runner->decoder =
        gst_ae_decoder_new(runner->model, NULL, batch_of(&settings->codes),
                           (int)model->threads, model->precision, error);
    return runner->decoder != NULL ? g_steal_pointer(&runner) : NULL;
}

static void sampler_free(Sampler *sampler)
{
    if (sampler == NULL)
        return;
    runner_release(sampler->runner);
    g_free(sampler->given);
    g_free(sampler->code);
    g_free(sampler->work);
    g_free(sampler);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sampler, sampler_free)

/* How many finite numbers @text holds, separated by commas; -1: not only such.
 * The first @size of them go to @target. */
static int parse_numbers(const char *text, float *target, int size)
{
    for (int n = 0;; text++) {
        char *end;
        double number = g_ascii_strtod(text, &end);

        if (end == text || !isfinite((float)number))
            return -1;
        if (n < size)
            target[n] = (float)number;
        n++;
        text = end + strspn(end, " ");
        if (*text == '\0')
            return n;
        if (*text != ',')
            return -1;
    }
}

static gboolean take_latent(Sampler *sampler, const char *text, GError **error)
{
    int size = gst_ae_decoder_size(sampler->runner->decoder), n;

    if (text == NULL || *text == '\0')
        return TRUE;
    sampler->given = g_new(float, (gsize)size);
    n = parse_numbers(text, sampler->given, size);
    if (n == size)
        return TRUE;
    if (n < 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent=%s, where numbers with commas between them were "
                    "expected",
                    text);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent holds %d numbers, but the code of model '%s' has "
                    "%d",
                    n, sampler->runner->model->label, size);
    return FALSE;
}

static gboolean check_label(const Sampler *sampler, GError **error)
{
    const GstAeModel *model = sampler->runner->model;
    int classes = gst_ae_decoder_classes(sampler->runner->decoder);

    if (sampler->label == RANDOM_LABEL)
        return TRUE;
    if (classes > 0)
        return gst_ae_label_choose(model, classes, sampler->label, NULL,
                                   error) >= 0;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "the property label is %d, but model '%s' takes no label",
                sampler->label, model->label);
    return FALSE;
}

static gboolean check_grid(const Sampler *sampler, GError **error)
{
    const GstAeDecoder *decoder = sampler->runner->decoder;
    int columns = gst_ae_codes_columns(&sampler->codes);
    int rows = gst_ae_codes_rows(&sampler->codes);
    int width = gst_ae_decoder_width(decoder);
    int height = gst_ae_decoder_height(decoder);

    if (columns * width > MAX_SIZE || rows * height > MAX_SIZE) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "%d columns and %d rows of images of %dx%d make a frame "
                    "that is larger than %dx%d",
                    columns, rows, width, height, MAX_SIZE, MAX_SIZE);
        return FALSE;
    }
    if (sampler->codes.mode != GST_AE_CODES_GRID ||
        gst_ae_decoder_size(decoder) >= 2)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "mode=grid needs codes of 2 values or more, but that of model "
                "'%s' has 1",
                sampler->runner->model->label);
    return FALSE;
}

/* Takes @runner, which may be NULL with @error set. */
static Sampler *sampler_new(const Settings *settings, Runner *runner,
                            GError **error)
{
    g_autoptr(Sampler) sampler = NULL;
    gsize size;

    if (runner == NULL)
        return NULL;
    sampler = g_new0(Sampler, 1);
    sampler->runner = runner;
    sampler->codes = settings->codes;
    sampler->label = settings->label;
    size = (gsize)gst_ae_decoder_size(runner->decoder);
    sampler->code = g_new(float, size);
    sampler->work = g_new(float, size);
    if (!take_latent(sampler, settings->latent, error) ||
        !check_label(sampler, error) || !check_grid(sampler, error))
        return NULL;
    return g_steal_pointer(&sampler);
}

static void settings_changed(GstElement *element, const char *name)
{
    static const char *const of_model[] = {"model-file", "model", "threads",
                                           "precision", NULL};
    GstVaeSample *self = (GstVaeSample *)element;
    gboolean is_live;

    GST_OBJECT_LOCK(self);
    self->changed = TRUE;
    self->reload |= g_strv_contains(of_model, name);
    is_live = self->settings.is_live;
    GST_OBJECT_UNLOCK(self);
    if (strcmp(name, "is-live") == 0)
        gst_base_src_set_live(GST_BASE_SRC(self), is_live);
}

/* The runner in use, if it still does. */
static Runner *reuse(const GstVaeSample *self, const Settings *settings,
                     gboolean reload)
{
    const Sampler *sampler = self->sampler;

    if (sampler == NULL || reload ||
        batch_of(&sampler->codes) != batch_of(&settings->codes))
        return NULL;
    return g_rc_box_acquire(sampler->runner);
}

static void take_settings(GstVaeSample *self, Settings *settings,
                          gboolean *reload)
{
    GST_OBJECT_LOCK(self);
    *settings = settings_copy(&self->settings);
    *reload = self->reload;
    self->changed = self->reload = FALSE;
    GST_OBJECT_UNLOCK(self);
}

/* A model that did not work is tried again with the next change. */
static void keep_reload(GstVaeSample *self, gboolean reload)
{
    GST_OBJECT_LOCK(self);
    self->reload |= reload;
    GST_OBJECT_UNLOCK(self);
}

/* Goes over to changed settings; if they do not work, all stays as it was. */
static gboolean apply_settings(GstVaeSample *self, GError **error)
{
    g_auto(Settings) settings = {{0}};
    Runner *runner;
    Sampler *sampler;
    gboolean reload;

    take_settings(self, &settings, &reload);
    runner = reuse(self, &settings, reload);
    if (runner == NULL)
        runner = runner_new(&settings, error);
    sampler = sampler_new(&settings, runner, error);
    if (sampler == NULL) {
        keep_reload(self, reload);
        return FALSE;
    }
    sampler_free(self->sampler);
    self->sampler = sampler;
    return TRUE;
}

/* TRUE if frames are not what they were. */
static gboolean update_caps(GstVaeSample *self)
{
    const Sampler *sampler = self->sampler;
    GstCaps *caps = gst_ae_decoder_caps(sampler->runner->decoder,
                                        gst_ae_codes_columns(&sampler->codes),
                                        gst_ae_codes_rows(&sampler->codes));
    gboolean differs;

    GST_OBJECT_LOCK(self);
    differs = self->caps == NULL || !gst_caps_is_equal(caps, self->caps);
    gst_caps_take(&self->caps, caps);
    GST_OBJECT_UNLOCK(self);
    return differs;
}

static gboolean stop(GstBaseSrc *src)
{
    GstVaeSample *self = (GstVaeSample *)src;

    g_clear_pointer(&self->sampler, sampler_free);
    GST_OBJECT_LOCK(self);
    gst_clear_caps(&self->caps);
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean start(GstBaseSrc *src)
{
    GstVaeSample *self = (GstVaeSample *)src;
    g_autoptr(GError) error = NULL;

    GST_BASE_SRC_CLASS(gst_vae_sample_parent_class)->start(src);
    if (apply_settings(self, &error)) {
        update_caps(self);
        return TRUE;
    }
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

static GstCaps *get_caps(GstBaseSrc *src, GstCaps *filter)
{
    GstVaeSample *self = (GstVaeSample *)src;
    g_autoptr(GstCaps) caps = NULL;

    GST_OBJECT_LOCK(self);
    if (self->caps != NULL)
        caps = gst_caps_ref(self->caps);
    GST_OBJECT_UNLOCK(self);
    if (caps == NULL)
        caps = gst_pad_get_pad_template_caps(src->srcpad);
    if (filter != NULL)
        return gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
    return g_steal_pointer(&caps);
}

/* Luma has the full range that the model's samples have. */
static GstCaps *fixate(GstBaseSrc *src, GstCaps *caps)
{
    GstVideoInfo info;

    caps = GST_BASE_SRC_CLASS(gst_vae_sample_parent_class)->fixate(src, caps);
    if (gst_video_info_from_caps(&info, caps) && GST_VIDEO_INFO_IS_YUV(&info) &&
        !gst_structure_has_field(gst_caps_get_structure(caps, 0),
                                 "colorimetry"))
        gst_caps_set_simple(caps, "colorimetry", G_TYPE_STRING, "1:4:0:0",
                            NULL);
    return caps;
}

/* Downstream's pool of buffers, or one of our own. */
static gboolean decide_allocation(GstBaseSrc *src, GstQuery *query)
{
    GstVideoInfo info;
    GstCaps *caps;
    GstBufferPool *pool;
    GstStructure *config;

    gst_query_parse_allocation(query, &caps, NULL);
    if (gst_query_get_n_allocation_pools(query) == 0 &&
        gst_video_info_from_caps(&info, caps)) {
        pool = gst_video_buffer_pool_new();
        config = gst_buffer_pool_get_config(pool);
        gst_buffer_pool_config_set_params(config, caps, (guint)info.size, 0, 0);
        gst_buffer_pool_set_config(pool, config);
        gst_query_add_allocation_pool(query, pool, (guint)info.size, 0, 0);
        gst_object_unref(pool);
    }
    return GST_BASE_SRC_CLASS(gst_vae_sample_parent_class)
        ->decide_allocation(src, query);
}

/* Takes over what has been set since the last frame. FALSE: downstream does
 * not want the new caps. */
static gboolean refresh(GstVaeSample *self)
{
    g_autoptr(GError) error = NULL;
    gboolean changed;

    GST_OBJECT_LOCK(self);
    changed = self->changed;
    GST_OBJECT_UNLOCK(self);
    if (!changed)
        return TRUE;
    if (!apply_settings(self, &error)) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
        return TRUE;
    }
    return !update_caps(self) || gst_base_src_negotiate(GST_BASE_SRC(self));
}

/* Images @first, @first + 1, ... of the frame, as many as the model takes. */
static void decode_some(const Sampler *sampler, guint64 number, int label,
                        int first, int n, GstVideoFrame *frame)
{
    GstAeDecoder *decoder = sampler->runner->decoder;
    int columns = gst_ae_codes_columns(&sampler->codes);

    for (int i = 0; i < n; i++) {
        gst_ae_codes_make(&sampler->codes, number, first + i, sampler->given,
                          gst_ae_decoder_size(decoder), sampler->code,
                          sampler->work);
        gst_ae_decoder_set_code(decoder, i, sampler->code);
        if (label >= 0)
            gst_ae_decoder_set_label(decoder, i, label);
    }
    gst_ae_decoder_run(decoder);
    for (int i = 0; i < n; i++)
        gst_ae_decoder_write(
            decoder, i, frame,
            (first + i) % columns * gst_ae_decoder_width(decoder),
            (first + i) / columns * gst_ae_decoder_height(decoder));
}

static void decode_frame(const Sampler *sampler, guint64 number, int label,
                         GstVideoFrame *frame)
{
    int batch = gst_ae_decoder_batch(sampler->runner->decoder);
    int n = gst_ae_codes_columns(&sampler->codes) *
            gst_ae_codes_rows(&sampler->codes);

    gst_ae_decoder_clear(frame);
    for (int first = 0; first < n; first += batch)
        decode_some(sampler, number, label, first, MIN(batch, n - first),
                    frame);
}

/* -1: the model takes none. */
static int choose_label(const Sampler *sampler, guint64 number)
{
    int classes = gst_ae_decoder_classes(sampler->runner->decoder);

    if (classes == 0)
        return -1;
    if (sampler->label != RANDOM_LABEL)
        return sampler->label;
    return gst_ae_codes_label(&sampler->codes, number, classes);
}

static GstFlowReturn make(GstAeFrameSrc *src, guint64 number,
                          GstBuffer **buffer)
{
    GstVaeSample *self = (GstVaeSample *)src;
    GstClockTime time = gst_ae_frame_src_time(src, number);
    GstVideoFrame frame;
    GstFlowReturn result;
    int label;

    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(self), time);
    if (!refresh(self))
        return GST_FLOW_NOT_NEGOTIATED;
    result = GST_BASE_SRC_CLASS(gst_vae_sample_parent_class)
                 ->alloc(GST_BASE_SRC(src), GST_BUFFER_OFFSET_NONE,
                         (guint)src->info.size, buffer);
    if (result != GST_FLOW_OK)
        return result;
    if (!gst_video_frame_map(&frame, &src->info, *buffer, GST_MAP_WRITE)) {
        gst_clear_buffer(buffer);
        GST_ELEMENT_ERROR(self, RESOURCE, WRITE,
                          ("A buffer of downstream cannot be written to."),
                          (NULL));
        return GST_FLOW_ERROR;
    }
    label = choose_label(self->sampler, number);
    decode_frame(self->sampler, number, label, &frame);
    gst_video_frame_unmap(&frame);
    if (label >= 0)
        gst_ae_label_attach(*buffer, label);
    return GST_FLOW_OK;
}

/* Properties have been set by now, or hold nothing. */
static void constructed(GObject *object)
{
    G_OBJECT_CLASS(gst_vae_sample_parent_class)->constructed(object);
    if (((GstVaeSample *)object)->settings.model.model == NULL)
        g_object_set(object, "model", "vae", NULL);
}

static void gst_vae_sample_class_init(GstVaeSampleClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base = GST_BASE_SRC_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(vae_sample_debug, "vaesample", 0,
                            "Samples of autoencoders");
    gst_type_mark_as_plugin_api(GST_TYPE_AE_CODES_MODE, 0);
    gst_type_mark_as_plugin_api(GST_TYPE_AE_PRECISION, 0);
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), settings_changed);
    G_OBJECT_CLASS(klass)->constructed = constructed;
    gst_element_class_set_static_metadata(
        element, "Autoencoder sampler", "Source/Video",
        "Makes images from codes with the decoder of an autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &src_template);
    base->start = start;
    base->stop = stop;
    base->get_caps = get_caps;
    base->fixate = fixate;
    base->decide_allocation = decide_allocation;
    klass->make = make;
}

static void gst_vae_sample_init(GstVaeSample *self)
{
}
