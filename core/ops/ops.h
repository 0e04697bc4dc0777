/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract between plans and operators; private to core/.
 *
 * An operator is one table entry (operator.h). A plan makes one AeStep for each
 * node of the model, and calls:
 *
 *   plan      once. The shapes of the inputs are known, and the contents of
 *             those that are constant. Checks everything; sets the shapes of
 *             the outputs, params, units and sizes of scratch memory. Nothing
 *             but this call can fail.
 *   prepare   before the first run, and before a run after weights have
 *             changed: packs the weights into step->packed. Optional.
 *   forward   computes units [begin, end) of the outputs. Several threads may
 *             compute different ranges at the same time.
 *   backward  computes in[i]->grad, where not NULL, from the outputs' gradients
 *             (accumulate says whether to add). One thread calls it.
 *
 * How to write one: docs/developer/adding-an-operator.md. */
#pragma once

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/attributes.h"
#include "ops/operator.h"

G_BEGIN_DECLS

/* A value that a step reads or makes. An image is a tensor of rank 4; memory
 * holds channels last. */
typedef struct {
    AeShape shape;
    int64_t stride[AE_MAX_RANK]; /* as ae_shape_strides() */
    float *data;                 /* NULL while planning, unless constant */
    float *grad;                 /* NULL: not wanted */
    gboolean constant;           /* data is known while planning, and final */
    gboolean trainable;          /* a weight: data changes between runs */
    gboolean integer;
    AeElement element; /* type in the file, where the contents are known */
    gboolean bytes;    /* an image of bytes; see ae_operand_row() */
    int64_t margin[2]; /* floats of zeros before and after each row of an image;
                          0 unless all steps that use it have op->margins */
    int64_t ring;      /* an image's rows are a ring buffer of so many rows: row
                          r is at r modulo ring; 0: all rows are in memory */
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
    void *params;      /* g_free()d; NULL if none is needed */
    void *table;       /* of params, ae_free()d; NULL if none is needed */
    int64_t units;     /* parts of forward; 1: it cannot be split, 0:
                          there is nothing to compute */
    int64_t row_units; /* units of one output row of an image, in the order
                          of images and rows, which read only the rows
                          that op->rows tells; 0: units are no rows */
    int64_t row_group; /* rows that are computed together, counted from
                          the first row of an image; 0: one by one */
    size_t scratch;    /* floats for each thread in forward; and prepare */
    size_t scratch_backward; /* floats for backward */
    size_t packed_size;      /* floats of packed */
    size_t saved_size;       /* floats of saved */
    int images;        /* the least batch for which training this step is fast;
                          0: any */
    gboolean alias;    /* out[0] is in[0] under another shape: no forward */
    int64_t margin[2]; /* margins of in[0] that save copying its rows */

    /* Given by the plan: */
    gboolean gradients; /* backward will be called: set scratch_backward */
    float *packed;      /* packed weights, written by prepare */
    float *saved;       /* what forward keeps for backward, which may change it;
                           NULL if backward will not be called */
    /* accumulate[i]: in[i]->grad holds other steps' contributions, to be added
     * to. Where FALSE its contents mean nothing, and are overwritten. */
    gboolean *accumulate;
    uint64_t seed; /* of this step and run, for operators that draw numbers */

    /* Fused into the step (operators with op->fuses only). */
    AeActivation activation;
    float alpha;         /* parameter of leaky ReLU and ELU */
    AeOperand *slope;    /* parameter of PReLU: one number, or one a channel */
    AeOperand *residual; /* of out's shape; added before the activation */
};

/* The tables of the families. The last entry of each has no name. */
extern const AeOperator ae_ops_activation[], ae_ops_arrange[],
    ae_ops_constant[], ae_ops_conv[], ae_ops_dense[], ae_ops_einsum[],
    ae_ops_elementwise[], ae_ops_norm[], ae_ops_pad[], ae_ops_pool[],
    ae_ops_quantize[], ae_ops_random[], ae_ops_recurrent[], ae_ops_reduce[],
    ae_ops_resize[], ae_ops_shape[];

/* Helpers for plan functions. */

/* Sets @error to "node 'name' (Operator): message" and returns FALSE. */
gboolean ae_step_fail(const AeStep *step, GError **error, AeError code,
                      const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Sets shape and strides of output @i. FALSE: it is too large. */
gboolean ae_step_set_output(AeStep *step, int i, const AeShape *shape,
                            GError **error);

/* Reads the whole numbers that input @i holds, at most @max, into @values;
 * larger ones become the largest int64. FALSE: the input is absent, not
 * constant or too long. */
gboolean ae_step_input_ints(const AeStep *step, int i, int64_t *values, int max,
                            int *n, GError **error);

/* Reads the whole numbers of attribute @name or, from opset @since on, of
 * constant input @i. @n becomes their number, -1 if they are left out. */
gboolean ae_step_list(const AeStep *step, const char *name, int i, int since,
                      int64_t *values, int max, int *n, GError **error);

/* Turns @axis, which counts from the back if negative, into 0 .. @rank - 1.
 * FALSE: it lies outside. */
gboolean ae_step_axis(const AeStep *step, int64_t axis, int rank, int *result,
                      GError **error);

/* The offset, in floats, of element @index of ONNX's row-major order. */
int64_t ae_operand_offset(const AeOperand *operand, int64_t index);

/* Scale and zero point of the bytes that @step makes or reads, if it is a
 * QuantizeLinear or DequantizeLinear of images with one scale for all elements;
 * else FALSE. Signed bytes are held with 128 added, and so is their zero. */
gboolean ae_quantize_bytes(const AeStep *step, float *scale, int *zero);

/* Floats from one row of an image to the next. Rows of bytes are padded to
 * whole floats; rows of floats have margins. */
static inline int64_t ae_operand_row(const AeOperand *image)
{
    const int64_t row = image->shape.dim[1] * image->shape.dim[3];

    return image->bytes ? (row + 3) / 4
                        : image->margin[0] + row + image->margin[1];
}

/* The place in memory, counted in rows, of row @row, counted through all images
 * of the batch. */
static inline int64_t ae_operand_place(const AeOperand *image, int64_t row)
{
    return image->ring > 0 ? row % image->shape.dim[2] % image->ring : row;
}

/* Floats of memory that an operand takes. */
static inline int64_t ae_operand_floats(const AeOperand *operand)
{
    const AeShape *shape = &operand->shape;

    return operand->bytes || operand->margin[0] + operand->margin[1] > 0
               ? shape->dim[0] * shape->dim[2] * ae_operand_row(operand)
               : ae_shape_elements(shape);
}

/* TRUE if input @i is not left out. */
static inline gboolean ae_step_has(const AeStep *step, int i)
{
    return i < step->n_in && step->in[i] != NULL;
}

G_END_DECLS
