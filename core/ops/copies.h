/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that only move elements, as a list of strided copies from inputs to
 * outputs. Backward runs the copies the other way. */
#pragma once

#include "ops/ops.h"

G_BEGIN_DECLS

#define AE_COPY_AXES 8

/* Elements [0, size) along each of @rank axes, from input @in to output @out.
 */
typedef struct {
    int in, out;
    int rank;
    int64_t size[AE_COPY_AXES];
    int64_t source_stride[AE_COPY_AXES], target_stride[AE_COPY_AXES];
    int64_t source, target; /* offsets of the first element */
} AeCopy;

/* The params of a step that is made of copies. */
typedef struct {
    /* Every element of every input is read once: gradients can overwrite. */
    gboolean once;
    int split;  /* the axis that units are counted along; -1: none */
    int digits; /* or the axes that rows are counted along, outermost first */
    int digit[3];
    gboolean filled; /* outputs are first filled: with input 2 or @fill */
    float fill;
    int n;
    AeCopy copy[];
} AeCopies;

/* Makes @n empty copies the params of @step, which is not split into units. Its
 * outputs hold whole numbers if its first input does. */
AeCopies *ae_copies_new(AeStep *step, int n);

/* Sets the source to all of input @in: size, strides, offset. The strides and
 * offset of the target are left to the caller. */
void ae_copy_whole_input(AeCopy *copy, const AeStep *step, int in);

/* Sets the target to all of output @out; the source is left to the caller. */
void ae_copy_whole_output(AeCopy *copy, const AeStep *step, int out);

/* Splits the step into units along the outermost axis of the outputs that has
 * the same size, at least 2, in all copies. */
void ae_copies_split_units(AeStep *step);

/* Splits the step, one copy or several of the same rows, into units of one row
 * of the output image. Rows are counted along the @digits (1 to 3) axes of the
 * copies that @digit lists, the outermost first. */
void ae_copies_split_rows(AeStep *step, int digits, const int *digit);

/* For the operator table. */
void ae_copies_forward(const AeStep *step, int64_t begin, int64_t end,
                       float *scratch);
void ae_copies_backward(const AeStep *step, float *scratch);

G_END_DECLS
