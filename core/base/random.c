/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Philox4x32-10 and the numbers drawn from it. A block is
 * philox(key = seed, counter = (counter, stream)), of 64 bits each, the low
 * word first, in ten rounds of two 32 x 32 bit products.
 *
 * Normal numbers follow Box and Muller: two words give a radius sqrt(-2 ln u)
 * and an angle. Logarithm, sine and cosine are short series. They vectorise,
 * and give the same numbers with every C library. */
#include "base/random.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, BLOCK = 4, CHUNK = 64 }; /* CHUNK: blocks at a time */

static void philox(uint32_t *out, uint64_t seed, uint64_t stream,
                   uint64_t counter)
{
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = 0xD2511F53ull * c0;
        uint64_t p1 = 0xCD9E8D57ull * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* u = (bits / 2^8 + 1) / 2^24 in (0, 1] -> sqrt(-2 ln u). With u = m 2^e and
 * s = (m - 1) / (m + 1): ln m = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172. */
static inline float radius(uint32_t bits)
{
    float u = (float)(int32_t)((bits >> 8) + 1) * 0x1p-24f;
    int32_t word, e;
    float m;

    memcpy(&word, &u, sizeof word);
    e = (word - 0x3f3504f3) >> 23; /* so that m is in [1/sqrt 2, sqrt 2) */
    word -= e * (1 << 23);
    memcpy(&m, &word, sizeof m);

    float s = (m - 1) / (m + 1), z = s * s;
    float series = 1 + z * (1 / 3.f + z * (1 / 5.f + z * (1 / 7.f + z / 9.f)));
    float log = (float)e * 0.69314718f + 2 * s * series;
    float square = -2 * log;
    return sqrtf(square > 0 ? square : 0);
}

/* A point on the circle: two bits choose the quadrant, 24 the angle in it,
 * t in [-pi/4, pi/4). */
static inline void circle(uint32_t bits, float *x, float *y)
{
    int32_t step = (int32_t)((bits >> 6) & 0xffffff) - 0x800000;
    float t = (float)step * (1.57079633f * 0x1p-24f), z = t * t;
    float sine = t * (1 - z * (1 / 6.f - z * (1 / 120.f - z * (1 / 5040.f))));
    float cosine =
        1 - z * (1 / 2.f - z * (1 / 24.f - z * (1 / 720.f - z / 40320.f)));
    float sign = 1 - (float)(int32_t)(bits >> 31) * 2;
    gboolean turned = (bits >> 30) & 1;

    *x = sign * (turned ? -sine : cosine);
    *y = sign * (turned ? cosine : sine);
}

/* Turns the CHUNK blocks from random->counter on into normal numbers. */
static void normal_chunk(AeRandom *random, float *target)
{
    uint32_t bits[CHUNK * BLOCK];

    for (int i = 0; i < CHUNK; i++)
        philox(bits + i * BLOCK, random->seed, random->stream,
               random->counter + (uint64_t)i);
    for (int i = 0; i < CHUNK * BLOCK / 2; i++) {
        float r = radius(bits[2 * i]), x, y;
        circle(bits[2 * i + 1], &x, &y);
        target[2 * i] = r * x;
        target[2 * i + 1] = r * y;
    }
}

AeRandom ae_random(uint64_t seed, uint64_t stream)
{
    return (AeRandom){.seed = seed, .stream = stream};
}

uint32_t ae_random_bits(AeRandom *random)
{
    if (random->left == 0) {
        philox(random->block, random->seed, random->stream, random->counter++);
        random->left = BLOCK;
    }
    return random->block[BLOCK - random->left--];
}

float ae_random_uniform(AeRandom *random)
{
    return (float)(ae_random_bits(random) >> 8) * 0x1p-24f;
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019: the
 * high word of bits * n. The few low words that would make some numbers
 * likelier are drawn again. */
uint32_t ae_random_below(AeRandom *random, uint32_t n)
{
    uint64_t product = (uint64_t)ae_random_bits(random) * n;

    if ((uint32_t)product < n) {
        uint32_t reject = -n % n;
        while ((uint32_t)product < reject)
            product = (uint64_t)ae_random_bits(random) * n;
    }
    return (uint32_t)(product >> 32);
}

float ae_random_normal(AeRandom *random)
{
    float r = radius(ae_random_bits(random)), x, y;

    circle(ae_random_bits(random), &x, &y);
    return r * x;
}

void ae_random_normals(AeRandom *random, float *target, int64_t n)
{
    float rest[CHUNK * BLOCK];

    random->left = 0;
    for (; n >= CHUNK * BLOCK; n -= CHUNK * BLOCK) {
        normal_chunk(random, target);
        target += CHUNK * BLOCK;
        random->counter += CHUNK;
    }
    if (n > 0) {
        normal_chunk(random, rest);
        memcpy(target, rest, (size_t)n * sizeof *rest);
        random->counter += (uint64_t)(n + BLOCK - 1) / BLOCK;
    }
}

void ae_random_permutation(AeRandom *random, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = ae_random_below(random, i);
        uint32_t last = order[i - 1];
        order[i - 1] = order[j];
        order[j] = last;
    }
}

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014. */
uint64_t ae_random_mix(uint64_t seed, uint64_t part)
{
    uint64_t z = seed + (part + 1) * 0x9E3779B97F4A7C15ull;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
