/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a network in bands. Steps know rings, if all that touch a value do,
 * but no other windows: the data of a thread's own operands are shifted so that
 * row r of the image lies where it would in a whole one. */
#include <string.h>

#include "plan/bands.h"

/* A thread's own operands, one a window, and steps that point to them. */
struct AeBandWorker {
    float *memory, *scratch;
    AeOperand *operands;
    AeStep *steps;
    AeSpan *spans;
};

/* Puts the rows that are still read first, where the next do not fit. */
static void make_room(const AeWalk *walk, int i, int64_t end)
{
    const AeBandWorker *worker = walk->data;
    const AeWindow *window = ae_bands_window(walk->bands, i);
    AeSpan *span = &walk->spans[i];
    float *start = worker->memory + window->offset;

    if (window->whole || window->ring)
        return;
    if (end - span->first > window->capacity) {
        const int64_t keep = ae_walk_keep(walk, i);

        memmove(start, start + (keep - span->first) * window->row,
                (size_t)((span->done - keep) * window->row) * sizeof(float));
        span->first = keep;
    }
    worker->operands[i].data =
        start - (walk->image * window->height + span->first) * window->row;
}

static float *row_data(const AeWalk *walk, int i, int64_t row)
{
    const AeBandWorker *worker = walk->data;
    const AeWindow *window = ae_bands_window(walk->bands, i);

    return worker->operands[i].data +
           ae_operand_place(&worker->operands[i],
                            walk->image * window->height + row) *
               window->row;
}

/* Rows of a window until @end are there: copies for the share above. */
static void leave_copies(const AeWalk *walk, int i, int64_t end)
{
    const int64_t row = ae_bands_window(walk->bands, i)->row;
    AeSeam *seam = walk->above != NULL ? &walk->above[i] : NULL;
    int64_t begin = walk->spans[i].done;

    if (seam == NULL || begin >= seam->until)
        return;
    end = MIN(end, seam->until);
    for (int64_t r = begin; r < end; r++)
        memcpy(walk->bands->seam_memory + seam->offset +
                   (r - seam->start) * row,
               row_data(walk, i, r), (size_t)row * sizeof(float));
    __atomic_store_n(&seam->made, end, __ATOMIC_RELEASE);
}

/* The rows of a window from done until @end, which the share below makes. */
static void take_copies(const AeWalk *walk, int i, int64_t end)
{
    const int64_t row = ae_bands_window(walk->bands, i)->row;
    const AeSeam *seam = &walk->below[i];

    while (__atomic_load_n(&seam->made, __ATOMIC_ACQUIRE) < end)
        g_thread_yield();
    for (int64_t r = walk->spans[i].done; r < end; r++)
        memcpy(row_data(walk, i, r),
               walk->bands->seam_memory + seam->offset +
                   (r - seam->start) * row,
               (size_t)row * sizeof(float));
}

static void make_rows(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeBandWorker *worker = walk->data;
    const AeStep *step = &worker->steps[stage - ae_bands_stage(walk->bands, 0)];
    int64_t top =
        walk->image * ae_bands_window(walk->bands, stage->out)->height;

    step->op->forward(step,
                      (top + walk->spans[stage->out].done) * step->row_units,
                      (top + end) * step->row_units, worker->scratch);
}

/* Rows of @stage's output until @end: made, or taken from the seam. */
static void run_stage(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    int out = stage->out;

    make_room(walk, out, end);
    if (walk->spans[out].done < walk->spans[out].make)
        make_rows(walk, stage, end);
    else
        take_copies(walk, out, end);
    leave_copies(walk, out, end);
}

static void worker_clear(AeBands *bands, AeBandWorker *worker)
{
    for (guint i = 0; worker->steps != NULL && i < bands->stages->len; i++)
        g_free(worker->steps[i].in);
    for (guint i = 0; worker->steps != NULL && i < bands->stages->len; i++)
        g_free(worker->steps[i].out);
    g_free(worker->steps);
    g_free(worker->operands);
    g_free(worker->spans);
}

void ae_bands_free_memory(AeBands *bands)
{
    for (int i = 0; bands->workers != NULL && i < bands->threads; i++)
        worker_clear(bands, &bands->workers[i]);
    g_free(bands->workers);
    ae_free(bands->memory);
    ae_free(bands->seam_memory);
}

static AeOperand own_operand(const AeBandWorker *worker, const AeWindow *window)
{
    AeOperand operand = window->value->operand;

    if (window->ring) {
        operand.ring = window->capacity;
        operand.data = worker->memory + window->offset;
    }
    return operand;
}

/* @stage's step, with the operands of @worker. */
static AeStep own_step(const AeBandWorker *worker, const AeStage *stage)
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
    AeBandWorker *worker = &bands->workers[thread];

    worker->memory = bands->memory + (size_t)thread * bands->size;
    worker->scratch = plan->scratch + (size_t)thread * plan->scratch_size;
    worker->spans = g_new0(AeSpan, bands->windows->len);
    worker->operands = g_new0(AeOperand, bands->windows->len);
    worker->steps = g_new0(AeStep, MAX(bands->stages->len, 1));
    for (guint i = 0; i < bands->windows->len; i++)
        worker->operands[i] =
            own_operand(worker, ae_bands_window(bands, (int)i));
    for (guint i = 0; i < bands->stages->len; i++)
        worker->steps[i] = own_step(worker, ae_bands_stage(bands, (int)i));
}

gboolean ae_bands_allocate(AePlan *plan)
{
    AeBands *bands = plan->bands;

    bands->memory = ae_alloc_floats((size_t)bands->threads * bands->size);
    bands->seam_memory = ae_alloc_floats(bands->seam_size);
    if (bands->memory == NULL || bands->seam_memory == NULL)
        return FALSE;
    bands->workers = g_new0(AeBandWorker, bands->threads);
    for (int i = 0; i < bands->threads; i++)
        worker_init(plan, i);
    return TRUE;
}

/* Task 0 is the last share. */
static void run_share(void *data, int64_t task, int thread)
{
    const AeBands *bands = data;
    AeBandWorker *worker = &bands->workers[thread];
    AeWalk walk = {.bands = bands,
                   .spans = worker->spans,
                   .advance = run_stage,
                   .data = worker};

    ae_walk_share(&walk, bands->shares - 1 - task);
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
