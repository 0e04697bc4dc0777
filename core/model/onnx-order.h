/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order in which nodes of a file run. Private to onnx*.c. */
#pragma once

#include "onnx.pb-c.h"

#include <glib.h>

G_BEGIN_DECLS

/* The indices of the nodes of @graph, each behind the nodes that make its
 * inputs, otherwise as they stand in the file. Free with g_free(). NULL with
 * AE_ERROR_FORMAT if a node depends on itself. */
int *ae_onnx_order(const Onnx__GraphProto *graph, GError **error);

G_END_DECLS
