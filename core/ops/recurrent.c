/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LSTM, GRU and RNN.
 *
 * LSTM (Hochreiter and Schmidhuber, Neural Computation 1997; forget gates: Gers
 * et al. 2000), forward and back through time. One time step, with gates i, o,
 * f and g (ONNX's c) and the logistic function s:
 *
 *   i = s(x Wi + h Ri + bi + Pi c)        c' = f c + i g
 *   f = s(x Wf + h Rf + bf + Pf c)        h' = o tanh(c')
 *   g = tanh(x Wg + h Rg + bg)
 *   o = s(x Wo + h Ro + bo + Po c')
 *
 * GRU (Cho et al., 2014), with gates z, r and g (ONNX's h), forward only:
 *
 *   z = s(x Wz + h Rz + bz)      g = tanh(x Wg + (r h) Rg + bg), or with
 *   r = s(x Wr + h Rr + br)          tanh(x Wg + r (h Rg + b'g) + bg)
 *                                    if linear_before_reset is set
 *   h' = (1 - z) g + z h
 *
 * RNN, forward only: h' = tanh(x W + h R + b), or relu in place of tanh.
 *
 * A unit is one direction of a block of sequences, over all time steps. Its
 * memory is ordered by step, sequence and number. So one product of matrices
 * covers many steps, for the inputs and for the gradients of the weights. W is
 * stored as inputs x gates hidden, R as hidden x gates hidden (tensor.h).
 *
 * All sequences have one length; activations are ONNX's defaults; there is no
 * clipping. Peepholes (P) are not trained. */
#include <string.h>

#include "base/gemm.h"
#include "ops/gradient.h"

enum { X, W, R, B, LENGTHS, H0, C0, P };
enum { Y, Y_H, Y_C };

#define ROWS 64 /* sequences of a block */
#define PRODUCT                                                                \
    1024 /* rows of a product with W, if sequences are long enough */

typedef enum { LSTM, GRU, RNN } Kind;

/* What the operators do differently. */
static const struct {
    const char *name;
    int gates;
    int activations;      /* of a direction */
    const char *usual[3]; /* the activations that they have */
} kinds[] = {
    [LSTM] = {"LSTM", 4, 3, {"Sigmoid", "Tanh", "Tanh"}},
    [GRU] = {"GRU", 3, 2, {"Sigmoid", "Tanh"}},
    [RNN] = {"RNN", 1, 1, {"Tanh"}},
};

typedef struct {
    Kind kind;
    int64_t gates;
    gboolean relu;         /* of RNN */
    gboolean linear_first; /* of GRU: linear_before_reset */
    int64_t steps, n, inputs, hidden, directions;
    gboolean reverse; /* the first direction begins with the last step */
    gboolean batch_first;
    int64_t blocks;
    int64_t rows;  /* sequences of a whole block */
    int64_t chunk; /* steps whose inputs are multiplied at once */
} Lstm;

typedef struct {
    int64_t direction, first, rows;
    float *x;     /* steps x rows x inputs */
    float *gates; /* steps x rows x gates x hidden: i, o, f, g; z, r, g */
    float *h, *c; /* before each step and after the last: rows x hidden; GRU has
                     an intermediate result in c */
} Block;

/* How the numbers of a block lie in an operand: strides between steps, in the
 * order of computation, between sequences and between numbers. */
typedef struct {
    float *data;
    int64_t stride[3];
} View;

static gboolean check_activations(const AeStep *step, Lstm *lstm,
                                  GError **error)
{
    int n, each = kinds[lstm->kind].activations;
    const char *const *names = ae_node_strings(step->node, "activations", &n);

    if (names != NULL && n != each * lstm->directions)
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "expected %d activations a direction, found %d in "
                            "all",
                            each, n);
    lstm->relu = lstm->kind == RNN && names != NULL &&
                 g_ascii_strcasecmp(names[0], "Relu") == 0;
    for (int i = 0; names != NULL && i < n; i++) {
        const char *usual = kinds[lstm->kind].usual[i % each];

        if (g_ascii_strcasecmp(names[i], lstm->relu ? "Relu" : usual) != 0)
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "the activation '%s' in the place of %s is "
                                "not supported",
                                names[i], lstm->relu ? "Relu" : usual);
    }
    return TRUE;
}

static gboolean read_attributes(const AeStep *step, Lstm *lstm, GError **error)
{
    const char *direction = ae_node_string(step->node, "direction", "forward");
    int n;

    lstm->reverse = g_str_equal(direction, "reverse");
    lstm->directions = g_str_equal(direction, "bidirectional") ? 2 : 1;
    lstm->batch_first = ae_node_int(step->node, "layout", 0) != 0;
    lstm->linear_first = lstm->kind == GRU &&
                         ae_node_int(step->node, "linear_before_reset", 0) != 0;
    if (!lstm->reverse && lstm->directions == 1 &&
        !g_str_equal(direction, "forward"))
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "there is no direction '%s'", direction);
    if (ae_node_floats(step->node, "clip", &n) != NULL)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "clip is not supported");
    if (ae_node_int(step->node, "input_forget", 0) != 0)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "input_forget is not supported");
    return check_activations(step, lstm, error);
}

/* Reads sizes from X and R; other shapes must agree with them. */
static gboolean read_sizes(const AeStep *step, Lstm *lstm, GError **error)
{
    const AeShape *x = &step->in[X]->shape, *r = &step->in[R]->shape;
    int64_t size;

    if (x->rank != 3 || r->rank != 3)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected three axes of X and R, found %d and %d",
                            x->rank, r->rank);
    lstm->steps = x->dim[lstm->batch_first ? 1 : 0];
    lstm->n = x->dim[lstm->batch_first ? 0 : 1];
    lstm->inputs = x->dim[2];
    lstm->hidden = r->dim[2];
    if (MAX(lstm->steps, lstm->n) > G_MAXINT ||
        MAX(lstm->steps * lstm->n, lstm->inputs) > G_MAXINT ||
        lstm->hidden > G_MAXINT / 8)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its matrices are too large");
    size = ae_node_int(step->node, "hidden_size", lstm->hidden);
    if (size != lstm->hidden)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "hidden_size is %" G_GINT64_FORMAT
                            ", but R has %" G_GINT64_FORMAT,
                            size, lstm->hidden);
    return TRUE;
}

static AeShape state_shape(const Lstm *lstm)
{
    return lstm->batch_first
               ? (AeShape){3, {lstm->n, lstm->directions, lstm->hidden}}
               : (AeShape){3, {lstm->directions, lstm->n, lstm->hidden}};
}

static gboolean check_shape(const AeStep *step, int i, AeShape expected,
                            GError **error)
{
    static const char *const names[] = {
        "X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"};

    if (!ae_step_has(step, i) || ae_shape_equal(&step->in[i]->shape, &expected))
        return TRUE;
    g_autofree char *should = ae_shape_to_string(&expected);
    g_autofree char *is = ae_shape_to_string(&step->in[i]->shape);
    return ae_step_fail(step, error, AE_ERROR_SHAPE,
                        "expected %s of shape %s, found %s", names[i], should,
                        is);
}

static gboolean check_lengths(const AeStep *step, const Lstm *lstm,
                              GError **error)
{
    const AeOperand *lengths =
        ae_step_has(step, LENGTHS) ? step->in[LENGTHS] : NULL;

    if (lengths != NULL && !lengths->constant)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "sequence_lens must be a constant");
    for (int64_t i = 0; lengths != NULL && i < lstm->n; i++)
        if (lengths->data[i] != (float)lstm->steps)
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "sequences of several lengths are not "
                                "supported: sequence_lens must be left out or "
                                "the number of steps");
    return TRUE;
}

static gboolean check_inputs(const AeStep *step, const Lstm *lstm,
                             GError **error)
{
    int64_t d = lstm->directions, hidden = lstm->hidden;
    int64_t width = lstm->gates * hidden;

    if (!check_shape(step, W, (AeShape){3, {d, width, lstm->inputs}}, error) ||
        !check_shape(step, R, (AeShape){3, {d, width, hidden}}, error) ||
        !check_shape(step, B, (AeShape){2, {d, 2 * width}}, error) ||
        !check_shape(step, LENGTHS, (AeShape){1, {lstm->n}}, error) ||
        !check_shape(step, H0, state_shape(lstm), error) ||
        !check_shape(step, C0, state_shape(lstm), error) ||
        !check_shape(step, P, (AeShape){2, {d, 3 * hidden}}, error))
        return FALSE;
    if (ae_step_has(step, P) && step->gradients)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "peepholes cannot be trained through");
    return check_lengths(step, lstm, error);
}

static gboolean set_outputs(AeStep *step, const Lstm *lstm, GError **error)
{
    AeShape y =
        lstm->batch_first
            ? (AeShape){4,
                        {lstm->n, lstm->steps, lstm->directions, lstm->hidden}}
            : (AeShape){4,
                        {lstm->steps, lstm->directions, lstm->n, lstm->hidden}};
    AeShape state = state_shape(lstm);
    int64_t count;

    return ae_step_set_output(step, Y, &y, error) &&
           ae_step_set_output(step, Y_H, &state, error) &&
           ae_step_set_output(step, Y_C, &state, error) &&
           ae_shape_count(&y, &count, error);
}

/* Floats of a block's memory for each sequence, with @steps steps. */
static int64_t memory_of(const Lstm *lstm, int64_t steps)
{
    return steps * (lstm->inputs + lstm->gates * lstm->hidden) +
           (steps + 1) * 2 * lstm->hidden;
}

static gboolean lstm_plan(AeStep *step, GError **error)
{
    Lstm *lstm = g_new0(Lstm, 1);

    step->params = lstm;
    while (!g_str_equal(kinds[lstm->kind].name, step->op->name))
        lstm->kind++;
    lstm->gates = kinds[lstm->kind].gates;
    if (!read_attributes(step, lstm, error) || !read_sizes(step, lstm, error) ||
        !check_inputs(step, lstm, error) || !set_outputs(step, lstm, error))
        return FALSE;
    step->images = ROWS;
    lstm->rows = MIN(lstm->n, ROWS);
    lstm->blocks = (lstm->n + ROWS - 1) / ROWS;
    step->units = lstm->hidden > 0 ? lstm->directions * lstm->blocks : 0;
    if (step->units == 0)
        return TRUE;
    lstm->chunk = CLAMP(PRODUCT / lstm->rows, 1, MAX(lstm->steps, 1));
    step->scratch = (size_t)(lstm->rows * memory_of(lstm, lstm->chunk));
    step->saved_size =
        (size_t)(lstm->directions * lstm->n * memory_of(lstm, lstm->steps));
    step->scratch_backward = (size_t)((3 * lstm->rows + 4) * lstm->hidden);
    return TRUE;
}

/* The memory of a block: in step->saved, which backward reads, or for a few
 * steps in @scratch if there is no backward. */
static Block get_block(const AeStep *step, int64_t unit, float *scratch)
{
    const Lstm *lstm = step->params;
    int64_t steps = step->saved != NULL ? lstm->steps : lstm->chunk;
    Block b = {.direction = unit / lstm->blocks,
               .first = unit % lstm->blocks * ROWS};

    b.rows = MIN(ROWS, lstm->n - b.first);
    b.x = scratch;
    if (step->saved != NULL)
        b.x = step->saved +
              (b.direction * lstm->n + b.first) * memory_of(lstm, lstm->steps);
    b.gates = b.x + steps * b.rows * lstm->inputs;
    b.h = b.gates + steps * b.rows * lstm->gates * lstm->hidden;
    b.c = b.h + (steps + 1) * b.rows * lstm->hidden;
    return b;
}

/* X (steps, n, inputs), Y (steps, directions, n, hidden), or with n first. */
static View view_sequence(const AeStep *step, const Block *b,
                          const AeOperand *operand, float *data)
{
    const Lstm *lstm = step->params;
    const int64_t *stride = operand->stride;
    int last = operand->shape.rank - 1;
    int time = lstm->batch_first ? 1 : 0;
    int row = lstm->batch_first ? 0 : last - 1;
    View view = {data, {stride[time], stride[row], stride[last]}};

    view.data += b->first * stride[row];
    if (last == 3)
        view.data += b->direction * stride[lstm->batch_first ? 2 : 1];
    if (lstm->reverse || b->direction == 1) {
        view.data += (lstm->steps - 1) * stride[time];
        view.stride[0] = -stride[time];
    }
    return view;
}

/* A state (directions, n, hidden), or with n first. */
static View view_state(const AeStep *step, const Block *b,
                       const AeOperand *operand, float *data)
{
    const Lstm *lstm = step->params;
    const int64_t *stride = operand->stride;
    int row = lstm->batch_first ? 0 : 1;

    data += b->first * stride[row] + b->direction * stride[1 - row];
    return (View){data, {0, stride[row], stride[2]}};
}

static const int64_t *compact_stride(const Block *b, int64_t width,
                                     int64_t stride[3])
{
    stride[0] = b->rows * width;
    stride[1] = width;
    stride[2] = 1;
    return stride;
}

/* Copies @steps steps of @view from @first on. */
static void get_steps(float *target, const Block *b, const View *view,
                      int64_t first, int64_t steps, int64_t width,
                      gboolean accumulate)
{
    int64_t size[3] = {steps, b->rows, width}, stride[3];

    ae_copy_strided(target, compact_stride(b, width, stride),
                    view->data + first * view->stride[0], view->stride, size, 3,
                    accumulate);
}

static void put_steps(const View *view, const Block *b, const float *source,
                      int64_t first, int64_t steps, int64_t width,
                      gboolean accumulate)
{
    int64_t size[3] = {steps, b->rows, width}, stride[3];

    ae_copy_strided(view->data + first * view->stride[0], view->stride, source,
                    compact_stride(b, width, stride), size, 3, accumulate);
}

static void get_state(const AeStep *step, const Block *b, float *target, int i)
{
    const Lstm *lstm = step->params;
    View view;

    if (!ae_step_has(step, i)) {
        memset(target, 0, b->rows * lstm->hidden * sizeof *target);
        return;
    }
    view = view_state(step, b, step->in[i], step->in[i]->data);
    get_steps(target, b, &view, 0, 1, lstm->hidden, FALSE);
}

static const AeOperand *output(const AeStep *step, int i)
{
    return i < step->n_out ? step->out[i] : NULL;
}

static void put_state(const AeStep *step, const Block *b, const float *source,
                      int i)
{
    const Lstm *lstm = step->params;
    const AeOperand *out = output(step, i);
    View view;

    if (out == NULL)
        return;
    view = view_state(step, b, out, out->data);
    put_steps(&view, b, source, 0, 1, lstm->hidden, FALSE);
}

/* The part of a weight, or of its gradient, for the block's direction. */
static float *weight_of(const AeStep *step, int i, const Block *b, float *data)
{
    return data + b->direction * step->in[i]->stride[0];
}

/* gates = x W + b, for @steps steps. */
static void project(const AeStep *step, const Block *b, int64_t steps)
{
    const Lstm *lstm = step->params;
    int64_t width = lstm->gates * lstm->hidden, rows = steps * b->rows;
    const float *w = weight_of(step, W, b, step->in[W]->data);
    gboolean biased = ae_step_has(step, B);

    if (biased) {
        const float *bias = weight_of(step, B, b, step->in[B]->data);

        step->kernels->add(b->gates, bias, bias + width, width);
        if (lstm->linear_first) /* gru_step() adds the other part of bg */
            memcpy(b->gates + 2 * lstm->hidden, bias + 2 * lstm->hidden,
                   (size_t)lstm->hidden * sizeof(float));
        for (int64_t i = 1; i < rows; i++)
            memcpy(b->gates + i * width, b->gates, width * sizeof(float));
    }
    ae_gemm(FALSE, FALSE, (int)rows, (int)width, (int)lstm->inputs, 1, b->x,
            (int)lstm->inputs, w, (int)width, biased ? 1 : 0, b->gates,
            (int)width);
}

static void add_product(float *restrict y, const float *restrict a,
                        const float *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a[i] * b[i];
}

/* Computes a step of one sequence from its gates before their activations. @p:
 * peepholes of i, o and f, or NULL. */
static void cell(const AeKernels *kernels, float *gates, const float *c,
                 float *next, const float *p, int64_t n)
{
    float *i = gates, *o = gates + n, *f = gates + 2 * n, *g = gates + 3 * n;

    if (p != NULL) {
        add_product(i, p, c, n);
        add_product(f, p + 2 * n, c, n);
    }
    kernels->activate(i, i, n, AE_ACTIVATION_SIGMOID, 0);
    kernels->activate(f, f, n, AE_ACTIVATION_SIGMOID, 0);
    kernels->activate(g, g, n, AE_ACTIVATION_TANH, 0);
    for (int64_t k = 0; k < n; k++)
        next[k] = f[k] * c[k] + i[k] * g[k];
    if (p != NULL)
        add_product(o, p + n, next, n);
    kernels->activate(o, o, n, AE_ACTIVATION_SIGMOID, 0);
}

/* Adds a R to gates [first, first + n) of a step. */
static void add_recurrence(const AeStep *step, const Block *b, const float *a,
                           int64_t first, int64_t n, float *gates)
{
    const Lstm *lstm = step->params;
    int hidden = (int)lstm->hidden, width = (int)lstm->gates * hidden;
    const float *r = weight_of(step, R, b, step->in[R]->data);

    ae_gemm(FALSE, FALSE, (int)b->rows, (int)n * hidden, hidden, 1, a, hidden,
            r + first * hidden, width, 1, gates + first * hidden, width);
}

static void rnn_step(const AeStep *step, const Block *b, int64_t t)
{
    const Lstm *lstm = step->params;
    int64_t state = b->rows * lstm->hidden;
    float *gates = b->gates + t * state;

    add_recurrence(step, b, b->h + t * state, 0, 1, gates);
    step->kernels->activate(
        b->h + (t + 1) * state, gates, state,
        lstm->relu ? AE_ACTIVATION_RELU : AE_ACTIVATION_TANH, 0);
}

/* For linear_before_reset: g += r (h Rg + b'g). */
static void add_reset(const AeStep *step, const Block *b, const float *h,
                      float *gates)
{
    const Lstm *lstm = step->params;
    int64_t n = lstm->hidden;
    int hidden = (int)n, width = 3 * hidden;
    const float *r = weight_of(step, R, b, step->in[R]->data);
    const float *bias = ae_step_has(step, B)
                            ? weight_of(step, B, b, step->in[B]->data) + 5 * n
                            : NULL;

    ae_gemm(FALSE, FALSE, (int)b->rows, hidden, hidden, 1, h, hidden, r + 2 * n,
            width, 0, b->c, hidden);
    for (int64_t i = 0; i < b->rows; i++)
        for (int64_t k = 0; k < n; k++)
            gates[i * width + 2 * n + k] +=
                gates[i * width + n + k] *
                (b->c[i * n + k] + (bias != NULL ? bias[k] : 0));
}

static void gru_step(const AeStep *step, const Block *b, int64_t t)
{
    const Lstm *lstm = step->params;
    int64_t n = lstm->hidden, state = b->rows * n;
    const float *h = b->h + t * state;
    float *gates = b->gates + t * 3 * state, *next = b->h + (t + 1) * state;

    add_recurrence(step, b, h, 0, 2, gates);
    for (int64_t i = 0; i < b->rows; i++) {
        float *row = gates + i * 3 * n;

        step->kernels->activate(row, row, 2 * n, AE_ACTIVATION_SIGMOID, 0);
        for (int64_t k = 0; k < n; k++)
            b->c[i * n + k] = row[n + k] * h[i * n + k];
    }
    if (lstm->linear_first)
        add_reset(step, b, h, gates);
    else
        add_recurrence(step, b, b->c, 2, 1, gates);
    for (int64_t i = 0; i < b->rows; i++) {
        float *z = gates + i * 3 * n, *g = z + 2 * n;

        step->kernels->activate(g, g, n, AE_ACTIVATION_TANH, 0);
        for (int64_t k = 0; k < n; k++)
            next[i * n + k] = (1 - z[k]) * g[k] + z[k] * h[i * n + k];
    }
}

/* Computes step @t of the block's memory. */
static void lstm_step(const AeStep *step, const Block *b, int64_t t)
{
    const Lstm *lstm = step->params;
    int64_t hidden = lstm->hidden, state = b->rows * hidden;
    const float *r = weight_of(step, R, b, step->in[R]->data);
    const float *p = NULL, *h = b->h + t * state, *c = b->c + t * state;
    float *gates = b->gates + t * 4 * state;
    float *next_h = b->h + (t + 1) * state, *next_c = b->c + (t + 1) * state;

    if (ae_step_has(step, P))
        p = weight_of(step, P, b, step->in[P]->data);
    ae_gemm(FALSE, FALSE, (int)b->rows, (int)(4 * hidden), (int)hidden, 1, h,
            (int)hidden, r, (int)(4 * hidden), 1, gates, (int)(4 * hidden));
    for (int64_t i = 0; i < b->rows; i++)
        cell(step->kernels, gates + i * 4 * hidden, c + i * hidden,
             next_c + i * hidden, p, hidden);
    step->kernels->activate(next_h, next_c, state, AE_ACTIVATION_TANH, 0);
    for (int64_t i = 0; i < b->rows; i++) {
        const float *o = gates + (i * 4 + 1) * hidden;

        for (int64_t k = 0; k < hidden; k++)
            next_h[i * hidden + k] *= o[k];
    }
}

static void advance(const AeStep *step, const Block *b, int64_t t)
{
    const Lstm *lstm = step->params;

    if (lstm->kind == LSTM)
        lstm_step(step, b, t);
    else if (lstm->kind == GRU)
        gru_step(step, b, t);
    else
        rnn_step(step, b, t);
}

/* Moves on to the memory of the next steps; if nothing is saved, only the state
 * is kept. */
static void move_on(const AeStep *step, Block *b, int64_t steps)
{
    const Lstm *lstm = step->params;
    int64_t state = b->rows * lstm->hidden;

    if (step->saved != NULL) {
        b->x += steps * b->rows * lstm->inputs;
        b->gates += steps * lstm->gates * state;
        b->h += steps * state;
        b->c += steps * state;
    } else {
        memcpy(b->h, b->h + steps * state, state * sizeof(float));
        memcpy(b->c, b->c + steps * state, state * sizeof(float));
    }
}

static void run_block(const AeStep *step, Block b)
{
    const Lstm *lstm = step->params;
    const AeOperand *out = output(step, Y);
    View x = view_sequence(step, &b, step->in[X], step->in[X]->data), y;

    if (out != NULL)
        y = view_sequence(step, &b, out, out->data);
    get_state(step, &b, b.h, H0);
    if (lstm->kind == LSTM)
        get_state(step, &b, b.c, C0);
    for (int64_t t = 0, steps; t < lstm->steps; t += steps) {
        steps = MIN(lstm->chunk, lstm->steps - t);
        get_steps(b.x, &b, &x, t, steps, lstm->inputs, FALSE);
        project(step, &b, steps);
        for (int64_t i = 0; i < steps; i++)
            advance(step, &b, i);
        if (out != NULL)
            put_steps(&y, &b, b.h + b.rows * lstm->hidden, t, steps,
                      lstm->hidden, FALSE);
        move_on(step, &b, steps);
    }
    put_state(step, &b, b.h, Y_H);
    if (lstm->kind == LSTM)
        put_state(step, &b, b.c, Y_C);
}

static void lstm_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch)
{
    for (int64_t unit = begin; unit < end; unit++)
        run_block(step, get_block(step, unit, scratch));
}

/* For one sequence: replaces the gates by their gradients before the
 * activations and the gradient of c' by that of c. */
static void cell_gradient(float *gates, const float *restrict dh,
                          float *restrict dc, const float *restrict c,
                          const float *restrict tanh_next, int64_t n)
{
    float *i = gates, *o = gates + n, *f = gates + 2 * n, *g = gates + 3 * n;

#pragma GCC ivdep
    for (int64_t k = 0; k < n; k++) {
        float z = tanh_next[k], d = dc[k] + dh[k] * o[k] * (1 - z * z);
        float ik = i[k], fk = f[k], gk = g[k];

        i[k] = d * gk * ik * (1 - ik);
        o[k] = dh[k] * z * o[k] * (1 - o[k]);
        f[k] = d * c[k] * fk * (1 - fk);
        g[k] = d * ik * (1 - gk * gk);
        dc[k] = d * fk;
    }
}

/* Reads the gradient of the state that output @i is. */
static void get_state_gradient(const AeStep *step, const Block *b,
                               float *target, int i)
{
    const Lstm *lstm = step->params;
    const AeOperand *out = output(step, i);
    View view;

    if (out == NULL || out->grad == NULL) {
        memset(target, 0, b->rows * lstm->hidden * sizeof *target);
        return;
    }
    view = view_state(step, b, out, out->grad);
    get_steps(target, b, &view, 0, 1, lstm->hidden, FALSE);
}

static void add_state_gradient(const AeStep *step, const Block *b,
                               const float *source, int i)
{
    const Lstm *lstm = step->params;
    View view;

    if (!ae_step_wants(step, i))
        return;
    view = view_state(step, b, step->in[i], step->in[i]->grad);
    put_steps(&view, b, source, 0, 1, lstm->hidden, TRUE);
}

/* Replaces gates by their gradients, from the last step to the first. */
static void go_back(const AeStep *step, const Block *b, float *scratch)
{
    const Lstm *lstm = step->params;
    int64_t hidden = lstm->hidden, state = b->rows * hidden;
    const float *r = weight_of(step, R, b, step->in[R]->data);
    const AeOperand *out = output(step, Y);
    float *dh = scratch, *dc = dh + state, *tanh_next = dc + state;
    View dy;

    if (out != NULL && out->grad == NULL)
        out = NULL;
    if (out != NULL)
        dy = view_sequence(step, b, out, out->grad);
    get_state_gradient(step, b, dh, Y_H);
    get_state_gradient(step, b, dc, Y_C);
    for (int64_t t = lstm->steps; t-- > 0;) {
        float *gates = b->gates + t * 4 * state;

        if (out != NULL)
            get_steps(dh, b, &dy, t, 1, hidden, TRUE);
        step->kernels->activate(tanh_next, b->c + (t + 1) * state, state,
                                AE_ACTIVATION_TANH, 0);
        for (int64_t i = 0; i < state; i += hidden)
            cell_gradient(gates + 4 * i, dh + i, dc + i, b->c + t * state + i,
                          tanh_next + i, hidden);
        ae_gemm(FALSE, TRUE, (int)b->rows, (int)hidden, (int)(4 * hidden), 1,
                gates, (int)(4 * hidden), r, (int)(4 * hidden), 0, dh,
                (int)hidden);
    }
    add_state_gradient(step, b, dh, H0);
    add_state_gradient(step, b, dc, C0);
}

/* dw += x^T gates over all steps, for W or R. */
static void add_weight_gradient(const AeStep *step, const Block *b, int i,
                                const float *x, int64_t width)
{
    const Lstm *lstm = step->params;
    int columns = (int)(4 * lstm->hidden);

    if (ae_step_wants(step, i))
        ae_gemm(TRUE, FALSE, (int)width, columns, (int)(lstm->steps * b->rows),
                1, x, (int)width, b->gates, columns, 1,
                weight_of(step, i, b, step->in[i]->grad), columns);
}

/* Both halves of B have the same gradient. */
static void add_bias_gradient(const AeStep *step, const Block *b, float *sum)
{
    const Lstm *lstm = step->params;
    int64_t width = 4 * lstm->hidden, n = lstm->steps * b->rows;
    float *db;

    if (!ae_step_wants(step, B))
        return;
    memset(sum, 0, width * sizeof *sum);
    for (int64_t i = 0; i < n; i++)
        step->kernels->add(sum, sum, b->gates + i * width, width);
    db = weight_of(step, B, b, step->in[B]->grad);
    step->kernels->add(db, db, sum, width);
    step->kernels->add(db + width, db + width, sum, width);
}

/* dx = gates W^T, which takes the place of x. */
static void add_input_gradient(const AeStep *step, const Block *b)
{
    const Lstm *lstm = step->params;
    const float *w = weight_of(step, W, b, step->in[W]->data);
    int width = (int)(4 * lstm->hidden), inputs = (int)lstm->inputs;
    View dx;

    if (!ae_step_wants(step, X))
        return;
    ae_gemm(FALSE, TRUE, (int)(lstm->steps * b->rows), inputs, width, 1,
            b->gates, width, w, width, 0, b->x, inputs);
    dx = view_sequence(step, b, step->in[X], step->in[X]->grad);
    put_steps(&dx, b, b->x, 0, lstm->steps, inputs, TRUE);
}

static void lstm_backward(const AeStep *step, float *scratch)
{
    const Lstm *lstm = step->params;

    for (int i = 0; i < step->n_in; i++)
        if (ae_step_wants(step, i))
            ae_step_clear_gradient(step, i);
    for (int64_t unit = 0; unit < step->units; unit++) {
        Block b = get_block(step, unit, NULL);

        go_back(step, &b, scratch);
        add_weight_gradient(step, &b, R, b.h, lstm->hidden);
        add_weight_gradient(step, &b, W, b.x, lstm->inputs);
        add_bias_gradient(step, &b, scratch);
        add_input_gradient(step, &b);
    }
}

static int64_t lstm_multiply_adds(const AeStep *step)
{
    const Lstm *lstm = step->params;

    return lstm->directions * lstm->steps * lstm->n * lstm->gates *
           lstm->hidden * (lstm->inputs + lstm->hidden);
}

#define RECURRENT(operator)                                                    \
    {                                                                          \
        .name = operator, .min_in = 3, .max_in = 6, .max_out = 2,              \
        .any_output = TRUE, .settings = 1 << LENGTHS, .plan = lstm_plan,       \
        .forward = lstm_forward, .multiply_adds = lstm_multiply_adds,          \
    }

const AeOperator ae_ops_recurrent[] = {
    {
        .name = "LSTM",
        .min_in = 3,
        .max_in = 8,
        .max_out = 3,
        .any_output = TRUE,
        .settings = 1 << LENGTHS,
        .plan = lstm_plan,
        .forward = lstm_forward,
        .backward = lstm_backward,
        .multiply_adds = lstm_multiply_adds,
    },
    RECURRENT("GRU"),
    RECURRENT("RNN"),
    {NULL},
};
