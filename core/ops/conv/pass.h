/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The geometry of Conv and ConvTranspose: which inputs belong to which output.
 *
 * Both operators join a large side (Conv's input) and a small side (Conv's
 * output). Along each axis, tap t of small element s belongs to large element
 *     s * stride - pad + t * dilation.
 * A pass computes one side, the target, from the other, the source:
 *
 *   down  small[o] = sum over taps, i of large[i] * w[o][tap][i]
 *         Conv forward; ConvTranspose's gradient of its input
 *   up    large[i] = sum over taps, o of small[o] * w[o][tap][i]
 *         ConvTranspose forward; Conv's gradient of its input
 *
 * (Dumoulin and Visin, A guide to convolution arithmetic, 2016.) Going up, all
 * targets with the same index modulo the stride see the same taps. They are a
 * phase, and are computed as a plain convolution with these taps, so that no
 * zeros are multiplied. Going down has one phase. The three axes are depth,
 * height and width; missing ones have size 1. Weights lie as
 * [small channel][tap][large channel] in both operators. */
#pragma once

#include "ops/window.h"

G_BEGIN_DECLS

/* One phase along one axis. Tap t is kernel element
 * `kernel + t * kernel_step`; for target number j of the phase it reads source
 * index `j * step + offset + t * offset_step`, step being the pass's. */
typedef struct {
    int64_t count; /* targets */
    int64_t taps, kernel, kernel_step, offset, offset_step;
} AeConvPhase;

/* A segment is what one target pixel reads side by side in a source row: all
 * taps along the width (joined), or one tap (AeConvRow). */
typedef struct {
    gboolean up;
    gboolean depthwise;           /* one channel a group, on both sides */
    gboolean joined;              /* the taps of a row are one segment */
    gboolean padded;              /* source rows need zeros beside them */
    gboolean winograd;            /* winograd.h computes it */
    int64_t source[3], target[3]; /* sizes */
    int64_t source_c, target_c;   /* channels of a group */
    int64_t
        step[3]; /* source elements from one target of a phase to the next */
    int64_t phases[3];
    AeConvPhase first[3]; /* phase 0 of each axis */
    int64_t left;         /* zeros before a source row, in pixels */
    int64_t row;          /* floats of a source row with its zeros */
    int64_t span[2]; /* slots along depth and height: the source rows that are
                        read at once, rounded up to powers of two */
    int64_t max_segments; /* of a target row */
    int64_t phase_packed; /* packed weights of one phase and group, in floats */
    int64_t packed;       /* of all phases and groups */
} AeConvPass;

/* A Conv or ConvTranspose. */
typedef struct {
    int64_t n, groups;
    int64_t large_c, small_c; /* channels of a group */
    int64_t large[3], small[3];
    AeWindow window;
    int64_t taps;        /* of all axes together */
    gboolean transposed; /* ConvTranspose */
    gboolean dynamic;    /* the weights are computed: packed in each run */
    gboolean units;      /* source channels are units of bytes (int8.c) */
    AeConvPass down, up;
    AeConvPass weights; /* of the weights' gradients: as down, with room for
                           more rows */
} AeConv;

/* @floats rounded up, so that what follows them is aligned. */
static inline int64_t ae_conv_aligned(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

/* The pass that computes the operator's output. */
static inline const AeConvPass *ae_conv_forward(const AeConv *c)
{
    return c->transposed ? &c->up : &c->down;
}

/* The pass that computes the gradient of its input. */
static inline const AeConvPass *ae_conv_backward(const AeConv *c)
{
    return c->transposed ? &c->down : &c->up;
}

/* Fills in all of @pass but winograd, from sizes, channels, groups, window and
 * units of @c; ae_conv_winograd_init() may then change rows and weights. FALSE:
 * it would need too much memory. */
gboolean ae_conv_pass_init(const AeKernels *kernels, const AeConv *c,
                           AeConvPass *pass, gboolean up);

/* Floats of zeros that the source's rows need before and after them if they are
 * to be read where they lie. */
void ae_conv_margin(const AeConv *c, const AeConvPass *pass, int64_t margin[2]);

/* Phase @p along @axis: points into @pass (phase 0), or to @room, which is
 * filled in. */
const AeConvPhase *ae_conv_phase(const AeConv *c, const AeConvPass *pass,
                                 int axis, int64_t p, AeConvPhase *room);

/* Floats of a segment of a row whose phase along the width is @x. */
static inline int64_t ae_conv_segment_length(const AeConvPass *pass,
                                             const AeConvPhase *x)
{
    return pass->joined ? x->taps * pass->source_c : pass->source_c;
}

G_END_DECLS
