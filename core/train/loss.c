/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/loss.h"

#include <math.h>

#include "kernels/kernels.h"

#define BCE_EPSILON 1e-7f
#define L1_EPSILON 1e-6f
#define CHUNK 1024 /* elements whose logarithms are taken at once */

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

/* Keeps NaN, so that the trainer sees it. */
static float clipped(float p)
{
    if (p < BCE_EPSILON)
        return BCE_EPSILON;
    return p > 1 - BCE_EPSILON ? 1 - BCE_EPSILON : p;
}

/* The binary cross-entropy of at most CHUNK elements. */
static double bce_chunk(const float *y, const float *t, int64_t n, float scale,
                        float *gradient)
{
    float p[CHUNK], q[CHUNK];
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        p[i] = clipped(y[i]);
        q[i] = 1 - p[i];
    }
    for (int64_t i = 0; gradient != NULL && i < n; i++)
        gradient[i] = scale * (p[i] - t[i]) / (p[i] * q[i]);
    ae_kernels_get()->log(p, p, n);
    ae_kernels_get()->log(q, q, n);
    for (int64_t i = 0; i < n; i++)
        sum -= t[i] * p[i] + (1 - t[i]) * q[i];
    return sum;
}

static double bce(const float *y, const float *t, int64_t n, float scale,
                  float *gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i += CHUNK)
        sum += bce_chunk(y + i, t + i, MIN(CHUNK, n - i), scale,
                         gradient != NULL ? gradient + i : NULL);
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

double ae_loss_kl(const float *mean, const float *log_variance, int64_t n,
                  float scale, float *mean_gradient,
                  float *log_variance_gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        float m = mean[i], v = log_variance[i], variance = expf(v);
        sum -= 0.5 * (1 + (double)v - (double)m * m - (double)variance);
        if (mean_gradient != NULL)
            mean_gradient[i] = scale * m;
        if (log_variance_gradient != NULL)
            log_variance_gradient[i] = scale * 0.5f * (variance - 1);
    }
    return sum;
}

double ae_loss_l1_norm(const float *code, int64_t n, float scale,
                       float *gradient)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += fabsf(code[i]);
        if (gradient != NULL)
            gradient[i] = scale * (float)((code[i] > 0) - (code[i] < 0));
    }
    return sum;
}
