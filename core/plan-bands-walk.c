/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a share through a network: which rows of each value it makes,
 * when, and which it still reads. */
#include "plan-bands.h"

/* The rows of its inputs, of @height, that output rows [*begin, *end) read. */
static void rows_read(const AeStage *stage, int64_t height, int64_t *begin,
                      int64_t *end)
{
    if (stage->step->op->rows != NULL)
        stage->step->op->rows(stage->step, begin, end);
    *begin = CLAMP(*begin, 0, height);
    *end = CLAMP(*end, *begin, height);
}

static void keep_from(const AeWalk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].keep = MIN(walk->spans[window].keep, row);
}

/* Which rows the steps still read, from those that they have made. */
static void find_kept(const AeWalk *walk)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++)
        walk->spans[i].keep = walk->spans[i].done;
    for (guint i = 0; i < bands->stages->len; i++) {
        const AeStage *stage = ae_bands_stage(bands, (int)i);
        int64_t next = walk->spans[stage->out].done;

        if (next >= walk->spans[stage->out].make)
            continue;
        keep_from(walk, stage->residual, next);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t begin = next, end = next + 1;

            if (stage->in[j] < 0)
                continue;
            rows_read(stage, ae_bands_window(bands, stage->in[j])->height,
                      &begin, &end);
            keep_from(walk, stage->in[j], begin);
        }
    }
}

/* Whether what is there of input @i suffices for row @row of @stage's output.
 */
static gboolean is_row_ready(const AeWalk *walk, const AeStage *stage, int i,
                             int64_t row)
{
    int64_t begin = row, end = row + 1;

    rows_read(stage, ae_bands_window(walk->bands, stage->in[i])->height, &begin,
              &end);
    return end <= walk->spans[stage->in[i]].done;
}

/* Rows of @stage's output that can be made from what is there. */
static int64_t rows_ready(const AeWalk *walk, const AeStage *stage)
{
    const AeSpan *span = &walk->spans[stage->out];
    int64_t most = span->make;

    if (stage->residual >= 0)
        most = MIN(most, walk->spans[stage->residual].done);
    for (int i = 0; i < stage->n_in; i++) {
        int64_t row = span->done;

        if (stage->in[i] < 0 || most <= row ||
            is_row_ready(walk, stage, i, most - 1))
            continue;
        while (is_row_ready(walk, stage, i, row))
            row++;
        most = row;
    }
    return most;
}

/* @stage's output is there until @end. */
static void advance(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    AeSpan *span = &walk->spans[stage->out];

    if (end <= span->done)
        return;
    walk->advance(walk, stage, end);
    span->done = end;
}

/* How far one band takes @stage's output at most: where much becomes possible
 * at once, at the end of the input, windows stay small. */
static int64_t band_end(const AeWalk *walk, const AeStage *stage)
{
    const AeBands *bands = walk->bands;
    const int64_t group = MAX(stage->step->row_group, 1);
    const int64_t most = bands->rows *
                             ae_bands_window(bands, stage->out)->height /
                             ae_bands_window(bands, AE_BANDS_INPUT)->height +
                         1;

    return (walk->spans[stage->out].done + most + group - 1) / group * group;
}

/* Makes what follows from the rows of the input until @end, a band of it. */
static void walk_band(const AeWalk *walk, int64_t end)
{
    find_kept(walk);
    walk->spans[AE_BANDS_INPUT].done = end;
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const AeStage *stage = ae_bands_stage(walk->bands, (int)i);
        const AeSpan *span = &walk->spans[stage->out];
        const int64_t most = band_end(walk, stage);

        if (span->done < span->make)
            advance(walk, stage, MIN(rows_ready(walk, stage), most));
        if (span->done >= span->make)
            advance(walk, stage, MIN(span->need, most));
    }
}

static void start_from(const AeWalk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].done = MIN(walk->spans[window].done, row);
}

void ae_walk_starts(const AeWalk *walk, int64_t begin)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++)
        walk->spans[i].done = ae_bands_window(bands, (int)i)->height;
    walk->spans[AE_BANDS_OUTPUT].done = begin;
    for (guint i = bands->stages->len; i-- > 0;) {
        const AeStage *stage = ae_bands_stage(bands, (int)i);
        int64_t start = walk->spans[stage->out].done;

        if (start >= ae_bands_window(bands, stage->out)->height)
            continue;
        start_from(walk, stage->residual, start);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = start, last = start + 1;

            if (stage->in[j] < 0)
                continue;
            rows_read(stage, ae_bands_window(bands, stage->in[j])->height,
                      &first, &last);
            start_from(walk, stage->in[j], first);
        }
    }
}

static void need_until(const AeWalk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].need = MAX(walk->spans[window].need, row);
}

void ae_walk_ends(const AeWalk *walk, int64_t end)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++) {
        AeSpan *span = &walk->spans[i];

        span->need = span->done;
        if (walk->above != NULL)
            need_until(walk, (int)i, walk->above[i].until);
    }
    walk->spans[AE_BANDS_OUTPUT].need = end;
    for (guint i = bands->stages->len; i-- > 0;) {
        const AeStage *stage = ae_bands_stage(bands, (int)i);
        AeSpan *span = &walk->spans[stage->out];

        span->make = span->need;
        if (walk->below != NULL)
            span->make = MIN(span->make, walk->below[stage->out].start);
        if (span->make <= span->done)
            continue;
        need_until(walk, stage->residual, span->make);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = span->done, last = span->make;

            if (stage->in[j] < 0)
                continue;
            rows_read(stage, ae_bands_window(bands, stage->in[j])->height,
                      &first, &last);
            need_until(walk, stage->in[j], last);
        }
    }
}

static gboolean is_done(const AeWalk *walk)
{
    for (guint i = 0; i < walk->bands->windows->len; i++)
        if (walk->spans[i].done < walk->spans[i].need)
            return FALSE;
    return TRUE;
}

/* Output rows [begin, end) of an image. */
static void walk_piece(const AeWalk *walk, int64_t begin, int64_t end)
{
    const AeSpan *input = &walk->spans[AE_BANDS_INPUT];

    ae_walk_starts(walk, begin);
    ae_walk_ends(walk, end);
    for (guint i = 0; i < walk->bands->windows->len; i++)
        walk->spans[i].first = walk->spans[i].done;
    while (!is_done(walk))
        walk_band(walk, MIN(input->done + walk->bands->rows, input->need));
}

void ae_walk_share(AeWalk *walk, int64_t share)
{
    const AeBands *bands = walk->bands;
    int64_t height = ae_bands_window(bands, AE_BANDS_OUTPUT)->height;
    int64_t row = bands->begins[share], end = bands->begins[share + 1];

    while (row < end) {
        int64_t top = row / height * height, bottom = top + height;

        walk->image = row / height;
        walk->above = row > top ? ae_bands_seam(bands, share) : NULL;
        walk->below = end < bottom ? ae_bands_seam(bands, share + 1) : NULL;
        walk_piece(walk, row - top, MIN(end - top, height));
        if (walk->rehearsal && row == top)
            bottom = MAX(bottom, end / height * height);
        row = MIN(end, bottom);
    }
}
