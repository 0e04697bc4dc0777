/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the ranges of the values that convolutions read, and writes the model
 * that uses them.
 *
 * The range of a value is the one with the smallest mean squared error over the
 * samples. It is often a little smaller than the extremes: cutting off few
 * large numbers costs less than coarser steps for all others. */
#include "tools/quantize.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "model/metadata.h"
#include "ops/operator.h"
#include "plan/plan.h"
#include "model/build.h"

enum { BINS = 2048, MIN_OPSET = 11, QDQ_OPSET = 13 };

/* A value that convolutions read. */
typedef struct {
    const char *name; /* borrowed from the model */
    float low, high;  /* extremes; 0 always lies between them */
    double bins[BINS];
    float scale, zero;
} Range;

static void range_extend(Range *range, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        range->low = MIN(range->low, x[i]);
        range->high = MAX(range->high, x[i]);
    }
}

/* Counts numbers other than 0, which every range holds exactly. */
static void range_count(Range *range, const float *x, int64_t n)
{
    const float width = (range->high - range->low) / BINS;

    for (int64_t i = 0; i < n; i++)
        if (x[i] != 0)
            range->bins[MIN((int)((x[i] - range->low) / width), BINS - 1)]++;
}

/* The squared error of a range that is @part of the extremes. */
static double range_error(const Range *range, double part)
{
    const double low = range->low * part, high = range->high * part;
    const double width = ((double)range->high - range->low) / BINS;
    const double step = (high - low) / 255;
    double error = 0;

    for (int i = 0; i < BINS; i++) {
        const double x = range->low + (i + 0.5) * width;
        const double cut = MAX(MAX(low - x, x - high), 0);

        error += range->bins[i] * MAX(cut * cut, step * step / 12);
    }
    return error;
}

static void range_choose(Range *range)
{
    double best = 1, least = range_error(range, 1), low;

    for (double part = 0.99; part > 0.2; part -= 0.01) {
        const double error = range_error(range, part);

        if (error < least) {
            least = error;
            best = part;
        }
    }
    low = range->low * best;
    range->scale = (float)((range->high * best - low) / 255);
    if (!(range->scale > FLT_MIN))
        range->scale = 1;
    range->zero = (float)CLAMP(rint(-low / range->scale), 0, 255);
}

static int node_input(const AeNode *node, guint i)
{
    return i < node->inputs->len ? g_array_index(node->inputs, int, i) : -1;
}

/* TRUE for a convolution of images in one group with constant weights and bias.
 */
static gboolean is_possible(const AeModel *model, const AeNode *node)
{
    const int w = node_input(node, 1), b = node_input(node, 2);

    if ((strcmp(node->op->name, "Conv") != 0 &&
         strcmp(node->op->name, "ConvTranspose") != 0) ||
        ae_node_int(node, "group", 1) != 1)
        return FALSE;
    return ae_model_value(model, w)->constant != NULL &&
           ae_model_value(model, w)->constant->shape.rank == 4 &&
           ae_model_value(model, node_input(node, 0))->constant == NULL &&
           (b < 0 || ae_model_value(model, b)->constant != NULL);
}

/* TRUE if the output of node @at reaches a later convolution. The last
 * convolutions stay in floats: they are small, and the eye sees their
 * rounding. */
static gboolean reaches_another(const AeModel *model, guint at)
{
    const AeNode *node = g_ptr_array_index(model->nodes, at);
    g_autofree gboolean *reached = g_new0(gboolean, model->values->len + 1);

    reached[g_array_index(node->outputs, int, 0)] = TRUE;
    for (guint i = at + 1; i < model->nodes->len; i++) {
        const AeNode *later = g_ptr_array_index(model->nodes, i);
        gboolean reads = FALSE;

        for (guint j = 0; j < later->inputs->len; j++)
            reads |= node_input(later, j) >= 0 && reached[node_input(later, j)];
        if (reads && is_possible(model, later))
            return TRUE;
        for (guint j = 0; reads && j < later->outputs->len; j++)
            if (g_array_index(later->outputs, int, j) >= 0)
                reached[g_array_index(later->outputs, int, j)] = TRUE;
    }
    return FALSE;
}

static gboolean is_quantisable(const AeModel *model, guint at)
{
    return is_possible(model, g_ptr_array_index(model->nodes, at)) &&
           reaches_another(model, at);
}

/* A range for each value that convolutions read, by its name. */
static GHashTable *find_ranges(const AeModel *model)
{
    GHashTable *ranges =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);
        Range *range;

        if (!is_quantisable(model, i))
            continue;
        range = g_new0(Range, 1);
        range->name = ae_model_value(model, node_input(node, 0))->name;
        g_hash_table_replace(ranges, (char *)range->name, range);
    }
    return ranges;
}

static AePlan *make_plan(AeModel *model, GHashTable *ranges,
                         const AeShape *shape, GError **error)
{
    guint n;
    g_autofree char **names =
        (char **)g_hash_table_get_keys_as_array(ranges, &n);
    const AePlanOptions options = {.shapes = shape,
                                   .n_inputs = 1,
                                   .outputs = (const char *const *)names,
                                   .n_outputs = (int)n};

    return ae_plan_new(model, &options, error);
}

/* Pass 0 over all samples finds the extremes of the values, pass 1 counts how
 * often each occurs. */
static gboolean observe(AeModel *model, GHashTable *ranges,
                        const GPtrArray *samples, int pass,
                        void (*progress)(int64_t done, int64_t all),
                        GError **error)
{
    g_autoptr(AePlan) plan = NULL;

    for (guint i = 0; i < samples->len; i++) {
        const AeTensor *sample = g_ptr_array_index(samples, i);
        GHashTableIter iter;
        void *range;

        if (progress != NULL)
            progress(pass * (int64_t)samples->len + i,
                     2 * (int64_t)samples->len);
        if (plan == NULL ||
            !ae_shape_equal(ae_plan_input_shape(plan, 0), &sample->shape)) {
            g_clear_pointer(&plan, ae_plan_free);
            plan = make_plan(model, ranges, &sample->shape, error);
        }
        if (plan == NULL)
            return FALSE;
        memcpy(ae_plan_input(plan, 0), sample->data,
               (size_t)ae_shape_elements(&sample->shape) * sizeof(float));
        ae_plan_run(plan);
        g_hash_table_iter_init(&iter, ranges);
        for (int j = 0; g_hash_table_iter_next(&iter, NULL, &range); j++)
            (pass == 0 ? range_extend : range_count)(
                range, ae_plan_output(plan, j),
                ae_shape_elements(ae_plan_output_shape(plan, j)));
    }
    return TRUE;
}

/* Raises the opset to that of QDQ models. Fails if the model has operators
 * whose meaning changes in between. */
static gboolean raise_opset(AeModel *model, GError **error)
{
    static const char *const changed[] = {"Softmax", "Split", "Squeeze",
                                          "Unsqueeze", "ReduceSum"};
    const char *culprit = NULL;

    if (model->opset >= QDQ_OPSET)
        return TRUE;
    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);

        for (size_t j = 0; j < G_N_ELEMENTS(changed); j++)
            if (strcmp(node->op->name, changed[j]) == 0)
                culprit = changed[j];
    }
    if (model->opset >= MIN_OPSET && culprit == NULL) {
        model->opset = QDQ_OPSET;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "quantised models are of opset %d or later, and a model of "
                "opset %d%s%s cannot be raised to it: export it anew",
                QDQ_OPSET, model->opset, culprit != NULL ? " with " : "",
                culprit != NULL ? culprit : "");
    return FALSE;
}

/* A value's name with a suffix, made longer until no value has it. */
static char *new_name(const AeModel *model, const char *name,
                      const char *suffix)
{
    char *result = g_strconcat(name, suffix, NULL);

    while (ae_model_find(model, result) >= 0) {
        char *longer = g_strconcat(result, "_", NULL);

        g_free(result);
        result = longer;
    }
    return result;
}

static int add_constant(AeModel *model, const char *name, const char *suffix,
                        AeTensor *tensor)
{
    g_autofree char *full = new_name(model, name, suffix);

    return ae_model_add_constant(model, full, tensor, FALSE, NULL);
}

static AeTensor *new_vector(int64_t n)
{
    const AeShape shape = {.rank = n > 0, .dim = {n}};

    return ae_tensor_new(&shape, NULL);
}

static int add_scalar(AeModel *model, const char *name, const char *suffix,
                      float value, AeElement element)
{
    AeTensor *tensor = new_vector(0);

    tensor->data[0] = value;
    tensor->integer = element != AE_ELEMENT_DEFAULT;
    tensor->element = element;
    return add_constant(model, name, suffix, tensor);
}

/* Inserts a node before node *@at and moves *@at on by one. Returns the output
 * of the new node. */
static int insert_node(AeModel *model, guint *at, const char *op,
                       const char *name, const char *suffix, const int input[3],
                       int64_t axis)
{
    g_autofree char *full = new_name(model, name, suffix);
    int output = ae_model_add_value(model, full, NULL, NULL);
    AeNode *node =
        ae_model_add_node(model, op, full, input, 3, &output, 1, NULL);

    if (axis >= 0)
        ae_node_set_int(node, "axis", axis);
    g_ptr_array_insert(
        model->nodes, (int)(*at)++,
        g_ptr_array_steal_index(model->nodes, model->nodes->len - 1));
    return output;
}

/* Inserts QuantizeLinear and DequantizeLinear of @value; returns the output. */
static int insert_pair(AeModel *model, guint *at, int value, const Range *range)
{
    const char *name = ae_model_value(model, value)->name;
    int input[3] = {
        value,
        add_scalar(model, name, "_scale", range->scale, AE_ELEMENT_DEFAULT),
        add_scalar(model, name, "_zero", range->zero, AE_ELEMENT_UINT8)};

    input[0] =
        insert_node(model, at, "QuantizeLinear", name, "_quantized", input, -1);
    return insert_node(model, at, "DequantizeLinear", name, "_dequantized",
                       input, -1);
}

/* Rounds @weight to whole numbers, with a scale for each output channel, which
 * lies along @axis. Returns the scales. */
static AeTensor *quantise_weight(AeTensor *weight, int axis)
{
    const int64_t n = weight->shape.dim[axis];
    const int64_t count = ae_shape_elements(&weight->shape);
    AeTensor *scale = new_vector(n);
    int64_t stride[AE_MAX_RANK];

    ae_shape_strides(&weight->shape, stride);
    for (int64_t i = 0; i < count; i++) {
        float *s = &scale->data[i / stride[axis] % n];

        *s = MAX(*s, fabsf(weight->data[i]) / 127);
    }
    for (int64_t o = 0; o < n; o++)
        scale->data[o] = scale->data[o] > FLT_MIN ? scale->data[o] : 1;
    for (int64_t i = 0; i < count; i++)
        weight->data[i] =
            CLAMP(rintf(weight->data[i] / scale->data[i / stride[axis] % n]),
                  -127, 127);
    weight->integer = TRUE;
    weight->element = AE_ELEMENT_INT8;
    return scale;
}

/* Inserts DequantizeLinear of @numbers with a scale for each index of @axis. */
static int insert_constant(AeModel *model, guint *at, const char *name,
                           AeTensor *numbers, AeTensor *scale, int axis)
{
    AeTensor *zero = new_vector(scale->shape.dim[0]);
    int input[3];

    zero->integer = TRUE;
    zero->element = numbers->element;
    input[0] = add_constant(model, name, "_quantized", numbers);
    input[1] = add_constant(model, name, "_scale", scale);
    input[2] = add_constant(model, name, "_zero", zero);
    return insert_node(model, at, "DequantizeLinear", name, "_dequantized",
                       input, axis);
}

static AeTensor *copied(const AeTensor *tensor)
{
    g_autoptr(GError) error = NULL;
    AeTensor *copy = ae_tensor_copy(tensor, &error);

    if (copy == NULL)
        g_error("%s", error->message);
    return copy;
}

/* Inserts the bias in units of the scales of input and weight multiplied. */
static int insert_bias(AeModel *model, guint *at, int value,
                       const AeTensor *weight_scale, float input_scale)
{
    const AeValue *old = ae_model_value(model, value);
    AeTensor *bias = copied(old->constant);
    AeTensor *scale = copied(weight_scale);

    for (int64_t o = 0; o < scale->shape.dim[0]; o++) {
        scale->data[o] *= input_scale;
        bias->data[o] =
            CLAMP(rintf(bias->data[o] / scale->data[o]), -0x1p30f, 0x1p30f);
    }
    bias->integer = TRUE;
    bias->element = AE_ELEMENT_INT32;
    return insert_constant(model, at, old->name, bias, scale, 0);
}

static void quantise_node(AeModel *model, guint *at, AeNode *node,
                          const Range *range)
{
    const int axis = strcmp(node->op->name, "ConvTranspose") == 0;
    const AeValue *old = ae_model_value(model, node_input(node, 1));
    AeTensor *weight = copied(old->constant);
    AeTensor *scale = quantise_weight(weight, axis);
    const int bias = node_input(node, 2);
    int *input = (int *)node->inputs->data;

    if (bias >= 0)
        input[2] = insert_bias(model, at, bias, scale, range->scale);
    input[1] = insert_constant(model, at, old->name, weight, scale, axis);
}

/* Makes @node read quantised values instead of the original ones. The input of
 * the model is replaced only if @quantise: if the node is a quantised
 * convolution. */
static void redirect(const AeModel *model, AeNode *node, gboolean quantise,
                     const int *map)
{
    for (guint i = 0; i < node->inputs->len; i++) {
        int *input = &g_array_index(node->inputs, int, i);

        if (*input >= 0 && map[*input] >= 0 &&
            (quantise || *input != ae_model_input(model, 0)))
            *input = map[*input];
    }
}

static void quantise_nodes(AeModel *model, GHashTable *ranges)
{
    const int n = (int)model->values->len;
    g_autofree int *map = g_new(int, n + 1);

    memset(map, 0xff, (size_t)(n + 1) * sizeof *map);
    for (guint i = 0; i < model->nodes->len; i++) {
        AeNode *node = g_ptr_array_index(model->nodes, i);
        const int input = node_input(node, 0);
        const gboolean quantise = is_quantisable(model, i);
        const Range *range = NULL;

        if (quantise) {
            range =
                g_hash_table_lookup(ranges, ae_model_value(model, input)->name);
            if (map[input] < 0)
                map[input] = insert_pair(model, &i, input, range);
        }
        redirect(model, node, quantise, map);
        if (quantise)
            quantise_node(model, &i, node, range);
    }
}

static gboolean check(const AeModel *model, const GPtrArray *samples,
                      GError **error)
{
    const char *problem = NULL;

    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);

        if (strcmp(node->op->name, "QuantizeLinear") == 0)
            problem = "is quantised already";
    }
    if (model->inputs->len != 1)
        problem = "has not one input, but several";
    if (problem == NULL && samples->len == 0)
        problem = "cannot be quantised without samples";
    if (problem != NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED, "the model %s",
                    problem);
    return problem == NULL;
}

AeModel *ae_quantize(AeModel *model, const GPtrArray *samples,
                     void (*progress)(int64_t done, int64_t all),
                     GError **error)
{
    g_autoptr(AeModel) copy = NULL;
    g_autoptr(GHashTable) ranges = find_ranges(model);
    GHashTableIter iter;
    void *range;

    if (!check(model, samples, error))
        return NULL;
    if (g_hash_table_size(ranges) == 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "the model has no convolution of images, in one group and "
                    "with constant weights, that could be quantised");
        return NULL;
    }
    copy = ae_model_copy(model, error);
    if (copy == NULL || !raise_opset(copy, error) ||
        !observe(model, ranges, samples, 0, progress, error) ||
        !observe(model, ranges, samples, 1, progress, error))
        return NULL;
    if (progress != NULL)
        progress(2 * (int64_t)samples->len, 2 * (int64_t)samples->len);
    g_hash_table_iter_init(&iter, ranges);
    while (g_hash_table_iter_next(&iter, NULL, &range))
        range_choose(range);
    quantise_nodes(copy, ranges);
    /* The way back from luma and chroma would magnify the steps of 8 bits. */
    ae_metadata_drop_luma_chroma(copy);
    return ae_model_cut(copy, NULL, NULL, error); /* without old weights */
}
