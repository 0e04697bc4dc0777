/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize and Upsample, modes nearest, linear and cubic (Keys, "Cubic
 * convolution interpolation for digital image processing", IEEE TASSP 1981),
 * along any axes.
 *
 * Planning makes a list for each axis: the input positions that each output
 * position reads, one, two or four, and their weights. Weights of several axes
 * multiply. The innermost axis in memory (channels) usually keeps its size;
 * then the channels of a pixel are one run of floats. */
#include <math.h>

#include "base/cubic.h"
#include "ops/box.h"
#include "ops/gradient.h"

#define MAX_TERMS 256

/* The input positions that one output position along an axis reads. None: the
 * position lies outside the image, and becomes a constant. */
typedef struct {
    int n;
    float weight[4];
    int64_t offset[4]; /* in floats */
} Tap;

typedef struct {
    int axes; /* outermost in memory first; without the axis of the run */
    int64_t size[AE_MAX_RANK];  /* of the output */
    int64_t first[AE_MAX_RANK]; /* first tap of the axis */
    int64_t run;                /* floats of a run */
    int64_t times;              /* rows and columns of images are repeated so
                                   often; 0: something else */
    float outside; /* the value of output positions that read nothing */
    Tap *taps;     /* the step's table */
} Resize;

/* One input that is added to an output, with its weight. */
typedef struct {
    int64_t offset;
    float weight;
} Term;

/* The values of attributes, in the order of their names below. */
typedef enum { NEAREST, LINEAR, CUBIC } Mode;
typedef enum {
    HALF_PIXEL,
    HALF_PIXEL_SYMMETRIC,
    PYTORCH_HALF_PIXEL,
    ASYMMETRIC,
    ALIGN_CORNERS,
    TF_HALF_PIXEL_FOR_NN,
    TF_CROP_AND_RESIZE,
} Coordinates;
typedef enum { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL } Rounding;

typedef struct {
    Mode mode;
    Coordinates coordinates;
    Rounding rounding;
    float cubic; /* the coefficient of cubic */
    gboolean exclude_outside;
    double scale[AE_MAX_RANK];
    double start[AE_MAX_RANK], end[AE_MAX_RANK]; /* of the cropped region */
    AeShape shape;                               /* of the output */
} Rule;

static gboolean is_upsample(const AeStep *step)
{
    return g_str_equal(step->op->name, "Upsample");
}

/* Reads a string attribute, by default the first of @names, as its number among
 * them. */
static gboolean read_choice(const AeStep *step, const char *attribute,
                            const char *const *names, int *value,
                            GError **error)
{
    const char *name = ae_node_string(step->node, attribute, names[0]);

    for (int i = 0; names[i] != NULL; i++)
        if (g_str_equal(names[i], name)) {
            *value = i;
            return TRUE;
        }
    return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                        "%s '%s' is not supported", attribute, name);
}

static gboolean read_mode(const AeStep *step, Rule *rule, GError **error)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const aspects[] = {"stretch", NULL};
    int mode = NEAREST, aspect;

    if (!read_choice(step, "mode", modes, &mode, error) ||
        !read_choice(step, "keep_aspect_ratio_policy", aspects, &aspect, error))
        return FALSE;
    rule->mode = (Mode)mode;
    rule->cubic = ae_node_float(step->node, "cubic_coeff_a", -0.75f);
    rule->exclude_outside = ae_node_int(step->node, "exclude_outside", 0) != 0;
    return TRUE;
}

/* Upsample, and Resize before opset 11, have no such attribute. */
static gboolean read_coordinates(const AeStep *step, Rule *rule, GError **error)
{
    static const char *const coordinates[] = {
        "half_pixel",         "half_pixel_symmetric",
        "pytorch_half_pixel", "asymmetric",
        "align_corners",      "tf_half_pixel_for_nn",
        "tf_crop_and_resize", NULL};
    static const char *const roundings[] = {
        "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};

    int mode = ASYMMETRIC, rounding = FLOOR;

    if (!is_upsample(step) && step->opset >= 11 &&
        (!read_choice(step, "coordinate_transformation_mode", coordinates,
                      &mode, error) ||
         !read_choice(step, "nearest_mode", roundings, &rounding, error)))
        return FALSE;
    rule->coordinates = (Coordinates)mode;
    rule->rounding = (Rounding)rounding;
    return TRUE;
}

/* Reads the axes that scales or sizes are given for. Returns their number; -1:
 * an error. */
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

/* tf_crop_and_resize: starts and ends as parts of the input. */
static gboolean read_region(const AeStep *step, Rule *rule, const int *axes,
                            int n, GError **error)
{
    const AeOperand *roi = ae_step_has(step, 1) ? step->in[1] : NULL;

    if (rule->coordinates != TF_CROP_AND_RESIZE)
        return TRUE;
    if (!roi || !roi->constant)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "its region must be a constant");
    if (ae_shape_elements(&roi->shape) != 2 * n)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its region must have %d numbers", 2 * n);
    for (int i = 0; i < n; i++) {
        rule->start[axes[i]] = roi->data[i];
        rule->end[axes[i]] = roi->data[n + i];
    }
    return TRUE;
}

/* Antialias widens the filter where images get smaller; otherwise it leaves out
 * what lies outside of the image. */
static gboolean read_antialias(const AeStep *step, Rule *rule, GError **error)
{
    if (ae_node_int(step->node, "antialias", 0) == 0)
        return TRUE;
    rule->exclude_outside = TRUE;
    for (int i = 0; i < rule->shape.rank; i++)
        if (rule->scale[i] < 1)
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "antialias is not supported where it makes "
                                "images smaller");
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
        rule->scale[i] = rule->end[i] = 1;
    if (!read_region(step, rule, axes, n, error))
        return FALSE;
    if (!scales && ae_step_has(step, 3))
        return apply_sizes(step, rule, axes, n, error);
    if (!scales)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "its scales or sizes must be a constant");
    if (found != n)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected %d scales, found %d", n, found);
    return apply_scales(step, rule, axes, scales, n, error);
}

/* The position along @axis of the input, which has @in elements, that output
 * position @i of @out corresponds to. Other runtimes compute it in floats, as
 * this does: where it falls between two elements, all take the same one. They
 * also take the whole length of the output in align_corners, where the
 * reference of ONNX takes scale x @in. */
static double coordinate(const Rule *rule, int axis, int64_t in, int64_t out,
                         int64_t i)
{
    const Coordinates mode = rule->coordinates;
    const float scale = (float)rule->scale[axis], last = (float)(in - 1);
    float centre = ((float)i + 0.5f) / scale - 0.5f;
    float length = (float)(rule->end[axis] - rule->start[axis]);

    if (mode == ASYMMETRIC)
        return (float)i / scale;
    if (mode == ALIGN_CORNERS)
        return out > 1 ? (float)i * last / (float)(out - 1) : 0;
    if (mode == PYTORCH_HALF_PIXEL && out == 1)
        return 0;
    if (mode == TF_HALF_PIXEL_FOR_NN)
        return centre + 0.5f;
    if (mode == HALF_PIXEL_SYMMETRIC)
        return ((float)i + 0.5f - (float)out / 2) / scale + (float)in / 2 -
               0.5f;
    if (mode == TF_CROP_AND_RESIZE && out > 1)
        return (float)rule->start[axis] * last +
               (float)i * length * last / (float)(out - 1);
    if (mode == TF_CROP_AND_RESIZE)
        return ((float)rule->start[axis] + length / 2) * last;
    return centre;
}

static int64_t nearest(const Rule *rule, double x)
{
    if (rule->rounding == FLOOR)
        return (int64_t)floor(x);
    if (rule->rounding == CEIL)
        return (int64_t)ceil(x);
    if (rule->rounding == PREFER_CEIL)
        return (int64_t)floor(x + 0.5);
    return (int64_t)ceil(x - 0.5);
}

/* Adds an input position, or adds its weight to the last one if that is the
 * same position. */
static void append_source(Tap *tap, int64_t offset, double weight)
{
    if (weight == 0)
        return;
    if (tap->n == 0 || tap->offset[tap->n - 1] != offset)
        tap->offset[tap->n++] = offset;
    tap->weight[tap->n - 1] += (float)weight;
}

static Tap make_tap(const Rule *rule, double x, int64_t in, int64_t stride)
{
    int64_t whole = (int64_t)floor(x);
    int first = rule->mode == CUBIC ? -1 : 0, last = 1 - first;
    double part = x - floor(x), sum = 0;
    Tap tap = {.n = 0};

    if (rule->mode == NEAREST) {
        append_source(&tap, CLAMP(nearest(rule, x), 0, in - 1) * stride, 1);
        return tap;
    }
    for (int i = first; i <= last; i++) {
        int64_t source = CLAMP(whole + i, 0, in - 1);
        double distance = fabs((double)i - part);
        double weight = rule->mode == CUBIC
                            ? ae_cubic_weight(rule->cubic, distance)
                            : 1 - distance;

        if (rule->exclude_outside && source != whole + i)
            continue;
        append_source(&tap, source * stride, weight);
        sum += weight;
    }
    for (int i = 0; rule->exclude_outside && i < tap.n; i++)
        tap.weight[i] = (float)(tap.weight[i] / sum);
    return tap;
}

/* TRUE if each output position of the axis is the input position of its index.
 */
static gboolean keeps_axis(const Rule *rule, const AeOperand *x, int axis)
{
    return rule->shape.dim[axis] == x->shape.dim[axis] &&
           rule->scale[axis] == 1 && rule->start[axis] == 0 &&
           rule->end[axis] == 1;
}

static void append_axis(Resize *resize, const Rule *rule, const AeOperand *x,
                        int axis)
{
    int64_t in = x->shape.dim[axis], out = rule->shape.dim[axis];
    int64_t first = 0;
    gboolean crops = rule->coordinates == TF_CROP_AND_RESIZE;

    if (resize->axes > 0)
        first =
            resize->first[resize->axes - 1] + resize->size[resize->axes - 1];
    for (int64_t i = 0; i < out; i++) {
        double at = keeps_axis(rule, x, axis)
                        ? (double)i
                        : coordinate(rule, axis, in, out, i);

        if (!crops || (at >= 0 && at <= (double)(in - 1)))
            resize->taps[first + i] = make_tap(rule, at, in, x->stride[axis]);
    }
    resize->size[resize->axes] = out;
    resize->first[resize->axes++] = first;
}

/* How often the output repeats each position of the axis; 0: it does not. */
static int64_t repeats_axis(const Resize *resize, int axis, int64_t in,
                            int64_t stride)
{
    const Tap *taps = resize->taps + resize->first[axis];
    int64_t times = resize->size[axis] / in;

    if (resize->size[axis] != times * in)
        return 0;
    for (int64_t i = 0; i < times * in; i++) {
        if (taps[i].n != 1 || taps[i].weight[0] != 1 ||
            taps[i].offset[0] != i / times * stride)
            return 0;
    }
    return times;
}

/* How often an image repeats each row and column; 0: it does not. */
static int64_t repeats(const Resize *resize, const AeOperand *x)
{
    int64_t rows = repeats_axis(resize, 1, x->shape.dim[2], x->stride[2]);
    int64_t columns = repeats_axis(resize, 2, x->shape.dim[3], x->stride[3]);

    return rows == columns ? rows : 0;
}

static void make_axes(Resize *resize, const AeStep *step, const Rule *rule)
{
    const AeOperand *x = step->in[0];
    int rank = x->shape.rank, inner = ae_memory_axis(rank, rank - 1);
    gboolean runs = keeps_axis(rule, x, inner);

    resize->run = runs ? x->shape.dim[inner] : 1;
    for (int i = 0; i < rank - (runs ? 1 : 0); i++)
        append_axis(resize, rule, x, ae_memory_axis(rank, i));
    if (rank == 4 && runs && keeps_axis(rule, x, 0))
        resize->times = repeats(resize, x);
}

/* The largest number of terms of an output row. */
static int64_t count_terms(const Resize *resize)
{
    int64_t terms = 1;

    for (int axis = 0; axis < resize->axes - 1; axis++) {
        const Tap *taps = resize->taps + resize->first[axis];
        int most = 1;

        for (int64_t i = 0; i < resize->size[axis]; i++)
            most = MAX(most, taps[i].n);
        terms *= most;
    }
    return terms;
}

/* TRUE if output rows read whole input rows of their image, in order. */
static gboolean keeps_rows(const Resize *resize, const AeStep *step,
                           const Rule *rule)
{
    const Tap *taps = resize->taps + resize->first[1];

    if (rule->shape.rank != 4 || resize->axes != 3 ||
        !keeps_axis(rule, step->in[0], 0))
        return FALSE;
    for (int64_t i = 0; i < resize->size[1]; i++) {
        if (taps[i].n == 0 ||
            (i > 0 && (taps[i].offset[0] < taps[i - 1].offset[0] ||
                       taps[i].offset[taps[i].n - 1] <
                           taps[i - 1].offset[taps[i - 1].n - 1])))
            return FALSE;
    }
    return TRUE;
}

static void rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    const Resize *resize = step->params;
    const Tap *taps = resize->taps + resize->first[1];
    const Tap *last = &taps[*end - 1];

    *begin = taps[*begin].offset[0] / step->in[0]->stride[2];
    *end = last->offset[last->n - 1] / step->in[0]->stride[2] + 1;
}

static gboolean make_resize(AeStep *step, const Rule *rule, GError **error)
{
    Resize *resize;
    int64_t taps = 0;

    for (int i = 0; i < rule->shape.rank; i++)
        taps += rule->shape.dim[i];
    step->table = ae_alloc((size_t)taps, sizeof(Tap), error);
    if (step->table == NULL)
        return FALSE;
    step->params = resize = g_new0(Resize, 1);
    resize->taps = step->table;
    resize->outside = ae_node_float(step->node, "extrapolation_value", 0);
    make_axes(resize, step, rule);
    for (int i = 0; i < resize->axes - 1; i++)
        step->units *= resize->size[i];
    step->row_units = keeps_rows(resize, step, rule);
    if (count_terms(resize) > MAX_TERMS)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "it resizes too many axes at once");
    return TRUE;
}

static gboolean plan(AeStep *step, GError **error)
{
    Rule rule = {.mode = NEAREST};

    if (!read_mode(step, &rule, error) ||
        !read_coordinates(step, &rule, error) ||
        !read_sizes(step, &rule, error) ||
        !read_antialias(step, &rule, error) ||
        !ae_step_set_output(step, 0, &rule.shape, error))
        return FALSE;
    if (rule.shape.rank < 1)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "a scalar cannot be resized");
    step->out[0]->integer = step->in[0]->integer && rule.mode == NEAREST;
    step->units = ae_shape_elements(&rule.shape) > 0 ? 1 : 0;
    return step->units == 0 || make_resize(step, &rule, error);
}

/* Sets the terms of an output row, from all axes but the last. Returns their
 * number; 0: the row lies outside along one of the axes. */
static int row_terms(const Resize *resize, int64_t unit, Term *terms)
{
    int n = 1;

    terms[0] = (Term){0, 1};
    for (int axis = resize->axes - 2; axis >= 0; axis--) {
        const Tap *tap =
            resize->taps + resize->first[axis] + unit % resize->size[axis];

        unit /= resize->size[axis];
        for (int i = tap->n * n - 1; i >= 0; i--) {
            const Term *term = &terms[i % n];
            int k = i / n;

            terms[i] = (Term){term->offset + tap->offset[k],
                              term->weight * tap->weight[k]};
        }
        n *= tap->n;
    }
    return n;
}

/* A row of an image of which each pixel is repeated, without its taps. */
static void repeat_pixels(float *restrict y, const float *restrict x,
                          int64_t pixels, int64_t times, int64_t run)
{
    if (run == 1 && times == 2) { /* gray, doubled: a loop of vectors */
        for (int64_t i = 0; i < pixels / 2; i++)
            y[2 * i] = y[2 * i + 1] = x[i];
        return;
    }
    for (int64_t i = 0; i < pixels; i += times, x += run)
        for (int64_t j = 0; j < times; j++, y += run)
            for (int64_t k = 0; k < run; k++)
                y[k] = x[k];
}

static void add_run(float *y, const float *x, float weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += weight * x[i];
}

static void blend_pixel(const Resize *resize, float *y, const float *x,
                        const Tap *tap, const Term *terms, int n)
{
    float start = n * tap->n == 0 ? resize->outside : 0;

    for (int64_t i = 0; i < resize->run; i++)
        y[i] = start;
    for (int t = 0; t < n; t++) {
        for (int i = 0; i < tap->n; i++)
            add_run(y, x + terms[t].offset + tap->offset[i],
                    terms[t].weight * tap->weight[i], resize->run);
    }
}

static gboolean copies_axis(const Tap *taps, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (taps[i].n != 1 || taps[i].weight[0] != 1)
            return FALSE;
    }
    return TRUE;
}

/* The taps of the last axis; @pixels becomes their number. A tensor that is one
 * run has one pixel. */
static const Tap *last_axis(const Resize *resize, int64_t *pixels)
{
    static const Tap whole = {.n = 1, .weight = {1}};

    *pixels = resize->axes > 0 ? resize->size[resize->axes - 1] : 1;
    return resize->axes > 0 ? resize->taps + resize->first[resize->axes - 1]
                            : &whole;
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    const Resize *resize = step->params;
    const float *x = step->in[0]->data;
    Term terms[MAX_TERMS];
    int64_t pixels, run = resize->run;
    const Tap *taps = last_axis(resize, &pixels);
    gboolean copies = copies_axis(taps, pixels);

    for (int64_t unit = begin; unit < end; unit++) {
        float *y = step->out[0]->data + unit * pixels * run;
        int n = row_terms(resize, unit, terms);

        if (resize->times > 0) {
            repeat_pixels(y, x + terms[0].offset, pixels, resize->times, run);
            continue;
        }
        if (copies && n == 1 && terms[0].weight == 1) {
            const float *row = x + terms[0].offset;

            for (int64_t i = 0; i < pixels; i++, y += run)
                for (int64_t k = 0; k < run; k++)
                    y[k] = row[taps[i].offset[0] + k];
            continue;
        }
        for (int64_t i = 0; i < pixels; i++)
            blend_pixel(resize, y + i * run, x, &taps[i], terms, n);
    }
}

/* The gradient of a doubled image: each input pixel takes those of its four
 * copies. */
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

static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    const Resize *resize = step->params;
    Term terms[MAX_TERMS];
    int64_t pixels;

    if (!ae_step_wants(step, 0))
        return;
    if (resize && resize->times == 2) {
        backward_doubles(step);
        return;
    }
    ae_step_clear_gradient(step, 0);
    for (int64_t unit = 0; unit < step->units; unit++) {
        const float *dy =
            step->out[0]->grad +
            unit * ae_shape_elements(&step->out[0]->shape) / step->units;
        const Tap *taps = last_axis(resize, &pixels);
        int n = row_terms(resize, unit, terms);

        for (int t = 0; t < n; t++) {
            float *dx = step->in[0]->grad + terms[t].offset;

            for (int64_t i = 0; i < pixels; i++)
                for (int k = 0; k < taps[i].n; k++)
                    add_run(dx + taps[i].offset[k], dy + i * resize->run,
                            terms[t].weight * taps[i].weight[k], resize->run);
        }
    }
}

const AeOperator ae_ops_resize[] = {
    {
        .name = "Resize",
        .min_in = 1,
        .max_in = 4,
        .settings = 1 << 1 | 1 << 2 | 1 << 3,
        .max_out = 1,
        .plan = plan,
        .forward = forward,
        .backward = backward,
        .rows = rows,
    },
    {
        .name = "Upsample",
        .min_in = 1,
        .max_in = 2,
        .settings = 1 << 1,
        .max_out = 1,
        .plan = plan,
        .forward = forward,
        .backward = backward,
        .rows = rows,
    },
    {NULL},
};
