/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State has two buffers for each carried value, which change places: the plan's
 * input is the one, its output the other. Where the output is no memory of its
 * own (it is an input that passes through, a constant, or delivered twice), it
 * is copied. */
#include "plan/state.h"

#include <string.h>

#include "base/error.h"
#include "plan/value.h"

typedef struct {
    float *now, *next;
    size_t size; /* floats */
} Carried;

struct AeState {
    Carried *values; /* one for each of the plan's carries */
    int n;
};

static AePlanValue *input_root(const AePlan *plan, int i)
{
    return ae_plan_root(plan,
                        &plan->values[plan->inputs[plan->carries[i].input]]);
}

static AePlanValue *output_root(const AePlan *plan, int i)
{
    return ae_plan_root(plan,
                        &plan->values[plan->outputs[plan->carries[i].output]]);
}

AeState *ae_state_new(const AePlan *plan, GError **error)
{
    AeState *state = g_new0(AeState, 1);

    state->n = plan->n_carries;
    state->values = g_new0(Carried, state->n + 1);
    for (int i = 0; i < state->n; i++) {
        Carried *value = &state->values[i];

        value->size = (size_t)ae_operand_floats(&input_root(plan, i)->operand);
        value->now = ae_alloc_floats(value->size);
        value->next = ae_alloc_floats(value->size);
        if (value->now != NULL && value->next != NULL)
            continue;
        ae_state_free(state);
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is not enough memory for what the model remembers");
        return NULL;
    }
    return state;
}

void ae_state_free(AeState *state)
{
    if (state == NULL)
        return;
    for (int i = 0; i < state->n; i++) {
        ae_free(state->values[i].now);
        ae_free(state->values[i].next);
    }
    g_free(state->values);
    g_free(state);
}

void ae_state_reset(AeState *state)
{
    for (int i = 0; i < state->n; i++)
        memset(state->values[i].now, 0, state->values[i].size * sizeof(float));
}

/* Gives memory to @root and the values that share it. */
static void set_memory(const AePlan *plan, const AePlanValue *root,
                       float *memory)
{
    for (int i = 0; i < plan->n_values; i++)
        if (ae_plan_root(plan, &plan->values[i]) == root)
            plan->values[i].operand.data = memory;
}

void ae_plan_run_state(AePlan *plan, AeState *state)
{
    for (int i = 0; i < state->n; i++) {
        set_memory(plan, input_root(plan, i), state->values[i].now);
        if (plan->carries[i].in_place)
            set_memory(plan, output_root(plan, i), state->values[i].next);
    }
    ae_plan_run(plan);
    for (int i = 0; i < state->n; i++)
        if (!plan->carries[i].in_place)
            memcpy(state->values[i].next, output_root(plan, i)->operand.data,
                   state->values[i].size * sizeof(float));
}

void ae_state_advance(AeState *state)
{
    for (int i = 0; i < state->n; i++) {
        float *now = state->values[i].now;

        state->values[i].now = state->values[i].next;
        state->values[i].next = now;
    }
}
