/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in the order in which the kernels read them. */
#pragma once

#include "ops/conv/pass.h"

G_BEGIN_DECLS

/* Which of the kernel's c->taps elements is tap (@d, @h, @w) of the phases
 * @axis. */
int64_t ae_conv_kernel_tap(const AeConv *c, const AeConvPhase *const axis[3],
                           int64_t d, int64_t h, int64_t w);

/* Floats of scratch for ae_conv_pack(). */
static inline int64_t ae_conv_pack_scratch(const AeConv *c,
                                           const AeConvPass *pass)
{
    return ae_conv_aligned(c->taps * pass->source_c * pass->target_c);
}

/* Packs @weights, the tensor, into pass->packed floats: phase after phase, in
 * each group after group. */
void ae_conv_pack(const AeKernels *kernels, const AeConv *c,
                  const AeConvPass *pass, const float *weights, float *packed,
                  float *scratch);

G_END_DECLS
