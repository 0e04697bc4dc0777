/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaetensors.h"

#define SEPARATORS ",."
#define MAX_RANK 16 /* that caps may write; only leading ones go past ours */

/* Fields of a code's caps and of the video's that mean the same. */
static const struct {
    const char *tensors, *video;
} hints[] = {
    {"framerate", "framerate"},
    {"ae-width", "width"},
    {"ae-height", "height"},
    {"ae-format", "format"},
    {"ae-colorimetry", "colorimetry"},
    {"pixel-aspect-ratio", "pixel-aspect-ratio"},
};

static void copy_field(GstStructure *to, const char *to_name,
                       const GstStructure *from, const char *from_name)
{
    const GValue *value = gst_structure_get_value(from, from_name);

    if (value != NULL)
        gst_structure_set_value(to, to_name, value);
}

/* 8 x 4 x 4 as "4:4:8:1". Free. */
static char *format_shape(const AeShape *shape)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < MAX(shape->rank, 4); i++) {
        gint64 dim = i < shape->rank ? shape->dim[shape->rank - 1 - i] : 1;

        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? ":" : "",
                               dim);
    }
    return g_string_free(text, FALSE);
}

/* @text for each tensor, as one list. */
static void append_item(GString *list, const char *text)
{
    if (list->len > 0)
        g_string_append_c(list, ',');
    g_string_append(list, text);
}

GstCaps *gst_ae_tensors_to_caps(const GstAeTensors *tensors,
                                const GstCaps *video)
{
    g_autoptr(GString) types = g_string_new(NULL);
    g_autoptr(GString) dimensions = g_string_new(NULL);
    const GstStructure *from = gst_caps_get_structure(video, 0);
    GstCaps *caps;

    for (int i = 0; i < tensors->n; i++) {
        g_autofree char *text = format_shape(&tensors->shape[i]);
        append_item(types, "float32");
        append_item(dimensions, text);
    }
    caps = gst_caps_new_simple("other/tensors", "format", G_TYPE_STRING,
                               "static", "num_tensors", G_TYPE_INT, tensors->n,
                               "types", G_TYPE_STRING, types->str, "dimensions",
                               G_TYPE_STRING, dimensions->str, "framerate",
                               GST_TYPE_FRACTION, 0, 1, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++)
        copy_field(gst_caps_get_structure(caps, 0), hints[i].tensors, from,
                   hints[i].video);
    return caps;
}

GstCaps *gst_ae_tensors_to_video(const GstCaps *caps)
{
    GstCaps *video = gst_caps_new_empty_simple("video/x-raw");

    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++)
        copy_field(gst_caps_get_structure(video, 0), hints[i].video,
                   gst_caps_get_structure(caps, 0), hints[i].tensors);
    return video;
}

static gboolean refuse_dimensions(const char *text, GError **error)
{
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "these tensors have dimensions=%s, where one to 16 numbers "
                "from 1 on were expected for each tensor, innermost first, "
                "such as 4:4:8:1",
                text);
    return FALSE;
}

/* "4:4:8:1" as 8 x 4 x 4. */
static gboolean parse_shape(AeShape *shape, const char *text, GError **error)
{
    g_auto(GStrv) numbers = g_strsplit(text, ":", -1);
    int rank = (int)g_strv_length(numbers);
    guint64 dim[MAX_RANK];
    int64_t count;

    if (rank < 1 || rank > MAX_RANK)
        return refuse_dimensions(text, error);
    for (int i = 0; i < rank; i++)
        if (!g_ascii_string_to_unsigned(numbers[i], 10, 1, G_MAXUINT32, &dim[i],
                                        NULL))
            return refuse_dimensions(text, error);
    while (rank > 1 && dim[rank - 1] == 1)
        rank--;
    if (rank > AE_MAX_RANK)
        return refuse_dimensions(text, error);
    shape->rank = rank;
    for (int i = 0; i < rank; i++)
        shape->dim[i] = (int64_t)dim[rank - 1 - i];
    return ae_shape_count(shape, &count, error);
}

static gboolean parse_dimensions(GstAeTensors *tensors, const char *text,
                                 GError **error)
{
    g_auto(GStrv) items = g_strsplit_set(text, SEPARATORS, -1);

    tensors->n = (int)g_strv_length(items);
    if (tensors->n < 1 || tensors->n > GST_AE_TENSORS_MAX)
        return refuse_dimensions(text, error);
    for (int i = 0; i < tensors->n; i++)
        if (!parse_shape(&tensors->shape[i], g_strstrip(items[i]), error))
            return FALSE;
    return TRUE;
}

/* Whether the list @text has @n items that all are float32. */
static gboolean all_floats(const char *text, int n)
{
    g_auto(GStrv) items = g_strsplit_set(text, SEPARATORS, -1);

    if ((int)g_strv_length(items) != n)
        return FALSE;
    for (int i = 0; i < n; i++)
        if (strcmp(g_strstrip(items[i]), "float32") != 0)
            return FALSE;
    return TRUE;
}

gboolean gst_ae_tensors_from_caps(GstAeTensors *tensors, const GstCaps *caps,
                                  GError **error)
{
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    const char *format = gst_structure_get_string(s, "format");
    const char *types = gst_structure_get_string(s, "types");
    const char *dimensions = gst_structure_get_string(s, "dimensions");
    int n = 1;

    if (format != NULL && strcmp(format, "static") != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "these tensors are of format=%s, where static was expected",
                    format);
        return FALSE;
    }
    if (!parse_dimensions(tensors, dimensions != NULL ? dimensions : "", error))
        return FALSE;
    if (gst_structure_has_field(s, "num_tensors") &&
        (!gst_structure_get_int(s, "num_tensors", &n) || n != tensors->n)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "these tensors are num_tensors=%d, but dimensions=%s are "
                    "those of %d",
                    n, dimensions, tensors->n);
        return FALSE;
    }
    if (types != NULL && all_floats(types, tensors->n))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "these tensors have types=%s, where float32 was expected for "
                "each of %d",
                types != NULL ? types : "(nothing)", tensors->n);
    return FALSE;
}
