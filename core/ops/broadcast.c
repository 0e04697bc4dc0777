/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop nest of the element-wise operators.
 *
 * Loops run over the axes of the result in the order of memory. Neighbouring
 * axes are merged if all operands allow it: operands of one shape become one
 * long row, and a bias per channel becomes rows of channels. In plans without
 * gradients, rows of images are not merged, so that each unit lies within a row
 * of an image. A unit is a row of the loop nest or a part of a long one. */
#include "ops/broadcast.h"

#include "ops/box.h"
#include "ops/gradient.h"

#define CHUNK 1024 /* the most elements of a unit */

typedef struct {
    const AeElementwise *kind;
    int rank; /* loops, outermost first; at least 1 */
    int64_t size[AE_MAX_RANK];
    int64_t chunks;                /* of the innermost loop */
    int64_t stride[][AE_MAX_RANK]; /* [0]: of the result, [1 + i]: of input i */
} Loops;

static gboolean widen(AeShape *shape, const AeShape *other)
{
    int rank = MAX(shape->rank, other->rank);
    AeShape result = {.rank = rank};

    for (int i = 1; i <= rank; i++) {
        int64_t a = i <= shape->rank ? shape->dim[shape->rank - i] : 1;
        int64_t b = i <= other->rank ? other->dim[other->rank - i] : 1;

        if (a != b && a != 1 && b != 1)
            return FALSE;
        result.dim[rank - i] = a == 1 ? b : a;
    }
    *shape = result;
    return TRUE;
}

/* The stride of @operand along axis @axis of a result of rank @rank; 0: the
 * operand is repeated. */
static int64_t broadcast_stride(const AeOperand *operand, int rank, int axis)
{
    int own = axis - (rank - operand->shape.rank);

    if (own < 0 || operand->shape.dim[own] == 1)
        return 0;
    return operand->stride[own];
}

static gboolean can_merge(const Loops *loops, int operands, int64_t size,
                          int64_t (*stride)[AE_MAX_RANK])
{
    int last = loops->rank - 1;

    for (int i = 0; i < operands; i++) {
        if (loops->stride[i][last] != stride[i][0] * size)
            return FALSE;
    }
    return TRUE;
}

/* Adds an axis, merged with the last loop if possible and if that is not among
 * the first @least. */
static void append_axis(Loops *loops, int least, int operands, int64_t size,
                        int64_t (*stride)[AE_MAX_RANK])
{
    if (loops->rank > least && can_merge(loops, operands, size, stride))
        loops->size[loops->rank - 1] *= size;
    else
        loops->size[loops->rank++] = size;
    for (int i = 0; i < operands; i++)
        loops->stride[i][loops->rank - 1] = stride[i][0];
}

static void make_loops(Loops *loops, const AeStep *step)
{
    const AeOperand *y = step->out[0];
    int rank = y->shape.rank, operands = 1 + step->n_in, least = 0;
    g_autofree int64_t(*stride)[AE_MAX_RANK] =
        g_malloc0(operands * sizeof *stride);

    for (int i = 0; i < rank; i++) {
        int axis = ae_memory_axis(rank, i);

        if (i == 2 && rank == 4 && !step->gradients)
            least = loops->rank;
        if (y->shape.dim[axis] == 1)
            continue;
        stride[0][0] = y->stride[axis];
        for (int k = 0; k < step->n_in; k++)
            stride[1 + k][0] = broadcast_stride(step->in[k], rank, axis);
        append_axis(loops, least, operands, y->shape.dim[axis], stride);
    }
    if (loops->rank == 0)
        loops->size[loops->rank++] = 1;
}

/* The offset of unit @unit in operand @operand. @n becomes its length. */
static int64_t unit_offset(const Loops *loops, int64_t unit, int operand,
                           int64_t *n)
{
    int last = loops->rank - 1;
    const int64_t *stride = loops->stride[operand];
    int64_t row = unit, first = 0, offset;

    if (loops->chunks > 1) {
        row = unit / loops->chunks;
        first = unit % loops->chunks * CHUNK;
    }
    offset = first * stride[last];
    *n = MIN(CHUNK, loops->size[last] - first);
    for (int i = last - 1; i > 0; i--) {
        offset += row % loops->size[i] * stride[i];
        row /= loops->size[i];
    }
    return last > 0 ? offset + row * stride[0] : offset;
}

static void set_input(const AeStep *step, int64_t unit, int input,
                      const float **data, int64_t *data_step)
{
    const Loops *loops = step->params;
    int64_t n;

    *data = step->in[input]->data + unit_offset(loops, unit, 1 + input, &n);
    *data_step = loops->stride[1 + input][loops->rank - 1];
}

static AeRow make_row(const AeStep *step, int64_t unit, int a, int b)
{
    AeRow row = {.step = step};

    row.y = step->out[0]->data + unit_offset(step->params, unit, 0, &row.n);
    set_input(step, unit, a, &row.a, &row.a_step);
    if (b < step->n_in)
        set_input(step, unit, b, &row.b, &row.b_step);
    if (step->op->max_in == 3)
        set_input(step, unit, 2, &row.c, &row.c_step);
    return row;
}

/* target[i * target_step] += g[i]. */
static void add_row(const AeStep *step, float *target, int64_t target_step,
                    const float *g, int64_t n)
{
    double sum = 0;

    if (target_step == 1) {
        step->kernels->add(target, target, g, n);
        return;
    }
    if (target_step != 0) {
        for (int64_t i = 0; i < n; i++)
            target[i * target_step] += g[i];
        return;
    }
    for (int64_t i = 0; i < n; i++)
        sum += g[i];
    *target += (float)sum;
}

static void input_gradient(const AeStep *step, int input)
{
    const Loops *loops = step->params;
    const AeOperand *x = step->in[input], *y = step->out[0];
    int64_t target_step = loops->stride[1 + input][loops->rank - 1];
    gboolean whole = target_step == 1 && ae_shape_elements(&x->shape) ==
                                             ae_shape_elements(&y->shape);
    gboolean overwrite = whole && !ae_step_adds(step, input);
    int which = step->n_in > 2 ? 0 : input;
    float buffer[CHUNK];

    if (!overwrite)
        ae_step_clear_gradient(step, input);
    for (int64_t unit = 0; unit < step->units; unit++) {
        AeRow row = make_row(step, unit, step->n_in > 2 ? input : 0, 1);
        int64_t n;
        float *target = x->grad + unit_offset(loops, unit, 1 + input, &n);
        const float *dy = y->grad + (row.y - y->data);
        const float *g =
            loops->kind->gradient(&row, dy, overwrite ? target : buffer, which);

        if (!overwrite)
            add_row(step, target, target_step, g, n);
        else if (g != target)
            memcpy(target, g, n * sizeof *g);
    }
}

gboolean ae_broadcast_shape(const AeStep *step, AeShape *shape, GError **error)
{
    *shape = step->in[0]->shape;
    for (int i = 1; i < step->n_in; i++) {
        if (!widen(shape, &step->in[i]->shape)) {
            g_autofree char *a = ae_shape_to_string(shape);
            g_autofree char *b = ae_shape_to_string(&step->in[i]->shape);

            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "shapes %s and %s do not broadcast", a, b);
        }
    }
    return TRUE;
}

static int64_t count_row_units(const AeStep *step)
{
    const AeShape *shape = &step->out[0]->shape;
    int64_t rows;

    if (step->gradients || shape->rank != 4 || step->units == 0)
        return 0;
    rows = shape->dim[0] * shape->dim[2];
    return step->units % rows == 0 ? step->units / rows : 0;
}

gboolean ae_elementwise_plan(AeStep *step, const AeElementwise *kind,
                             GError **error)
{
    AeShape shape;
    Loops *loops;
    int64_t rows = 1;

    if (!ae_broadcast_shape(step, &shape, error) ||
        !ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    step->out[0]->integer = TRUE;
    for (int i = 0; i < step->n_in; i++)
        step->out[0]->integer &= step->in[i]->integer;

    loops =
        g_malloc0(sizeof *loops + (1 + step->n_in) * sizeof loops->stride[0]);
    step->params = loops;
    loops->kind = kind;
    make_loops(loops, step);
    for (int i = 0; i < loops->rank - 1; i++)
        rows *= loops->size[i];
    loops->chunks = (loops->size[loops->rank - 1] + CHUNK - 1) / CHUNK;
    step->units = rows * loops->chunks;
    step->row_units = count_row_units(step);
    return TRUE;
}

/* More than two inputs are combined as f(f(a, b), c), unless the operator takes
 * three. */
void ae_elementwise_forward(const AeStep *step, int64_t begin, int64_t end,
                            float *scratch G_GNUC_UNUSED)
{
    const Loops *loops = step->params;

    for (int64_t unit = begin; unit < end; unit++) {
        AeRow row = make_row(step, unit, 0, 1);

        loops->kind->row(&row);
        for (int i = 2; i < step->n_in && row.c == NULL; i++) {
            row.a = row.y;
            row.a_step = 1;
            set_input(step, unit, i, &row.b, &row.b_step);
            loops->kind->row(&row);
        }
    }
}

void ae_elementwise_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    for (int i = 0; i < step->n_in; i++) {
        if (ae_step_wants(step, i))
            input_gradient(step, i);
    }
}
