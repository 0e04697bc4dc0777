/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers as a pure function of (seed, stream, counter): Philox4x32-10
 * (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011). There is no state to save but three integers and none that
 * threads share. The numbers are the same on every machine, in whatever order
 * work is done. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    uint64_t seed;
    uint64_t stream;  /* for example the number of an image */
    uint64_t counter; /* blocks drawn so far */
    uint32_t block[4];
    int left; /* numbers of the block not yet used */
} AeRandom;

AeRandom ae_random(uint64_t seed, uint64_t stream);
uint32_t ae_random_bits(AeRandom *random);
float ae_random_uniform(AeRandom *random); /* [0, 1), 24 bits */
/* 0 .. n - 1, all with the same probability */
uint32_t ae_random_below(AeRandom *random, uint32_t n);
float ae_random_normal(AeRandom *random); /* mean 0, standard deviation 1 */

/* Fills @target with @n standard normal numbers (Box-Muller). It begins with
 * the next whole block of four numbers: one call for n + m numbers gives the
 * same as a call for n and a call for m, if n is a multiple of four. */
void ae_random_normals(AeRandom *random, float *target, int64_t n);

/* Fills @order with a random permutation of 0 .. n - 1 (Fisher-Yates). */
void ae_random_permutation(AeRandom *random, uint32_t *order, uint32_t n);

/* The seed of part @part of a run with seed @seed (SplitMix64). */
uint64_t ae_random_mix(uint64_t seed, uint64_t part);

G_END_DECLS
