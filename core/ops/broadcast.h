/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that work element by element, with ONNX's multidirectional
 * broadcasting: one loop nest for all of them, forward and backward. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

/* One row of the loop nest: y[i] = f(a[i * a_step], b[i * b_step]), i < n. A
 * step is 0 where the operand is repeated; unary operators have no b. */
typedef struct {
    const AeStep *step;
    float *y;
    const float *a, *b;
    int64_t a_step, b_step;
    int64_t n;
} AeRow;

typedef struct {
    const char *name;
    void (*row)(const AeRow *row);
    /* The gradient for input @which (0: a, 1: b) along a row: returns
     * @gradient, filled, or @dy itself where that is the same. With more than
     * two inputs, a is the input that is asked for. NULL: no gradient. */
    const float *(*gradient)(const AeRow *row, const float *dy, float *gradient,
                             int which);
} AeElementwise;

/* The shape that all inputs broadcast to. */
gboolean ae_broadcast_shape(const AeStep *step, AeShape *shape, GError **error);

/* The three functions of an operator. ae_elementwise_plan() takes params. */
gboolean ae_elementwise_plan(AeStep *step, const AeElementwise *kind,
                             GError **error);
void ae_elementwise_forward(const AeStep *step, int64_t begin, int64_t end,
                            float *scratch);
void ae_elementwise_backward(const AeStep *step, float *scratch);

G_END_DECLS
