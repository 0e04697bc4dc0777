/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames through a model: life cycle, negotiation, QoS, statistics and the
 * exchange of models. What happens to a frame is in gstaevideoplan.c. */
#include "gstaevideo.h"

#include "gstaeerror.h"
#include "gstaenegotiate.h"
#include "gstaepixels.h"
#include "gstaescale.h"
#include "gstaetemporal.h"
#include "gstaevideoplan.h"

GST_DEBUG_CATEGORY_STATIC(gst_ae_video_debug);
#define GST_CAT_DEFAULT gst_ae_video_debug

#define LOOK_INTERVAL (G_USEC_PER_SEC / 2)

/* What frames go through. */
typedef struct {
    GstAeModel *model;
    int channels, scale;
    int threads;
    AePrecision precision;
    GstAeVideoPlan *plan;    /* NULL until the format is known */
    GstAeTemporal *temporal; /* NULL: not for this model or format */
} Runner;

struct GstAeVideoPrivate {
    Runner *runner;   /* of the streaming thread; set between start and stop */
    gint64 next_look; /* monotonic time when the file is looked at again */
    char *seen;       /* key of the file when it was looked at */

    /* All below: under the object lock. */
    gboolean started;
    guint request;         /* counts changes of the settings */
    Runner *replacement;   /* takes over with the next frame, or NULL */
    GstVideoInfo info;     /* of the stream; format unknown before caps */
    int channels, scale;   /* of the model in use, 0 before start */
    char *label;           /* of the model in use */
    GstClockTime earliest; /* running time from which frames are in time */
    guint64 frames, late;
    gint64 busy;    /* microseconds spent on frames */
    float measured; /* level of the noise in the last frame, or 0 */
};

/* A change of the settings, on its way to the thread that loads. */
typedef struct {
    guint number;
    GstAeModelSettings settings;
    GstVideoInfo info;
    int scale; /* that it must have; 0: any */
} Request;

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_AE_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_AE_CAPS));
static GstStaticCaps all_caps = GST_STATIC_CAPS(GST_AE_CAPS);
static GstStaticCaps rgb_caps = GST_STATIC_CAPS(GST_AE_RGB_CAPS);
static GstStaticCaps luma_caps = GST_STATIC_CAPS(GST_AE_LUMA_CAPS);

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(GstAeVideo, gst_ae_video,
                                    GST_TYPE_VIDEO_FILTER)

/* 0: frames keep their size. */
static int largest_scale(GstAeVideo *self)
{
    return GST_AE_VIDEO_GET_CLASS(self)->largest_scale;
}

static void runner_free(Runner *runner)
{
    if (runner == NULL)
        return;
    gst_ae_temporal_free(runner->temporal);
    gst_ae_video_plan_free(runner->plan);
    if (runner->model != NULL)
        gst_ae_model_unref(runner->model);
    g_free(runner);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_free)

/* Frames before can help a denoiser: what it takes away is noise, so the rest
 * of what changes is motion. */
static gboolean is_temporal(const Runner *runner, const GstVideoInfo *info)
{
    return runner->model->metadata.task == AE_TASK_DENOISE &&
           runner->scale == 1 && !GST_VIDEO_INFO_IS_INTERLACED(info);
}

/* Makes the runner ready for frames of @info; it stays as it was if that
 * fails. */
static gboolean runner_plan(Runner *runner, const GstVideoInfo *info,
                            GError **error)
{
    g_autoptr(GstAeVideoPlan) plan = NULL;
    GstAeTemporal *temporal = NULL;

    if (runner->plan != NULL && gst_ae_video_plan_fits(runner->plan, info))
        return TRUE;
    plan = gst_ae_video_plan_new(runner->model, info, runner->scale,
                                 runner->threads, runner->precision, error);
    if (plan == NULL)
        return FALSE;
    if (is_temporal(runner, info)) {
        temporal =
            gst_ae_temporal_new(info, gst_ae_video_plan_pool(plan), error);
        if (temporal == NULL)
            return FALSE;
    }
    gst_ae_temporal_free(runner->temporal);
    runner->temporal = temporal;
    gst_ae_video_plan_free(runner->plan);
    runner->plan = g_steal_pointer(&plan);
    return TRUE;
}

static gboolean is_known(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_FORMAT(info) != GST_VIDEO_FORMAT_UNKNOWN;
}

/* @scale: 0, the first one. Free. */
static char *default_name(GstAeVideo *self, int scale)
{
    const char *name = GST_AE_VIDEO_GET_CLASS(self)->default_model;

    if (largest_scale(self) == 0)
        return g_strdup(name);
    return g_strdup_printf("%s%d", name, MAX(scale, 2));
}

/* @scale: 0, any. */
static gboolean runner_check_scale(const Runner *runner, int scale,
                                   GError **error)
{
    if (scale == 0 || runner->scale == scale)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' makes images %d times as large, but %d times was "
                "asked for",
                runner->model->label, runner->scale, scale);
    return FALSE;
}

/* Learns how often larger the model makes frames, up to @largest. */
static gboolean runner_find_scale(Runner *runner, int largest, GError **error)
{
    runner->scale = 1;
    if (largest == 0)
        return TRUE;
    runner->scale = gst_ae_video_plan_scale(runner->model, error);
    if (runner->scale == 0)
        return FALSE;
    if (runner->scale >= 2 && runner->scale <= largest)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' makes images %d times as large, where 2 to %d "
                "times was expected",
                runner->model->label, runner->scale, largest);
    return FALSE;
}

/* With reload a file that is not there yet is no error. NULL: the name counts.
 */
static const char *file_to_load(GstAeVideo *self,
                                const GstAeModelSettings *settings)
{
    gboolean reload;

    GST_OBJECT_LOCK(self);
    reload = self->reload;
    GST_OBJECT_UNLOCK(self);
    if (reload && settings->model_file != NULL &&
        !g_file_test(settings->model_file, G_FILE_TEST_EXISTS))
        return NULL;
    return settings->model_file;
}

/* @info may be unknown; @scale: 0, as the model has it. */
static Runner *runner_new(GstAeVideo *self, const GstAeModelSettings *settings,
                          const GstVideoInfo *info, int scale, GError **error)
{
    g_autoptr(Runner) runner = g_new0(Runner, 1);
    g_autofree char *name = settings->model != NULL ? g_strdup(settings->model)
                                                    : default_name(self, scale);

    runner->threads = (int)settings->threads;
    runner->precision = settings->precision;
    runner->model = gst_ae_model_load(file_to_load(self, settings), name,
                                      settings->precision, error);
    if (runner->model == NULL)
        return NULL;
    runner->channels = gst_ae_video_plan_channels(runner->model, error);
    if (runner->channels == 0 ||
        !runner_find_scale(runner, largest_scale(self), error) ||
        !runner_check_scale(runner, scale, error))
        return NULL;
    if (is_known(info) && !runner_plan(runner, info, error))
        return NULL;
    return g_steal_pointer(&runner);
}

/* The streaming thread, or start(): @runner goes into use. */
static void use(GstAeVideo *self, Runner *runner)
{
    GstAeVideoPrivate *priv = self->priv;
    Runner *old = priv->runner;

    priv->runner = runner;
    GST_OBJECT_LOCK(self);
    priv->channels = runner->channels;
    priv->scale = runner->scale;
    g_free(priv->label);
    priv->label = g_strdup(runner->model->label);
    GST_OBJECT_UNLOCK(self);
    GST_INFO_OBJECT(self, "now using model '%s'", runner->model->label);
    runner_free(old);
}

static void request_free(void *data)
{
    Request *request = data;

    gst_ae_model_settings_clear(&request->settings);
    g_free(request);
}

/* Leaves @runner for the next frame, unless the settings have changed since:
 * then it comes back. */
static Runner *offer(GstAeVideo *self, Runner *runner, guint number)
{
    GstAeVideoPrivate *priv = self->priv;
    Runner *unused = runner;

    GST_OBJECT_LOCK(self);
    if (priv->started && priv->request == number) {
        unused = priv->replacement;
        priv->replacement = runner;
    }
    GST_OBJECT_UNLOCK(self);
    return unused;
}

static gboolean is_current(GstAeVideo *self, guint number)
{
    gboolean current;

    GST_OBJECT_LOCK(self);
    current = self->priv->started && self->priv->request == number;
    GST_OBJECT_UNLOCK(self);
    return current;
}

/* In a thread of its own. */
static void load_replacement(GstElement *element, void *data)
{
    GstAeVideo *self = GST_AE_VIDEO(element);
    Request *request = data;
    g_autoptr(GError) error = NULL;
    Runner *runner = runner_new(self, &request->settings, &request->info,
                                request->scale, &error);

    if (runner != NULL)
        runner_free(offer(self, runner, request->number));
    else if (is_current(self, request->number))
        gst_ae_post(element, GST_MESSAGE_WARNING, error);
}

static void settings_changed(GstElement *element,
                             const char *name G_GNUC_UNUSED)
{
    GstAeVideo *self = GST_AE_VIDEO(element);
    GstAeVideoPrivate *priv = self->priv;
    Runner *outdated = NULL;
    Request *request = NULL;

    GST_OBJECT_LOCK(self);
    if (priv->started) {
        outdated = g_steal_pointer(&priv->replacement);
        request = g_new0(Request, 1);
        request->number = ++priv->request;
        request->info = priv->info;
        request->settings = gst_ae_model_settings_copy(&self->settings);
        request->scale = is_known(&priv->info) ? priv->scale : (int)self->scale;
    }
    GST_OBJECT_UNLOCK(self);
    runner_free(outdated);
    if (request != NULL)
        gst_element_call_async(element, load_replacement, request,
                               request_free);
}

static Runner *steal_replacement(GstAeVideo *self)
{
    Runner *runner;

    GST_OBJECT_LOCK(self);
    runner = g_steal_pointer(&self->priv->replacement);
    GST_OBJECT_UNLOCK(self);
    return runner;
}

/* The frame that comes may have another format than the replacement was
 * planned for, and another scale. */
static void take_replacement(GstAeVideo *self)
{
    g_autoptr(Runner) runner = steal_replacement(self);
    g_autoptr(GError) error = NULL;
    int scale = self->priv->runner->scale;

    if (runner == NULL)
        return;
    if (runner_check_scale(runner, scale, &error) &&
        runner_plan(runner, &self->priv->info, &error))
        use(self, g_steal_pointer(&runner));
    else
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
}

/* Before frames change: their new size follows from the new model. */
static void use_replacement(GstAeVideo *self)
{
    Runner *runner = steal_replacement(self);

    if (runner != NULL)
        use(self, runner);
}

/* TRUE, and counted, if downstream could not show the frame any more. */
static gboolean is_late(GstAeVideo *self, GstBuffer *buffer)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;
    GstClockTime time = GST_CLOCK_TIME_NONE;
    gboolean late;

    if (segment->format == GST_FORMAT_TIME && GST_BUFFER_PTS_IS_VALID(buffer))
        time = gst_segment_to_running_time(segment, GST_FORMAT_TIME,
                                           GST_BUFFER_PTS(buffer));
    GST_OBJECT_LOCK(self);
    late = GST_CLOCK_TIME_IS_VALID(time) &&
           GST_CLOCK_TIME_IS_VALID(self->priv->earliest) &&
           time < self->priv->earliest;
    self->priv->late += late;
    GST_OBJECT_UNLOCK(self);
    return late;
}

static void set_earliest(GstAeVideo *self, GstClockTime earliest)
{
    GST_OBJECT_LOCK(self);
    self->priv->earliest = earliest;
    GST_OBJECT_UNLOCK(self);
}

/* The streaming thread: the next frame has nothing to do with those before. */
static void forget_frames(GstAeVideo *self)
{
    Runner *runner = self->priv->runner;

    if (runner != NULL && runner->temporal != NULL)
        gst_ae_temporal_reset(runner->temporal);
}

/* A frame that is not worth the model's time. */
static void pass(GstVideoFrame *out, const GstVideoFrame *in, int scale)
{
    if (scale > 1)
        gst_ae_pixels_enlarge(out, in, scale);
    else
        gst_ae_pixels_copy(out, in);
}

/* With reload, once in a while: takes over what somebody has written to the
 * model file. */
static void look_at_file(GstAeVideo *self)
{
    GstAeVideoPrivate *priv = self->priv;
    g_autofree char *path = NULL, *key = NULL;
    gint64 now = g_get_monotonic_time();

    if (now < priv->next_look)
        return;
    priv->next_look = now + LOOK_INTERVAL;
    GST_OBJECT_LOCK(self);
    if (self->reload)
        path = g_strdup(self->settings.model_file);
    GST_OBJECT_UNLOCK(self);
    key = path != NULL ? gst_ae_model_file_key(path) : NULL;
    if (key == NULL || g_strcmp0(key, priv->seen) == 0)
        return;
    if (strcmp(key, priv->runner->model->key) != 0)
        settings_changed(GST_ELEMENT(self), "model-file");
    g_free(priv->seen);
    priv->seen = g_steal_pointer(&key);
}

static void before_transform(GstBaseTransform *trans, GstBuffer *buffer)
{
    gst_ae_properties_sync(GST_ELEMENT(trans), &trans->segment, buffer);
    look_at_file(GST_AE_VIDEO(trans));
}

/* What is to be done with a frame: the properties of this moment. */
typedef struct {
    gboolean temporal;
    float strength, sigma;
} Wish;

static Wish get_wish(GstAeVideo *self)
{
    Wish wish;

    GST_OBJECT_LOCK(self);
    wish = (Wish){self->temporal, self->strength, self->sigma};
    GST_OBJECT_UNLOCK(self);
    return wish;
}

/* Returns the level of the noise, 0 if it is not measured. */
static float run(Runner *runner, GstVideoFrame *in, GstVideoFrame *out,
                 const Wish *wish)
{
    if (runner->temporal != NULL && wish->temporal && wish->strength > 0) {
        gst_ae_video_plan_run(runner->plan, in, out, 1);
        return gst_ae_temporal_run(runner->temporal, in, out, wish->strength,
                                   wish->sigma);
    }
    if (runner->temporal != NULL)
        gst_ae_temporal_reset(runner->temporal);
    gst_ae_video_plan_run(runner->plan, in, out, wish->strength);
    return 0;
}

static GstFlowReturn transform_frame(GstVideoFilter *filter, GstVideoFrame *in,
                                     GstVideoFrame *out)
{
    GstAeVideo *self = GST_AE_VIDEO(filter);
    gint64 begin = g_get_monotonic_time();
    Wish wish = get_wish(self);
    float measured;

    take_replacement(self);
    if (is_late(self, in->buffer)) {
        pass(out, in, self->priv->runner->scale);
        return GST_FLOW_OK;
    }
    measured = run(self->priv->runner, in, out, &wish);
    GST_OBJECT_LOCK(self);
    self->priv->measured = measured;
    self->priv->frames++;
    self->priv->busy += g_get_monotonic_time() - begin;
    GST_OBJECT_UNLOCK(self);
    return GST_FLOW_OK;
}

static GstFlowReturn transform(GstBaseTransform *trans, GstBuffer *in,
                               GstBuffer *out)
{
    if (!gst_ae_picture_fit(GST_ELEMENT(trans),
                            &GST_VIDEO_FILTER(trans)->in_info, in))
        return GST_FLOW_ERROR;
    return GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
        ->transform(trans, in, out);
}

/* The part of a frame that is to be shown: GStreamer would forget it. */
static void copy_crop(GstBuffer *out, const GstVideoCropMeta *in, guint scale)
{
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(out);

    crop->x = in->x * scale;
    crop->y = in->y * scale;
    crop->width = in->width * scale;
    crop->height = in->height * scale;
}

/* Whether @meta is about a picture, not about where it lies in memory. */
static gboolean describes_picture(const GstMeta *meta)
{
    static const char *const known[] = {
        GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_COLORSPACE_STR,
        GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL};
    const char *const *tags = gst_meta_api_type_get_tags(meta->info->api);

    if (tags == NULL || *tags == NULL)
        return FALSE;
    while (*tags != NULL && g_strv_contains(known, *tags))
        tags++;
    return *tags == NULL;
}

/* TRUE: to be copied by the base class. */
static gboolean transform_meta(GstBaseTransform *trans, GstBuffer *out,
                               GstMeta *meta, GstBuffer *in)
{
    GstVideoFilter *filter = GST_VIDEO_FILTER(trans);
    GstVideoMetaTransform infos = {&filter->in_info, &filter->out_info};
    int scale = GST_AE_VIDEO(trans)->priv->runner->scale;

    if (meta->info->api == GST_VIDEO_CROP_META_API_TYPE) {
        copy_crop(out, (const GstVideoCropMeta *)meta, (guint)scale);
        return FALSE;
    }
    if (!describes_picture(meta))
        return GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
            ->transform_meta(trans, out, meta, in);
    if (scale > 1 && meta->info->transform_func != NULL)
        meta->info->transform_func(
            out, meta, in, gst_video_meta_transform_scale_get_quark(), &infos);
    return scale == 1;
}

/* Takes the default model of another scale than the one in use. */
static gboolean change_scale(GstAeVideo *self, const GstVideoInfo *info,
                             int scale, GError **error)
{
    g_auto(GstAeModelSettings) settings = {0};
    Runner *runner;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    GST_OBJECT_UNLOCK(self);
    runner = runner_new(self, &settings, info, scale, error);
    if (runner != NULL)
        use(self, runner);
    return runner != NULL;
}

static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps G_GNUC_UNUSED,
                         GstVideoInfo *in_info, GstCaps *out_caps G_GNUC_UNUSED,
                         GstVideoInfo *out_info)
{
    GstAeVideo *self = GST_AE_VIDEO(filter);
    int scale = GST_VIDEO_INFO_WIDTH(out_info) / GST_VIDEO_INFO_WIDTH(in_info);
    g_autoptr(GError) error = NULL;
    GstVideoInfo info = *in_info;

    /* GStreamer overlooks that of caps without a colorimetry. */
    info.chroma_site = out_info->chroma_site;
    if (scale == self->priv->runner->scale
            ? !runner_plan(self->priv->runner, &info, &error)
            : !change_scale(self, &info, scale, &error)) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    GST_OBJECT_LOCK(self);
    self->priv->info = info;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

/* How often larger frames may become, and the formats that the model takes. */
typedef struct {
    int least_scale, largest_scale;
    GstStaticCaps *formats;
} Abilities;

/* Before the start everything may still come. */
static Abilities find_abilities(GstAeVideo *self)
{
    int largest = largest_scale(self), scale, channels;
    gboolean named;

    GST_OBJECT_LOCK(self);
    channels = self->priv->channels;
    scale = (int)self->scale;
    named = self->settings.model_file != NULL || self->settings.model != NULL;
    if (channels > 0 && (named || scale > 0))
        scale = self->priv->scale;
    GST_OBJECT_UNLOCK(self);
    return (Abilities){
        largest == 0 ? 1
        : scale > 0  ? scale
                     : 2,
        largest == 0 ? 1
        : scale > 0  ? scale
                     : largest,
        channels == 3                  ? &rgb_caps
        : channels == 1 && largest > 0 ? &luma_caps
                                       : &all_caps,
    };
}

/* In all scales that may be, the smallest first. Takes @caps. */
static GstCaps *scale_caps(const Abilities *abilities, gboolean up,
                           GstCaps *caps)
{
    GstCaps *result;

    if (abilities->largest_scale == 1)
        return caps;
    if (up)
        caps = gst_ae_scale_name_colours(caps);
    result = gst_caps_new_empty();
    for (int s = abilities->least_scale; s <= abilities->largest_scale; s++)
        gst_caps_append(result, up ? gst_ae_scale_up(caps, s)
                                   : gst_ae_scale_down(caps, s));
    gst_caps_unref(caps);
    return result;
}

static GstCaps *possible_caps(const Abilities *abilities,
                              GstPadDirection direction, GstCaps *caps,
                              GstCaps *filter)
{
    g_autoptr(GstCaps) formats = gst_static_caps_get(abilities->formats);
    GstCaps *result = scale_caps(abilities, direction == GST_PAD_SINK,
                                 gst_caps_intersect(caps, formats));

    if (filter != NULL) {
        GstCaps *unfiltered = result;

        result = gst_caps_intersect_full(filter, unfiltered,
                                         GST_CAPS_INTERSECT_FIRST);
        gst_caps_unref(unfiltered);
    }
    return result;
}

/* Formats and sizes that cannot be are offered after all where upstream has
 * nothing else: they then come as a CAPS event, and are answered by a sentence.
 */
static GstCaps *transform_caps(GstBaseTransform *trans,
                               GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    Abilities abilities = find_abilities(GST_AE_VIDEO(trans));
    GstCaps *result = possible_caps(&abilities, direction, caps, filter);

    if (gst_caps_is_empty(result)) {
        abilities.formats = &all_caps;
        gst_caps_take(&result,
                      possible_caps(&abilities, direction, caps, filter));
    }
    if (direction == GST_PAD_SRC && filter != NULL && gst_caps_is_empty(result))
        gst_caps_replace(&result, filter);
    return result;
}

/* NULL, or why frames of @caps cannot be taken. Free. */
static char *complain(GstAeVideo *self, GstCaps *caps)
{
    Abilities abilities = find_abilities(self);
    g_autoptr(GstCaps) formats = gst_static_caps_get(abilities.formats);
    const char *label = self->priv->runner->model->label;
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    const char *mode = gst_structure_get_string(structure, "interlace-mode");

    if (!gst_caps_is_subset(caps, formats))
        return g_strdup_printf(
            "Model '%s' wants %s, but this video is %s: put a videoconvert "
            "before the element.",
            label, abilities.formats == &rgb_caps ? "RGB" : "YUV or gray",
            gst_structure_get_string(structure, "format"));
    if (abilities.largest_scale > 1 && mode != NULL &&
        strcmp(mode, "progressive") != 0)
        return g_strdup_printf(
            "This video is interlaced (%s), and cannot be "
            "enlarged: put a deinterlace before the element.",
            mode);
    return NULL;
}

static gboolean refuses(GstAeVideo *self, GstCaps *caps)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    g_autofree char *complaint = complain(self, caps);
    g_autoptr(GstCaps) made = NULL;

    if (complaint != NULL) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("%s", complaint), (NULL));
        return TRUE;
    }
    made = transform_caps(trans, GST_PAD_SINK, caps, NULL);
    return largest_scale(self) > 0 &&
           !gst_ae_peer_takes(trans->srcpad, made,
                              self->priv->runner->model->label);
}

static gboolean sink_event(GstBaseTransform *trans, GstEvent *event)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);

    GstCaps *caps = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS)
        gst_event_parse_caps(event, &caps);
    if (caps != NULL && largest_scale(self) > 0)
        use_replacement(self);
    if (caps != NULL && refuses(self, caps)) {
        gst_event_unref(event);
        return FALSE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
        GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        set_earliest(self, GST_CLOCK_TIME_NONE);
        forget_frames(self);
    }
    return GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
        ->sink_event(trans, event);
}

/* QoS events stay hidden from the base class, which would drop frames. */
static gboolean src_event(GstBaseTransform *trans, GstEvent *event)
{
    GstClockTimeDiff difference;
    GstClockTime time;

    if (GST_EVENT_TYPE(event) != GST_EVENT_QOS)
        return GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
            ->src_event(trans, event);
    gst_event_parse_qos(event, NULL, NULL, &difference, &time);
    if (!gst_base_transform_is_qos_enabled(trans) ||
        !GST_CLOCK_TIME_IS_VALID(time))
        time = GST_CLOCK_TIME_NONE;
    else if (difference < 0 && time < (GstClockTime)-difference)
        time = 0;
    else
        time += difference;
    set_earliest(GST_AE_VIDEO(trans), time);
    return gst_pad_push_event(trans->sinkpad, event);
}

/* Forgets the stream. Returns what is left to be freed. */
static Runner *reset(GstAeVideo *self, gboolean started)
{
    GstAeVideoPrivate *priv = self->priv;
    Runner *replacement;

    GST_OBJECT_LOCK(self);
    priv->started = started;
    priv->request++;
    replacement = g_steal_pointer(&priv->replacement);
    gst_video_info_init(&priv->info);
    priv->channels = priv->scale = 0;
    priv->earliest = GST_CLOCK_TIME_NONE;
    if (started) {
        priv->frames = priv->late = 0;
        priv->busy = 0;
        priv->measured = 0;
    }
    GST_OBJECT_UNLOCK(self);
    return replacement;
}

static gboolean stop(GstBaseTransform *trans)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);

    runner_free(reset(self, FALSE));
    g_clear_pointer(&self->priv->runner, runner_free);
    return TRUE;
}

static gboolean start(GstBaseTransform *trans)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);
    g_auto(GstAeModelSettings) settings = {0};
    g_autoptr(GError) error = NULL;
    GstVideoInfo unknown;
    Runner *runner;
    int scale;

    gst_video_info_init(&unknown);
    runner_free(reset(self, TRUE));
    self->priv->next_look = 0;
    g_clear_pointer(&self->priv->seen, g_free);
    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    scale = (int)self->scale;
    GST_OBJECT_UNLOCK(self);
    runner = runner_new(self, &settings, &unknown, scale, &error);
    if (runner != NULL) {
        use(self, runner);
        return TRUE;
    }
    stop(trans);
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return FALSE;
}

/* Under the object lock. */
static void get_stats(gpointer element, GValue *value)
{
    const GstAeVideoPrivate *priv = GST_AE_VIDEO(element)->priv;
    double mean = priv->frames > 0 ? priv->busy / 1e3 / priv->frames : 0;

    g_value_take_boxed(
        value, gst_structure_new(
                   "application/x-ae-stats", "frames", G_TYPE_UINT64,
                   priv->frames, "late", G_TYPE_UINT64, priv->late, "mean-ms",
                   G_TYPE_DOUBLE, mean, "model", G_TYPE_STRING, priv->label,
                   "sigma", G_TYPE_DOUBLE, (double)priv->measured, NULL));
}

static const GstAeProperty properties[] = {
    GST_AE_MODEL_PROPERTIES(GstAeVideo, settings, NULL),
    {"reload", "Reload",
     "Take the model file over again whenever it has changed; until it is "
     "there, the named model is used",
     G_TYPE_BOOLEAN, G_STRUCT_OFFSET(GstAeVideo, reload),
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"stats", "Statistics",
     "Since the start: \"frames\" that went through the model, \"late\" ones "
     "that passed it by, \"mean-ms\" a frame, the \"model\" in use and "
     "\"sigma\", the level "
     "of the noise where 255 is white (0: not measured)",
     G_TYPE_BOXED, .get_type = gst_structure_get_type, .get = get_stats,
     .flags = G_PARAM_READABLE},
};

/* Properties have been set by now, or hold nothing. */
static void constructed(GObject *object)
{
    GstAeVideo *self = GST_AE_VIDEO(object);

    G_OBJECT_CLASS(gst_ae_video_parent_class)->constructed(object);
    if (self->settings.model == NULL && largest_scale(self) == 0)
        g_object_set(self, "model", GST_AE_VIDEO_GET_CLASS(self)->default_model,
                     NULL);
}

static void finalize(GObject *object)
{
    g_free(GST_AE_VIDEO(object)->priv->label);
    g_free(GST_AE_VIDEO(object)->priv->seen);
    G_OBJECT_CLASS(gst_ae_video_parent_class)->finalize(object);
}

static void gst_ae_video_class_init(GstAeVideoClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS(klass);
    GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(gst_ae_video_debug, "aevideo", 0,
                            "Video through autoencoders");
    gst_type_mark_as_plugin_api(GST_TYPE_AE_VIDEO, 0);
    gst_ae_properties_install(object_class, properties,
                              G_N_ELEMENTS(properties), settings_changed);
    object_class->constructed = constructed;
    object_class->finalize = finalize;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    trans_class->start = start;
    trans_class->stop = stop;
    trans_class->transform_caps = transform_caps;
    trans_class->accept_caps = gst_ae_accept_template;
    trans_class->transform = transform;
    trans_class->transform_meta = transform_meta;
    trans_class->sink_event = sink_event;
    trans_class->before_transform = before_transform;
    trans_class->src_event = src_event;
    filter_class->set_info = set_info;
    filter_class->transform_frame = transform_frame;
}

static void gst_ae_video_init(GstAeVideo *self)
{
    self->priv = gst_ae_video_get_instance_private(self);
    gst_video_info_init(&self->priv->info);
    self->priv->earliest = GST_CLOCK_TIME_NONE;
    self->strength = 1;
}
