/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"
#include "gstaelabel.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    gst_ae_label_register();
    return GST_ELEMENT_REGISTER(aecompare, plugin) &&
           GST_ELEMENT_REGISTER(aedecode, plugin) &&
           GST_ELEMENT_REGISTER(aedenoise, plugin) &&
           GST_ELEMENT_REGISTER(aeencode, plugin) &&
           GST_ELEMENT_REGISTER(aenoise, plugin) &&
           GST_ELEMENT_REGISTER(aesuperres, plugin) &&
           GST_ELEMENT_REGISTER(aetrain, plugin) &&
           GST_ELEMENT_REGISTER(idxsrc, plugin) &&
           GST_ELEMENT_REGISTER(vaesample, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, autoencoder,
                  "Trains, runs and samples autoencoders on live media",
                  plugin_init, VERSION, "LGPL", PACKAGE,
                  "Unknown package origin")
