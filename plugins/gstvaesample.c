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
 * with `mode=grid`, or as many as downstream has room for; a videoscale makes
 * others. Frames of a conditional model
 * carry their label as #GstCustomMeta "GstAeLabelMeta".
 *
 * What does not fit the model (a label, a code of another length) is an error
 * at the start; while playing it is a warning, and all stays as it was.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 vaesample mode=walk num-buffers=90 ! videoconvert !
 * autovideosink
 * ]|
 */
#include "elements.h"
#include "gstaeerror.h"
#include "gstaeframesrc.h"
#include "gstaelabel.h"
#include "gstaepixels.h"
#include "gstaeproperties.h"
#include "gstaesheet.h"

GST_DEBUG_CATEGORY_STATIC(vae_sample_debug);
#define GST_CAT_DEFAULT vae_sample_debug

typedef struct {
    GstAeFrameSrc parent;

    /* Under the object lock. */
    GstAeSheetSettings settings;
    gboolean is_live;
    gboolean changed; /* since the streaming thread has looked */
    gboolean reload;  /* so has what the model depends on */
    GstCaps *caps;    /* of frames; NULL before the start */

    GstAeSheet *sheet; /* of the streaming thread; from start to stop */
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
    GST_AE_MODEL_PROPERTIES(GstVaeSample, settings.model, "vae"),
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
     "Images side by side (grid): the code's second value; 0: as the width has "
     "room for that downstream asks for, or else 10",
     G_TYPE_UINT, FIELD(codes.columns), .maximum = 1000, PLAYING},
    {"rows", "Rows",
     "Images below each other (grid): the code's first value; 0: as the height "
     "has room for that downstream asks for, or else 10",
     G_TYPE_UINT, FIELD(codes.rows), .maximum = 1000, PLAYING},
    {"label", "Label",
     "Label of every frame, for conditional models; -1: a random one for each "
     "frame, or for each step (walk, traverse)",
     G_TYPE_INT, FIELD(label), .number = GST_AE_SHEET_RANDOM_LABEL,
     .minimum = GST_AE_SHEET_RANDOM_LABEL, .maximum = G_MAXINT, CONTROLLABLE},
    {"latent", "Latent",
     "A code as numbers with commas between them: decoded in every frame "
     "(random, walk), or the values that stay (grid, traverse)",
     G_TYPE_STRING, FIELD(latent), PLAYING},
    {"is-live", "Live", "Send each frame when its time has come",
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

static void take_settings(GstVaeSample *self, GstAeSheetSettings *settings,
                          gboolean *reload)
{
    GST_OBJECT_LOCK(self);
    *settings = gst_ae_sheet_settings_copy(&self->settings);
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
    g_auto(GstAeSheetSettings) settings = {{0}};
    GstAeSheet *sheet;
    gboolean reload;

    take_settings(self, &settings, &reload);
    sheet = gst_ae_sheet_new(&settings, reload ? NULL : self->sheet, error);
    if (sheet == NULL) {
        keep_reload(self, reload);
        return FALSE;
    }
    gst_ae_sheet_free(self->sheet);
    self->sheet = sheet;
    return TRUE;
}

/* TRUE if frames are not what they were. */
static gboolean update_caps(GstVaeSample *self)
{
    GstCaps *caps = gst_ae_sheet_caps(self->sheet);
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

    g_clear_pointer(&self->sheet, gst_ae_sheet_free);
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

    caps = gst_caps_make_writable(gst_caps_truncate(caps));
    gst_ae_sheet_fixate(((GstVaeSample *)src)->sheet,
                        gst_caps_get_structure(caps, 0));
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
    /* Padding, too, is the same on every run. */
    gst_buffer_memset(*buffer, 0, 0, gst_buffer_get_size(*buffer));
    if (!gst_video_frame_map(&frame, &src->info, *buffer, GST_MAP_WRITE)) {
        gst_clear_buffer(buffer);
        GST_ELEMENT_ERROR(self, RESOURCE, WRITE,
                          ("A buffer of downstream cannot be written to."),
                          (NULL));
        return GST_FLOW_ERROR;
    }
    gst_ae_sheet_draw(self->sheet, number, &frame, GST_BASE_SRC_PAD(src));
    gst_video_frame_unmap(&frame);
    label = gst_ae_sheet_label(self->sheet, number);
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
    base->get_caps = get_caps;
    base->fixate = fixate;
    base->decide_allocation = decide_allocation;
    klass->make = make;
}

static void gst_vae_sample_init(GstVaeSample *self)
{
}
