/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    static const char *no_tags[] = {NULL};

    gst_meta_register_custom(GST_AE_LABEL_META, no_tags, NULL, NULL, NULL);

    return GST_ELEMENT_REGISTER(aecompare, plugin) &&
           GST_ELEMENT_REGISTER(aedenoise, plugin) &&
           GST_ELEMENT_REGISTER(aenoise, plugin) &&
           GST_ELEMENT_REGISTER(aetrain, plugin) &&
           GST_ELEMENT_REGISTER(idxsrc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, autoencoder,
                  "Trains, runs and samples autoencoders on live media",
                  plugin_init, VERSION, "LGPL", PACKAGE,
                  "Unknown package origin")
