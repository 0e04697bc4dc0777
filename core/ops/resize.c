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

/* The longest axis that is made: planning takes time for each position. */
#define MAX_LENGTH (1 << 18)

/* An input position along an axis, in floats, and its weight. */
typedef struct {
    int64_t offset;
    float weight;
} Term;

/* The input positions that one output position along an axis reads. None: the
 * position lies outside the image, and becomes a constant. */
typedef struct {
    int n;
    Term *term;
} Tap;

typedef struct {
    int axes; /* outermost in memory first; without the axis of the run */
    int64_t size[AE_MAX_RANK];  /* of the output */
    int64_t first[AE_MAX_RANK]; /* first tap of the axis */
    int64_t run;                /* floats of a run */
    int64_t times;              /* rows and columns of images are repeated so
                                   often; 0: something else */
    float outside; /* the value of output positions that read nothing */
    Tap *taps;     /* the step's table; their terms follow */
} Resize;

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
typedef enum { STRETCH, NOT_LARGER, NOT_SMALLER } Policy;

typedef struct {
    Mode mode;
    Coordinates coordinates;
    Rounding rounding;
    Policy policy;
    float cubic; /* the coefficient of cubic */
    gboolean antialias, exclude_outside;
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
    static const char *const policies[] = {"stretch", "not_larger",
                                           "not_smaller", NULL};
    int mode = NEAREST, policy = STRETCH;

    if (!read_choice(step, "mode", modes, &mode, error) ||
        !read_choice(step, "keep_aspect_ratio_policy", policies, &policy,
                     error))
        return FALSE;
    rule->mode = (Mode)mode;
    rule->policy = (Policy)policy;
    rule->antialias = ae_node_int(step->node, "antialias", 0) != 0;
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

        if (!(scales[i] > 0) || !(size <= MAX(MAX_LENGTH, *dim)))
            return ae_step_fail(
                step, error, AE_ERROR_VALUE,
                "a scale of %g is not supported for %" G_GINT64_FORMAT
                " elements: at most %d are made",
                (double)scales[i], *dim, MAX_LENGTH);
        *dim = (int64_t)size;
        rule->scale[axes[i]] = scales[i];
    }
    return TRUE;
}

/* One scale for all @axes, by which none becomes larger, or smaller, than its
 * size. */
static void keep_aspect(const AeShape *x, Rule *rule, const int *axes, int n)
{
    float scale = (float)rule->scale[axes[0]];

    for (int i = 1; i < n; i++) {
        const float other = (float)rule->scale[axes[i]];

        scale =
            rule->policy == NOT_LARGER ? MIN(scale, other) : MAX(scale, other);
    }
    for (int i = 0; i < n; i++) {
        rule->scale[axes[i]] = scale;
        rule->shape.dim[axes[i]] =
            (int64_t)roundf(scale * (float)x->dim[axes[i]]);
    }
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

        if (sizes[i] < 0 || sizes[i] > MAX(MAX_LENGTH, *dim) ||
            (*dim == 0 && sizes[i] > 0))
            return ae_step_fail(
                step, error, AE_ERROR_VALUE,
                "a size of %" G_GINT64_FORMAT " is not supported", sizes[i]);
        rule->scale[axes[i]] = *dim ? (double)sizes[i] / (double)*dim : 1;
        *dim = sizes[i];
    }
    if (rule->policy != STRETCH && n > 0)
        keep_aspect(&step->in[0]->shape, rule, axes, n);
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
    if (mode == HALF_PIXEL_SYMMETRIC) {
        const float part = (float)out / (scale * (float)in);
        const float offset = (float)in / 2 * (1 - part);

        return (float)(offset + ((double)i + 0.5) / scale - 0.5);
    }
    if (mode == TF_CROP_AND_RESIZE && out > 1)
        return (float)rule->start[axis] * last +
               (float)i * length * last / (float)(out - 1);
    if (mode == TF_CROP_AND_RESIZE)
        return ((float)rule->start[axis] + length / 2) * last;
    return centre;
}

/* A position that rounding errors may have moved away from the middle between
 * two elements is in the middle. */
static int64_t nearest(const Rule *rule, double x)
{
    const double half = 0.5 + 1e-6;

    if (rule->rounding == FLOOR)
        return (int64_t)floor(x);
    if (rule->rounding == CEIL)
        return (int64_t)ceil(x);
    if (rule->rounding == PREFER_CEIL)
        return (int64_t)floor(x + half);
    return (int64_t)ceil(x - half);
}

/* Input positions at the scale of @axis: the filter of antialias is as much
 * wider as an axis gets smaller. */
static double filter_scale(const Rule *rule, int axis)
{
    return rule->antialias ? MIN(rule->scale[axis], 1) : 1;
}

/* The first input position that an output position may read, counted from the
 * last input position before it; the last one is 1 minus the first. */
static int64_t first_source(const Rule *rule, int axis)
{
    const double radius = rule->mode == CUBIC ? 2 : 1;

    return (int64_t)floor(-radius / filter_scale(rule, axis)) + 1;
}

/* The weight of an input position at @distance. */
static double filter_weight(const Rule *rule, double distance)
{
    return rule->mode == CUBIC ? ae_cubic_weight(rule->cubic, distance)
                               : MAX(1 - distance, 0);
}

/* Adds an input position, or adds its weight to the last one if that is the
 * same position. */
static void append_source(Tap *tap, int64_t offset, double weight)
{
    if (weight == 0)
        return;
    if (tap->n == 0 || tap->term[tap->n - 1].offset != offset)
        tap->term[tap->n++] = (Term){offset, 0};
    tap->term[tap->n - 1].weight += (float)weight;
}

/* Sets @tap, which has room for its terms, to what is read for position @x of
 * the input, an axis of @in elements. */
static void make_tap(const Rule *rule, int axis, double x, int64_t in,
                     int64_t stride, Tap *tap)
{
    const double scale = filter_scale(rule, axis), part = x - floor(x);
    const int64_t whole = (int64_t)floor(x), first = first_source(rule, axis);
    double sum = 0;

    if (rule->mode == NEAREST) {
        append_source(tap, CLAMP(nearest(rule, x), 0, in - 1) * stride, 1);
        return;
    }
    for (int64_t i = first; i <= 1 - first; i++) {
        int64_t source = CLAMP(whole + i, 0, in - 1);
        double weight = filter_weight(rule, fabs((double)i - part) * scale);

        if (rule->exclude_outside && source != whole + i)
            continue;
        append_source(tap, source * stride, weight);
        sum += weight;
    }
    if (rule->exclude_outside || rule->antialias)
        for (int i = 0; i < tap->n; i++)
            tap->term[i].weight = (float)(tap->term[i].weight / sum);
}

/* TRUE if each output position of the axis is the input position of its index.
 */
static gboolean keeps_axis(const Rule *rule, const AeOperand *x, int axis)
{
    return rule->shape.dim[axis] == x->shape.dim[axis] &&
           rule->scale[axis] == 1 && rule->start[axis] == 0 &&
           rule->end[axis] == 1;
}

/* Returns the end of @terms that it takes. */
static Term *append_axis(Resize *resize, const Rule *rule, const AeOperand *x,
                         int axis, Term *terms)
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

        Tap *tap = &resize->taps[first + i];

        *tap = (Tap){0, terms};
        if (!crops || (at >= 0 && at <= (double)(in - 1)))
            make_tap(rule, axis, at, in, x->stride[axis], tap);
        terms += tap->n;
    }
    resize->size[resize->axes] = out;
    resize->first[resize->axes++] = first;
    return terms;
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
        if (taps[i].n != 1 || taps[i].term[0].weight != 1 ||
            taps[i].term[0].offset != i / times * stride)
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

static void make_axes(Resize *resize, const AeStep *step, const Rule *rule,
                      Term *terms)
{
    const AeOperand *x = step->in[0];
    int rank = x->shape.rank, inner = ae_memory_axis(rank, rank - 1);
    gboolean runs = keeps_axis(rule, x, inner);

    resize->run = runs ? x->shape.dim[inner] : 1;
    for (int i = 0; i < rank - (runs ? 1 : 0); i++)
        terms = append_axis(resize, rule, x, ae_memory_axis(rank, i), terms);
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
            (i > 0 && (taps[i].term[0].offset < taps[i - 1].term[0].offset ||
                       taps[i].term[taps[i].n - 1].offset <
                           taps[i - 1].term[taps[i - 1].n - 1].offset)))
            return FALSE;
    }
    return TRUE;
}

static void rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    const Resize *resize = step->params;
    const Tap *taps = resize->taps + resize->first[1];
    const Tap *last = &taps[*end - 1];

    *begin = taps[*begin].term[0].offset / step->in[0]->stride[2];
    *end = last->term[last->n - 1].offset / step->in[0]->stride[2] + 1;
}

/* The most input positions that an output position of @axis reads. */
static int64_t most_sources(const AeStep *step, const Rule *rule, int axis)
{
    const int64_t most = 2 - 2 * first_source(rule, axis);

    return rule->mode == NEAREST ? 1 : MIN(most, step->in[0]->shape.dim[axis]);
}

static gboolean make_resize(AeStep *step, const Rule *rule, GError **error)
{
    Resize *resize;
    size_t taps = 0, terms = 0;

    for (int i = 0; i < rule->shape.rank; i++) {
        taps += (size_t)rule->shape.dim[i];
        terms += (size_t)(rule->shape.dim[i] * most_sources(step, rule, i));
    }
    step->table = ae_alloc(taps * sizeof(Tap) + terms * sizeof(Term), 1, error);
    if (step->table == NULL)
        return FALSE;
    step->params = resize = g_new0(Resize, 1);
    resize->taps = step->table;
    resize->outside = ae_node_float(step->node, "extrapolation_value", 0);
    make_axes(resize, step, rule, (Term *)(resize->taps + taps));
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

            terms[i] = (Term){term->offset + tap->term[k].offset,
                              term->weight * tap->term[k].weight};
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
            add_run(y, x + terms[t].offset + tap->term[i].offset,
                    terms[t].weight * tap->term[i].weight, resize->run);
    }
}

static gboolean copies_axis(const Tap *taps, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (taps[i].n != 1 || taps[i].term[0].weight != 1)
            return FALSE;
    }
    return TRUE;
}

/* The taps of the last axis; @pixels becomes their number. A tensor that is one
 * run has one pixel. */
static const Tap *last_axis(const Resize *resize, int64_t *pixels)
{
    static Term one = {0, 1};
    static const Tap whole = {1, &one};

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
                    y[k] = row[taps[i].term[0].offset + k];
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
                    add_run(dx + taps[i].term[k].offset, dy + i * resize->run,
                            terms[t].weight * taps[i].term[k].weight,
                            resize->run);
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
