/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss.h"

#include <math.h>

#define BCE_EPSILON 1e-7f
#define L1_EPSILON 1e-6f

static double mse(const float *y, const float *t, int64_t n, float scale,
                  float *gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        float d = y[i] - t[i];
        sum += d * d;
        if (gradient != NULL)
            gradient[i] = 2 * scale * d;
    }
    return sum;
}

static double l1(const float *y, const float *t, int64_t n, float scale,
                 float *gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        float d = y[i] - t[i], r = sqrtf(d * d + L1_EPSILON);
        sum += r;
        if (gradient != NULL)
            gradient[i] = scale * d / r;
    }
    return sum;
}

/* What is not a number stays so, and is noticed. */
static float clipped(float p)
{
    if (p < BCE_EPSILON)
        return BCE_EPSILON;
    return p > 1 - BCE_EPSILON ? 1 - BCE_EPSILON : p;
}

static double bce(const float *y, const float *t, int64_t n, float scale,
                  float *gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        float p = clipped(y[i]);
        sum -= t[i] * logf(p) + (1 - t[i]) * logf(1 - p);
        if (gradient != NULL)
            gradient[i] = scale * (p - t[i]) / (p * (1 - p));
    }
    return sum;
}

double ae_loss(AeLoss loss, const float *y, const float *target, int64_t n,
               float scale, float *gradient)
{
    switch (loss) {
    case AE_LOSS_MSE:
        return mse(y, target, n, scale, gradient);
    case AE_LOSS_L1:
        return l1(y, target, n, scale, gradient);
    case AE_LOSS_BCE:
        return bce(y, target, n, scale, gradient);
    }
    g_assert_not_reached();
}
