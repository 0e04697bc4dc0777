/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv and ConvTranspose in one, two and three dimensions: runs passes (pass.h)
 * for outputs and for gradients of inputs, and computes gradients of biases. */
#include <string.h>

#include "ops/conv/pack.h"
#include "ops/conv/read.h"
#include "ops/conv/weights.h"
#include "ops/conv/winograd.h"
#include "ops/gradient.h"

/* Computes the pixels of one phase along the width, group by group. @row has
 * been filled in for the first group. */
static void run_groups(const AeKernels *kernels, const AeConv *c,
                       AeConvRows *rows, AeConvRow *row)
{
    const AeConvPass *pass = rows->pass;
    AeEpilogue *e = &row->epilogue;

    if (pass->depthwise) {
        row->co = (int)c->groups;
        kernels->depthwise_row(row);
        return;
    }
    for (int64_t g = 0; g < c->groups; g++) {
        kernels->conv_row(row);
        for (int i = 0; i < row->segments; i++)
            rows->segment[i] += pass->source_c;
        row->weights += pass->phase_packed;
        row->out += row->co;
        row->residual = row->residual ? row->residual + row->co : NULL;
        e->bias = e->bias ? e->bias + row->co : NULL;
        e->slope = e->slope ? e->slope + row->co : NULL;
    }
}

/* Computes target rows [begin, end). */
static void run_pass(const AeConvRun *run, int64_t begin, int64_t end,
                     float *scratch)
{
    const AeConv *c = run->c;
    const AeConvPass *pass = run->pass;
    const int64_t channels = c->groups * pass->target_c;
    AeConvRows rows = ae_conv_rows_of(run, scratch);
    AeConvTarget t;

    if (pass->winograd) {
        ae_conv_winograd_run(run, begin, end, scratch);
        return;
    }
    ae_conv_target_first(c, pass, begin, &t);
    for (int64_t unit = begin; unit < end;
         unit++, ae_conv_target_next(c, pass, &t)) {
        for (int64_t p = 0; p < pass->phases[2]; p++) {
            AeConvPhase room;
            const AeConvPhase *x = ae_conv_phase(c, pass, 2, p, &room);
            const int64_t phase =
                (t.phase[0] * pass->phases[1] + t.phase[1]) * pass->phases[2] +
                p;
            AeConvRow row = run->row;

            row.segments = ae_conv_find_segments(&rows, &t, x);
            row.segment = rows.segment;
            row.k = ae_conv_segment_length(pass, x);
            row.in_step = pass->step[2] * rows.channels;
            row.weights = run->packed + phase * pass->phase_packed *
                                            (pass->depthwise ? 1 : c->groups);
            row.out += ae_conv_offset(&run->out_layout, unit) + p * channels;
            row.out_step = pass->phases[2] * channels;
            if (row.residual)
                row.residual +=
                    ae_conv_offset(&run->residual_layout, unit) + p * channels;
            row.residual_step = row.out_step;
            row.n = x->count;
            row.co = pass->target_c;
            run_groups(run->kernels, c, &rows, &row);
        }
    }
}

/* The number of output rows. */
static int64_t output_rows(const AeStep *step)
{
    const AeConv *c = step->params;
    const AeConvPass *pass = ae_conv_forward(c);

    return c->n * pass->target[0] * pass->target[1];
}

static void pack_all(const AeStep *step, float *packed, float *scratch)
{
    const AeConv *c = step->params;
    const AeConvPass *pass = ae_conv_forward(c);

    ae_conv_pack(step->kernels, c, pass, step->in[1]->data, packed, scratch);
    if (step->gradients)
        ae_conv_pack(step->kernels, c, ae_conv_backward(c), step->in[1]->data,
                     packed + pass->packed, scratch);
}

static void conv_prepare(AeStep *step, float *scratch)
{
    const AeConv *c = step->params;

    if (!c->dynamic)
        pack_all(step, step->packed, scratch);
}

/* The packed weights. Weights that the model computes are packed here, into
 * @scratch, which then moves on. */
static const float *packed_weights(const AeStep *step, float **scratch)
{
    const AeConv *c = step->params;
    float *packed = *scratch;

    if (!c->dynamic)
        return step->packed;
    *scratch += c->down.packed + c->up.packed;
    pack_all(step, packed, *scratch);
    return packed;
}

/* Floats from one row of an operand of any rank to the next. */
static int64_t row_floats(const AeOperand *operand)
{
    const AeShape *shape = &operand->shape;

    return operand->margin[0] + shape->dim[1] * shape->dim[shape->rank - 1] +
           operand->margin[1];
}

static AeConvLayout layout_of(const AeOperand *operand)
{
    if (operand == NULL)
        return (AeConvLayout){0};
    return (AeConvLayout){row_floats(operand), operand->shape.dim[2],
                          operand->ring};
}

static const float *first_pixel(const AeOperand *operand)
{
    return operand != NULL ? operand->data + operand->margin[0] : NULL;
}

static AeEpilogue epilogue_of(const AeStep *step)
{
    AeEpilogue e = {.bias = ae_step_has(step, 2) ? step->in[2]->data : NULL,
                    .activation = step->activation,
                    .alpha = step->alpha};

    if (e.activation != AE_ACTIVATION_PRELU)
        return e;
    if (ae_shape_elements(&step->slope->shape) == 1) {
        e.activation = AE_ACTIVATION_LEAKY_RELU;
        e.alpha = step->slope->data[0];
    } else {
        e.slope = step->slope->data;
    }
    return e;
}

static void clear_margins(const AeOperand *out, int64_t begin, int64_t end)
{
    const int64_t row = row_floats(out), *margin = out->margin;

    if (margin[0] + margin[1] == 0)
        return;
    for (int64_t unit = begin; unit < end; unit++) {
        float *start = out->data + ae_operand_place(out, unit) * row;

        memset(start, 0, margin[0] * sizeof(float));
        memset(start + row - margin[1], 0, margin[1] * sizeof(float));
    }
}

static void conv_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch)
{
    const AeConv *c = step->params;
    const AeOperand *in = step->in[0], *out = step->out[0];
    AeConvRun run = {
        .kernels = step->kernels,
        .c = c,
        .pass = ae_conv_forward(c),
        .source = first_pixel(in),
        .packed = packed_weights(step, &scratch),
        .source_layout = layout_of(in),
        .out_layout = layout_of(out),
        .residual_layout = layout_of(step->residual),
        .in_place = in->margin[0] + in->margin[1] > 0,
        .row = {.residual = first_pixel(step->residual),
                .out = out->data + out->margin[0],
                .epilogue = epilogue_of(step)},
    };

    if (c->dynamic)
        end = output_rows(step);
    run_pass(&run, begin, end, scratch);
    clear_margins(out, begin, end);
}

/* Floats of an output row without margins. */
static int64_t output_row(const AeStep *step)
{
    const AeShape *out = &step->out[0]->shape;

    return out->dim[1] * out->dim[out->rank - 1];
}

/* Sums the rows first and then the pixels of the sum, which keeps rounding
 * errors small. */
static void bias_backward(const AeStep *step, float *sums)
{
    const AeKernels *kernels = step->kernels;
    const int64_t channels = step->out[0]->shape.dim[1];
    const int64_t rows = output_rows(step), row = output_row(step);
    const float *g = step->out[0]->grad;

    memset(sums, 0, row * sizeof *sums);
    for (int64_t unit = 0; unit < rows; unit++)
        kernels->add(sums, sums, g + unit * row, row);
    for (int64_t x = channels; x < row; x += channels)
        kernels->add(sums, sums, sums + x, channels);
    kernels->add(step->in[2]->grad, step->in[2]->grad, sums, channels);
}

static void input_backward(const AeStep *step, const float *packed,
                           float *scratch)
{
    const AeConv *c = step->params;
    const AeConvPass *pass = ae_conv_backward(c);
    const AeConvRun run = {
        .kernels = step->kernels,
        .c = c,
        .pass = pass,
        .source = step->out[0]->grad,
        .packed = packed,
        .source_layout = layout_of(step->out[0]),
        .out_layout = layout_of(step->in[0]),
        .residual_layout = layout_of(step->in[0]),
        .row = {.residual = step->accumulate[0] ? step->in[0]->grad : NULL,
                .out = step->in[0]->grad},
    };

    run_pass(&run, 0, c->n * pass->target[0] * pass->target[1], scratch);
}

static void conv_backward(const AeStep *step, float *scratch)
{
    const AeConv *c = step->params;
    const float *packed = packed_weights(step, &scratch);
    const AeOperand *in = step->in[0], *out = step->out[0];

    if (step->activation != AE_ACTIVATION_NONE)
        step->kernels->activate_gradient(out->grad, out->data, out->grad,
                                         ae_shape_elements(&out->shape),
                                         step->activation, step->alpha, FALSE);
    if (ae_step_wants(step, 0))
        input_backward(step, packed + ae_conv_forward(c)->packed, scratch);
    if (ae_step_wants(step, 1)) {
        ae_step_clear_gradient(step, 1);
        if (c->transposed)
            ae_conv_weights_backward(step->kernels, c, in->data, out->grad,
                                     step->in[1]->grad, scratch);
        else
            ae_conv_weights_backward(step->kernels, c, out->grad, in->data,
                                     step->in[1]->grad, scratch);
    }
    if (ae_step_wants(step, 2)) {
        ae_step_clear_gradient(step, 2);
        bias_backward(step, scratch);
    }
}

static int64_t pass_scratch(const AeKernels *kernels, const AeConv *c,
                            const AeConvPass *pass)
{
    int64_t rows = ae_conv_rows_scratch(pass);

    if (pass->winograd)
        rows += ae_conv_winograd_scratch(kernels, pass);
    return MAX(rows, ae_conv_pack_scratch(c, pass));
}

static gboolean measure(AeStep *step, AeConv *c, GError **error)
{
    const AeConvPass *forward = ae_conv_forward(c);
    const AeKernels *kernels = step->kernels;

    if (!ae_conv_pass_init(kernels, c, &c->down, FALSE) ||
        !ae_conv_pass_init(kernels, c, &c->up, TRUE))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the convolution needs too much memory");
    ae_conv_winograd_init(kernels, c, &c->down);
    ae_conv_winograd_init(kernels, c, &c->up);
    step->packed_size = forward->packed;
    step->scratch = pass_scratch(kernels, c, forward);
    step->row_units = step->in[0]->shape.rank == 4 && !c->dynamic;
    step->row_group = forward->winograd ? AE_CONV_WINOGRAD_ROWS : 0;
    ae_conv_margin(c, forward, step->margin);
    if (step->gradients) {
        const int64_t up = pass_scratch(kernels, c, &c->up);
        const int64_t down = pass_scratch(kernels, c, &c->down);

        step->packed_size = c->down.packed + c->up.packed;
        ae_conv_weights_init(c);
        step->scratch_backward =
            MAX(MAX(up, down), ae_conv_weights_scratch(c)) +
            ae_conv_aligned(output_row(step));
    }
    if (c->dynamic) {
        step->packed_size = 0;
        step->units = 1;
        step->scratch += c->down.packed + c->up.packed;
        step->scratch_backward += c->down.packed + c->up.packed;
    }
    return TRUE;
}

static gboolean conv_plan(AeStep *step, GError **error)
{
    AeConv *c = step->params = g_new0(AeConv, 1);
    AeShape out = step->in[0]->shape;
    const int64_t *size;

    if (!ae_conv_read(step, c, error))
        return FALSE;
    c->dynamic = !step->in[1]->constant && !step->in[1]->trainable;
    size = c->transposed ? c->large : c->small;
    out.dim[1] = c->groups * (c->transposed ? c->large_c : c->small_c);
    for (int i = 2; i < out.rank; i++)
        out.dim[i] = size[3 - out.rank + i];
    step->units = c->n * size[0] * size[1];
    return ae_step_set_output(step, 0, &out, error) && measure(step, c, error);
}

static void conv_rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    const AeConv *c = step->params;
    const int64_t s = c->window.stride[1], pad = c->window.before[1];

    if (ae_conv_forward(c)->winograd)
        ae_conv_winograd_rows(begin, end);
    if (c->transposed) {
        *begin = (*begin + pad + s - ae_window_extent(&c->window, 1)) / s;
        *end = (*end - 1 + pad) / s + 1;
    } else {
        ae_window_inputs(&c->window, 1, begin, end);
    }
}

static int64_t conv_multiply_adds(const AeStep *step)
{
    const AeConv *c = step->params;

    return c->n * c->small[0] * c->small[1] * c->small[2] * c->groups *
           c->taps * c->large_c * c->small_c;
}

/* The two share all functions: each is the other's gradient. */
#define CONV(operator)                                                         \
    {                                                                          \
        .name = operator, .min_in = 2, .max_in = 3, .max_out = 1,              \
        .fuses = TRUE, .margins = TRUE, .plan = conv_plan,                     \
        .prepare = conv_prepare, .forward = conv_forward,                      \
        .backward = conv_backward, .rows = conv_rows,                          \
        .multiply_adds = conv_multiply_adds,                                   \
    }

const AeOperator ae_ops_conv[] = {
    CONV("Conv"),
    CONV("ConvTranspose"),
    {NULL},
};
