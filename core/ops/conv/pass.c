/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Phases of a pass, and what they need of rows and weights. */
#include "ops/conv/pass.h"

static int64_t common_divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

static AeConvPhase phase_up(const AeConv *c, int axis, int64_t p)
{
    const int64_t s = c->window.stride[axis],
                  dilation = c->window.dilation[axis];
    const int64_t period = s / common_divisor(s, dilation);
    const int64_t first = p + c->window.before[axis];
    AeConvPhase phase = {(c->large[axis] - p + s - 1) / s,
                         0,
                         0,
                         -period,
                         0,
                         period * dilation / s};
    int64_t k = 0;

    while (k < period && k < c->window.kernel[axis] &&
           k * dilation % s != first % s)
        k++;
    if (k == period || k >= c->window.kernel[axis])
        return phase;
    phase.taps = (c->window.kernel[axis] - 1 - k) / period + 1;
    phase.kernel = k + (phase.taps - 1) * period;
    phase.offset = (first - phase.kernel * dilation) / s;
    return phase;
}

static AeConvPhase phase_down(const AeConv *c, int axis)
{
    return (AeConvPhase){c->small[axis],          c->window.kernel[axis],  0, 1,
                         -c->window.before[axis], c->window.dilation[axis]};
}

const AeConvPhase *ae_conv_phase(const AeConv *c, const AeConvPass *pass,
                                 int axis, int64_t p, AeConvPhase *room)
{
    if (p == 0)
        return &pass->first[axis];
    *room = phase_up(c, axis, p);
    return room;
}

/* Sets how many zeros the source's rows need beside them, and how many rows are
 * in use at once. */
static void measure_rows(const AeConv *c, AeConvPass *pass)
{
    int64_t low = 0, high = pass->source[2] - 1;

    for (int64_t p = 0; p < pass->phases[2]; p++) {
        AeConvPhase room;
        const AeConvPhase *x = ae_conv_phase(c, pass, 2, p, &room);

        if (x->taps == 0)
            continue;
        low = MIN(low, x->offset);
        high = MAX(high, (x->count - 1) * pass->step[2] + x->offset +
                             (x->taps - 1) * x->offset_step);
    }
    pass->left = -low;
    pass->row = (high + 1 - low) * c->groups * pass->source_c;
    pass->padded = c->units || low < 0 || high > pass->source[2] - 1;
    for (int a = 0; a < 2; a++) {
        const AeConvPhase *x = &pass->first[a];
        const int64_t most = (c->window.kernel[a] - 1) / ABS(x->kernel_step);

        pass->span[a] = 1;
        while (pass->span[a] < MIN(most * x->offset_step + 1, pass->source[a]))
            pass->span[a] *= 2;
    }
}

/* The packed floats of the largest phase. Along each axis a phase has @most
 * taps or one fewer. */
static int64_t largest_phase(const AeKernels *kernels, const AeConv *c,
                             const AeConvPass *pass, const int64_t most[3])
{
    size_t largest = 0;

    if (pass->depthwise)
        return ae_conv_aligned(c->groups * most[0] * most[1] * most[2]);
    for (int i = 0; i < 8; i++) {
        const int64_t rows = (most[0] - (i & 1)) * (most[1] - (i >> 1 & 1));
        const int64_t taps = most[2] - (i >> 2);
        const int64_t k = pass->joined ? taps * pass->source_c : pass->source_c;

        largest =
            MAX(largest,
                kernels->conv_packed((int)(pass->joined ? rows : rows * taps),
                                     (int)k, (int)pass->target_c));
    }
    return ae_conv_aligned(largest);
}

static gboolean measure_packed(const AeKernels *kernels, const AeConv *c,
                               AeConvPass *pass)
{
    const int64_t groups = pass->depthwise ? 1 : c->groups;
    int64_t most[3], count, rows;

    for (int a = 0; a < 3; a++)
        most[a] =
            (c->window.kernel[a] - 1) / ABS(pass->first[a].kernel_step) + 1;
    pass->max_segments = most[0] * most[1] * (pass->joined ? 1 : most[2]);
    pass->phase_packed = largest_phase(kernels, c, pass, most);
    count = pass->phases[0] * pass->phases[1];
    return !__builtin_mul_overflow(count, pass->phases[2] * groups, &count) &&
           !__builtin_mul_overflow(count, pass->phase_packed, &pass->packed) &&
           !__builtin_mul_overflow(pass->span[0] * pass->span[1],
                                   ae_conv_aligned(pass->row), &rows) &&
           pass->packed < G_MAXINT64 / 16 && rows < G_MAXINT64 / 16;
}

gboolean ae_conv_pass_init(const AeKernels *kernels, const AeConv *c,
                           AeConvPass *pass, gboolean up)
{
    pass->up = up;
    pass->source_c = up ? c->small_c : c->large_c;
    pass->target_c = up ? c->large_c : c->small_c;
    pass->depthwise = c->groups > 1 && c->small_c == 1 && c->large_c == 1;
    for (int a = 0; a < 3; a++) {
        pass->source[a] = up ? c->small[a] : c->large[a];
        pass->target[a] = up ? c->large[a] : c->small[a];
        pass->step[a] = up ? 1 : c->window.stride[a];
        pass->phases[a] = up ? MIN(c->window.stride[a], c->large[a]) : 1;
        pass->first[a] = up ? phase_up(c, a, 0) : phase_down(c, a);
    }
    pass->joined = c->groups == 1 && (c->window.kernel[2] == 1 ||
                                      pass->first[2].offset_step == 1);
    measure_rows(c, pass);
    return measure_packed(kernels, c, pass);
}

void ae_conv_margin(const AeConv *c, const AeConvPass *pass, int64_t margin[2])
{
    const int64_t channels = c->groups * pass->source_c;

    margin[0] = pass->left * channels;
    margin[1] = MAX(pass->row - margin[0] - pass->source[2] * channels, 0);
}
