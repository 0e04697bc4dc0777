/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LSTM forward against its definition, number by number in double, and the same
 * bits with gradients and with three threads. Gradients: test-operators.c. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "plan/plan.h"
#include "base/random.h"
#include "ops/attributes.h"
#include "model/build.h"

#define TOLERANCE 1e-5 /* of 1 + |y|, after up to 40 steps of floats */

typedef struct {
    int steps, n, inputs, hidden;
    const char *direction;
    int layout;
    gboolean bias, states, peepholes;
} Case;

static const Case cases[] = {
    {1, 1, 1, 1, "forward", 0, FALSE, FALSE, FALSE},
    {5, 3, 4, 6, "forward", 0, TRUE, FALSE, FALSE},
    {5, 3, 4, 6, "forward", 1, TRUE, TRUE, FALSE},
    {6, 2, 3, 5, "reverse", 0, TRUE, TRUE, FALSE},
    {6, 2, 3, 5, "reverse", 1, FALSE, TRUE, FALSE},
    {4, 3, 2, 7, "bidirectional", 0, TRUE, TRUE, FALSE},
    {4, 3, 2, 7, "bidirectional", 1, TRUE, TRUE, FALSE},
    {4, 3, 2, 7, "bidirectional", 0, TRUE, TRUE, TRUE},
    {40, 70, 3, 9, "forward", 0, TRUE, TRUE, FALSE}, /* blocks and chunks */
    {40, 70, 3, 9, "bidirectional", 0, TRUE, FALSE, TRUE},
    {3, 130, 33, 65, "bidirectional", 1, TRUE, TRUE, FALSE},
};

enum { X, W, R, B, LENGTHS, H0, C0, P, INPUTS };
enum { Y, Y_H, Y_C, OUTPUTS };

/* Everything in ONNX's order. */
typedef struct {
    const Case *test;
    int directions;
    AeShape shape[INPUTS];
    AeTensor *row_major[INPUTS]; /* NULL where left out */
    float *expected[OUTPUTS];
} Fixture;

static AeShape sequence_shape(const Case *test, int directions)
{
    int steps = test->steps, n = test->n, hidden = test->hidden;

    return test->layout == 0 ? ae_shape(4, steps, directions, n, hidden)
                             : ae_shape(4, n, steps, directions, hidden);
}

static AeShape state_shape(const Case *test, int directions)
{
    return test->layout == 0 ? ae_shape(3, directions, test->n, test->hidden)
                             : ae_shape(3, test->n, directions, test->hidden);
}

static void set_shapes(Fixture *f)
{
    const Case *test = f->test;
    int d = f->directions, hidden = test->hidden;

    f->shape[X] = test->layout == 0
                      ? ae_shape(3, test->steps, test->n, test->inputs)
                      : ae_shape(3, test->n, test->steps, test->inputs);
    f->shape[W] = ae_shape(3, d, 4 * hidden, test->inputs);
    f->shape[R] = ae_shape(3, d, 4 * hidden, hidden);
    f->shape[B] = ae_shape(2, d, 8 * hidden);
    f->shape[H0] = f->shape[C0] = state_shape(test, d);
    f->shape[P] = ae_shape(2, d, 3 * hidden);
}

static gboolean is_left_out(const Case *test, int i)
{
    return i == LENGTHS || (i == B && !test->bias) ||
           ((i == H0 || i == C0) && !test->states) ||
           (i == P && !test->peepholes);
}

static void fixture_init(Fixture *f, const Case *test)
{
    AeRandom random = ae_random(5, 0);

    *f = (Fixture){.test = test};
    f->directions = g_str_equal(test->direction, "bidirectional") ? 2 : 1;
    set_shapes(f);
    for (int i = 0; i < INPUTS; i++) {
        if (is_left_out(test, i))
            continue;
        f->row_major[i] = ae_tensor_new(&f->shape[i], NULL);
        for (int64_t k = 0; k < ae_shape_elements(&f->shape[i]); k++)
            f->row_major[i]->data[k] = ae_random_uniform(&random) * 1.4f - 0.7f;
    }
    f->expected[Y] = g_new0(float, (gsize)f->directions * test->steps *
                                       test->n * test->hidden);
    f->expected[Y_H] =
        g_new0(float, (gsize)f->directions * test->n * test->hidden);
    f->expected[Y_C] =
        g_new0(float, (gsize)f->directions * test->n * test->hidden);
}

static void fixture_clear(Fixture *f)
{
    for (int i = 0; i < INPUTS; i++)
        ae_tensor_free(f->row_major[i]);
    for (int i = 0; i < OUTPUTS; i++)
        g_free(f->expected[i]);
}

/* Number @k of row @row of input @i, 0 where it is left out. */
static double number(const Fixture *f, int i, int64_t row, int64_t k)
{
    const AeTensor *tensor = f->row_major[i];
    int64_t width = f->shape[i].dim[f->shape[i].rank - 1];

    return tensor != NULL ? tensor->data[row * width + k] : 0;
}

/* Rows of X, of Y and of a state. */
static int64_t x_row(const Case *test, int t, int n)
{
    return test->layout == 0 ? t * test->n + n : n * test->steps + t;
}

static int64_t y_row(const Fixture *f, int t, int d, int n)
{
    const Case *test = f->test;

    return test->layout == 0
               ? ((int64_t)t * f->directions + d) * test->n + n
               : ((int64_t)n * test->steps + t) * f->directions + d;
}

static int64_t state_row(const Fixture *f, int d, int n)
{
    return f->test->layout == 0 ? d * f->test->n + n : n * f->directions + d;
}

/* x W + h R and both biases, of number @k of ONNX's gate @gate (i, o, f, c). */
static double sum(const Fixture *f, int d, int64_t x, int gate, int k,
                  const double *h)
{
    const Case *test = f->test;
    int64_t column = (int64_t)gate * test->hidden + k;
    int64_t row = (int64_t)d * 4 * test->hidden + column;
    double sum = number(f, B, d, column) +
                 number(f, B, d, 4 * (int64_t)test->hidden + column);

    for (int i = 0; i < test->inputs; i++)
        sum += number(f, X, x, i) * number(f, W, row, i);
    for (int i = 0; i < test->hidden; i++)
        sum += h[i] * number(f, R, row, i);
    return sum;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step, from the states @h and @c to @next and @c. */
static void run_step(const Fixture *f, int d, int64_t x, const double *h,
                     double *next, double *c)
{
    int hidden = f->test->hidden;

    for (int k = 0; k < hidden; k++) {
        double i = logistic(sum(f, d, x, 0, k, h) + number(f, P, d, k) * c[k]);
        double forget = logistic(sum(f, d, x, 2, k, h) +
                                 number(f, P, d, 2 * hidden + k) * c[k]);
        double o = sum(f, d, x, 1, k, h);

        c[k] = forget * c[k] + i * tanh(sum(f, d, x, 3, k, h));
        o = logistic(o + number(f, P, d, hidden + k) * c[k]);
        next[k] = o * tanh(c[k]);
    }
}

static void run_sequence(Fixture *f, int d, int n)
{
    const Case *test = f->test;
    int hidden = test->hidden;
    gboolean back = d == 1 || g_str_equal(test->direction, "reverse");
    int64_t state = state_row(f, d, n);
    g_autofree double *h = g_new(double, hidden);
    g_autofree double *c = g_new(double, hidden);
    g_autofree double *next = g_new(double, hidden);

    for (int k = 0; k < hidden; k++) {
        h[k] = number(f, H0, state, k);
        c[k] = number(f, C0, state, k);
    }
    for (int i = 0; i < test->steps; i++) {
        int t = back ? test->steps - 1 - i : i;

        run_step(f, d, x_row(test, t, n), h, next, c);
        for (int k = 0; k < hidden; k++) {
            h[k] = next[k];
            f->expected[Y][y_row(f, t, d, n) * hidden + k] = (float)h[k];
        }
    }
    for (int k = 0; k < hidden; k++) {
        f->expected[Y_H][state * hidden + k] = (float)h[k];
        f->expected[Y_C][state * hidden + k] = (float)c[k];
    }
}

/* X is fed, all else are weights. */
static AeModel *make_model(const Fixture *f)
{
    AeModel *model = ae_model_new(17);
    int in[INPUTS], out[OUTPUTS];
    AeNode *node;

    for (int i = 0; i < INPUTS; i++) {
        g_autofree char *name = g_strdup_printf("in%d", i);
        AeTensor *tensor;

        in[i] = -1;
        if (i == X)
            in[i] = ae_model_add_input(model, name, &f->shape[X], NULL);
        if (i == X || f->row_major[i] == NULL)
            continue;
        tensor = ae_tensor_new(&f->shape[i], NULL);
        ae_tensor_from_row_major(tensor, f->row_major[i]->data);
        in[i] = ae_model_add_constant(model, name, tensor, TRUE, NULL);
    }
    for (int i = 0; i < OUTPUTS; i++) {
        g_autofree char *name = g_strdup_printf("out%d", i);

        out[i] = ae_model_add_value(model, name, NULL, NULL);
        ae_model_add_output(model, out[i]);
    }
    node = ae_model_add_node(model, "LSTM", "lstm", in, INPUTS, out, OUTPUTS,
                             NULL);
    ae_node_set_string(node, "direction", f->test->direction);
    ae_node_set_int(node, "layout", f->test->layout);
    return model;
}

static AePlan *run_plan(const Fixture *f, AeModel *model, gboolean gradients,
                        AePool *pool)
{
    AePlanOptions options = {.shapes = &f->shape[X],
                             .n_inputs = 1,
                             .pool = pool,
                             .gradients = gradients,
                             .band_rows = -1};
    g_autoptr(GError) error = NULL;
    AePlan *plan = ae_plan_new(model, &options, &error);
    AeTensor x = {.shape = f->shape[X]};

    g_assert_no_error(error);
    x.data = ae_plan_input(plan, 0);
    ae_tensor_from_row_major(&x, f->row_major[X]->data);
    ae_plan_run(plan);
    return plan;
}

static void check_output(const Fixture *f, const AePlan *plan, int i)
{
    AeShape shape = i == Y ? sequence_shape(f->test, f->directions)
                           : state_shape(f->test, f->directions);
    AeTensor found = {.shape = shape, .data = (float *)ae_plan_output(plan, i)};
    int64_t n = ae_shape_elements(&shape);
    g_autofree float *row_major = g_new(float, n);

    g_assert_true(ae_shape_equal(ae_plan_output_shape(plan, i), &shape));
    ae_tensor_to_row_major(&found, row_major);
    for (int64_t k = 0; k < n; k++) {
        float expected = f->expected[i][k];

        g_assert_cmpfloat_with_epsilon(row_major[k], expected,
                                       TOLERANCE * (1 + fabsf(expected)));
    }
}

static void assert_same(const AePlan *a, const AePlan *b)
{
    for (int i = 0; i < OUTPUTS; i++) {
        gsize size = (gsize)ae_shape_elements(ae_plan_output_shape(a, i)) *
                     sizeof(float);

        g_assert_cmpmem(ae_plan_output(a, i), size, ae_plan_output(b, i), size);
    }
}

static void assert_not_trained(const Fixture *f, AeModel *model)
{
    AePlanOptions options = {
        .shapes = &f->shape[X], .n_inputs = 1, .gradients = TRUE};
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_plan_new(model, &options, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "peepholes"));
}

static void test_definition(const void *data)
{
    Fixture f;
    g_autoptr(AePool) pool = ae_pool_new(3);
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AePlan) one = NULL, three = NULL;

    fixture_init(&f, data);
    for (int d = 0; d < f.directions; d++)
        for (int n = 0; n < f.test->n; n++)
            run_sequence(&f, d, n);
    model = make_model(&f);
    one = run_plan(&f, model, FALSE, NULL);
    for (int i = 0; i < OUTPUTS; i++)
        check_output(&f, one, i);
    three = run_plan(&f, model, FALSE, pool);
    assert_same(one, three);
    if (f.test->peepholes) {
        assert_not_trained(&f, model);
    } else {
        g_autoptr(AePlan) trained = run_plan(&f, model, TRUE, pool);

        assert_same(one, trained);
    }
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *test = &cases[i];
        g_autofree char *path = g_strdup_printf(
            "/recurrent/definition/%02zu-%dx%dx%dx%d-%s", i, test->steps,
            test->n, test->inputs, test->hidden, test->direction);

        g_test_add_data_func(path, test, test_definition);
    }
    return g_test_run();
}
