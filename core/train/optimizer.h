/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Optimizers. All weights of a model lie in one array. Gradients and moments
 * have arrays of the same layout, so that a step, saving and clipping are one
 * loop each. */
#pragma once

#include "kernels/kernels.h"
#include "base/pool.h"

G_BEGIN_DECLS

/**
 * AeOptimizerKind:
 * @AE_OPTIMIZER_ADAM: Kingma and Ba, ICLR 2015, Algorithm 1 with the bias
 *   correction in the step size (end of section 2) and epsilon 1e-7 (the TF
 *   default)
 * @AE_OPTIMIZER_RMSPROP: Tieleman and Hinton, lecture 6.5; rho 0.9, epsilon
 *   1e-7 added to the root, as PyTorch and the notebooks' TF have it
 * @AE_OPTIMIZER_SGD: momentum 0.9 (Sutskever et al., ICML 2013, eq. 1 and 2)
 */
typedef enum {
    AE_OPTIMIZER_ADAM,
    AE_OPTIMIZER_RMSPROP,
    AE_OPTIMIZER_SGD,
} AeOptimizerKind;

/* The number of moments that @kind keeps for each weight: 1 or 2. */
int ae_optimizer_moments(AeOptimizerKind kind);

/* Changes @n weights by step number @step, from 1 on, with their gradients
 * times
 * @scale. @moments: arrays of n floats, zeros before the first step. */
void ae_optimizer_step(AeOptimizerKind kind, float *weights,
                       const float *gradients, float *const moments[2],
                       int64_t n, int64_t step, float learning_rate,
                       float scale, const AeKernels *kernels, AePool *pool);

G_END_DECLS
