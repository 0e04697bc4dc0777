/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of bytes. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

/* A byte stands for (byte - zero) * scale. */
typedef struct {
    float scale;
    int zero; /* 0 .. 255; signed bytes are held with 128 added */
} AeConvQuantum;

typedef struct {
    AeConvQuantum in, out, residual; /* out counts if out[0] holds
                                         bytes, residual if there is one */
    const float *weights; /* whole numbers, in the order of the tensor */
    const float *weight_scales;
    gboolean scale_per_channel;
    const float *bias; /* NULL: none */
} AeConvInt8;

/* Turns @step, a planned Conv or ConvTranspose of images, into one of bytes.
 * Its weights are constant, and its activation is ReLU or none. FALSE, and
 * @step is as it was, if it has groups, its sums would not fit 32 bits, or
 * there is no memory; that alone sets @error. The arrays of @q are borrowed,
 * and must live as long as @step. */
gboolean ae_conv_to_int8(AeStep *step, const AeConvInt8 *q, GError **error);

G_END_DECLS
