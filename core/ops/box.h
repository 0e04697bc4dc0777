/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The positions along some axes of an operand, counted: those that a reduction
 * keeps, those that it sums, the batches of a matrix product. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

typedef struct {
    int rank;
    int64_t size[AE_MAX_RANK]; /* outermost first */
    int64_t stride[AE_MAX_RANK];
} AeBox;

static inline void ae_box_append(AeBox *box, int64_t size, int64_t stride)
{
    box->size[box->rank] = size;
    box->stride[box->rank++] = stride;
}

static inline int64_t ae_box_count(const AeBox *box)
{
    int64_t count = 1;

    for (int i = 0; i < box->rank; i++)
        count *= box->size[i];
    return count;
}

/* The offset, in floats, of position @index. */
static inline int64_t ae_box_offset(const AeBox *box, int64_t index)
{
    int64_t offset = 0;

    for (int i = box->rank - 1; i > 0; i--) {
        offset += index % box->size[i] * box->stride[i];
        index /= box->size[i];
    }
    return box->rank > 0 ? offset + index * box->stride[0] : 0;
}

/* The axis of a tensor of rank @rank that is the i-th in memory, counted from
 * the outermost: channels are the innermost. */
static inline int ae_memory_axis(int rank, int i)
{
    if (rank < 3 || i == 0)
        return i;
    return i == rank - 1 ? 1 : i + 1;
}

G_END_DECLS
