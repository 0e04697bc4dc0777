/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network of images, run on a few rows at a time.
 *
 * The output's rows are dealt in shares, one a thread. For a share it is asked
 * backwards which rows of every value it needs; then it goes down the input,
 * band by band, where each step makes all rows that have become possible. Of a
 * value between input and output a thread keeps a window: the rows that a later
 * band still reads, and room for the next ones; when it is full, the rows that
 * are still read move to its start. (Alwani, Chen, Ferdman and Milder,
 * Fused-layer CNN accelerators, 2016.)
 *
 * Where two shares meet, both need some rows of each value. The lower share
 * makes them, first of all, and leaves copies in the seam between the two, from
 * which the upper one takes them when it gets there, last of all. A share thus
 * waits for the one below alone; they are begun from the last one on, so that
 * any number of threads comes to an end.
 *
 * Steps know nothing of this: the data of their operands are shifted so that
 * row r of the image lies where it would in a whole one. Planning walks through
 * a run without running anything, and so learns how large windows must be. */
#include <string.h>
#include <unistd.h>

#include "plan-private.h"

static const int64_t choices[] = {128, 64, 32};

typedef struct {
    AePlanValue *value;
    gboolean whole;      /* the plan's input or output: not moved */
    int64_t height, row; /* rows of an image, floats of a row */
    int64_t capacity;    /* rows */
    size_t offset;       /* in a thread's memory */
} Window;

/* Of a window, where two shares meet: the lower one begins with rows
 * [start, until), of which the upper one gets copies. */
typedef struct {
    int64_t start, until;
    size_t offset; /* in the seams' memory */
    int64_t made;  /* atomic: the end of those that are there */
} Seam;

typedef struct {
    const AeStep *step;
    int out, residual; /* windows; -1: none */
    int n_in;
    int *in;     /* window of each operand, -1: a constant or none */
    double cost; /* of a row */
} Stage;

/* What a thread knows of a window: rows of the image. */
typedef struct {
    int64_t first; /* in memory */
    int64_t keep;  /* those above are no longer read */
    int64_t done;  /* there so far, end */
    int64_t make;  /* to be made, end */
    int64_t need;  /* to be there, end; the rest is in the seam */
} Span;

/* A thread's own operands, one a window, and steps that point to them. */
typedef struct {
    float *memory, *scratch;
    AeOperand *operands;
    AeStep *steps;
    Span *spans;
} Worker;

struct AeBands {
    AePool *pool;
    int threads;
    int64_t images, rows; /* of the input in a band */
    GArray *windows;      /* Window: input, output, the others */
    GArray *stages;       /* Stage */
    size_t size;          /* floats of a thread's windows */
    size_t seam_size;     /* floats of all seams */
    float *memory, *seam_memory;
    Worker *workers; /* threads */
    int shares;
    int64_t *begins; /* shares + 1: output rows, counted through all images */
    Seam *seams;     /* (shares + 1) * windows: above each share */
};

/* What planning learns: rows of a window, at most. */
typedef struct {
    int64_t *live, *kept; /* in use, to be moved */
} Measure;

/* Part of an image: rows of the output. */
typedef struct {
    const AeBands *bands;
    Span *spans;
    int64_t image;
    Seam *above, *below; /* one a window; NULL at the image's ends */
    Worker *worker;      /* NULL while planning */
    Measure *measure;    /* NULL while running */
} Walk;

enum { INPUT, OUTPUT };

static Window *window_at(const AeBands *bands, int i)
{
    return &g_array_index(bands->windows, Window, i);
}

static Stage *stage_at(const AeBands *bands, int i)
{
    return &g_array_index(bands->stages, Stage, i);
}

static int window_of(const AePlan *plan, AeBands *bands, AeOperand *operand)
{
    AePlanValue *value = ae_plan_root(plan, ae_plan_value(operand));
    const AeShape *shape = &value->operand.shape;
    Window window = {.value = value,
                     .height = shape->dim[2],
                     .row = ae_operand_row(&value->operand)};

    for (guint i = 0; i < bands->windows->len; i++)
        if (window_at(bands, (int)i)->value == value)
            return (int)i;
    g_array_append_val(bands->windows, window);
    return (int)bands->windows->len - 1;
}

static gboolean is_image(const AeOperand *operand, const AeShape *like)
{
    return operand->shape.rank == 4 && operand->shape.dim[0] == like->dim[0];
}

/* TRUE if @step can run on some rows of its operands. */
static gboolean has_rows(const AeStep *step)
{
    const AeShape *out = step->out[0] != NULL ? &step->out[0]->shape : NULL;

    if (out == NULL || out->rank != 4 || ae_shape_elements(out) == 0 ||
        (step->alias ? !ae_shape_equal(out, &step->in[0]->shape)
                     : step->row_units == 0))
        return FALSE;
    for (int i = 1; i < step->n_out; i++)
        if (step->out[i] != NULL)
            return FALSE;
    for (int i = 0; i < step->n_in; i++) {
        const AeOperand *in = step->in[i];

        if (in == NULL || in->constant)
            continue;
        if (!is_image(in, out) ||
            (step->op->rows == NULL && in->shape.dim[2] != out->dim[2]))
            return FALSE;
    }
    return TRUE;
}

static void add_stage(const AePlan *plan, AeBands *bands, const AeStep *step)
{
    Stage stage = {.step = step, .residual = -1, .n_in = step->n_in};

    stage.in = g_new(int, MAX(step->n_in, 1));
    for (int i = 0; i < step->n_in; i++) {
        AeOperand *in = step->in[i];

        stage.in[i] =
            in != NULL && !in->constant ? window_of(plan, bands, in) : -1;
    }
    if (step->residual != NULL && !step->residual->constant)
        stage.residual = window_of(plan, bands, step->residual);
    stage.out = window_of(plan, bands, step->out[0]);
    stage.cost = ae_step_cost(step) / (double)(step->out[0]->shape.dim[0] *
                                               step->out[0]->shape.dim[2]);
    g_array_append_val(bands->stages, stage);
}

static gboolean can_band(const AePlan *plan)
{
    const AePlanValue *in, *out;

    if (plan->n_inputs != 1 || plan->n_outputs != 1 || plan->steps->len == 0)
        return FALSE;
    in = &plan->values[plan->inputs[0]];
    out = &plan->values[plan->outputs[0]];
    if (in->operand.shape.rank != 4 || in->needs_grad ||
        !is_image(&out->operand, &in->operand.shape) ||
        ae_shape_elements(&in->operand.shape) == 0 || out->operand.constant)
        return FALSE;
    for (guint i = 0; i < plan->steps->len; i++)
        if (!has_rows(g_ptr_array_index(plan->steps, i)))
            return FALSE;
    return TRUE;
}

static gboolean add_stages(AePlan *plan, AeBands *bands)
{
    const AeOperand *out = &plan->values[plan->outputs[0]].operand;

    bands->images = out->shape.dim[0];
    window_of(plan, bands, &plan->values[plan->inputs[0]].operand);
    window_of(plan, bands, &plan->values[plan->outputs[0]].operand);
    if (bands->windows->len < 2)
        return FALSE;
    window_at(bands, INPUT)->whole = window_at(bands, OUTPUT)->whole = TRUE;
    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = g_ptr_array_index(plan->steps, i);

        if (!step->alias)
            add_stage(plan, bands, step);
    }
    return TRUE;
}

/* The rows of its inputs, of @height, that output rows [*begin, *end) read. */
static void rows_read(const Stage *stage, int64_t height, int64_t *begin,
                      int64_t *end)
{
    if (stage->step->op->rows != NULL)
        stage->step->op->rows(stage->step, begin, end);
    *begin = CLAMP(*begin, 0, height);
    *end = CLAMP(*end, *begin, height);
}

/* Puts the rows that are still read first, where the next do not fit. */
static void make_room(const Walk *walk, int i, int64_t end)
{
    const Window *window = window_at(walk->bands, i);
    Span *span = &walk->spans[i];
    AeOperand *operand = &walk->worker->operands[i];
    float *start = walk->worker->memory + window->offset;

    if (window->whole || end - span->first <= window->capacity)
        return;
    memmove(start, start + (span->keep - span->first) * window->row,
            (size_t)(span->done - span->keep) * window->row * sizeof(float));
    span->first = span->keep;
    operand->data =
        start - (walk->image * window->height + span->first) * window->row;
}

static float *row_data(const Walk *walk, int i, int64_t row)
{
    const Window *window = window_at(walk->bands, i);

    return walk->worker->operands[i].data +
           (walk->image * window->height + row) * window->row;
}

/* Rows of a window until @end are there: copies for the share above. */
static void leave_copies(const Walk *walk, int i, int64_t end)
{
    const int64_t row = window_at(walk->bands, i)->row;
    Seam *seam = walk->above != NULL ? &walk->above[i] : NULL;
    int64_t begin = walk->spans[i].done;

    if (seam == NULL || begin >= seam->until)
        return;
    end = MIN(end, seam->until);
    memcpy(walk->bands->seam_memory + seam->offset +
               (begin - seam->start) * row,
           row_data(walk, i, begin),
           (size_t)((end - begin) * row) * sizeof(float));
    __atomic_store_n(&seam->made, end, __ATOMIC_RELEASE);
}

/* The rows of a window from done until @end, which the share below makes. */
static void take_copies(const Walk *walk, int i, int64_t end)
{
    const int64_t row = window_at(walk->bands, i)->row;
    const Seam *seam = &walk->below[i];
    int64_t begin = walk->spans[i].done;

    while (__atomic_load_n(&seam->made, __ATOMIC_ACQUIRE) < end)
        g_thread_yield();
    memcpy(row_data(walk, i, begin),
           walk->bands->seam_memory + seam->offset +
               (begin - seam->start) * row,
           (size_t)((end - begin) * row) * sizeof(float));
}

static void make_rows(const Walk *walk, int i, int64_t end)
{
    const Stage *stage = stage_at(walk->bands, i);
    const AeStep *step = &walk->worker->steps[i];
    int64_t top = walk->image * window_at(walk->bands, stage->out)->height;

    step->op->forward(step,
                      (top + walk->spans[stage->out].done) * step->row_units,
                      (top + end) * step->row_units, walk->worker->scratch);
}

/* Rows of @stage's output until @end: made, or taken from the seam. */
static void run_stage(const Walk *walk, int i, int64_t end)
{
    int out = stage_at(walk->bands, i)->out;

    make_room(walk, out, end);
    if (walk->spans[out].done < walk->spans[out].make)
        make_rows(walk, i, end);
    else
        take_copies(walk, out, end);
    leave_copies(walk, out, end);
}

static void measure_stage(const Walk *walk, int i, int64_t end)
{
    int out = stage_at(walk->bands, i)->out;
    const Span *span = &walk->spans[out];
    int64_t *live = &walk->measure->live[out];
    int64_t *kept = &walk->measure->kept[out];

    *live = MAX(*live, end - span->keep);
    *kept = MAX(*kept, span->done - span->keep);
}

static void keep_from(const Walk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].keep = MIN(walk->spans[window].keep, row);
}

/* Which rows the steps still read, from those that they have made. */
static void find_kept(const Walk *walk)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++)
        walk->spans[i].keep = walk->spans[i].done;
    for (guint i = 0; i < bands->stages->len; i++) {
        const Stage *stage = stage_at(bands, (int)i);
        int64_t next = walk->spans[stage->out].done;

        if (next >= walk->spans[stage->out].make)
            continue;
        keep_from(walk, stage->residual, next);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t begin = next, end = next + 1;

            if (stage->in[j] < 0)
                continue;
            rows_read(stage, window_at(bands, stage->in[j])->height, &begin,
                      &end);
            keep_from(walk, stage->in[j], begin);
        }
    }
}

/* Whether what is there of input @i suffices for row @row of @stage's output.
 */
static gboolean is_row_ready(const Walk *walk, const Stage *stage, int i,
                             int64_t row)
{
    int64_t begin = row, end = row + 1;

    rows_read(stage, window_at(walk->bands, stage->in[i])->height, &begin,
              &end);
    return end <= walk->spans[stage->in[i]].done;
}

/* Rows of @stage's output that can be made from what is there. */
static int64_t rows_ready(const Walk *walk, const Stage *stage)
{
    const Span *span = &walk->spans[stage->out];
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
static void advance(const Walk *walk, int i, int64_t end)
{
    Span *span = &walk->spans[stage_at(walk->bands, i)->out];

    if (end <= span->done)
        return;
    if (walk->worker != NULL)
        run_stage(walk, i, end);
    else
        measure_stage(walk, i, end);
    span->done = end;
}

/* How far one band takes @stage's output at most: where much becomes possible
 * at once, at the end of the input, windows stay small. */
static int64_t band_end(const Walk *walk, const Stage *stage)
{
    const AeBands *bands = walk->bands;
    const int64_t group = MAX(stage->step->row_group, 1);
    const int64_t most = bands->rows * window_at(bands, stage->out)->height /
                             window_at(bands, INPUT)->height +
                         1;

    return (walk->spans[stage->out].done + most + group - 1) / group * group;
}

/* Makes what follows from the rows of the input until @end, a band of it. */
static void walk_band(const Walk *walk, int64_t end)
{
    find_kept(walk);
    walk->spans[INPUT].done = end;
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const Stage *stage = stage_at(walk->bands, (int)i);
        const Span *span = &walk->spans[stage->out];
        const int64_t most = band_end(walk, stage);

        if (span->done < span->make)
            advance(walk, (int)i, MIN(rows_ready(walk, stage), most));
        if (span->done >= span->make)
            advance(walk, (int)i, MIN(span->need, most));
    }
}

static void start_from(const Walk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].done = MIN(walk->spans[window].done, row);
}

/* Where each value begins, so that the output can begin with row @begin. */
static void find_starts(const Walk *walk, int64_t begin)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++)
        walk->spans[i].done = window_at(bands, (int)i)->height;
    walk->spans[OUTPUT].done = begin;
    for (guint i = bands->stages->len; i-- > 0;) {
        const Stage *stage = stage_at(bands, (int)i);
        int64_t start = walk->spans[stage->out].done;

        if (start >= window_at(bands, stage->out)->height)
            continue;
        start_from(walk, stage->residual, start);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = start, last = start + 1;

            if (stage->in[j] < 0)
                continue;
            rows_read(stage, window_at(bands, stage->in[j])->height, &first,
                      &last);
            start_from(walk, stage->in[j], first);
        }
    }
}

static void need_until(const Walk *walk, int window, int64_t row)
{
    if (window >= 0)
        walk->spans[window].need = MAX(walk->spans[window].need, row);
}

/* Where each value may end, so that the output ends with row @end - 1, and the
 * share above gets its copies. */
static void find_ends(const Walk *walk, int64_t end)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++) {
        Span *span = &walk->spans[i];

        span->need = span->done;
        if (walk->above != NULL)
            need_until(walk, (int)i, walk->above[i].until);
    }
    walk->spans[OUTPUT].need = end;
    for (guint i = bands->stages->len; i-- > 0;) {
        const Stage *stage = stage_at(bands, (int)i);
        Span *span = &walk->spans[stage->out];

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
            rows_read(stage, window_at(bands, stage->in[j])->height, &first,
                      &last);
            need_until(walk, stage->in[j], last);
        }
    }
}

static void set_starts(const Walk *walk)
{
    for (guint i = 0; i < walk->bands->windows->len; i++) {
        const Window *window = window_at(walk->bands, (int)i);
        Span *span = &walk->spans[i];

        span->first = span->done;
        if (walk->worker != NULL && !window->whole)
            walk->worker->operands[i].data =
                walk->worker->memory + window->offset -
                (walk->image * window->height + span->first) * window->row;
    }
}

static gboolean is_done(const Walk *walk)
{
    for (guint i = 0; i < walk->bands->windows->len; i++)
        if (walk->spans[i].done < walk->spans[i].need)
            return FALSE;
    return TRUE;
}

/* Output rows [begin, end) of an image. */
static void walk_piece(const Walk *walk, int64_t begin, int64_t end)
{
    const Span *input = &walk->spans[INPUT];

    find_starts(walk, begin);
    find_ends(walk, end);
    set_starts(walk);
    while (!is_done(walk))
        walk_band(walk, MIN(input->done + walk->bands->rows, input->need));
}

static Seam *seam_above(const AeBands *bands, int64_t share)
{
    return &bands->seams[share * bands->windows->len];
}

static void walk_share(Walk *walk, int64_t share)
{
    const AeBands *bands = walk->bands;
    int64_t height = window_at(bands, OUTPUT)->height;
    int64_t row = bands->begins[share], end = bands->begins[share + 1];

    while (row < end) {
        int64_t top = row / height * height, bottom = top + height;

        walk->image = row / height;
        walk->above = row > top ? seam_above(bands, share) : NULL;
        walk->below = end < bottom ? seam_above(bands, share + 1) : NULL;
        walk_piece(walk, row - top, MIN(end - top, height));
        /* While planning, one whole image tells all. */
        if (walk->measure != NULL && row == top)
            bottom = MAX(bottom, end / height * height);
        row = MIN(end, bottom);
    }
}

/* Sets capacities and offsets; the rows in use at once, in floats. */
static size_t place_windows(AeBands *bands, const Measure *measure)
{
    size_t live = 0;

    bands->size = 0;
    for (guint i = 0; i < bands->windows->len; i++) {
        Window *window = window_at(bands, (int)i);

        if (window->whole) {
            live += (size_t)(bands->rows * window->row);
            continue;
        }
        window->capacity =
            MIN(measure->live[i] + measure->kept[i], window->height);
        window->offset = bands->size;
        bands->size +=
            ((size_t)(window->capacity * window->row) + 15) / 16 * 16;
        live += (size_t)(measure->live[i] * window->row);
    }
    return live;
}

/* Where the windows of bands of @rows lie; as place_windows(). */
static size_t measure(AeBands *bands, int64_t rows)
{
    guint n = bands->windows->len;
    g_autofree Span *spans = g_new0(Span, n);
    g_autofree int64_t *counts = g_new0(int64_t, 2 * n);
    Measure result = {.live = counts, .kept = counts + n};
    Walk walk = {.bands = bands, .spans = spans, .measure = &result};

    bands->rows = rows;
    for (int i = 0; i < bands->shares; i++)
        walk_share(&walk, i);
    return place_windows(bands, &result);
}

/* What is made of an image before output row @row can begin a share. */
static double cost_above(const Walk *walk, int64_t row)
{
    double cost = 0;

    find_starts(walk, row);
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const Stage *stage = stage_at(walk->bands, (int)i);

        cost += stage->cost * (double)walk->spans[stage->out].done;
    }
    return cost;
}

/* The first output row after @row, counted through all images, that has at
 * least @part of the work above it. */
static int64_t find_row(const Walk *walk, int64_t row, double part)
{
    int64_t height = window_at(walk->bands, OUTPUT)->height;
    int64_t end = height * walk->bands->images;
    double image = cost_above(walk, height);
    double cost = part * image * (double)walk->bands->images;

    for (row++; row < end;) {
        int64_t middle = row + (end - row) / 2;

        if (image * (double)(middle / height) +
                cost_above(walk, middle % height) <
            cost)
            row = middle + 1;
        else
            end = middle;
    }
    return end;
}

/* As many shares as threads, of equal work, each of one row at least. */
static void deal_shares(AeBands *bands, const Walk *walk)
{
    int64_t rows = bands->images * window_at(bands, OUTPUT)->height;
    int64_t row = 0;

    bands->begins = g_new0(int64_t, bands->threads + 1);
    for (int i = 1; i <= bands->threads && row < rows; i++) {
        row = i == bands->threads
                  ? rows
                  : find_row(walk, row, (double)i / bands->threads);
        bands->begins[bands->shares = i] = row;
    }
}

/* From the first share on: what each leaves to the one below. */
static void place_seams(AeBands *bands, Walk *walk)
{
    int64_t height = window_at(bands, OUTPUT)->height;
    guint n = bands->windows->len;

    bands->seams = g_new0(Seam, (gsize)(bands->shares + 1) * n);
    for (int share = 0; share + 1 < bands->shares; share++) {
        int64_t begin = bands->begins[share], end = bands->begins[share + 1];
        int64_t top = end / height * height;

        if (end == top)
            continue;
        walk->above = begin > top ? seam_above(bands, share) : NULL;
        walk->below = seam_above(bands, share + 1);
        find_starts(walk, end - top);
        for (guint i = 0; i < n; i++)
            walk->below[i].start = walk->spans[i].done;
        find_starts(walk, MAX(begin - top, 0));
        find_ends(walk, end - top);
        for (guint i = 0; i < n; i++) {
            Seam *seam = &walk->below[i];

            seam->until = seam->start;
            if (!window_at(bands, (int)i)->whole)
                seam->until = MAX(walk->spans[i].need, seam->start);
            seam->offset = bands->seam_size;
            bands->seam_size += (size_t)((seam->until - seam->start) *
                                         window_at(bands, (int)i)->row);
        }
    }
}

static size_t half_cache(void)
{
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);

    return bytes > 0 ? (size_t)bytes / 2 / sizeof(float) : 1 << 17;
}

/* The largest band whose windows the cache can hold, or the smallest: lower
 * ones copy their rows more often than they save. */
static void choose_rows(AeBands *bands)
{
    for (guint i = 0; i < G_N_ELEMENTS(choices); i++)
        if (measure(bands, choices[i]) <= half_cache())
            break;
}

static void plan_shares(AeBands *bands)
{
    g_autofree Span *spans = g_new0(Span, bands->windows->len);
    Walk walk = {.bands = bands, .spans = spans};

    deal_shares(bands, &walk);
    place_seams(bands, &walk);
}

AeBands *ae_bands_new(AePlan *plan, int rows)
{
    if (!can_band(plan))
        return NULL;
    AeBands *bands = g_new0(AeBands, 1);
    bands->pool = plan->pool;
    bands->threads = ae_plan_threads(plan);
    bands->windows = g_array_new(FALSE, FALSE, sizeof(Window));
    bands->stages = g_array_new(FALSE, FALSE, sizeof(Stage));
    if (!add_stages(plan, bands)) {
        ae_bands_free(bands);
        return NULL;
    }
    plan_shares(bands);
    if (rows > 0)
        measure(bands, rows);
    else
        choose_rows(bands);
    return bands;
}

static void worker_clear(AeBands *bands, Worker *worker)
{
    for (guint i = 0; worker->steps != NULL && i < bands->stages->len; i++)
        g_free(worker->steps[i].in);
    for (guint i = 0; worker->steps != NULL && i < bands->stages->len; i++)
        g_free(worker->steps[i].out);
    g_free(worker->steps);
    g_free(worker->operands);
    g_free(worker->spans);
}

void ae_bands_free(AeBands *bands)
{
    if (bands == NULL)
        return;
    for (int i = 0; bands->workers != NULL && i < bands->threads; i++)
        worker_clear(bands, &bands->workers[i]);
    for (guint i = 0; i < bands->stages->len; i++)
        g_free(stage_at(bands, (int)i)->in);
    g_free(bands->workers);
    g_free(bands->begins);
    g_free(bands->seams);
    g_array_unref(bands->stages);
    g_array_unref(bands->windows);
    ae_free(bands->memory);
    ae_free(bands->seam_memory);
    g_free(bands);
}

/* @stage's step, with the operands of @worker. */
static AeStep own_step(const Worker *worker, const Stage *stage)
{
    AeStep step = *stage->step;

    step.in = g_new0(AeOperand *, step.n_in + 1);
    for (int i = 0; i < step.n_in; i++)
        step.in[i] = stage->in[i] >= 0 ? &worker->operands[stage->in[i]]
                                       : stage->step->in[i];
    step.n_out = 1;
    step.out = g_new0(AeOperand *, 1);
    step.out[0] = &worker->operands[stage->out];
    if (stage->residual >= 0)
        step.residual = &worker->operands[stage->residual];
    return step;
}

static void worker_init(const AePlan *plan, int thread)
{
    AeBands *bands = plan->bands;
    Worker *worker = &bands->workers[thread];

    worker->memory = bands->memory + (size_t)thread * bands->size;
    worker->scratch = plan->scratch + (size_t)thread * plan->scratch_size;
    worker->spans = g_new0(Span, bands->windows->len);
    worker->operands = g_new0(AeOperand, bands->windows->len);
    worker->steps = g_new0(AeStep, MAX(bands->stages->len, 1));
    for (guint i = 0; i < bands->windows->len; i++)
        worker->operands[i] = window_at(bands, (int)i)->value->operand;
    for (guint i = 0; i < bands->stages->len; i++)
        worker->steps[i] = own_step(worker, stage_at(bands, (int)i));
}

gboolean ae_bands_allocate(AePlan *plan)
{
    AeBands *bands = plan->bands;

    bands->memory = ae_alloc_floats((size_t)bands->threads * bands->size);
    bands->seam_memory = ae_alloc_floats(bands->seam_size);
    if (bands->memory == NULL || bands->seam_memory == NULL)
        return FALSE;
    bands->workers = g_new0(Worker, bands->threads);
    for (int i = 0; i < bands->threads; i++)
        worker_init(plan, i);
    return TRUE;
}

size_t ae_bands_memory(const AeBands *bands)
{
    return ((size_t)bands->threads * bands->size + bands->seam_size) *
           sizeof(float);
}

int ae_bands_rows(const AeBands *bands)
{
    return (int)bands->rows;
}

/* Task 0 is the last share. */
static void run_share(void *data, int64_t task, int thread)
{
    const AeBands *bands = data;
    Worker *worker = &bands->workers[thread];
    Walk walk = {.bands = bands, .spans = worker->spans, .worker = worker};

    walk_share(&walk, bands->shares - 1 - task);
}

void ae_bands_run(AePlan *plan)
{
    AeBands *bands = plan->bands;
    guint seams = (guint)bands->shares * bands->windows->len;

    for (guint i = 0; i < seams; i++)
        bands->seams[i].made = bands->seams[i].start;
    if (bands->threads == 1)
        run_share(bands, 0, 0);
    else
        ae_pool_run(bands->pool, run_share, bands, bands->shares);
}
