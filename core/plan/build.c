/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes plans. Everything that can fail happens here, in this order: find the
 * nodes that the outputs need; make a step for each, plan it, and compute it at
 * once if it depends on constants alone; fuse steps; quantise; choose bands;
 * allocate memory. */
#include <string.h>

#include "base/error.h"
#include "plan/bands.h"
#include "plan/fuse.h"
#include "plan/margins.h"
#include "plan/memory.h"
#include "plan/plan.h"
#include "plan/quantize.h"
#include "plan/value.h"

/* The most floats of constants that folding may make: 1 GiB. */
#define MAX_FOLDED (1 << 28)

/* Plans with less work than this, in multiply-adds, run in one thread: starting
 * a second one costs more than it saves. */
#define MIN_THREADED (1 << 21)

static void values_init(AePlan *plan)
{
    int64_t weight = 0;

    plan->n_values = (int)plan->model->values->len;
    plan->values = g_new0(AePlanValue, plan->n_values + 1);
    for (int i = 0; i < plan->n_values; i++) {
        const AeValue *source = ae_model_value(plan->model, i);
        AePlanValue *value = &plan->values[i];
        value->alias = i;
        value->weight = -1;
        value->operand.name = source->name;
        if (source->constant == NULL)
            continue;
        ae_operand_set_contents(&value->operand, source->constant);
        value->made = TRUE;
        value->operand.trainable = plan->gradients && source->trainable;
        value->operand.constant = !value->operand.trainable;
        value->needs_grad = value->operand.trainable;
        if (source->trainable) {
            value->weight = weight;
            weight += ae_shape_elements(&source->constant->shape);
        }
    }
}

/* The indices of the values @names, or of the model's @defaults. */
static gboolean find_values(AePlan *plan, const char *const *names, int n,
                            const GArray *defaults, int **values, int *count,
                            GError **error)
{
    *count = names != NULL ? n : (int)defaults->len;
    *values = g_new0(int, *count + 1);
    for (int i = 0; i < *count; i++) {
        (*values)[i] = names != NULL ? ae_model_find(plan->model, names[i])
                                     : g_array_index(defaults, int, i);
        if ((*values)[i] >= 0)
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the model has no value named '%s'", names[i]);
        return FALSE;
    }
    return TRUE;
}

/* Checks the shape that the caller gives against the one that the model
 * declares. */
static gboolean check_input(const AeValue *value, const AeShape *given,
                            GError **error)
{
    gboolean fits = !value->has_shape || value->shape.rank == given->rank;
    int64_t count;

    for (int i = 0; fits && value->has_shape && i < given->rank; i++)
        fits = value->shape.dim[i] == AE_UNKNOWN ||
               value->shape.dim[i] == given->dim[i];
    if (!fits) {
        g_autofree char *wants = ae_shape_to_string(&value->shape);
        g_autofree char *gets = ae_shape_to_string(given);
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "input '%s' of the model is %s, not %s", value->name, wants,
                    gets);
    }
    return fits && ae_shape_count(given, &count, error);
}

static gboolean set_inputs(AePlan *plan, const AePlanOptions *options,
                           GError **error)
{
    if (plan->n_inputs != options->n_inputs) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model has %d inputs, but %d shapes were given",
                    plan->n_inputs, options->n_inputs);
        return FALSE;
    }
    for (int i = 0; i < plan->n_inputs; i++) {
        AePlanValue *value = &plan->values[plan->inputs[i]];
        const AeValue *source = ae_model_value(plan->model, plan->inputs[i]);
        if (source->constant != NULL || value->fed) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "the value '%s' of the model is %s and cannot be fed",
                        source->name, value->fed ? "fed twice" : "a constant");
            return FALSE;
        }
        if (!check_input(source, &options->shapes[i], error))
            return FALSE;
        value->fed = value->made = TRUE;
        value->needs_grad = options->input_gradients;
        value->operand.shape = options->shapes[i];
        ae_shape_strides(&options->shapes[i], value->operand.stride);
    }
    return TRUE;
}

static AePlanValue *node_value(AePlan *plan, const GArray *list, guint i)
{
    int value = g_array_index(list, int, i);

    return value < 0 ? NULL : &plan->values[value];
}

/* Marks the nodes that the outputs depend on, and counts how often each value
 * is read. */
static gboolean *mark_needed(AePlan *plan)
{
    const GPtrArray *nodes = plan->model->nodes;
    gboolean *needed = g_new0(gboolean, nodes->len + 1);

    for (int i = 0; i < plan->n_outputs; i++) {
        plan->values[plan->outputs[i]].delivered = TRUE;
        plan->values[plan->outputs[i]].uses++;
    }
    for (guint i = nodes->len; i-- > 0;) {
        const AeNode *node = g_ptr_array_index(nodes, i);
        for (guint j = 0; j < node->outputs->len; j++) {
            AePlanValue *out = node_value(plan, node->outputs, j);
            needed[i] |= out != NULL && out->uses > 0 && !out->fed;
        }
        for (guint j = 0; needed[i] && j < node->inputs->len; j++) {
            AePlanValue *in = node_value(plan, node->inputs, j);
            if (in != NULL)
                in->uses++;
        }
    }
    return needed;
}

static AeOperand **operands(AePlan *plan, const GArray *list)
{
    AeOperand **result = g_new0(AeOperand *, list->len + 1);

    for (guint i = 0; i < list->len; i++)
        result[i] = (AeOperand *)node_value(plan, list, i);
    return result;
}

static void step_free(void *data)
{
    AeStep *step = data;

    g_free(step->in);
    g_free(step->out);
    g_free(step->params);
    ae_free(step->table);
    g_free(step->accumulate);
    g_free(step);
}

/* Whether a step need not make its output @i: it is fed, or nothing reads it.
 */
static gboolean is_left_out(AeOperand *output, int i)
{
    const AePlanValue *value = ae_plan_value(output);

    return value->fed || (i > 0 && value->uses == 0);
}

static AeStep *step_new(AePlan *plan, const AeNode *node)
{
    AeStep *step = g_new0(AeStep, 1);

    step->op = node->op;
    step->node = node;
    step->kernels = plan->kernels;
    step->opset = plan->model->opset;
    step->n_in = (int)node->inputs->len;
    step->n_out = (int)node->outputs->len;
    step->in = operands(plan, node->inputs);
    step->out = operands(plan, node->outputs);
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL && is_left_out(step->out[i], i))
            step->out[i] = NULL;
    step->gradients = plan->gradients;
    step->units = 1;
    return step;
}

/* Checks that the inputs of @step are known, and marks its outputs so. */
static gboolean check_made(const AeStep *step, GError **error)
{
    for (int i = 0; i < step->n_in; i++)
        if (step->in[i] != NULL && !ae_plan_value(step->in[i])->made)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "input '%s' is neither fed nor computed",
                                step->in[i]->name);
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL)
            ae_plan_value(step->out[i])->made = TRUE;
    return TRUE;
}

static gboolean can_fold(const AeStep *step)
{
    gboolean fold = step->op->fold != AE_FOLD_NEVER;

    for (int i = 0; i < step->n_in; i++)
        fold &= step->op->fold == AE_FOLD_SHAPES || step->in[i] == NULL ||
                step->in[i]->constant;
    return fold;
}

static gboolean allocate_folded(AePlan *plan, AeStep *step, GError **error)
{
    for (int i = 0; i < step->n_out; i++) {
        AeOperand *out = step->out[i];
        if (out == NULL)
            continue;
        plan->folded += ae_shape_elements(&out->shape);
        if (plan->folded > MAX_FOLDED)
            return ae_step_fail(step, error, AE_ERROR_MEMORY,
                                "the constants that planning computes would "
                                "take more than %d floats",
                                MAX_FOLDED);
        AeTensor *tensor = ae_tensor_new(&out->shape, error);
        if (tensor == NULL)
            return FALSE;
        g_ptr_array_add(plan->tensors, tensor);
        out->data = tensor->data;
        out->constant = TRUE;
    }
    return TRUE;
}

/* Computes a step whose inputs are all constants. */
static gboolean fold(AePlan *plan, AeStep *step, GError **error)
{
    if (step->alias) {
        step->out[0]->data = step->in[0]->data;
        step->out[0]->constant = TRUE;
        return TRUE;
    }
    if (!allocate_folded(plan, step, error))
        return FALSE;
    float *scratch = ae_alloc_floats(step->scratch);
    step->packed = ae_alloc_floats(step->packed_size);
    gboolean ready = scratch != NULL && step->packed != NULL;
    if (!ready)
        ae_step_fail(step, error, AE_ERROR_MEMORY, "out of memory");
    if (ready && step->op->prepare != NULL)
        step->op->prepare(step, scratch);
    if (ready && step->units > 0)
        step->op->forward(step, 0, step->units, scratch);
    ae_free(scratch);
    ae_free(step->packed);
    return ready;
}

static gboolean propagate_gradient(AeStep *step, GError **error)
{
    gboolean needs = FALSE;

    for (int i = 0; i < step->n_in; i++)
        needs |= step->in[i] != NULL && ae_plan_value(step->in[i])->needs_grad;
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL)
            ae_plan_value(step->out[i])->needs_grad = needs;
    if (needs && step->op->backward == NULL && !step->alias)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "cannot be trained through");
    return TRUE;
}

/* Plans @step, and computes it or adds it to the plan, which then owns it. */
static gboolean add_step(AePlan *plan, AeStep *step, GError **error)
{
    if (!check_made(step, error) || !step->op->plan(step, error))
        return FALSE;
    if (can_fold(step)) {
        gboolean folded = fold(plan, step, error);
        if (folded)
            step_free(step);
        return folded;
    }
    if (step->alias)
        ae_plan_value(step->out[0])->alias =
            (int)(ae_plan_value(step->in[0]) - plan->values);
    if (plan->gradients && !propagate_gradient(step, error))
        return FALSE;
    g_ptr_array_add(plan->steps, step);
    return TRUE;
}

static gboolean make_steps(AePlan *plan, GError **error)
{
    const GPtrArray *nodes = plan->model->nodes;
    g_autofree gboolean *needed = mark_needed(plan);

    for (guint i = 0; i < nodes->len; i++) {
        if (!needed[i])
            continue;
        AeStep *step = step_new(plan, g_ptr_array_index(nodes, i));
        if (!add_step(plan, step, error)) {
            step_free(step);
            return FALSE;
        }
    }
    for (int i = 0; i < plan->n_outputs; i++) {
        const AePlanValue *value = &plan->values[plan->outputs[i]];
        if (value->made)
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "nothing computes the value '%s'", value->operand.name);
        return FALSE;
    }
    return TRUE;
}

/* Whether @root is the memory of one output alone, made in each run. */
static gboolean is_own_output(const AePlan *plan, AePlanValue *root)
{
    int outputs = 0;

    for (int i = 0; i < plan->n_outputs; i++)
        outputs += ae_plan_root(plan, &plan->values[plan->outputs[i]]) == root;
    return outputs == 1 && !root->fed && !root->operand.constant;
}

static gboolean set_carries(AePlan *plan, const AePlanOptions *options,
                            GError **error)
{
    plan->n_carries = options->n_carries;
    plan->carries = g_new0(AePlanCarry, plan->n_carries + 1);
    for (int i = 0; i < plan->n_carries; i++) {
        const AeCarry *carry = &options->carries[i];
        AePlanValue *in = &plan->values[plan->inputs[carry->input]];
        AePlanValue *out = &plan->values[plan->outputs[carry->output]];
        AePlanValue *root = ae_plan_root(plan, out);

        if (!ae_shape_equal(&in->operand.shape, &out->operand.shape)) {
            g_autofree char *is = ae_shape_to_string(&out->operand.shape);
            g_autofree char *was = ae_shape_to_string(&in->operand.shape);

            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "the state '%s' is %s, but '%s', which becomes it, is "
                        "%s",
                        in->operand.name, was, out->operand.name, is);
            return FALSE;
        }
        plan->carries[i] = (AePlanCarry){carry->input, carry->output,
                                         is_own_output(plan, root)};
        in->carried = TRUE;
        root->carried |= plan->carries[i].in_place;
    }
    return TRUE;
}

/* Decides for each input of each step whether backward overwrites its gradient
 * or adds to it. Backward goes from the last step to the first; what writes a
 * gradient first overwrites it. Gradients of weights are always added to. */
static void order_gradients(AePlan *plan)
{
    g_autoptr(GHashTable) begun = g_hash_table_new(NULL, NULL);

    for (int i = 0; i < plan->n_outputs; i++)
        g_hash_table_add(begun, plan->values[plan->outputs[i]].operand.grad);
    for (guint i = plan->steps->len; i-- > 0;) {
        AeStep *step = ae_plan_step(plan, i);
        step->accumulate = g_new0(gboolean, step->n_in + 1);
        for (int j = 0; j < step->n_in; j++) {
            AeOperand *in = step->in[j];
            if (in == NULL || step->alias)
                continue;
            step->accumulate[j] =
                ae_plan_root(plan, ae_plan_value(in))->operand.trainable ||
                (in->grad != NULL && !g_hash_table_add(begun, in->grad));
        }
    }
}

static gboolean is_small(const AePlan *plan)
{
    double cost = 0;

    for (guint i = 0; i < plan->steps->len; i++)
        cost += ae_step_cost(ae_plan_step(plan, i));
    return cost < MIN_THREADED;
}

static gboolean build(AePlan *plan, const AePlanOptions *options,
                      GError **error)
{
    const AeModel *model = plan->model;

    values_init(plan);
    if (!find_values(plan, options->inputs, options->n_inputs, model->inputs,
                     &plan->inputs, &plan->n_inputs, error) ||
        !find_values(plan, options->outputs, options->n_outputs, model->outputs,
                     &plan->outputs, &plan->n_outputs, error) ||
        !set_inputs(plan, options, error))
        return FALSE;
    if (!make_steps(plan, error) || !set_carries(plan, options, error))
        return FALSE;
    ae_plan_fuse(plan);
    if (options->precision != AE_PRECISION_FP32 && !plan->gradients &&
        !ae_plan_quantize(plan, options->precision == AE_PRECISION_INT8, error))
        return FALSE;
    ae_plan_set_margins(plan);
    if (options->band_rows == 0 && is_small(plan))
        plan->pool = NULL;
    if (!plan->gradients && options->band_rows >= 0)
        plan->bands = ae_bands_new(plan, options->band_rows);
    if (!ae_plan_allocate(plan, error))
        return FALSE;
    if (plan->gradients)
        order_gradients(plan);
    plan->weights_changed = TRUE;
    return TRUE;
}

AePlan *ae_plan_new(AeModel *model, const AePlanOptions *options,
                    GError **error)
{
    AePlan *plan = g_new0(AePlan, 1);

    plan->model = ae_model_ref(model);
    plan->pool = options->pool;
    plan->kernels = ae_kernels_get();
    plan->gradients = options->gradients;
    plan->steps = g_ptr_array_new_with_free_func(step_free);
    plan->tensors =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);
    plan->extra = g_ptr_array_new_with_free_func(g_free);
    if (!build(plan, options, error)) {
        ae_plan_free(plan);
        return NULL;
    }
    return plan;
}

void ae_plan_free(AePlan *plan)
{
    if (plan == NULL)
        return;
    ae_bands_free(plan->bands);
    g_ptr_array_unref(plan->steps);
    g_ptr_array_unref(plan->tensors);
    g_ptr_array_unref(plan->extra);
    g_free(plan->inputs);
    g_free(plan->outputs);
    g_free(plan->carries);
    g_free(plan->values);
    ae_free(plan->arena);
    ae_free(plan->scratch);
    ae_model_unref(plan->model);
    g_free(plan);
}
