/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that move elements: Concat, Split, Slice, Transpose, Expand, Tile,
 * Gather, DepthToSpace, SpaceToDepth. Each plan rule makes a list of copies;
 * where indices are computed, Gather reads them in each run. ScatterND, which
 * writes at indices. */
#include "ops/box.h"
#include "ops/copies.h"

#include <string.h>

#define MAX_INDICES (1 << 20) /* of Gather: a copy for each */

static gboolean fits_beside(const AeShape *a, const AeShape *b, int axis)
{
    if (a->rank != b->rank)
        return FALSE;
    for (int i = 0; i < a->rank; i++) {
        if (i != axis && a->dim[i] != b->dim[i])
            return FALSE;
    }
    return TRUE;
}

static gboolean concat_shape(const AeStep *step, int axis, AeShape *shape,
                             GError **error)
{
    *shape = step->in[0]->shape;
    for (int i = 1; i < step->n_in; i++) {
        const AeShape *next = &step->in[i]->shape;

        if (!fits_beside(shape, next, axis)) {
            g_autofree char *a = ae_shape_to_string(shape);
            g_autofree char *b = ae_shape_to_string(next);

            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "%s and %s cannot be joined along axis %d", a,
                                b, axis);
        }
        shape->dim[axis] += next->dim[axis];
    }
    return TRUE;
}

static gboolean concat_plan(AeStep *step, GError **error)
{
    const AeOperand *y = step->out[0];
    AeShape shape;
    AeCopies *copies;
    int64_t place = 0;
    int axis;

    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 1),
                      step->in[0]->shape.rank, &axis, error) ||
        !concat_shape(step, axis, &shape, error) ||
        !ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    copies = ae_copies_new(step, step->n_in);
    copies->once = TRUE;
    for (int i = 0; i < step->n_in; i++) {
        AeCopy *copy = &copies->copy[i];

        ae_copy_whole_input(copy, step, i);
        memcpy(copy->target_stride, y->stride, sizeof y->stride);
        copy->target = place * y->stride[axis];
        place += copy->size[axis];
    }
    if (shape.rank == 4 && axis == 1)
        ae_copies_split_rows(step, 2, (const int[]){0, 2});
    else
        ae_copies_split_units(step);
    return TRUE;
}

/* Sets the length of each output along the axis, which has @dim elements. */
static gboolean split_sizes(const AeStep *step, int64_t dim, int64_t *sizes,
                            GError **error)
{
    int64_t sum = 0, part = (dim + step->n_out - 1) / step->n_out;
    int n;

    if (!ae_step_list(step, "split", 1, 13, sizes, step->n_out, &n, error))
        return FALSE;
    if (n < 0 && dim % step->n_out != 0 && step->opset < 18)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%" G_GINT64_FORMAT
                            " elements cannot be split into %d equal parts",
                            dim, step->n_out);
    for (int i = 0; i < step->n_out; i++) {
        if (n < 0)
            sizes[i] = CLAMP(dim - sum, 0, part);
        else if (n != step->n_out || sizes[i] < 0 || sizes[i] > dim - sum)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "its sizes do not fit %d outputs of together "
                                "%" G_GINT64_FORMAT " elements",
                                step->n_out, dim);
        sum += sizes[i];
    }
    if (sum != dim)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its sizes add up to %" G_GINT64_FORMAT
                            ", not %" G_GINT64_FORMAT,
                            sum, dim);
    return TRUE;
}

static gboolean split_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0];
    g_autofree int64_t *sizes = g_new0(int64_t, MAX(step->n_out, 1));
    AeShape shape = x->shape;
    AeCopies *copies = ae_copies_new(step, step->n_out);
    int64_t place = 0;
    int axis;

    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 0), shape.rank,
                      &axis, error) ||
        !split_sizes(step, shape.dim[axis], sizes, error))
        return FALSE;
    copies->once = TRUE;
    copies->n = 0;
    for (int i = 0; i < step->n_out; place += sizes[i++]) {
        AeCopy *copy;

        if (!step->out[i])
            continue;
        shape.dim[axis] = sizes[i];
        if (!ae_step_set_output(step, i, &shape, error))
            return FALSE;
        copy = &copies->copy[copies->n++];
        ae_copy_whole_output(copy, step, i);
        memcpy(copy->source_stride, x->stride, sizeof x->stride);
        copy->source = place * x->stride[axis];
    }
    ae_copies_split_units(step);
    return TRUE;
}

typedef struct {
    int n; /* number of axes that are cut */
    int64_t start[AE_MAX_RANK], end[AE_MAX_RANK];
    int64_t axis[AE_MAX_RANK], step[AE_MAX_RANK];
} Slice;

static gboolean slice_read(const AeStep *step, Slice *slice, GError **error)
{
    int n_end, n_axes, n_steps;

    if (!ae_step_list(step, "starts", 1, 10, slice->start, AE_MAX_RANK,
                      &slice->n, error) ||
        !ae_step_list(step, "ends", 2, 10, slice->end, AE_MAX_RANK, &n_end,
                      error) ||
        !ae_step_list(step, "axes", 3, 10, slice->axis, AE_MAX_RANK, &n_axes,
                      error) ||
        !ae_step_list(step, "steps", 4, 10, slice->step, AE_MAX_RANK, &n_steps,
                      error))
        return FALSE;
    if (slice->n < 0 || n_end != slice->n ||
        (n_axes >= 0 && n_axes != slice->n) ||
        (n_steps >= 0 && n_steps != slice->n) ||
        (n_axes < 0 && slice->n > step->in[0]->shape.rank))
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "starts, ends, axes and steps differ in length");
    for (int i = 0; i < slice->n; i++) {
        slice->axis[i] = n_axes < 0 ? i : slice->axis[i];
        slice->step[i] = n_steps < 0 ? 1 : slice->step[i];
    }
    return TRUE;
}

/* The number of elements from *start to @end (both count from the back if
 * negative) in steps of @by. *start becomes the index of the first one. */
static int64_t slice_length(int64_t dim, int64_t *start, int64_t end,
                            int64_t by)
{
    gboolean back = by < 0;
    int64_t first = *start < 0 ? *start + dim : *start;
    int64_t last = end < 0 ? end + dim : end;

    *start = CLAMP(first, 0, back ? dim - 1 : dim);
    last = CLAMP(last, back ? -1 : 0, dim);
    if (back)
        return *start > last ? (*start - last - 1) / -by + 1 : 0;
    return last > *start ? (last - *start - 1) / by + 1 : 0;
}

static gboolean slice_axis(const AeStep *step, Slice *slice, int i,
                           AeShape *shape, AeCopy *copy, GError **error)
{
    int64_t by = MAX(slice->step[i], -G_MAXINT64), length;
    int axis;

    if (!ae_step_axis(step, slice->axis[i], shape->rank, &axis, error))
        return FALSE;
    if (by == 0)
        return ae_step_fail(step, error, AE_ERROR_VALUE, "a step is 0");
    length = slice_length(step->in[0]->shape.dim[axis], &slice->start[i],
                          slice->end[i], by);
    shape->dim[axis] = length;
    if (length > 0)
        copy->source += slice->start[i] * copy->source_stride[axis];
    copy->source_stride[axis] *= length > 1 ? by : 0;
    return TRUE;
}

/* TRUE if the images of the output have the input's rows, in order. */
static gboolean keeps_rows(const AeShape *shape, const AeCopy *copy,
                           const AeOperand *x)
{
    return shape->rank == 4 && shape->dim[0] == x->shape.dim[0] &&
           shape->dim[2] == x->shape.dim[2] &&
           copy->source_stride[0] == x->stride[0] &&
           copy->source_stride[2] == x->stride[2];
}

static gboolean slice_plan(AeStep *step, GError **error)
{
    AeShape shape = step->in[0]->shape;
    AeCopies *copies = ae_copies_new(step, 1);
    Slice slice;

    ae_copy_whole_input(copies->copy, step, 0);
    if (!slice_read(step, &slice, error))
        return FALSE;
    for (int i = 0; i < slice.n; i++) {
        if (!slice_axis(step, &slice, i, &shape, copies->copy, error))
            return FALSE;
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    ae_copy_whole_output(copies->copy, step, 0);
    if (keeps_rows(&shape, copies->copy, step->in[0]))
        ae_copies_split_rows(step, 2, (const int[]){0, 2});
    else
        ae_copies_split_units(step);
    return TRUE;
}

static gboolean transpose_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0];
    int n, rank = x->shape.rank;
    const int64_t *perm = ae_node_ints(step->node, "perm", &n);
    AeCopies *copies = ae_copies_new(step, 1);
    AeShape shape = {.rank = rank};
    gboolean used[AE_MAX_RANK] = {FALSE};

    if (perm && n != rank)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "perm lists %d axes of %d", n, rank);
    for (int i = 0; i < rank; i++) {
        int axis;

        if (!ae_step_axis(step, perm ? perm[i] : rank - 1 - i, rank, &axis,
                          error))
            return FALSE;
        if (used[axis])
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "perm lists axis %d twice", axis);
        used[axis] = TRUE;
        shape.dim[i] = x->shape.dim[axis];
        copies->copy->source_stride[i] = x->stride[axis];
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    ae_copy_whole_output(copies->copy, step, 0);
    copies->once = TRUE;
    step->alias = TRUE;
    for (int i = 0; i < rank; i++) {
        if (shape.dim[i] > 1 &&
            copies->copy->source_stride[i] != copies->copy->target_stride[i])
            step->alias = FALSE;
    }
    ae_copies_split_units(step);
    return TRUE;
}

static gboolean expand_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0];
    AeShape shape;
    AeCopies *copies = ae_copies_new(step, 1);
    int missing;

    if (!ae_step_input_ints(step, 1, shape.dim, AE_MAX_RANK, &shape.rank,
                            error))
        return FALSE;
    missing = shape.rank - x->shape.rank;
    if (missing < 0) {
        memmove(shape.dim - missing, shape.dim, shape.rank * sizeof *shape.dim);
        for (int i = 0; i < -missing; i++)
            shape.dim[i] = 1;
        shape.rank = x->shape.rank;
        missing = 0;
    }
    for (int i = missing; i < shape.rank; i++) {
        int64_t dim = x->shape.dim[i - missing];

        if (shape.dim[i] == 1)
            shape.dim[i] = dim;
        if (dim != 1 && dim != shape.dim[i])
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "%" G_GINT64_FORMAT
                                " elements along axis %d cannot become "
                                "%" G_GINT64_FORMAT,
                                dim, i, shape.dim[i]);
        copies->copy->source_stride[i] = dim != 1 ? x->stride[i - missing] : 0;
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    ae_copy_whole_output(copies->copy, step, 0);
    ae_copies_split_units(step);
    return TRUE;
}

static gboolean tile_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0], *y = step->out[0];
    int64_t repeats[AE_MAX_RANK];
    AeShape shape = x->shape;
    AeCopies *copies = ae_copies_new(step, 1);
    AeCopy *copy = copies->copy;
    int n;

    if (!ae_step_input_ints(step, 1, repeats, AE_MAX_RANK, &n, error))
        return FALSE;
    for (int i = 0; i < MAX(n, shape.rank); i++) {
        if (n != shape.rank || repeats[i] < 0 || repeats[i] > G_MAXINT32)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "its repeats do not fit %d axes", shape.rank);
        shape.dim[i] *= repeats[i];
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    for (int i = 0; i < shape.rank; i++) {
        int64_t dim = x->shape.dim[i];
        const int64_t size[] = {repeats[i], dim};
        const int64_t from[] = {0, x->stride[i]};
        const int64_t to[] = {dim * y->stride[i], y->stride[i]};

        for (int k = 0; k < 2; k++) {
            if (size[k] == 1)
                continue;
            if (copy->rank == AE_COPY_AXES)
                return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                    "repeats more than %d axes",
                                    AE_COPY_AXES / 2);
            copy->size[copy->rank] = size[k];
            copy->source_stride[copy->rank] = from[k];
            copy->target_stride[copy->rank++] = to[k];
        }
    }
    ae_copies_split_units(step);
    return TRUE;
}

/* Reads index number @i of input 1, which becomes 0 .. dim - 1, and the offset
 * of its elements in the output, whose axes from @axis on are those of input
 * 1. */
static gboolean gather_index(const AeStep *step, int axis, int64_t i,
                             int64_t *index, int64_t *place, GError **error)
{
    const AeOperand *list = step->in[1];
    int64_t dim = step->in[0]->shape.dim[axis];
    float found = list->data[ae_operand_offset(list, i)];

    if (found < 0)
        found += (float)dim;
    if (!(found >= 0 && found < (float)dim)) /* NaN, too */
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "an index is outside the %" G_GINT64_FORMAT
                            " elements of axis %d",
                            dim, axis);
    *index = (int64_t)found;
    *place = 0;
    for (int k = list->shape.rank - 1; k >= 0; k--) {
        *place += i % list->shape.dim[k] * step->out[0]->stride[axis + k];
        i /= list->shape.dim[k];
    }
    return TRUE;
}

static gboolean gather_shape(const AeStep *step, int *axis, AeShape *shape,
                             GError **error)
{
    const AeShape *x = &step->in[0]->shape, *list = &step->in[1]->shape;

    if (!ae_step_axis(step, ae_node_int(step->node, "axis", 0), x->rank, axis,
                      error))
        return FALSE;
    shape->rank = x->rank - 1 + list->rank;
    if (shape->rank > AE_MAX_RANK)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "more than %d axes are not supported", AE_MAX_RANK);
    for (int i = 0; i < shape->rank; i++) {
        if (i < *axis)
            shape->dim[i] = x->dim[i];
        else if (i < *axis + list->rank)
            shape->dim[i] = list->dim[i - *axis];
        else
            shape->dim[i] = x->dim[i - list->rank + 1];
    }
    return TRUE;
}

/* Indices that are computed: what an index stands for. */
typedef struct {
    AeBox outer, inner; /* before and behind the axis, of the input */
    AeBox outer_place, list_place, inner_place; /* of the output */
    int64_t dim, stride;                        /* of the axis */
} Gather;

static gboolean gather_later(AeStep *step, int axis, const AeShape *shape,
                             GError **error)
{
    const AeOperand *x = step->in[0], *y = step->out[0];
    int after = step->in[1]->shape.rank - 1;
    Gather *gather = g_new0(Gather, 1);

    step->params = gather;
    if (step->gradients)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "cannot be trained through with computed indices");
    for (int i = 0; i < x->shape.rank; i++) {
        if (i == axis)
            continue;
        ae_box_append(i < axis ? &gather->outer : &gather->inner,
                      x->shape.dim[i], x->stride[i]);
        ae_box_append(i < axis ? &gather->outer_place : &gather->inner_place,
                      x->shape.dim[i], y->stride[i < axis ? i : i + after]);
    }
    for (int i = axis; i <= axis + after; i++)
        ae_box_append(&gather->list_place, shape->dim[i], y->stride[i]);
    gather->dim = x->shape.dim[axis];
    gather->stride = x->stride[axis];
    step->units = gather->dim > 0 && ae_shape_elements(shape) > 0
                      ? ae_box_count(&gather->list_place)
                      : 0;
    return TRUE;
}

/* A computed index, which counts from the back if negative, on an axis of @dim
 * elements. One outside means the nearest end. */
static int64_t inside(float index, int64_t dim)
{
    if (index < 0)
        index += (float)dim;
    return index > 0 ? (int64_t)MIN(index, (float)(dim - 1)) : 0; /* NaN: 0 */
}

static void gather_forward(const AeStep *step, int64_t begin, int64_t end,
                           float *scratch)
{
    const Gather *gather = step->params;
    int64_t outer, inner;

    if (step->in[1]->constant) {
        ae_copies_forward(step, begin, end, scratch);
        return;
    }
    outer = ae_box_count(&gather->outer);
    inner = ae_box_count(&gather->inner);
    for (int64_t unit = begin; unit < end; unit++) {
        const AeOperand *list = step->in[1];
        float found = list->data[ae_operand_offset(list, unit)];
        int64_t index =
            (int64_t)CLAMP(found < 0 ? found + (float)gather->dim : found, 0,
                           (float)(gather->dim - 1));
        const float *x = step->in[0]->data + index * gather->stride;
        float *y =
            step->out[0]->data + ae_box_offset(&gather->list_place, unit);

        for (int64_t i = 0; i < outer; i++)
            for (int64_t k = 0; k < inner; k++)
                y[ae_box_offset(&gather->outer_place, i) +
                  ae_box_offset(&gather->inner_place, k)] =
                    x[ae_box_offset(&gather->outer, i) +
                      ae_box_offset(&gather->inner, k)];
    }
}

/* Makes one copy for each index. */
static gboolean gather_plan(AeStep *step, GError **error)
{
    const AeOperand *x = step->in[0], *y = step->out[0];
    int64_t count = ae_shape_elements(&step->in[1]->shape);
    int axis, after;
    AeShape shape;
    AeCopies *copies;

    if (!gather_shape(step, &axis, &shape, error) ||
        !ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    step->out[0]->integer = x->integer;
    if (!step->in[1]->constant)
        return gather_later(step, axis, &shape, error);
    if (count > MAX_INDICES)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "gathers %" G_GINT64_FORMAT
                            " elements, but at most %d are supported",
                            count, MAX_INDICES);
    copies = ae_copies_new(step, (int)count);
    after = step->in[1]->shape.rank - 1;
    for (int i = 0; i < copies->n; i++) {
        AeCopy *copy = &copies->copy[i];
        int64_t index = 0;

        if (!gather_index(step, axis, i, &index, &copy->target, error))
            return FALSE;
        ae_copy_whole_input(copy, step, 0);
        copy->size[axis] = 1;
        copy->source = index * x->stride[axis];
        for (int k = 0; k < copy->rank; k++) {
            if (k != axis)
                copy->target_stride[k] = y->stride[k < axis ? k : k + after];
        }
    }
    ae_copies_split_units(step);
    return TRUE;
}

enum { DATA, INDICES, UPDATES };

static const char *const reductions[] = {"none", "add", "mul", "max", "min"};

typedef struct {
    int reduction; /* of reductions */
    int depth;     /* axes that an index counts along */
} Scatter;

static gboolean scatter_plan(AeStep *step, GError **error)
{
    const AeShape *x = &step->in[DATA]->shape, *i = &step->in[INDICES]->shape;
    const AeShape *u = &step->in[UPDATES]->shape;
    const char *name = ae_node_string(step->node, "reduction", "none");
    Scatter *scatter = g_new0(Scatter, 1);
    gboolean fits = i->rank > 0 && i->dim[i->rank - 1] <= x->rank;

    step->params = scatter;
    while (scatter->reduction < (int)G_N_ELEMENTS(reductions) &&
           !g_str_equal(reductions[scatter->reduction], name))
        scatter->reduction++;
    if (scatter->reduction == G_N_ELEMENTS(reductions))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "the reduction '%s' is not supported", name);
    scatter->depth = fits ? (int)i->dim[i->rank - 1] : 0;
    fits = fits && u->rank == i->rank - 1 + x->rank - scatter->depth;
    for (int k = 0; fits && k < u->rank; k++)
        fits = u->dim[k] == (k < i->rank - 1
                                 ? i->dim[k]
                                 : x->dim[k - i->rank + 1 + scatter->depth]);
    if (!fits)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "data, indices and updates do not fit together");
    step->out[0]->integer = step->in[DATA]->integer;
    return ae_step_set_output(step, 0, x, error);
}

static float reduced(int reduction, float old, float update)
{
    switch (reduction) {
    case 1:
        return old + update;
    case 2:
        return old * update;
    case 3:
        return MAX(old, update);
    case 4:
        return MIN(old, update);
    default:
        return update;
    }
}

/* The number in row-major order of the first element that index @i stands for.
 */
static int64_t scatter_place(const AeStep *step, int64_t i, int64_t slice)
{
    const Scatter *scatter = step->params;
    const AeOperand *x = step->in[DATA], *list = step->in[INDICES];
    int64_t place = 0;

    for (int k = 0; k < scatter->depth; k++) {
        float found =
            list->data[ae_operand_offset(list, i * scatter->depth + k)];

        place = place * x->shape.dim[k] + inside(found, x->shape.dim[k]);
    }
    return place * slice;
}

static void scatter_forward(const AeStep *step, int64_t begin G_GNUC_UNUSED,
                            int64_t end G_GNUC_UNUSED,
                            float *scratch G_GNUC_UNUSED)
{
    const Scatter *scatter = step->params;
    const AeOperand *updates = step->in[UPDATES], *y = step->out[0];
    int64_t n = ae_shape_elements(&y->shape), slice = 1;
    int64_t all = n > 0 ? ae_shape_elements(&updates->shape) : 0;

    for (int k = scatter->depth; k < y->shape.rank; k++)
        slice *= y->shape.dim[k];
    memcpy(y->data, step->in[DATA]->data, (size_t)n * sizeof(float));
    for (int64_t i = 0; i < all; i++) {
        int64_t place = scatter_place(step, i / slice, slice) + i % slice;
        float *to = y->data + ae_operand_offset(y, place);

        *to = reduced(scatter->reduction, *to,
                      updates->data[ae_operand_offset(updates, i)]);
    }
}

/* The copy of DepthToSpace and SpaceToDepth, over images, channels, rows and
 * columns of a block, rows, columns. @deep is the side with more channels,
 * @wide the side with more pixels. */
static void block_copy(AeCopy *copy, const AeOperand *deep,
                       const AeOperand *wide, int64_t *deep_stride,
                       int64_t *wide_stride, int64_t block,
                       gboolean columns_first)
{
    const int64_t *d = deep->stride, *s = wide->stride;
    int64_t n = wide->shape.dim[0], c = wide->shape.dim[1];
    int64_t size[6] = {
        n, c, block, block, deep->shape.dim[2], deep->shape.dim[3]};
    int64_t row = columns_first ? block : block * c;
    int64_t column = columns_first ? 1 : c;
    int64_t channel = columns_first ? block * block : 1;
    int64_t from[6] = {d[0],          d[1] * channel, d[1] * row,
                       d[1] * column, d[2],           d[3]};
    int64_t to[6] = {s[0], s[1], s[2], s[3], s[2] * block, s[3] * block};

    copy->rank = 6;
    memcpy(copy->size, size, sizeof size);
    memcpy(deep_stride, from, sizeof from);
    memcpy(wide_stride, to, sizeof to);
}

static gboolean check_block(const AeStep *step, int64_t *block, GError **error)
{
    *block = ae_node_int(step->node, "blocksize", 0);
    if (*block < 1 || *block > G_MAXINT16)
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "blocksize %" G_GINT64_FORMAT " is not supported",
                            *block);
    if (step->in[0]->shape.rank != 4)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected 4 axes, found %d",
                            step->in[0]->shape.rank);
    return TRUE;
}

/* Whether the columns and rows of a block change faster than its channels. */
static gboolean read_mode(const AeStep *step, gboolean *columns_first,
                          GError **error)
{
    const char *mode = ae_node_string(step->node, "mode", "DCR");

    *columns_first = g_str_equal(mode, "CRD");
    return *columns_first || g_str_equal(mode, "DCR") ||
           ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                        "mode '%s' is not supported", mode);
}

static int64_t block_size(const AeStep *step)
{
    return ae_node_int(step->node, "blocksize", 1);
}

static void deep_rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    *begin /= block_size(step);
    *end = (*end - 1) / block_size(step) + 1;
}

static void wide_rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    *begin *= block_size(step);
    *end *= block_size(step);
}

static gboolean depth_to_space_plan(AeStep *step, GError **error)
{
    AeShape shape = step->in[0]->shape;
    AeCopies *copies;
    gboolean columns_first;
    int64_t block;

    if (!check_block(step, &block, error) ||
        !read_mode(step, &columns_first, error))
        return FALSE;
    if (shape.dim[1] % (block * block) != 0)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%" G_GINT64_FORMAT
                            " channels are no multiple of %" G_GINT64_FORMAT,
                            shape.dim[1], block * block);
    shape.dim[1] /= block * block;
    shape.dim[2] *= block;
    shape.dim[3] *= block;
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    copies = ae_copies_new(step, 1);
    copies->once = TRUE;
    block_copy(copies->copy, step->in[0], step->out[0],
               copies->copy->source_stride, copies->copy->target_stride, block,
               columns_first);
    ae_copies_split_rows(step, 3, (const int[]){0, 4, 2});
    return TRUE;
}

static gboolean space_to_depth_plan(AeStep *step, GError **error)
{
    AeShape shape = step->in[0]->shape;
    AeCopies *copies;
    gboolean columns_first;
    int64_t block;

    if (!check_block(step, &block, error) ||
        !read_mode(step, &columns_first, error))
        return FALSE;
    if (shape.dim[2] % block != 0 || shape.dim[3] % block != 0)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                            " pixels are no multiple of %" G_GINT64_FORMAT,
                            shape.dim[2], shape.dim[3], block);
    shape.dim[1] *= block * block;
    shape.dim[2] /= block;
    shape.dim[3] /= block;
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    copies = ae_copies_new(step, 1);
    copies->once = TRUE;
    block_copy(copies->copy, step->out[0], step->in[0],
               copies->copy->target_stride, copies->copy->source_stride, block,
               columns_first);
    ae_copies_split_rows(step, 2, (const int[]){0, 4});
    return TRUE;
}

#define ARRANGE(operator, min, max, outputs, rule)                             \
    {                                                                          \
        .name = operator, .min_in = min, .max_in = max, .max_out = outputs,    \
        .any_output = outputs > 1, .plan = rule, .forward = ae_copies_forward, \
        .backward = ae_copies_backward,                                        \
    }

const AeOperator ae_ops_arrange[] = {
    ARRANGE("Concat", 1, G_MAXINT, 1, concat_plan),
    ARRANGE("Split", 1, 2, G_MAXINT, split_plan),
    ARRANGE("Slice", 1, 5, 1, slice_plan),
    ARRANGE("Transpose", 1, 1, 1, transpose_plan),
    ARRANGE("Expand", 2, 2, 1, expand_plan),
    ARRANGE("Tile", 2, 2, 1, tile_plan),
    {
        .name = "Gather",
        .min_in = 2,
        .max_in = 2,
        .max_out = 1,
        .plan = gather_plan,
        .forward = gather_forward,
        .backward = ae_copies_backward,
    },
    {
        .name = "ScatterND",
        .min_in = 3,
        .max_in = 3,
        .max_out = 1,
        .plan = scatter_plan,
        .forward = scatter_forward,
    },
    {
        .name = "DepthToSpace",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = depth_to_space_plan,
        .forward = ae_copies_forward,
        .backward = ae_copies_backward,
        .rows = deep_rows,
    },
    {
        .name = "SpaceToDepth",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = space_to_depth_plan,
        .forward = ae_copies_forward,
        .backward = ae_copies_backward,
        .rows = wide_rows,
    },
    {NULL},
};
