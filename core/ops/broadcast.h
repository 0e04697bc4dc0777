/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that compute each element by itself, with ONNX's multidirectional
 * broadcasting. One loop nest, forward and backward, serves all of them. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

/* One row of the loop nest: y[i] = f(a[i * a_step], b[i * b_step]) for i < n.
 * The step of an operand that is repeated is 0. Operators of one input have no
 * b; c is the third input of those that are called once for all three. */
typedef struct {
    const AeStep *step;
    float *y;
    const float *a, *b, *c;
    int64_t a_step, b_step, c_step;
    int64_t n;
} AeRow;

typedef struct {
    const char *name;
    void (*row)(const AeRow *row);
    /* Returns the gradient of input @which (0: a, 1: b) along a row: written to
     * @gradient, or @dy itself if it equals that. With more than two inputs, a
     * is the input in question. NULL: the operator has no gradient. */
    const float *(*gradient)(const AeRow *row, const float *dy, float *gradient,
                             int which);
} AeElementwise;

/* Sets @shape to the shape that all inputs broadcast to. */
gboolean ae_broadcast_shape(const AeStep *step, AeShape *shape, GError **error);

/* For the operator table; ae_elementwise_plan() sets params. */
gboolean ae_elementwise_plan(AeStep *step, const AeElementwise *kind,
                             GError **error);
void ae_elementwise_forward(const AeStep *step, int64_t begin, int64_t end,
                            float *scratch);
void ae_elementwise_backward(const AeStep *step, float *scratch);

G_END_DECLS
