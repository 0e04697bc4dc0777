/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize and Upsample, modes nearest and linear, along any axes.
 *
 * Planning turns each axis into a list: for every output position the one or
 * two input positions that it reads, and their weights. Along several axes the
 * weights multiply. The innermost axis in memory (channels) is nearly always
 * left as it is, and then a pixel is a run of floats. */
#include <math.h>

#include "box.h"
#include "gradient.h"

#define MAX_TERMS (1 << AE_MAX_RANK)

/* What one output position along an axis reads: offsets in floats. */
typedef struct {
    int64_t offset[2];
    float weight[2]; /* the second 0 where only one is read */
} Tap;

typedef struct {
    int axes;                   /* outermost in memory first, without the run */
    int64_t size[AE_MAX_RANK];  /* of the output */
    int64_t first[AE_MAX_RANK]; /* where the axis begins in taps */
    int64_t run;                /* floats that stay together */
    gboolean doubles;           /* 4 axes, rows and columns twice, nearest */
    Tap taps[];
} Resize;

/* A part of an output pixel that comes from one input pixel. */
typedef struct {
    int64_t offset;
    float weight;
} Term;

typedef struct {
    gboolean linear;
    const char *coordinates, *rounding;
    double scale[AE_MAX_RANK];
    AeShape shape; /* of the output */
} Rule;

static gboolean is_upsample(const AeStep *step)
{
    return g_str_equal(step->op->name, "Upsample");
}

static gboolean is_one_of(const char *name, const char *const *names)
{
    return g_strv_contains(names, name);
}

static gboolean read_mode(const AeStep *step, Rule *rule, GError **error)
{
    static const char *const known[] = {
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
        "asymmetric", "align_corners",        "tf_half_pixel_for_nn",
        NULL};
    static const char *const roundings[] = {
        "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    const AeNode *node = step->node;
    gboolean simple = is_upsample(step) || step->opset < 11;
    const char *mode = ae_node_string(node, "mode", "nearest");

    rule->linear = g_str_equal(mode, "linear");
    rule->coordinates = "asymmetric";
    rule->rounding = "floor";
    if (!simple) {
        rule->coordinates = ae_node_string(
            node, "coordinate_transformation_mode", "half_pixel");
        rule->rounding =
            ae_node_string(node, "nearest_mode", "round_prefer_floor");
    }
    if (!rule->linear && !g_str_equal(mode, "nearest"))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "mode '%s' is not supported", mode);
    if (!is_one_of(rule->coordinates, known))
        return ae_step_fail(
            step, error, AE_ERROR_UNSUPPORTED,
            "coordinate_transformation_mode '%s' is not supported",
            rule->coordinates);
    if (!is_one_of(rule->rounding, roundings))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "nearest_mode '%s' is not supported",
                            rule->rounding);
    if (ae_node_int(node, "antialias", 0) != 0)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "antialias is not supported");
    if (!g_str_equal(
            ae_node_string(node, "keep_aspect_ratio_policy", "stretch"),
            "stretch"))
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "keep_aspect_ratio_policy other than 'stretch' is "
                            "not supported");
    return TRUE;
}

/* The axes that scales or sizes are given for; returns how many, or -1. */
static int read_axes(const AeStep *step, int *axes, GError **error)
{
    int n, rank = step->in[0]->shape.rank;
    const int64_t *given = ae_node_ints(step->node, "axes", &n);

    if (!given)
        n = rank;
    for (int i = 0; i < n; i++) {
        if (i >= rank) {
            ae_step_fail(step, error, AE_ERROR_VALUE, "too many axes");
            return -1;
        }
        if (!ae_step_axis(step, given ? given[i] : i, rank, &axes[i], error))
            return -1;
    }
    return n;
}

/* The scales, from the attribute or the constant input; NULL: none. */
static const float *find_scales(const AeStep *step, int *n)
{
    gboolean first = is_upsample(step) || step->opset < 11;
    int input = first ? 1 : 2;

    if (is_upsample(step) && step->opset < 9)
        return ae_node_floats(step->node, "scales", n);
    *n = 0;
    if (!ae_step_has(step, input) || !step->in[input]->constant)
        return NULL;
    *n = (int)ae_shape_elements(&step->in[input]->shape);
    return *n > 0 ? step->in[input]->data : NULL;
}

static gboolean apply_scales(const AeStep *step, Rule *rule, const int *axes,
                             const float *scales, int n, GError **error)
{
    for (int i = 0; i < n; i++) {
        int64_t *dim = &rule->shape.dim[axes[i]];
        float size = floorf(scales[i] * (float)*dim);

        if (!(scales[i] > 0) || !(size < 1e9f))
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "a scale of %g is not supported", scales[i]);
        *dim = (int64_t)size;
        rule->scale[axes[i]] = scales[i];
    }
    return TRUE;
}

static gboolean apply_sizes(const AeStep *step, Rule *rule, const int *axes,
                            int n, GError **error)
{
    int64_t sizes[AE_MAX_RANK];
    int found;

    if (!ae_step_input_ints(step, 3, sizes, AE_MAX_RANK, &found, error))
        return FALSE;
    if (found != n)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected %d sizes, found %d", n, found);
    for (int i = 0; i < n; i++) {
        int64_t *dim = &rule->shape.dim[axes[i]];

        if (sizes[i] < 0 || (*dim == 0 && sizes[i] > 0))
            return ae_step_fail(
                step, error, AE_ERROR_VALUE,
                "a size of %" G_GINT64_FORMAT " is not supported", sizes[i]);
        rule->scale[axes[i]] = *dim ? (double)sizes[i] / (double)*dim : 1;
        *dim = sizes[i];
    }
    return TRUE;
}

static gboolean read_sizes(const AeStep *step, Rule *rule, GError **error)
{
    int axes[AE_MAX_RANK], found, n = read_axes(step, axes, error);
    const float *scales = find_scales(step, &found);

    if (n < 0)
        return FALSE;
    rule->shape = step->in[0]->shape;
    for (int i = 0; i < AE_MAX_RANK; i++)
        rule->scale[i] = 1;
    if (!scales && ae_step_has(step, 3))
        return apply_sizes(step, rule, axes, n, error);
    if (!scales)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "needs constant scales or sizes");
    if (found != n)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected %d scales, found %d", n, found);
    return apply_scales(step, rule, axes, scales, n, error);
}

/* The position in the input, of @in elements, that output position @i of @out
 * falls on. */
static double coordinate(const Rule *rule, double scale, int64_t in,
                         int64_t out, int64_t i)
{
    const char *mode = rule->coordinates;
    double centre = ((double)i + 0.5) / scale - 0.5;

    if (g_str_equal(mode, "asymmetric"))
        return (double)i / scale;
    if (g_str_equal(mode, "align_corners"))
        return out > 1 ? (double)(i * (in - 1)) / (double)(out - 1) : 0;
    if (g_str_equal(mode, "pytorch_half_pixel") && out == 1)
        return 0;
    if (g_str_equal(mode, "tf_half_pixel_for_nn"))
        return centre + 0.5;
    if (g_str_equal(mode, "half_pixel_symmetric"))
        return centre +
               (double)in / 2 * (1 - (double)out / (scale * (double)in));
    return centre;
}

static int64_t nearest(const Rule *rule, double x)
{
    if (g_str_equal(rule->rounding, "floor"))
        return (int64_t)floor(x);
    if (g_str_equal(rule->rounding, "ceil"))
        return (int64_t)ceil(x);
    if (g_str_equal(rule->rounding, "round_prefer_ceil"))
        return (int64_t)floor(x + 0.5);
    return (int64_t)ceil(x - 0.5);
}

static Tap make_tap(const Rule *rule, double x, int64_t in, int64_t stride)
{
    double whole = floor(x);
    int64_t a = rule->linear ? (int64_t)whole : nearest(rule, x);
    int64_t low = CLAMP(a, 0, in - 1), high = CLAMP(a + 1, 0, in - 1);
    Tap tap = {{low * stride, high * stride}, {1, 0}};

    if (rule->linear && low != high) {
        tap.weight[1] = (float)(x - whole);
        tap.weight[0] = (float)(1 - (x - whole));
    }
    return tap;
}

static void append_axis(Resize *resize, const Rule *rule, const AeOperand *x,
                        int axis)
{
    int64_t in = x->shape.dim[axis], out = rule->shape.dim[axis];
    int64_t first = 0;

    if (resize->axes > 0)
        first =
            resize->first[resize->axes - 1] + resize->size[resize->axes - 1];
    for (int64_t i = 0; i < out; i++) {
        double at = coordinate(rule, rule->scale[axis], in, out, i);

        /* An axis that keeps its size is read as it is. */
        if (in == out && rule->scale[axis] == 1)
            at = (double)i;
        resize->taps[first + i] = make_tap(rule, at, in, x->stride[axis]);
    }
    resize->size[resize->axes] = out;
    resize->first[resize->axes++] = first;
}

static gboolean doubles_axis(const Resize *resize, int axis, int64_t in,
                             int64_t stride)
{
    const Tap *taps = resize->taps + resize->first[axis];

    if (resize->size[axis] != 2 * in)
        return FALSE;
    for (int64_t i = 0; i < 2 * in; i++) {
        if (taps[i].weight[1] != 0 || taps[i].offset[0] != i / 2 * stride)
            return FALSE;
    }
    return TRUE;
}

static void make_axes(Resize *resize, const AeStep *step, const Rule *rule)
{
    const AeOperand *x = step->in[0];
    int rank = x->shape.rank, inner = ae_memory_axis(rank, rank - 1);
    gboolean runs = rule->shape.dim[inner] == x->shape.dim[inner] &&
                    rule->scale[inner] == 1;

    resize->run = runs ? x->shape.dim[inner] : 1;
    for (int i = 0; i < rank - (runs ? 1 : 0); i++)
        append_axis(resize, rule, x, ae_memory_axis(rank, i));
    resize->doubles = rank == 4 && runs &&
                      rule->shape.dim[0] == x->shape.dim[0] &&
                      rule->scale[0] == 1 &&
                      doubles_axis(resize, 1, x->shape.dim[2], x->stride[2]) &&
                      doubles_axis(resize, 2, x->shape.dim[3], x->stride[3]);
}

static gboolean plan(AeStep *step, GError **error)
{
    Rule rule = {.linear = FALSE};
    Resize *resize;
    int64_t taps = 0;

    if (!read_mode(step, &rule, error) || !read_sizes(step, &rule, error) ||
        !ae_step_set_output(step, 0, &rule.shape, error))
        return FALSE;
    if (rule.shape.rank < 1)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "a scalar cannot be resized");
    step->out[0]->integer = step->in[0]->integer;
    step->units = 0;
    if (ae_shape_elements(&rule.shape) == 0)
        return TRUE;
    for (int i = 0; i < rule.shape.rank; i++)
        taps += rule.shape.dim[i];
    resize = g_malloc0(sizeof *resize + taps * sizeof(Tap));
    step->params = resize;
    make_axes(resize, step, &rule);
    step->units = 1;
    for (int i = 0; i < resize->axes - 1; i++)
        step->units *= resize->size[i];
    return TRUE;
}

/* The terms of an output row: all axes but the last two in memory. */
static int row_terms(const Resize *resize, int64_t unit, Term *terms)
{
    int n = 1;

    terms[0] = (Term){0, 1};
    for (int axis = resize->axes - 2; axis >= 0; axis--) {
        const Tap *tap =
            resize->taps + resize->first[axis] + unit % resize->size[axis];

        unit /= resize->size[axis];
        for (int i = 0; tap->weight[1] != 0 && i < n; i++)
            terms[n + i] = (Term){terms[i].offset + tap->offset[1],
                                  terms[i].weight * tap->weight[1]};
        for (int i = 0; i < n; i++) {
            terms[i].offset += tap->offset[0];
            terms[i].weight *= tap->weight[0];
        }
        n *= tap->weight[1] != 0 ? 2 : 1;
    }
    return n;
}

static void copy_pixels(const Resize *resize, float *y, const float *x,
                        const Tap *taps, int64_t pixels)
{
    int64_t run = resize->run;

    for (int64_t i = 0; i < pixels; i++, y += run) {
        const float *source = x + taps[i].offset[0];

        for (int64_t k = 0; k < run; k++)
            y[k] = source[k];
    }
}

static void add_run(float *y, const float *x, float weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += weight * x[i];
}

static void blend_pixels(const Resize *resize, float *y, const float *x,
                         const Tap *taps, int64_t pixels, const Term *terms,
                         int n)
{
    int64_t run = resize->run;

    memset(y, 0, pixels * run * sizeof *y);
    for (int64_t i = 0; i < pixels; i++, y += run) {
        for (int t = 0; t < n; t++) {
            const float *source = x + terms[t].offset;

            add_run(y, source + taps[i].offset[0],
                    terms[t].weight * taps[i].weight[0], run);
            if (taps[i].weight[1] != 0)
                add_run(y, source + taps[i].offset[1],
                        terms[t].weight * taps[i].weight[1], run);
        }
    }
}

/* An axis without any weights is copied. */
static gboolean copies_axis(const Tap *taps, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (taps[i].weight[1] != 0)
            return FALSE;
    }
    return TRUE;
}

/* The taps of the last axis; @pixels: how many. A tensor that is one run is
 * one pixel. */
static const Tap *last_axis(const Resize *resize, int64_t *pixels)
{
    static const Tap whole = {{0, 0}, {1, 0}};

    *pixels = resize->axes > 0 ? resize->size[resize->axes - 1] : 1;
    return resize->axes > 0 ? resize->taps + resize->first[resize->axes - 1]
                            : &whole;
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch)
{
    const Resize *resize = step->params;
    Term terms[MAX_TERMS];
    int64_t pixels;
    const Tap *taps = last_axis(resize, &pixels);
    gboolean copies = copies_axis(taps, pixels);

    for (int64_t unit = begin; unit < end; unit++) {
        float *y = step->out[0]->data + unit * pixels * resize->run;
        int n = row_terms(resize, unit, terms);

        if (copies && n == 1)
            copy_pixels(resize, y, step->in[0]->data + terms[0].offset, taps,
                        pixels);
        else
            blend_pixels(resize, y, step->in[0]->data, taps, pixels, terms, n);
    }
}

/* dx (+)= the four pixels that were copied from each. */
static void backward_doubles(const AeStep *step)
{
    const Resize *resize = step->params;
    int64_t c = resize->run, row = resize->size[2] * c;
    int64_t rows = resize->size[0] * resize->size[1] / 2;
    gboolean adds = ae_step_adds(step, 0);
    float *dx = step->in[0]->grad;

    for (int64_t h = 0; h < rows; h++) {
        const float *dy = step->out[0]->grad + 2 * h * row;

        for (int64_t w = 0; w < resize->size[2] / 2;
             w++, dx += c, dy += 2 * c) {
            for (int64_t k = 0; k < c; k++)
                dx[k] = (adds ? dx[k] : 0) + (dy[k] + dy[c + k]) +
                        (dy[row + k] + dy[row + c + k]);
        }
    }
}

static void backward_row(const Resize *resize, float *dx, const float *dy,
                         const Tap *taps, int64_t pixels, const Term *term)
{
    int64_t run = resize->run;

    for (int64_t i = 0; i < pixels; i++, dy += run) {
        float *target = dx + term->offset;

        add_run(target + taps[i].offset[0], dy,
                term->weight * taps[i].weight[0], run);
        if (taps[i].weight[1] != 0)
            add_run(target + taps[i].offset[1], dy,
                    term->weight * taps[i].weight[1], run);
    }
}

static void backward(const AeStep *step, float *scratch)
{
    const Resize *resize = step->params;
    Term terms[MAX_TERMS];
    int64_t pixels;
    const Tap *taps;

    if (!ae_step_wants(step, 0))
        return;
    if (resize && resize->doubles) {
        backward_doubles(step);
        return;
    }
    ae_step_clear_gradient(step, 0);
    for (int64_t unit = 0; unit < step->units; unit++) {
        int n = row_terms(resize, unit, terms);

        taps = last_axis(resize, &pixels);
        for (int t = 0; t < n; t++)
            backward_row(resize, step->in[0]->grad,
                         step->out[0]->grad + unit * pixels * resize->run, taps,
                         pixels, &terms[t]);
    }
}

const AeOperator ae_ops_resize[] = {
    {
        .name = "Resize",
        .min_in = 1,
        .max_in = 4,
        .max_out = 1,
        .plan = plan,
        .forward = forward,
        .backward = backward,
    },
    {
        .name = "Upsample",
        .min_in = 1,
        .max_in = 2,
        .max_out = 1,
        .plan = plan,
        .forward = forward,
        .backward = backward,
    },
    {NULL},
};
