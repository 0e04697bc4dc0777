/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads, replaces and plans models; drops or passes on late frames (src_event()
 * learns what is late, is_late() is the rule, transform_frame() acts on it);
 * negotiates caps. */
#include "gstaevideo.h"

#include "gstaeerror.h"
#include "gstaenegotiate.h"
#include "gstaepicture.h"

GST_DEBUG_CATEGORY_STATIC(gst_ae_video_debug);
#define GST_CAT_DEFAULT gst_ae_video_debug

#define LOOK_INTERVAL (G_USEC_PER_SEC / 2)

/* What frames are. */
typedef struct {
    AePictureFormat format; /* of those that come; without a name: unknown */
    int width, height;      /* of those that go */
} Stream;

/* What frames go through. */
typedef struct {
    GstAeModel *model;
    AeImageModel *images;
    int scale;
    int threads;
    AePrecision precision;
    AeFilter *frames; /* for progressive frames; NULL: none have come yet */
    AeFilter *fields; /* for interlaced frames; NULL: as above */
} Runner;

struct GstAeVideoPrivate {
    Runner *runner; /* of the streaming thread; set between start and stop */
    GQueue held;    /* of GstBuffer: the frames that a model of several sees */
    guint centre;   /* of these: the one that is made next */
    gint64 next_look; /* monotonic time when the file is looked at again */
    char *seen;       /* key of the file when it was looked at */

    /* All below: under the object lock. */
    gboolean started;
    guint request;         /* counts changes of the settings */
    int ahead;             /* frames that the model in use looks ahead */
    GstVideoInfo in_info;  /* of the stream */
    Runner *replacement;   /* takes over with the next frame, or NULL */
    Stream stream;         /* unknown before caps */
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
    Stream stream;
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

static void runner_free(Runner *runner)
{
    if (runner == NULL)
        return;
    ae_filter_free(runner->frames);
    ae_filter_free(runner->fields);
    ae_image_model_free(runner->images);
    if (runner->model != NULL)
        gst_ae_model_unref(runner->model);
    g_free(runner);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_free)

static gboolean fits(const AeFilter *filter, const Stream *stream)
{
    return filter != NULL && ae_filter_fits(filter, &stream->format,
                                            stream->width, stream->height);
}

/* The filter for frames of @stream, made if need be; NULL, with the runner as
 * it was, if that fails. */
static AeFilter *runner_plan(Runner *runner, const Stream *stream,
                             GError **error)
{
    const AePictureFormat *format = &stream->format;
    AeFilterOptions options = {runner->scale, runner->threads,
                               runner->precision, stream->width,
                               stream->height};
    AeFilter **slot =
        format->fields == AE_FIELDS_NONE ? &runner->frames : &runner->fields;
    gint64 begin = g_get_monotonic_time();
    AeFilter *filter;

    if (fits(*slot, stream))
        return *slot;
    filter = ae_filter_new(runner->images, format, &options, error);
    if (filter == NULL) {
        g_prefix_error(error, "%s: ", runner->model->label);
        return NULL;
    }
    GST_INFO("model '%s' is planned for %s of %dx%d, in %.1f ms",
             runner->model->label, format->name, format->width, format->height,
             (double)(g_get_monotonic_time() - begin) / 1e3);
    ae_filter_free(*slot);
    *slot = filter;
    return filter;
}

/* Forgets filters for other frames than those of @stream, interlaced or not. */
static void runner_tidy(Runner *runner, Stream stream)
{
    stream.format.fields = AE_FIELDS_NONE;
    if (!fits(runner->frames, &stream))
        g_clear_pointer(&runner->frames, ae_filter_free);
    stream.format.fields = AE_FIELDS_INTERLEAVED;
    if (!fits(runner->fields, &stream))
        g_clear_pointer(&runner->fields, ae_filter_free);
}

static gboolean is_known(const Stream *stream)
{
    return stream->format.name != NULL;
}

/* Learns the model's upscaling factor, which must be @wanted unless that is 0.
 */
static gboolean runner_find_scale(Runner *runner, GstAeVideoClass *klass,
                                  int wanted, GError **error)
{
    runner->scale =
        klass->find_scale != NULL
            ? klass->find_scale(runner->model, runner->images->scale, wanted,
                                error)
            : 1;
    return runner->scale > 0;
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

/* @stream may be unknown; @scale: 0, as the model has it. */
static Runner *runner_new(GstAeVideo *self, const GstAeModelSettings *settings,
                          const Stream *stream, int scale, GError **error)
{
    GstAeVideoClass *klass = GST_AE_VIDEO_GET_CLASS(self);
    g_autoptr(Runner) runner = g_new0(Runner, 1);
    g_autofree char *name = settings->model == NULL && klass->default_model
                                ? klass->default_model(scale)
                                : g_strdup(settings->model);

    runner->threads = (int)settings->threads;
    runner->precision = settings->precision;
    runner->model = gst_ae_model_load(file_to_load(self, settings), name,
                                      settings->precision, error);
    if (runner->model == NULL)
        return NULL;
    runner->images = ae_image_model_new(runner->model->model, error);
    if (runner->images == NULL) {
        g_prefix_error(error, "%s: ", runner->model->label);
        return NULL;
    }
    if (!runner_find_scale(runner, klass, scale, error) ||
        (is_known(stream) && runner_plan(runner, stream, error) == NULL))
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
    priv->channels = runner->images->channels;
    priv->scale = runner->scale;
    priv->ahead = runner->images->ahead;
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
    Runner *runner = runner_new(self, &request->settings, &request->stream,
                                request->scale, &error);

    if (runner != NULL)
        runner_free(offer(self, runner, request->number));
    else if (is_current(self, request->number))
        gst_ae_post(element, GST_MESSAGE_WARNING, error);
}

/* Under the object lock. */
static int wanted_scale(GstAeVideo *self)
{
    GstAeVideoClass *klass = GST_AE_VIDEO_GET_CLASS(self);

    return klass->wanted_scale != NULL ? klass->wanted_scale(self) : 0;
}

static void settings_changed(GstAeVideo *self)
{
    GstAeVideoPrivate *priv = self->priv;
    Runner *outdated = NULL;
    Request *request = NULL;

    GST_OBJECT_LOCK(self);
    if (priv->started) {
        outdated = g_steal_pointer(&priv->replacement);
        request = g_new0(Request, 1);
        request->number = ++priv->request;
        request->stream = priv->stream;
        request->settings = gst_ae_model_settings_copy(&self->settings);
        request->scale =
            is_known(&priv->stream) ? priv->scale : wanted_scale(self);
    }
    GST_OBJECT_UNLOCK(self);
    runner_free(outdated);
    if (request != NULL)
        gst_element_call_async(GST_ELEMENT(self), load_replacement, request,
                               request_free);
}

static void property_changed(GstElement *element, const char *name)
{
    if (strcmp(name, "split") != 0)
        settings_changed(GST_AE_VIDEO(element));
}

static Runner *steal_replacement(GstAeVideo *self)
{
    Runner *runner;

    GST_OBJECT_LOCK(self);
    runner = g_steal_pointer(&self->priv->replacement);
    GST_OBJECT_UNLOCK(self);
    return runner;
}

/* The stream, as far as its frames have @fields. */
static Stream stream_with(GstAeVideo *self, AeFields fields)
{
    Stream stream = self->priv->stream;

    stream.format.fields = fields;
    return stream;
}

/* The frame that comes may have another format than the replacement was
 * planned for, and another scale. */
/* Frames that wait for others would be lost with the model that waits. */
static gboolean has_delay(const Runner *runner, int ahead, GError **error)
{
    if (runner->images->ahead == ahead)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' looks %d frames ahead, the one in use %d: set it "
                "before the start",
                runner->model->label, runner->images->ahead, ahead);
    return FALSE;
}

static void take_replacement(GstAeVideo *self, AeFields fields)
{
    g_autoptr(Runner) runner = steal_replacement(self);
    Stream stream = stream_with(self, fields);
    g_autoptr(GError) error = NULL;

    if (runner == NULL)
        return;
    if (runner_find_scale(runner, GST_AE_VIDEO_GET_CLASS(self),
                          self->priv->runner->scale, &error) &&
        has_delay(runner, self->priv->runner->images->ahead, &error) &&
        runner_plan(runner, &stream, &error) != NULL)
        use(self, g_steal_pointer(&runner));
    else
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_WARNING, error);
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
    if (late)
        GST_DEBUG_OBJECT(self,
                         "frame at %" GST_TIME_FORMAT
                         " is late and passes the model by",
                         GST_TIME_ARGS(time));
    return late;
}

static void set_earliest(GstAeVideo *self, GstClockTime earliest)
{
    GST_OBJECT_LOCK(self);
    self->priv->earliest = earliest;
    GST_OBJECT_UNLOCK(self);
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
        settings_changed(self);
    g_free(priv->seen);
    priv->seen = g_steal_pointer(&key);
}

static void before_transform(GstBaseTransform *trans, GstBuffer *buffer)
{
    gst_ae_properties_sync(GST_ELEMENT(trans), &trans->segment, buffer);
    look_at_file(GST_AE_VIDEO(trans));
}

static AeFilterSettings get_settings(GstAeVideo *self, GstBuffer *buffer)
{
    GstAeVideoClass *klass = GST_AE_VIDEO_GET_CLASS(self);
    AeFilterSettings settings = {.strength = 1};

    GST_OBJECT_LOCK(self);
    if (klass->get_settings != NULL)
        klass->get_settings(self, &settings);
    settings.split = self->split;
    GST_OBJECT_UNLOCK(self);
    settings.damaged =
        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    return settings;
}

/* For frames that have @fields; NULL after an error. */
static AeFilter *choose_filter(GstAeVideo *self, AeFields fields)
{
    g_autoptr(GError) error = NULL;
    Stream stream = stream_with(self, fields);
    AeFilter *filter = runner_plan(self->priv->runner, &stream, &error);

    if (filter == NULL)
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return filter;
}

/* Frames that a model sees at a time. */
typedef struct {
    GstVideoFrame frames[AE_MAX_FRAMES];
    AePicture pictures[AE_MAX_FRAMES];
    const AePicture *seen[AE_MAX_FRAMES];
    int mapped;
} Window;

static void window_clear(Window *window)
{
    while (window->mapped > 0)
        gst_video_frame_unmap(&window->frames[--window->mapped]);
}

/* Maps the frames around the one that is made; at both ends of the stream the
 * last one stands for those that are missing. */
static gboolean window_map(GstAeVideo *self, Window *window)
{
    const AeImageModel *images = self->priv->runner->images;
    int first = (int)self->priv->centre - (images->frames - 1 - images->ahead);
    int last = (int)self->priv->held.length - 1;

    window->mapped = 0;
    for (int i = 0; i < images->frames; i++) {
        GstBuffer *buffer = g_queue_peek_nth(&self->priv->held,
                                             (guint)CLAMP(first + i, 0, last));

        if (!gst_video_frame_map(&window->frames[i],
                                 &GST_VIDEO_FILTER(self)->in_info, buffer,
                                 GST_MAP_READ)) {
            window_clear(window);
            return FALSE;
        }
        window->mapped++;
        window->pictures[i] = gst_ae_picture_of_frame(&window->frames[i]);
        window->seen[i] = &window->pictures[i];
    }
    return TRUE;
}

/* The model on a frame, or on those around it. */
static gboolean run_model(GstAeVideo *self, AeFilter *filter,
                          const AePicture *from, const AePicture *to,
                          AeFilterSettings *settings, float *measured)
{
    Window window = {.mapped = 0};

    if (self->priv->held.length > 0) {
        if (!window_map(self, &window))
            return FALSE;
        settings->frames = window.seen;
    }
    *measured = ae_filter_run(filter, from, to, settings);
    window_clear(&window);
    return TRUE;
}

static GstFlowReturn transform_frame(GstVideoFilter *filter, GstVideoFrame *in,
                                     GstVideoFrame *out)
{
    GstAeVideo *self = GST_AE_VIDEO(filter);
    GstAeVideoPrivate *priv = self->priv;
    gint64 begin = g_get_monotonic_time();
    AeFilterSettings settings = get_settings(self, in->buffer);
    AePicture from = gst_ae_picture_of_frame(in);
    AePicture to = gst_ae_picture_of_frame(out);
    AeFilter *chosen;
    float measured;

    take_replacement(self, from.format.fields);
    chosen = choose_filter(self, from.format.fields);
    if (chosen == NULL)
        return GST_FLOW_ERROR;
    if (is_late(self, in->buffer)) {
        if (priv->runner->scale > 1)
            ae_picture_enlarge(&to, &from);
        else
            ae_picture_copy(&to, &from);
        return GST_FLOW_OK;
    }
    if (!run_model(self, chosen, &from, &to, &settings, &measured))
        return GST_FLOW_ERROR;
    GST_OBJECT_LOCK(self);
    priv->measured = measured;
    priv->frames++;
    priv->busy += g_get_monotonic_time() - begin;
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

/* Frames that come before one is made; 0 where each is made by itself. */
static int frames_ahead(GstAeVideo *self)
{
    const Runner *runner = self->priv->runner;

    return runner != NULL ? runner->images->ahead : 0;
}

static gboolean sees_frames(GstAeVideo *self)
{
    const Runner *runner = self->priv->runner;

    return runner != NULL && runner->images->frames > 1 &&
           !gst_base_transform_is_passthrough(GST_BASE_TRANSFORM(self));
}

static void forget_frames(GstAeVideo *self)
{
    g_queue_clear_full(&self->priv->held, (GDestroyNotify)gst_buffer_unref);
    self->priv->centre = 0;
}

/* A model of several frames gets a copy of each: upstream may have few buffers
 * to give. The frame that is made is the base class's input. */
static GstFlowReturn submit_input_buffer(GstBaseTransform *trans,
                                         gboolean discont, GstBuffer *input)
{
    GstBaseTransformClass *parent =
        GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class);
    GstAeVideo *self = GST_AE_VIDEO(trans);
    GstAeVideoPrivate *priv = self->priv;

    if (!sees_frames(self))
        return parent->submit_input_buffer(trans, discont, input);
    g_queue_push_tail(&priv->held, gst_buffer_copy_deep(input));
    gst_buffer_unref(input);
    if ((int)priv->held.length <= frames_ahead(self))
        return GST_FLOW_OK;
    if ((int)priv->held.length > priv->runner->images->frames)
        gst_buffer_unref(g_queue_pop_head(&priv->held));
    priv->centre = priv->held.length - 1 - (guint)frames_ahead(self);
    return parent->submit_input_buffer(
        trans, discont,
        gst_buffer_ref(g_queue_peek_nth(&priv->held, priv->centre)));
}

/* Makes the frames that still wait for others, which do not come. */
static void drain(GstAeVideo *self)
{
    GstBaseTransform *trans = GST_BASE_TRANSFORM(self);
    GstBaseTransformClass *klass = GST_BASE_TRANSFORM_GET_CLASS(self);
    GstAeVideoPrivate *priv = self->priv;
    GstFlowReturn flow = GST_FLOW_OK;
    guint next =
        (int)priv->held.length > frames_ahead(self) ? priv->centre + 1 : 0;

    for (; next < priv->held.length && flow == GST_FLOW_OK; next++) {
        GstBuffer *out = NULL;

        priv->centre = next;
        flow = GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
                   ->submit_input_buffer(
                       trans, FALSE,
                       gst_buffer_ref(g_queue_peek_nth(&priv->held, next)));
        if (flow == GST_FLOW_OK)
            flow = klass->generate_output(trans, &out);
        if (out != NULL && flow == GST_FLOW_OK)
            flow = gst_pad_push(trans->srcpad, out);
        else if (out != NULL)
            gst_buffer_unref(out);
    }
    forget_frames(self);
}

void gst_ae_video_use_replacement(GstAeVideo *self)
{
    Runner *runner = steal_replacement(self);

    if (runner == NULL)
        return;
    drain(self);
    use(self, runner);
}

/* A frame leaves as many frames later as the model looks ahead. */
static gboolean query(GstBaseTransform *trans, GstPadDirection direction,
                      GstQuery *query)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);
    GstClockTime least, most, wait;
    GstVideoInfo info;
    gboolean live;
    int ahead;

    if (!GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
             ->query(trans, direction, query))
        return FALSE;
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY || direction != GST_PAD_SRC)
        return TRUE;
    GST_OBJECT_LOCK(self);
    ahead = self->priv->ahead;
    info = self->priv->in_info;
    GST_OBJECT_UNLOCK(self);
    if (ahead == 0 || GST_VIDEO_INFO_FPS_N(&info) <= 0)
        return TRUE;
    wait = gst_util_uint64_scale_int((guint64)ahead * GST_SECOND,
                                     GST_VIDEO_INFO_FPS_D(&info),
                                     GST_VIDEO_INFO_FPS_N(&info));
    gst_query_parse_latency(query, &live, &least, &most);
    gst_query_set_latency(query, live, least + wait,
                          GST_CLOCK_TIME_IS_VALID(most) ? most + wait
                                                        : GST_CLOCK_TIME_NONE);
    return TRUE;
}

static guint scaled(guint64 position, int out, int in)
{
    return (guint)gst_util_uint64_scale_int_round(position, out, in);
}

/* The part of a frame that is to be shown: GStreamer would forget it. */
static void copy_crop(GstBuffer *out, const GstVideoCropMeta *in,
                      const GstVideoFilter *filter)
{
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(out);
    int in_width = GST_VIDEO_INFO_WIDTH(&filter->in_info);
    int in_height = GST_VIDEO_INFO_HEIGHT(&filter->in_info);
    int width = GST_VIDEO_INFO_WIDTH(&filter->out_info);
    int height = GST_VIDEO_INFO_HEIGHT(&filter->out_info);

    crop->x = scaled(in->x, width, in_width);
    crop->y = scaled(in->y, height, in_height);
    crop->width = scaled((guint64)in->x + in->width, width, in_width) - crop->x;
    crop->height =
        scaled((guint64)in->y + in->height, height, in_height) - crop->y;
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
        copy_crop(out, (const GstVideoCropMeta *)meta, filter);
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
static gboolean change_scale(GstAeVideo *self, const Stream *stream, int scale,
                             GError **error)
{
    g_auto(GstAeModelSettings) settings = {0};
    Runner *runner;

    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    GST_OBJECT_UNLOCK(self);
    runner = runner_new(self, &settings, stream, scale, error);
    if (runner != NULL)
        use(self, runner);
    return runner != NULL;
}

/* Frames for an element that enlarges which have their size already. */
static gboolean passes(GstAeVideo *self, const Stream *stream)
{
    return GST_AE_VIDEO_GET_CLASS(self)->choose_scale != NULL &&
           stream->width == stream->format.width &&
           stream->height == stream->format.height;
}

/* The model for frames of @stream goes into use, and is planned for them. */
static gboolean prepare(GstAeVideo *self, const Stream *stream, GError **error)
{
    GstAeVideoClass *klass = GST_AE_VIDEO_GET_CLASS(self);
    int scale = klass->choose_scale != NULL
                    ? klass->choose_scale(self, &stream->format, stream->width,
                                          stream->height)
                    : 1;

    if (scale == self->priv->runner->scale
            ? runner_plan(self->priv->runner, stream, error) == NULL
            : !change_scale(self, stream, scale, error))
        return FALSE;
    runner_tidy(self->priv->runner, *stream);
    return TRUE;
}

static gboolean set_info(GstVideoFilter *filter, GstCaps *in_caps G_GNUC_UNUSED,
                         GstVideoInfo *in_info, GstCaps *out_caps G_GNUC_UNUSED,
                         GstVideoInfo *out_info)
{
    GstAeVideo *self = GST_AE_VIDEO(filter);
    g_autoptr(GError) error = NULL;
    GstVideoInfo info = *in_info;
    Stream stream = {.width = GST_VIDEO_INFO_WIDTH(out_info),
                     .height = GST_VIDEO_INFO_HEIGHT(out_info)};

    /* GStreamer overlooks that of caps without a colorimetry. */
    info.chroma_site = out_info->chroma_site;
    stream.format = gst_ae_picture_format(&info);
    gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self),
                                       passes(self, &stream));
    if (passes(self, &stream))
        stream = (Stream){0};
    else if (!prepare(self, &stream, &error)) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    GST_INFO_OBJECT(self, "frames are %s of %dx%d now, and become %dx%d",
                    GST_VIDEO_INFO_NAME(in_info), GST_VIDEO_INFO_WIDTH(in_info),
                    GST_VIDEO_INFO_HEIGHT(in_info),
                    GST_VIDEO_INFO_WIDTH(out_info),
                    GST_VIDEO_INFO_HEIGHT(out_info));
    GST_OBJECT_LOCK(self);
    self->priv->stream = stream;
    self->priv->in_info = *in_info;
    GST_OBJECT_UNLOCK(self);
    if (frames_ahead(self) > 0)
        gst_element_post_message(GST_ELEMENT(self),
                                 gst_message_new_latency(GST_OBJECT(self)));
    return TRUE;
}

/* An error says what is wrong with caps that the base class only refuses. */
static gboolean set_caps(GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
    g_autoptr(GError) error = NULL;
    GstVideoInfo info;

    if (gst_ae_picture_info(&info, in, &error) &&
        gst_ae_picture_info(&info, out, &error))
        return GST_BASE_TRANSFORM_CLASS(gst_ae_video_parent_class)
            ->set_caps(trans, in, out);
    gst_ae_post(GST_ELEMENT(trans), GST_MESSAGE_ERROR, error);
    return FALSE;
}

/* The formats that the model takes; before the start all. */
static GstStaticCaps *find_formats(GstAeVideo *self)
{
    int channels;

    GST_OBJECT_LOCK(self);
    channels = self->priv->channels;
    GST_OBJECT_UNLOCK(self);
    if (channels == 3)
        return &rgb_caps;
    return channels == 1 && GST_AE_VIDEO_GET_CLASS(self)->find_scale != NULL
               ? &luma_caps
               : &all_caps;
}

static GstCaps *possible_caps(GstAeVideo *self, GstStaticCaps *formats,
                              GstPadDirection direction, GstCaps *caps,
                              GstCaps *filter)
{
    GstAeVideoClass *klass = GST_AE_VIDEO_GET_CLASS(self);
    g_autoptr(GstCaps) taken = gst_static_caps_get(formats);
    GstCaps *result = gst_caps_intersect(caps, taken);

    if (klass->scale_caps != NULL)
        result = klass->scale_caps(self, direction == GST_PAD_SINK, result);
    if (filter != NULL)
        gst_caps_take(&result, gst_caps_intersect_full(
                                   filter, result, GST_CAPS_INTERSECT_FIRST));
    return result;
}

/* Formats and sizes that cannot be are offered after all where upstream has
 * nothing else: they then come as a CAPS event, and are answered by a sentence.
 */
static GstCaps *transform_caps(GstBaseTransform *trans,
                               GstPadDirection direction, GstCaps *caps,
                               GstCaps *filter)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);
    GstCaps *result =
        possible_caps(self, find_formats(self), direction, caps, filter);

    if (gst_caps_is_empty(result))
        gst_caps_take(&result,
                      possible_caps(self, &all_caps, direction, caps, filter));
    if (direction == GST_PAD_SRC && filter != NULL && gst_caps_is_empty(result))
        gst_caps_replace(&result, filter);
    return result;
}

/* TRUE, with an error, if the model does not take the format of @caps. */
static gboolean refuses(GstAeVideo *self, GstCaps *caps)
{
    GstStaticCaps *formats = find_formats(self);
    g_autoptr(GstCaps) taken = gst_static_caps_get(formats);

    if (gst_caps_is_subset(caps, taken))
        return FALSE;
    GST_ELEMENT_ERROR(
        self, STREAM, FORMAT,
        ("Model '%s' wants %s, but this video is %s: put a "
         "videoconvert before the element.",
         gst_ae_video_label(self), formats == &rgb_caps ? "RGB" : "YUV or gray",
         gst_structure_get_string(gst_caps_get_structure(caps, 0), "format")),
        (NULL));
    return TRUE;
}

static gboolean sink_event(GstBaseTransform *trans, GstEvent *event)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);
    GstCaps *caps = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS)
        gst_event_parse_caps(event, &caps);
    if (caps != NULL && refuses(self, caps)) {
        gst_event_unref(event);
        return FALSE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
        forget_frames(self);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS ||
        GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT ||
        GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        drain(self);
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
        GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        set_earliest(self, GST_CLOCK_TIME_NONE);
        if (self->priv->runner != NULL && self->priv->runner->frames != NULL)
            ae_filter_reset(self->priv->runner->frames);
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
    priv->stream = (Stream){0};
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

    forget_frames(self);
    runner_free(reset(self, FALSE));
    g_clear_pointer(&self->priv->runner, runner_free);
    return TRUE;
}

static gboolean start(GstBaseTransform *trans)
{
    GstAeVideo *self = GST_AE_VIDEO(trans);
    g_auto(GstAeModelSettings) settings = {0};
    g_autoptr(GError) error = NULL;
    Stream unknown = {0};
    Runner *runner;
    int scale;

    runner_free(reset(self, TRUE));
    self->priv->next_look = 0;
    g_clear_pointer(&self->priv->seen, g_free);
    GST_OBJECT_LOCK(self);
    settings = gst_ae_model_settings_copy(&self->settings);
    scale = wanted_scale(self);
    GST_OBJECT_UNLOCK(self);
    runner = runner_new(self, &settings, &unknown, scale, &error);
    if (runner != NULL) {
        GST_INFO_OBJECT(self, "starts with threads=%u", settings.threads);
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
     "Load the model file again whenever it has changed; until the file "
     "exists, the named model is used",
     G_TYPE_BOOLEAN, G_STRUCT_OFFSET(GstAeVideo, reload),
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"split", "Split",
     "Share of the picture, from the left edge, that stays as it came, or is "
     "enlarged bicubically: before and after in one picture",
     G_TYPE_FLOAT, G_STRUCT_OFFSET(GstAeVideo, split), .maximum = 1,
     .flags = GST_PARAM_CONTROLLABLE | GST_PARAM_MUTABLE_PLAYING},
    {"stats", "Statistics",
     "Since the start: \"frames\" that went through the model, \"late\" frames "
     "that did not, \"mean-ms\" of a frame, the \"model\" in use, and "
     "\"sigma\", the standard deviation of the noise where 255 is white (0: "
     "not measured)",
     G_TYPE_BOXED, .get_type = gst_structure_get_type, .get = get_stats,
     .flags = G_PARAM_READABLE},
};

static void finalize(GObject *object)
{
    g_free(GST_AE_VIDEO(object)->priv->label);
    g_free(GST_AE_VIDEO(object)->priv->seen);
    G_OBJECT_CLASS(gst_ae_video_parent_class)->finalize(object);
}

int gst_ae_video_scale(GstAeVideo *self)
{
    return self->priv->scale;
}

const char *gst_ae_video_label(GstAeVideo *self)
{
    return self->priv->runner->model->label;
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
                              G_N_ELEMENTS(properties), property_changed);
    object_class->finalize = finalize;
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    trans_class->start = start;
    trans_class->stop = stop;
    trans_class->transform_caps = transform_caps;
    trans_class->accept_caps = gst_ae_accept_template;
    trans_class->set_caps = set_caps;
    trans_class->transform = transform;
    trans_class->transform_meta = transform_meta;
    trans_class->sink_event = sink_event;
    trans_class->submit_input_buffer = submit_input_buffer;
    trans_class->query = query;
    trans_class->before_transform = before_transform;
    trans_class->src_event = src_event;
    filter_class->set_info = set_info;
    filter_class->transform_frame = transform_frame;
}

static void gst_ae_video_init(GstAeVideo *self)
{
    self->priv = gst_ae_video_get_instance_private(self);
    g_queue_init(&self->priv->held);
    gst_video_info_init(&self->priv->in_info);
    self->priv->earliest = GST_CLOCK_TIME_NONE;
}
