/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin's elements: plugin.c registers them, each is defined in its own
 * file. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GST_ELEMENT_REGISTER_DECLARE(aecompare)
GST_ELEMENT_REGISTER_DECLARE(aedecode)
GST_ELEMENT_REGISTER_DECLARE(aedenoise)
GST_ELEMENT_REGISTER_DECLARE(aeencode)
GST_ELEMENT_REGISTER_DECLARE(aenoise)
GST_ELEMENT_REGISTER_DECLARE(aesuperres)
GST_ELEMENT_REGISTER_DECLARE(aetrain)
GST_ELEMENT_REGISTER_DECLARE(idxsrc)
GST_ELEMENT_REGISTER_DECLARE(vaesample)

G_END_DECLS
