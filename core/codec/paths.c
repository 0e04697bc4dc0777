/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "codec/paths.h"

#include <math.h>

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

void ae_latent_slerp(float *target, const float *a, const float *b, int n,
                     double t)
{
    double lengths = sqrt(dot(a, a, n) * dot(b, b, n));
    double cosine = lengths > 0 ? dot(a, b, n) / lengths : 1;
    double angle = acos(CLAMP(cosine, -1, 1)), sine = sin(angle);
    double from_a = 1 - t, from_b = t;

    if (sine > 1e-4) {
        from_a = sin((1 - t) * angle) / sine;
        from_b = sin(t * angle) / sine;
    }
    for (int i = 0; i < n; i++)
        target[i] = (float)(from_a * a[i] + from_b * b[i]);
}

float ae_latent_between(float low, float high, int i, int n)
{
    if (n == 1)
        return (low + high) / 2;
    if (i == n - 1)
        return high;
    return low + (high - low) * (float)i / (float)(n - 1);
}
