/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator is, and what it sees: private to core/.
 *
 * An operator is one table entry: a plan rule, a forward and a backward
 * function. The plan makes one AeStep a node, with its operands' shapes and
 * buffers, and calls:
 *
 *   plan      once, operand shapes of the inputs known (and their contents,
 *             where constant): checks everything, sets the shapes of the
 *             outputs, params, units, scratch. The only call that can fail.
 *   prepare   before a run when inputs[i] that are weights have changed (and
 *             once at first): packs weights into step->packed. Optional.
 *   forward   computes units [begin, end) of the output; different ranges may
 *             run at the same time in different threads.
 *   backward  adds to in[i]->grad (where not NULL) what out[0]->grad implies;
 *             one thread. See accumulate below.
 *
 * A new operator: docs/developer/adding-an-operator.md. */
#pragma once

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/attributes.h"
#include "ops/operator.h"

G_BEGIN_DECLS

/* One value, as a step sees it. */
typedef struct {
    AeShape shape;
    int64_t stride[AE_MAX_RANK]; /* as ae_shape_strides() */
    float *data;                 /* NULL while planning, unless constant */
    float *grad;                 /* NULL: nobody asks for it */
    gboolean constant;           /* data is known while planning and fixed */
    gboolean trainable;          /* a weight: data changes between runs */
    gboolean integer;
    AeElement element; /* of the file, where the contents are known */
    gboolean bytes;    /* an image held as bytes, see ae_operand_row() */
    int64_t margin[2]; /* floats of zeros before and after each row of an image:
                          only where its makers and readers know margins */
    int64_t ring;      /* rows of an image that are in memory, row r at r modulo
                          ring; 0: all. The same */
    const char *name;
} AeOperand;

typedef struct AeStep AeStep;

struct AeStep {
    const AeOperator *op;
    const AeNode *node;
    const AeKernels *kernels;
    int opset;
    int n_in, n_out;
    AeOperand **in;  /* n_in, NULL where left out */
    AeOperand **out; /* n_out, NULL where left out */

    /* Set by plan: */
    void *params;            /* g_free()d; NULL if none is needed */
    int64_t units;           /* pieces of forward; 1 if it cannot be split, 0
                                if there is nothing to compute */
    int64_t row_units;       /* of rank 4: units of one output row, in order of
                                images and rows, each reading no more than
                                op->rows tells; 0 if units are no rows */
    int64_t row_group;       /* rows of an image that are made at once, counted
                                from its first; 0: one by one */
    size_t scratch;          /* floats that each thread needs in forward, and
                                prepare */
    size_t scratch_backward; /* floats that backward needs */
    size_t packed_size;      /* floats for prepare */
    size_t saved_size;       /* floats that forward leaves to backward */
    int images;        /* that training should run at once for this step to be
                          fast, at least; 0: any number */
    gboolean alias;    /* out[0] is in[0] under another shape: no forward */
    int64_t margin[2]; /* of in[0], that would spare copying its rows */

    /* Given by the plan: */
    gboolean gradients; /* backward will be called: set scratch_backward */
    float *packed;      /* packed_size floats */
    float *saved;       /* saved_size floats where backward will be called,
                           which may change them; or else NULL */
    /* accumulate[i]: in[i]->grad already holds a contribution, add to it. Where
     * FALSE it holds anything: overwrite. */
    gboolean *accumulate;
    uint64_t seed; /* of this step and run, for operators that draw numbers */

    /* Fused into the step (operators with op->fuses only). */
    AeActivation activation;
    float alpha;         /* of leaky ReLU, ELU; the activation's */
    AeOperand *slope;    /* of PReLU: one per channel or one */
    AeOperand *residual; /* added before the activation; out's shape */
};

/* One table a family, ended by an entry without a name. */
extern const AeOperator ae_ops_activation[], ae_ops_arrange[],
    ae_ops_constant[], ae_ops_conv[], ae_ops_dense[], ae_ops_elementwise[],
    ae_ops_norm[], ae_ops_pad[], ae_ops_pool[], ae_ops_quantize[],
    ae_ops_random[], ae_ops_recurrent[], ae_ops_reduce[], ae_ops_resize[],
    ae_ops_shape[];

/* Helpers for plan functions. */

/* FALSE, with "node 'name' (Op): message". For: return ae_step_fail(...). */
gboolean ae_step_fail(const AeStep *step, GError **error, AeError code,
                      const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Sets the shape (and strides) of output @i; fails if it is too large. */
gboolean ae_step_set_output(AeStep *step, int i, const AeShape *shape,
                            GError **error);

/* The whole numbers that constant input @i holds: at most @max into @values,
 * saturated to int64. Fails if absent or not constant. */
gboolean ae_step_input_ints(const AeStep *step, int i, int64_t *values, int max,
                            int *n, GError **error);

/* The whole numbers of attribute @name, or from opset @since on of constant
 * input @i; @n is -1 where they are left out. */
gboolean ae_step_list(const AeStep *step, const char *name, int i, int since,
                      int64_t *values, int max, int *n, GError **error);

/* @axis (may count from the back) into 0 .. rank - 1. */
gboolean ae_step_axis(const AeStep *step, int64_t axis, int rank, int *result,
                      GError **error);

/* Where element @index of the row-major order lies, in floats. */
int64_t ae_operand_offset(const AeOperand *operand, int64_t index);

/* Of a QuantizeLinear or DequantizeLinear of images, one scale and zero point
 * for all: what the bytes mean that it makes or reads, signed ones with 128
 * added. FALSE: it is none. */
gboolean ae_quantize_bytes(const AeStep *step, float *scale, int *zero);

/* Floats from one row of an image to the next: rows of bytes are padded to
 * whole floats, others have margins. */
static inline int64_t ae_operand_row(const AeOperand *image)
{
    const int64_t row = image->shape.dim[1] * image->shape.dim[3];

    return image->bytes ? (row + 3) / 4
                        : image->margin[0] + row + image->margin[1];
}

/* Where row @row of an image, counted through all images, lies: in rows. */
static inline int64_t ae_operand_place(const AeOperand *image, int64_t row)
{
    return image->ring > 0 ? row % image->shape.dim[2] % image->ring : row;
}

/* Floats that an operand takes. */
static inline int64_t ae_operand_floats(const AeOperand *operand)
{
    const AeShape *shape = &operand->shape;

    return operand->bytes || operand->margin[0] + operand->margin[1] > 0
               ? shape->dim[0] * shape->dim[2] * ae_operand_row(operand)
               : ae_shape_elements(shape);
}

/* TRUE if input @i is there. */
static inline gboolean ae_step_has(const AeStep *step, int i)
{
    return i < step->n_in && step->in[i] != NULL;
}

G_END_DECLS
