/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network of images, run on a few rows at a time.
 *
 * Each thread makes output rows of its own, top to bottom. It asks backwards
 * which rows of every value these need, and then goes down the input, band by
 * band, where each step makes all rows that have become possible. Of a value
 * between input and output a thread keeps a window: the rows that a later band
 * still reads, and room for the next ones; when it is full, the rows that are
 * still read move to its start. Rows are made twice only where the ranges of
 * two threads meet. (Alwani, Chen, Ferdman and Milder, Fused-layer CNN
 * accelerators, 2016.)
 *
 * Steps know nothing of this: the data of their operands are shifted so that
 * row r of the image lies where it would in a whole one. Planning walks through
 * a run without running anything, and so learns how large windows must be. */
#include <string.h>
#include <unistd.h>

#include "plan-private.h"

/* What several threads may cost more than one, for rows that two make. */
#define MAX_OVERLAP 1.05

static const int64_t choices[] = {128, 64, 32};

typedef struct {
    AePlanValue *value;
    gboolean whole;      /* the plan's input or output: not moved */
    int64_t height, row; /* rows of an image, floats of a row */
    int64_t capacity;    /* rows */
    size_t offset;       /* in a thread's memory */
} Window;

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
    int64_t done;  /* made so far, end */
    int64_t need;  /* to be made in all, end */
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
    float *memory;
    Worker *workers; /* threads */
};

/* What planning learns. */
typedef struct {
    int64_t *live, *kept; /* rows of a window, at most: in use, to be moved */
    double cost, most;    /* of a piece, of the costliest */
} Measure;

/* Images or parts of them: rows of the output that a thread makes. */
typedef struct {
    const AeBands *bands;
    Span *spans;
    int64_t image;
    Worker *worker;   /* NULL while planning */
    Measure *measure; /* NULL while running */
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
                     .row = shape->dim[1] * shape->dim[3]};

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

static double row_cost(const AeStep *step)
{
    const AeShape *out = &step->out[0]->shape;
    double cost = (double)ae_shape_elements(out) * 4;

    if (step->op->multiply_adds != NULL)
        cost += (double)step->op->multiply_adds(step);
    return cost / (double)(out->dim[0] * out->dim[2]);
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
    stage.cost = row_cost(step);
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

static void run_stage(const Walk *walk, int i, int64_t end)
{
    const Stage *stage = stage_at(walk->bands, i);
    const AeStep *step = &walk->worker->steps[i];
    const Span *span = &walk->spans[stage->out];
    int64_t top = walk->image * window_at(walk->bands, stage->out)->height;

    make_room(walk, stage->out, end);
    step->op->forward(step, (top + span->done) * step->row_units,
                      (top + end) * step->row_units, walk->worker->scratch);
}

static void measure_stage(const Walk *walk, int i, int64_t end)
{
    const Stage *stage = stage_at(walk->bands, i);
    const Span *span = &walk->spans[stage->out];
    int64_t *live = &walk->measure->live[stage->out];
    int64_t *kept = &walk->measure->kept[stage->out];

    *live = MAX(*live, end - span->keep);
    *kept = MAX(*kept, span->done - span->keep);
    walk->measure->cost += stage->cost * (double)(end - span->done);
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

        if (next >= window_at(bands, stage->out)->height)
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

/* Rows of @stage's output that can be made from what is there, at most those
 * that are needed. */
static int64_t rows_ready(const Walk *walk, const Stage *stage)
{
    const Span *span = &walk->spans[stage->out];
    int64_t most = span->need;

    if (stage->residual >= 0)
        most = MIN(most, walk->spans[stage->residual].done);
    for (int i = 0; i < stage->n_in; i++) {
        int64_t row = span->done;

        for (; stage->in[i] >= 0 && row < most; row++) {
            int64_t begin = row, end = row + 1;

            rows_read(stage, window_at(walk->bands, stage->in[i])->height,
                      &begin, &end);
            if (end > walk->spans[stage->in[i]].done)
                most = row;
        }
    }
    return most;
}

/* Makes all that follows from the rows of the input until @end. */
static void walk_band(const Walk *walk, int64_t end)
{
    find_kept(walk);
    walk->spans[INPUT].done = end;
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const Stage *stage = stage_at(walk->bands, (int)i);
        Span *span = &walk->spans[stage->out];
        int64_t ready = rows_ready(walk, stage);

        if (ready <= span->done)
            continue;
        if (walk->worker != NULL)
            run_stage(walk, (int)i, ready);
        else
            measure_stage(walk, (int)i, ready);
        span->done = ready;
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

/* Where each value may end, so that the output ends with row @end - 1. */
static void find_ends(const Walk *walk, int64_t end)
{
    const AeBands *bands = walk->bands;

    for (guint i = 0; i < bands->windows->len; i++)
        walk->spans[i].need = walk->spans[i].done;
    walk->spans[OUTPUT].need = end;
    for (guint i = bands->stages->len; i-- > 0;) {
        const Stage *stage = stage_at(bands, (int)i);
        const Span *span = &walk->spans[stage->out];

        if (span->need <= span->done)
            continue;
        need_until(walk, stage->residual, span->need);
        for (int j = 0; j < stage->n_in; j++) {
            int64_t first = span->done, last = span->need;

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

/* Output rows [begin, end) of an image. */
static void walk_piece(Walk *walk, int64_t begin, int64_t end)
{
    const Span *input = &walk->spans[INPUT];

    find_starts(walk, begin);
    find_ends(walk, end);
    set_starts(walk);
    do
        walk_band(walk, MIN(input->done + walk->bands->rows, input->need));
    while (input->done < input->need);
}

/* The first of the rows, counted through all images, that @thread makes. */
static int64_t share_of(const AeBands *bands, int64_t thread)
{
    int64_t rows = bands->images * window_at(bands, OUTPUT)->height;

    return rows * thread / bands->threads;
}

static void walk_share(Walk *walk, int64_t thread)
{
    int64_t height = window_at(walk->bands, OUTPUT)->height;
    int64_t row = share_of(walk->bands, thread);
    int64_t end = share_of(walk->bands, thread + 1);

    while (row < end) {
        int64_t top = row / height * height;

        walk->image = row / height;
        walk_piece(walk, row - top, MIN(end - top, height));
        row = MIN(end, top + height);
    }
}

/* Images that begin and end within a share are alike. */
static void measure_share(Walk *walk, int64_t thread)
{
    int64_t height = window_at(walk->bands, OUTPUT)->height;
    int64_t row = share_of(walk->bands, thread);
    int64_t end = share_of(walk->bands, thread + 1);
    double cost;

    walk->measure->cost = 0;
    if (row % height != 0 && end - row > height - row % height) {
        walk_piece(walk, row % height, height);
        row += height - row % height;
    }
    cost = walk->measure->cost;
    if (end - row >= height) {
        walk->measure->cost = 0;
        walk_piece(walk, 0, height);
        cost += walk->measure->cost * (double)((end - row) / height);
        row += (end - row) / height * height;
    }
    walk->measure->cost = 0;
    if (row < end)
        walk_piece(walk, row % height, row % height + end - row);
    walk->measure->most = MAX(walk->measure->most, cost + walk->measure->cost);
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

/* The cost of the costliest share; @live as place_windows(). */
static double measure(AeBands *bands, int64_t rows, size_t *live)
{
    guint n = bands->windows->len;
    g_autofree Span *spans = g_new0(Span, n);
    g_autofree int64_t *counts = g_new0(int64_t, 2 * n);
    Measure result = {.live = counts, .kept = counts + n};
    Walk walk = {.bands = bands, .spans = spans, .measure = &result};

    bands->rows = rows;
    for (int i = 0; i < bands->threads; i++)
        measure_share(&walk, i);
    *live = place_windows(bands, &result);
    return result.most;
}

static double whole_cost(const AeBands *bands)
{
    double cost = 0;

    for (guint i = 0; i < bands->stages->len; i++) {
        const Stage *stage = stage_at(bands, (int)i);

        cost += stage->cost * (double)window_at(bands, stage->out)->height;
    }
    return cost * (double)bands->images;
}

static size_t half_cache(void)
{
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);

    return bytes > 0 ? (size_t)bytes / 2 / sizeof(float) : 1 << 17;
}

/* The largest band whose windows the cache can hold, or the smallest: lower
 * ones copy their rows more often than they save. */
static gboolean choose_rows(AeBands *bands)
{
    double limit = MAX_OVERLAP * whole_cost(bands) / bands->threads;
    size_t live;
    double cost;

    for (guint i = 0; i < G_N_ELEMENTS(choices); i++) {
        cost = measure(bands, choices[i], &live);
        if (bands->threads > 1 && cost > limit)
            return FALSE;
        if (live <= half_cache())
            break;
    }
    return TRUE;
}

AeBands *ae_bands_new(AePlan *plan, int rows)
{
    size_t live;

    if (!can_band(plan))
        return NULL;
    AeBands *bands = g_new0(AeBands, 1);
    bands->pool = plan->pool;
    bands->threads = ae_plan_threads(plan);
    bands->windows = g_array_new(FALSE, FALSE, sizeof(Window));
    bands->stages = g_array_new(FALSE, FALSE, sizeof(Stage));
    gboolean fits = add_stages(plan, bands);
    if (fits && rows > 0)
        measure(bands, rows, &live);
    else
        fits = fits && choose_rows(bands);
    if (!fits) {
        ae_bands_free(bands);
        return NULL;
    }
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
    g_array_unref(bands->stages);
    g_array_unref(bands->windows);
    ae_free(bands->memory);
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
    if (bands->memory == NULL)
        return FALSE;
    bands->workers = g_new0(Worker, bands->threads);
    for (int i = 0; i < bands->threads; i++)
        worker_init(plan, i);
    return TRUE;
}

size_t ae_bands_memory(const AeBands *bands)
{
    return (size_t)bands->threads * bands->size * sizeof(float);
}

int ae_bands_rows(const AeBands *bands)
{
    return (int)bands->rows;
}

static void run_share(void *data, int64_t share, int thread)
{
    const AeBands *bands = data;
    Worker *worker = &bands->workers[thread];
    Walk walk = {.bands = bands, .spans = worker->spans, .worker = worker};

    walk_share(&walk, share);
}

void ae_bands_run(AePlan *plan)
{
    AeBands *bands = plan->bands;

    if (bands->threads == 1)
        run_share(bands, 0, 0);
    else
        ae_pool_run(bands->pool, run_share, bands, bands->threads);
}
