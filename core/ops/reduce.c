/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReduceSum, ReduceMean, ReduceProd, ReduceMax, ReduceMin, ReduceL1, ReduceL2
 * and ReduceSumSquare over some or all axes; ArgMax and ArgMin along one. */
#include <math.h>

#include "ops/box.h"
#include "ops/gradient.h"

typedef enum {
    SUM,
    MEAN,
    PRODUCT,
    LARGEST,
    SMALLEST,
    ABSOLUTE, /* sum of absolute values */
    SQUARES,
    NORM, /* square root of the sum of squares */
} Kind;

static const struct {
    const char *name;
    int since; /* the opset from which axes are an input */
    double start;
} kinds[] = {
    [SUM] = {"ReduceSum", 13, 0},
    [MEAN] = {"ReduceMean", 18, 0},
    [PRODUCT] = {"ReduceProd", 18, 1},
    [LARGEST] = {"ReduceMax", 18, -INFINITY},
    [SMALLEST] = {"ReduceMin", 18, INFINITY},
    [ABSOLUTE] = {"ReduceL1", 18, 0},
    [SQUARES] = {"ReduceSumSquare", 18, 0},
    [NORM] = {"ReduceL2", 18, 0},
};

typedef struct {
    Kind kind;
    AeBox kept;  /* input positions, one for each output element */
    AeBox place; /* the output positions of these */
    AeBox summed;
    int64_t n; /* number of positions of summed */
} Reduce;

static gboolean read_axes(const AeStep *step, Kind kind, gboolean *reduced,
                          GError **error)
{
    int since = kinds[kind].since;
    int rank = step->in[0]->shape.rank, n, axis;
    int64_t axes[AE_MAX_RANK];

    if (!ae_step_list(step, "axes", 1, since, axes, AE_MAX_RANK, &n, error))
        return FALSE;
    for (int i = 0; i < n; i++) {
        if (!ae_step_axis(step, axes[i], rank, &axis, error))
            return FALSE;
        reduced[axis] = TRUE;
    }
    for (int i = 0; n <= 0 && i < rank; i++)
        reduced[i] = !ae_node_int(step->node, "noop_with_empty_axes", 0);
    return TRUE;
}

/* Boxes run in the order of memory. */
static void make_boxes(Reduce *reduce, const AeStep *step,
                       const gboolean *reduced, gboolean keep)
{
    const AeOperand *x = step->in[0], *y = step->out[0];
    int rank = x->shape.rank, place[AE_MAX_RANK], next = 0;

    for (int i = 0; i < rank; i++)
        place[i] = keep || !reduced[i] ? next++ : -1;
    for (int i = 0; i < rank; i++) {
        int axis = ae_memory_axis(rank, i);
        int64_t size = x->shape.dim[axis];

        if (reduced[axis]) {
            ae_box_append(&reduce->summed, size, x->stride[axis]);
            continue;
        }
        ae_box_append(&reduce->kept, size, x->stride[axis]);
        ae_box_append(&reduce->place, size, y->stride[place[axis]]);
    }
}

/* Sets the output's shape, and boxes and units, for the axes @reduced. */
static gboolean plan_axes(AeStep *step, Reduce *reduce, const gboolean *reduced,
                          GError **error)
{
    const AeShape *x = &step->in[0]->shape;
    gboolean keep = ae_node_int(step->node, "keepdims", 1) != 0;
    AeShape shape = {.rank = 0};

    for (int i = 0; i < x->rank; i++) {
        if (keep || !reduced[i])
            shape.dim[shape.rank++] = reduced[i] ? 1 : x->dim[i];
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    make_boxes(reduce, step, reduced, keep);
    reduce->n = ae_box_count(&reduce->summed);
    step->units = ae_box_count(&reduce->kept);
    return TRUE;
}

static gboolean plan(AeStep *step, GError **error)
{
    gboolean reduced[AE_MAX_RANK] = {FALSE};
    Reduce *reduce = g_new0(Reduce, 1);

    step->params = reduce;
    while (!g_str_equal(kinds[reduce->kind].name, step->op->name))
        reduce->kind++;
    step->out[0]->integer = step->in[0]->integer;
    if (!read_axes(step, reduce->kind, reduced, error) ||
        !plan_axes(step, reduce, reduced, error))
        return FALSE;
    if (reduce->n == 0 && step->in[0]->integer &&
        isinf(kinds[reduce->kind].start))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the extreme of no whole numbers is not supported");
    return TRUE;
}

/* @total with @n more elements. */
static double add(Kind kind, double total, const float *x, int64_t n,
                  int64_t step)
{
    double sum = 0;

    if (kind == SUM || kind == MEAN) {
        for (int64_t i = 0; i < n; i++)
            sum += x[i * step];
        return total + sum;
    }
    for (int64_t i = 0; i < n; i++, x += step)
        switch (kind) {
        case PRODUCT:
            total *= *x;
            break;
        case LARGEST:
            total = *x > total || isnan(*x) ? *x : total;
            break;
        case SMALLEST:
            total = *x < total || isnan(*x) ? *x : total;
            break;
        case ABSOLUTE:
            total += fabsf(*x);
            break;
        case SQUARES:
        case NORM:
            total += (double)*x * *x;
            break;
        default:
            break;
        }
    return total;
}

static double finish(const Reduce *reduce, double total)
{
    if (reduce->kind == MEAN)
        return total * (1 / (double)reduce->n);
    return reduce->kind == NORM ? sqrt(total) : total;
}

/* d result / d x. */
static double slope(const Reduce *reduce, double x, double result)
{
    switch (reduce->kind) {
    case MEAN:
        return 1 / (double)reduce->n;
    case PRODUCT:
        return result / x;
    case LARGEST:
    case SMALLEST:
        return x == result;
    case ABSOLUTE:
        return (x > 0) - (x < 0);
    case SQUARES:
        return 2 * x;
    case NORM:
        return result > 0 ? x / result : 0;
    default:
        return 1;
    }
}

/* Size and stride of the innermost axis of @box. */
static void innermost(const AeBox *box, int64_t *size, int64_t *stride)
{
    *size = box->rank > 0 ? box->size[box->rank - 1] : 1;
    *stride = box->rank > 0 ? box->stride[box->rank - 1] : 0;
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    const Reduce *reduce = step->params;
    int64_t size, stride;

    innermost(&reduce->summed, &size, &stride);
    for (int64_t unit = begin; unit < end; unit++) {
        const float *x = step->in[0]->data + ae_box_offset(&reduce->kept, unit);
        double total = kinds[reduce->kind].start;

        for (int64_t i = 0; i < reduce->n; i += size)
            total = add(reduce->kind, total,
                        x + ae_box_offset(&reduce->summed, i), size, stride);
        total = finish(reduce, total);
        step->out[0]->data[ae_box_offset(&reduce->place, unit)] =
            (float)(step->out[0]->integer ? trunc(total) : total);
    }
}

/* The product of all elements behind @x but number @i. */
static double product_of_others(const Reduce *reduce, const float *x, int64_t i)
{
    double product = 1;

    for (int64_t k = 0; k < reduce->n && product != 0; k++)
        product *= k != i ? x[ae_box_offset(&reduce->summed, k)] : 1;
    return product;
}

static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Reduce *reduce = step->params;
    int64_t size, stride;

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    innermost(&reduce->summed, &size, &stride);
    for (int64_t unit = 0; unit < step->units; unit++) {
        int64_t kept = ae_box_offset(&reduce->kept, unit);
        int64_t place = ae_box_offset(&reduce->place, unit);
        const float *x = step->in[0]->data + kept;
        float *dx = step->in[0]->grad + kept;
        float y = step->out[0]->data[place], dy = step->out[0]->grad[place];

        for (int64_t i = 0; i < reduce->n; i += size) {
            int64_t at = ae_box_offset(&reduce->summed, i);

            for (int64_t k = 0; k < size; k++, at += stride) {
                double factor = reduce->kind == PRODUCT && x[at] == 0
                                    ? product_of_others(reduce, x, i + k)
                                    : slope(reduce, x[at], y);

                dx[at] += (float)(dy * factor);
            }
        }
    }
}

static gboolean arg_plan(AeStep *step, GError **error)
{
    gboolean reduced[AE_MAX_RANK] = {FALSE};
    Reduce *reduce = g_new0(Reduce, 1);
    int axis;

    step->params = reduce;
    reduce->kind = g_str_equal(step->op->name, "ArgMax") ? LARGEST : SMALLEST;
    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 0),
                      step->in[0]->shape.rank, &axis, error))
        return FALSE;
    reduced[axis] = TRUE;
    step->out[0]->integer = TRUE;
    return plan_axes(step, reduce, reduced, error);
}

static void arg_forward(const AeStep *step, int64_t begin, int64_t end,
                        float *scratch G_GNUC_UNUSED)
{
    const Reduce *reduce = step->params;
    gboolean last = ae_node_int(step->node, "select_last_index", 0) != 0;

    for (int64_t unit = begin; unit < end; unit++) {
        const float *x = step->in[0]->data + ae_box_offset(&reduce->kept, unit);
        double best = kinds[reduce->kind].start;
        int64_t found = 0;

        for (int64_t i = 0; i < reduce->n; i++) {
            float v = x[ae_box_offset(&reduce->summed, i)];
            gboolean better = reduce->kind == LARGEST ? v > best : v < best;

            if (better || (last && v == best)) {
                best = v;
                found = i;
            }
        }
        step->out[0]->data[ae_box_offset(&reduce->place, unit)] = (float)found;
    }
}

#define ARG(operator)                                                          \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 1, .max_out = 1,              \
        .plan = arg_plan, .forward = arg_forward,                              \
    }

#define REDUCE(operator)                                                       \
    {                                                                          \
        .name = operator, .min_in = 1, .max_in = 2, .max_out = 1,              \
        .plan = plan, .forward = forward, .backward = backward,                \
    }

const AeOperator ae_ops_reduce[] = {
    REDUCE("ReduceMean"),
    REDUCE("ReduceSum"),
    REDUCE("ReduceProd"),
    REDUCE("ReduceMax"),
    REDUCE("ReduceMin"),
    REDUCE("ReduceL1"),
    REDUCE("ReduceL2"),
    REDUCE("ReduceSumSquare"),
    ARG("ArgMax"),
    ARG("ArgMin"),
    {NULL},
};
