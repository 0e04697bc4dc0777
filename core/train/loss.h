/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Losses of images (AeLoss; options.c names them for users) and of codes
 * (AeCodeTerm in trainer.h chooses one), and their gradients. AE_LOSS_L1 is
 * smooth; ae_loss_l1_norm(), of codes, is not. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * AeLoss:
 * @AE_LOSS_MSE: (y - t)^2
 * @AE_LOSS_L1: sqrt((y - t)^2 + 1e-6), Charbonnier's smooth L1 (Charbonnier et
 *   al., ICIP 1994)
 * @AE_LOSS_BCE: -t log y - (1 - t) log(1 - y), natural logarithm, y clipped to
 *   [1e-7, 1 - 1e-7]
 */
typedef enum { AE_LOSS_MSE, AE_LOSS_L1, AE_LOSS_BCE } AeLoss;

/* The loss of image @y against @target, summed over its @n elements. Writes the
 * gradient with respect to y, times @scale, to @gradient if that is not NULL.
 */
double ae_loss(AeLoss loss, const float *y, const float *target, int64_t n,
               float scale, float *gradient);

/* The Kullback-Leibler divergence, in nats, of the normal distributions with
 * mean m and log variance v from the standard normal distribution, summed over
 * @n values: -1/2 sum(1 + v - m^2 - exp v) (Kingma and Welling, ICLR 2014,
 * appendix B). Writes the gradients, times @scale, where their pointers are not
 * NULL. */
double ae_loss_kl(const float *mean, const float *log_variance, int64_t n,
                  float scale, float *mean_gradient,
                  float *log_variance_gradient);

/* The sum of the absolute values of @n numbers. Writes its gradient, times
 * @scale, to @gradient if that is not NULL; the gradient at 0 is 0. */
double ae_loss_l1_norm(const float *code, int64_t n, float scale,
                       float *gradient);

G_END_DECLS
