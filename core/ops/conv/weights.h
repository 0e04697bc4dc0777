/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gradients of the weights of convolutions. */
#pragma once

#include "ops/conv/rows.h"

G_BEGIN_DECLS

/* Sets c->weights; c->down has been set. */
void ae_conv_weights_init(AeConv *c);

/* Floats of scratch for ae_conv_weights_backward(). */
int64_t ae_conv_weights_scratch(const AeConv *c);

/* Adds the gradients of the weights to @weight, which lies as the weights do.
 * @small, @large: the two sides; of the operator's input its values, of the
 * output its gradients.
 */
void ae_conv_weights_backward(const AeKernels *kernels, const AeConv *c,
                              const float *small, const float *large,
                              float *weight, float *scratch);

G_END_DECLS
