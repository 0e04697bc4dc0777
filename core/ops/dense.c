/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gemm, y = activation(alpha op(a) op(b) + beta c), and MatMul with
 * NumPy's rules for batches and vectors.
 *
 * A matrix has two strides. BLAS reads it in place if one of them is 1, which
 * is always so for ranks 1 to 3. Other matrices are packed into scratch first.
 */
#include "base/gemm.h"
#include "ops/box.h"
#include "ops/gradient.h"

#define ROWS 64     /* rows of the output in a unit */
#define COLUMNS 256 /* columns of Gemm's output in a unit */

typedef struct {
    float *data;
    int64_t rows, columns;
    int64_t row, column; /* strides */
} Matrix;

static Matrix transposed(Matrix m)
{
    return (Matrix){m.data, m.columns, m.rows, m.column, m.row};
}

/* @count rows (or columns) from @first on. */
static Matrix some_rows(Matrix m, int64_t first, int64_t count)
{
    m.data += first * m.row;
    m.rows = MIN(count, m.rows - first);
    return m;
}

static Matrix some_columns(Matrix m, int64_t first, int64_t count)
{
    return transposed(some_rows(transposed(m), first, count));
}

static Matrix compact(float *data, int64_t rows, int64_t columns)
{
    return (Matrix){data, rows, columns, columns, 1};
}

/* TRUE if neighbours in a row lie side by side. */
static gboolean is_row_major(const Matrix *m)
{
    return (m->column == 1 || m->columns == 1) &&
           (m->row >= m->columns || m->rows == 1);
}

static gboolean is_column_major(const Matrix *m)
{
    Matrix other = transposed(*m);

    return is_row_major(&other);
}

static void copy_matrix(const Matrix *target, const Matrix *source)
{
    int64_t to[2] = {target->row, target->column};
    int64_t from[2] = {source->row, source->column};
    int64_t size[2] = {source->rows, source->columns};

    ae_copy_strided(target->data, to, source->data, from, size, 2, FALSE);
}

/* @m itself if BLAS can read it; else a copy at *scratch, which then moves on.
 */
static Matrix packed(Matrix m, float **scratch)
{
    Matrix copy = compact(*scratch, m.rows, m.columns);

    if (is_row_major(&m) || is_column_major(&m))
        return m;
    copy_matrix(&copy, &m);
    *scratch += m.rows * m.columns;
    return copy;
}

static int leading(const Matrix *m, gboolean transpose)
{
    int64_t stride = transpose ? m->column : m->row;
    int64_t least = transpose ? m->rows : m->columns;

    return (int)MAX(MAX(stride, least), 1);
}

static void gemm(float alpha, const Matrix *a, const Matrix *b, float beta,
                 const Matrix *y)
{
    gboolean transpose_a = !is_row_major(a), transpose_b = !is_row_major(b);

    ae_gemm(transpose_a, transpose_b, (int)y->rows, (int)y->columns,
            (int)a->columns, alpha, a->data, leading(a, transpose_a), b->data,
            leading(b, transpose_b), beta, y->data, leading(y, FALSE));
}

/* y = alpha a b + beta y. */
static void multiply(float alpha, Matrix a, Matrix b, float beta, Matrix y,
                     float *scratch)
{
    Matrix result;

    if (y.rows == 0 || y.columns == 0)
        return;
    if (!is_row_major(&y) && is_column_major(&y)) {
        multiply(alpha, transposed(b), transposed(a), beta, transposed(y),
                 scratch);
        return;
    }
    a = packed(a, &scratch);
    b = packed(b, &scratch);
    if (is_row_major(&y)) {
        gemm(alpha, &a, &b, beta, &y);
        return;
    }
    result = compact(scratch, y.rows, y.columns);
    if (beta != 0)
        copy_matrix(&result, &y);
    gemm(alpha, &a, &b, beta, &result);
    copy_matrix(&y, &result);
}

/* An operand of rank 2, of which @data is the data or the gradient. */
static Matrix matrix_of(const AeOperand *x, float *data, gboolean transpose)
{
    Matrix m = {data, x->shape.dim[0], x->shape.dim[1], x->stride[0],
                x->stride[1]};

    return transpose ? transposed(m) : m;
}

typedef struct {
    gboolean transpose_a, transpose_b;
    float alpha, beta;
    int64_t m, n, k;
    int64_t bias_row, bias_column; /* strides of c; 0: it repeats */
    int64_t row_blocks;
} Gemm;

static gboolean gemm_bias(const AeStep *step, Gemm *gemm, GError **error)
{
    const AeOperand *c = step->in[2];
    int rank = c->shape.rank;
    int64_t columns = rank > 0 ? c->shape.dim[rank - 1] : 1;
    int64_t rows = rank > 1 ? c->shape.dim[0] : 1;

    if (rank > 2 || (columns != 1 && columns != gemm->n) ||
        (rows != 1 && rows != gemm->m)) {
        g_autofree char *shape = ae_shape_to_string(&c->shape);

        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "c of shape %s does not broadcast to "
                            "%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
                            shape, gemm->m, gemm->n);
    }
    gemm->bias_column = columns > 1 ? 1 : 0;
    gemm->bias_row = rows > 1 ? columns : 0;
    return TRUE;
}

static gboolean gemm_sizes(const AeStep *step, Gemm *gemm, GError **error)
{
    Matrix a, b;

    if (step->in[0]->shape.rank != 2 || step->in[1]->shape.rank != 2)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected matrices, found ranks %d and %d",
                            step->in[0]->shape.rank, step->in[1]->shape.rank);
    a = matrix_of(step->in[0], NULL, gemm->transpose_a);
    b = matrix_of(step->in[1], NULL, gemm->transpose_b);
    gemm->m = a.rows;
    gemm->n = b.columns;
    gemm->k = a.columns;
    if (a.columns != b.rows)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected %" G_GINT64_FORMAT
                            " columns in a, found %" G_GINT64_FORMAT,
                            b.rows, a.columns);
    if (MAX(MAX(gemm->m, gemm->n), gemm->k) > G_MAXINT)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its matrices are too large");
    return TRUE;
}

static gboolean gemm_plan(AeStep *step, GError **error)
{
    Gemm *gemm = g_new0(Gemm, 1);
    AeShape shape = {.rank = 2};

    step->params = gemm;
    gemm->transpose_a = ae_node_int(step->node, "transA", 0) != 0;
    gemm->transpose_b = ae_node_int(step->node, "transB", 0) != 0;
    gemm->alpha = ae_node_float(step->node, "alpha", 1);
    gemm->beta = ae_node_float(step->node, "beta", 1);
    if (!gemm_sizes(step, gemm, error) ||
        (ae_step_has(step, 2) && !gemm_bias(step, gemm, error)))
        return FALSE;
    shape.dim[0] = gemm->m;
    shape.dim[1] = gemm->n;
    gemm->row_blocks = (gemm->m + ROWS - 1) / ROWS;
    step->units = gemm->row_blocks * ((gemm->n + COLUMNS - 1) / COLUMNS);
    step->scratch_backward = (size_t)(gemm->m * gemm->n);
    step->out[0]->integer = FALSE;
    return ae_step_set_output(step, 0, &shape, error);
}

/* y = beta c. */
static void set_bias(const AeStep *step, const Matrix *y, int64_t first_row,
                     int64_t first_column)
{
    const Gemm *gemm = step->params;

    for (int64_t i = 0; i < y->rows; i++) {
        const float *c = step->in[2]->data + (first_row + i) * gemm->bias_row +
                         first_column * gemm->bias_column;
        float *row = y->data + i * y->row;

        for (int64_t k = 0; k < y->columns; k++)
            row[k] = gemm->beta * c[k * gemm->bias_column];
    }
}

static void gemm_unit(const AeStep *step, int64_t unit)
{
    const Gemm *gemm = step->params;
    int64_t first_row = unit % gemm->row_blocks * ROWS;
    int64_t first_column = unit / gemm->row_blocks * COLUMNS;
    Matrix a = matrix_of(step->in[0], step->in[0]->data, gemm->transpose_a);
    Matrix b = matrix_of(step->in[1], step->in[1]->data, gemm->transpose_b);
    Matrix y = matrix_of(step->out[0], step->out[0]->data, FALSE);
    gboolean bias = ae_step_has(step, 2) && gemm->beta != 0;
    gboolean activates = step->activation != AE_ACTIVATION_NONE;

    y = some_columns(some_rows(y, first_row, ROWS), first_column, COLUMNS);
    if (bias)
        set_bias(step, &y, first_row, first_column);
    multiply(gemm->alpha, some_rows(a, first_row, ROWS),
             some_columns(b, first_column, COLUMNS), bias ? 1 : 0, y, NULL);
    for (int64_t i = 0; activates && i < y.rows; i++) {
        float *row = y.data + i * y.row;

        step->kernels->activate(row, row, y.columns, step->activation,
                                step->alpha);
    }
}

static void gemm_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch G_GNUC_UNUSED)
{
    for (int64_t unit = begin; unit < end; unit++)
        gemm_unit(step, unit);
}

static void add_bias_gradient(const AeStep *step, const Matrix *dy)
{
    const Gemm *gemm = step->params;
    float *dc = step->in[2]->grad;

    ae_step_clear_gradient(step, 2);
    for (int64_t i = 0; i < dy->rows; i++) {
        const float *row = dy->data + i * dy->row;
        float *target = dc + i * gemm->bias_row;

        for (int64_t k = 0; k < dy->columns; k++)
            target[k * gemm->bias_column] += gemm->beta * row[k];
    }
}

/* The gradient before the activation; computed into @scratch if there is an
 * activation. */
static float *activation_gradient(const AeStep *step, float *scratch)
{
    const AeOperand *y = step->out[0];

    if (step->activation == AE_ACTIVATION_NONE)
        return y->grad;
    step->kernels->activate_gradient(scratch, y->data, y->grad,
                                     ae_shape_elements(&y->shape),
                                     step->activation, step->alpha, FALSE);
    return scratch;
}

static void add_product(const AeStep *step, int input, Matrix a, Matrix b,
                        gboolean transpose)
{
    const Gemm *gemm = step->params;
    Matrix target =
        matrix_of(step->in[input], step->in[input]->grad, transpose);

    multiply(gemm->alpha, a, b, ae_step_adds(step, input) ? 1 : 0, target,
             NULL);
}

/* da = alpha dy op(b)^T, db = alpha op(a)^T dy, dc = beta (sums of) dy. */
static void gemm_backward(const AeStep *step, float *scratch)
{
    const Gemm *gemm = step->params;
    Matrix a = matrix_of(step->in[0], step->in[0]->data, gemm->transpose_a);
    Matrix b = matrix_of(step->in[1], step->in[1]->data, gemm->transpose_b);
    Matrix dy = compact(activation_gradient(step, scratch), gemm->m, gemm->n);

    if (ae_step_wants(step, 0))
        add_product(step, 0, dy, transposed(b), gemm->transpose_a);
    if (ae_step_wants(step, 1))
        add_product(step, 1, transposed(a), dy, gemm->transpose_b);
    if (ae_step_wants(step, 2))
        add_bias_gradient(step, &dy);
}

static int64_t gemm_multiply_adds(const AeStep *step)
{
    const Gemm *gemm = step->params;

    return gemm->m * gemm->n * gemm->k;
}

/* MatMul: a matrix for each position of the batch. Strides of the batch are 0
 * where an operand repeats. */
typedef struct {
    Matrix a, b, y; /* of the first position, without data */
    AeBox batch_a, batch_b, batch_y;
    int64_t batches, row_blocks;
} MatMul;

/* The matrix of the last two axes. A vector is a row on the left and a column
 * on the right. */
static Matrix last_axes(const AeOperand *x, gboolean left)
{
    int rank = x->shape.rank;

    if (rank == 1 && left)
        return (Matrix){NULL, 1, x->shape.dim[0], 0, x->stride[0]};
    if (rank == 1)
        return (Matrix){NULL, x->shape.dim[0], 1, x->stride[0], 0};
    return (Matrix){NULL, x->shape.dim[rank - 2], x->shape.dim[rank - 1],
                    x->stride[rank - 2], x->stride[rank - 1]};
}

/* The dimension and stride of batch axis @i of @rank of an operand. */
static int64_t batch_axis(const AeOperand *x, int rank, int i, int64_t *stride)
{
    int axis = i - rank + x->shape.rank - 2;

    *stride = 0;
    if (axis < 0)
        return 1;
    if (x->shape.dim[axis] != 1)
        *stride = x->stride[axis];
    return x->shape.dim[axis];
}

static gboolean matmul_shape(const AeStep *step, const MatMul *matmul,
                             AeShape *shape, GError **error)
{
    const AeOperand *a = step->in[0], *b = step->in[1];
    int batch_rank = MAX(MAX(a->shape.rank, b->shape.rank) - 2, 0);
    gboolean fits = matmul->a.columns == matmul->b.rows;

    *shape = (AeShape){.rank = batch_rank};
    for (int i = 0; i < batch_rank; i++) {
        int64_t stride, left = batch_axis(a, batch_rank, i, &stride);
        int64_t right = batch_axis(b, batch_rank, i, &stride);

        fits &= left == right || left == 1 || right == 1;
        shape->dim[i] = left == 1 ? right : left;
    }
    if (a->shape.rank > 1)
        shape->dim[shape->rank++] = matmul->a.rows;
    if (b->shape.rank > 1)
        shape->dim[shape->rank++] = matmul->b.columns;
    if (!fits) {
        g_autofree char *left = ae_shape_to_string(&a->shape);
        g_autofree char *right = ae_shape_to_string(&b->shape);

        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "%s and %s cannot be multiplied", left, right);
    }
    return TRUE;
}

static void matmul_batches(const AeStep *step, MatMul *matmul)
{
    const AeOperand *a = step->in[0], *b = step->in[1], *y = step->out[0];
    int rank = MAX(MAX(a->shape.rank, b->shape.rank) - 2, 0);

    for (int i = 0; i < rank; i++) {
        int64_t size = y->shape.dim[i], stride;

        batch_axis(a, rank, i, &stride);
        ae_box_append(&matmul->batch_a, size, stride);
        batch_axis(b, rank, i, &stride);
        ae_box_append(&matmul->batch_b, size, stride);
        ae_box_append(&matmul->batch_y, size, y->stride[i]);
    }
    matmul->batches = ae_box_count(&matmul->batch_y);
}

static gboolean matmul_plan(AeStep *step, GError **error)
{
    MatMul *matmul = g_new0(MatMul, 1);
    const AeOperand *a = step->in[0], *b = step->in[1], *y = step->out[0];
    int last;
    AeShape shape;

    step->params = matmul;
    if (a->shape.rank < 1 || b->shape.rank < 1)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "expected vectors or matrices, found a scalar");
    matmul->a = last_axes(a, TRUE);
    matmul->b = last_axes(b, FALSE);
    if (!matmul_shape(step, matmul, &shape, error) ||
        !ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    if (MAX(MAX(matmul->a.rows, matmul->a.columns), matmul->b.columns) >
        G_MAXINT)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "its matrices are too large");
    matmul_batches(step, matmul);
    last = shape.rank - 1;
    matmul->y = compact(NULL, matmul->a.rows, matmul->b.columns);
    matmul->y.column = b->shape.rank > 1 ? y->stride[last] : 0;
    if (b->shape.rank > 1)
        last--;
    matmul->y.row = a->shape.rank > 1 ? y->stride[last] : 0;
    matmul->row_blocks = (matmul->a.rows + ROWS - 1) / ROWS;
    step->units = matmul->batches * matmul->row_blocks;
    step->scratch = (size_t)(matmul->a.rows * matmul->a.columns +
                             matmul->b.rows * matmul->b.columns +
                             matmul->y.rows * matmul->y.columns);
    step->scratch_backward = step->scratch;
    return TRUE;
}

/* Matrix @m at position @batch of @data. */
static Matrix batch_matrix(Matrix m, const AeBox *box, int64_t batch,
                           float *data)
{
    m.data = data + ae_box_offset(box, batch);
    return m;
}

static void matmul_forward(const AeStep *step, int64_t begin, int64_t end,
                           float *scratch)
{
    const MatMul *matmul = step->params;

    for (int64_t unit = begin; unit < end; unit++) {
        int64_t batch = unit / matmul->row_blocks;
        int64_t row = unit % matmul->row_blocks * ROWS;
        Matrix a =
            batch_matrix(matmul->a, &matmul->batch_a, batch, step->in[0]->data);
        Matrix b =
            batch_matrix(matmul->b, &matmul->batch_b, batch, step->in[1]->data);
        Matrix y = batch_matrix(matmul->y, &matmul->batch_y, batch,
                                step->out[0]->data);

        multiply(1, some_rows(a, row, ROWS), b, 0, some_rows(y, row, ROWS),
                 scratch);
    }
}

/* da += dy b^T, db += a^T dy. */
static void matmul_backward(const AeStep *step, float *scratch)
{
    const MatMul *matmul = step->params;
    const AeOperand *a = step->in[0], *b = step->in[1];

    for (int i = 0; i < 2; i++) {
        if (ae_step_wants(step, i))
            ae_step_clear_gradient(step, i);
    }
    for (int64_t i = 0; i < matmul->batches; i++) {
        Matrix dy =
            batch_matrix(matmul->y, &matmul->batch_y, i, step->out[0]->grad);
        Matrix left = batch_matrix(matmul->a, &matmul->batch_a, i, a->data);
        Matrix right = batch_matrix(matmul->b, &matmul->batch_b, i, b->data);

        if (a->grad)
            multiply(1, dy, transposed(right), 1,
                     batch_matrix(matmul->a, &matmul->batch_a, i, a->grad),
                     scratch);
        if (b->grad)
            multiply(1, transposed(left), dy, 1,
                     batch_matrix(matmul->b, &matmul->batch_b, i, b->grad),
                     scratch);
    }
}

static int64_t matmul_multiply_adds(const AeStep *step)
{
    const MatMul *matmul = step->params;

    return matmul->batches * matmul->a.rows * matmul->a.columns *
           matmul->b.columns;
}

const AeOperator ae_ops_dense[] = {
    {
        .name = "Gemm",
        .min_in = 2,
        .max_in = 3,
        .max_out = 1,
        .fuses = TRUE,
        .plan = gemm_plan,
        .forward = gemm_forward,
        .backward = gemm_backward,
        .multiply_adds = gemm_multiply_adds,
    },
    {
        .name = "MatMul",
        .min_in = 2,
        .max_in = 2,
        .max_out = 1,
        .plan = matmul_plan,
        .forward = matmul_forward,
        .backward = matmul_backward,
        .multiply_adds = matmul_multiply_adds,
    },
    {NULL},
};
