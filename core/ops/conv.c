/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv and ConvTranspose in one, two and three dimensions.
 *
 * Both join a large side (Conv's input) and a small side (Conv's output),
 * axis by axis:   large index = small index * stride - pad + tap * dilation.
 *
 *   down  small[o] = sum over taps, i of large[i] * w[o][tap][i]
 *         Conv forward; ConvTranspose's gradient of its input
 *   up    large[i] = sum over taps, o of small[o] * w[o][tap][i]
 *         ConvTranspose forward; Conv's gradient of its input
 *   dw[o][tap][i] += small[o] * large[i], for both
 *
 * (Dumoulin and Visin, A guide to convolution arithmetic, 2016.) Going up, the
 * targets whose index modulo the stride is equal (a phase) see the same taps,
 * and are a plain convolution with them: no zeros are multiplied. Going down is
 * one phase. So one pass, row by row, serves all. Missing axes have size 1; the
 * three are depth, height and width. Weights lie as [small c][taps][large c]
 * in both operators. */
#include <string.h>

#include "ops.h"

/* Of sizes, strides, dilations and pads: their products fit 62 bits. */
#define LIMIT (1 << 30)

/* Along one axis: tap t is kernel element `kernel + t * kernel_step` and looks
 * at source index `j * step + offset + t * offset_step` for target number j of
 * the phase. */
typedef struct {
    int64_t count; /* targets */
    int64_t taps, kernel, kernel_step, offset, offset_step;
} Phase;

typedef struct {
    gboolean up;
    gboolean depthwise; /* one channel a group, on both sides */
    gboolean joined;    /* neighbouring taps along x are one segment */
    gboolean padded;    /* rows are copied with zeros beside them */
    int64_t source[3], target[3];
    int64_t source_c, target_c; /* of a group */
    int64_t step[3];            /* of the source, from one target to the next */
    int64_t phases[3];
    Phase first[3];  /* the only phases, except going up with strides */
    int64_t left;    /* zeros before a row, in pixels */
    int64_t row;     /* floats of a row with its zeros */
    int64_t span[2]; /* rows of depth and height that one target sees, rounded
                        up to powers of two */
    int64_t max_segments;
    int64_t slot;   /* packed floats of one phase and group */
    int64_t packed; /* of all, and the room to sort them in */
    int64_t scratch;
} Pass;

typedef struct {
    int64_t n, groups;
    int64_t large_c, small_c; /* of a group */
    int64_t large[3], small[3], kernel[3], stride[3], dilation[3], pad[3];
    int64_t taps;
    gboolean dynamic; /* the weights are computed: packed in each run */
    Pass down, up;
} Conv;

static int64_t common_divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

static Phase phase_up(const Conv *c, int axis, int64_t p)
{
    const int64_t s = c->stride[axis], dilation = c->dilation[axis];
    const int64_t period = s / common_divisor(s, dilation);
    const int64_t first = p + c->pad[axis];
    Phase phase = {(c->large[axis] - p + s - 1) / s,
                   0,
                   0,
                   -period,
                   0,
                   period * dilation / s};
    int64_t k = 0;

    while (k < period && k < c->kernel[axis] && k * dilation % s != first % s)
        k++;
    if (k == period || k >= c->kernel[axis])
        return phase;
    phase.taps = (c->kernel[axis] - 1 - k) / period + 1;
    phase.kernel = k + (phase.taps - 1) * period;
    phase.offset = (first - phase.kernel * dilation) / s;
    return phase;
}

static Phase phase_down(const Conv *c, int axis)
{
    return (Phase){c->small[axis], c->kernel[axis],  0, 1,
                   -c->pad[axis],  c->dilation[axis]};
}

/* Phase @p along an axis; @room is for those that are not kept. */
static const Phase *phase_of(const Conv *c, const Pass *pass, int axis,
                             int64_t p, Phase *room)
{
    if (p == 0)
        return &pass->first[axis];
    *room = phase_up(c, axis, p);
    return room;
}

/* Rows of the source, with zeros beside them, kept for the next targets. */
typedef struct {
    const Pass *pass;
    const float *source;
    int64_t channels;
    int64_t *keys;         /* which row a slot holds; -1: none */
    const float **segment; /* max_segments pointers */
    float *zero, *slots;
} Rows;

static int64_t aligned(int64_t floats)
{
    return (floats + 15) / 16 * 16;
}

static Rows rows_new(const Conv *c, const Pass *pass, const float *source,
                     float *scratch)
{
    const int64_t slots = pass->span[0] * pass->span[1];
    Rows rows = {pass, source, c->groups * pass->source_c, NULL, NULL,
                 NULL, NULL};

    rows.keys = (int64_t *)scratch;
    scratch += aligned(2 * slots);
    rows.segment = (const float **)scratch;
    scratch += aligned(2 * pass->max_segments);
    rows.zero = scratch;
    rows.slots = scratch + aligned(pass->row);
    for (int64_t i = 0; i < slots; i++)
        rows.keys[i] = -1;
    memset(rows.zero, 0, pass->row * sizeof(float));
    return rows;
}

static const float *padded_row(Rows *rows, int64_t d, int64_t h, int64_t key,
                               const float *row)
{
    const Pass *pass = rows->pass;
    const int64_t slot =
        (d & (pass->span[0] - 1)) * pass->span[1] + (h & (pass->span[1] - 1));
    const int64_t left = pass->left * rows->channels;
    const int64_t length = pass->source[2] * rows->channels;
    float *target = rows->slots + slot * aligned(pass->row);

    if (rows->keys[slot] == key)
        return target;
    memset(target, 0, left * sizeof(float));
    memcpy(target + left, row, length * sizeof(float));
    memset(target + left + length, 0,
           (pass->row - left - length) * sizeof(float));
    rows->keys[slot] = key;
    return target;
}

static const float *row_at(Rows *rows, int64_t n, int64_t d, int64_t h)
{
    const Pass *pass = rows->pass;
    const int64_t key = (n * pass->source[0] + d) * pass->source[1] + h;
    const float *row = rows->source + key * pass->source[2] * rows->channels;

    if (d < 0 || d >= pass->source[0] || h < 0 || h >= pass->source[1])
        return rows->zero;
    return pass->padded ? padded_row(rows, d, h, key, row) : row;
}

/* One target row: which it is along depth and height, its phases there, and
 * the source index that it begins at. */
typedef struct {
    int64_t n, index[2], phase[2], at[2];
    const Phase *axis[2];
    Phase room[2];
} Target;

static void find_phases(const Conv *c, const Pass *pass, Target *t)
{
    for (int a = 0; a < 2; a++) {
        int64_t phase = 0, number = t->index[a];

        if (pass->phases[a] > 1) {
            phase = number % pass->phases[a];
            number /= pass->phases[a];
        }
        t->phase[a] = phase;
        t->at[a] = number * pass->step[a];
        t->axis[a] = phase_of(c, pass, a, phase, &t->room[a]);
    }
}

static void target_first(const Conv *c, const Pass *pass, int64_t unit,
                         Target *t)
{
    t->n = unit / pass->target[1] / pass->target[0];
    t->index[0] = unit / pass->target[1] % pass->target[0];
    t->index[1] = unit % pass->target[1];
    find_phases(c, pass, t);
}

/* The row that follows. */
static void target_next(const Conv *c, const Pass *pass, Target *t)
{
    if (++t->index[1] == pass->target[1]) {
        t->index[1] = 0;
        if (++t->index[0] == pass->target[0]) {
            t->index[0] = 0;
            t->n++;
        }
    }
    find_phases(c, pass, t);
}

/* Fills rows->segment for the first pixel of phase @x; how many. */
static int find_segments(Rows *rows, const Target *t, const Phase *x)
{
    const Pass *pass = rows->pass;
    const int64_t start = (pass->left + x->offset) * rows->channels;
    const int64_t taps = pass->joined ? MIN(x->taps, 1) : x->taps;
    const Phase *d = t->axis[0], *h = t->axis[1];
    int n = 0;

    for (int64_t i = 0; i < d->taps; i++)
        for (int64_t j = 0; j < h->taps; j++) {
            const float *row =
                row_at(rows, t->n, t->at[0] + d->offset + i * d->offset_step,
                       t->at[1] + h->offset + j * h->offset_step);

            for (int64_t k = 0; k < taps; k++)
                rows->segment[n++] =
                    row + start + k * x->offset_step * rows->channels;
        }
    return n;
}

static void next_group(Rows *rows, int segments)
{
    for (int i = 0; i < segments; i++)
        rows->segment[i] += rows->pass->source_c;
}

static int64_t segment_length(const Pass *pass, const Phase *x)
{
    return pass->joined ? x->taps * pass->source_c : pass->source_c;
}

static void depthwise_row(const AeKernels *kernels, const AeConvRow *row, int c)
{
    const AeDepthwiseRow depthwise = {row->segment,
                                      row->segments,
                                      row->in_step,
                                      row->weights,
                                      row->bias,
                                      row->residual,
                                      row->residual_step,
                                      row->out,
                                      row->out_step,
                                      row->n,
                                      c,
                                      row->activation,
                                      row->alpha,
                                      row->slope};

    kernels->depthwise_row(&depthwise);
}

/* The pixels of one phase along x, group by group; @row has been filled but for
 * what depends on the group. */
static void run_groups(const AeKernels *kernels, const Conv *c, Rows *rows,
                       AeConvRow *row)
{
    const Pass *pass = rows->pass;

    if (pass->depthwise) {
        depthwise_row(kernels, row, c->groups);
        return;
    }
    for (int64_t g = 0; g < c->groups; g++) {
        kernels->conv_row(row);
        next_group(rows, row->segments);
        row->weights += pass->slot;
        row->out += row->co;
        row->residual = row->residual ? row->residual + row->co : NULL;
        row->bias = row->bias ? row->bias + row->co : NULL;
        row->slope = row->slope ? row->slope + row->co : NULL;
    }
}

/* Target rows [begin, end) of a pass. @common: bias, activation, out and
 * residual of the whole tensors. */
static void run_pass(const AeKernels *kernels, const Conv *c, const Pass *pass,
                     const float *source, const float *packed,
                     const AeConvRow *common, int64_t begin, int64_t end,
                     float *scratch)
{
    const int64_t channels = c->groups * pass->target_c;
    Rows rows = rows_new(c, pass, source, scratch);
    Target t;

    target_first(c, pass, begin, &t);
    for (int64_t unit = begin; unit < end; unit++, target_next(c, pass, &t)) {
        for (int64_t p = 0; p < pass->phases[2]; p++) {
            Phase room;
            const Phase *x = phase_of(c, pass, 2, p, &room);
            const int64_t at = (unit * pass->target[2] + p) * channels;
            const int64_t phase =
                (t.phase[0] * pass->phases[1] + t.phase[1]) * pass->phases[2] +
                p;
            AeConvRow row = *common;

            row.segments = find_segments(&rows, &t, x);
            row.segment = rows.segment;
            row.k = segment_length(pass, x);
            row.in_step = pass->step[2] * rows.channels;
            row.weights =
                packed + phase * pass->slot * (pass->depthwise ? 1 : c->groups);
            row.out = common->out + at;
            row.out_step = pass->phases[2] * channels;
            row.residual = common->residual ? common->residual + at : NULL;
            row.residual_step = row.out_step;
            row.n = x->count;
            row.co = pass->target_c;
            run_groups(kernels, c, &rows, &row);
        }
    }
}

/* One kernel element between source channel @i and target channel @o. */
static float weight_at(const Conv *c, const Pass *pass, const float *weights,
                       int64_t group, int64_t tap, int64_t i, int64_t o)
{
    const int64_t small = pass->up ? i : o, large = pass->up ? o : i;

    return weights[((group * c->small_c + small) * c->taps + tap) * c->large_c +
                   large];
}

/* The kernel element that tap (@d, @h, @w) of a phase is. */
static int64_t kernel_tap(const Conv *c, const Phase *const axis[3], int64_t d,
                          int64_t h, int64_t w)
{
    const int64_t kd = axis[0]->kernel + d * axis[0]->kernel_step;
    const int64_t kh = axis[1]->kernel + h * axis[1]->kernel_step;
    const int64_t kw = axis[2]->kernel + w * axis[2]->kernel_step;

    return (kd * c->kernel[1] + kh) * c->kernel[2] + kw;
}

static void pack_phase(const AeKernels *kernels, const Conv *c,
                       const Pass *pass, const Phase *const axis[3],
                       int64_t group, const float *weights, float *sorted,
                       float *packed)
{
    const int64_t k = segment_length(pass, axis[2]);
    const int64_t segments =
        axis[0]->taps * axis[1]->taps *
        (pass->joined ? MIN(axis[2]->taps, 1) : axis[2]->taps);
    float *next = sorted;

    for (int64_t d = 0; d < axis[0]->taps; d++)
        for (int64_t h = 0; h < axis[1]->taps; h++)
            for (int64_t w = 0; w < axis[2]->taps; w++) {
                const int64_t tap = kernel_tap(c, axis, d, h, w);

                for (int64_t i = 0; i < pass->source_c; i++)
                    for (int64_t o = 0; o < pass->target_c; o++)
                        *next++ = weight_at(c, pass, weights, group, tap, i, o);
            }
    kernels->conv_pack(packed, segments, k, pass->target_c, sorted,
                       k * pass->target_c, pass->target_c, 1);
}

static void pack_depthwise(const Conv *c, const Pass *pass,
                           const Phase *const axis[3], const float *weights,
                           float *packed)
{
    for (int64_t d = 0; d < axis[0]->taps; d++)
        for (int64_t h = 0; h < axis[1]->taps; h++)
            for (int64_t w = 0; w < axis[2]->taps; w++) {
                const int64_t tap = kernel_tap(c, axis, d, h, w);

                for (int64_t g = 0; g < c->groups; g++)
                    *packed++ = weight_at(c, pass, weights, g, tap, 0, 0);
            }
}

static void pack(const AeKernels *kernels, const Conv *c, const Pass *pass,
                 const float *weights, float *packed)
{
    float *sorted = packed + pass->packed -
                    aligned(c->taps * pass->source_c * pass->target_c);
    const Phase *axis[3];
    Phase room[3];

    for (int64_t d = 0; d < pass->phases[0]; d++)
        for (int64_t h = 0; h < pass->phases[1]; h++)
            for (int64_t w = 0; w < pass->phases[2]; w++) {
                axis[0] = phase_of(c, pass, 0, d, &room[0]);
                axis[1] = phase_of(c, pass, 1, h, &room[1]);
                axis[2] = phase_of(c, pass, 2, w, &room[2]);
                if (pass->depthwise) {
                    pack_depthwise(c, pass, axis, weights, packed);
                    packed += pass->slot;
                    continue;
                }
                for (int64_t g = 0; g < c->groups; g++) {
                    pack_phase(kernels, c, pass, axis, g, weights, sorted,
                               packed);
                    packed += pass->slot;
                }
            }
}

static gboolean is_transposed(const AeStep *step)
{
    return strcmp(step->op->name, "ConvTranspose") == 0;
}

static const Pass *forward_pass(const AeStep *step, const Conv *c)
{
    return is_transposed(step) ? &c->up : &c->down;
}

static const Pass *backward_pass(const AeStep *step, const Conv *c)
{
    return is_transposed(step) ? &c->down : &c->up;
}

/* Rows of the output. */
static int64_t output_rows(const AeStep *step)
{
    const Conv *c = step->params;
    const Pass *pass = forward_pass(step, c);

    return c->n * pass->target[0] * pass->target[1];
}

static void pack_all(const AeStep *step, float *packed)
{
    const Conv *c = step->params;
    const Pass *pass = forward_pass(step, c);

    pack(step->kernels, c, pass, step->in[1]->data, packed);
    if (step->gradients)
        pack(step->kernels, c, backward_pass(step, c), step->in[1]->data,
             packed + pass->packed);
}

static void conv_prepare(AeStep *step)
{
    const Conv *c = step->params;

    if (!c->dynamic)
        pack_all(step, step->packed);
}

/* The packed weights; computed ones are packed into @scratch, which then moves
 * on. */
static const float *packed_weights(const AeStep *step, float **scratch)
{
    const Conv *c = step->params;
    float *packed = *scratch;

    if (!c->dynamic)
        return step->packed;
    pack_all(step, packed);
    *scratch += c->down.packed + c->up.packed;
    return packed;
}

static void conv_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch)
{
    const Conv *c = step->params;
    const float *packed = packed_weights(step, &scratch);
    AeConvRow row = {
        .bias = ae_step_has(step, 2) ? step->in[2]->data : NULL,
        .residual = step->residual ? step->residual->data : NULL,
        .out = step->out[0]->data,
        .activation = step->activation,
        .alpha = step->alpha,
    };

    if (row.activation == AE_ACTIVATION_PRELU) {
        row.slope = step->slope->data;
        if (ae_shape_elements(&step->slope->shape) == 1) {
            row.activation = AE_ACTIVATION_LEAKY_RELU;
            row.alpha = row.slope[0];
            row.slope = NULL;
        }
    }
    run_pass(step->kernels, c, forward_pass(step, c), step->in[0]->data, packed,
             &row, begin, c->dynamic ? output_rows(step) : end, scratch);
}

static void depthwise_weights(const AeConvWeights *row, int64_t channels)
{
    for (int s = 0; s < row->segments; s++) {
        float *weight = row->weight + s * channels;

        for (int64_t x = 0; x < row->n; x++) {
            const float *in = row->segment[s] + x * row->in_step;
            const float *g = row->gradient + x * row->gradient_step;

            for (int64_t i = 0; i < channels; i++)
                weight[i] += in[i] * g[i];
        }
    }
}

static void weights_row(const AeKernels *kernels, const Conv *c, Rows *rows,
                        AeConvWeights *row)
{
    if (rows->pass->depthwise) {
        depthwise_weights(row, c->groups);
        return;
    }
    for (int64_t g = 0; g < c->groups; g++) {
        kernels->conv_weights(row);
        next_group(rows, row->segments);
        row->gradient += c->small_c;
        row->weight += c->taps * c->large_c * c->small_c;
    }
}

/* @sums lie as [group][tap][large c][small c], those of a depthwise
 * convolution as [tap][c]. */
static void add_weights(const Conv *c, const float *sums, float *gradient)
{
    const gboolean depthwise = c->down.depthwise;
    const int64_t inputs = c->taps * c->large_c;

    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t i = 0; i < inputs; i++)
            for (int64_t o = 0; o < c->small_c; o++)
                gradient[(g * c->small_c + o) * inputs + i] +=
                    depthwise ? sums[i * c->groups + g]
                              : sums[(g * inputs + i) * c->small_c + o];
}

static int64_t weight_count(const Conv *c)
{
    return c->groups * c->taps * c->large_c * c->small_c;
}

static void weights_backward(const AeStep *step, const float *small,
                             const float *large, float *scratch)
{
    const Conv *c = step->params;
    const Pass *pass = &c->down;
    const int64_t channels = c->groups * c->small_c;
    const int64_t units = c->n * c->small[0] * c->small[1];
    const Phase *x = &pass->first[2];
    float *sums = scratch;
    Rows rows = rows_new(c, pass, large, scratch + aligned(weight_count(c)));
    Target t;

    memset(sums, 0, weight_count(c) * sizeof(float));
    target_first(c, pass, 0, &t);
    for (int64_t unit = 0; unit < units; unit++, target_next(c, pass, &t)) {
        AeConvWeights row = {
            .segment = rows.segment,
            .segments = find_segments(&rows, &t, x),
            .k = segment_length(pass, x),
            .in_step = pass->step[2] * rows.channels,
            .gradient = small + unit * c->small[2] * channels,
            .gradient_step = channels,
            .n = c->small[2],
            .co = c->small_c,
            .weight = sums,
        };

        weights_row(step->kernels, c, &rows, &row);
    }
    add_weights(c, sums, step->in[1]->grad);
}

/* Floats of an output row. */
static int64_t output_row(const AeStep *step)
{
    const AeShape *out = &step->out[0]->shape;

    return out->dim[1] * out->dim[out->rank - 1];
}

/* Rows are summed into one before its pixels are, which keeps roundings
 * small. */
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
    const Conv *c = step->params;
    const Pass *pass = backward_pass(step, c);
    const AeConvRow row = {
        .residual = step->accumulate[0] ? step->in[0]->grad : NULL,
        .out = step->in[0]->grad,
    };

    run_pass(step->kernels, c, pass, step->out[0]->grad, packed, &row, 0,
             c->n * pass->target[0] * pass->target[1], scratch);
}

/* Gradients of weights and bias add to what is there, which is the trainer's
 * sum; those of computed operands may have to be begun. */
static void begin_gradient(const AeStep *step, int i)
{
    if (!step->accumulate[i] && !step->in[i]->trainable)
        memset(step->in[i]->grad, 0,
               ae_shape_elements(&step->in[i]->shape) * sizeof(float));
}

static void conv_backward(const AeStep *step, float *scratch)
{
    const Conv *c = step->params;
    const float *packed = packed_weights(step, &scratch);
    const AeOperand *in = step->in[0], *out = step->out[0];

    if (step->activation != AE_ACTIVATION_NONE)
        step->kernels->activate_gradient(out->grad, out->data, out->grad,
                                         ae_shape_elements(&out->shape),
                                         step->activation, step->alpha, FALSE);
    if (in->grad)
        input_backward(step, packed + forward_pass(step, c)->packed, scratch);
    if (step->in[1]->grad) {
        begin_gradient(step, 1);
        if (is_transposed(step))
            weights_backward(step, in->data, out->grad, scratch);
        else
            weights_backward(step, out->grad, in->data, scratch);
    }
    if (ae_step_has(step, 2) && step->in[2]->grad) {
        begin_gradient(step, 2);
        bias_backward(step, scratch);
    }
}

/* Sets what the source's rows need: zeros beside them, and how many are in use
 * at once. */
static void measure_rows(const Conv *c, Pass *pass)
{
    int64_t low = 0, high = pass->source[2] - 1;

    for (int64_t p = 0; p < pass->phases[2]; p++) {
        Phase room;
        const Phase *x = phase_of(c, pass, 2, p, &room);

        if (x->taps == 0)
            continue;
        low = MIN(low, x->offset);
        high = MAX(high, (x->count - 1) * pass->step[2] + x->offset +
                             (x->taps - 1) * x->offset_step);
    }
    pass->left = -low;
    pass->row = (high + 1 - low) * c->groups * pass->source_c;
    pass->padded = low < 0 || high > pass->source[2] - 1;
    for (int a = 0; a < 2; a++) {
        const Phase *x = &pass->first[a];
        const int64_t most = (c->kernel[a] - 1) / ABS(x->kernel_step);

        pass->span[a] = 1;
        while (pass->span[a] < MIN(most * x->offset_step + 1, pass->source[a]))
            pass->span[a] *= 2;
    }
}

/* Phases have between no taps and most[]: the packed size of the largest. */
static int64_t largest_slot(const AeKernels *kernels, const Conv *c,
                            const Pass *pass, const int64_t most[3])
{
    size_t largest = 0;

    if (pass->depthwise)
        return aligned(c->groups * most[0] * most[1] * most[2]);
    for (int i = 0; i < 8; i++) {
        const int64_t rows = (most[0] - (i & 1)) * (most[1] - (i >> 1 & 1));
        const int64_t taps = most[2] - (i >> 2);
        const int64_t k = pass->joined ? taps * pass->source_c : pass->source_c;

        largest =
            MAX(largest, kernels->conv_packed(pass->joined ? rows : rows * taps,
                                              k, pass->target_c));
    }
    return aligned(largest);
}

static gboolean measure_packed(const AeKernels *kernels, const Conv *c,
                               Pass *pass)
{
    const int64_t groups = pass->depthwise ? 1 : c->groups;
    const int64_t rows = aligned(pass->row);
    int64_t most[3], slots;

    for (int a = 0; a < 3; a++)
        most[a] = (c->kernel[a] - 1) / ABS(pass->first[a].kernel_step) + 1;
    pass->max_segments = most[0] * most[1] * (pass->joined ? 1 : most[2]);
    pass->slot = largest_slot(kernels, c, pass, most);
    slots = pass->phases[0] * pass->phases[1];
    if (__builtin_mul_overflow(slots, pass->phases[2] * groups, &slots) ||
        __builtin_mul_overflow(slots, pass->slot, &pass->packed) ||
        __builtin_mul_overflow(pass->span[0] * pass->span[1],
                               pass->padded ? rows : 1, &pass->scratch))
        return FALSE;
    pass->packed += aligned(c->taps * pass->source_c * pass->target_c);
    pass->scratch += aligned(2 * pass->span[0] * pass->span[1]) +
                     aligned(2 * pass->max_segments) + rows;
    return pass->packed < G_MAXINT64 / 16 && pass->scratch < G_MAXINT64 / 16;
}

static gboolean pass_init(const AeKernels *kernels, const Conv *c, Pass *pass,
                          gboolean up)
{
    pass->up = up;
    pass->source_c = up ? c->small_c : c->large_c;
    pass->target_c = up ? c->large_c : c->small_c;
    pass->depthwise = c->groups > 1 && c->small_c == 1 && c->large_c == 1;
    for (int a = 0; a < 3; a++) {
        pass->source[a] = up ? c->small[a] : c->large[a];
        pass->target[a] = up ? c->large[a] : c->small[a];
        pass->step[a] = up ? 1 : c->stride[a];
        pass->phases[a] = up ? MIN(c->stride[a], c->large[a]) : 1;
        pass->first[a] = up ? phase_up(c, a, 0) : phase_down(c, a);
    }
    pass->joined = c->groups == 1 &&
                   (c->kernel[2] == 1 || pass->first[2].offset_step == 1);
    measure_rows(c, pass);
    return measure_packed(kernels, c, pass);
}

/* One number an axis from the attribute @name, or @fallback. @lists is 2 for
 * pads: those of the ends follow those of the beginnings. */
static gboolean read_axes(const AeStep *step, const char *name, int spatial,
                          int lists, int64_t least, int64_t fallback,
                          int64_t *values, GError **error)
{
    int n;
    const int64_t *ints = ae_node_ints(step->node, name, &n);

    if (ints && n != lists * spatial)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%s must hold %d numbers, but holds %d", name,
                            lists * spatial, n);
    for (int i = 0; i < 3 * lists; i++)
        values[i] = fallback;
    for (int i = 0; ints && i < n; i++) {
        const int list = i / spatial, axis = i % spatial + 3 - spatial;

        if (ints[i] < least || ints[i] > LIMIT)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "%s must lie between %d and %d, but one is "
                                "%" G_GINT64_FORMAT,
                                name, (int)least, LIMIT, ints[i]);
        values[3 * list + axis] = ints[i];
    }
    return TRUE;
}

static gboolean check_shapes(const AeStep *step, GError **error)
{
    const AeShape *in = &step->in[0]->shape, *w = &step->in[1]->shape;

    if (in->rank < 3 || in->rank > 5)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the input must be of rank 3, 4 or 5, but is of "
                            "rank %d",
                            in->rank);
    if (w->rank != in->rank)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the weights must be of rank %d as the input is, "
                            "but are of rank %d",
                            in->rank, w->rank);
    for (int i = 0; i < in->rank; i++)
        if (in->dim[i] > LIMIT || w->dim[i] > LIMIT || w->dim[i] < 1 ||
            (i > 0 && in->dim[i] < 1))
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "axis %d of the input or the weights is empty "
                                "or longer than %d",
                                i, LIMIT);
    return TRUE;
}

static gboolean read_channels(const AeStep *step, Conv *c, GError **error)
{
    const AeShape *in = &step->in[0]->shape, *w = &step->in[1]->shape;
    const gboolean transposed = is_transposed(step);
    const int64_t expected =
        transposed ? w->dim[0] : w->dim[1] * MAX(c->groups, 1);

    if (c->groups < 1 || w->dim[0] % c->groups != 0)
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "%" G_GINT64_FORMAT " channels cannot be split "
                            "into %" G_GINT64_FORMAT " groups",
                            w->dim[0], c->groups);
    if (in->dim[1] != expected)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the input has %" G_GINT64_FORMAT
                            " channels, but the weights are for "
                            "%" G_GINT64_FORMAT,
                            in->dim[1], expected);
    c->n = in->dim[0];
    c->small_c = w->dim[0] / c->groups;
    c->large_c = w->dim[1];
    return TRUE;
}

static gboolean check_bias(const AeStep *step, int64_t channels, GError **error)
{
    if (!ae_step_has(step, 2))
        return TRUE;
    if (step->in[2]->shape.rank != 1 || step->in[2]->shape.dim[0] != channels)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the bias must hold %" G_GINT64_FORMAT
                            " numbers, one a channel",
                            channels);
    return TRUE;
}

static gboolean read_kernel(const AeStep *step, Conv *c, int spatial,
                            GError **error)
{
    const AeShape *w = &step->in[1]->shape;
    int64_t kernel[6];

    if (!read_axes(step, "kernel_shape", spatial, 1, 1, 0, kernel, error) ||
        !read_axes(step, "strides", spatial, 1, 1, 1, c->stride, error) ||
        !read_axes(step, "dilations", spatial, 1, 1, 1, c->dilation, error))
        return FALSE;
    c->taps = 1;
    for (int a = 0; a < 3; a++) {
        const int axis = a - 3 + spatial;

        c->kernel[a] = axis < 0 ? 1 : w->dim[2 + axis];
        if (axis >= 0 && kernel[a] && kernel[a] != c->kernel[a])
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "kernel_shape is not that of the weights");
        c->taps *= c->kernel[a];
    }
    if (c->taps * MAX(c->large_c, c->small_c) > LIMIT)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the kernel is too large");
    return TRUE;
}

/* Pads at the beginning and the end so that @total are used up: SAME_UPPER puts
 * the odd one at the end. */
static void split_pads(int64_t pads[6], int axis, int64_t total, gboolean upper)
{
    total = MAX(total, 0);
    pads[axis] = upper ? total / 2 : total - total / 2;
    pads[axis + 3] = total - pads[axis];
}

typedef enum { PAD_NOTSET, PAD_VALID, PAD_UPPER, PAD_LOWER } AutoPad;

static gboolean read_auto_pad(const AeStep *step, AutoPad *result,
                              GError **error)
{
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER",
                                        "SAME_LOWER"};
    const char *name = ae_node_string(step->node, "auto_pad", "NOTSET");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0) {
            *result = (AutoPad)i;
            return TRUE;
        }
    return ae_step_fail(step, error, AE_ERROR_VALUE,
                        "auto_pad must be NOTSET, VALID, SAME_UPPER or "
                        "SAME_LOWER, not '%s'",
                        name);
}

/* What the kernel covers along an axis. */
static int64_t extent(const Conv *c, int axis)
{
    return (c->kernel[axis] - 1) * c->dilation[axis] + 1;
}

/* Sets the small side, Conv's output, and the pads. */
static gboolean size_small(const AeStep *step, Conv *c, AutoPad automatic,
                           int64_t pads[6], GError **error)
{
    for (int a = 0; a < 3; a++) {
        const int64_t s = c->stride[a];
        int64_t room;

        if (automatic >= PAD_UPPER)
            split_pads(pads, a,
                       ((c->large[a] + s - 1) / s - 1) * s + extent(c, a) -
                           c->large[a],
                       automatic == PAD_UPPER);
        room = c->large[a] + pads[a] + pads[a + 3] - extent(c, a);
        if (room < 0)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the kernel covers %" G_GINT64_FORMAT
                                " elements, but the padded input has only "
                                "%" G_GINT64_FORMAT,
                                extent(c, a), room + extent(c, a));
        c->small[a] = room / s + 1;
        c->pad[a] = pads[a];
    }
    return TRUE;
}

static gboolean read_output_shape(const AeStep *step, int spatial,
                                  int64_t shape[6], gboolean *given,
                                  GError **error)
{
    int n;

    *given = ae_node_ints(step->node, "output_shape", &n) != NULL;
    return read_axes(step, "output_shape", spatial, 1, 1, 1, shape, error);
}

/* Sets the large side, ConvTranspose's output, and the pads. */
static gboolean size_large(const AeStep *step, Conv *c, int spatial,
                           AutoPad automatic, int64_t pads[6], GError **error)
{
    int64_t extra[6], shape[6];
    gboolean given;

    if (!read_axes(step, "output_padding", spatial, 1, 0, 0, extra, error) ||
        !read_output_shape(step, spatial, shape, &given, error))
        return FALSE;
    for (int a = 0; a < 3; a++) {
        const int64_t all =
            c->stride[a] * (c->small[a] - 1) + extra[a] + extent(c, a);

        c->large[a] = all - pads[a] - pads[a + 3];
        if (given)
            c->large[a] = shape[a];
        else if (automatic >= PAD_UPPER)
            c->large[a] = c->small[a] * c->stride[a];
        if (given || automatic >= PAD_UPPER)
            split_pads(pads, a, all - c->large[a], automatic == PAD_UPPER);
        if (c->large[a] < 1 || c->large[a] > LIMIT)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the output would have %" G_GINT64_FORMAT
                                " elements along an axis",
                                c->large[a]);
        c->pad[a] = pads[a];
    }
    return TRUE;
}

static gboolean read_sizes(const AeStep *step, Conv *c, int spatial,
                           GError **error)
{
    const gboolean transposed = is_transposed(step);
    int64_t pads[6], *in = transposed ? c->small : c->large;
    AutoPad automatic = PAD_NOTSET;

    for (int a = 0; a < 3; a++)
        in[a] = a < 3 - spatial ? 1 : step->in[0]->shape.dim[a - 1 + spatial];
    if (!read_auto_pad(step, &automatic, error) ||
        !read_axes(step, "pads", spatial, 2, 0, 0, pads, error))
        return FALSE;
    if (automatic != PAD_NOTSET)
        memset(pads, 0, sizeof pads);
    if (transposed)
        return size_large(step, c, spatial, automatic, pads, error);
    return size_small(step, c, automatic, pads, error);
}

static gboolean measure(AeStep *step, Conv *c, GError **error)
{
    const AeOperand *w = step->in[1];
    const Pass *forward = forward_pass(step, c);

    if (!pass_init(step->kernels, c, &c->down, FALSE) ||
        !pass_init(step->kernels, c, &c->up, TRUE))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "the convolution needs too much memory");
    c->dynamic = !w->constant && !w->trainable;
    step->packed_size = forward->packed;
    step->scratch = forward->scratch;
    step->row_units = step->in[0]->shape.rank == 4 && !c->dynamic;
    if (step->gradients) {
        step->packed_size = c->down.packed + c->up.packed;
        step->scratch_backward =
            MAX(c->up.scratch, c->down.scratch + aligned(weight_count(c))) +
            aligned(output_row(step));
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
    const int spatial = step->in[0]->shape.rank - 2;
    Conv *c = step->params = g_new0(Conv, 1);
    AeShape out = step->in[0]->shape;
    const int64_t *size = is_transposed(step) ? c->large : c->small;

    c->groups = ae_node_int(step->node, "group", 1);
    if (!check_shapes(step, error) || !read_channels(step, c, error) ||
        !read_kernel(step, c, spatial, error) ||
        !read_sizes(step, c, spatial, error))
        return FALSE;
    out.dim[1] = c->groups * (is_transposed(step) ? c->large_c : c->small_c);
    for (int i = 0; i < spatial; i++)
        out.dim[2 + i] = size[3 - spatial + i];
    step->units = c->n * size[0] * size[1];
    return check_bias(step, out.dim[1], error) &&
           ae_step_set_output(step, 0, &out, error) && measure(step, c, error);
}

static void conv_rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    const Conv *c = step->params;
    const int64_t s = c->stride[1], pad = c->pad[1];
    const int64_t reach = extent(c, 1) - 1;

    if (is_transposed(step)) {
        *begin = (*begin + pad - reach + s - 1) / s;
        *end = (*end - 1 + pad) / s + 1;
    } else {
        *begin = *begin * s - pad;
        *end = (*end - 1) * s - pad + reach + 1;
    }
}

static int64_t conv_multiply_adds(const AeStep *step)
{
    const Conv *c = step->params;

    return c->n * c->small[0] * c->small[1] * c->small[2] * weight_count(c);
}

const AeOperator ae_ops_conv[] = {
    {.name = "Conv",
     .min_in = 2,
     .max_in = 3,
     .max_out = 1,
     .fuses = TRUE,
     .plan = conv_plan,
     .prepare = conv_prepare,
     .forward = conv_forward,
     .backward = conv_backward,
     .rows = conv_rows,
     .multiply_adds = conv_multiply_adds},
    {.name = "ConvTranspose",
     .min_in = 2,
     .max_in = 3,
     .max_out = 1,
     .fuses = TRUE,
     .plan = conv_plan,
     .prepare = conv_prepare,
     .forward = conv_forward,
     .backward = conv_backward,
     .rows = conv_rows,
     .multiply_adds = conv_multiply_adds},
    {NULL},
};
