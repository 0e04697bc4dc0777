/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry of the operator table: what a model needs to check a node, and the
 * functions by which a plan runs it (ops/ops.h says how). */
#pragma once

#include "ops/node.h"

G_BEGIN_DECLS

/* When the plan may compute a node itself, once. */
typedef enum {
    AE_FOLD_CONSTANTS, /* when all inputs are constants */
    AE_FOLD_SHAPES,    /* always: only the inputs' shapes are read */
    AE_FOLD_NEVER,     /* draws random numbers */
} AeFold;

typedef struct AeStep AeStep; /* ops/ops.h */

struct AeOperator {
    const char *name;
    int min_in, max_in; /* max_in G_MAXINT: any number */
    int max_out;
    gboolean any_output; /* the first may be left out, too */
    gboolean fuses;      /* understands residual and activation */
    gboolean margins;    /* understands those of in[0], out[0] and the residual,
                            where row_units are set; and rings */
    AeFold fold;
    /* Bit i: planning reads input i (scales, bounds): never a weight. */
    guint settings;
    gboolean (*plan)(AeStep *step, GError **error);
    void (*prepare)(AeStep *step, float *scratch);
    void (*forward)(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch);
    void (*backward)(const AeStep *step, float *scratch);
    /* Turns output rows [*begin, *end) of an image, at least one, into the rows
     * that they read of every input that is no constant. Both may reach
     * outside; later rows never begin or end earlier. NULL: the same. */
    void (*rows)(const AeStep *step, int64_t *begin, int64_t *end);
    /* Multiply-adds of forward; NULL: none counted. */
    int64_t (*multiply_adds)(const AeStep *step);
};

/* NULL if there is none. */
const AeOperator *ae_operator_find(const char *name);
/* The names of all operators, separated by ", ". Free. */
char *ae_operator_names(void);

G_END_DECLS
