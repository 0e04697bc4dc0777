/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exp, log and the activations, element by element with GNU vectors.
 *
 * The polynomials of exp and log are from Moshier's Cephes library
 * (netlib.org/cephes, single/expf.c and logf.c). Relative errors are below
 * 2e-7. */
#include "kernels/simd.h"

#include <math.h>
#include <string.h>

#define WIDTH AE_LANES
#define W(name) name
#include "kernels/tmpl/vector-width.h"

typedef float Half __attribute__((vector_size(2 * AE_LANES)));
typedef double Doubles __attribute__((vector_size(4 * AE_LANES)));

#define ALL(value) ((Vector){0} + (value))

ALWAYS_INLINE Vector choose(Mask mask, Vector yes, Vector no)
{
    return (Vector)(((Mask)yes & mask) | ((Mask)no & ~mask));
}

/* NaN stays NaN. */
ALWAYS_INLINE Vector clamp(Vector x, float low, float high)
{
    x = choose(x < low, ALL(low), x);
    return choose(x > high, ALL(high), x);
}

/* 2^n, n in -126 .. 127. */
ALWAYS_INLINE Vector power_of_two(Mask n)
{
    return (Vector)((n + 127) << 23);
}

/* exp x = 2^n exp r, n = round(x / ln 2), |r| <= ln 2 / 2. Two factors for 2^n
 * reach the subnormal numbers and infinity. */
ALWAYS_INLINE Vector exp_vector(Vector x)
{
    const float round = 0x1.8p23f;
    Vector y, n, r;
    Mask whole, half;

    x = clamp(x, -104, 89);
    n = x * 1.44269504088896341f + round;
    whole = (Mask)n - (Mask)ALL(round);
    n -= round;
    r = x - n * 0.693359375f + n * 2.12194440e-4f;
    y = ALL(1.9875691500e-4f);
    y = y * r + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * (r * r) + r + 1;
    half = whole >> 1;
    return y * power_of_two(half) * power_of_two(whole - half);
}

/* log(m 2^e), m in [sqrt 1/2, sqrt 2): a polynomial in m - 1, plus e ln 2. */
ALWAYS_INLINE Vector log_positive(Vector x)
{
    const Mask tiny = x < 0x1p-126f;
    Mask bits, below;
    Vector e, m, z, y;

    x = choose(tiny, x * 0x1p23f, x);
    bits = (Mask)x - 0x3f000000;
    e = __builtin_convertvector(bits >> 23, Vector) -
        choose(tiny, ALL(23), ALL(0));
    m = (Vector)((bits & 0x7fffff) + 0x3f000000);
    below = m < 0.707106781186547524f;
    e -= choose(below, ALL(1), ALL(0));
    m = choose(below, m + m, m) - 1;
    z = m * m;
    y = ALL(7.0376836292e-2f);
    y = y * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * z + e * -2.12194440e-4f - 0.5f * z;
    return m + y + e * 0.693359375f;
}

ALWAYS_INLINE Vector log_vector(Vector x)
{
    Vector y = log_positive(x);

    y = choose(x == (float)INFINITY, x, y);
    y = choose(x == 0, ALL(-(float)INFINITY), y);
    return choose((x < 0) | (x != x), ALL((float)NAN), y);
}

/* For x in [0, 1]: log of the rounded 1 + x, corrected by what the rounding
 * lost (Goldberg, ACM Computing Surveys 1991, theorem 4). */
ALWAYS_INLINE Vector log1p_vector(Vector x)
{
    const Vector u = x + 1;

    return log_positive(u) + (x - (u - 1)) / u;
}

ALWAYS_INLINE Vector magnitude(Vector x)
{
    return (Vector)((Mask)x & 0x7fffffff);
}

ALWAYS_INLINE Vector sigmoid_vector(Vector x)
{
    return 1 / (1 + exp_vector(-x));
}

ALWAYS_INLINE Vector limit(Vector x, float most)
{
    return choose(x > most, ALL(most), choose(x < -most, ALL(-most), x));
}

/* A quotient of polynomials in x^2, fitted to tanh(x) / x on [0, 9] for the
 * least relative error (2.1e-8; with roundings 2.6e-7). */
ALWAYS_INLINE Vector tanh_vector(Vector x)
{
    const Vector y = limit(x, 9), z = y * y;
    Vector p = ALL(1.33543418e-8f), q = ALL(7.77642528e-7f);

    p = p * z + 2.06088451e-5f;
    p = p * z + 3.4955736e-3f;
    p = p * z + 1.33810134e-1f;
    p = p * z + 1;
    q = q * z + 3.2856111e-4f;
    q = q * z + 2.5876927e-2f;
    q = q * z + 4.6714329e-1f;
    q = q * z + 1;
    return limit(y * p / q, 1);
}

/* exp x - 1 for x < 0: expm1 = tanh(x / 2) (exp x + 1) does not cancel. */
ALWAYS_INLINE Vector elu_vector(Vector x, float alpha)
{
    Vector y = tanh_vector(x * 0.5f) * (exp_vector(x) + 1);

    return choose(x < 0, alpha * y, x);
}

ALWAYS_INLINE Vector softplus_vector(Vector x)
{
    return choose(x < 0, ALL(0), x) + log1p_vector(exp_vector(-magnitude(x)));
}

ALWAYS_INLINE Vector activation(Vector x, AeActivation a, float alpha)
{
    switch (a) {
    case AE_ACTIVATION_RELU:
        return choose(x < 0, ALL(0), x);
    case AE_ACTIVATION_LEAKY_RELU:
        return choose(x < 0, alpha * x, x);
    case AE_ACTIVATION_ELU:
        return elu_vector(x, alpha);
    case AE_ACTIVATION_SIGMOID:
        return sigmoid_vector(x);
    case AE_ACTIVATION_TANH:
        return tanh_vector(x);
    case AE_ACTIVATION_SOFTPLUS:
        return softplus_vector(x);
    default:
        return x;
    }
}

ALWAYS_INLINE Vector derivative(Vector y, AeActivation a, float alpha)
{
    switch (a) {
    case AE_ACTIVATION_RELU:
        return choose(y > 0, ALL(1), ALL(0));
    case AE_ACTIVATION_LEAKY_RELU:
        return choose(y > 0, ALL(1), ALL(alpha));
    case AE_ACTIVATION_ELU:
        return choose(y > 0, ALL(1), y + alpha);
    case AE_ACTIVATION_SIGMOID:
        return y * (1 - y);
    case AE_ACTIVATION_TANH:
        return 1 - y * y;
    case AE_ACTIVATION_SOFTPLUS:
        return 1 - exp_vector(-y);
    default:
        return ALL(1);
    }
}

typedef Vector (*Function)(Vector x, AeActivation a, float alpha);

/* Elements that do not fill a vector are copied into one on the stack, so that
 * an element's result does not depend on its place. */
ALWAYS_INLINE void map(float *y, const float *x, int64_t n, Function f,
                       AeActivation a, float alpha)
{
    float rest[AE_LANES] = {0};
    int64_t i = 0;

    for (; i + AE_LANES <= n; i += AE_LANES)
        store(y + i, f(load(x + i), a, alpha));
    memcpy(rest, x + i, (n - i) * sizeof *x);
    store(rest, f(load(rest), a, alpha));
    memcpy(y + i, rest, (n - i) * sizeof *y);
}

ALWAYS_INLINE Vector exp_function(Vector x, AeActivation a G_GNUC_UNUSED,
                                  float alpha G_GNUC_UNUSED)
{
    return exp_vector(x);
}

ALWAYS_INLINE Vector log_function(Vector x, AeActivation a G_GNUC_UNUSED,
                                  float alpha G_GNUC_UNUSED)
{
    return log_vector(x);
}

void NAME(exp)(float *y, const float *x, int64_t n)
{
    map(y, x, n, exp_function, AE_ACTIVATION_NONE, 0);
}

void NAME(log)(float *y, const float *x, int64_t n)
{
    map(y, x, n, log_function, AE_ACTIVATION_NONE, 0);
}

/* Calls MACRO for every activation that changes its input. */
#define ACTIVATIONS(MACRO)                                                     \
    MACRO(AE_ACTIVATION_RELU)                                                  \
    MACRO(AE_ACTIVATION_LEAKY_RELU)                                            \
    MACRO(AE_ACTIVATION_ELU)                                                   \
    MACRO(AE_ACTIVATION_SIGMOID)                                               \
    MACRO(AE_ACTIVATION_TANH)                                                  \
    MACRO(AE_ACTIVATION_SOFTPLUS)

void NAME(activate)(float *y, const float *x, int64_t n, AeActivation a,
                    float alpha)
{
    switch (a) {
#define CASE(a)                                                                \
    case a:                                                                    \
        map(y, x, n, activation, a, alpha);                                    \
        break;
        ACTIVATIONS(CASE)
#undef CASE
    default:
        if (y != x)
            memmove(y, x, n * sizeof *y);
    }
}

ALWAYS_INLINE void gradient(float *dx, const float *y, const float *dy,
                            AeActivation a, float alpha, gboolean accumulate)
{
    Vector d = load(dy) * derivative(load(y), a, alpha);

    store(dx, accumulate ? load(dx) + d : d);
}

ALWAYS_INLINE void map_gradient(float *dx, const float *y, const float *dy,
                                int64_t n, AeActivation a, float alpha,
                                gboolean accumulate)
{
    float rest[3][AE_LANES] = {{0}};
    int64_t i = 0;

    for (; i + AE_LANES <= n; i += AE_LANES)
        gradient(dx + i, y + i, dy + i, a, alpha, accumulate);
    memcpy(rest[0], dx + i, (n - i) * sizeof *dx);
    memcpy(rest[1], y + i, (n - i) * sizeof *y);
    memcpy(rest[2], dy + i, (n - i) * sizeof *dy);
    gradient(rest[0], rest[1], rest[2], a, alpha, accumulate);
    memcpy(dx + i, rest[0], (n - i) * sizeof *dx);
}

void NAME(activate_gradient)(float *dx, const float *y, const float *dy,
                             int64_t n, AeActivation a, float alpha,
                             gboolean accumulate)
{
    switch (a) {
#define CASE(a)                                                                \
    case a:                                                                    \
        map_gradient(dx, y, dy, n, a, alpha, accumulate);                      \
        break;
        ACTIVATIONS(CASE)
#undef CASE
    default:
        map_gradient(dx, y, dy, n, AE_ACTIVATION_NONE, 0, accumulate);
    }
}

/* A fixed number of partial sums, added in a fixed order. Half as many doubles
 * as floats fill a register; four chains hide the latency of additions. */
double NAME(sum_squares)(const float *x, int64_t n)
{
    Doubles sums[4] = {{0}};
    double sum = 0;
    int64_t i = 0;

    for (; i + 2 * AE_LANES <= n; i += 2 * AE_LANES)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            Half half;
            Doubles v;

            memcpy(&half, x + i + j * (AE_LANES / 2), sizeof half);
            v = __builtin_convertvector(half, Doubles);
            sums[j] += v * v;
        }
    for (; i < n; i++)
        sum += (double)x[i] * x[i];
    for (int j = 0; j < 4; j++)
        for (int l = 0; l < AE_LANES / 2; l++)
            sum += sums[j][l];
    return sum;
}

/* Twelve independent chains: more than latency times units of any processor
 * that these sets are for. */
int64_t NAME(peak)(int64_t n, float *sink)
{
    const Vector factor = ALL(sink[0]), term = ALL(sink[1]);
    Vector sum[12];

    for (int j = 0; j < 12; j++)
        sum[j] = ALL((float)j);
    for (int64_t i = 0; i < n; i++)
#pragma GCC unroll 12
        for (int j = 0; j < 12; j++)
            sum[j] = sum[j] * factor + term;
    for (int j = 1; j < 12; j++)
        sum[0] += sum[j];
    sink[0] = sum[0][0];
    return n * 12 * 2 * AE_LANES;
}
