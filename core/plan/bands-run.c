/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a plan in bands. Each thread has operands of its own, one for each
 * buffer. An operand of a ring buffer says so, and the operator takes it into
 * account. For other buffers the operator knows nothing: the operand's data is
 * shifted, so that the address computed for row r of the whole image is that of
 * row r in the buffer. */
#include "plan/bands-run.h"

#include <string.h>

#include "plan/bands-walk.h"

/* What one thread has of its own. */
struct AeBandWorker {
    float *memory;        /* of its buffers */
    float *scratch;       /* of operators */
    AeOperand *operands;  /* one for each buffer */
    AeStep *steps;        /* one for each stage, with these operands */
    AeProgress *progress; /* one for each buffer */
};

/* If the rows until @end do not fit sliding buffer @i, moves the rows that are
 * still read to its start. */
static void make_room(const AeWalk *walk, int i, int64_t end)
{
    const AeBandWorker *worker = walk->data;
    const AeBandBuffer *buffer = ae_bands_buffer(walk->bands, i);
    AeProgress *rows = &walk->progress[i];
    float *start = worker->memory + buffer->offset;

    if (buffer->whole || buffer->ring)
        return;
    if (end - rows->first > buffer->capacity) {
        const int64_t keep = ae_walk_keep(walk, i);

        memmove(start, start + (keep - rows->first) * buffer->row,
                (size_t)((rows->done - keep) * buffer->row) * sizeof(float));
        rows->first = keep;
    }
    worker->operands[i].data =
        start - (walk->image * buffer->height + rows->first) * buffer->row;
}

/* Where row @row of buffer @i lies. */
static float *row_data(const AeWalk *walk, int i, int64_t row)
{
    const AeBandWorker *worker = walk->data;
    const AeBandBuffer *buffer = ae_bands_buffer(walk->bands, i);

    return worker->operands[i].data +
           ae_operand_place(&worker->operands[i],
                            walk->image * buffer->height + row) *
               buffer->row;
}

/* Where the copy of row @row of buffer @i lies in @seam. */
static float *seam_data(const AeBands *bands, const AeSeam *seam, int i,
                        int64_t row)
{
    return bands->seam_memory + seam->offset +
           (row - seam->start) * ae_bands_buffer(bands, i)->row;
}

/* Copies the rows of buffer @i from done until @end, as far as the seam above
 * holds them, into the seam. Whole buffers are not copied. */
static void leave_copies(const AeWalk *walk, int i, int64_t end)
{
    const AeBandBuffer *buffer = ae_bands_buffer(walk->bands, i);
    AeSeam *seam = walk->above != NULL ? &walk->above[i] : NULL;
    int64_t begin = walk->progress[i].done;

    if (seam == NULL || begin >= seam->until)
        return;
    end = MIN(end, seam->until);
    for (int64_t r = begin; r < end && !buffer->whole; r++)
        memcpy(seam_data(walk->bands, seam, i, r), row_data(walk, i, r),
               (size_t)buffer->row * sizeof(float));
    __atomic_store_n(&seam->made, end, __ATOMIC_RELEASE);
}

/* Waits for the rows of buffer @i from done until @end in the seam below, and
 * copies them into the buffer. */
static void take_copies(const AeWalk *walk, int i, int64_t end)
{
    const AeBandBuffer *buffer = ae_bands_buffer(walk->bands, i);
    const AeSeam *seam = &walk->below[i];

    while (__atomic_load_n(&seam->made, __ATOMIC_ACQUIRE) < end)
        g_thread_yield();
    for (int64_t r = walk->progress[i].done; r < end && !buffer->whole; r++)
        memcpy(row_data(walk, i, r), seam_data(walk->bands, seam, i, r),
               (size_t)buffer->row * sizeof(float));
}

static void make_rows(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const AeBandWorker *worker = walk->data;
    const AeStep *step = &worker->steps[stage - ae_bands_stage(walk->bands, 0)];
    int64_t top =
        walk->image * ae_bands_buffer(walk->bands, stage->out)->height;

    step->op->forward(step,
                      (top + walk->progress[stage->out].done) * step->row_units,
                      (top + end) * step->row_units, worker->scratch);
}

/* The walk's deliver(). */
static void deliver(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    int out = stage->out;

    make_room(walk, out, end);
    if (walk->progress[out].done < walk->progress[out].make)
        make_rows(walk, stage, end);
    else
        take_copies(walk, out, end);
    leave_copies(walk, out, end);
}

static void worker_clear(AeBands *bands, AeBandWorker *worker)
{
    for (guint i = 0; i < bands->stages->len; i++) {
        g_free(worker->steps[i].in);
        g_free(worker->steps[i].out);
    }
    g_free(worker->steps);
    g_free(worker->operands);
    g_free(worker->progress);
}

void ae_bands_free_memory(AeBands *bands)
{
    for (int i = 0; bands->workers != NULL && i < bands->threads; i++)
        worker_clear(bands, &bands->workers[i]);
    g_free(bands->workers);
    ae_free(bands->memory);
    ae_free(bands->seam_memory);
}

/* The operand of @buffer in the memory of @worker. The data of sliding buffers
 * is set in make_room(). */
static AeOperand own_operand(const AeBandWorker *worker,
                             const AeBandBuffer *buffer)
{
    AeOperand operand = buffer->value->operand;

    if (buffer->ring) {
        operand.ring = buffer->capacity;
        operand.data = worker->memory + buffer->offset;
    }
    return operand;
}

/* @stage's step, with the operands of @worker. */
static AeStep own_step(const AeBandWorker *worker, const AeStage *stage)
{
    AeStep step = *stage->step;

    step.in = g_new0(AeOperand *, step.n_in + 1);
    for (int i = 0; i < step.n_in; i++)
        step.in[i] = stage->in[1 + i] >= 0 ? &worker->operands[stage->in[1 + i]]
                                           : stage->step->in[i];
    step.n_out = 1;
    step.out = g_new0(AeOperand *, 1);
    step.out[0] = &worker->operands[stage->out];
    if (stage->in[0] >= 0)
        step.residual = &worker->operands[stage->in[0]];
    return step;
}

static void worker_init(const AePlan *plan, int thread)
{
    AeBands *bands = plan->bands;
    AeBandWorker *worker = &bands->workers[thread];

    worker->memory = bands->memory + (size_t)thread * bands->size;
    worker->scratch = plan->scratch + (size_t)thread * plan->scratch_size;
    worker->progress = g_new0(AeProgress, bands->buffers->len);
    worker->operands = g_new0(AeOperand, bands->buffers->len);
    worker->steps = g_new0(AeStep, MAX(bands->stages->len, 1));
    for (guint i = 0; i < bands->buffers->len; i++)
        worker->operands[i] =
            own_operand(worker, ae_bands_buffer(bands, (int)i));
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

/* Task 0 is the last section: a section waits for the one below, which must
 * have begun before it. */
static void run_section(void *data, int64_t task, int thread)
{
    const AeBands *bands = data;
    AeBandWorker *worker = &bands->workers[thread];
    AeWalk walk = {.bands = bands,
                   .progress = worker->progress,
                   .deliver = deliver,
                   .data = worker};

    ae_walk_section(&walk, bands->sections - 1 - task);
}

/* The memory of whole buffers may be another in each run. */
static void find_memory(AeBands *bands)
{
    for (int thread = 0; thread < bands->threads; thread++)
        for (guint i = 0; i < bands->buffers->len; i++) {
            const AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

            if (buffer->whole)
                bands->workers[thread].operands[i].data =
                    buffer->value->operand.data;
        }
}

void ae_bands_run(AePlan *plan)
{
    AeBands *bands = plan->bands;
    guint seams = (guint)bands->sections * bands->buffers->len;

    find_memory(bands);
    for (guint i = 0; i < seams; i++)
        bands->seams[i].made = bands->seams[i].start;
    if (bands->threads == 1)
        run_section(bands, 0, 0);
    else
        ae_pool_run(bands->pool, run_section, bands, bands->sections);
}
