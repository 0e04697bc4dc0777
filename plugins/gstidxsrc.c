/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-idxsrc
 * @title: idxsrc
 *
 * Reads images from an idx file (MNIST, Fashion-MNIST and their kin, plain or
 * compressed with gzip) and sends each as a frame of GRAY8 or RGB video.
 *
 * `epochs` repeats the file, `shuffle` gives each epoch an order of its own
 * that follows from `seed` and the epoch's number alone. With
 * `labels-location`, each buffer carries a #GstCustomMeta named
 * "GstAeLabelMeta" with the int field "label". A buffer's offset is its number
 * since the start. The framerate is what downstream asks for, by default 30/1.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 idxsrc
 * location=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
 * shuffle=true num-buffers=90 ! videoconvert ! videoscale ! autovideosink
 * ]|
 *
 * Since: 0.1
 */
#include "elements.h"
#include "gstaeerror.h"
#include "gstaeframesrc.h"
#include "gstaelabel.h"
#include "gstaeproperties.h"

#include "ae.h"

GST_DEBUG_CATEGORY_STATIC(idx_src_debug);
#define GST_CAT_DEFAULT idx_src_debug

typedef struct {
    const char *location, *labels_location;
    guint epochs; /* 0: endless */
    gboolean shuffle;
    guint64 seed;
} Settings;

typedef struct {
    GstAeFrameSrc parent;
    Settings settings; /* under the object lock; copied by start() */

    Settings active; /* without its strings */
    AeIdx *images, *labels;
    AeOrder *order;
} GstIdxSrc;

typedef GstAeFrameSrcClass GstIdxSrcClass;

GType gst_idx_src_get_type(void);
G_DEFINE_TYPE(GstIdxSrc, gst_idx_src, GST_TYPE_AE_FRAME_SRC)
GST_ELEMENT_REGISTER_DEFINE(idxsrc, "idxsrc", GST_RANK_NONE,
                            gst_idx_src_get_type())

#define FIELD(name) G_STRUCT_OFFSET(GstIdxSrc, settings.name)

static const GstAeProperty properties[] = {
    {"location", "Location", "The idx file of images, plain or .gz",
     G_TYPE_STRING, FIELD(location), .flags = GST_PARAM_MUTABLE_READY},
    {"labels-location", "Labels location",
     "An idx file with one label for each image (optional)", G_TYPE_STRING,
     FIELD(labels_location), .flags = GST_PARAM_MUTABLE_READY},
    {"epochs", "Epochs", "How many times to send all images (0: without end)",
     G_TYPE_UINT, FIELD(epochs), .number = 1, .flags = GST_PARAM_MUTABLE_READY},
    {"shuffle", "Shuffle", "Send the images of each epoch in a random order",
     G_TYPE_BOOLEAN, FIELD(shuffle), .flags = GST_PARAM_MUTABLE_READY},
    {"seed", "Seed", "Seed of the random orders", G_TYPE_UINT64, FIELD(seed),
     .flags = GST_PARAM_MUTABLE_READY},
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("{ GRAY8, RGB }")));

static void close_files(GstIdxSrc *self)
{
    g_clear_pointer(&self->images, ae_idx_free);
    g_clear_pointer(&self->labels, ae_idx_free);
    g_clear_pointer(&self->order, ae_order_free);
}

/* An idx file whose rank is in least .. most, or NULL and an error posted. */
static AeIdx *load(GstIdxSrc *self, const char *path, int least, int most)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                          ("There is no file %s.", path), (NULL));
        return NULL;
    }
    g_autoptr(AeIdx) idx = ae_idx_load(path, &error);
    if (idx == NULL) {
        gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
        return NULL;
    }
    if (idx->rank < least || idx->rank > most) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("%s holds %s, but %s are wanted here.", path,
                           idx->rank == 1 ? "labels" : "images",
                           least == 1 ? "labels" : "images"),
                          (NULL));
        return NULL;
    }
    return g_steal_pointer(&idx);
}

static gboolean open_images(GstIdxSrc *self, const char *path)
{
    if (path == NULL) {
        GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                          ("No idx file is given: set the property location."),
                          (NULL));
        return FALSE;
    }
    self->images = load(self, path, 3, 4);
    if (self->images == NULL)
        return FALSE;

    const AeIdx *images = self->images;
    GstVideoFormat format =
        images->rank == 3 ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_RGB;
    if (images->dim[2] > AE_PICTURE_SIDE || images->dim[1] > AE_PICTURE_SIDE ||
        !gst_video_info_set_format(&self->parent.info, format,
                                   (guint)images->dim[2],
                                   (guint)images->dim[1])) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("%s holds images of %" G_GINT64_FORMAT
                           "x%" G_GINT64_FORMAT
                           " samples, more than video can have.",
                           path, images->dim[2], images->dim[1]),
                          (NULL));
        return FALSE;
    }
    return TRUE;
}

static gboolean open_labels(GstIdxSrc *self, const char *path)
{
    if (path == NULL)
        return TRUE;
    self->labels = load(self, path, 1, 1);
    if (self->labels == NULL)
        return FALSE;
    if (self->labels->dim[0] == self->images->dim[0])
        return TRUE;
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("%s holds %" G_GINT64_FORMAT
                       " labels, but there are %" G_GINT64_FORMAT " images.",
                       path, self->labels->dim[0], self->images->dim[0]),
                      (NULL));
    return FALSE;
}

static gboolean start(GstBaseSrc *src)
{
    GstIdxSrc *self = (GstIdxSrc *)src;
    g_autofree char *location =
        gst_ae_property_dup(self, &self->settings.location);
    g_autofree char *labels =
        gst_ae_property_dup(self, &self->settings.labels_location);
    g_autoptr(GError) error = NULL;

    GST_OBJECT_LOCK(self);
    self->active = self->settings;
    GST_OBJECT_UNLOCK(self);
    GST_BASE_SRC_CLASS(gst_idx_src_parent_class)->start(src);
    if (!open_images(self, location) || !open_labels(self, labels)) {
        close_files(self);
        return FALSE;
    }
    GST_INFO_OBJECT(self, "opened %s, %" G_GINT64_FORMAT " images, labels: %s",
                    location, self->images->dim[0],
                    labels != NULL ? labels : "none");
    if (self->active.epochs > 0)
        self->parent.total =
            (guint64)self->active.epochs * (guint64)self->images->dim[0];
    self->order = ae_order_new((uint32_t)self->images->dim[0],
                               self->active.shuffle, self->active.seed, &error);
    if (self->order != NULL)
        return TRUE;
    gst_ae_post(GST_ELEMENT(self), GST_MESSAGE_ERROR, error);
    close_files(self);
    return FALSE;
}

static gboolean stop(GstBaseSrc *src)
{
    close_files((GstIdxSrc *)src);
    return TRUE;
}

static GstCaps *made_caps(GstAeFrameSrc *src)
{
    const GstVideoInfo *info = &src->info;

    if (((GstIdxSrc *)src)->images == NULL)
        return NULL;
    return gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING,
        gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)), "width",
        G_TYPE_INT, GST_VIDEO_INFO_WIDTH(info), "height", G_TYPE_INT,
        GST_VIDEO_INFO_HEIGHT(info), "framerate", GST_TYPE_FRACTION_RANGE, 0, 1,
        G_MAXINT, 1, NULL);
}

static void release_bytes(gpointer bytes)
{
    g_bytes_unref(bytes);
}

/* The file's own bytes, unless video wants its rows aligned. NULL: there is no
 * memory. */
static GstBuffer *make_buffer(GstIdxSrc *self, gsize image)
{
    const GstVideoInfo *info = &self->parent.info;
    gsize size = ae_idx_item_size(self->images);
    gsize height = (gsize)GST_VIDEO_INFO_HEIGHT(info), row = size / height;
    gsize stride = (gsize)GST_VIDEO_INFO_PLANE_STRIDE(info, 0);
    const uint8_t *data = self->images->data + image * size;

    if (row == stride)
        return gst_buffer_new_wrapped_full(
            GST_MEMORY_FLAG_READONLY, (gpointer)data, size, 0, size,
            g_bytes_ref(self->images->bytes), release_bytes);

    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
    if (buffer == NULL) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT,
                          ("There is no memory for a frame of %" G_GSIZE_FORMAT
                           " bytes.",
                           info->size),
                          (NULL));
        return NULL;
    }
    for (gsize y = 0; y < height; y++)
        gst_buffer_fill(buffer, y * stride, data + y * row, row);
    return buffer;
}

static GstFlowReturn make(GstAeFrameSrc *src, guint64 number,
                          GstBuffer **buffer)
{
    GstIdxSrc *self = (GstIdxSrc *)src;
    gsize image = ae_order_item(self->order, number);

    GST_LOG_OBJECT(self,
                   "frame %" G_GUINT64_FORMAT " is image %" G_GSIZE_FORMAT,
                   number, image);
    *buffer = make_buffer(self, image);
    if (*buffer == NULL)
        return GST_FLOW_ERROR;
    if (self->labels)
        gst_ae_label_attach(*buffer, self->labels->data[image]);
    return GST_FLOW_OK;
}

static gboolean query_duration(GstIdxSrc *self, GstQuery *query)
{
    guint64 total = self->parent.total;
    GstFormat format;

    gst_query_parse_duration(query, &format, NULL);
    if (self->images == NULL || total == GST_AE_ENDLESS)
        return FALSE;
    if (format == GST_FORMAT_TIME)
        total = gst_ae_frame_src_time(&self->parent, total);
    else if (format != GST_FORMAT_DEFAULT)
        return FALSE;
    gst_query_set_duration(query, format, (gint64)total);
    return TRUE;
}

static gboolean query(GstBaseSrc *src, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) == GST_QUERY_DURATION)
        return query_duration((GstIdxSrc *)src, query);
    return GST_BASE_SRC_CLASS(gst_idx_src_parent_class)->query(src, query);
}

static void gst_idx_src_class_init(GstIdxSrcClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstBaseSrcClass *base = GST_BASE_SRC_CLASS(klass);

    GST_DEBUG_CATEGORY_INIT(idx_src_debug, "idxsrc", 0, "idx file source");
    gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
                              G_N_ELEMENTS(properties), NULL);
    gst_element_class_set_static_metadata(
        element, "idx file source", "Source/Video",
        "Reads images and labels from idx files, such as MNIST's",
        "gst-autoencoder");
    gst_element_class_add_static_pad_template(element, &src_template);
    base->start = start;
    base->stop = stop;
    base->query = query;
    klass->make = make;
    klass->made_caps = made_caps;
    klass->category = idx_src_debug;
}

static void gst_idx_src_init(GstIdxSrc *self G_GNUC_UNUSED)
{
}
