/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State: values that a plan makes in one run and reads in the next, such as
 * what a recurrent network remembers of past frames.
 *
 * A plan does not own its state. A state belongs to a stream; where one plan
 * serves several planes or fields, each has a state of its own. The plan reads
 * and writes the memory of the state in place. */
#pragma once

#include "plan/plan.h"

G_BEGIN_DECLS

typedef struct AeState AeState;

/* The state of a plan with options.carries, all zeros. AE_ERROR_MEMORY. */
AeState *ae_state_new(const AePlan *plan, GError **error);
void ae_state_free(AeState *state);

/* Sets the state to zeros: nothing has been seen yet. */
void ae_state_reset(AeState *state);

/* As ae_plan_run(), for a plan with options.carries, from @state. The next run
 * begins from the same state, unless ae_state_advance() is called. */
void ae_plan_run_state(AePlan *plan, AeState *state);

/* Takes over what the last run has made: the next one begins from it. */
void ae_state_advance(AeState *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeState, ae_state_free)

G_END_DECLS
