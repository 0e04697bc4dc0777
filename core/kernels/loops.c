/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops over elements that the compiler vectorises by itself. The result may be
 * written over an operand, so the loops declare their iterations independent.
 */
#include "kernels/simd.h"

void NAME(add)(float *y, const float *a, const float *b, int64_t n)
{
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

/* A NaN in a stays; where b is NaN, the result is a. */
void NAME(maximum)(float *y, const float *a, const float *b, int64_t n)
{
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] < b[i] ? b[i] : a[i];
}

ALWAYS_INLINE void pass_pixels(float *restrict dx, const float *restrict x,
                               int64_t step, const float *restrict y,
                               float *restrict rest, int64_t n, int64_t c,
                               const gboolean overwrite)
{
    for (; n > 0; n--, dx += step, x += step, y += c, rest += c)
        for (int64_t i = 0; i < c; i++) {
            const gboolean equal = x[i] == y[i];
            const float taken = equal ? rest[i] : 0;

            dx[i] = overwrite ? taken : dx[i] + taken;
            rest[i] = equal ? 0 : rest[i];
        }
}

void NAME(pass_maximum)(float *dx, const float *x, int64_t step, const float *y,
                        float *rest, int64_t n, int64_t c, gboolean overwrite)
{
    if (overwrite)
        pass_pixels(dx, x, step, y, rest, n, c, TRUE);
    else
        pass_pixels(dx, x, step, y, rest, n, c, FALSE);
}

/* Kingma and Ba, ICLR 2015, algorithm 1, with the bias corrections in the
 * learning rate. */
void NAME(adam)(float *restrict weight, const float *restrict gradient,
                float *restrict m, float *restrict v, int64_t n,
                const AeAdam *adam)
{
    const AeAdam a = *adam;

    for (int64_t i = 0; i < n; i++) {
        float g = gradient[i] * a.scale;

        m[i] = a.beta1 * m[i] + (1 - a.beta1) * g;
        v[i] = a.beta2 * v[i] + (1 - a.beta2) * (g * g);
        weight[i] -=
            a.learning_rate * m[i] / (__builtin_sqrtf(v[i]) + a.epsilon);
    }
}
