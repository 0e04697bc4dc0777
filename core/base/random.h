/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers as a pure function of (seed, stream, counter): Philox4x32-10
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011). Nothing to save but three integers, nothing shared between
 * threads, the same numbers in any order of work and on every machine. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    uint64_t seed;
    uint64_t stream;  /* an image's number, say */
    uint64_t counter; /* blocks drawn so far */
    uint32_t block[4];
    int left; /* numbers of the block not yet used */
} AeRandom;

AeRandom ae_random(uint64_t seed, uint64_t stream);
uint32_t ae_random_bits(AeRandom *random);
float ae_random_uniform(AeRandom *random); /* [0, 1), 24 bits */
/* 0 .. n - 1, unbiased */
uint32_t ae_random_below(AeRandom *random, uint32_t n);
float ae_random_normal(AeRandom *random); /* mean 0, sd 1 */

/* Fills @n floats with standard normal numbers (Box-Muller), from the next
 * whole block on, four a block: a call for n + m floats gives the same as calls
 * for n and m where n is a multiple of four. */
void ae_random_normals(AeRandom *random, float *target, int64_t n);

/* Fills @order with a permutation of 0 .. n - 1 (Fisher-Yates). */
void ae_random_permutation(AeRandom *random, uint32_t *order, uint32_t n);

/* A seed for a part of a run: mixes @seed with @part (SplitMix64). */
uint64_t ae_random_mix(uint64_t seed, uint64_t part);

G_END_DECLS
