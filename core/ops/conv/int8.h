/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of bytes; int8.c. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

/* What bytes mean: (byte - zero) * scale. */
typedef struct {
    float scale;
    int zero; /* 0 .. 255; signed bytes are held with 128 added */
} AeConvQuantum;

typedef struct {
    AeConvQuantum in, out, residual; /* out only where out[0] is of bytes */
    const float *weights;            /* whole numbers, as the tensor lies */
    const float *weight_scales;
    gboolean scale_per_channel;
    const float *bias; /* NULL: none */
} AeConvInt8;

/* Makes the planned Conv or ConvTranspose of images @step, of constant weights
 * and without an activation other than ReLU, one of bytes. FALSE, and nothing
 * has changed, if it cannot be. Contents of @q are borrowed. */
gboolean ae_conv_to_int8(AeStep *step, const AeConvInt8 *q);

G_END_DECLS
