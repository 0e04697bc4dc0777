/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaeerror.h"

#include "ae.h"

/* In the order of AeError. */
static const struct {
    GQuark (*domain)(void);
    int code;
} meanings[] = {
    {gst_resource_error_quark, GST_RESOURCE_ERROR_READ},
    {gst_stream_error_quark, GST_STREAM_ERROR_FORMAT},
    {gst_stream_error_quark, GST_STREAM_ERROR_NOT_IMPLEMENTED},
    {gst_stream_error_quark, GST_STREAM_ERROR_WRONG_TYPE},
    {gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS},
    {gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
    {gst_stream_error_quark, GST_STREAM_ERROR_FAILED},
};
G_STATIC_ASSERT(G_N_ELEMENTS(meanings) == AE_ERROR_DIVERGED + 1);

void gst_ae_post(GstElement *element, GstMessageType type, const GError *error)
{
    GQuark domain = GST_LIBRARY_ERROR;
    int code = GST_LIBRARY_ERROR_FAILED;

    if (error->domain == AE_ERROR) {
        domain = meanings[error->code].domain();
        code = meanings[error->code].code;
    }
    GST_INFO_OBJECT(element, "%s", error->message);
    gst_element_message_full(element, type, domain, code,
                             g_strdup(error->message), NULL, __FILE__,
                             G_STRFUNC, __LINE__);
}

gboolean gst_ae_peer_takes(GstPad *pad, GstCaps *caps, const char *label)
{
    g_autoptr(GstCaps) common = gst_pad_peer_query_caps(pad, caps);
    g_autoptr(GstElement) element = NULL;
    g_autoptr(GstCaps) taken = NULL;
    g_autofree char *made_text = NULL, *taken_text = NULL;

    if (!gst_caps_is_empty(common))
        return TRUE;
    element = gst_pad_get_parent_element(pad);
    taken = gst_pad_peer_query_caps(pad, NULL);
    made_text = gst_caps_to_string(caps);
    taken_text = gst_caps_to_string(taken);
    GST_ELEMENT_ERROR(element, STREAM, WRONG_TYPE,
                      ("Model '%s' makes %s, but the next element takes %s.",
                       label, made_text, taken_text),
                      (NULL));
    return FALSE;
}
