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
