/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaenegotiate.h"

gboolean gst_ae_accept_template(GstBaseTransform *base,
                                GstPadDirection direction, GstCaps *caps)
{
    GstPad *pad = direction == GST_PAD_SINK ? base->sinkpad : base->srcpad;
    g_autoptr(GstCaps) template = gst_pad_get_pad_template_caps(pad);

    return gst_caps_is_subset(caps, template);
}

GstCaps *gst_ae_transform_framerate(GstCaps *other, const GstCaps *caps,
                                    GstCaps *filter)
{
    g_autoptr(GstCaps) result = gst_caps_new_empty();

    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        const GValue *framerate = gst_structure_get_value(
            gst_caps_get_structure(caps, i), "framerate");
        GstCaps *each = gst_caps_copy(other);

        if (framerate != NULL)
            gst_caps_set_value(each, "framerate", framerate);
        result = gst_caps_merge(result, each);
    }
    gst_caps_unref(other);
    if (filter == NULL)
        return g_steal_pointer(&result);
    return gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
}

static gboolean is_restricted(GQuark field, GValue *value G_GNUC_UNUSED,
                              gpointer by)
{
    const GstCaps *caps = by;

    if (gst_caps_is_empty(caps))
        return TRUE;
    for (guint i = 0; i < gst_caps_get_size(caps); i++)
        if (gst_structure_id_has_field(gst_caps_get_structure(caps, i), field))
            return TRUE;
    return FALSE;
}

/* @made without the fields that @taken leaves open: they are no reason. */
static char *describe_reason(const GstCaps *made, GstCaps *taken)
{
    g_autoptr(GstCaps) caps = gst_caps_copy(made);

    for (guint i = 0; i < gst_caps_get_size(caps); i++)
        gst_structure_filter_and_map_in_place(gst_caps_get_structure(caps, i),
                                              is_restricted, taken);
    caps = gst_caps_simplify(g_steal_pointer(&caps));
    return gst_caps_to_string(caps);
}

gboolean gst_ae_peer_takes(GstPad *pad, GstCaps *caps, const char *label)
{
    g_autoptr(GstCaps) common = gst_pad_peer_query_caps(pad, caps);
    g_autoptr(GstElement) element = NULL;
    g_autoptr(GstCaps) taken = NULL;
    g_autofree char *made_text = NULL, *taken_text = NULL, *who = NULL;

    if (!gst_caps_is_empty(common))
        return TRUE;
    element = gst_pad_get_parent_element(pad);
    taken = gst_pad_peer_query_caps(pad, NULL);
    made_text = describe_reason(caps, taken);
    taken_text = gst_caps_to_string(taken);
    who = label != NULL ? g_strdup_printf("Model '%s'", label)
                        : g_strdup("This source");
    GST_ELEMENT_ERROR(element, STREAM, WRONG_TYPE,
                      ("%s makes %s, but the next element takes %s.", who,
                       made_text, taken_text),
                      (NULL));
    return FALSE;
}
