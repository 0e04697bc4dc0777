/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of a plan. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* Allocates one arena for all values, packed weights and what steps keep from
 * forward to backward, and scratch for each thread. Without gradients, values
 * whose lifetimes do not meet use the same memory. With gradients, each value
 * and each gradient has its own memory. If the plan runs in bands, the arena
 * holds its input and output alone, and the bands allocate the rest.
 * AE_ERROR_MEMORY. */
gboolean ae_plan_allocate(AePlan *plan, GError **error);

G_END_DECLS
