/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaxPool, AveragePool and GlobalAveragePool over one to three spatial axes
 * (missing ones count as axes of size 1).
 *
 * Windows are computed in two steps: the input rows that they cover are
 * combined into one row of maxima or sums, and then pixels of this row are
 * combined. So loops run along whole rows or channels. */
#include "ops/gradient.h"
#include "ops/window.h"

enum { D, H, W, AXES = AE_WINDOW_AXES };

typedef struct {
    gboolean maximum;
    gboolean counts_pads;
    gboolean tiles; /* every input pixel is in exactly one window */
    int64_t n, c;
    int64_t in[AXES], out[AXES];
    AeWindow window;
} Pool;

/* Taps [first, last) of a window lie inside the image. */
typedef struct {
    int64_t first, last;
    int64_t start; /* input position of tap 0 */
} Taps;

static Taps taps_at(const Pool *pool, int axis, int64_t i)
{
    int64_t dilation = pool->window.dilation[axis];
    Taps taps = {.start =
                     i * pool->window.stride[axis] - pool->window.before[axis]};

    taps.last = pool->window.kernel[axis];
    if (taps.start < 0)
        taps.first = MIN((-taps.start + dilation - 1) / dilation, taps.last);
    if (taps.start + (taps.last - 1) * dilation >= pool->in[axis])
        taps.last = (pool->in[axis] - taps.start + dilation - 1) / dilation;
    taps.last = MAX(taps.last, taps.first);
    return taps;
}

/* The number of taps of window @i that its mean counts along one axis. */
static int64_t taps_counted(const Pool *pool, int axis, int64_t i)
{
    Taps taps = taps_at(pool, axis, i);
    int64_t dilation = pool->window.dilation[axis], end;

    if (!pool->counts_pads)
        return taps.last - taps.first;
    end = pool->in[axis] + pool->window.after[axis] - taps.start;
    return CLAMP((end + dilation - 1) / dilation, 1, pool->window.kernel[axis]);
}

/* The largest kernel, stride, dilation or pad: products of three fit 63 bits.
 */
#define LIMIT G_MAXINT16

static gboolean read_geometry(const AeStep *step, Pool *pool, GError **error)
{
    const gboolean partial = ae_node_int(step->node, "ceil_mode", 0) != 0;
    AeWindow *window = &pool->window;

    if (!ae_window_read(step, LIMIT, window, error))
        return FALSE;
    for (int i = 0; i < AXES; i++) {
        const int64_t extent = ae_window_extent(window, i);

        if (window->before[i] >= extent || window->after[i] >= extent)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "pads must be smaller than the window");
        pool->out[i] = ae_window_outputs(window, i, pool->in[i], partial);
        if (pool->out[i] < 1 && pool->in[i] > 0)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "the window does not fit the image");
    }
    return TRUE;
}

static gboolean tiles(const Pool *pool)
{
    for (int i = 0; i < AXES; i++) {
        if (pool->window.kernel[i] != pool->window.stride[i] ||
            pool->window.dilation[i] != 1 || pool->window.before[i] != 0 ||
            pool->out[i] * pool->window.stride[i] != pool->in[i])
            return FALSE;
    }
    return TRUE;
}

static gboolean read_input(AeStep *step, Pool *pool, GError **error)
{
    const AeShape *x = &step->in[0]->shape;

    if (x->rank < 3 || x->rank > 2 + AXES)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected 1 to 3 spatial axes, found a tensor of "
                            "rank %d",
                            x->rank);
    pool->n = x->dim[0];
    pool->c = x->dim[1];
    for (int i = 0; i < AXES; i++) {
        int axis = x->rank - AXES + i;

        pool->in[i] = axis < 2 ? 1 : x->dim[axis];
        pool->out[i] = 1;
    }
    return TRUE;
}

static gboolean set_output(AeStep *step, const Pool *pool, GError **error)
{
    AeShape shape = step->in[0]->shape;

    for (int axis = 2; axis < shape.rank; axis++)
        shape.dim[axis] = pool->out[AXES - shape.rank + axis];
    step->out[0]->integer = step->in[0]->integer;
    return ae_step_set_output(step, 0, &shape, error);
}

static gboolean plan(AeStep *step, GError **error)
{
    Pool *pool = g_new0(Pool, 1);
    int n;

    step->params = pool;
    if (!read_input(step, pool, error))
        return FALSE;
    if (step->n_out > 1 && step->out[1])
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "its second output, Indices, is not supported");
    if (!ae_node_ints(step->node, "kernel_shape", &n))
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "kernel_shape is missing");
    pool->maximum = g_str_equal(step->op->name, "MaxPool");
    pool->counts_pads = ae_node_int(step->node, "count_include_pad", 0) != 0;
    if (!read_geometry(step, pool, error) || !set_output(step, pool, error))
        return FALSE;
    pool->tiles = tiles(pool);
    step->units = pool->n * pool->out[D] * pool->out[H];
    step->row_units = step->in[0]->shape.rank == 4;
    step->scratch = (size_t)(pool->in[W] * pool->c);
    step->scratch_backward = (size_t)(pool->out[W] * pool->c);
    return TRUE;
}

/* The offset, in floats, of input row (@n, @d, @h). */
static int64_t row_offset(const Pool *pool, int64_t n, int64_t d, int64_t h)
{
    return ((n * pool->in[D] + d) * pool->in[H] + h) * pool->in[W] * pool->c;
}

/* Combines all input rows that output row (@n, @d, @h) reads into @target.
 * FALSE: it reads none. */
static gboolean combine_rows(const AeStep *step, int64_t n, int64_t d,
                             int64_t h, float *target)
{
    const Pool *pool = step->params;
    Taps deep = taps_at(pool, D, d), high = taps_at(pool, H, h);
    int64_t length = pool->in[W] * pool->c;
    gboolean first = TRUE;

    for (int64_t i = deep.first; i < deep.last; i++) {
        for (int64_t k = high.first; k < high.last; k++) {
            const float *x =
                step->in[0]->data +
                row_offset(pool, n, deep.start + i * pool->window.dilation[D],
                           high.start + k * pool->window.dilation[H]);

            if (first)
                memcpy(target, x, length * sizeof *x);
            else if (pool->maximum)
                step->kernels->maximum(target, target, x, length);
            else
                step->kernels->add(target, target, x, length);
            first = FALSE;
        }
    }
    return !first;
}

/* y[i] = max or sum of y[i] and x[i], for the few channels of a pixel. As in
 * ONNX Runtime, the maximum of a number and NaN is the later one. */
static inline void combine_pixel(gboolean maximum, float *y, const float *x,
                                 int64_t c)
{
    if (maximum) {
        for (int64_t i = 0; i < c; i++)
            y[i] = y[i] > x[i] ? y[i] : x[i];
    } else {
        for (int64_t i = 0; i < c; i++)
            y[i] += x[i];
    }
}

static void combine_pixels(const Pool *pool, float *y, const float *row,
                           double rows)
{
    int64_t c = pool->c;

    for (int64_t w = 0; w < pool->out[W]; w++, y += c) {
        Taps taps = taps_at(pool, W, w);
        float scale;

        if (taps.first == taps.last) {
            memset(y, 0, c * sizeof *y);
            continue;
        }
        for (int64_t i = taps.first; i < taps.last; i++) {
            const float *x =
                row + (taps.start + i * pool->window.dilation[W]) * c;

            if (i == taps.first)
                memcpy(y, x, c * sizeof *y);
            else
                combine_pixel(pool->maximum, y, x, c);
        }
        if (pool->maximum)
            continue;
        scale = (float)(1 / (rows * (double)taps_counted(pool, W, w)));
        for (int64_t i = 0; i < c; i++)
            y[i] *= scale;
    }
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch)
{
    const Pool *pool = step->params;
    int64_t length = pool->out[W] * pool->c;

    for (int64_t unit = begin; unit < end; unit++) {
        int64_t h = unit % pool->out[H], d = unit / pool->out[H];
        float *y = step->out[0]->data + unit * length;
        double rows;

        rows = (double)taps_counted(pool, H, h) *
               (double)taps_counted(pool, D, d % pool->out[D]);
        if (combine_rows(step, d / pool->out[D], d % pool->out[D], h, scratch))
            combine_pixels(pool, y, scratch, rows);
        else
            memset(y, 0, length * sizeof *y);
    }
}

static void rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    const Pool *pool = step->params;

    ae_window_inputs(&pool->window, H, begin, end);
}

/* Copies the gradient of output row (at[1], at[2]) to @rest; for averages,
 * divides it by the number of taps of each window. */
static void begin_row(const AeStep *step, const int64_t at[3], const float *dy,
                      float *rest)
{
    const Pool *pool = step->params;
    const int64_t c = pool->c;
    const int64_t rows =
        taps_counted(pool, D, at[1]) * taps_counted(pool, H, at[2]);

    memcpy(rest, dy, pool->out[W] * c * sizeof *rest);
    for (int64_t w = 0; !pool->maximum && w < pool->out[W]; w++) {
        const float scale = 1 / (float)(rows * taps_counted(pool, W, w));

        for (int64_t i = 0; i < c; i++)
            rest[w * c + i] *= scale;
    }
}

/* Adds the gradients of tap @tap along the width of all windows of an output
 * row to the input row at offset @row. @rest is the gradient that no tap has
 * taken yet: the gradient of a maximum goes to the first input that equals
 * it. */
static void pass_tap(const AeStep *step, int64_t row, int64_t tap,
                     const float *y, float *rest, gboolean overwrite)
{
    const Pool *pool = step->params;
    const int64_t c = pool->c, stride = pool->window.stride[W];
    const int64_t shift =
        tap * pool->window.dilation[W] - pool->window.before[W];
    const float *x = step->in[0]->data + row + shift * c;
    float *dx = step->in[0]->grad + row + shift * c;
    int64_t first = 0, last = pool->out[W];

    while (first < last && first * stride + shift < 0)
        first++;
    while (last > first && (last - 1) * stride + shift >= pool->in[W])
        last--;
    dx += first * stride * c;
    rest += first * c;
    if (pool->maximum) {
        step->kernels->pass_maximum(dx, x + first * stride * c, stride * c,
                                    y + first * c, rest, last - first, c,
                                    overwrite);
        return;
    }
    for (int64_t w = first; w < last; w++, dx += stride * c, rest += c)
        for (int64_t i = 0; i < c; i++)
            dx[i] = (overwrite ? 0 : dx[i]) + rest[i];
}

static void backward_row(const AeStep *step, const int64_t at[3],
                         int64_t offset, float *rest)
{
    const Pool *pool = step->params;
    const Taps deep = taps_at(pool, D, at[1]), high = taps_at(pool, H, at[2]);
    const gboolean overwrite = pool->tiles && !ae_step_adds(step, 0);

    begin_row(step, at, step->out[0]->grad + offset, rest);
    for (int64_t i = deep.first; i < deep.last; i++)
        for (int64_t k = high.first; k < high.last; k++) {
            const int64_t row = row_offset(
                pool, at[0], deep.start + i * pool->window.dilation[D],
                high.start + k * pool->window.dilation[H]);

            for (int64_t tap = 0; tap < pool->window.kernel[W]; tap++)
                pass_tap(step, row, tap, step->out[0]->data + offset, rest,
                         overwrite);
        }
}

static void backward(const AeStep *step, float *scratch)
{
    const Pool *pool = step->params;
    const int64_t length = pool->out[W] * pool->c;

    if (!ae_step_wants(step, 0))
        return;
    if (!pool->tiles)
        ae_step_clear_gradient(step, 0);
    for (int64_t unit = 0; unit < step->units; unit++) {
        const int64_t d = unit / pool->out[H];
        const int64_t at[3] = {d / pool->out[D], d % pool->out[D],
                               unit % pool->out[H]};

        backward_row(step, at, unit * length, scratch);
    }
}

static gboolean global_plan(AeStep *step, GError **error)
{
    Pool *pool = g_new0(Pool, 1);

    step->params = pool;
    if (!read_input(step, pool, error))
        return FALSE;
    step->units = pool->n;
    step->scratch = (size_t)pool->c;
    return set_output(step, pool, error);
}

/* Sums each row first, which keeps rounding errors of long sums small. */
static void global_forward(const AeStep *step, int64_t begin, int64_t end,
                           float *scratch)
{
    const Pool *pool = step->params;
    int64_t c = pool->c, rows = pool->in[D] * pool->in[H];
    float scale = 1 / ((float)rows * (float)pool->in[W]);

    for (int64_t n = begin; n < end; n++) {
        const float *x = step->in[0]->data + row_offset(pool, n, 0, 0);
        float *y = step->out[0]->data + n * c;

        memset(y, 0, c * sizeof *y);
        for (int64_t row = 0; row < rows; row++) {
            memset(scratch, 0, c * sizeof *scratch);
            for (int64_t w = 0; w < pool->in[W]; w++, x += c)
                combine_pixel(FALSE, scratch, x, c);
            combine_pixel(FALSE, y, scratch, c);
        }
        for (int64_t i = 0; i < c; i++)
            y[i] *= scale;
    }
}

static void global_backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Pool *pool = step->params;
    int64_t c = pool->c, pixels = pool->in[D] * pool->in[H] * pool->in[W];
    float *dx;

    if (!ae_step_wants(step, 0))
        return;
    ae_step_clear_gradient(step, 0);
    dx = step->in[0]->grad;
    for (int64_t i = 0; i < pool->n * pixels; i++, dx += c) {
        const float *dy = step->out[0]->grad + i / pixels * c;

        for (int64_t k = 0; k < c; k++)
            dx[k] += dy[k] / (float)pixels;
    }
}

const AeOperator ae_ops_pool[] = {
    {
        .name = "MaxPool",
        .min_in = 1,
        .max_in = 1,
        .max_out = 2,
        .plan = plan,
        .forward = forward,
        .backward = backward,
        .rows = rows,
    },
    {
        .name = "AveragePool",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = plan,
        .forward = forward,
        .backward = backward,
        .rows = rows,
    },
    {
        .name = "GlobalAveragePool",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .plan = global_plan,
        .forward = global_forward,
        .backward = global_backward,
    },
    {NULL},
};
