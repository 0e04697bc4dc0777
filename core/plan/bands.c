/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which plans run in bands, the windows of their values, and how large these
 * and the bands are. */
#include <unistd.h>

#include "plan/bands.h"

/* Of the input, in a band. */
enum { LEAST_ROWS = 8, MOST_ROWS = 128 };

/* What planning learns: rows of a window, at most. */
typedef struct {
    int64_t *live, *kept; /* in use, to be moved */
} Measure;

static int window_of(const AePlan *plan, AeBands *bands, AeOperand *operand)
{
    AePlanValue *value = ae_plan_root(plan, ae_plan_value(operand));
    const AeShape *shape = &value->operand.shape;
    AeWindow window = {.value = value,
                       .maker = -1,
                       .readers = {G_MAXINT, -1},
                       .height = shape->dim[2],
                       .row = ae_operand_row(&value->operand)};

    for (guint i = 0; i < bands->windows->len; i++)
        if (ae_bands_window(bands, (int)i)->value == value)
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

static void add_reader(AeBands *bands, int window, int stage)
{
    int *readers;

    if (window < 0)
        return;
    readers = ae_bands_window(bands, window)->readers;
    readers[0] = MIN(readers[0], stage);
    readers[1] = MAX(readers[1], stage);
}

static void add_stage(const AePlan *plan, AeBands *bands, const AeStep *step)
{
    AeStage stage = {.step = step, .residual = -1, .n_in = step->n_in};

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
    ae_bands_window(bands, stage.out)->maker = (int)bands->stages->len;
    add_reader(bands, stage.residual, (int)bands->stages->len);
    for (int i = 0; i < stage.n_in; i++)
        add_reader(bands, stage.in[i], (int)bands->stages->len);
    g_array_append_val(bands->stages, stage);
}

/* TRUE if @stage finds the rows of window @i one by one, or does not see it. */
static gboolean takes_ring(const AeStage *stage, int i)
{
    for (int j = 1; j < stage->n_in; j++)
        if (stage->in[j] == i)
            return FALSE;
    return stage->step->op->margins ||
           (stage->out != i && stage->residual != i &&
            (stage->n_in == 0 || stage->in[0] != i));
}

static void find_rings(AeBands *bands)
{
    for (guint i = 0; i < bands->windows->len; i++) {
        AeWindow *window = ae_bands_window(bands, (int)i);

        window->ring = !window->whole;
        for (guint j = 0; j < bands->stages->len; j++)
            window->ring &= takes_ring(ae_bands_stage(bands, (int)j), (int)i);
    }
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
    ae_bands_window(bands, AE_BANDS_INPUT)->whole =
        ae_bands_window(bands, AE_BANDS_OUTPUT)->whole = TRUE;
    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = g_ptr_array_index(plan->steps, i);

        if (!step->alias)
            add_stage(plan, bands, step);
    }
    find_rings(bands);
    return TRUE;
}

static void measure_stage(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const Measure *measure = walk->data;
    const AeSpan *span = &walk->spans[stage->out];
    const int64_t keep = ae_walk_keep(walk, stage->out);
    int64_t *live = &measure->live[stage->out];
    int64_t *kept = &measure->kept[stage->out];

    *live = MAX(*live, end - keep);
    *kept = MAX(*kept, span->done - keep);
}

/* Sets capacities and offsets; the rows in use at once, in floats. */
static size_t place_windows(AeBands *bands, const Measure *measure)
{
    size_t live = 0;

    bands->size = 0;
    for (guint i = 0; i < bands->windows->len; i++) {
        AeWindow *window = ae_bands_window(bands, (int)i);

        if (window->whole) {
            live += (size_t)(bands->rows * window->row);
            continue;
        }
        window->capacity = measure->live[i];
        if (!window->ring)
            window->capacity =
                MIN(window->capacity + measure->kept[i], window->height);
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
    g_autofree AeSpan *spans = g_new0(AeSpan, n);
    g_autofree int64_t *counts = g_new0(int64_t, 2 * n);
    Measure result = {.live = counts, .kept = counts + n};
    AeWalk walk = {.bands = bands,
                   .spans = spans,
                   .advance = measure_stage,
                   .data = &result,
                   .rehearsal = TRUE};

    bands->rows = rows;
    for (int i = 0; i < bands->shares; i++)
        ae_walk_share(&walk, i);
    return place_windows(bands, &result);
}

static size_t half_cache(void)
{
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);

    return bytes > 0 ? (size_t)bytes / 2 / sizeof(float) : 1 << 17;
}

/* TRUE if bands of @rows, each of which reads all weights anew, make fewer
 * floats than there are weights. */
static gboolean weights_outweigh(const AeBands *bands, int64_t rows)
{
    const int64_t height = ae_bands_window(bands, AE_BANDS_INPUT)->height;
    int64_t floats = 0;

    for (guint i = 0; i < bands->windows->len; i++) {
        const AeWindow *window = ae_bands_window(bands, (int)i);

        floats += MAX(rows * window->height / height, 1) * window->row;
    }
    for (guint i = 0; i < bands->stages->len; i++)
        floats -= (int64_t)ae_bands_stage(bands, (int)i)->step->packed_size;
    return floats < 0;
}

/* The largest band whose windows the cache can hold, if any; otherwise the
 * smallest, or twice that if the weights outweigh it. */
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
    bands->windows = g_array_new(FALSE, FALSE, sizeof(AeWindow));
    bands->stages = g_array_new(FALSE, FALSE, sizeof(AeStage));
    if (!add_stages(plan, bands)) {
        ae_bands_free(bands);
        return NULL;
    }
    ae_bands_deal(bands);
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
    g_array_unref(bands->windows);
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
