/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads caps as those of codes. What is accepted becomes caps of codes again,
 * and of video. */
#include "fuzz.h"

#include "gstaetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GstCaps) caps = NULL, video = NULL, again = NULL;
    GstAeTensors tensors;

    if (!gst_is_initialized())
        gst_init(NULL, NULL);
    caps = gst_caps_from_string(text);
    if (caps == NULL || !gst_caps_is_fixed(caps) ||
        !gst_ae_tensors_from_caps(&tensors, caps, NULL))
        return 0;
    video = gst_ae_tensors_to_video(caps);
    again = gst_ae_tensors_to_caps(&tensors, video);
    return 0;
}
