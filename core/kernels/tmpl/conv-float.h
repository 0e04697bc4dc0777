/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of floats, for conv-panel.h. */

ALWAYS_INLINE W(Vector)
    W(multiply_add)(W(Vector) sum, const float *in, W(Vector) w)
{
    return sum + *in * w;
}
