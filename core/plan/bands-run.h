/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bands (bands.h): the memory of buffers and seams, and the run. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* Gives plan->bands its memory, after the plan's input, output, weights and
 * scratch have theirs. FALSE if there is not enough. */
gboolean ae_bands_allocate(AePlan *plan);
void ae_bands_free_memory(AeBands *bands);

/* Runs all sections, in the threads of the plan's pool. */
void ae_bands_run(AePlan *plan);

G_END_DECLS
