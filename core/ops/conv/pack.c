/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packs the taps of each phase, in the order of the segments that are read. */
#include "ops/conv/pack.h"

/* The weight of tap @tap between source channel @i and target channel @o. */
static float weight_at(const AeConv *c, const AeConvPass *pass,
                       const float *weights, int64_t group, int64_t tap,
                       int64_t i, int64_t o)
{
    const int64_t small = pass->up ? i : o, large = pass->up ? o : i;

    return weights[((group * c->small_c + small) * c->taps + tap) * c->large_c +
                   large];
}

int64_t ae_conv_kernel_tap(const AeConv *c, const AeConvPhase *const axis[3],
                           int64_t d, int64_t h, int64_t w)
{
    const int64_t kd = axis[0]->kernel + d * axis[0]->kernel_step;
    const int64_t kh = axis[1]->kernel + h * axis[1]->kernel_step;
    const int64_t kw = axis[2]->kernel + w * axis[2]->kernel_step;

    return (kd * c->window.kernel[1] + kh) * c->window.kernel[2] + kw;
}

static void pack_phase(const AeKernels *kernels, const AeConv *c,
                       const AeConvPass *pass, const AeConvPhase *const axis[3],
                       int64_t group, const float *weights, float *sorted,
                       float *packed)
{
    const int64_t k = ae_conv_segment_length(pass, axis[2]);
    const int64_t segments =
        axis[0]->taps * axis[1]->taps *
        (pass->joined ? MIN(axis[2]->taps, 1) : axis[2]->taps);
    float *next = sorted;

    for (int64_t d = 0; d < axis[0]->taps; d++)
        for (int64_t h = 0; h < axis[1]->taps; h++)
            for (int64_t w = 0; w < axis[2]->taps; w++) {
                const int64_t tap = ae_conv_kernel_tap(c, axis, d, h, w);

                for (int64_t i = 0; i < pass->source_c; i++)
                    for (int64_t o = 0; o < pass->target_c; o++)
                        *next++ = weight_at(c, pass, weights, group, tap, i, o);
            }
    if (pass->winograd)
        kernels->winograd_pack(packed, sorted, pass->source_c, pass->target_c);
    else
        kernels->conv_pack(packed, segments, k, pass->target_c, sorted,
                           k * pass->target_c, pass->target_c, 1);
}

static void pack_depthwise(const AeConv *c, const AeConvPass *pass,
                           const AeConvPhase *const axis[3],
                           const float *weights, float *packed)
{
    for (int64_t d = 0; d < axis[0]->taps; d++)
        for (int64_t h = 0; h < axis[1]->taps; h++)
            for (int64_t w = 0; w < axis[2]->taps; w++) {
                const int64_t tap = ae_conv_kernel_tap(c, axis, d, h, w);

                for (int64_t g = 0; g < c->groups; g++)
                    *packed++ = weight_at(c, pass, weights, g, tap, 0, 0);
            }
}

void ae_conv_pack(const AeKernels *kernels, const AeConv *c,
                  const AeConvPass *pass, const float *weights, float *packed,
                  float *sorted)
{
    const AeConvPhase *axis[3];
    AeConvPhase room[3];

    for (int64_t d = 0; d < pass->phases[0]; d++)
        for (int64_t h = 0; h < pass->phases[1]; h++)
            for (int64_t w = 0; w < pass->phases[2]; w++) {
                axis[0] = ae_conv_phase(c, pass, 0, d, &room[0]);
                axis[1] = ae_conv_phase(c, pass, 1, h, &room[1]);
                axis[2] = ae_conv_phase(c, pass, 2, w, &room[2]);
                if (pass->depthwise) {
                    pack_depthwise(c, pass, axis, weights, packed);
                    packed += pass->phase_packed;
                    continue;
                }
                for (int64_t g = 0; g < c->groups; g++) {
                    pack_phase(kernels, c, pass, axis, g, weights, sorted,
                               packed);
                    packed += pass->phase_packed;
                }
            }
}
