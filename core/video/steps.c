/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Histograms by exponent and first bits of the mantissa: eight bins an octave,
 * from 2^-16 to 2^16. */
#include "video/steps.h"

#include <string.h>

#define SHIFT 20 /* bits of a float below those of its bin */
#define FIRST ((127 - 16) << (23 - SHIFT))
#define QUANTILE 0.25f
#define EXPECTED 0.1015f /* where the chi-squared distribution has it */
#define ENOUGH 32

static void count(uint32_t *bins, float square)
{
    uint32_t bits;
    int bin;

    memcpy(&bits, &square, sizeof bits);
    bin = (int)(bits >> SHIFT) - FIRST;
    bins[CLAMP(bin, 0, AE_STEPS_BINS - 1)]++;
}

void ae_steps_add(AeSteps *steps, float a, float b, float expected)
{
    count(steps->steady, (a - b) * (a - b) / (3 * expected));
    count(steps->changed, (a + b) * (a + b) / expected);
}

void ae_steps_merge(AeSteps *steps, const AeSteps *others)
{
    for (int i = 0; i < AE_STEPS_BINS; i++) {
        steps->steady[i] += others->steady[i];
        steps->changed[i] += others->changed[i];
    }
}

static uint32_t total(const uint32_t *bins)
{
    uint32_t n = 0;

    for (int i = 0; i < AE_STEPS_BINS; i++)
        n += bins[i];
    return n;
}

/* Between the bounds of a bin as if floats were evenly spread in it. */
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

float ae_steps_noise(const AeSteps *steps)
{
    float steady, changed, share;

    if (total(steps->steady) < ENOUGH)
        return 0;
    steady = quantile(steps->steady);
    changed = quantile(steps->changed);
    share = steady < changed ? steady / changed : 1;
    return steady / EXPECTED * share * share;
}
