/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which attributes operators have. Private to onnx*.c. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether operator @op of ONNX has an attribute @name in @opset. A file with
 * another one means something that would be overlooked. */
gboolean ae_onnx_attribute_known(const char *op, const char *name, int opset);

G_END_DECLS
