/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of a plan: see memory.h. */
#include "plan/memory.h"

#include "base/error.h"
#include "plan/bands-run.h"
#include "plan/bands.h"

#define ALIGN_FLOATS (AE_ALIGN / (int)sizeof(float))

typedef struct {
    AePlanValue *value;
    size_t size, offset;
    int first, last; /* lifetime: the steps between which it is kept */
} Block;

static size_t rounded(size_t n)
{
    return (n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

/* Extends the lifetime of the buffer of @operand to @step. */
static void touch(AePlan *plan, GHashTable *blocks, AeOperand *operand,
                  int step)
{
    AePlanValue *value = ae_plan_root(plan, ae_plan_value(operand));

    if (value->operand.constant || value->operand.trainable || value->carried)
        return;
    Block *block = g_hash_table_lookup(blocks, value);
    if (block == NULL) {
        block = g_new0(Block, 1);
        block->value = value;
        block->size = rounded((size_t)ae_operand_floats(&value->operand));
        block->first = step;
        g_hash_table_insert(blocks, value, block);
    }
    block->last = MAX(block->last, step);
}

static GHashTable *collect_blocks(AePlan *plan)
{
    GHashTable *blocks =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    int n = (int)plan->steps->len;

    for (int i = 0; i < plan->n_inputs; i++)
        touch(plan, blocks, &plan->values[plan->inputs[i]].operand, -1);
    for (int i = 0; plan->bands == NULL && i < n; i++) {
        const AeStep *step = ae_plan_step(plan, i);
        for (int j = 0; j < step->n_in; j++)
            if (step->in[j] != NULL)
                touch(plan, blocks, step->in[j], i);
        if (step->residual != NULL)
            touch(plan, blocks, step->residual, i);
        for (int j = 0; j < step->n_out; j++)
            if (step->out[j] != NULL)
                touch(plan, blocks, step->out[j], i);
    }
    for (int i = 0; i < plan->n_outputs; i++)
        touch(plan, blocks, &plan->values[plan->outputs[i]].operand, n);
    return blocks;
}

static int by_size(const void *a, const void *b)
{
    const Block *x = *(Block *const *)a, *y = *(Block *const *)b;

    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return x->first - y->first;
}

/* Keeps @placed in the order of offsets. */
static void insert(GPtrArray *placed, Block *block)
{
    guint i = 0;

    while (i < placed->len &&
           ((const Block *)g_ptr_array_index(placed, i))->offset <=
               block->offset)
        i++;
    g_ptr_array_insert(placed, (int)i, block);
}

/* Gives @block the lowest offset where it overlaps no placed block; with
 * @reuse, blocks whose lifetimes do not meet may overlap. */
static void place(GPtrArray *placed, Block *block, gboolean reuse)
{
    size_t offset = 0;

    for (guint i = 0; i < placed->len; i++) {
        const Block *other = g_ptr_array_index(placed, i);
        gboolean meet = !reuse || (block->first <= other->last &&
                                   other->first <= block->last);
        if (!meet || other->offset + other->size <= offset)
            continue;
        if (other->offset >= offset + block->size)
            break;
        offset = other->offset + other->size;
    }
    block->offset = offset;
    insert(placed, block);
}

static GPtrArray *place_blocks(GHashTable *blocks, gboolean reuse, size_t *size)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    GPtrArray *placed = g_ptr_array_new();
    GHashTableIter iter;
    void *block;

    g_hash_table_iter_init(&iter, blocks);
    while (g_hash_table_iter_next(&iter, NULL, &block))
        g_ptr_array_add(order, block);
    g_ptr_array_sort(order, by_size);
    *size = 0;
    for (guint i = 0; i < order->len; i++) {
        Block *next = g_ptr_array_index(order, i);
        place(placed, next, reuse);
        *size = MAX(*size, next->offset + next->size);
    }
    return placed;
}

/* Places the memory that steps own behind @offset and returns its end. Until
 * there is an arena, pointers hold offsets. */
static size_t place_steps(AePlan *plan, size_t offset)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = ae_plan_step(plan, i);
        step->packed = GSIZE_TO_POINTER(offset);
        offset += rounded(step->packed_size);
        step->saved = GSIZE_TO_POINTER(offset);
        if (plan->gradients)
            offset += rounded(step->saved_size);
    }
    return offset;
}

static size_t scratch_size(const AePlan *plan)
{
    size_t size = 0;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);
        size = MAX(size, step->scratch);
        if (plan->gradients)
            size = MAX(size, step->scratch_backward);
    }
    return rounded(size);
}

/* Values point into the arena; gradients lie @grad_offset floats behind them.
 */
static void give_data(AePlan *plan, GPtrArray *placed, size_t grad_offset)
{
    for (guint i = 0; i < placed->len; i++) {
        const Block *block = g_ptr_array_index(placed, i);
        AeOperand *operand = &block->value->operand;
        operand->data = plan->arena + block->offset;
        if (block->value->needs_grad)
            operand->grad = plan->arena + grad_offset + block->offset;
    }
    for (int i = 0; i < plan->n_values; i++) {
        AePlanValue *value = &plan->values[i];
        const AePlanValue *root = ae_plan_root(plan, value);
        value->operand.data = root->operand.data;
        value->operand.grad = root->operand.grad;
    }
}

gboolean ae_plan_allocate(AePlan *plan, GError **error)
{
    g_autoptr(GHashTable) blocks = collect_blocks(plan);
    size_t values_size, steps_offset;
    g_autoptr(GPtrArray) placed = place_blocks(
        blocks, !plan->gradients && plan->bands == NULL, &values_size);
    size_t threads = (size_t)ae_plan_threads(plan);

    steps_offset = plan->gradients ? 2 * values_size : values_size;
    plan->arena_size = place_steps(plan, steps_offset);
    plan->scratch_size = scratch_size(plan);
    plan->arena = ae_alloc_floats(plan->arena_size);
    plan->scratch = ae_alloc_floats(threads * plan->scratch_size);
    if (plan->arena == NULL || plan->scratch == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "no memory for the %zu MB that this model and size need",
                    plan->arena_size * sizeof(float) >> 20);
        return FALSE;
    }
    give_data(plan, placed, values_size);
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = ae_plan_step(plan, i);
        step->packed = plan->arena + GPOINTER_TO_SIZE(step->packed);
        step->saved = plan->gradients && step->saved_size > 0
                          ? plan->arena + GPOINTER_TO_SIZE(step->saved)
                          : NULL;
    }
    if (plan->bands != NULL && !ae_bands_allocate(plan)) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "no memory for the %zu MB that bands of rows need",
                    ae_bands_memory(plan->bands) >> 20);
        return FALSE;
    }
    return TRUE;
}
