/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spherical interpolation between codes: for paths.c and its tests. */
#pragma once

/* target = sin((1 - t) w) / sin w * a + sin(t w) / sin w * b, w the angle
 * between @a and @b (Shoemake, Animating rotation with quaternion curves,
 * 1985). Codes between two draws of a normal distribution are then as long as
 * the draws, unlike codes on the straight line. Where sin w is almost 0, the
 * straight line. Exactly @a at @t = 0 and @b at 1. @target may be @a or @b. */
void ae_path_slerp(float *target, const float *a, const float *b, int n,
                   double t);
