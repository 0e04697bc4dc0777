/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows that a pass (pass.h) reads and writes. Source rows that need zeros
 * beside them are copied into slots, and stay there for the target rows that
 * follow. Rows of all images and depths are counted together: row h at depth d
 * of image n is number (n * depths + d) * rows + h. */
#pragma once

#include "ops/conv/pass.h"

G_BEGIN_DECLS

/* How the rows of a tensor lie in memory. */
typedef struct {
    int64_t row;          /* floats from one row to the next */
    int64_t height, ring; /* rows of an image; of the ring buffer, 0:
                             there is none (AeOperand) */
} AeConvLayout;

/* How rows of bytes become units of channels (AeInt8Row). */
typedef struct {
    const AeInt8Kernels *kernels;
    int64_t row; /* floats from one row to the next */
    int channels, zero;
} AeConvBytes;

/* Source rows and the slots that hold copies of them. */
typedef struct {
    const AeConvPass *pass;
    const float *source;      /* first pixel */
    AeConvLayout layout;      /* of the source */
    gboolean in_place;        /* rows are read where they lie */
    const AeConvBytes *bytes; /* NULL: rows of floats */
    int64_t channels;         /* of a pixel, all groups */
    int64_t *keys;            /* number of the row in each slot; -1: none */
    const float **segment;    /* max_segments pointers */
    float *zero, *slots;      /* the row outside the image; copies */
    gboolean cleared;         /* zero has been filled in */
} AeConvRows;

/* One target row: its image and its indices along depth and height, its phases
 * there, and the source indices that taps with offset 0 would read. */
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
    const float *source, *packed; /* first pixel; packed weights (pack.h) */
    AeConvLayout source_layout, out_layout, residual_layout;
    gboolean in_place; /* the source's rows have the zeros that they need */
    AeConvRow row;     /* epilogue, first pixels of out and residual */
} AeConvRun;

/* Where row number @row lies, in floats from the first row. */
static inline int64_t ae_conv_offset(const AeConvLayout *layout, int64_t row)
{
    if (layout->ring > 0)
        row = row % layout->height % layout->ring;
    return row * layout->row;
}

/* Floats of scratch that rows of @pass take. */
int64_t ae_conv_rows_scratch(const AeConvPass *pass);

/* Rows of @source, which lie one after another; the caller may change layout,
 * in_place and bytes. @scratch: ae_conv_rows_scratch() floats. */
AeConvRows ae_conv_rows_new(const AeConv *c, const AeConvPass *pass,
                            const float *source, float *scratch);

/* The source rows of @run. */
AeConvRows ae_conv_rows_of(const AeConvRun *run, float *scratch);

/* Source row @h at depth @d of image @n: pass->left pixels before its first
 * pixel. Rows outside the image are all zeros. */
const float *ae_conv_row_at(AeConvRows *rows, int64_t n, int64_t d, int64_t h);

/* Points rows->segment at what the first pixel of target row @t reads, @x being
 * its phase along the width. Returns the number of segments. */
int ae_conv_find_segments(AeConvRows *rows, const AeConvTarget *t,
                          const AeConvPhase *x);

/* Sets @t to target row number @row. */
void ae_conv_target_first(const AeConv *c, const AeConvPass *pass, int64_t row,
                          AeConvTarget *t);

/* Moves @t on to the next target row. */
void ae_conv_target_next(const AeConv *c, const AeConvPass *pass,
                         AeConvTarget *t);

G_END_DECLS
