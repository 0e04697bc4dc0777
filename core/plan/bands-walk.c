/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks through a section: which rows of each value it makes, in which order,
 * and which rows it still reads. The demands that are open form a stack: each
 * progress names, as its reader, the buffer whose rows wait for it. */
#include "plan/bands-walk.h"

/* The buffer of input @i of @stage (see AeStage), and which of its rows output
 * rows [*begin, *end) read; -1 if it has none. */
static int rows_read(const AeWalk *walk, const AeStage *stage, int i,
                     int64_t *begin, int64_t *end)
{
    const int buffer = stage->in[i];
    int64_t height;

    if (buffer < 0)
        return -1;
    height = ae_bands_buffer(walk->bands, buffer)->height;
    if (i > 0 && stage->step->op->rows != NULL)
        stage->step->op->rows(stage->step, begin, end);
    *begin = CLAMP(*begin, 0, height);
    *end = CLAMP(*end, *begin, height);
    return buffer;
}

int64_t ae_walk_keep(const AeWalk *walk, int buffer)
{
    const int *readers = ae_bands_buffer(walk->bands, buffer)->readers;
    int64_t keep = walk->progress[buffer].done;

    for (int i = readers[0]; i <= readers[1]; i++) {
        const AeStage *stage = ae_bands_stage(walk->bands, i);
        const int64_t next = walk->progress[stage->out].done;

        for (int j = 0;
             j < stage->n_in && next < walk->progress[stage->out].make; j++) {
            int64_t begin = next, end = next + 1;

            if (rows_read(walk, stage, j, &begin, &end) == buffer)
                keep = MIN(keep, begin);
        }
    }
    return keep;
}

void ae_walk_starts(const AeWalk *walk, int64_t begin)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->buffers->len; i++) {
        const AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

        walk->progress[i].done = buffer->height;
        if (buffer->delivered)
            walk->progress[i].done =
                begin * buffer->height /
                ae_bands_buffer(bands, AE_BANDS_OUTPUT)->height;
    }
    for (guint i = bands->stages->len; i-- > 0;) {
        const AeStage *stage = ae_bands_stage(bands, (int)i);
        const int64_t start = walk->progress[stage->out].done;

        if (start >= ae_bands_buffer(bands, stage->out)->height)
            continue;
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = start, end = start + 1;
            const int read = rows_read(walk, stage, j, &first, &end);

            if (read >= 0)
                walk->progress[read].done =
                    MIN(walk->progress[read].done, first);
        }
    }
}

void ae_walk_ends(const AeWalk *walk, int64_t end)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->buffers->len; i++) {
        AeProgress *rows = &walk->progress[i];

        rows->need = rows->done;
        if (walk->above != NULL)
            rows->need = MAX(rows->need, walk->above[i].until);
        if (ae_bands_buffer(bands, (int)i)->delivered)
            rows->need =
                MAX(rows->need, walk->below != NULL
                                    ? walk->below[i].start
                                    : ae_bands_buffer(bands, (int)i)->height);
    }
    walk->progress[AE_BANDS_OUTPUT].need = end;
    for (guint i = bands->stages->len; i-- > 0;) {
        const AeStage *stage = ae_bands_stage(bands, (int)i);
        AeProgress *rows = &walk->progress[stage->out];

        rows->make = rows->need;
        if (walk->below != NULL)
            rows->make = MIN(rows->make, walk->below[stage->out].start);
        if (rows->make <= rows->done)
            continue;
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = rows->done, last = rows->make;
            const int read = rows_read(walk, stage, j, &first, &last);

            if (read >= 0)
                walk->progress[read].need =
                    MAX(walk->progress[read].need, last);
        }
    }
}

/* The end of the next rows of @stage's output to deliver, a band at most, on
 * the way to row @end. */
static int64_t band_end(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeBands *bands = walk->bands;
    const AeProgress *rows = &walk->progress[stage->out];
    const int64_t group = MAX(stage->step->row_group, 1);
    const int64_t band = bands->rows *
                         ae_bands_buffer(bands, stage->out)->height /
                         ae_bands_buffer(bands, AE_BANDS_INPUT)->height;

    end = MIN(end, rows->done + MAX(band, 1));
    end = (end + group - 1) / group * group;
    return MIN(end, rows->done < rows->make ? rows->make : rows->need);
}

/* Buffer @reader asks for the rows of @buffer until @end. FALSE if they are
 * there. */
static gboolean ask(const AeWalk *walk, int buffer, int64_t end, int reader)
{
    if (walk->progress[buffer].done >= end)
        return FALSE;
    walk->progress[buffer].want = end;
    walk->progress[buffer].reader = reader;
    return TRUE;
}

/* A buffer that lacks rows which @stage reads to make its rows until @end, and
 * that is now asked for them; -1: none. */
static int ask_missing(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeProgress *rows = &walk->progress[stage->out];

    for (int i = 0; i < stage->n_in && rows->done < rows->make; i++) {
        int64_t first = rows->done, last = end;
        const int read = rows_read(walk, stage, i, &first, &last);

        if (read >= 0 && ask(walk, read, last, stage->out))
            return read;
    }
    return -1;
}

/* Delivers all rows of @buffer that are needed, band by band. Rows that a band
 * reads and that are missing are delivered just before it, and before them the
 * rows that they read. */
static void deliver_all(const AeWalk *walk, int buffer)
{
    gboolean missing = ask(walk, buffer, walk->progress[buffer].need, -1);

    while (missing) {
        AeProgress *rows = &walk->progress[buffer];
        const AeStage *stage = ae_bands_stage(
            walk->bands, ae_bands_buffer(walk->bands, buffer)->maker);
        const int64_t end = band_end(walk, stage, rows->want);
        const int next = ask_missing(walk, stage, end);

        if (next >= 0) {
            buffer = next;
            continue;
        }
        walk->deliver(walk, stage, end);
        rows->done = end;
        while (buffer >= 0 &&
               walk->progress[buffer].done >= walk->progress[buffer].want)
            buffer = walk->progress[buffer].reader;
        missing = buffer >= 0;
    }
}

/* Walks through output rows [begin, end) of an image. */
static void walk_rows(const AeWalk *walk, int64_t begin, int64_t end)
{
    ae_walk_starts(walk, begin);
    ae_walk_ends(walk, end);
    for (guint i = 0; i < walk->bands->buffers->len; i++)
        walk->progress[i].first = walk->progress[i].done;
    for (guint i = 0; i < walk->bands->buffers->len; i++)
        if (ae_bands_buffer(walk->bands, (int)i)->maker < 0)
            walk->progress[i].done = walk->progress[i].need;
    for (guint i = AE_BANDS_OUTPUT; i < walk->bands->buffers->len; i++)
        deliver_all(walk, (int)i);
}

void ae_walk_section(AeWalk *walk, int64_t section)
{
    const AeBands *bands = walk->bands;
    int64_t height = ae_bands_buffer(bands, AE_BANDS_OUTPUT)->height;
    int64_t row = bands->begins[section], end = bands->begins[section + 1];

    while (row < end) {
        int64_t top = row / height * height, bottom = top + height;

        walk->image = row / height;
        walk->above = row > top ? ae_bands_seam(bands, section) : NULL;
        walk->below = end < bottom ? ae_bands_seam(bands, section + 1) : NULL;
        walk_rows(walk, row - top, MIN(end - top, height));
        if (walk->planning && row == top)
            bottom = MAX(bottom, end / height * height);
        row = MIN(end, bottom);
    }
}
