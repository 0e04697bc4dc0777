/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* External data: elements of tensors that lie in files beside the model.
 * Private to onnx*.c. */
#pragma once

#include "onnx.pb-c.h"

#include <glib.h>

G_BEGIN_DECLS

static inline gboolean ae_onnx_is_external(const Onnx__TensorProto *proto)
{
    return proto->data_location != 0 || proto->n_external_data > 0;
}

/* Reads the @size bytes of @proto, which is external, from a file inside
 * @folder, the model's own. @folder NULL: the model is in memory, and has no
 * files. AE_ERROR_FORMAT (entries are damaged, the path leads out of the
 * folder, the sizes differ), AE_ERROR_FILE (cannot be read), AE_ERROR_MEMORY,
 * AE_ERROR_UNSUPPORTED (@folder NULL); messages name the other file. */
GBytes *ae_onnx_external_read(const Onnx__TensorProto *proto,
                              const char *folder, gsize size, GError **error);

G_END_DECLS
