/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strided copies, forward and backward. */
#include "ops/copies.h"

#include <string.h>

#include "ops/gradient.h"

AeCopies *ae_copies_new(AeStep *step, int n)
{
    AeCopies *copies =
        g_malloc0(sizeof *copies + (gsize)n * sizeof copies->copy[0]);

    copies->n = n;
    copies->split = -1;
    step->params = copies;
    step->units = 1;
    for (int i = 0; i < step->n_out; i++) {
        if (step->out[i])
            step->out[i]->integer = step->in[0]->integer;
    }
    return copies;
}

void ae_copy_whole_input(AeCopy *copy, const AeStep *step, int in)
{
    const AeOperand *x = step->in[in];

    copy->in = in;
    copy->rank = x->shape.rank;
    memcpy(copy->size, x->shape.dim, sizeof x->shape.dim);
    memcpy(copy->source_stride, x->stride, sizeof x->stride);
}

void ae_copy_whole_output(AeCopy *copy, const AeStep *step, int out)
{
    const AeOperand *y = step->out[out];

    copy->out = out;
    copy->rank = y->shape.rank;
    memcpy(copy->size, y->shape.dim, sizeof y->shape.dim);
    memcpy(copy->target_stride, y->stride, sizeof y->stride);
}

static gboolean same_size(const AeCopies *copies, int axis)
{
    for (int i = 0; i < copies->n; i++) {
        if (copies->copy[i].size[axis] != copies->copy[0].size[axis])
            return FALSE;
    }
    return copies->copy[0].size[axis] > 1;
}

void ae_copies_split_units(AeStep *step)
{
    AeCopies *copies = step->params;
    const AeCopy *first = copies->copy;

    if (copies->n == 0 || copies->filled)
        return;
    for (int i = 0; i < first->rank; i++) {
        if (same_size(copies, i) &&
            (copies->split < 0 ||
             first->target_stride[i] > first->target_stride[copies->split]))
            copies->split = i;
    }
    if (copies->split >= 0)
        step->units = first->size[copies->split];
}

void ae_copies_split_rows(AeStep *step, int digits, const int *digit)
{
    AeCopies *copies = step->params;

    copies->digits = digits;
    memcpy(copies->digit, digit, digits * sizeof *digit);
    step->row_units = 1;
    for (int i = 0; i < digits; i++)
        step->units *= copies->copy->size[digit[i]];
}

/* Shortens @copy to row @unit and the rows that follow it along the last digit,
 * at most @most rows. Returns their number. */
static int64_t cut_rows(const AeCopies *copies, AeCopy *copy, int64_t unit,
                        int64_t most)
{
    int last = copies->digit[copies->digits - 1];
    int64_t n = MIN(copy->size[last] - unit % copy->size[last], most);

    for (int i = copies->digits - 1; i >= 0; i--) {
        int axis = copies->digit[i];
        int64_t index = unit % copy->size[axis];

        unit /= copy->size[axis];
        copy->source += index * copy->source_stride[axis];
        copy->target += index * copy->target_stride[axis];
        copy->size[axis] = 1;
    }
    copy->size[last] = n;
    return n;
}

static void run_copy(const AeStep *step, const AeCopy *copy)
{
    ae_copy_strided(step->out[copy->out]->data + copy->target,
                    copy->target_stride,
                    step->in[copy->in]->data + copy->source,
                    copy->source_stride, copy->size, copy->rank, FALSE);
}

static void fill(const AeStep *step, const AeCopies *copies)
{
    float value = ae_step_has(step, 2) ? *step->in[2]->data : copies->fill;
    int64_t n = ae_shape_elements(&step->out[0]->shape);

    for (int64_t i = 0; i < n; i++)
        step->out[0]->data[i] = value;
}

void ae_copies_forward(const AeStep *step, int64_t begin, int64_t end,
                       float *scratch G_GNUC_UNUSED)
{
    const AeCopies *copies = step->params;

    if (copies->filled)
        fill(step, copies);
    for (int i = 0; i < copies->n; i++) {
        AeCopy copy = copies->copy[i];

        if (copies->digits > 0) {
            for (int64_t row = begin; row < end; copy = copies->copy[i]) {
                row += cut_rows(copies, &copy, row, end - row);
                run_copy(step, &copy);
            }
            continue;
        }
        if (copies->split >= 0) {
            copy.size[copies->split] = end - begin;
            copy.target += begin * copy.target_stride[copies->split];
            copy.source += begin * copy.source_stride[copies->split];
        }
        run_copy(step, &copy);
    }
}

static gboolean has_all_gradients(const AeStep *step)
{
    for (int i = 0; i < step->n_out; i++) {
        if (!step->out[i] || !step->out[i]->grad)
            return FALSE;
    }
    return TRUE;
}

void ae_copies_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const AeCopies *copies = step->params;
    gboolean once = copies->once && has_all_gradients(step);

    if (step->alias && step->in[0]->grad == step->out[0]->grad)
        return;
    for (int i = 0; i < step->n_in; i++) {
        if (ae_step_wants(step, i) && !once)
            ae_step_clear_gradient(step, i);
    }
    for (int i = 0; i < copies->n; i++) {
        const AeCopy *copy = &copies->copy[i];
        const AeOperand *x = step->in[copy->in], *y = step->out[copy->out];

        if (!x->grad || !y->grad)
            continue;
        ae_copy_strided(x->grad + copy->source, copy->source_stride,
                        y->grad + copy->target, copy->target_stride, copy->size,
                        copy->rank, !once || ae_step_adds(step, copy->in));
    }
}
