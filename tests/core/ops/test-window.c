/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes and pads of windows along one axis, against numbers worked out by
 * hand. Attributes are read by the tests of the operators. */
#include "ops/window.h"

static const struct {
    int64_t in, kernel, stride, dilation, before, after;
    AeAutoPad auto_pad;
    gboolean partial;
    int64_t out, pads[2]; /* expected */
} cases[] = {
    {1, 1, 1, 1, 0, 0, AE_AUTO_PAD_NOTSET, FALSE, 1, {0, 0}},
    {7, 3, 2, 1, 1, 1, AE_AUTO_PAD_NOTSET, FALSE, 4, {1, 1}},
    {9, 3, 1, 2, 0, 3, AE_AUTO_PAD_NOTSET, FALSE, 8, {0, 3}},
    {4, 3, 1, 1, 0, 5, AE_AUTO_PAD_NOTSET, FALSE, 7, {0, 5}},
    {4, 5, 1, 1, 0, 0, AE_AUTO_PAD_NOTSET, FALSE, 0, {0, 0}}, /* too large */
    {4, 3, 1, 2, 0, 0, AE_AUTO_PAD_NOTSET, FALSE, 0, {0, 0}},
    {6, 2, 3, 1, 0, 0, AE_AUTO_PAD_VALID, FALSE, 2, {0, 0}},
    {6, 3, 2, 1, 0, 0, AE_AUTO_PAD_NOTSET, FALSE, 2, {0, 0}},
    {6, 3, 2, 1, 0, 0, AE_AUTO_PAD_NOTSET, TRUE, 3, {0, 0}}, /* partial */
    {5, 2, 3, 1, 0, 1, AE_AUTO_PAD_NOTSET, TRUE, 2, {0, 1}}, /* behind */
    {5, 3, 2, 1, 0, 0, AE_AUTO_PAD_SAME_UPPER, FALSE, 3, {1, 1}},
    {6, 3, 2, 1, 0, 0, AE_AUTO_PAD_SAME_UPPER, FALSE, 3, {0, 1}},
    {6, 3, 2, 1, 0, 0, AE_AUTO_PAD_SAME_LOWER, FALSE, 3, {1, 0}},
    {9, 1, 4, 1, 0, 0, AE_AUTO_PAD_SAME_LOWER, FALSE, 3, {0, 0}}, /* no pads */
};

static void test_outputs(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        AeWindow window = {.auto_pad = cases[i].auto_pad};

        window.kernel[1] = cases[i].kernel;
        window.stride[1] = cases[i].stride;
        window.dilation[1] = cases[i].dilation;
        window.before[1] = cases[i].before;
        window.after[1] = cases[i].after;
        g_assert_cmpint(
            ae_window_outputs(&window, 1, cases[i].in, cases[i].partial), ==,
            cases[i].out);
        g_assert_cmpint(window.before[1], ==, cases[i].pads[0]);
        g_assert_cmpint(window.after[1], ==, cases[i].pads[1]);
    }
}

static void test_inputs(void)
{
    const AeWindow window = {.kernel = {1, 3, 1},
                             .stride = {1, 2, 1},
                             .dilation = {1, 4, 1},
                             .before = {0, 3, 0}};
    int64_t begin = 1, end = 3;

    ae_window_inputs(&window, 1, &begin, &end);
    g_assert_cmpint(begin, ==, -1);
    g_assert_cmpint(end, ==, 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/window/outputs", test_outputs);
    g_test_add_func("/window/inputs", test_inputs);
    return g_test_run();
}
