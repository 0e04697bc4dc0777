/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Floats to bf16, their upper 16 bits. */
#pragma once

#include "kernels/simd.h"

#include <string.h>

/* The nearest number whose lower 16 bits are 0, halves to even; what is too
 * small for a normal number becomes a zero, a NaN stays one. */
ALWAYS_INLINE uint32_t bf16_bits(float x)
{
    uint32_t bits, rounded;

    memcpy(&bits, &x, sizeof bits);
    rounded = bits + 0x7fff + (bits >> 16 & 1);
    rounded = (bits & 0x7fffffff) > 0x7f800000 ? bits | 0x400000 : rounded;
    rounded = (bits & 0x7f800000) == 0 ? bits & 0x80000000 : rounded;
    return rounded & 0xffff0000;
}

ALWAYS_INLINE float bf16_float(float x)
{
    const uint32_t bits = bf16_bits(x);
    float rounded;

    memcpy(&rounded, &bits, sizeof rounded);
    return rounded;
}

/* Pairs as two floats, the second number first. */
ALWAYS_INLINE void bf16_load(float *pairs, const float *x, int64_t pixels,
                             int c)
{
    if (c % 2 == 0) {
        for (int64_t i = 0; i < pixels * c; i += 2) {
            pairs[i] = bf16_float(x[i + 1]);
            pairs[i + 1] = bf16_float(x[i]);
        }
        return;
    }
    for (int64_t p = 0; p < pixels; p++, x += c)
        for (int i = 0; i < c; i += 2) {
            *pairs++ = i + 1 < c ? bf16_float(x[i + 1]) : 0;
            *pairs++ = bf16_float(x[i]);
        }
}
