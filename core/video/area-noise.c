/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Histograms with eight bins an octave, from 2^-16 to 2^16: the bin of a float
 * is its exponent and the first three bits of its mantissa. */
#include "video/area-noise.h"

#include <string.h>

#define SHIFT 20 /* lower bits of a float that its bin ignores */
#define FIRST ((127 - 16) << (23 - SHIFT)) /* bin 0: 2^-16 */
#define QUANTILE 0.25f
/* QUANTILE of the chi-squared distribution with one degree of freedom, which
 * the square of a normal number of variance 1 has. */
#define EXPECTED 0.1015f
#define ENOUGH 32 /* areas, below which there is no estimate */

static void count(uint32_t *bins, float square)
{
    uint32_t bits;
    int bin;

    memcpy(&bits, &square, sizeof bits);
    bin = (int)(bits >> SHIFT) - FIRST;
    bins[CLAMP(bin, 0, AE_AREA_NOISE_BINS - 1)]++;
}

void ae_area_noise_add(AeAreaNoise *noise, float a, float b, float expected)
{
    count(noise->steady, (a - b) * (a - b) / (3 * expected));
    count(noise->changed, (a + b) * (a + b) / expected);
}

void ae_area_noise_merge(AeAreaNoise *noise, const AeAreaNoise *other)
{
    for (int i = 0; i < AE_AREA_NOISE_BINS; i++) {
        noise->steady[i] += other->steady[i];
        noise->changed[i] += other->changed[i];
    }
}

static uint32_t total(const uint32_t *bins)
{
    uint32_t n = 0;

    for (int i = 0; i < AE_AREA_NOISE_BINS; i++)
        n += bins[i];
    return n;
}

/* The QUANTILE of a histogram that is not empty, interpolated within its bin as
 * if the bin's floats were spread evenly. */
static float quantile(const uint32_t *bins)
{
    float rest = QUANTILE * (float)total(bins), value;
    uint32_t bits;
    int bin = 0;

    for (; rest >= (float)bins[bin]; bin++)
        rest -= (float)bins[bin];
    bits = (uint32_t)(((float)(bin + FIRST) + rest / (float)bins[bin]) *
                      (1 << SHIFT));
    memcpy(&value, &bits, sizeof value);
    return value;
}

float ae_area_noise_estimate(const AeAreaNoise *noise)
{
    float steady, changed, share;

    if (total(noise->steady) < ENOUGH)
        return 0;
    steady = quantile(noise->steady);
    changed = quantile(noise->changed);
    share = steady < changed ? steady / changed : 1;
    return steady / EXPECTED * share * share;
}
