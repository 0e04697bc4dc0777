/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An entry of the operator table: what a model needs to check a node, and the
 * functions by which a plan runs it (ops/ops.h says how). */
#pragma once

#include "ops/node.h"

G_BEGIN_DECLS

/* When a plan may compute a node once, while planning. */
typedef enum {
    AE_FOLD_CONSTANTS, /* if all inputs are constants */
    AE_FOLD_SHAPES,    /* always: only the inputs' shapes are read */
    AE_FOLD_NEVER,     /* draws random numbers */
} AeFold;

typedef struct AeStep AeStep; /* ops/ops.h */

struct AeOperator {
    const char *name;
    int min_in, max_in; /* max_in G_MAXINT: any number */
    int max_out;
    gboolean any_output; /* also the first output may be left out */
    gboolean fuses;      /* applies step->residual and activation */
    gboolean margins;    /* copes with margins and ring buffers of in[0], out[0]
                            and the residual, if row_units is set */
    AeFold fold;
    /* Bit i: planning reads input i (scales, bounds), which is no weight. */
    guint settings;
    gboolean (*plan)(AeStep *step, GError **error);
    void (*prepare)(AeStep *step, float *scratch);
    void (*forward)(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch);
    void (*backward)(const AeStep *step, float *scratch);
    /* Replaces output rows [*begin, *end) of an image, at least one, by the
     * rows that they read of each input that is not constant. The range may
     * reach outside the image. For later output rows neither of its ends lies
     * earlier. NULL: the same rows. */
    void (*rows)(const AeStep *step, int64_t *begin, int64_t *end);
    /* The number of multiply-adds of forward; NULL: not counted. */
    int64_t (*multiply_adds)(const AeStep *step);
};

/* The operator called @name; NULL: there is none. */
const AeOperator *ae_operator_find(const char *name);
/* The names of all operators, separated by ", ". The caller frees them. */
char *ae_operator_names(void);

G_END_DECLS
