/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much noise there is in what a picture is summed up to, such as the means
 * of places, told from motion by how these change from frame to frame.
 *
 * A step is such a change. Of two in turn, a after b, noise alone gives
 * (a - b)^2 / 3 and (a + b)^2 the same variance, that of a. What changes
 * steadily, as a fade does, cancels in the first, and makes the second larger
 * than it; so does most motion. A low quantile of many places leaves out what
 * moves in some of them. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

#define AE_STEPS_BINS 256

/* How many steps are how large; zeros: none yet. */
typedef struct {
    uint32_t steady[AE_STEPS_BINS], changed[AE_STEPS_BINS];
} AeSteps;

/* The steps of a place, @b before @a, whose variance was expected to be
 * @expected. */
void ae_steps_add(AeSteps *steps, float a, float b, float expected);
void ae_steps_merge(AeSteps *steps, const AeSteps *others);

/* How often as much noise as expected there is, at most: the less the more
 * seems to move. 0: from too few places to tell. */
float ae_steps_noise(const AeSteps *steps);

G_END_DECLS
