/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "tools/neighbours.h"
#include "base/random.h"

#include <math.h>

/* Rows on a grid of @steps a side, so that many are equally far, or (0) of
 * normal numbers; @offset far from the origin rounding is at its worst. */
static AeTensor *make_rows(int64_t n, int d, int steps, float offset,
                           uint64_t seed)
{
    const AeShape shape = ae_shape(2, n, d);
    AeTensor *rows = ae_tensor_new(&shape, NULL);
    AeRandom random = ae_random(seed, 0);

    for (int64_t i = 0; i < n * d; i++)
        rows->data[i] =
            offset + (steps > 0
                          ? (float)ae_random_below(&random, (uint32_t)steps)
                          : ae_random_normal(&random));
    return rows;
}

typedef struct {
    double distance;
    int64_t row;
} Neighbour;

static int compare(const void *a, const void *b)
{
    const Neighbour *x = a, *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

/* The definition: sort all, count the votes of the first k. */
static uint8_t definition(const AeTensor *known, const uint8_t *labels,
                          const float *row, int k)
{
    const int64_t m = known->shape.dim[0], d = known->shape.dim[1];
    g_autofree Neighbour *all = g_new0(Neighbour, m);
    int votes[256] = {0}, most = 0, i = 0;

    for (int64_t j = 0; j < m; j++) {
        all[j].row = j;
        for (int64_t c = 0; c < d; c++)
            all[j].distance += pow((double)row[c] - known->data[j * d + c], 2);
    }
    qsort(all, (size_t)m, sizeof *all, compare);
    for (int j = 0; j < k; j++) {
        votes[labels[all[j].row]]++;
        most = MAX(most, votes[labels[all[j].row]]);
    }
    while (votes[labels[all[i].row]] < most)
        i++;
    return labels[all[i].row];
}

static const struct {
    int64_t m, n;
    int d, k, steps;
    float offset;
} cases[] = {
    {1, 1, 1, 1, 0, 0},
    {7, 3, 2, 7, 3, 0}, /* all vote */
    {100, 65, 1, 4, 5, 0},
    {1500, 130, 2, 7, 0, 0}, /* more than a block of both */
    {1500, 70, 3, 10, 4, 0},
    {1030, 64, 40, 5, 0, 0},
    {1030, 20, 2, 7, 0, 1000},
    {300, 20, 5, AE_MAX_NEIGHBOURS, 2, 0},
};

static void test_definition(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const int64_t m = cases[i].m, n = cases[i].n;
        const int d = cases[i].d;
        g_autoptr(AeTensor) known =
            make_rows(m, d, cases[i].steps, cases[i].offset, 1);
        g_autoptr(AeTensor) rows =
            make_rows(n, d, cases[i].steps, cases[i].offset, 2);
        g_autofree uint8_t *labels = g_new(uint8_t, m);
        g_autofree uint8_t *answers = g_new(uint8_t, n);
        AeRandom random = ae_random(3, 0);

        for (int64_t j = 0; j < m; j++)
            labels[j] = (uint8_t)(251 + ae_random_below(&random, 5));
        for (int threads = 1; threads <= 3; threads += 2) {
            g_autoptr(AePool) pool = ae_pool_new(threads);

            g_assert_true(ae_neighbours_classify(
                known, labels, rows, cases[i].k, answers, pool, NULL));
            for (int64_t j = 0; j < n; j++)
                g_assert_cmpint(
                    answers[j], ==,
                    definition(known, labels, rows->data + j * d, cases[i].k));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/neighbours/definition", test_definition);
    return g_test_run();
}
