/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans: fusing, sharing of buffers and cutting change no result; models that
 * make no sense are refused with a sentence. */
#include <string.h>

#include "ae.h"
#include "plan/training.h"
#include "ops/attributes.h"
#include "model/build.h"
#include "base/random.h"

/* A model under construction whose values are named by the test. */
typedef struct {
    AeModel *model;
    AeRandom random;
} Tape;

static Tape tape_new(uint64_t seed)
{
    return (Tape){ae_model_new(17), ae_random(seed, 0)};
}

static int input(Tape *tape, const char *name, const AeShape *shape)
{
    return ae_model_add_input(tape->model, name, shape, NULL);
}

/* Numbers between 0.25 and 0.75: fit to be a variance, too. */
static int weight(Tape *tape, const char *name, AeShape shape)
{
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        tensor->data[i] = 0.25f + ae_random_uniform(&tape->random) / 2;
    return ae_model_add_constant(tape->model, name, tensor, TRUE, NULL);
}

/* Values that the tape does not have yet are left out if named "". */
static AeNode *node(Tape *tape, const char *op, const char *inputs,
                    const char *outputs)
{
    g_auto(GStrv) in = g_strsplit(inputs, " ", -1);
    g_auto(GStrv) out = g_strsplit(outputs, " ", -1);
    int n_in = (int)g_strv_length(in), n_out = (int)g_strv_length(out);
    int ins[8], outs[8];
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < n_in; i++)
        ins[i] = ae_model_find(tape->model, in[i]);
    for (int i = 0; i < n_out; i++)
        outs[i] = *out[i] != '\0'
                      ? ae_model_add_value(tape->model, out[i], NULL, NULL)
                      : -1;
    AeNode *made = ae_model_add_node(tape->model, op, outputs, ins, n_in, outs,
                                     n_out, &error);
    g_assert_no_error(error);
    return made;
}

static void output(Tape *tape, const char *name)
{
    ae_model_add_output(tape->model, ae_model_find(tape->model, name));
}

/* conv - norm - relu - conv + residual - prelu - pool - reshape - gemm - elu,
 * with a branch that reads an early value late. */
static AeModel *network(void)
{
    Tape tape = tape_new(1);
    AeShape image = ae_shape(4, AE_UNKNOWN, 3, 6, 6);
    const int64_t pads[] = {1, 1, 1, 1}, two[] = {2, 2};

    input(&tape, "image", &image);
    weight(&tape, "w1", ae_shape(4, 5, 3, 3, 3));
    weight(&tape, "b1", ae_shape(1, 5));
    weight(&tape, "w2", ae_shape(4, 5, 5, 3, 3));
    weight(&tape, "slope", ae_shape(3, 5, 1, 1));
    weight(&tape, "scale", ae_shape(1, 5));
    weight(&tape, "shift", ae_shape(1, 5));
    weight(&tape, "mean", ae_shape(1, 5));
    weight(&tape, "variance", ae_shape(1, 5));
    weight(&tape, "w3", ae_shape(2, 45, 7));
    weight(&tape, "b3", ae_shape(1, 7));
    ae_node_set_ints(node(&tape, "Conv", "image w1 b1", "c1"), "pads", pads, 4);
    node(&tape, "BatchNormalization", "c1 scale shift mean variance", "n1");
    node(&tape, "Relu", "n1", "r1");
    ae_node_set_ints(node(&tape, "Conv", "r1 w2", "c2"), "pads", pads, 4);
    node(&tape, "Add", "r1 c2", "a2");
    node(&tape, "PRelu", "a2 slope", "p2");
    AeNode *pool = node(&tape, "AveragePool", "p2", "m2");
    ae_node_set_ints(pool, "kernel_shape", two, 2);
    ae_node_set_ints(pool, "strides", two, 2);
    node(&tape, "Flatten", "m2", "f2");
    node(&tape, "Gemm", "f2 w3 b3", "g3");
    node(&tape, "Elu", "g3", "e3");
    node(&tape, "GlobalAveragePool", "c1", "l1");
    output(&tape, "e3");
    output(&tape, "l1");
    return tape.model;
}

static const char *const inner[] = {"c1", "n1", "r1", "c2", "a2", "p2",
                                    "m2", "f2", "g3", "e3", "l1"};

static AePlan *plan_for(AeModel *model, const char *from, const AeShape *shape,
                        const char *const *outputs, int n, AePool *pool)
{
    g_autoptr(GError) error = NULL;
    AePlanOptions options = {.inputs = from != NULL ? &from : NULL,
                             .shapes = shape,
                             .n_inputs = 1,
                             .outputs = outputs,
                             .n_outputs = n,
                             .pool = pool};
    AePlan *plan = ae_plan_new(model, &options, &error);

    g_assert_no_error(error);
    return plan;
}

static void run_on_pattern(AePlan *plan)
{
    int64_t n = ae_shape_elements(ae_plan_input_shape(plan, 0));

    for (int64_t i = 0; i < n; i++)
        ae_plan_input(plan, 0)[i] = (float)(i * 7 % 23) / 23 - 0.4f;
    ae_plan_run(plan);
}

/* Fused steps sum in another order. */
static void assert_close(const AePlan *a, int i, const AePlan *b, int j)
{
    const float *x = ae_plan_output(a, i), *y = ae_plan_output(b, j);
    int64_t n = ae_shape_elements(ae_plan_output_shape(a, i));

    g_assert_true(
        ae_shape_equal(ae_plan_output_shape(a, i), ae_plan_output_shape(b, j)));
    for (int64_t k = 0; k < n; k++)
        g_assert_cmpfloat_with_epsilon(x[k], y[k], 1e-4f * (1 + ABS(y[k])));
}

/* With every value delivered nothing is fused and no buffer shared. */
static void test_fusing_and_sharing(void)
{
    g_autoptr(AeModel) model = network();

    for (int n = 0; n <= 3; n++) {
        AeShape shape = ae_shape(4, n, 3, 6, 6);
        g_autoptr(AePool) pool = ae_pool_new(n + 1);
        g_autoptr(AePlan) all =
            plan_for(model, NULL, &shape, inner, G_N_ELEMENTS(inner), pool);
        g_autoptr(AePlan) fused = plan_for(model, NULL, &shape, NULL, 0, pool);
        g_autofree char *text = ae_plan_describe(fused);

        g_assert_nonnull(strstr(text, "Conv+residual+prelu"));
        g_assert_nonnull(strstr(text, "Gemm+elu"));
        g_assert_cmpint(ae_plan_memory(fused), <=, ae_plan_memory(all));
        run_on_pattern(all);
        run_on_pattern(fused);
        assert_close(fused, 0, all, 9);
        assert_close(fused, 1, all, 10);
    }
}

static void test_each_value_delivered(void)
{
    g_autoptr(AeModel) model = network();
    AeShape shape = ae_shape(4, 2, 3, 6, 6);
    g_autoptr(AePlan) all =
        plan_for(model, NULL, &shape, inner, G_N_ELEMENTS(inner), NULL);

    run_on_pattern(all);
    for (int i = 0; i < (int)G_N_ELEMENTS(inner); i++) {
        const char *outputs[] = {inner[i], "e3", inner[i], "image"};
        g_autoptr(AePlan) plan =
            plan_for(model, NULL, &shape, outputs, 4, NULL);
        run_on_pattern(plan);
        assert_close(plan, 0, all, i);
        assert_close(plan, 1, all, 9);
        assert_close(plan, 2, all, i);
        g_assert_true(ae_plan_output(plan, 3) == ae_plan_input(plan, 0));
    }
}

/* The rest of the network from each value on, by a plan and by a cut. */
static void test_from_the_middle(void)
{
    static const char *const values[] = {"r1", "a2", "p2", "m2", "f2", "g3"};
    g_autoptr(AeModel) model = network();
    AeShape shape = ae_shape(4, 2, 3, 6, 6);
    const char *last = "e3";

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        const char *both[] = {values[i], last};
        g_autoptr(GError) error = NULL;
        g_autoptr(AePlan) whole = plan_for(model, NULL, &shape, both, 2, NULL);
        g_autoptr(AeModel) head = ae_model_cut(model, NULL, values[i], &error);
        g_autoptr(AeModel) tail = ae_model_cut(model, values[i], last, &error);
        g_assert_no_error(error);
        g_autoptr(AePlan) first = plan_for(head, NULL, &shape, NULL, 0, NULL);
        const AeShape *middle = ae_plan_output_shape(first, 0);
        g_autoptr(AePlan) rest =
            plan_for(model, values[i], middle, &last, 1, NULL);
        g_autoptr(AePlan) cut = plan_for(tail, NULL, middle, NULL, 0, NULL);
        size_t size = (size_t)ae_shape_elements(middle) * sizeof(float);

        run_on_pattern(whole);
        run_on_pattern(first);
        assert_close(first, 0, whole, 0);
        memcpy(ae_plan_input(rest, 0), ae_plan_output(whole, 0), size);
        memcpy(ae_plan_input(cut, 0), ae_plan_output(whole, 0), size);
        ae_plan_run(rest);
        ae_plan_run(cut);
        assert_close(rest, 0, whole, 1);
        assert_close(cut, 0, whole, 1);
    }
}

/* Outputs that are inputs, constants, or computed from constants alone. */
static void test_outputs_without_steps(void)
{
    Tape tape = tape_new(2);
    AeShape shape = ae_shape(2, 2, 3), other = ae_shape(1, 4);
    AeShape shapes[] = {shape, other};
    g_autoptr(GError) error = NULL;

    input(&tape, "x", &shape);
    input(&tape, "unused", &other);
    weight(&tape, "w", shape);
    node(&tape, "Add", "w w", "sum");
    node(&tape, "Identity", "x", "same");
    node(&tape, "Identity", "w", "view");
    output(&tape, "x");
    output(&tape, "w");
    output(&tape, "sum");
    output(&tape, "same");
    g_autoptr(AeModel) model = tape.model;
    for (int gradients = 0; gradients < 2; gradients++) {
        AePlanOptions options = {
            .shapes = shapes, .n_inputs = 2, .gradients = gradients};
        g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
        g_assert_no_error(error);
        ae_plan_input(plan, 0)[4] = 8;
        ae_plan_input(plan, 1)[3] = 9;
        ae_plan_run(plan);
        g_assert_cmpfloat(ae_plan_output(plan, 0)[4], ==, 8);
        g_assert_cmpfloat(ae_plan_output(plan, 3)[4], ==, 8);
        g_assert_cmpfloat(2 * ae_plan_output(plan, 1)[5], ==,
                          ae_plan_output(plan, 2)[5]);
    }
}

/* The gradient of a weight is added to, also where a step reads the weight
 * under another shape. */
static void test_gradients_of_views_add_up(void)
{
    static const char *const readers[] = {"w", "view"};
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
        Tape tape = tape_new(3);
        AeShape shape = ae_shape(2, 2, 3);
        AePlanOptions options = {
            .shapes = &shape, .n_inputs = 1, .gradients = TRUE};
        float gradients[12] = {0};

        input(&tape, "x", &shape);
        weight(&tape, "w", ae_shape(2, 3, 4));
        node(&tape, "Identity", "w", "view");
        g_autofree char *inputs = g_strconcat("x ", readers[i], NULL);
        node(&tape, "MatMul", inputs, "y");
        output(&tape, "y");
        g_autoptr(AeModel) model = tape.model;
        g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
        g_assert_no_error(error);
        for (int round = 1; round <= 3; round++) {
            for (int j = 0; j < 6; j++)
                ae_plan_input(plan, 0)[j] = 1;
            ae_plan_run(plan);
            for (int j = 0; j < 8; j++)
                ae_plan_output_gradient(plan, 0)[j] = 1;
            ae_plan_backward(plan, gradients);
            for (int j = 0; j < 12; j++)
                g_assert_cmpfloat(gradients[j], ==, 2 * round);
        }
    }
}

/* A Split whose first output nobody wants still passes gradients on, and one
 * whose output is fed leaves it alone. */
static void test_split(void)
{
    Tape tape = tape_new(4);
    AeShape shape = ae_shape(2, 2, 4), half = ae_shape(2, 2, 2);
    const char *const fed[] = {"x", "a"};
    const char *const both[] = {"a", "b"};
    g_autoptr(GError) error = NULL;

    input(&tape, "x", &shape);
    ae_node_set_int(node(&tape, "Split", "x", "a b"), "axis", 1);
    ae_node_set_int(node(&tape, "Split", "x", " c"), "axis", 1);
    output(&tape, "c");
    g_autoptr(AeModel) model = tape.model;
    AePlanOptions training = {.shapes = &shape,
                              .n_inputs = 1,
                              .gradients = TRUE,
                              .input_gradients = TRUE};
    g_autoptr(AePlan) plan = ae_plan_new(model, &training, &error);
    g_assert_no_error(error);
    g_autofree char *text = ae_plan_describe(plan);
    g_assert_nonnull(strstr(text, "2x2"));
    ae_plan_output_gradient(plan, 0)[1] = 5;
    ae_plan_backward(plan, NULL);
    g_assert_cmpfloat(ae_plan_input_gradient(plan, 0)[3], ==, 5);

    AeShape shapes[] = {shape, half};
    AePlanOptions options = {.inputs = fed,
                             .shapes = shapes,
                             .n_inputs = 2,
                             .outputs = both,
                             .n_outputs = 2};
    g_autoptr(AePlan) second = ae_plan_new(model, &options, &error);
    g_assert_no_error(error);
    ae_plan_input(second, 0)[0] = 1;
    ae_plan_input(second, 0)[2] = 2;
    ae_plan_input(second, 1)[0] = 3;
    ae_plan_run(second);
    g_assert_cmpfloat(ae_plan_output(second, 0)[0], ==, 3);
    g_assert_cmpfloat(ae_plan_output(second, 1)[0], ==, 2);
}

static void test_bad_options(void)
{
    static const struct {
        const char *inputs[2], *output;
        int n;
        int height;
        AeError code;
        const char *sentence;
    } cases[] = {
        {{"image"}, "nothing", 1, 6, AE_ERROR_VALUE, "'nothing'"},
        {{"picture"}, "e3", 1, 6, AE_ERROR_VALUE, "'picture'"},
        {{"w1"}, "e3", 1, 6, AE_ERROR_VALUE, "'w1' of the model is a constant"},
        {{"image", "image"}, "e3", 2, 6, AE_ERROR_VALUE, "fed twice"},
        {{"image"}, "e3", 1, 7, AE_ERROR_SHAPE, "?x3x6x6, not 1x3x7x6"},
        {{"image"}, "e3", 1, -1, AE_ERROR_SHAPE, "not 1x3x?x6"},
        {{"r1"}, "c1", 1, 6, AE_ERROR_VALUE, "neither fed nor computed"},
        {{"a2"}, "e3", 1, 1 << 30, AE_ERROR_SHAPE, "node"},
    };
    g_autoptr(AeModel) model = network();

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeShape shape = ae_shape(4, 1, 3, cases[i].height, 6);
        AeShape shapes[] = {shape, shape};
        AePlanOptions options = {.inputs = cases[i].inputs,
                                 .shapes = shapes,
                                 .n_inputs = cases[i].n,
                                 .outputs = &cases[i].output,
                                 .n_outputs = 1};
        g_autoptr(GError) error = NULL;
        g_assert_null(ae_plan_new(model, &options, &error));
        g_assert_error(error, AE_ERROR, (int)cases[i].code);
        if (strstr(error->message, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].sentence, error->message);
    }
}

/* Attributes that no model of good faith has; the input is 1x4x6x6. */
static void test_hostile_attributes(void)
{
    static const struct {
        const char *op, *attribute;
        int n;
        int64_t values[4];
    } cases[] = {
        {"Conv", "strides", 2, {0, 1}},
        {"Conv", "strides", 2, {1, -1}},
        {"Conv", "strides", 2, {1, G_MAXINT64}},
        {"Conv", "pads", 4, {-1, 0, 0, 0}},
        {"Conv", "pads", 4, {G_MAXINT64, 0, G_MAXINT64, 0}},
        {"Conv", "pads", 1, {1}},
        {"Conv", "dilations", 2, {0, 0}},
        {"Conv", "dilations", 2, {G_MAXINT64, 2}},
        {"Conv", "group", 1, {0}},
        {"Conv", "group", 1, {3}},
        {"Conv", "group", 1, {G_MININT64}},
        {"Conv", "kernel_shape", 2, {0, 0}},
        {"Conv", "kernel_shape", 2, {2, 3}},
        {"ConvTranspose", "output_padding", 2, {-1, 0}},
        {"ConvTranspose", "output_shape", 2, {0, G_MAXINT64}},
        {"ConvTranspose", "strides", 2, {1 << 30, 1 << 30}},
        {"MaxPool", "kernel_shape", 2, {0, 0}},
        {"MaxPool", "kernel_shape", 2, {7, 7}},
        {"MaxPool", "kernel_shape", 2, {G_MAXINT64, 1}},
        {"AveragePool", "kernel_shape", 1, {2}},
        {"AveragePool", "strides", 2, {1, 1}},
        {"Transpose", "perm", 4, {0, 0, 1, 2}},
        {"Transpose", "perm", 4, {0, 1, 2, 4}},
        {"Transpose", "perm", 3, {0, 1, 2}},
        {"DepthToSpace", "blocksize", 1, {0}},
        {"DepthToSpace", "blocksize", 1, {3}},
        {"DepthToSpace", "blocksize", 1, {1ll << 32}},
        {"SpaceToDepth", "blocksize", 1, {-2}},
        {"Softmax", "axis", 1, {4}},
        {"Concat", "axis", 1, {G_MININT64}},
        {"Flatten", "axis", 1, {9}},
    };
    AeShape image = ae_shape(4, 1, 4, 6, 6);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Tape tape = tape_new(i);
        AePlanOptions options = {.shapes = &image, .n_inputs = 1};
        g_autoptr(GError) error = NULL;

        input(&tape, "x", &image);
        weight(&tape, "w", ae_shape(4, 4, 4, 3, 3));
        AeNode *made = node(&tape, cases[i].op,
                            strstr(cases[i].op, "Conv") ? "x w" : "x", "y");
        ae_node_set_ints(made, cases[i].attribute, cases[i].values, cases[i].n);
        output(&tape, "y");
        g_autoptr(AeModel) model = tape.model;
        g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
        if (plan != NULL)
            g_error("%s of %s was accepted (case %zu)", cases[i].attribute,
                    cases[i].op, i);
        g_assert_true(g_str_has_prefix(error->message, "node 'y' ("));
    }
}

/* Outputs behind the first need not be made unless something reads them. */
static void test_unread_outputs(void)
{
    static const struct {
        const char *op, *message;
    } cases[] = {{"MaxPool", "Indices"}, {"Dropout", "mask"}};
    const int64_t window[] = {2, 2};
    const AeShape image = ae_shape(4, 1, 2, 4, 4);

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        Tape tape = tape_new(6);
        AePlanOptions options = {.shapes = &image, .n_inputs = 1};
        g_autoptr(GError) error = NULL;
        const gboolean read = i % 2;

        input(&tape, "x", &image);
        ae_node_set_ints(node(&tape, cases[i / 2].op, "x", "y second"),
                         "kernel_shape", window, 2);
        output(&tape, "y");
        if (read)
            output(&tape, "second");
        g_autoptr(AeModel) model = tape.model;
        g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
        g_assert_true((plan != NULL) == !read);
        if (read)
            g_assert_nonnull(strstr(error->message, cases[i / 2].message));
    }
}

/* SpaceToDepth undoes DepthToSpace of its mode. */
static void test_depth_and_back(void)
{
    static const char *const modes[] = {"DCR", "CRD"};
    const AeShape image = ae_shape(4, 1, 12, 2, 3);

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        Tape tape = tape_new(7);
        AeNode *made;

        input(&tape, "x", &image);
        made = node(&tape, "DepthToSpace", "x", "wide");
        ae_node_set_int(made, "blocksize", 2);
        ae_node_set_string(made, "mode", modes[i]);
        made = node(&tape, "SpaceToDepth", "wide", "y");
        ae_node_set_int(made, "blocksize", 2);
        ae_node_set_string(made, "mode", modes[i]);
        output(&tape, "y");
        g_autoptr(AeModel) model = tape.model;
        g_autoptr(AePlan) plan = plan_for(model, NULL, &image, NULL, 0, NULL);
        run_on_pattern(plan);
        g_assert_true(ae_shape_equal(ae_plan_output_shape(plan, 0), &image));
        g_assert_cmpmem(ae_plan_output(plan, 0), 72 * sizeof(float),
                        ae_plan_input(plan, 0), 72 * sizeof(float));
    }
}

/* Scales of Resize that follow from constants and shapes. */
static void test_computed_scales(void)
{
    const AeShape image = ae_shape(4, 1, 2, 3, 4);
    const AeShape larger = ae_shape(4, 2, 4, 6, 8);
    Tape tape = tape_new(8);

    input(&tape, "x", &image);
    node(&tape, "Shape", "x", "sizes");
    node(&tape, "Add", "sizes sizes", "doubled");
    node(&tape, "Div", "doubled sizes", "twos");
    ae_node_set_int(node(&tape, "Cast", "twos", "scales"), "to", 1);
    node(&tape, "Resize", "x  scales", "y");
    output(&tape, "y");
    g_autoptr(AeModel) model = tape.model;
    g_autoptr(AePlan) plan = plan_for(model, NULL, &image, NULL, 0, NULL);
    g_assert_true(ae_shape_equal(ae_plan_output_shape(plan, 0), &larger));
}

/* What a file of a few bytes could ask for. */
static void test_folding_is_bounded(void)
{
    Tape tape = tape_new(5);
    AeShape shape = ae_shape(1, 1), size = ae_shape(1, 2);
    AeTensor *tensor = ae_tensor_new(&size, NULL);
    AePlanOptions options = {.shapes = &shape, .n_inputs = 1};
    g_autoptr(GError) error = NULL;

    tensor->integer = TRUE;
    tensor->data[0] = tensor->data[1] = 1 << 15;
    input(&tape, "x", &shape);
    ae_model_add_constant(tape.model, "size", tensor, FALSE, NULL);
    node(&tape, "ConstantOfShape", "size", "large");
    output(&tape, "large");
    g_autoptr(AeModel) model = tape.model;
    g_assert_null(ae_plan_new(model, &options, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_MEMORY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/fusing-and-sharing", test_fusing_and_sharing);
    g_test_add_func("/plan/each-value-delivered", test_each_value_delivered);
    g_test_add_func("/plan/from-the-middle", test_from_the_middle);
    g_test_add_func("/plan/outputs-without-steps", test_outputs_without_steps);
    g_test_add_func("/plan/gradients-of-views-add-up",
                    test_gradients_of_views_add_up);
    g_test_add_func("/plan/split", test_split);
    g_test_add_func("/plan/bad-options", test_bad_options);
    g_test_add_func("/plan/hostile-attributes", test_hostile_attributes);
    g_test_add_func("/plan/unread-outputs", test_unread_outputs);
    g_test_add_func("/plan/depth-and-back", test_depth_and_back);
    g_test_add_func("/plan/computed-scales", test_computed_scales);
    g_test_add_func("/plan/folding-is-bounded", test_folding_is_bounded);
    return g_test_run();
}
