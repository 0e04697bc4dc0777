/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs plans, and tells facts about them. */
#include "plan/plan.h"

#include "base/random.h"
#include "plan/bands-run.h"
#include "plan/bands.h"
#include "plan/value.h"

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

static void prepare(AePlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        AeStep *step = ae_plan_step(plan, i);
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
        AeStep *step = ae_plan_step(plan, i);
        step->seed = ae_random_mix(plan->seed, i);
        run_step(plan, step);
    }
}

int64_t ae_plan_multiply_adds(const AePlan *plan)
{
    int64_t n = 0;

    for (guint i = 0; i < plan->steps->len; i++) {
        const AeStep *step = ae_plan_step(plan, i);
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

int ae_plan_band_rows(const AePlan *plan)
{
    return plan->bands != NULL ? ae_bands_rows(plan->bands) : 0;
}

gboolean ae_plan_input_rows(const AePlan *plan, int64_t row, int64_t *begin,
                            int64_t *end)
{
    return plan->bands != NULL &&
           ae_bands_input_rows(plan->bands, row, begin, end);
}

static void describe_step(const AeStep *step, GString *text)
{
    static const char *const names[] = {
        [AE_ACTIVATION_NONE] = "",
        [AE_ACTIVATION_RELU] = "+relu",
        [AE_ACTIVATION_LEAKY_RELU] = "+leaky",
        [AE_ACTIVATION_PRELU] = "+prelu",
        [AE_ACTIVATION_ELU] = "+elu",
        [AE_ACTIVATION_SIGMOID] = "+sigmoid",
        [AE_ACTIVATION_TANH] = "+tanh",
        [AE_ACTIVATION_SOFTPLUS] = "+softplus",
    };
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
        describe_step(ae_plan_step(plan, i), text);
    return g_string_free(text, FALSE);
}
