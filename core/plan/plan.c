/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making and running a plan. The order of work: which nodes are needed; a step
 * for each, planned, and computed at once where it depends on constants alone;
 * fusing; buffers; packing of weights. */
#include "plan/plan.h"

#include <string.h>

#include "base/error.h"
#include "plan/private.h"
#include "base/random.h"

/* Floats of constants that folding may make: 1 GiB. */
#define MAX_FOLDED (1 << 28)

/* Work of a run below which a second thread costs more than it does. */
#define MIN_SHARED (1 << 21)

void ae_step_free(AeStep *step)
{
    if (step == NULL)
        return;
    g_free(step->in);
    g_free(step->out);
    g_free(step->params);
    g_free(step->accumulate);
    g_free(step);
}

static void step_destroy(void *step)
{
    ae_step_free(step);
}

static void tensor_destroy(void *tensor)
{
    ae_tensor_free(tensor);
}

static void set_contents(AeOperand *operand, const AeTensor *tensor)
{
    operand->shape = tensor->shape;
    ae_shape_strides(&tensor->shape, operand->stride);
    operand->integer = tensor->integer;
    operand->element = tensor->element;
    operand->data = tensor->data;
}

AeOperand *ae_plan_add_constant(AePlan *plan, const char *name,
                                AeTensor *tensor)
{
    AePlanValue *value = g_new0(AePlanValue, 1);

    g_ptr_array_add(plan->extra, value);
    g_ptr_array_add(plan->tensors, tensor);
    value->alias = -1;
    value->weight = -1;
    value->operand.name = name;
    value->operand.constant = TRUE;
    set_contents(&value->operand, tensor);
    return &value->operand;
}

static void init_values(AePlan *plan)
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
        set_contents(&value->operand, source->constant);
        value->operand.trainable = plan->gradients && source->trainable;
        value->operand.constant = !value->operand.trainable;
        value->needs_grad = value->operand.trainable;
        if (source->trainable) {
            value->weight = weight;
            weight += ae_shape_elements(&source->constant->shape);
        }
    }
}

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

/* The shape that the caller gives against the one that the model declares. */
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
        value->fed = TRUE;
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

/* Marks the nodes that the outputs depend on and counts the readers of each
 * value. */
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
        if (step->out[i] != NULL && ae_plan_value(step->out[i])->fed)
            step->out[i] = NULL;
    step->gradients = plan->gradients;
    step->units = 1;
    return step;
}

static gboolean check_made(const AePlan *plan, const AeStep *step,
                           const gboolean *made, GError **error)
{
    for (int i = 0; i < step->n_in; i++) {
        const AePlanValue *in = (AePlanValue *)step->in[i];
        if (in != NULL && !made[in - plan->values])
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "input '%s' is neither fed nor computed",
                                in->operand.name);
    }
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

/* A planned step joins the list, unless it is known already. */
static gboolean add_step(AePlan *plan, AeStep *step, GError **error)
{
    if (!step->op->plan(step, error))
        return FALSE;
    if (can_fold(step)) {
        gboolean folded = fold(plan, step, error);
        if (folded)
            ae_step_free(step);
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

/* The only node that reads the output of node @i, if it follows. */
static const AeNode *only_reader(AePlan *plan, guint i, const gboolean *needed,
                                 guint *index)
{
    const GPtrArray *nodes = plan->model->nodes;
    const AeNode *node = g_ptr_array_index(nodes, i);
    const AePlanValue *out = node_value(plan, node->outputs, 0);

    if (out == NULL || out->uses != 1 || out->delivered)
        return NULL;
    for (guint j = i + 1; j < nodes->len; j++) {
        const AeNode *reader = g_ptr_array_index(nodes, j);
        if (!needed[j] || reader->inputs->len == 0 ||
            node_value(plan, reader->inputs, 0) != out)
            continue;
        *index = j;
        return reader;
    }
    return NULL;
}

static void mark_made(const AePlan *plan, const AeStep *step, gboolean *made)
{
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL)
            made[ae_plan_value(step->out[i]) - plan->values] = TRUE;
}

static gboolean make_steps(AePlan *plan, gboolean *needed, GError **error)
{
    g_autofree gboolean *made = g_new0(gboolean, plan->n_values + 1);

    for (int i = 0; i < plan->n_values; i++)
        made[i] = plan->values[i].fed ||
                  ae_model_value(plan->model, i)->constant != NULL;
    for (guint i = 0; i < plan->model->nodes->len; i++) {
        guint norm = 0;
        if (!needed[i])
            continue;
        AeStep *step = step_new(plan, g_ptr_array_index(plan->model->nodes, i));
        if (!check_made(plan, step, made, error)) {
            ae_step_free(step);
            return FALSE;
        }
        if (ae_plan_fold_norm(plan, step, only_reader(plan, i, needed, &norm)))
            needed[norm] = FALSE;
        mark_made(plan, step, made);
        if (!add_step(plan, step, error)) {
            ae_step_free(step);
            return FALSE;
        }
    }
    for (int i = 0; i < plan->n_outputs; i++)
        if (!made[plan->outputs[i]]) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "nothing computes the value '%s'",
                        plan->values[plan->outputs[i]].operand.name);
            return FALSE;
        }
    return TRUE;
}

/* A weight, or one under another shape. */
static gboolean is_weight(const AePlan *plan, AeOperand *operand)
{
    return ae_plan_root(plan, ae_plan_value(operand))->operand.trainable;
}

/* From the last step back: whose contribution to a gradient comes first, and
 * which must therefore overwrite what is there. */
static void order_gradients(AePlan *plan)
{
    g_autoptr(GHashTable) begun = g_hash_table_new(NULL, NULL);

    for (int i = 0; i < plan->n_outputs; i++)
        g_hash_table_add(begun, plan->values[plan->outputs[i]].operand.grad);
    for (guint i = plan->steps->len; i-- > 0;) {
        AeStep *step = g_ptr_array_index(plan->steps, i);
        step->accumulate = g_new0(gboolean, step->n_in + 1);
        for (int j = 0; j < step->n_in; j++) {
            AeOperand *in = step->in[j];
            if (in == NULL || step->alias)
                continue;
            step->accumulate[j] =
                is_weight(plan, in) ||
                (in->grad != NULL && !g_hash_table_add(begun, in->grad));
        }
    }
}

double ae_step_cost(const AeStep *step)
{
    double cost = 0;

    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL)
            cost += 4 * (double)ae_shape_elements(&step->out[i]->shape);
    if (step->op->multiply_adds != NULL)
        cost += (double)step->op->multiply_adds(step);
    return cost;
}

static gboolean is_small(const AePlan *plan)
{
    double cost = 0;

    for (guint i = 0; i < plan->steps->len; i++)
        cost += ae_step_cost(g_ptr_array_index(plan->steps, i));
    return cost < MIN_SHARED;
}

static gboolean build(AePlan *plan, const AePlanOptions *options,
                      GError **error)
{
    const AeModel *model = plan->model;

    init_values(plan);
    if (!find_values(plan, options->inputs, options->n_inputs, model->inputs,
                     &plan->inputs, &plan->n_inputs, error) ||
        !find_values(plan, options->outputs, options->n_outputs, model->outputs,
                     &plan->outputs, &plan->n_outputs, error) ||
        !set_inputs(plan, options, error))
        return FALSE;
    g_autofree gboolean *needed = mark_needed(plan);
    if (!make_steps(plan, needed, error))
        return FALSE;
    ae_plan_fuse(plan);
    if (!ae_plan_quantize(plan, options->precision, error))
        return FALSE;
    ae_plan_set_margins(plan);
    if (options->band_rows == 0 && is_small(plan))
        plan->pool = NULL;
    if (!plan->gradients && options->band_rows >= 0)
        plan->bands = ae_bands_new(plan, options->band_rows);
    if (!ae_plan_assign_buffers(plan, error))
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
    plan->steps = g_ptr_array_new_with_free_func(step_destroy);
    plan->tensors = g_ptr_array_new_with_free_func(tensor_destroy);
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
    g_free(plan->values);
    ae_free(plan->arena);
    ae_free(plan->scratch);
    ae_model_unref(plan->model);
    g_free(plan);
}

float *ae_plan_input(AePlan *plan, int i)
{
    return plan->values[plan->inputs[i]].operand.data;
}

const float *ae_plan_output(const AePlan *plan, int i)
{
    return plan->values[plan->outputs[i]].operand.data;
}

const AeShape *ae_plan_input_shape(const AePlan *plan, int i)
{
    return &plan->values[plan->inputs[i]].operand.shape;
}

const AeShape *ae_plan_output_shape(const AePlan *plan, int i)
{
    return &plan->values[plan->outputs[i]].operand.shape;
}

void ae_plan_set_seed(AePlan *plan, uint64_t seed)
{
    plan->seed = seed;
}

void ae_plan_weights_changed(AePlan *plan)
{
    plan->weights_changed = TRUE;
}

static void prepare(AePlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = g_ptr_array_index(plan->steps, i);
        if (step->op->prepare != NULL)
            step->op->prepare(step, plan->scratch);
    }
    plan->weights_changed = FALSE;
}

typedef struct {
    const AePlan *plan;
    const AeStep *step;
    int64_t chunks;
} Work;

static void run_chunk(void *data, int64_t chunk, int thread)
{
    const Work *work = data;
    const AeStep *step = work->step;
    float *scratch =
        work->plan->scratch + (size_t)thread * work->plan->scratch_size;

    step->op->forward(step, step->units * chunk / work->chunks,
                      step->units * (chunk + 1) / work->chunks, scratch);
}

static void run_step(const AePlan *plan, const AeStep *step)
{
    int64_t threads = ae_plan_threads(plan);
    Work work = {plan, step, 1};

    if (step->alias || step->units == 0)
        return;
    if (threads == 1) {
        step->op->forward(step, 0, step->units, plan->scratch);
        return;
    }
    work.chunks = MIN(step->units, 4 * threads);
    ae_pool_run(plan->pool, run_chunk, &work, work.chunks);
}

void ae_plan_run(AePlan *plan)
{
    if (plan->weights_changed)
        prepare(plan);
    if (plan->bands != NULL) {
        ae_bands_run(plan);
        return;
    }
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = g_ptr_array_index(plan->steps, i);
        step->seed = ae_random_mix(plan->seed, i);
        run_step(plan, step);
    }
}

float *ae_plan_output_gradient(AePlan *plan, int i)
{
    return plan->values[plan->outputs[i]].operand.grad;
}

float *ae_plan_input_gradient(AePlan *plan, int i)
{
    return plan->values[plan->inputs[i]].operand.grad;
}

static void point_gradients(AePlan *plan, float *gradients)
{
    for (int i = 0; i < plan->n_values; i++) {
        AePlanValue *value = &plan->values[i];
        const AePlanValue *owner = value;
        while (owner->alias != owner - plan->values)
            owner = &plan->values[owner->alias];
        if (owner->operand.trainable)
            value->operand.grad = gradients + owner->weight;
    }
}

static gboolean has_gradient(const AeStep *step)
{
    for (int i = 0; i < step->n_out; i++)
        if (step->out[i] != NULL && step->out[i]->grad != NULL)
            return TRUE;
    return FALSE;
}

void ae_plan_backward(AePlan *plan, float *gradients)
{
    point_gradients(plan, gradients);
    for (guint i = plan->steps->len; i-- > 0;) {
        AeStep *step = g_ptr_array_index(plan->steps, i);
        if (step->alias || !has_gradient(step))
            continue;
        step->op->backward(step, plan->scratch);
    }
}

int64_t ae_plan_multiply_adds(const AePlan *plan)
{
    int64_t n = 0;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = g_ptr_array_index(plan->steps, i);
        if (step->op->multiply_adds != NULL)
            n += step->op->multiply_adds(step);
    }
    return n;
}

size_t ae_plan_memory(const AePlan *plan)
{
    size_t threads = (size_t)ae_plan_threads(plan);
    size_t bands = plan->bands != NULL ? ae_bands_memory(plan->bands) : 0;

    return (plan->arena_size + threads * plan->scratch_size) * sizeof(float) +
           bands;
}

int ae_plan_images(const AePlan *plan)
{
    int images = 1;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = g_ptr_array_index(plan->steps, i);
        images = MAX(images, step->images);
    }
    return images;
}

int ae_plan_band_rows(const AePlan *plan)
{
    return plan->bands != NULL ? ae_bands_rows(plan->bands) : 0;
}

static void describe_step(const AeStep *step, GString *text)
{
    static const char *const names[] = {"",       "+relu",    "+leaky",
                                        "+prelu", "+elu",     "+sigmoid",
                                        "+tanh",  "+softplus"};
    int i = 0;
    int64_t n =
        step->op->multiply_adds != NULL ? step->op->multiply_adds(step) : 0;

    while (step->out[i] == NULL)
        i++;
    g_autofree char *shape = ae_shape_to_string(&step->out[i]->shape);
    g_string_append_printf(text, "%-24s %s%s%s  %s  %" G_GINT64_FORMAT "\n",
                           step->node->name, step->op->name,
                           step->residual != NULL ? "+residual" : "",
                           names[step->activation], shape, n);
}

char *ae_plan_describe(const AePlan *plan)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->steps->len; i++)
        describe_step(g_ptr_array_index(plan->steps, i), text);
    return g_string_free(text, FALSE);
}
