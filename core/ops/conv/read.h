/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv and ConvTranspose as the node describes them. */
#pragma once

#include "ops/conv/pass.h"

G_BEGIN_DECLS

/* Reads and checks the shapes of @step's inputs and the attributes of its node.
 * Fills in sizes, channels, groups, window, taps and transposed of @c. FALSE,
 * with the reason, if they contradict each other or are too large. */
gboolean ae_conv_read(const AeStep *step, AeConv *c, GError **error);

G_END_DECLS
