/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/image-model.h"

#include <string.h>

#include "base/error.h"
#include "model/layout.h"
#include "plan/plan.h"
#include "video/private.h"

/* Sides in pixels of the images that are tried, where the size is open. Width
 * and height differ, so that one image tells how sizes change. */
enum { SMALLEST_SIDE = 32, LARGEST_SIDE = 256, LONGER = 32 };

/* Where channels, height and width are among the axes. */
typedef struct {
    int rank, channels, height, width;
    AeLayout layout;
} Axes;

static const Axes all_axes[] = {
    {4, 1, 2, 3, {FALSE, FALSE}},
    {4, 3, 1, 2, {TRUE, FALSE}},
    {3, 0, 1, 2, {FALSE, TRUE}},
    {3, 2, 0, 1, {TRUE, TRUE}},
};

static const AeValue *first_value(const AeModel *model, const GArray *list)
{
    return ae_model_value(model, g_array_index(list, int, 0));
}

const AeShape *ae_image_model_shape(const AeImageModel *images)
{
    return &first_value(images->model, images->model->inputs)->shape;
}

static const AeValue *input_value(const AeImageModel *images, int i)
{
    return ae_model_value(images->model, ae_model_input(images->model, i));
}

/* Whether input @i is by its name and shape a map of the level of the noise. */
static gboolean takes_map(const AeImageModel *images, int i)
{
    const AeValue *value = input_value(images, i);

    return value->shape.rank == 4 && value->shape.dim[1] == 1 &&
           !value->integer &&
           (strstr(value->name, "noise") != NULL ||
            strstr(value->name, "sigma") != NULL);
}

/* Whether input @i takes one number. */
static gboolean takes_number(const AeImageModel *images, int i)
{
    const AeValue *value = input_value(images, i);
    gboolean one = value->has_shape && !value->integer;

    for (int k = 0; k < value->shape.rank && one; k++)
        one = value->shape.dim[k] == 1 ||
              (k == 0 && value->shape.dim[k] == AE_UNKNOWN);
    return one;
}

/* The first input that is neither the image, nor a state, nor the level of the
 * noise, which is found; NULL: there is none. */
static const AeValue *find_other(AeImageModel *images)
{
    for (int i = 1; i < (int)images->model->inputs->len; i++) {
        gboolean known = FALSE;

        for (guint k = 0; k < images->states->len; k++)
            known |= g_array_index(images->states, AeCarry, k).input == i;
        if (known)
            continue;
        if (images->sigma_input > 0 ||
            (!takes_number(images, i) && !takes_map(images, i)))
            return input_value(images, i);
        images->sigma_input = i;
    }
    return NULL;
}

/* What takes the level of the noise: a channel, or the input of that name;
 * NULL: nothing. */
static const char *find_sigma(const AeImageModel *images)
{
    if (images->sigma_channel)
        return AE_SIGMA_CHANNEL;
    return images->sigma_input > 0
               ? input_value(images, images->sigma_input)->name
               : NULL;
}

/* The metadata must name what is found. */
static gboolean check_sigma(const AeImageModel *images, GError **error)
{
    const char *said = images->metadata.sigma, *found = find_sigma(images);

    if (said == NULL || g_strcmp0(said, found) == 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "the model says ae.sigma=%s, but what could take the level of "
                "the noise is %s",
                said, found != NULL ? found : "missing");
    return FALSE;
}

static gboolean check_inputs(AeImageModel *images, GError **error)
{
    const AeValue *other =
        images->model->inputs->len > 0 ? find_other(images) : NULL;

    if (images->model->inputs->len > 0 && other == NULL)
        return TRUE;
    if (other != NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model has an input '%s' beside the image, which is "
                    "neither a state (no output is called as if it became it) "
                    "nor one number, the level of the noise",
                    other->name);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model has no input, where an image was expected");
    return FALSE;
}

/* Whole numbers are samples of 8 or 16 bits. */
static gboolean check_element(const AeValue *value, GError **error)
{
    if (!value->integer || value->element == AE_ELEMENT_UINT8 ||
        value->element == AE_ELEMENT_UINT16)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model's images '%s' hold whole numbers that are neither "
                "uint8 nor uint16",
                value->name);
    return FALSE;
}

/* What @n channels are: colours of at most @most frames, and a level of noise
 * behind them. FALSE: anything else. */
static gboolean read_channels(AeImageModel *images, int64_t n, gboolean last,
                              int most)
{
    static const int colours[] = {1, 3};
    const AeMetadata *metadata = &images->metadata;

    if (n == AE_YUV420_CHANNELS && !last && metadata->frames == 0) {
        images->channels = AE_YUV420_CHANNELS;
        images->frames = 1;
        return TRUE;
    }
    for (int i = 0; i < 2; i++)
        for (int frames = 1; frames <= most; frames++) {
            /* Without metadata several frames are an odd number of RGB. */
            gboolean possible = metadata->frames > 0
                                    ? frames == metadata->frames
                                    : frames == 1 || (frames % 2 && i == 1);

            images->sigma_channel = n == frames * colours[i] + 1;
            images->channels = colours[i];
            images->frames = frames;
            if (possible && (images->sigma_channel || n == frames * colours[i]))
                return TRUE;
        }
    return FALSE;
}

static const Axes *find_axes(AeImageModel *images, const AeShape *shape,
                             GError **error)
{
    g_autofree char *text = NULL;

    for (int most = 1; most <= AE_MAX_FRAMES; most += AE_MAX_FRAMES - 1)
        for (size_t i = 0; i < G_N_ELEMENTS(all_axes); i++)
            if (shape->rank == all_axes[i].rank &&
                read_channels(images, shape->dim[all_axes[i].channels],
                              all_axes[i].layout.channels_last, most))
                return &all_axes[i];
    text = ae_shape_to_string(shape);
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "the model takes an input of %s, where an image of 1, 3 or 6 "
                "channels (?x1x?x?, ?x3x?x? or ?x6x?x?) was expected, or of 2 "
                "or 4, the last of them for the level of the noise, or of an "
                "odd number of RGB images",
                text);
    return NULL;
}

/* The shape of an input of about @side pixels. */
static AeShape small_shape(const AeShape *declared, const Axes *axes, int side,
                           int multiple)
{
    AeShape shape = *declared;

    if (!axes->layout.single && shape.dim[0] == AE_UNKNOWN)
        shape.dim[0] = 1;
    if (shape.dim[axes->height] == AE_UNKNOWN)
        shape.dim[axes->height] = ae_round_up(side, multiple);
    if (shape.dim[axes->width] == AE_UNKNOWN)
        shape.dim[axes->width] = ae_round_up(side + LONGER, multiple);
    return shape;
}

/* Scale and margin with which @height x @width become @high x @wide. FALSE:
 * there are none. */
static gboolean find_scale(AeImageModel *images, int64_t height, int64_t width,
                           int64_t high, int64_t wide)
{
    int64_t longer = width - height, scale, missing;

    if (longer == 0)
        scale = (high + height - 1) / MAX(height, 1);
    else
        scale = (wide - high) / longer;
    missing = scale * height - high;
    if (scale < 1 || scale > G_MAXINT || missing < 0 ||
        missing % (2 * scale) != 0 || scale * width - wide != missing)
        return FALSE;
    images->scale = (int)scale;
    images->margin = (int)(missing / (2 * scale));
    return 2 * images->margin < MIN(height, width);
}

/* Learns from a @plan how the output lies. */
static const Axes *study(AeImageModel *images, const AePlan *plan,
                         const Axes *axes)
{
    const AeShape *in = ae_plan_input_shape(plan, 0);
    const AeShape *out = ae_plan_output_shape(plan, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(all_axes); i++) {
        const Axes *other = &all_axes[i];

        if (out->rank == other->rank &&
            out->dim[other->channels] == images->channels &&
            (axes->layout.single || other->layout.single ||
             in->dim[0] == out->dim[0]) &&
            find_scale(images, in->dim[axes->height], in->dim[axes->width],
                       out->dim[other->height], out->dim[other->width]) &&
            (!images->sigma_channel || images->scale == 1))
            return other;
    }
    return NULL;
}

static gboolean is_open(const AeShape *shape, const Axes *axes)
{
    return shape->dim[axes->height] == AE_UNKNOWN ||
           shape->dim[axes->width] == AE_UNKNOWN;
}

/* A plan for the smallest image that the model takes; @shape becomes its shape.
 * The error is that of the first size. */
static AePlan *plan_small(const AeImageModel *images, const Axes *axes,
                          AeShape *shape, GError **error)
{
    const AeShape *declared = ae_image_model_shape(images);
    int multiple = ae_metadata_multiple(&images->metadata, 0);
    AePlan *plan = NULL;

    for (int side = SMALLEST_SIDE; plan == NULL && side <= LARGEST_SIDE;
         side *= is_open(declared, axes) ? 2 : LARGEST_SIDE) {
        *shape = small_shape(declared, axes, side, multiple);
        plan = ae_image_model_plan(images, shape, NULL, AE_PRECISION_AUTO,
                                   side == SMALLEST_SIDE ? error : NULL);
    }
    if (plan != NULL)
        g_clear_error(error);
    return plan;
}

/* Whether scale and margin are true of a second size, @shape upright, as well:
 * of one size they could be two scales. */
static gboolean confirm(const AeImageModel *images, const Axes *axes,
                        AeShape shape)
{
    g_autoptr(AePlan) plan = NULL;
    AeImageModel again = *images;
    int64_t height = shape.dim[axes->height];

    shape.dim[axes->height] = shape.dim[axes->width];
    shape.dim[axes->width] = height;
    plan = ae_image_model_plan(images, &shape, NULL, AE_PRECISION_AUTO, NULL);
    return plan != NULL && study(&again, plan, axes) != NULL &&
           again.scale == images->scale && again.margin == images->margin;
}

/* Learns scale, margin, and how images lie. */
static gboolean read_images(AeImageModel *images, GError **error)
{
    const AeShape *shape = ae_image_model_shape(images);
    const Axes *axes = find_axes(images, shape, error), *made;
    g_autoptr(AePlan) plan = NULL;
    AeModel *model = images->model;
    AeShape small;

    if (axes == NULL)
        return FALSE;
    images->ahead = images->metadata.ahead >= 0 ? images->metadata.ahead
                                                : (images->frames - 1) / 2;
    if (images->ahead >= images->frames) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the model says ae.ahead=%d, but sees %d frames",
                    images->ahead, images->frames);
        return FALSE;
    }
    plan = plan_small(images, axes, &small, error);
    if (plan == NULL)
        return FALSE;
    made = study(images, plan, axes);
    if (made != NULL && images->margin > 0 &&
        shape->dim[axes->height] == AE_UNKNOWN &&
        shape->dim[axes->width] == AE_UNKNOWN && !confirm(images, axes, small))
        made = NULL;
    if (made == NULL) {
        ae_image_shape_error(plan, "a whole multiple of its input's size",
                             error);
        return FALSE;
    }
    if (axes == all_axes && made == all_axes)
        return check_sigma(images, error);
    images->model =
        ae_model_rearrange(model, axes->layout, made->layout, error);
    ae_model_unref(model);
    return images->model != NULL &&
           ae_metadata_read(images->model, &images->metadata, error) &&
           check_sigma(images, error);
}

AeImageModel *ae_image_model_new(AeModel *model, GError **error)
{
    g_autoptr(AeImageModel) images = g_new0(AeImageModel, 1);

    images->model = ae_model_ref(model);
    images->states = ae_metadata_states(model, error);
    if (images->states != NULL && check_inputs(images, error) &&
        check_element(first_value(model, model->inputs), error) &&
        check_element(first_value(model, model->outputs), error) &&
        ae_metadata_read(model, &images->metadata, error) &&
        read_images(images, error))
        return g_steal_pointer(&images);
    return NULL;
}

void ae_image_model_free(AeImageModel *images)
{
    if (images == NULL)
        return;
    if (images->model != NULL)
        ae_model_unref(images->model);
    if (images->states != NULL)
        g_array_unref(images->states);
    g_free(images);
}

/* The shape of input @i, a state, for an image of @shape: open axes are the
 * batch, height and width of the image, both divided by @divisor (0: 1). Those
 * of the level of the noise are 1, of its map those of the image. */
static AeShape state_shape(const AeImageModel *images, int i,
                           const AeShape *shape, int divisor)
{
    AeShape state = input_value(images, i)->shape;
    gboolean number = i == images->sigma_input;
    int open = 0;

    for (int axis = state.rank - 1; axis >= 0; axis--) {
        if (state.dim[axis] != AE_UNKNOWN)
            continue;
        if (axis == 0 && state.rank == shape->rank)
            state.dim[axis] = number ? 1 : shape->dim[0];
        else
            state.dim[axis] =
                divisor == 0 || (number && axis < 2)
                    ? 1
                    : MAX(shape->dim[shape->rank - 1 - open], 1) / divisor;
        open++;
    }
    return state;
}

/* A plan whose states have the @shapes, in and out; they become those that come
 * out, until these are the same. */
static AePlan *settle(const AeImageModel *images, AePlanOptions options,
                      AeShape *shapes, GError **error)
{
    enum { TRIES = 3 };
    const AeCarry *states = (const AeCarry *)images->states->data;
    int n = (int)images->states->len;

    for (int i = 0; i < TRIES; i++) {
        g_autoptr(AePlan) plan = NULL;
        gboolean same = TRUE;

        options.n_carries = 0;
        plan = ae_plan_new(images->model, &options, error);
        for (int k = 0; plan != NULL && k < n; k++) {
            const AeShape *made = ae_plan_output_shape(plan, 1 + k);

            same &= ae_shape_equal(made, &shapes[states[k].input]);
            shapes[states[k].input] = *made;
        }
        if (plan == NULL)
            return NULL;
        if (same)
            break;
    }
    options.n_carries = n;
    return ae_plan_new(images->model, &options, error);
}

/* Where sizes of states are open, those that fit are found by trying. The error
 * is that of the first. */
static AePlan *plan_states(const AeImageModel *images, AePlanOptions options,
                           AeShape *shapes, GError **error)
{
    static const int divisors[] = {1, 2, 4, 8, 16, 32, 0};
    AePlan *plan = NULL;

    for (size_t i = 0; plan == NULL && i < G_N_ELEMENTS(divisors); i++) {
        for (int k = 1; k < options.n_inputs; k++)
            shapes[k] = state_shape(images, k, &shapes[0], divisors[i]);
        plan = settle(images, options, shapes, i == 0 ? error : NULL);
    }
    if (plan != NULL)
        g_clear_error(error);
    return plan;
}

AePlan *ae_image_model_plan(const AeImageModel *images, const AeShape *shape,
                            AePool *pool, AePrecision precision, GError **error)
{
    const AeModel *model = images->model;
    guint n = images->states->len;
    g_autofree AeShape *shapes = g_new0(AeShape, model->inputs->len + 1);
    g_autofree const char **outputs = g_new0(const char *, n + 2);
    g_autofree AeCarry *carries = g_new0(AeCarry, n + 1);
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len,
                             .outputs = outputs,
                             .n_outputs = 1 + (int)n,
                             .pool = pool,
                             .precision = precision,
                             .carries = carries};
    AePlan *plan;

    shapes[0] = *shape;
    if (images->sigma_input > 0)
        shapes[images->sigma_input] =
            state_shape(images, images->sigma_input, shape, 1);
    outputs[0] = first_value(model, model->outputs)->name;
    for (guint i = 0; i < n; i++) {
        const AeCarry *state = &g_array_index(images->states, AeCarry, i);

        carries[i] = (AeCarry){state->input, 1 + (int)i};
        outputs[1 + i] =
            ae_model_value(model, ae_model_output(model, state->output))->name;
    }
    plan = n > 0 ? plan_states(images, options, shapes, error)
                 : ae_plan_new(images->model, &options, error);
    if (plan == NULL)
        g_prefix_error(error,
                       "the model cannot run on images of %" G_GINT64_FORMAT
                       "x%" G_GINT64_FORMAT ": ",
                       shape->dim[shape->rank - 1],
                       shape->dim[shape->rank - 2]);
    return plan;
}
