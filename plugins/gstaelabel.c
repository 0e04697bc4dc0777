/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaelabel.h"

void gst_ae_label_register(void)
{
    static const char *no_tags[] = {NULL};

    gst_meta_register_custom(GST_AE_LABEL_META, no_tags, NULL, NULL, NULL);
}

void gst_ae_label_attach(GstBuffer *buffer, int label)
{
    GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, GST_AE_LABEL_META);

    gst_structure_set(gst_custom_meta_get_structure(meta), "label", G_TYPE_INT,
                      label, NULL);
}

gboolean gst_ae_label_read(GstBuffer *buffer, int *label)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, GST_AE_LABEL_META);

    return meta != NULL &&
           gst_structure_get_int(gst_custom_meta_get_structure(meta), "label",
                                 label);
}
