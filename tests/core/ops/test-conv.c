/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv and ConvTranspose, forward and backward, against the plainest loops
 * over both sides, for every set of kernels' worth of geometries. */
#include <math.h>

#include "ops/ops.h"
#include "plan/plan.h"
#include "plan/training.h"
#include "model/build.h"

#define MAX_SPATIAL 3

typedef struct {
    gboolean transposed;
    int spatial, n, ci, co, groups;
    int size[3], kernel[3], stride[3], dilation[3], pads[6], extra[3];
} Case;

/* Sizes are of the input; axes beyond spatial are ignored. */
static const Case cases[] = {
    {FALSE, 2, 1, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0}, {0}},
    {FALSE, 2, 2, 3, 19, 1, {7, 5}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 8, 8, 1, {9, 30}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 9, 12, 1, {13, 9}, {3, 3}, {1, 1}, {1, 1}, {0, 2, 1, 1}, {0}},
    {FALSE, 2, 2, 16, 33, 1, {11, 61}, {3, 3}, {1, 1}, {1, 1}, {0}, {0}},
    {FALSE, 2, 2, 8, 9, 1, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {3, 3, 4, 3}, {0}},
    {FALSE, 2, 2, 16, 1, 1, {6, 21}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 1, 16, 1, {6, 21}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 4, 3, 1, {8, 9}, {5, 3}, {1, 2}, {1, 1}, {2, 0, 2, 3}, {0}},
    {FALSE, 2, 2, 5, 6, 1, {9, 11}, {3, 2}, {1, 1}, {2, 3}, {2, 1, 1, 2}, {0}},
    {FALSE, 2, 2, 5, 6, 1, {9, 11}, {3, 3}, {2, 2}, {2, 3}, {2, 1, 1, 2}, {0}},
    {FALSE, 2, 2, 4, 4, 1, {8, 9}, {1, 1}, {3, 2}, {1, 1}, {0}, {0}},
    {FALSE, 2, 2, 6, 4, 2, {5, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 6, 6, 6, {5, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 6, 6, 6, {5, 7}, {3, 3}, {2, 2}, {1, 2}, {1, 1, 1, 1}, {0}},
    {FALSE, 2, 2, 3, 6, 3, {5, 7}, {3, 3}, {1, 2}, {1, 1}, {1, 0, 1, 1}, {0}},
    {FALSE, 1, 2, 3, 5, 1, {17}, {4}, {3}, {1}, {2, 1}, {0}},
    {FALSE,
     3,
     2,
     3,
     5,
     1,
     {5, 4, 6},
     {3, 2, 3},
     {2, 1, 1},
     {1, 2, 1},
     {1, 1, 0, 1, 1, 2},
     {0}},
    {TRUE, 2, 1, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0}, {0}},
    {TRUE,
     2,
     2,
     3,
     19,
     1,
     {4, 5},
     {3, 3},
     {2, 2},
     {1, 1},
     {1, 1, 1, 1},
     {1, 1}},
    {TRUE, 2, 2, 8, 8, 1, {4, 15}, {4, 4}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {0}},
    {TRUE, 2, 2, 9, 17, 1, {9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 0, 1, 2}, {0}},
    {TRUE, 2, 2, 16, 1, 1, {4, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, {0}},
    {TRUE, 2, 2, 8, 3, 1, {4, 9}, {2, 2}, {2, 2}, {1, 1}, {0}, {0}},
    {TRUE, 2, 2, 4, 5, 1, {3, 4}, {2, 2}, {3, 3}, {1, 1}, {0}, {2, 1}},
    {TRUE, 2, 2, 4, 5, 1, {5, 4}, {3, 3}, {2, 3}, {2, 2}, {1, 2, 0, 1}, {0}},
    {TRUE, 2, 2, 4, 6, 2, {5, 4}, {3, 3}, {2, 1}, {1, 1}, {1, 1, 1, 1}, {1, 0}},
    {TRUE, 2, 2, 5, 5, 5, {5, 4}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {TRUE, 1, 2, 3, 5, 1, {7}, {5}, {2}, {1}, {2, 1}, {1}},
    {TRUE,
     3,
     2,
     3,
     2,
     1,
     {3, 2, 3},
     {3, 3, 2},
     {2, 2, 1},
     {1, 1, 1},
     {1, 1, 0, 1, 1, 0},
     {1, 0, 0}},
};

typedef struct {
    int large[3], small[3], kernel[3], stride[3], dilation[3], pad[3];
    int large_c, small_c; /* of a group */
} Sides;

static Sides sides_of(const Case *c)
{
    Sides s;

    for (int a = 0; a < 3; a++) {
        const int i = a - 3 + c->spatial;
        const gboolean there = i >= 0;
        const int in = there ? c->size[i] : 1;
        int reach;

        s.kernel[a] = there ? c->kernel[i] : 1;
        s.stride[a] = there ? c->stride[i] : 1;
        s.dilation[a] = there ? c->dilation[i] : 1;
        s.pad[a] = there ? c->pads[i] : 0;
        reach = (s.kernel[a] - 1) * s.dilation[a] + 1 - s.pad[a] -
                (there ? c->pads[i + c->spatial] : 0);
        if (c->transposed) {
            s.small[a] = in;
            s.large[a] =
                (in - 1) * s.stride[a] + reach + (there ? c->extra[i] : 0);
        } else {
            s.large[a] = in;
            s.small[a] = (in - reach) / s.stride[a] + 1;
        }
    }
    s.large_c = (c->transposed ? c->co : c->ci) / c->groups;
    s.small_c = (c->transposed ? c->ci : c->co) / c->groups;
    return s;
}

typedef struct {
    int large, small, weight; /* indices into the tensors */
} Product;

/* All pairs of elements that a weight joins. */
static GArray *products_of(const Case *c)
{
    const Sides s = sides_of(c);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(Product));
    const int taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
    const int positions = s.small[0] * s.small[1] * s.small[2];

    for (int n = 0; n < c->n; n++)
        for (int position = 0; position < positions; position++)
            for (int tap = 0; tap < taps; tap++) {
                int p = position, t = tap, at = 0, scale = 1, inside = 1;

                for (int a = 2; a >= 0; a--) {
                    const int x = p % s.small[a] * s.stride[a] - s.pad[a] +
                                  t % s.kernel[a] * s.dilation[a];

                    inside &= x >= 0 && x < s.large[a];
                    at += x * scale;
                    scale *= s.large[a];
                    p /= s.small[a];
                    t /= s.kernel[a];
                }
                for (int o = 0; inside && o < s.small_c * c->groups; o++)
                    for (int i = 0; i < s.large_c; i++) {
                        const int g = o / s.small_c;
                        const Product product = {
                            (n * scale + at) * s.large_c * c->groups +
                                g * s.large_c + i,
                            (n * positions + position) * s.small_c * c->groups +
                                o,
                            (o * taps + tap) * s.large_c + i};

                        g_array_append_val(list, product);
                    }
            }
    return list;
}

static void fill(GRand *random, float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        v[i] = g_rand_double_range(random, -1, 1);
}

static AeTensor *random_tensor(GRand *random, const AeShape *shape)
{
    AeTensor *tensor = ae_tensor_new(shape, NULL);

    fill(random, tensor->data, ae_shape_elements(shape));
    return tensor;
}

static AeShape shape_of(const Case *c, int n, int channels, const int *size)
{
    AeShape shape = {.rank = c->spatial + 2, .dim = {n, channels}};

    for (int i = 0; i < c->spatial; i++)
        shape.dim[2 + i] = size[i];
    return shape;
}

static void set_ints(AeNode *node, const char *name, const int *values, int n)
{
    int64_t wide[6];

    for (int i = 0; i < n; i++)
        wide[i] = values[i];
    ae_node_set_ints(node, name, wide, n);
}

static AeModel *model_of(const Case *c, AeTensor *weights, AeTensor *bias)
{
    AeModel *model = ae_model_new(17);
    const AeShape shape = shape_of(c, c->n, c->ci, c->size);
    int inputs[3], output;
    AeNode *node;

    inputs[0] = ae_model_add_input(model, "x", &shape, NULL);
    inputs[1] = ae_model_add_constant(model, "w", weights, TRUE, NULL);
    inputs[2] = ae_model_add_constant(model, "b", bias, TRUE, NULL);
    output = ae_model_add_value(model, "y", NULL, NULL);
    node = ae_model_add_node(model, c->transposed ? "ConvTranspose" : "Conv",
                             "conv", inputs, 3, &output, 1, NULL);
    set_ints(node, "kernel_shape", c->kernel, c->spatial);
    set_ints(node, "strides", c->stride, c->spatial);
    set_ints(node, "dilations", c->dilation, c->spatial);
    set_ints(node, "pads", c->pads, 2 * c->spatial);
    ae_node_set_int(node, "group", c->groups);
    if (c->transposed)
        set_ints(node, "output_padding", c->extra, c->spatial);
    ae_model_add_output(model, output);
    return model;
}

/* Within 2e-5 of the largest value: Winograd's transforms take differences of
 * larger sums. */
static void assert_near(const char *what, size_t index, const float *found,
                        const double *expected, int64_t n)
{
    double largest = 1;

    for (int64_t i = 0; i < n; i++)
        largest = MAX(largest, fabs(expected[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(found[i] - expected[i]) <= 2e-5 * largest))
            g_error("case %zu: %s[%d] is %.9g instead of %.9g", index, what,
                    (int)i, found[i], expected[i]);
}

/* target[product.target] += a * b, summed in double. */
static void check_forward(size_t index, const Case *c, AePlan *plan,
                          const GArray *products, const AeTensor *weights,
                          const AeTensor *bias)
{
    const int64_t n = ae_shape_elements(ae_plan_output_shape(plan, 0));
    const float *x = ae_plan_input(plan, 0);
    g_autofree double *y = g_new(double, n);

    for (int64_t i = 0; i < n; i++)
        y[i] = bias->data[i % c->co];
    for (guint i = 0; i < products->len; i++) {
        const Product *p = &g_array_index(products, Product, i);
        const int to = c->transposed ? p->large : p->small;
        const int from = c->transposed ? p->small : p->large;

        g_assert_cmpint(to, <, n);
        y[to] += (double)x[from] * weights->data[p->weight];
    }
    assert_near("y", index, ae_plan_output(plan, 0), y, n);
}

static void check_backward(size_t index, const Case *c, AePlan *plan,
                           const GArray *products, const AeTensor *weights,
                           const float *gradients)
{
    const int64_t n = ae_shape_elements(ae_plan_input_shape(plan, 0));
    const int64_t outputs = ae_shape_elements(ae_plan_output_shape(plan, 0));
    const int64_t count = ae_shape_elements(&weights->shape);
    const float *x = ae_plan_input(plan, 0);
    const float *dy = ae_plan_output_gradient(plan, 0);
    g_autofree double *dx = g_new0(double, n);
    g_autofree double *dw = g_new0(double, count + c->co);

    for (guint i = 0; i < products->len; i++) {
        const Product *p = &g_array_index(products, Product, i);
        const int to = c->transposed ? p->large : p->small;
        const int from = c->transposed ? p->small : p->large;

        dx[from] += (double)dy[to] * weights->data[p->weight];
        dw[p->weight] += (double)dy[to] * x[from];
    }
    for (int64_t i = 0; i < outputs; i++)
        dw[count + i % c->co] += dy[i];
    for (int64_t i = 0; i < count + c->co; i++)
        dw[i] += 1;
    assert_near("dx", index, ae_plan_input_gradient(plan, 0), dx, n);
    assert_near("dw and db", index, gradients, dw, count + c->co);
}

static void run_case(size_t index)
{
    const Case *c = &cases[index];
    g_autoptr(GRand) random = g_rand_new_with_seed(index);
    g_autoptr(GArray) products = products_of(c);
    const int out = c->co / c->groups, in = c->ci / c->groups;
    const AeShape w_shape = shape_of(c, c->transposed ? c->ci : c->co,
                                     c->transposed ? out : in, c->kernel);
    const AeShape b_shape = ae_shape(1, c->co);
    const AeShape x_shape = shape_of(c, c->n, c->ci, c->size);
    AeTensor *weights = random_tensor(random, &w_shape);
    AeTensor *bias = random_tensor(random, &b_shape);
    const AePlanOptions options = {.shapes = &x_shape,
                                   .n_inputs = 1,
                                   .gradients = TRUE,
                                   .input_gradients = TRUE};
    g_autoptr(AeModel) model = model_of(c, weights, bias);
    g_autoptr(GError) error = NULL;
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, &error);
    const int64_t parameters = ae_model_parameters(model);
    g_autofree float *gradients = g_new(float, parameters);

    g_assert_no_error(error);
    fill(random, ae_plan_input(plan, 0), ae_shape_elements(&x_shape));
    ae_plan_run(plan);
    check_forward(index, c, plan, products, weights, bias);
    fill(random, ae_plan_output_gradient(plan, 0),
         ae_shape_elements(ae_plan_output_shape(plan, 0)));
    for (int64_t i = 0; i < parameters; i++)
        gradients[i] = 1;
    ae_plan_backward(plan, gradients);
    check_backward(index, c, plan, products, weights, gradients);
}

static void test_geometries(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        run_case(i);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conv/geometries", test_geometries);
    return g_test_run();
}
