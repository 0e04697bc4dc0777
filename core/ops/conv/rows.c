/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source rows with zeros beside them, and the walk over target rows. */
#include "ops/conv/rows.h"

#include <string.h>

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

/* The value of each byte beside rows and outside the image. */
static int padding(const AeConvRows *rows)
{
    const AeConvBytes *bytes = rows->bytes;

    return bytes != NULL && bytes->kernels->biased ? bytes->zero : 0;
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

const float *ae_conv_row_at(AeConvRows *rows, int64_t n, int64_t d, int64_t h)
{
    const AeConvPass *pass = rows->pass;
    const int64_t key = (n * pass->source[0] + d) * pass->source[1] + h;
    const float *row = rows->source + ae_conv_offset(&rows->layout, key);

    if (d < 0 || d >= pass->source[0] || h < 0 || h >= pass->source[1]) {
        if (!rows->cleared)
            memset(rows->zero, padding(rows), pass->row * sizeof(float));
        rows->cleared = TRUE;
        return rows->zero;
    }
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
