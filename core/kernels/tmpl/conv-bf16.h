/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of pairs of bf16, for conv-panel.h. */

ALWAYS_INLINE W(Vector)
    W(multiply_add)(W(Vector) sum, const float *in, W(Vector) w)
{
    int pair;

    memcpy(&pair, in, sizeof pair);
    return W(dot_pairs)(sum, (W(Pairs))((W(Mask)){0} + pair), (W(Pairs))w);
}
