/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-aecompare
 * @title: aecompare
 *
 * Measures how far the frames of `sink` are from those of `reference`, pair by
 * pair in the order in which they come, and passes those of `sink` on. The
 * streams must have the same format and size; both may change with the frames.
 * The shorter stream ends the comparison.
 *
 * For each pair an element message "ae-compare" with the fields `frame`, `mse`,
 * `psnr` and `ssim` is posted (unless `messages` is false), and at the end
 * "ae-compare-total" with `frames`, `mse`, `psnr`, `psnr-mean` and `ssim`; the
 * totals can also be read as properties at any time.
 *
 * * `mse`: mean squared error of all samples of all colour components, in units
 *   of [0, 1] for any depth; in total the mean of the frames' errors.
 * * `psnr`: 10 log10(1 / mse) in dB, infinite for equal frames; in total from
 *   the mean error. `psnr-mean` is the mean of the frames' PSNR, as papers give
 *   it for sets of images.
 * * `ssim`: mean structural similarity of luma, or of R, G and B.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=30 ! tee name=t ! queue ! aenoise
 * ! aecompare name=c ! fakesink t. ! queue ! c.reference
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaeerror.h"
#include "gstaepicture.h"
#include "gstaeproperties.h"

#include <gst/base/gstaggregator.h>
#include <gst/video/video.h>

#include "ae.h"

GST_DEBUG_CATEGORY_STATIC(ae_compare_debug);
#define GST_CAT_DEFAULT ae_compare_debug

typedef struct {
    double mse, psnr, ssim;
} Measure;

typedef struct {
    GstAggregatorPad *pad;
    GstCaps *caps;     /* NULL: none yet, or they were refused */
    GstVideoInfo info; /* of caps */
} Stream;

typedef struct {
    GstAggregator parent;
    gboolean messages; /* this and the sums: under the object lock */
    guint64 frames;
    Measure sum;

    Stream test, reference;
} GstAeCompare;

typedef GstAggregatorClass GstAeCompareClass;

GType gst_ae_compare_get_type(void);
G_DEFINE_TYPE(GstAeCompare, gst_ae_compare, GST_TYPE_AGGREGATOR)
GST_ELEMENT_REGISTER_DEFINE(aecompare, "aecompare", GST_RANK_NONE,
                            gst_ae_compare_get_type())

static GstStaticPadTemplate templates[] = {
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_AE_CAPS)),
    GST_STATIC_PAD_TEMPLATE("reference", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_AE_CAPS)),
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(GST_AE_CAPS)),
};

/* The mean of a sum over the frames; 0 before the first. */
static double mean(const GstAeCompare *self, double sum)
{
    return self->frames ? sum / (double)self->frames : 0;
}

static double total_psnr(const GstAeCompare *self)
{
    return self->frames ? ae_psnr(mean(self, self->sum.mse)) : 0;
}

static void get_mse(gpointer element, GValue *value)
{
    const GstAeCompare *self = element;

    g_value_set_double(value, mean(self, self->sum.mse));
}

static void get_psnr(gpointer element, GValue *value)
{
    g_value_set_double(value, total_psnr(element));
}

static void get_psnr_mean(gpointer element, GValue *value)
{
    const GstAeCompare *self = element;

    g_value_set_double(value, mean(self, self->sum.psnr));
}

static void get_ssim(gpointer element, GValue *value)
{
    const GstAeCompare *self = element;

    g_value_set_double(value, mean(self, self->sum.ssim));
}

static const GstAeProperty properties[] = {
    {"messages", "Messages", "Post a message for each frame", G_TYPE_BOOLEAN,
     G_STRUCT_OFFSET(GstAeCompare, messages), .number = TRUE,
     .flags = GST_PARAM_MUTABLE_PLAYING},
    {"frames", "Frames", "Pairs of frames compared so far", G_TYPE_UINT64,
     G_STRUCT_OFFSET(GstAeCompare, frames), .flags = G_PARAM_READABLE},
    {"mse", "Mean squared error",
     "Mean squared error of all frames, samples in [0, 1]", G_TYPE_DOUBLE,
     .get = get_mse, .flags = G_PARAM_READABLE},
    {"psnr", "PSNR", "PSNR in dB of the mean squared error of all frames",
     G_TYPE_DOUBLE, .get = get_psnr, .flags = G_PARAM_READABLE},
    {"psnr-mean", "Mean PSNR", "Mean of the PSNR of each frame in dB",
     G_TYPE_DOUBLE, .get = get_psnr_mean, .flags = G_PARAM_READABLE},
    {"ssim", "SSIM", "Mean structural similarity (SSIM) of all frames",
     G_TYPE_DOUBLE, .get = get_ssim, .flags = G_PARAM_READABLE},
};

static void reset_totals(GstAeCompare *self)
{
    GST_OBJECT_LOCK(self);
    self->frames = 0;
    self->sum = (Measure){0};
    GST_OBJECT_UNLOCK(self);
}

static void post_frame(GstAeCompare *self, guint64 frame, const Measure *m)
{
    GstStructure *fields =
        gst_structure_new("ae-compare", "frame", G_TYPE_UINT64, frame, "mse",
                          G_TYPE_DOUBLE, m->mse, "psnr", G_TYPE_DOUBLE, m->psnr,
                          "ssim", G_TYPE_DOUBLE, m->ssim, NULL);

    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), fields));
}

static void post_total(GstAeCompare *self)
{
    GstStructure *fields;

    GST_INFO_OBJECT(self, "a stream has ended");
    GST_OBJECT_LOCK(self);
    fields = gst_structure_new("ae-compare-total", "frames", G_TYPE_UINT64,
                               self->frames, "mse", G_TYPE_DOUBLE,
                               mean(self, self->sum.mse), "psnr", G_TYPE_DOUBLE,
                               total_psnr(self), "psnr-mean", G_TYPE_DOUBLE,
                               mean(self, self->sum.psnr), "ssim",
                               G_TYPE_DOUBLE, mean(self, self->sum.ssim), NULL);
    GST_OBJECT_UNLOCK(self);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), fields));
}

static void add_frame(GstAeCompare *self, const Measure *m)
{
    gboolean messages;
    guint64 frame;

    GST_OBJECT_LOCK(self);
    frame = self->frames++;
    self->sum.mse += m->mse;
    self->sum.psnr += m->psnr;
    self->sum.ssim += m->ssim;
    messages = self->messages;
    GST_OBJECT_UNLOCK(self);
    GST_LOG_OBJECT(self, "frame %" G_GUINT64_FORMAT ": PSNR %g, SSIM %g", frame,
                   m->psnr, m->ssim);
    if (messages)
        post_frame(self, frame, m);
}

/* Of all colours: the error per sample, and the similarity of luma or of R, G
 * and B. */
static gboolean compare(const AePicture *test, const AePicture *reference,
                        Measure *measure, GError **error)
{
    const AePictureFormat *format = &test->format;
    int similar = format->colour == AE_COLOUR_RGB ? format->n_colours : 1;
    double squares = 0, samples = 0, ssim = 0, one = 0;

    for (int c = 0; c < format->n_colours; c++) {
        const AePlane *a = &test->plane[c], *b = &reference->plane[c];
        double n = (double)a->width * a->height;

        squares += n * ae_mse(a, b);
        samples += n;
        if (c < similar && !ae_ssim(a, b, &one, error))
            return FALSE;
        if (c < similar)
            ssim += one;
    }
    *measure = (Measure){squares / samples, ae_psnr(squares / samples),
                         ssim / similar};
    return TRUE;
}

static gboolean streams_fit(GstAeCompare *self)
{
    const GstVideoInfo *a = &self->test.info, *b = &self->reference.info;

    if (a->finfo == b->finfo && a->width == b->width && a->height == b->height)
        return TRUE;
    g_autofree char *test = gst_caps_to_string(self->test.caps);
    g_autofree char *reference = gst_caps_to_string(self->reference.caps);
    GST_ELEMENT_ERROR(
        self, STREAM, WRONG_TYPE,
        ("Frames to compare must have one format and size, but those of sink "
         "are %s of %dx%d and those of reference are %s of %dx%d.",
         GST_VIDEO_INFO_NAME(a), a->width, a->height, GST_VIDEO_INFO_NAME(b),
         b->width, b->height),
        ("sink: %s, reference: %s", test, reference));
    return FALSE;
}

static gboolean compare_buffers(GstAeCompare *self, GstBuffer *test,
                                GstBuffer *reference)
{
    g_autoptr(GError) error = NULL;
    GstVideoFrame a, b;
    AePicture pictures[2];
    gboolean compared;
    Measure measure;

    if (self->test.caps == NULL || self->reference.caps == NULL ||
        !streams_fit(self))
        return FALSE;
    if (!gst_ae_picture_map(GST_ELEMENT(self), &a, &self->test.info, test))
        return FALSE;
    if (!gst_ae_picture_map(GST_ELEMENT(self), &b, &self->reference.info,
                            reference)) {
        gst_video_frame_unmap(&a);
        return FALSE;
    }
    pictures[0] = gst_ae_picture_of_frame(&a);
    pictures[1] = gst_ae_picture_of_frame(&b);
    compared = compare(&pictures[0], &pictures[1], &measure, &error);
    gst_video_frame_unmap(&b);
    gst_video_frame_unmap(&a);
    if (compared)
        add_frame(self, &measure);
    else
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    return compared;
}

static GstFlowReturn aggregate(GstAggregator *aggregator,
                               gboolean timeout G_GNUC_UNUSED)
{
    GstAeCompare *self = (GstAeCompare *)aggregator;
    g_autoptr(GstBuffer) test = gst_aggregator_pad_peek_buffer(self->test.pad);
    g_autoptr(GstBuffer) reference =
        gst_aggregator_pad_peek_buffer(self->reference.pad);

    if ((!test && gst_aggregator_pad_is_eos(self->test.pad)) ||
        (!reference && gst_aggregator_pad_is_eos(self->reference.pad))) {
        post_total(self);
        return GST_FLOW_EOS;
    }
    if (!test || !reference)
        return GST_AGGREGATOR_FLOW_NEED_DATA;
    if (!compare_buffers(self, test, reference))
        return GST_FLOW_ERROR;

    gst_aggregator_pad_drop_buffer(self->reference.pad);
    gst_aggregator_pad_drop_buffer(self->test.pad);
    return gst_aggregator_finish_buffer(aggregator, g_steal_pointer(&test));
}

static void clear_stream(Stream *stream)
{
    gst_caps_replace(&stream->caps, NULL);
    gst_video_info_init(&stream->info);
}

static gboolean set_caps(GstAeCompare *self, Stream *stream, GstCaps *caps)
{
    g_autoptr(GError) error = NULL;

    if (!gst_ae_picture_info(&stream->info, caps, &error)) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        clear_stream(stream);
        return FALSE;
    }
    gst_caps_replace(&stream->caps, caps);
    GST_INFO_OBJECT(self, "frames of %s are %s of %dx%d now",
                    GST_PAD_NAME(stream->pad),
                    GST_VIDEO_INFO_NAME(&stream->info), stream->info.width,
                    stream->info.height);
    if (stream == &self->test)
        gst_aggregator_set_src_caps(GST_AGGREGATOR(self), caps);
    return TRUE;
}

static gboolean handle_caps(GstAeCompare *self, GstAggregatorPad *pad,
                            GstEvent *event)
{
    Stream *stream = pad == self->test.pad ? &self->test : &self->reference;
    gboolean good;
    GstCaps *caps;

    gst_event_parse_caps(event, &caps);
    good = set_caps(self, stream, caps);
    gst_event_unref(event);
    return good;
}

/* Events come here in order with the buffers, when these are next in line. */
static gboolean sink_event(GstAggregator *aggregator, GstAggregatorPad *pad,
                           GstEvent *event)
{
    GstAeCompare *self = (GstAeCompare *)aggregator;
    GstAggregatorClass *parent =
        GST_AGGREGATOR_CLASS(gst_ae_compare_parent_class);
    const GstSegment *segment;

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
        return handle_caps(self, pad, event);
    case GST_EVENT_GAP: /* would become an empty frame */
        gst_event_unref(event);
        return TRUE;
    case GST_EVENT_SEGMENT:
        gst_event_parse_segment(event, &segment);
        if (pad == self->test.pad)
            gst_aggregator_update_segment(aggregator, segment);
        return parent->sink_event(aggregator, pad, event);
    default:
        return parent->sink_event(aggregator, pad, event);
    }
}

/* What comes out is what goes in at sink, so downstream limits sink. */
static gboolean query_caps(GstAeCompare *self, GstPad *pad, GstQuery *query)
{
    g_autoptr(GstCaps) own = gst_pad_get_pad_template_caps(pad);
    g_autoptr(GstCaps) downstream =
        gst_pad_peer_query_caps(GST_AGGREGATOR_SRC_PAD(self), own);
    GstCaps *filter;

    gst_query_parse_caps(query, &filter);
    if (filter) {
        g_autoptr(GstCaps) both = gst_caps_intersect_full(
            filter, downstream, GST_CAPS_INTERSECT_FIRST);
        gst_query_set_caps_result(query, both);
    } else {
        gst_query_set_caps_result(query, downstream);
    }
    return TRUE;
}

static gboolean sink_query(GstAggregator *aggregator, GstAggregatorPad *pad,
                           GstQuery *query)
{
    GstAeCompare *self = (GstAeCompare *)aggregator;

    if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS && pad == self->test.pad)
        return query_caps(self, GST_PAD(pad), query);
    return GST_AGGREGATOR_CLASS(gst_ae_compare_parent_class)
        ->sink_query(aggregator, pad, query);
}

static gboolean propose_allocation(GstAggregator *aggregator,
                                   GstAggregatorPad *pad,
                                   GstQuery *decide_query G_GNUC_UNUSED,
                                   GstQuery *query)
{
    if (pad == ((GstAeCompare *)aggregator)->test.pad)
        return gst_pad_peer_query(GST_AGGREGATOR_SRC_PAD(aggregator), query);
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return TRUE;
}

static GstFlowReturn update_src_caps(GstAggregator *aggregator,
                                     GstCaps *caps G_GNUC_UNUSED,
                                     GstCaps **result)
{
    GstAeCompare *self = (GstAeCompare *)aggregator;

    if (self->test.caps == NULL)
        return GST_AGGREGATOR_FLOW_NEED_DATA;
    *result = gst_caps_ref(self->test.caps);
    return GST_FLOW_OK;
}

static GstFlowReturn flush(GstAggregator *aggregator)
{
    reset_totals((GstAeCompare *)aggregator);
    return GST_FLOW_OK;
}

static gboolean start(GstAggregator *aggregator)
{
    reset_totals((GstAeCompare *)aggregator);
    return TRUE;
}

static gboolean stop(GstAggregator *aggregator)
{
    GstAeCompare *self = (GstAeCompare *)aggregator;

    clear_stream(&self->test);
    clear_stream(&self->reference);
    return TRUE;
}

static void gst_ae_compare_class_init(GstAeCompareClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(ae_compare_debug, "aecompare", 0, "comparison");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    gst_element_class_set_static_metadata(
        element, "Image quality", "Filter/Analyzer/Video",
        "Measures MSE, PSNR and SSIM between two streams", "gst-autoencoder");
    for (size_t i = 0; i < G_N_ELEMENTS(templates); i++)
        gst_element_class_add_static_pad_template_with_gtype(
            element, &templates[i], GST_TYPE_AGGREGATOR_PAD);
    klass->aggregate = aggregate;
    klass->sink_event = sink_event;
    klass->sink_query = sink_query;
    klass->propose_allocation = propose_allocation;
    klass->update_src_caps = update_src_caps;
    klass->flush = flush;
    klass->start = start;
    klass->stop = stop;
}

static GstAggregatorPad *add_sink(GstAeCompare *self, const char *name)
{
    GstPadTemplate *template =
        gst_element_get_pad_template(GST_ELEMENT(self), name);
    GstPad *pad =
        g_object_new(GST_TYPE_AGGREGATOR_PAD, "name", name, "direction",
                     GST_PAD_SINK, "template", template, NULL);

    gst_element_add_pad(GST_ELEMENT(self), pad);
    return GST_AGGREGATOR_PAD(pad);
}

static void gst_ae_compare_init(GstAeCompare *self)
{
    self->test.pad = add_sink(self, "sink");
    self->reference.pad = add_sink(self, "reference");
    stop(GST_AGGREGATOR(self));
}
