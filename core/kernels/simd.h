/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of one instruction set share. The build defines AE_SUFFIX, the
 * name of the set, and AE_LANES, the floats of its vectors. NAME(conv_row)
 * becomes ae_conv_row_avx2. */
#pragma once

#include "kernels/kernels.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(function) JOIN(JOIN(ae_, function), JOIN(_, AE_SUFFIX))

#define TEXT2(a) #a
#define TEXT(a) TEXT2(a) /* a macro's value as a string */

/* The cases of a switch that calls an unrolled function with a constant size.
 * The switch defines CASE(n). */
#define CASES_9                                                                \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9)
#define CASES_12 CASES_9 CASE(10) CASE(11) CASE(12)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

extern const AeKernels NAME(kernels);
extern const AeInt8Kernels NAME(int8);

size_t NAME(conv_packed)(int segments, int k, int co);
void NAME(conv_pack)(float *packed, int segments, int k, int co,
                     const float *weights, int64_t stride_s, int64_t stride_i,
                     int64_t stride_o);
void NAME(conv_row)(const AeConvRow *row);
void NAME(conv_weights)(const AeConvWeights *w);
void NAME(depthwise_row)(const AeConvRow *row);
void NAME(depthwise_weights)(const AeConvWeights *w);
void NAME(winograd_pack)(float *packed, const float *weights, int ci, int co);
void NAME(winograd_input)(const AeWinogradInput *in);
void NAME(winograd_multiply)(const AeWinogradProducts *products);
void NAME(winograd_output)(const AeWinogradOutput *out);

void NAME(activate)(float *y, const float *x, int64_t n, AeActivation a,
                    float alpha);
void NAME(activate_gradient)(float *dx, const float *y, const float *dy,
                             int64_t n, AeActivation a, float alpha,
                             gboolean accumulate);
void NAME(exp)(float *y, const float *x, int64_t n);
void NAME(log)(float *y, const float *x, int64_t n);
void NAME(add)(float *y, const float *a, const float *b, int64_t n);
void NAME(maximum)(float *y, const float *a, const float *b, int64_t n);
void NAME(pass_maximum)(float *dx, const float *x, int64_t step, const float *y,
                        float *rest, int64_t n, int64_t c, gboolean overwrite);
void NAME(adam)(float *weight, const float *gradient, float *m, float *v,
                int64_t n, const AeAdam *adam);
double NAME(sum_squares)(const float *x, int64_t n);
int64_t NAME(peak)(int64_t n, float *sink);
