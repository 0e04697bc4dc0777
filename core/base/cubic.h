/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cubic convolution: R. G. Keys, "Cubic convolution interpolation for digital
 * image processing", IEEE TASSP 29(6), 1981. */
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

/* Weight of a sample at distance @x (in samples); @a is the kernel's slope at
 * distance 1: -0.5 in the paper, -0.75 in ONNX's Resize. Equations 4 and 5. */
static inline double ae_cubic_weight(double a, double x)
{
    x = fabs(x);
    if (x <= 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

G_END_DECLS
