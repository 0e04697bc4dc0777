/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of one instruction set. */
#include "kernels/simd.h"

const AeKernels NAME(kernels) = {
    .name = TEXT(AE_SUFFIX),
    .lanes = AE_LANES,
    .conv_packed = NAME(conv_packed),
    .conv_pack = NAME(conv_pack),
    .conv_row = NAME(conv_row),
    .conv_weights = NAME(conv_weights),
    .depthwise_row = NAME(depthwise_row),
    .depthwise_weights = NAME(depthwise_weights),
    .winograd_pack = NAME(winograd_pack),
    .winograd_input = NAME(winograd_input),
    .winograd_multiply = NAME(winograd_multiply),
    .winograd_output = NAME(winograd_output),
    .activate = NAME(activate),
    .activate_gradient = NAME(activate_gradient),
    .exp = NAME(exp),
    .log = NAME(log),
    .add = NAME(add),
    .maximum = NAME(maximum),
    .pass_maximum = NAME(pass_maximum),
    .adam = NAME(adam),
    .sum_squares = NAME(sum_squares),
    .peak = NAME(peak),
    .int8 = &NAME(int8),
};
