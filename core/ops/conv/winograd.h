/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passes of 3x3 taps without strides by Winograd's algorithm (AeWinogradInput),
 * with a quarter of the multiplications. */
#pragma once

#include "ops/conv/rows.h"

G_BEGIN_DECLS

/* Target rows that are computed together; a group begins at every fourth row of
 * an image. */
#define AE_CONV_WINOGRAD_ROWS 4

/* After ae_conv_pass_init(): decides whether @pass is computed in this way, and
 * if so sets its winograd, and what it then needs of rows and weights. */
void ae_conv_winograd_init(const AeKernels *kernels, const AeConv *c,
                           AeConvPass *pass);

/* Floats of scratch, behind those of the rows. */
int64_t ae_conv_winograd_scratch(const AeKernels *kernels,
                                 const AeConvPass *pass);

/* Widens target rows [*begin, *end) of an image to whole groups. */
void ae_conv_winograd_rows(int64_t *begin, int64_t *end);

/* Computes target rows [begin, end). */
void ae_conv_winograd_run(const AeConvRun *run, int64_t begin, int64_t end,
                          float *scratch);

G_END_DECLS
