/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the convolutions share: conv.c runs them, read.c reads
 * their attributes, pass.c knows which input belongs to which output,
 * pack.c arranges weights, weights.c makes their gradients,
 * winograd.c is a shorter way for 3x3.
 *
 * Both operators join a large side (Conv's input) and a small side (Conv's
 * output), axis by axis:
 *   large index = small index * stride - pad + tap * dilation.
 *
 *   down  small[o] = sum over taps, i of large[i] * w[o][tap][i]
 *         Conv forward; ConvTranspose's gradient of its input
 *   up    large[i] = sum over taps, o of small[o] * w[o][tap][i]
 *         ConvTranspose forward; Conv's gradient of its input
 *
 * (Dumoulin and Visin, A guide to convolution arithmetic, 2016.) Going up, the
 * targets whose index modulo the stride is equal (a phase) see the same taps,
 * and are a plain convolution with them: no zeros are multiplied. Going down is
 * one phase. So one pass, row by row, serves all. Missing axes have size 1; the
 * three are depth, height and width. Weights lie as [small c][taps][large c]
 * in both operators. */
#pragma once

#include "ops/window.h"

G_BEGIN_DECLS

/* Along one axis: tap t is kernel element `kernel + t * kernel_step` and looks
 * at source index `j * step + offset + t * offset_step` for target number j of
 * the phase. */
typedef struct {
    int64_t count; /* targets */
    int64_t taps, kernel, kernel_step, offset, offset_step;
} AeConvPhase;

typedef struct {
    gboolean up;
    gboolean depthwise; /* one channel a group, on both sides */
    gboolean joined;    /* neighbouring taps along x are one segment */
    gboolean padded;    /* rows are copied with zeros beside them */
    gboolean winograd;  /* winograd.c runs it, four rows at a time */
    int64_t source[3], target[3];
    int64_t source_c, target_c; /* of a group */
    int64_t step[3];            /* of the source, from one target to the next */
    int64_t phases[3];
    AeConvPhase first[3]; /* the only phases, except going up with strides */
    int64_t left;         /* zeros before a row, in pixels */
    int64_t row;          /* floats of a row with its zeros */
    int64_t span[2]; /* rows of depth and height that one target sees, rounded
                        up to powers of two */
    int64_t max_segments;
    int64_t slot;   /* packed floats of one phase and group */
    int64_t packed; /* of all */
    int64_t scratch;
} AeConvPass;

typedef struct {
    int64_t n, groups;
    int64_t large_c, small_c; /* of a group */
    int64_t large[3], small[3];
    AeWindow window;
    int64_t taps;
    gboolean transposed; /* ConvTranspose */
    gboolean dynamic;    /* the weights are computed: packed in each run */
    gboolean units;      /* source channels are units of bytes (conv-int8.c) */
    AeConvPass down, up;
    AeConvPass weights; /* down, but for the rows at once; for gradients */
} AeConv;

/* How rows of bytes become units. */
typedef struct {
    const AeInt8Kernels *kernels;
    int64_t row; /* floats from one row to the next */
    int channels, zero;
} AeConvBytes;

/* How the rows of an operand lie. */
typedef struct {
    int64_t row;          /* floats from one to the next */
    int64_t height, ring; /* 0: no ring; see AeOperand */
} AeConvLayout;

/* Rows of the source, with zeros beside them, kept for the next targets. */
typedef struct {
    const AeConvPass *pass;
    const float *source;
    AeConvLayout layout;      /* of its rows */
    gboolean in_place;        /* zeros lie beside them, or none are needed */
    const AeConvBytes *bytes; /* NULL: rows of floats */
    int64_t channels;
    int64_t *keys;         /* which row a slot holds; -1: none */
    const float **segment; /* max_segments pointers */
    float *zero, *slots;
    gboolean cleared; /* zero is */
} AeConvRows;

/* One target row: which it is along depth and height, its phases there, and
 * the source index that it begins at. */
typedef struct {
    int64_t n, index[2], phase[2], at[2];
    const AeConvPhase *axis[2];
    AeConvPhase room[2];
} AeConvTarget;

/* A pass over whole tensors. */
typedef struct {
    const AeKernels *kernels;
    const AeConv *c;
    const AeConvPass *pass;
    const float *source, *packed;
    AeConvLayout source_layout, out_layout, residual_layout;
    gboolean in_place; /* the source's rows lie between zeros, as needed */
    AeConvRow row;     /* epilogue, first pixels of out and residual */
} AeConvRun;

/* Floats, rounded up so that what follows is aligned. */
static inline int64_t ae_conv_aligned(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

/* Where row @unit lies, counted through images and depths: in floats. */
static inline int64_t ae_conv_offset(const AeConvLayout *layout, int64_t unit)
{
    if (layout->ring > 0)
        unit = unit % layout->height % layout->ring;
    return unit * layout->row;
}

/* Floats of scratch in which weights are sorted. */
static inline int64_t ae_conv_sort_room(const AeConv *c, const AeConvPass *pass)
{
    return ae_conv_aligned(c->taps * pass->source_c * pass->target_c);
}

/* Reads and checks shapes and attributes: all of @c but the passes. */
gboolean ae_conv_read(const AeStep *step, AeConv *c, GError **error);

/* FALSE if it needs too much memory. */
gboolean ae_conv_pass_init(const AeKernels *kernels, const AeConv *c,
                           AeConvPass *pass, gboolean up);

/* Floats of zeros before and after a row of the source. */
void ae_conv_margin(const AeConv *c, const AeConvPass *pass, int64_t margin[2]);

/* Phase @p along an axis; @room is for those that are not kept. */
const AeConvPhase *ae_conv_phase(const AeConv *c, const AeConvPass *pass,
                                 int axis, int64_t p, AeConvPhase *room);

/* Floats of a segment; see AeConvRow. */
int64_t ae_conv_segment_length(const AeConvPass *pass, const AeConvPhase *x);

/* @scratch: pass->scratch floats. */
AeConvRows ae_conv_rows_new(const AeConv *c, const AeConvPass *pass,
                            const float *source, float *scratch);

AeConvRows ae_conv_rows_of(const AeConvRun *run, float *scratch);
/* The same for rows of @bytes, which must outlive the result. */
AeConvRows ae_conv_rows_new_bytes(const AeConv *c, const AeConvPass *pass,
                                  const float *source, const AeConvBytes *bytes,
                                  float *scratch);

/* Floats that rows take of pass->scratch. */
int64_t ae_conv_rows_scratch(const AeConvPass *pass);

/* Fills rows->segment for the first pixel of phase @x; how many. */
int ae_conv_find_segments(AeConvRows *rows, const AeConvTarget *t,
                          const AeConvPhase *x);

/* Row @h at depth @d of image @n, with zeros beside it; zeros outside. */
const float *ae_conv_row_at(AeConvRows *rows, int64_t n, int64_t d, int64_t h);

/* Moves the segments on to the next group's channels. */
void ae_conv_next_group(AeConvRows *rows, int segments);

/* Target row @unit, counted through images and depths, and the one after. */
void ae_conv_target_first(const AeConv *c, const AeConvPass *pass, int64_t unit,
                          AeConvTarget *t);
void ae_conv_target_next(const AeConv *c, const AeConvPass *pass,
                         AeConvTarget *t);

/* The kernel element that tap (@d, @h, @w) of a phase is. */
int64_t ae_conv_kernel_tap(const AeConv *c, const AeConvPhase *const axis[3],
                           int64_t d, int64_t h, int64_t w);

/* @weights into pass->packed floats: phase by phase, group by group. @sorted:
 * ae_conv_sort_room() floats. */
void ae_conv_pack(const AeKernels *kernels, const AeConv *c,
                  const AeConvPass *pass, const float *weights, float *packed,
                  float *sorted);

/* Rows that Winograd's algorithm makes at once. */
#define AE_CONV_WINOGRAD_ROWS 4

/* Whether @pass is one for Winograd's algorithm. */
gboolean ae_conv_winograd_fits(const AeConv *c, const AeConvPass *pass);
/* Sets what such a pass needs of the source's rows. */
void ae_conv_winograd_measure(AeConvPass *pass);
int64_t ae_conv_winograd_packed(const AeKernels *kernels,
                                const AeConvPass *pass);
/* Floats, at the end of the pass's scratch. */
int64_t ae_conv_winograd_scratch(const AeKernels *kernels,
                                 const AeConvPass *pass);
/* Rounds target rows [*begin, *end) of an image to those made at once. */
void ae_conv_winograd_rows(int64_t *begin, int64_t *end);
/* Target rows [begin, end). */
void ae_conv_winograd_run(const AeConvRun *run, int64_t begin, int64_t end,
                          float *scratch);

/* Sets c->weights, after c->down. */
void ae_conv_weights_measure(AeConv *c);

/* Adds the gradients to @weight. @small and @large: that side's values, or
 * gradients where it is the output. @scratch: c->weights.scratch floats. */
void ae_conv_weights_backward(const AeKernels *kernels, const AeConv *c,
                              const float *small, const float *large,
                              float *weight, float *scratch);

G_END_DECLS
