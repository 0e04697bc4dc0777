/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Squared distances of blocks of rows come from a matrix product,
 * |a - b|^2 = |a|^2 - 2 a b + |b|^2, whose rounding errors are bounded; only
 * rows that may be among the nearest within that bound are measured exactly, so
 * the answer is that of the definition. */
#include "tools/neighbours.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/gemm.h"
#include "base/memory.h"

enum { ROWS = 64, KNOWN = 1024 }; /* of a block */

typedef struct {
    double distance; /* squared */
    int64_t row;
} Neighbour;

typedef struct {
    const AeTensor *known, *rows;
    const uint8_t *labels;
    uint8_t *answers;
    int d, k;
    float *squares;     /* of the known rows */
    float *products;    /* ROWS x KNOWN a thread */
    Neighbour *nearest; /* ROWS x k a thread, ascending */
} Search;

static float square(const float *row, int d)
{
    double sum = 0;

    for (int i = 0; i < d; i++)
        sum += (double)row[i] * row[i];
    return (float)sum;
}

static double distance(const float *a, const float *b, int d)
{
    double sum = 0;

    for (int i = 0; i < d; i++) {
        double difference = (double)a[i] - b[i];
        sum += difference * difference;
    }
    return sum;
}

/* Rows come in their order: an equal one stays behind those before it. */
static void insert(Neighbour *nearest, int k, Neighbour candidate)
{
    int at = k - 1;

    if (!(candidate.distance < nearest[at].distance))
        return;
    for (; at > 0 && candidate.distance < nearest[at - 1].distance; at--)
        nearest[at] = nearest[at - 1];
    nearest[at] = candidate;
}

/* The @count known rows from @first on, whose products with @row are given. */
static void scan(const Search *search, const float *row, int64_t first,
                 int count, const float *products, Neighbour *nearest)
{
    const int d = search->d, k = search->k;
    const float own = square(row, d);
    const float slack = 2 * FLT_EPSILON * (float)(d + 2);

    for (int i = 0; i < count; i++) {
        float sum = own + search->squares[first + i];
        double least = sum - 2 * products[i] - slack * sum;

        if (least < nearest[k - 1].distance) {
            int64_t at = first + i;
            Neighbour candidate = {
                distance(row, search->known->data + at * d, d), at};

            insert(nearest, k, candidate);
        }
    }
}

static uint8_t vote(const Search *search, const Neighbour *nearest)
{
    int votes[256] = {0};
    uint8_t best = search->labels[nearest[0].row];

    for (int i = 0; i < search->k; i++)
        votes[search->labels[nearest[i].row]]++;
    for (int i = 1; i < search->k; i++) {
        uint8_t label = search->labels[nearest[i].row];

        if (votes[label] > votes[best])
            best = label;
    }
    return best;
}

static void classify_block(void *data, int64_t index, int thread)
{
    const Search *search = data;
    const int d = search->d, k = search->k;
    const int64_t m = search->known->shape.dim[0];
    const int64_t first = index * ROWS;
    const int n = (int)MIN(ROWS, search->rows->shape.dim[0] - first);
    const float *rows = search->rows->data + first * d;
    float *products = search->products + (int64_t)thread * ROWS * KNOWN;
    Neighbour *nearest = search->nearest + (int64_t)thread * ROWS * k;

    for (int i = 0; i < n * k; i++)
        nearest[i] = (Neighbour){INFINITY, 0};
    for (int64_t j = 0; j < m; j += KNOWN) {
        int count = (int)MIN(KNOWN, m - j);

        ae_gemm(FALSE, TRUE, n, count, d, 1, rows, d,
                search->known->data + j * d, d, 0, products, KNOWN);
        for (int i = 0; i < n; i++)
            scan(search, rows + (int64_t)i * d, j, count, products + i * KNOWN,
                 nearest + (int64_t)i * k);
    }
    for (int i = 0; i < n; i++)
        search->answers[first + i] = vote(search, nearest + (int64_t)i * k);
}

gboolean ae_neighbours_classify(const AeTensor *known, const uint8_t *labels,
                                const AeTensor *rows, int k, uint8_t *answers,
                                AePool *pool, GError **error)
{
    const int64_t m = known->shape.dim[0], n = rows->shape.dim[0];
    const int d = (int)known->shape.dim[1];
    const size_t block = (size_t)ae_pool_threads(pool) * ROWS;
    ae_autofree float *products =
        ae_alloc(block * KNOWN + (size_t)m, sizeof *products, error);
    ae_autofree Neighbour *nearest =
        products != NULL ? ae_alloc(block * (size_t)k, sizeof *nearest, error)
                         : NULL;

    g_assert(k >= 1 && k <= m && k <= AE_MAX_NEIGHBOURS &&
             d == rows->shape.dim[1]);
    if (nearest == NULL)
        return FALSE;

    float *squares = products + block * KNOWN;
    Search search = {known, rows,    labels,   answers, d,
                     k,     squares, products, nearest};

    for (int64_t i = 0; i < m; i++)
        squares[i] = square(known->data + i * d, d);
    ae_pool_run(pool, classify_block, &search, (n + ROWS - 1) / ROWS);
    return TRUE;
}
