/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways through the space of codes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* target = sin((1 - t) w) / sin w * a + sin(t w) / sin w * b, w the angle
 * between @a and @b (Shoemake, Animating rotation with quaternion curves,
 * 1985): unlike those on a straight line, codes between two draws of a normal
 * distribution are then as long as these. Where sin w is almost 0, the straight
 * line. Exactly @a at @t = 0 and @b at 1. @target may be @a or @b. */
void ae_latent_slerp(float *target, const float *a, const float *b, int n,
                     double t);

/* Number @i of @n that lie evenly from @low to @high, both included; a single
 * one lies in the middle. */
float ae_latent_between(float low, float high, int i, int n);

G_END_DECLS
