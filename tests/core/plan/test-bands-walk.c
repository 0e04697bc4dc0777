/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk through each section is that of the example in plan/bands.h. */
#include "plan/bands-walk.h"

#include "ae.h"
#include "model/build.h"

/* The two tables of the example: the rows delivered, the rows that they read,
 * and the rows of buffers a and b that are kept afterwards. */
static const char *const tables[2][14] = {
    {
        "a   0..3    in 0..4    0..3    -",
        "a   4..4    in 3..5    0..4    -",
        "b   0..3    a 0..4     3..4    0..3",
        "a   5..5    in 4..6    3..5    0..3",
        "b   4..4    a 3..5     4..5    0..4",
        "out 0..3    b 0..4     4..5    3..4",
        "a   6..6    in 5..7    4..6    3..4",
        "a   7..8    seam       4..8    3..4",
        "b   5..7    a 4..8     -       3..7",
        "b   8..8    seam       -       3..8",
        "out 4..7    b 3..8     -       7..8",
        "b   9..9    seam       -       7..9",
        "out 8..8    b 7..9     -       -",
    },
    {
        "a   7..10   in 6..11   7..10   -",
        "a   11..12  in 10..13  7..12   -",
        "b   8..11   a 7..12    11..12  8..11",
        "a   13..14  in 12..15  11..14  8..11",
        "b   12..13  a 11..14   13..14  8..13",
        "out 9..12   b 8..13    13..14  12..13",
        "a   15..15  in 14..15  13..15  12..13",
        "b   14..15  a 13..15   -       12..15",
        "out 13..15  b 12..15   -       -",
    },
};

enum { ROWS = 16, BAND = 4, A = 2, B };

/* A convolution of one channel with a kernel of 3x3, between values of one
 * size. */
static int conv(AeModel *model, int x, const char *name)
{
    g_autofree char *weight = g_strconcat(name, ".weight", NULL);
    AeShape shape = ae_shape(4, 1, 1, 3, 3);
    int w = ae_model_add_constant(model, weight, ae_tensor_new(&shape, NULL),
                                  FALSE, NULL);
    int y = ae_model_add_value(model, name, NULL, NULL);
    AeNode *node =
        ae_model_add_node(model, "Conv", name, (int[]){x, w}, 2, &y, 1, NULL);

    ae_node_set_ints(node, "pads", (int64_t[]){1, 1, 1, 1}, 4);
    return y;
}

/* Rows [begin, end), both the first and the last by their numbers. */
static const char *range(char text[16], int64_t begin, int64_t end)
{
    g_snprintf(text, 16, begin < end ? "%d..%d" : "-", (int)begin,
               (int)end - 1);
    return text;
}

static const char *kept(char text[16], const AeWalk *walk, int buffer)
{
    return range(text, ae_walk_keep(walk, buffer), walk->progress[buffer].done);
}

/* A deliver() that compares its line with the table's next one. */
static void compare(const AeWalk *walk, const AeStage *stage, int64_t end)
{
    const char *const **line = walk->data;
    const AeBandBuffer *in = ae_bands_buffer(walk->bands, stage->in[1]);
    AeProgress *rows = &walk->progress[stage->out];
    const int64_t before = rows->done;
    char made[16], source[16], a[16], b[16];
    g_autofree char *reads = g_strdup("seam"), *text = NULL;

    if (before < rows->make) {
        int64_t first = before, last = end;

        stage->step->op->rows(stage->step, &first, &last);
        range(source, MAX(first, 0), MIN(last, ROWS));
        g_free(reads);
        reads = g_strdup_printf("%s %s", in->value->operand.name, source);
    }
    rows->done = end;
    text = g_strdup_printf("%-3s %-7s %-10s %-7s %s", stage->step->out[0]->name,
                           range(made, before, end), reads, kept(a, walk, A),
                           kept(b, walk, B));
    rows->done = before;
    g_assert_cmpstr(text, ==, *(*line)++);
}

static void test_example(void)
{
    g_autoptr(AeModel) model = ae_model_new(17);
    g_autoptr(AePool) pool = ae_pool_new(2);
    AeShape shape = ae_shape(4, 1, 1, ROWS, 16);
    AePlanOptions options = {
        .shapes = &shape, .n_inputs = 1, .pool = pool, .band_rows = BAND};
    int x = ae_model_add_input(model, "in", &shape, NULL);
    int a = conv(model, x, "a"), b = conv(model, a, "b");
    AeProgress progress[4];

    ae_model_add_output(model, conv(model, b, "out"));
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, NULL);
    const AeBands *bands = plan->bands;
    g_assert_cmpint(bands->sections, ==, 2);
    g_assert_cmpint(bands->begins[1], ==, 9);
    g_assert_cmpint(ae_bands_seam(bands, 1)[A].start, ==, 7);
    g_assert_cmpint(ae_bands_seam(bands, 1)[A].until, ==, 9);
    g_assert_cmpint(ae_bands_seam(bands, 1)[B].start, ==, 8);
    g_assert_cmpint(ae_bands_seam(bands, 1)[B].until, ==, 10);
    for (int i = A; i <= B; i++) {
        g_assert_true(ae_bands_buffer(bands, i)->ring);
        g_assert_cmpint(ae_bands_buffer(bands, i)->capacity, ==, 6);
    }
    for (int i = 0; i < 2; i++) {
        const char *const *line = tables[i];
        AeWalk walk = {.bands = bands,
                       .progress = progress,
                       .deliver = compare,
                       .data = &line};

        ae_walk_section(&walk, i);
        g_assert_null(*line);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bands-walk/example", test_example);
    return g_test_run();
}
