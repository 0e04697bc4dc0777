/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Margins: zeros before and after each row of an image in memory. A padded
 * convolution can read rows with margins in place; rows without them it has to
 * copy first. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* Gives margins to values between convolutions, as wide as the padding of their
 * readers. The step that makes a row writes its margins. */
void ae_plan_set_margins(AePlan *plan);

G_END_DECLS
