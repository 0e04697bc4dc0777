/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which source rows and columns belong to which targets; see conv.h. */
#include "ops/conv/conv.h"

#include <string.h>

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

int64_t ae_conv_rows_scratch(const AeConvPass *pass)
{
    const int64_t slots = pass->span[0] * pass->span[1];
    const int64_t row = ae_conv_aligned(pass->row);

    return ae_conv_aligned(2 * slots) +
           ae_conv_aligned(2 * pass->max_segments) + row +
           (pass->padded ? slots * row : 0);
}

AeConvRows ae_conv_rows_new(const AeConv *c, const AeConvPass *pass,
                            const float *source, float *scratch)
{
    const int64_t slots = pass->span[0] * pass->span[1];
    AeConvRows rows = {
        .pass = pass,
        .source = source,
        .layout = {.row = pass->source[2] * c->groups * pass->source_c},
        .in_place = !pass->padded,
        .channels = c->groups * pass->source_c,
    };

    rows.keys = (int64_t *)scratch;
    scratch += ae_conv_aligned(2 * slots);
    rows.segment = (const float **)scratch;
    scratch += ae_conv_aligned(2 * pass->max_segments);
    rows.zero = scratch;
    rows.slots = scratch + ae_conv_aligned(pass->row);
    for (int64_t i = 0; i < slots; i++)
        rows.keys[i] = -1;
    return rows;
}

AeConvRows ae_conv_rows_of(const AeConvRun *run, float *scratch)
{
    AeConvRows rows = ae_conv_rows_new(run->c, run->pass, run->source, scratch);

    rows.layout = run->source_layout;
    rows.in_place |= run->in_place;
    return rows;
}

/* What stands beside rows and outside the image: of bytes, their zero. */
static int padding(const AeConvRows *rows)
{
    const AeConvBytes *bytes = rows->bytes;

    return bytes != NULL && bytes->kernels->biased ? bytes->zero : 0;
}

AeConvRows ae_conv_rows_new_bytes(const AeConv *c, const AeConvPass *pass,
                                  const float *source, const AeConvBytes *bytes,
                                  float *scratch)
{
    AeConvRows rows = ae_conv_rows_new(c, pass, source, scratch);

    rows.bytes = bytes;
    rows.layout.row = bytes->row;
    return rows;
}

static void copy_row(const AeConvRows *rows, const float *row, float *target)
{
    const AeConvPass *pass = rows->pass;
    const AeConvBytes *bytes = rows->bytes;
    const int64_t left = pass->left * rows->channels;
    const int64_t length = pass->source[2] * rows->channels;

    memset(target, padding(rows), left * sizeof(float));
    if (bytes != NULL)
        bytes->kernels->load(target + left, (const uint8_t *)row,
                             pass->source[2], bytes->channels, bytes->zero);
    else
        memcpy(target + left, row, length * sizeof(float));
    memset(target + left + length, padding(rows),
           (pass->row - left - length) * sizeof(float));
}

static const float *padded_row(AeConvRows *rows, int64_t d, int64_t h,
                               int64_t key, const float *row)
{
    const AeConvPass *pass = rows->pass;
    const int64_t slot =
        (d & (pass->span[0] - 1)) * pass->span[1] + (h & (pass->span[1] - 1));
    float *target = rows->slots + slot * ae_conv_aligned(pass->row);

    if (rows->keys[slot] == key)
        return target;
    copy_row(rows, row, target);
    rows->keys[slot] = key;
    return target;
}

static const float *zero_row(AeConvRows *rows)
{
    if (!rows->cleared)
        memset(rows->zero, padding(rows), rows->pass->row * sizeof(float));
    rows->cleared = TRUE;
    return rows->zero;
}

const float *ae_conv_row_at(AeConvRows *rows, int64_t n, int64_t d, int64_t h)
{
    const AeConvPass *pass = rows->pass;
    const int64_t key = (n * pass->source[0] + d) * pass->source[1] + h;
    const float *row = rows->source + ae_conv_offset(&rows->layout, key);

    if (d < 0 || d >= pass->source[0] || h < 0 || h >= pass->source[1])
        return zero_row(rows);
    return rows->in_place ? row - pass->left * rows->channels
                          : padded_row(rows, d, h, key, row);
}

static void find_phases(const AeConv *c, const AeConvPass *pass,
                        AeConvTarget *t)
{
    for (int a = 0; a < 2; a++) {
        int64_t phase = 0, number = t->index[a];

        if (pass->phases[a] > 1) {
            phase = number % pass->phases[a];
            number /= pass->phases[a];
        }
        t->phase[a] = phase;
        t->at[a] = number * pass->step[a];
        t->axis[a] = ae_conv_phase(c, pass, a, phase, &t->room[a]);
    }
}

void ae_conv_target_first(const AeConv *c, const AeConvPass *pass, int64_t unit,
                          AeConvTarget *t)
{
    t->n = unit / pass->target[1] / pass->target[0];
    t->index[0] = unit / pass->target[1] % pass->target[0];
    t->index[1] = unit % pass->target[1];
    find_phases(c, pass, t);
}

void ae_conv_target_next(const AeConv *c, const AeConvPass *pass,
                         AeConvTarget *t)
{
    if (++t->index[1] == pass->target[1]) {
        t->index[1] = 0;
        if (++t->index[0] == pass->target[0]) {
            t->index[0] = 0;
            t->n++;
        }
    }
    find_phases(c, pass, t);
}

int ae_conv_find_segments(AeConvRows *rows, const AeConvTarget *t,
                          const AeConvPhase *x)
{
    const AeConvPass *pass = rows->pass;
    const int64_t start = (pass->left + x->offset) * rows->channels;
    const int64_t taps = pass->joined ? MIN(x->taps, 1) : x->taps;
    const AeConvPhase *d = t->axis[0], *h = t->axis[1];
    int n = 0;

    for (int64_t i = 0; i < d->taps; i++)
        for (int64_t j = 0; j < h->taps; j++) {
            const float *row = ae_conv_row_at(
                rows, t->n, t->at[0] + d->offset + i * d->offset_step,
                t->at[1] + h->offset + j * h->offset_step);

            for (int64_t k = 0; k < taps; k++)
                rows->segment[n++] =
                    row + start + k * x->offset_step * rows->channels;
        }
    return n;
}

void ae_conv_next_group(AeConvRows *rows, int segments)
{
    for (int i = 0; i < segments; i++)
        rows->segment[i] += rows->pass->source_c;
}

int64_t ae_conv_segment_length(const AeConvPass *pass, const AeConvPhase *x)
{
    return pass->joined ? x->taps * pass->source_c : pass->source_c;
}

/* Sets what the source's rows need: zeros beside them, and how many are in use
 * at once. */
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

/* Phases have between no taps and most[]: the packed size of the largest. */
static int64_t largest_slot(const AeKernels *kernels, const AeConv *c,
                            const AeConvPass *pass, const int64_t most[3])
{
    size_t largest = 0;

    if (pass->depthwise)
        return ae_conv_aligned(c->groups * most[0] * most[1] * most[2]);
    if (pass->winograd)
        return ae_conv_winograd_packed(kernels, pass);
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
    const int64_t rows = ae_conv_aligned(pass->row);
    int64_t most[3], slots;

    for (int a = 0; a < 3; a++)
        most[a] =
            (c->window.kernel[a] - 1) / ABS(pass->first[a].kernel_step) + 1;
    pass->max_segments = most[0] * most[1] * (pass->joined ? 1 : most[2]);
    pass->slot = largest_slot(kernels, c, pass, most);
    slots = pass->phases[0] * pass->phases[1];
    if (__builtin_mul_overflow(slots, pass->phases[2] * groups, &slots) ||
        __builtin_mul_overflow(slots, pass->slot, &pass->packed) ||
        __builtin_mul_overflow(pass->span[0] * pass->span[1],
                               pass->padded ? rows : 1, &pass->scratch))
        return FALSE;
    pass->scratch = ae_conv_rows_scratch(pass);
    if (pass->winograd)
        pass->scratch += ae_conv_winograd_scratch(kernels, pass);
    pass->scratch = MAX(pass->scratch, ae_conv_sort_room(c, pass));
    return pass->packed < G_MAXINT64 / 16 && pass->scratch < G_MAXINT64 / 16;
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
    pass->winograd = !c->units && ae_conv_winograd_fits(c, pass);
    measure_rows(c, pass);
    if (pass->winograd)
        ae_conv_winograd_measure(pass);
    return measure_packed(kernels, c, pass);
}

void ae_conv_margin(const AeConv *c, const AeConvPass *pass, int64_t margin[2])
{
    const int64_t channels = c->groups * pass->source_c;

    margin[0] = pass->left * channels;
    margin[1] = MAX(pass->row - margin[0] - pass->source[2] * channels, 0);
}
