/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aetrain
 * @title: aetrain
 *
 * Trains an autoencoder on the frames that arrive, or with mode=evaluate
 * measures one. Each batch-size frames (or patches of frames) make one step of
 * the optimizer, in the streaming thread: a file source is held back by the
 * trainer and every run repeats exactly; a live source needs a leaky queue in
 * front. RGB formats train three channels, all other formats their luma alone;
 * with colour=yuv420 formats of 4:2:0 train luma and chroma together.
 *
 * The model is written to #GstAeTrain:model-file at end of stream, after
 * #GstAeTrain:max-steps, at every checkpoint and when the element stops. With
 * #GstAeTrain:resume a run continues from its checkpoint: give it the same
 * source; the frames that the checkpoint has learnt from are passed over, and
 * the weights come out bit-identical to those of a run without a break.
 *
 * Element messages `ae-training` carry step (int64), images (int64), loss
 * (double), validation-loss (double, with #GstAeTrain:validate-every) and
 * images-per-second (double); `ae-evaluation` carries images, loss, mse and
 * psnr. PROGRESS messages of code "train" say the same for people.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=64 !
 * video/x-raw,format=GRAY8,width=28,height=28 ! aetrain architecture=keras
 * loss=bce batch-size=16
 * ]|
 *
 * Since: 0.1
 */
#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>
#include <math.h>

#include "ae.h"
#include "elements.h"
#include "gstaeerror.h"
#include "gstaelabel.h"
#include "gstaepicture.h"
#include "gstaeproperties.h"

GST_DEBUG_CATEGORY_STATIC(gst_ae_train_debug);
#define GST_CAT_DEFAULT gst_ae_train_debug

typedef struct {
    GstBaseSink parent;
    AeSessionOptions options; /* under the object lock; copied by start() */
    gint64 step;              /* under the object lock */
    double loss;              /* under the object lock: of the last step */

    AeSession *session; /* since start() */
    GstVideoInfo info;
    gboolean negotiated;
    GstFlowReturn flow; /* what the next frame gets */
} GstAeTrain;

typedef GstBaseSinkClass GstAeTrainClass;

GType gst_ae_train_get_type(void);
G_DEFINE_TYPE(GstAeTrain, gst_ae_train, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(aetrain, "aetrain", GST_RANK_NONE,
                            gst_ae_train_get_type())

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, " GST_AE_YUV_FORMATS
                                        ", " GST_AE_RGB_FORMATS
                                        ", " GST_AE_DEEP_FORMATS " }")));

static gboolean fail(GstAeTrain *self, GError *error)
{
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    g_error_free(error);
    self->flow = GST_FLOW_ERROR;
    return FALSE;
}

/* What other threads may ask for. */
static void publish(GstAeTrain *self, gint64 step, double loss)
{
    GST_OBJECT_LOCK(self);
    self->step = step;
    self->loss = loss;
    GST_OBJECT_UNLOCK(self);
}

static void post_progress(GstAeTrain *self, GstProgressType type,
                          const char *text)
{
    gst_element_post_message(
        GST_ELEMENT(self),
        gst_message_new_progress(GST_OBJECT(self), type, "train", text));
}

/* Posts @s, with the parts of the loss where there are several. */
static void post_facts(GstAeTrain *self, GstStructure *s,
                       const AeSessionFacts *facts)
{
    if (facts->code_term != NULL)
        gst_structure_set(s, "reconstruction", G_TYPE_DOUBLE,
                          facts->loss.reconstruction, facts->code_term,
                          G_TYPE_DOUBLE, facts->loss.code, NULL);
    if (facts->loss.accuracy > 0)
        gst_structure_set(s, "discriminator-accuracy", G_TYPE_DOUBLE,
                          facts->loss.accuracy, NULL);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), s));
}

static void post_training(GstAeTrain *self, const AeSessionFacts *facts)
{
    GstStructure *s = gst_structure_new(
        "ae-training", "step", G_TYPE_INT64, facts->step, "images",
        G_TYPE_INT64, facts->images, "loss", G_TYPE_DOUBLE, facts->loss.total,
        "images-per-second", G_TYPE_DOUBLE, facts->images_per_second, NULL);

    if (!isnan(facts->validation_loss))
        gst_structure_set(s, "validation-loss", G_TYPE_DOUBLE,
                          facts->validation_loss, NULL);
    post_facts(self, s, facts);
}

static void post_evaluation(GstAeTrain *self, const AeSessionFacts *facts)
{
    post_facts(self,
               gst_structure_new("ae-evaluation", "images", G_TYPE_INT64,
                                 facts->images, "loss", G_TYPE_DOUBLE,
                                 facts->loss.total, "mse", G_TYPE_DOUBLE,
                                 facts->mse, "psnr", G_TYPE_DOUBLE,
                                 ae_psnr(facts->mse), NULL),
               facts);
}

/* What the session reports becomes messages and lines of the log. */
static void watch(void *user, const AeSession *session, AeSessionEvent event,
                  const char *text)
{
    GstAeTrain *self = user;
    AeSessionFacts facts = ae_session_facts(session);

    GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT,
                      event == AE_SESSION_STEPPED    ? GST_LEVEL_LOG
                      : event == AE_SESSION_PROGRESS ? GST_LEVEL_DEBUG
                                                     : GST_LEVEL_INFO,
                      self, "%s", text);
    switch (event) {
    case AE_SESSION_RESUMED:
    case AE_SESSION_STEPPED:
        publish(self, facts.step, facts.loss.total);
        break;
    case AE_SESSION_STARTED:
        post_progress(self, GST_PROGRESS_TYPE_START, text);
        break;
    case AE_SESSION_PROGRESS:
        post_training(self, &facts);
        post_progress(self, GST_PROGRESS_TYPE_CONTINUE, text);
        break;
    case AE_SESSION_WARNED:
        GST_ELEMENT_WARNING(self, STREAM, FAILED, ("%s", text), (NULL));
        break;
    case AE_SESSION_ENDED:
        post_progress(self, GST_PROGRESS_TYPE_COMPLETE, text);
        break;
    case AE_SESSION_MEASURED:
        publish(self, facts.step, facts.loss.total);
        post_evaluation(self, &facts);
        break;
    case AE_SESSION_BUILT:
    case AE_SESSION_VALIDATED:
    case AE_SESSION_SAVED:
        break;
    }
}

/* The size or format of the frames is known, or changes. */
static gboolean gst_ae_train_set_caps(GstBaseSink *sink, GstCaps *caps)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;
    GstVideoInfo info;

    if (!gst_ae_picture_info(&info, caps, &error))
        return fail(self, error);
    GST_INFO_OBJECT(self, "frames of %s of %dx%d", GST_VIDEO_INFO_NAME(&info),
                    GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
    AePictureFormat format = gst_ae_picture_format(&info);
    if (!ae_session_set_format(self->session, &format, &error))
        return fail(self, error);
    self->info = info;
    self->negotiated = TRUE;
    if (ae_session_is_done(self->session))
        self->flow = GST_FLOW_EOS;
    return TRUE;
}

static GstFlowReturn gst_ae_train_render(GstBaseSink *sink, GstBuffer *buffer)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;
    GstVideoFrame frame;
    int label = -1;

    if (self->flow != GST_FLOW_OK)
        return self->flow;
    if (!self->negotiated)
        return GST_FLOW_NOT_NEGOTIATED;
    if (!gst_ae_picture_map(GST_ELEMENT(self), &frame, &self->info, buffer))
        return GST_FLOW_ERROR;
    AePicture picture = gst_ae_picture_of_frame(&frame);
    gst_ae_label_read(buffer, &label);
    if (!ae_session_push(self->session, &picture, label, &error))
        fail(self, error);
    else if (ae_session_is_done(self->session))
        self->flow = GST_FLOW_EOS;
    gst_video_frame_unmap(&frame);
    return self->flow;
}

static gboolean gst_ae_train_event(GstBaseSink *sink, GstEvent *event)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;

    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS &&
        self->flow != GST_FLOW_ERROR &&
        !ae_session_finish(self->session, &error))
        fail(self, error);
    return GST_BASE_SINK_CLASS(gst_ae_train_parent_class)->event(sink, event);
}

static gboolean gst_ae_train_start(GstBaseSink *sink)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;

    GST_OBJECT_LOCK(self);
    g_auto(AeSessionOptions) options = ae_session_options_copy(&self->options);
    GST_OBJECT_UNLOCK(self);
    publish(self, 0, 0);
    self->flow = GST_FLOW_OK;
    self->negotiated = FALSE;
    self->session = ae_session_new(&options, watch, self, &error);
    if (self->session == NULL)
        return fail(self, error);
    GST_INFO_OBJECT(self, "started");
    return TRUE;
}

static gboolean gst_ae_train_stop(GstBaseSink *sink)
{
    GstAeTrain *self = (GstAeTrain *)sink;
    GError *error = NULL;

    if (!ae_session_save(self->session, &error))
        fail(self, error);
    g_clear_pointer(&self->session, ae_session_free);
    GST_INFO_OBJECT(self, "stopped");
    return TRUE;
}

/* The type of a choice: GstAeTrainTask is that of the option "task". */
static GType choice_type(const AeOption *option)
{
    g_autofree char *name = g_strconcat("GstAeTrain", option->nick, NULL);
    g_autoptr(GArray) values = g_array_new(TRUE, TRUE, sizeof(GEnumValue));
    gsize type = 0;

    for (const AeOptionChoice *c = option->choices; c->name != NULL; c++) {
        GEnumValue value = {c->value, c->about, c->name};

        g_array_append_val(values, value);
    }
    /* the type's values live as long as the type */
    return gst_ae_enum_type(&type, name,
                            (GEnumValue *)g_array_steal(values, NULL));
}

static GstAeProperty property_of(const AeOption *option)
{
    static const GType types[] = {
        [AE_OPTION_STRING] = G_TYPE_STRING,
        [AE_OPTION_BOOLEAN] = G_TYPE_BOOLEAN,
        [AE_OPTION_UINT] = G_TYPE_UINT,
        [AE_OPTION_UINT64] = G_TYPE_UINT64,
        [AE_OPTION_FLOAT] = G_TYPE_FLOAT,
    };

    return (GstAeProperty){
        .name = option->name,
        .nick = option->nick,
        .blurb = option->about,
        .type = option->type == AE_OPTION_CHOICE ? choice_type(option)
                                                 : types[option->type],
        .offset = G_STRUCT_OFFSET(GstAeTrain, options) + option->offset,
        .number = option->number,
        .minimum = option->minimum,
        .maximum = option->maximum,
    };
}

/* The options of a session, and what can be read while it runs. */
static void install_properties(GObjectClass *klass)
{
    static const GstAeProperty readable[] = {
        {"step", "Step", "Steps done so far", G_TYPE_INT64,
         G_STRUCT_OFFSET(GstAeTrain, step), .flags = G_PARAM_READABLE},
        {"current-loss", "Current loss", "The loss of the last step",
         G_TYPE_DOUBLE, G_STRUCT_OFFSET(GstAeTrain, loss),
         .flags = G_PARAM_READABLE, .maximum = G_MAXDOUBLE},
    };
    const guint n_readable = G_N_ELEMENTS(readable);
    int n;
    const AeOption *options = ae_session_options_table(&n);
    GstAeProperty *table = g_new(GstAeProperty, (guint)n + n_readable);

    for (int i = 0; i < n; i++)
        table[i] = property_of(&options[i]);
    for (guint i = 0; i < n_readable; i++)
        table[(guint)n + i] = readable[i];
    gst_ae_properties_install(klass, table, (guint)n + n_readable, NULL);
}

static void gst_ae_train_class_init(GstAeTrainClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(gst_ae_train_debug, "aetrain", 0,
                            "Autoencoder trainer");
    install_properties(G_OBJECT_CLASS(klass));
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_set_static_metadata(
        element, "Autoencoder trainer", "Sink/Video",
        "Trains or evaluates an autoencoder on the frames that arrive",
        "The gst-autoencoder authors");
    klass->start = gst_ae_train_start;
    klass->stop = gst_ae_train_stop;
    klass->set_caps = gst_ae_train_set_caps;
    klass->render = gst_ae_train_render;
    klass->event = gst_ae_train_event;
}

static void gst_ae_train_init(GstAeTrain *self)
{
    gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
}
