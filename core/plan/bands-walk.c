/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a share through a network: which rows of each value it makes,
 * when, and which it still reads. It has its stack in the spans: a window, the
 * one that wants rows of it, and so on to the output. */
#include "plan/bands.h"

/* The rows of its inputs, of @height, that output rows [*begin, *end) read. */
static void rows_read(const AeStage *stage, int64_t height, int64_t *begin,
                      int64_t *end)
{
    if (stage->step->op->rows != NULL)
        stage->step->op->rows(stage->step, begin, end);
    *begin = CLAMP(*begin, 0, height);
    *end = CLAMP(*end, *begin, height);
}

int64_t ae_walk_keep(const AeWalk *walk, int window)
{
    const AeBands *bands = walk->bands;
    const int64_t height = ae_bands_window(bands, window)->height;
    const int *readers = ae_bands_window(bands, window)->readers;
    int64_t keep = walk->spans[window].done;

    for (int i = readers[0]; i <= readers[1]; i++) {
        const AeStage *stage = ae_bands_stage(bands, i);
        const int64_t next = walk->spans[stage->out].done;

        if (next >= walk->spans[stage->out].make)
            continue;
        if (stage->residual == window)
            keep = MIN(keep, next);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t begin = next, end = next + 1;

            if (stage->in[j] != window)
                continue;
            rows_read(stage, height, &begin, &end);
            keep = MIN(keep, begin);
        }
    }
    return keep;
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

/* How far the next piece of @stage's output goes, on the way to row @end. */
static int64_t piece_end(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeBands *bands = walk->bands;
    const AeSpan *span = &walk->spans[stage->out];
    const int64_t group = MAX(stage->step->row_group, 1);
    const int64_t piece = bands->rows *
                          ae_bands_window(bands, stage->out)->height /
                          ae_bands_window(bands, AE_BANDS_INPUT)->height;

    end = MIN(end, span->done + MAX(piece, 1));
    end = (end + group - 1) / group * group;
    return MIN(end, span->done < span->make ? span->make : span->need);
}

/* @reader wants the rows of @window until @end. TRUE if some are missing. */
static gboolean want(const AeWalk *walk, int window, int64_t end, int reader)
{
    if (window < 0 || walk->spans[window].done >= end)
        return FALSE;
    walk->spans[window].want = end;
    walk->spans[window].reader = reader;
    return TRUE;
}

/* A window without which @stage cannot make its rows until @end; -1: none. */
static int find_missing(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeSpan *span = &walk->spans[stage->out];

    if (span->done >= span->make)
        return -1;
    if (want(walk, stage->residual, end, stage->out))
        return stage->residual;
    for (int i = 0; i < stage->n_in; i++) {
        int64_t first = span->done, last = end;

        if (stage->in[i] < 0)
            continue;
        rows_read(stage, ae_bands_window(walk->bands, stage->in[i])->height,
                  &first, &last);
        if (want(walk, stage->in[i], last, stage->out))
            return stage->in[i];
    }
    return -1;
}

/* Makes all rows of @window that are needed, piece by piece, each as late as
 * possible: what is missing for one is made first, and what for that before. */
static void make_all(const AeWalk *walk, int window)
{
    gboolean missing = want(walk, window, walk->spans[window].need, -1);

    while (missing) {
        AeSpan *span = &walk->spans[window];
        const AeStage *stage = ae_bands_stage(
            walk->bands, ae_bands_window(walk->bands, window)->maker);
        const int64_t end = piece_end(walk, stage, span->want);
        const int next = find_missing(walk, stage, end);

        if (next >= 0) {
            window = next;
            continue;
        }
        walk->advance(walk, stage, end);
        span->done = end;
        while (window >= 0 &&
               walk->spans[window].done >= walk->spans[window].want)
            window = walk->spans[window].reader;
        missing = window >= 0;
    }
}

/* Output rows [begin, end) of an image. */
static void walk_piece(const AeWalk *walk, int64_t begin, int64_t end)
{
    ae_walk_starts(walk, begin);
    ae_walk_ends(walk, end);
    for (guint i = 0; i < walk->bands->windows->len; i++)
        walk->spans[i].first = walk->spans[i].done;
    walk->spans[AE_BANDS_INPUT].done = walk->spans[AE_BANDS_INPUT].need;
    for (guint i = AE_BANDS_OUTPUT; i < walk->bands->windows->len; i++)
        make_all(walk, (int)i);
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
