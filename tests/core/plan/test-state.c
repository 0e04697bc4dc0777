/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State: what a plan makes in one run is what it reads in the next, in bands as
 * on whole images, and a state belongs to whoever runs the plan. */
#include <string.h>

#include "ae.h"
#include "base/random.h"
#include "model/build.h"
#include "ops/attributes.h"
#include "plan/bands.h"
#include "plan/state.h"

enum { H = 22, W = 10, IMAGES = 2, RUNS = 4, CHANNELS = 2 };

typedef struct {
    AeModel *model;
    AeRandom random;
} Net;

static AeNode *append(Net *net, const char *op, const int *in, int n, int *out)
{
    g_autofree char *name = g_strdup_printf("v%u", net->model->values->len);
    AeNode *node;

    *out = ae_model_add_value(net->model, name, NULL, NULL);
    node = ae_model_add_node(net->model, op, name, in, n, out, 1, NULL);
    g_assert_nonnull(node);
    return node;
}

static int constant(Net *net, AeShape shape)
{
    g_autofree char *name = g_strdup_printf("c%u", net->model->values->len);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        tensor->data[i] = ae_random_uniform(&net->random) / 2 - 0.2f;
    return ae_model_add_constant(net->model, name, tensor, FALSE, NULL);
}

/* 3x3, to @to of @from channels. */
static int convolve(Net *net, int x, int from, int to, int stride)
{
    int y, in[] = {x, constant(net, ae_shape(4, to, from, 3, 3))};
    AeNode *node = append(net, "Conv", in, 2, &y);

    ae_node_set_ints(node, "pads", (int64_t[]){1, 1, 1, 1}, 4);
    ae_node_set_ints(node, "strides", (int64_t[]){stride, stride}, 2);
    return y;
}

static int binary(Net *net, const char *op, int a, int b)
{
    int y;

    append(net, op, (int[]){a, b}, 2, &y);
    return y;
}

static int relu(Net *net, int x)
{
    int y;

    append(net, "Relu", &x, 1, &y);
    return y;
}

static int double_rows(Net *net, int x)
{
    int y, factors = constant(net, ae_shape(1, 4));
    float *data = ae_model_value(net->model, factors)->constant->data;
    AeNode *node;

    data[0] = data[1] = 1;
    data[2] = data[3] = 2;
    node = append(net, "Resize", (int[]){x, -1, factors}, 3, &y);
    ae_node_set_string(node, "mode", "linear");
    return y;
}

/* Networks that make an image @y of image @x and new states of old ones. */

/* The state is what the image is made of. */
static void simple(Net *net, int x, const int *past, int *y, int *next)
{
    int joined = binary(net, "Concat", x, past[0]);

    next[0] = relu(net, convolve(net, joined, 2 * CHANNELS, CHANNELS, 1));
    *y = binary(net, "Add", x,
                convolve(net, relu(net, next[0]), CHANNELS, CHANNELS, 1));
}

/* The state is made of the image, and nothing reads it in the same run. */
static void after(Net *net, int x, const int *past, int *y, int *next)
{
    *y = convolve(net, binary(net, "Add", x, past[0]), CHANNELS, CHANNELS, 1);
    next[0] = convolve(net, relu(net, *y), CHANNELS, CHANNELS, 1);
}

/* Past frames pass through: no memory of their own. */
static void frames(Net *net, int x, const int *past, int *y, int *next)
{
    append(net, "Identity", &x, 1, &next[0]);
    append(net, "Identity", &past[0], 1, &next[1]);
    *y = binary(net, "Sub", binary(net, "Add", x, past[1]),
                convolve(net, past[0], CHANNELS, CHANNELS, 1));
}

/* A state of half the size, through which most of the network goes. */
static void coarse(Net *net, int x, const int *past, int *y, int *next)
{
    int half = relu(net, convolve(net, x, CHANNELS, CHANNELS, 2));
    int joined = binary(net, "Concat", half, past[0]);

    next[0] = convolve(
        net, relu(net, convolve(net, joined, 2 * CHANNELS, CHANNELS, 1)),
        CHANNELS, CHANNELS, 1);
    *y =
        binary(net, "Add", x,
               double_rows(net, convolve(net, next[0], CHANNELS, CHANNELS, 1)));
}

static const struct {
    const char *name;
    void (*build)(Net *net, int x, const int *past, int *y, int *next);
    int states, divisor;
} networks[] = {
    {"simple", simple, 1, 1},
    {"after", after, 1, 1},
    {"frames", frames, 2, 1},
    {"coarse", coarse, 1, 2},
};

static AeShape image_shape(int divisor)
{
    return ae_shape(4, IMAGES, CHANNELS, H / divisor,
                    W / divisor + W % divisor);
}

static AeModel *new_model(int i)
{
    Net net = {ae_model_new(17), ae_random(3, (uint64_t)i)};
    const AeShape shape = image_shape(1);
    const AeShape state = image_shape(networks[i].divisor);
    int past[2], next[2], x, y;

    x = ae_model_add_input(net.model, "x", &shape, NULL);
    for (int k = 0; k < networks[i].states; k++)
        past[k] = ae_model_add_input(net.model, k ? "past_b" : "past_a", &state,
                                     NULL);
    networks[i].build(&net, x, past, &y, next);
    ae_model_add_output(net.model, y);
    for (int k = 0; k < networks[i].states; k++)
        ae_model_add_output(net.model, next[k]);
    return net.model;
}

static AePlan *new_plan(AeModel *model, int i, AePool *pool, int rows,
                        gboolean carries)
{
    const AeShape shapes[] = {image_shape(1), image_shape(networks[i].divisor),
                              image_shape(networks[i].divisor)};
    const AeCarry pairs[] = {{1, 1}, {2, 2}};
    const AePlanOptions options = {
        .shapes = shapes,
        .n_inputs = 1 + networks[i].states,
        .pool = pool,
        .band_rows = rows,
        .carries = pairs,
        .n_carries = carries ? networks[i].states : 0,
    };
    g_autoptr(GError) error = NULL;
    AePlan *plan = ae_plan_new(model, &options, &error);

    g_assert_no_error(error);
    return plan;
}

static void fill_image(AePlan *plan, int stream, int run)
{
    const int64_t n = ae_shape_elements(ae_plan_input_shape(plan, 0));
    AeRandom random = ae_random((uint64_t)stream, (uint64_t)run);

    for (int64_t i = 0; i < n; i++)
        ae_plan_input(plan, 0)[i] = ae_random_uniform(&random);
}

static size_t image_bytes(const AePlan *plan)
{
    return (size_t)ae_shape_elements(ae_plan_output_shape(plan, 0)) *
           sizeof(float);
}

/* Output images of all runs, with states that the caller copies. */
static void run_by_hand(AeModel *model, int i, int stream, float *images)
{
    g_autoptr(AePlan) plan = new_plan(model, i, NULL, -1, FALSE);
    const size_t size = image_bytes(plan) / sizeof(float);
    g_autofree float *kept = g_new0(float, 2 * size);

    for (int run = 0; run < RUNS; run++) {
        fill_image(plan, stream, run);
        for (int k = 0; k < networks[i].states; k++)
            memcpy(ae_plan_input(plan, 1 + k), kept + (size_t)k * size,
                   (size_t)ae_shape_elements(ae_plan_input_shape(plan, 1 + k)) *
                       sizeof(float));
        ae_plan_run(plan);
        memcpy(images + (size_t)run * size, ae_plan_output(plan, 0),
               size * sizeof(float));
        for (int k = 0; k < networks[i].states; k++)
            memcpy(
                kept + (size_t)k * size, ae_plan_output(plan, 1 + k),
                (size_t)ae_shape_elements(ae_plan_output_shape(plan, 1 + k)) *
                    sizeof(float));
    }
}

/* Two streams in turn through one plan. */
static void check_plan(AePlan *plan, float *const *expected)
{
    AeState *states[] = {ae_state_new(plan, NULL), ae_state_new(plan, NULL)};
    const size_t size = image_bytes(plan) / sizeof(float);

    for (int again = 0; again < 2; again++) {
        for (int run = 0; run < RUNS; run++)
            for (int stream = 0; stream < 2; stream++) {
                fill_image(plan, stream, 99); /* is not taken over */
                ae_plan_run_state(plan, states[stream]);
                fill_image(plan, stream, run);
                ae_plan_run_state(plan, states[stream]);
                ae_state_advance(states[stream]);
                g_assert_cmpmem(ae_plan_output(plan, 0), image_bytes(plan),
                                expected[stream] + (size_t)run * size,
                                image_bytes(plan));
            }
        ae_state_reset(states[0]);
        ae_state_reset(states[1]);
    }
    ae_state_free(states[0]);
    ae_state_free(states[1]);
}

static void test_network(const void *data)
{
    const int i = GPOINTER_TO_INT(data);
    g_autoptr(AeModel) model = new_model(i);
    const AeShape shape = image_shape(1);
    const size_t size = RUNS * (size_t)ae_shape_elements(&shape);
    g_autofree float *a = g_new(float, size), *b = g_new(float, size);
    float *const expected[] = {a, b};
    const int rows[] = {-1, 0, 1, 3, 8};

    run_by_hand(model, i, 0, a);
    run_by_hand(model, i, 1, b);
    for (int threads = 1; threads <= 4; threads++) {
        g_autoptr(AePool) pool = ae_pool_new(threads);

        for (size_t k = 0; k < G_N_ELEMENTS(rows); k++) {
            g_autoptr(AePlan) plan = new_plan(model, i, pool, rows[k], TRUE);

            g_assert_cmpint(ae_plan_band_rows(plan) > 0, ==, rows[k] >= 0);
            check_plan(plan, expected);
        }
    }
}

/* A state that comes out with another shape cannot be carried. */
static void test_shapes(void)
{
    g_autoptr(AeModel) model = new_model(3);
    const AeShape shapes[] = {image_shape(1), image_shape(2)};
    const AeCarry pair = {1, 0};
    const AePlanOptions options = {
        .shapes = shapes, .n_inputs = 2, .carries = &pair, .n_carries = 1};
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_plan_new(model, &options, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
    g_assert_nonnull(strstr(error->message, "the state 'past_a' is 2x2x11x5"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autofree char *path = g_strdup_printf("/state/%s", networks[i].name);

        g_test_add_data_func(path, GINT_TO_POINTER((int)i), test_network);
    }
    g_test_add_func("/state/shapes", test_shapes);
    return g_test_run();
}
