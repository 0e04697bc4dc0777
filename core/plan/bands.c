/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which plans run in bands, what their stages and buffers are, and how many
 * rows bands and buffers have. */
#include "plan/bands.h"

#include <unistd.h>

#include "plan/bands-run.h"
#include "plan/bands-sections.h"
#include "plan/bands-walk.h"

/* The heights of bands to choose from: powers of two, in rows of the input. */
enum { LEAST_ROWS = 8, MOST_ROWS = 128 };

/* The largest numbers of rows that a walk finds in each buffer: those in use,
 * and those to be moved when a sliding buffer is full. */
typedef struct {
    int64_t *used, *moved;
} RowCounts;

/* The index of the buffer of @operand, which is added if it is new. */
static int buffer_of(const AePlan *plan, AeBands *bands, AeOperand *operand)
{
    AePlanValue *value = ae_plan_root(plan, ae_plan_value(operand));
    const AeShape *shape = &value->operand.shape;
    AeBandBuffer buffer = {.value = value,
                           .maker = -1,
                           .readers = {G_MAXINT, -1},
                           .height = shape->dim[2],
                           .row = ae_operand_row(&value->operand)};

    for (guint i = 0; i < bands->buffers->len; i++)
        if (ae_bands_buffer(bands, (int)i)->value == value)
            return (int)i;
    g_array_append_val(bands->buffers, buffer);
    return (int)bands->buffers->len - 1;
}

static gboolean is_image(const AeOperand *operand, const AeShape *like)
{
    return operand->shape.rank == 4 && operand->shape.dim[0] == like->dim[0];
}

/* TRUE if @step can make some rows of its output from some rows of its inputs.
 */
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

/* The buffer of @operand as an input of the next stage, or -1. */
static int input_of(const AePlan *plan, AeBands *bands, AeOperand *operand)
{
    const int stage = (int)bands->stages->len;
    int buffer, *readers;

    if (operand == NULL || operand->constant)
        return -1;
    buffer = buffer_of(plan, bands, operand);
    readers = ae_bands_buffer(bands, buffer)->readers;
    readers[0] = MIN(readers[0], stage);
    readers[1] = MAX(readers[1], stage);
    return buffer;
}

static void add_stage(const AePlan *plan, AeBands *bands, const AeStep *step)
{
    const AeShape *out = &step->out[0]->shape;
    AeStage stage = {.step = step, .n_in = 1 + step->n_in};

    stage.in = g_new(int, stage.n_in);
    for (int i = 0; i < step->n_in; i++)
        stage.in[1 + i] = input_of(plan, bands, step->in[i]);
    stage.in[0] = input_of(plan, bands, step->residual);
    stage.out = buffer_of(plan, bands, step->out[0]);
    stage.cost = ae_step_cost(step) / (double)(out->dim[0] * out->dim[2]);
    ae_bands_buffer(bands, stage.out)->maker = (int)bands->stages->len;
    g_array_append_val(bands->stages, stage);
}

/* TRUE if @stage can use buffer @i as a ring buffer, or does not use it. */
static gboolean takes_ring(const AeStage *stage, int i)
{
    for (int j = 2; j < stage->n_in; j++)
        if (stage->in[j] == i)
            return FALSE;
    return stage->step->op->margins || (stage->out != i && stage->in[0] != i &&
                                        (stage->n_in < 2 || stage->in[1] != i));
}

static void find_rings(AeBands *bands)
{
    for (guint i = 0; i < bands->buffers->len; i++) {
        AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

        buffer->ring = !buffer->whole;
        for (guint j = 0; j < bands->stages->len; j++)
            buffer->ring &= takes_ring(ae_bands_stage(bands, (int)j), (int)i);
    }
}

static gboolean can_band(const AePlan *plan)
{
    const AePlanValue *in, *out;

    if (plan->n_inputs == 0 || plan->n_outputs == 0 || plan->steps->len == 0)
        return FALSE;
    in = &plan->values[plan->inputs[0]];
    if (in->operand.shape.rank != 4 || in->needs_grad ||
        ae_shape_elements(&in->operand.shape) == 0)
        return FALSE;
    for (int i = 0; i < plan->n_outputs; i++) {
        out = &plan->values[plan->outputs[i]];
        if (!is_image(&out->operand, &in->operand.shape) ||
            out->operand.constant || out->operand.shape.dim[2] == 0)
            return FALSE;
    }
    for (guint i = 0; i < plan->steps->len; i++)
        if (!has_rows(ae_plan_step(plan, i)))
            return FALSE;
    return TRUE;
}

/* All inputs and outputs are whole images. Only one that a stage makes can be
 * the first output. */
static gboolean add_ends(const AePlan *plan, AeBands *bands)
{
    const int first[] = {plan->inputs[0], plan->outputs[0]};

    for (int i = 0; i < 2; i++)
        buffer_of(plan, bands, &plan->values[first[i]].operand);
    if (bands->buffers->len < 2 ||
        ae_bands_buffer(bands, AE_BANDS_OUTPUT)->value->fed)
        return FALSE;
    for (int i = 0; i < plan->n_inputs; i++)
        buffer_of(plan, bands, &plan->values[plan->inputs[i]].operand);
    for (int i = 0; i < plan->n_outputs; i++)
        buffer_of(plan, bands, &plan->values[plan->outputs[i]].operand);
    for (guint i = 0; i < bands->buffers->len; i++)
        ae_bands_buffer(bands, (int)i)->whole = TRUE;
    return TRUE;
}

static gboolean add_stages(AePlan *plan, AeBands *bands)
{
    bands->images = plan->values[plan->outputs[0]].operand.shape.dim[0];
    if (!add_ends(plan, bands))
        return FALSE;
    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);

        if (!step->alias)
            add_stage(plan, bands, step);
    }
    for (guint i = 0; i < bands->buffers->len; i++) {
        AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

        buffer->delivered = buffer->whole && buffer->maker >= 0;
    }
    find_rings(bands);
    return TRUE;
}

static void count_rows(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const RowCounts *counts = walk->data;
    const int64_t keep = ae_walk_keep(walk, stage->out);
    int64_t *used = &counts->used[stage->out];
    int64_t *moved = &counts->moved[stage->out];

    *used = MAX(*used, end - keep);
    *moved = MAX(*moved, walk->progress[stage->out].done - keep);
}

/* Sets capacities and offsets of buffers. Returns the floats in use at once,
 * with a band of the input and one of the output. */
static size_t place_buffers(AeBands *bands, const RowCounts *counts)
{
    size_t used = 0;

    bands->size = 0;
    for (guint i = 0; i < bands->buffers->len; i++) {
        AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

        if (buffer->whole) {
            used += (size_t)(bands->rows * buffer->row);
            continue;
        }
        buffer->capacity = counts->used[i];
        if (!buffer->ring)
            buffer->capacity =
                MIN(buffer->capacity + counts->moved[i], buffer->height);
        buffer->offset = bands->size;
        bands->size +=
            ((size_t)(buffer->capacity * buffer->row) + 15) / 16 * 16;
        used += (size_t)(counts->used[i] * buffer->row);
    }
    return used;
}

/* Walks through a run in bands of @rows without computing anything, and places
 * buffers accordingly. Returns what place_buffers() does. */
static size_t measure(AeBands *bands, int64_t rows)
{
    guint n = bands->buffers->len;
    g_autofree AeProgress *progress = g_new0(AeProgress, n);
    g_autofree int64_t *used = g_new0(int64_t, n), *moved = g_new0(int64_t, n);
    RowCounts counts = {used, moved};
    AeWalk walk = {.bands = bands,
                   .progress = progress,
                   .deliver = count_rows,
                   .data = &counts,
                   .planning = TRUE};

    bands->rows = rows;
    for (int i = 0; i < bands->sections; i++)
        ae_walk_section(&walk, i);
    return place_buffers(bands, &counts);
}

/* Half of the L2 cache, in floats. */
static size_t half_cache(void)
{
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);

    return bytes > 0 ? (size_t)bytes / 2 / sizeof(float) : 1 << 17;
}

/* TRUE if a band of @rows has fewer floats, in all buffers, than there are
 * weights. Each band reads all weights once. */
static gboolean weights_outweigh(const AeBands *bands, int64_t rows)
{
    const int64_t height = ae_bands_buffer(bands, AE_BANDS_INPUT)->height;
    int64_t floats = 0;

    for (guint i = 0; i < bands->buffers->len; i++) {
        const AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);

        floats += MAX(rows * buffer->height / height, 1) * buffer->row;
    }
    for (guint i = 0; i < bands->stages->len; i++)
        floats -= (int64_t)ae_bands_stage(bands, (int)i)->step->packed_size;
    return floats < 0;
}

/* Chooses the largest band whose buffers fit the cache, or the smallest if none
 * does: LEAST_ROWS, or twice as many if the weights outweigh LEAST_ROWS. */
static void choose_rows(AeBands *bands)
{
    int64_t rows = LEAST_ROWS << weights_outweigh(bands, LEAST_ROWS);
    gboolean fits = measure(bands, rows) <= half_cache();

    while (fits && rows < MOST_ROWS) {
        fits = measure(bands, 2 * rows) <= half_cache();
        rows = fits ? 2 * rows : rows;
    }
    if (bands->rows != rows)
        measure(bands, rows);
}

AeBands *ae_bands_new(AePlan *plan, int rows)
{
    if (!can_band(plan))
        return NULL;
    AeBands *bands = g_new0(AeBands, 1);
    bands->pool = plan->pool;
    bands->threads = ae_plan_threads(plan);
    bands->buffers = g_array_new(FALSE, FALSE, sizeof(AeBandBuffer));
    bands->stages = g_array_new(FALSE, FALSE, sizeof(AeStage));
    if (!add_stages(plan, bands)) {
        ae_bands_free(bands);
        return NULL;
    }
    ae_bands_deal_sections(bands);
    if (rows > 0)
        measure(bands, rows);
    else
        choose_rows(bands);
    return bands;
}

void ae_bands_free(AeBands *bands)
{
    if (bands == NULL)
        return;
    ae_bands_free_memory(bands);
    for (guint i = 0; i < bands->stages->len; i++)
        g_free(ae_bands_stage(bands, (int)i)->in);
    g_free(bands->begins);
    g_free(bands->seams);
    g_array_unref(bands->stages);
    g_array_unref(bands->buffers);
    g_free(bands);
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

gboolean ae_bands_input_rows(const AeBands *bands, int64_t row, int64_t *begin,
                             int64_t *end)
{
    g_autofree AeProgress *progress = g_new0(AeProgress, bands->buffers->len);
    AeWalk walk = {.bands = bands, .progress = progress};

    for (guint i = 0; i < bands->buffers->len; i++)
        if (i != AE_BANDS_OUTPUT && ae_bands_buffer(bands, (int)i)->delivered)
            return FALSE;
    ae_walk_starts(&walk, row);
    ae_walk_ends(&walk, row + 1);
    *begin = progress[AE_BANDS_INPUT].done;
    *end = progress[AE_BANDS_INPUT].need;
    return TRUE;
}
