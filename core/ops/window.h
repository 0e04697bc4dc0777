/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The geometry of the windows that convolutions and pooling slide over up to
 * three spatial axes: depth, height and width. A tensor with fewer axes has
 * size 1 along the first ones.
 *
 * Tap t of the window of output o lies at input
 *     o * stride - before + t * dilation.
 *
 * (Dumoulin and Visin, A guide to convolution arithmetic, 2016.) */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

enum { AE_WINDOW_AXES = 3 };

typedef enum {
    AE_AUTO_PAD_NOTSET, /* the attribute pads holds them */
    AE_AUTO_PAD_VALID,  /* none */
    /* As many as make ceil(input / stride) outputs; an odd one lies after the
     * input, or before it. */
    AE_AUTO_PAD_SAME_UPPER,
    AE_AUTO_PAD_SAME_LOWER,
} AeAutoPad;

typedef struct {
    int64_t kernel[AE_WINDOW_AXES]; /* taps */
    int64_t stride[AE_WINDOW_AXES], dilation[AE_WINDOW_AXES];
    int64_t before[AE_WINDOW_AXES], after[AE_WINDOW_AXES]; /* pads */
    AeAutoPad auto_pad;
} AeWindow;

/* Reads the attributes kernel_shape, strides, dilations, pads and auto_pad of
 * @step's node, whose input 0 has 1 to 3 spatial axes. kernel is 0 where
 * kernel_shape is left out; pads are 0 unless auto_pad is NOTSET. FALSE, with
 * the reason, for a wrong length, for a number below its range or above @most,
 * and for an unknown auto_pad. */
gboolean ae_window_read(const AeStep *step, int64_t most, AeWindow *window,
                        GError **error);

/* Reads attribute @name: @lists numbers for each spatial axis, all first
 * numbers before all second ones, each from @least to @most. @values has room
 * for @lists times AE_WINDOW_AXES numbers, and holds @fallback for axes that
 * the tensor does not have, or for all where the attribute is left out. */
gboolean ae_window_read_list(const AeStep *step, const char *name, int lists,
                             int64_t least, int64_t most, int64_t fallback,
                             int64_t *values, GError **error);

/* Inputs from the first to the last tap along @axis. */
static inline int64_t ae_window_extent(const AeWindow *window, int axis)
{
    return (window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

/* Splits @total pads of @axis (none if negative) between before and after, as
 * auto_pad says. */
void ae_window_split_pads(AeWindow *window, int axis, int64_t total);

/* The outputs of @in inputs along @axis; sets the pads first if auto_pad is
 * one of SAME. @partial: a last window that reaches beyond the pads counts
 * (ceil_mode). 0: the window is larger than the padded input. */
int64_t ae_window_outputs(AeWindow *window, int axis, int64_t in,
                          gboolean partial);

/* From outputs [*begin, *end) along @axis to the inputs that they read, pads
 * included. */
void ae_window_inputs(const AeWindow *window, int axis, int64_t *begin,
                      int64_t *end);

G_END_DECLS
