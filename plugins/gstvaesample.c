/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vaesample
 * @title: vaesample
 *
 * Sends images that the decoder of an autoencoder makes from codes: random
 * codes, a walk between random codes, a sheet over two values of the code, or
 * one value after the other from its least to its greatest. A frame depends on
 * the properties and its number alone: the same seed gives the same stream, and
 * seeking shows the frame of that time.
 *
 * Frames are as large as the model's images, with `mode=grid` times `columns`
 * and `rows`, or times as many as downstream has room for; a videoscale makes
 * other sizes. Frames of a conditional model carry their label as
 * #GstCustomMeta "GstAeLabelMeta".
 *
 * A label or a code that does not fit the model is an error at the start. While
 * the element plays it is a warning, and the old settings stay in use.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 vaesample mode=walk num-buffers=90 ! videoconvert !
 * autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaecodec.h"
#include "gstaeerror.h"
#include "gstaeframesrc.h"
#include "gstaelabel.h"
#include "gstaepicture.h"

GST_DEBUG_CATEGORY_STATIC(vae_sample_debug);
#define GST_CAT_DEFAULT vae_sample_debug

#define MAX_SIZE G_MAXINT16 /* of a frame's side */
#define DEFAULT_COUNT 10    /* of columns or rows that nobody decides */

typedef struct {
    GstAeFrameSrc parent;

    /* Under the object lock. */
    GstAeModelSettings settings;
    AeSheetOptions options;
    gboolean is_live;
    gboolean changed; /* settings have, since the streaming thread looked */
    gboolean reload;  /* settings that the model depends on have */
    GstCaps *caps;    /* of frames; NULL before the start */

    /* Of the streaming thread; from start to stop. */
    GstAeModel *model;
    AeCodec *decoder;
    int batch; /* that the decoder was made for */
    AeSheet *sheet;
} GstVaeSample;

typedef GstAeFrameSrcClass GstVaeSampleClass;

GType gst_vae_sample_get_type(void);
G_DEFINE_TYPE(GstVaeSample, gst_vae_sample, GST_TYPE_AE_FRAME_SRC)
GST_ELEMENT_REGISTER_DEFINE(vaesample, "vaesample", GST_RANK_NONE,
                            gst_vae_sample_get_type())

#define GST_TYPE_AE_CODES_MODE (gst_ae_codes_mode_get_type())
static GType gst_ae_codes_mode_get_type(void)
{
    static const GEnumValue values[] = {
        {AE_PATH_RANDOM, "A random code for each frame", "random"},
        {AE_PATH_WALK, "From one random code to the next", "walk"},
        {AE_PATH_GRID, "A sheet over the first two values", "grid"},
        {AE_PATH_TRAVERSE, "Over one value after the other", "traverse"},
        {0}};
    static gsize type;

    return gst_ae_enum_type(&type, "GstAeCodesMode", values);
}

#define FIELD(name) G_STRUCT_OFFSET(GstVaeSample, options.name)
#define PLAYING .flags = GST_PARAM_MUTABLE_PLAYING
#define CONTROLLABLE .flags = GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstVaeSample, settings, "vae"),
    {"mode", "Mode", "Path of the codes through the latent space", G_TYPE_ENUM,
     FIELD(path.mode), .number = AE_PATH_RANDOM,
     .get_type = gst_ae_codes_mode_get_type, PLAYING},
    {"seed", "Seed", "Seed of the random codes and labels", G_TYPE_UINT64,
     FIELD(path.seed), PLAYING},
    {"temperature", "Temperature", "Standard deviation of random codes",
     G_TYPE_FLOAT, FIELD(path.temperature), .number = 1, .maximum = 100,
     CONTROLLABLE},
    {"frames-per-step", "Frames per step",
     "Frames from one random code to the next (walk), or for each value "
     "(traverse)",
     G_TYPE_UINT, FIELD(path.frames_per_step), .number = 30, .minimum = 1,
     .maximum = G_MAXINT, PLAYING},
    {"range-min", "Range minimum",
     "Value of the top row and the left column (grid), or where each value of "
     "the code starts (traverse)",
     G_TYPE_FLOAT, FIELD(path.range_min), .number = -2, .minimum = -1000,
     .maximum = 1000, CONTROLLABLE},
    {"range-max", "Range maximum",
     "Value of the bottom row and the right column (grid), or where each value "
     "of the code ends (traverse)",
     G_TYPE_FLOAT, FIELD(path.range_max), .number = 2, .minimum = -1000,
     .maximum = 1000, CONTROLLABLE},
    {"columns", "Columns",
     "Images side by side (grid), along the code's second value; 0: as many as "
     "fit the width that downstream asks for, else 10",
     G_TYPE_UINT, FIELD(path.columns), .maximum = 1000, PLAYING},
    {"rows", "Rows",
     "Images below each other (grid), along the code's first value; 0: as many "
     "as fit the height that downstream asks for, else 10",
     G_TYPE_UINT, FIELD(path.rows), .maximum = 1000, PLAYING},
    {"label", "Label",
     "Label of every frame, for conditional models; -1: a random one for each "
     "frame, or for each step (walk, traverse)",
     G_TYPE_INT, FIELD(label), .number = AE_SHEET_RANDOM_LABEL,
     .minimum = AE_SHEET_RANDOM_LABEL, .maximum = G_MAXINT, CONTROLLABLE},
    {"latent", "Latent",
     "A code, as numbers with commas between them: every frame decodes it "
     "(random, walk), or it gives the values that do not change (grid, "
     "traverse)",
     G_TYPE_STRING, FIELD(latent), PLAYING},
    {"is-live", "Live", "Act as a live source: send each frame at its time",
     G_TYPE_BOOLEAN, G_STRUCT_OFFSET(GstVaeSample, is_live),
     .flags = GST_PARAM_MUTABLE_READY},
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_RGB_FORMATS
                                        ", " GST_AE_YUV_FORMATS " }")));

static void settings_changed(GstElement *element, const char *name)
{
    static const char *const of_model[] = {"model-file", "model", "threads",
                                           "precision", NULL};
    GstVaeSample *self = (GstVaeSample *)element;
    gboolean is_live;

    GST_OBJECT_LOCK(self);
    self->changed = TRUE;
    self->reload |= g_strv_contains(of_model, name);
    is_live = self->is_live;
    GST_OBJECT_UNLOCK(self);
    if (strcmp(name, "is-live") == 0)
        gst_base_src_set_live(GST_BASE_SRC(self), is_live);
}

static gboolean check_size(const AeCodec *decoder, const AePath *path,
                           GError **error)
{
    const AeShape image = ae_codec_image(decoder, 0).shape;
    int columns = ae_path_columns(path), rows = ae_path_rows(path);
    int width = (int)image.dim[3], height = (int)image.dim[2];

    if (columns * width <= MAX_SIZE && rows * height <= MAX_SIZE)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "%d columns and %d rows of images of %dx%d make a frame that "
                "is larger than %dx%d",
                columns, rows, width, height, MAX_SIZE, MAX_SIZE);
    return FALSE;
}

/* A model, and its decoder for @batch codes at once. */
static gboolean load(const GstAeModelSettings *settings, int batch,
                     GstAeModel **model, AeCodec **decoder, GError **error)
{
    const AeCodecOptions options = {.batch = batch,
                                    .threads = (int)settings->threads,
                                    .precision = settings->precision};

    *model = gst_ae_model_load(settings->model_file, settings->model,
                               settings->precision, error);
    if (*model == NULL)
        return FALSE;
    *decoder = ae_decoder_new((*model)->model, &options, error);
    if (*decoder == NULL)
        g_prefix_error(error, "%s: ", (*model)->label);
    return *decoder != NULL;
}

static void unload(GstVaeSample *self)
{
    g_clear_pointer(&self->sheet, ae_sheet_free);
    g_clear_pointer(&self->decoder, ae_codec_free);
    g_clear_pointer(&self->model, gst_ae_model_unref);
}

/* A sheet of the decoder in use, or of a new one if @reload says so or another
 * number of codes is to be decoded at once. */
static gboolean use(GstVaeSample *self, const GstAeModelSettings *settings,
                    const AeSheetOptions *options, gboolean reload,
                    GError **error)
{
    g_autoptr(GstAeModel) model = NULL;
    g_autoptr(AeCodec) decoder = NULL;
    int batch = ae_sheet_batch(&options->path);
    AeSheet *sheet;

    reload |= self->decoder == NULL || batch != self->batch;
    if (reload && !load(settings, batch, &model, &decoder, error))
        return FALSE;
    if (!check_size(reload ? decoder : self->decoder, &options->path, error))
        return FALSE;
    sheet = ae_sheet_new(reload ? decoder : self->decoder, options, error);
    if (sheet == NULL) {
        g_prefix_error(error, "%s: ", (reload ? model : self->model)->label);
        return FALSE;
    }
    if (reload) {
        GST_INFO_OBJECT(self, "uses model %s, %d codes at once", model->label,
                        ae_codec_batch(decoder));
        unload(self);
        self->decoder = g_steal_pointer(&decoder);
        self->model = g_steal_pointer(&model);
        self->batch = batch;
    }
    ae_sheet_free(self->sheet);
    self->sheet = sheet;
    return TRUE;
}

/* Goes over to changed settings. If they do not work, the old ones stay in use,
 * and the next change tries the model again. */
static gboolean apply_settings(GstVaeSample *self, GError **error)
{
    g_auto(GstAeModelSettings) settings = {0};
    g_autofree char *latent = NULL;
    AeSheetOptions options;
    gboolean reload;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    options = self->options;
    options.latent = latent = g_strdup(self->options.latent);
    reload = self->reload;
    self->changed = self->reload = FALSE;
    GST_OBJECT_UNLOCK(self);
    if (use(self, &settings, &options, reload, error))
        return TRUE;
    GST_OBJECT_LOCK(self);
    self->reload |= reload;
    GST_OBJECT_UNLOCK(self);
    return FALSE;
}

/* As many images of @size as a side has room for. */
static void set_any_count(GstCaps *caps, const char *field, int size)
{
    g_auto(GValue) range = G_VALUE_INIT;
    int most = MAX_SIZE / size * size;

    if (most == size) {
        gst_caps_set_simple(caps, field, G_TYPE_INT, size, NULL);
        return;
    }
    g_value_init(&range, GST_TYPE_INT_RANGE);
    gst_value_set_int_range_step(&range, size, most, size);
    gst_caps_set_value(caps, field, &range);
}

/* What frames can be: of any size where the user leaves columns or rows open.
 */
static GstCaps *make_caps(const GstVaeSample *self)
{
    const AeShape image = ae_codec_image(self->decoder, 0).shape;
    int columns = ae_path_columns(ae_sheet_path(self->sheet));
    int rows = ae_path_rows(ae_sheet_path(self->sheet));
    GstCaps *caps = gst_ae_codec_frames(self->decoder, columns, rows);

    if (columns == 0)
        set_any_count(caps, "width", (int)image.dim[3]);
    if (rows == 0)
        set_any_count(caps, "height", (int)image.dim[2]);
    return caps;
}

/* TRUE if frames now have other caps. */
static gboolean update_caps(GstVaeSample *self)
{
    GstCaps *caps = make_caps(self);
    gboolean differs;

    GST_OBJECT_LOCK(self);
    differs = self->caps == NULL || !gst_caps_is_equal(caps, self->caps);
    gst_caps_take(&self->caps, caps);
    GST_OBJECT_UNLOCK(self);
    GST_DEBUG_OBJECT(self, "frames %s",
                     differs ? "change" : "stay as they are");
    return differs;
}

static gboolean stop(GstBaseSrc *src)
{
    GstVaeSample *self = (GstVaeSample *)src;

    unload(self);
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

static GstCaps *made_caps(GstAeFrameSrc *src)
{
    GstVaeSample *self = (GstVaeSample *)src;
    GstCaps *caps = NULL;

    GST_OBJECT_LOCK(self);
    if (self->caps != NULL)
        caps = gst_caps_ref(self->caps);
    GST_OBJECT_UNLOCK(self);
    return caps;
}

/* Luma has the full range that the model's samples have. */
static GstCaps *fixate(GstBaseSrc *src, GstCaps *caps)
{
    const AeShape image =
        ae_codec_image(((GstVaeSample *)src)->decoder, 0).shape;
    GstStructure *structure;
    GstVideoInfo info;

    caps = gst_caps_make_writable(gst_caps_truncate(caps));
    structure = gst_caps_get_structure(caps, 0);
    gst_structure_fixate_field_nearest_int(structure, "width",
                                           DEFAULT_COUNT * (int)image.dim[3]);
    gst_structure_fixate_field_nearest_int(structure, "height",
                                           DEFAULT_COUNT * (int)image.dim[2]);
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

/* Goes over to settings that changed since the last frame. FALSE: downstream
 * refuses the new caps. */
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

static gboolean is_flushing(void *pad)
{
    return GST_PAD_IS_FLUSHING(pad);
}

static GstFlowReturn make(GstAeFrameSrc *src, guint64 number,
                          GstBuffer **buffer)
{
    GstVaeSample *self = (GstVaeSample *)src;
    GstClockTime time = gst_ae_frame_src_time(src, number);
    GstVideoFrame frame;
    AePicture picture;
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
    if (!gst_ae_picture_map_new(GST_ELEMENT(self), &frame, &src->info,
                                *buffer)) {
        gst_clear_buffer(buffer);
        return GST_FLOW_ERROR;
    }
    picture = gst_ae_picture_of_frame(&frame);
    ae_sheet_draw(self->sheet, number, &picture, is_flushing,
                  GST_BASE_SRC_PAD(src));
    gst_video_frame_unmap(&frame);
    label = ae_sheet_label(self->sheet, number);
    GST_LOG_OBJECT(self, "drew frame %" G_GUINT64_FORMAT ", label %d", number,
                   label);
    if (label >= 0)
        gst_ae_label_attach(*buffer, label);
    return GST_FLOW_OK;
}

static void gst_vae_sample_class_init(GstVaeSampleClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base = GST_BASE_SRC_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(vae_sample_debug, "vaesample", 0,
                            "Samples of autoencoders");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), settings_changed);
    gst_element_class_set_static_metadata(
        element, "Autoencoder sampler", "Source/Video",
        "Makes images from codes with the decoder of an autoencoder",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &src_template);
    base->start = start;
    base->stop = stop;
    base->fixate = fixate;
    base->decide_allocation = decide_allocation;
    klass->make = make;
    klass->made_caps = made_caps;
    klass->category = vae_sample_debug;
}

static void gst_vae_sample_init(GstVaeSample *self G_GNUC_UNUSED)
{
}
