/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/gemm.h"

#include <cblas.h>

#include "base/error.h"
#include "base/memory.h"

/* A function of LAPACK; Debian's OpenBLAS has no header for it. The last two
 * arguments are the lengths of the strings, as Fortran passes them. */
extern void dsyevd_(const char *vectors, const char *triangle, const int *n,
                    double *a, const int *lda, double *values, double *work,
                    const int *work_size, int *iwork, const int *iwork_size,
                    int *info, size_t vectors_length, size_t triangle_length);

/* An OpenBLAS built without threads (Debian's libopenblas0-serial) keeps one
 * buffer for all callers: two calls at once give wrong numbers. */
static GMutex lock;
static gboolean one_at_a_time;

static gpointer prepare(gpointer unused G_GNUC_UNUSED)
{
    openblas_set_num_threads(1);
    one_at_a_time = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
    return NULL;
}

static void begin_call(void)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, prepare, NULL);
    if (one_at_a_time)
        g_mutex_lock(&lock);
}

static void end_call(void)
{
    if (one_at_a_time)
        g_mutex_unlock(&lock);
}

static void scale(int m, int n, float beta, float *c, int ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
}

/* The product of a single row. sgemm() would first copy all of b. */
static void multiply_row(int a_step, gboolean transpose_b, int n, int k,
                         float alpha, const float *a, const float *b, int ldb,
                         float beta, float *c)
{
    if (beta != 1)
        scale(1, n, beta, c, n);
    begin_call();
    cblas_sgemv(CblasRowMajor, transpose_b ? CblasNoTrans : CblasTrans,
                transpose_b ? n : k, transpose_b ? k : n, alpha, b, ldb, a,
                a_step, 1, c, 1);
    end_call();
}

void ae_gemm(gboolean transpose_a, gboolean transpose_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc)
{
    if (m <= 0 || n <= 0)
        return;
    if (k <= 0) {
        scale(m, n, beta, c, ldc);
        return;
    }
    if (m == 1) {
        multiply_row(transpose_a ? lda : 1, transpose_b, n, k, alpha, a, b, ldb,
                     beta, c);
        return;
    }
    begin_call();
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda,
                b, ldb, beta, c, ldc);
    end_call();
}

/* LAPACK's matrices are column-major: its columns are our rows. The matrix is
 * symmetric, so either triangle holds its numbers. */
gboolean ae_eigenvectors(double *a, int n, double *values, GError **error)
{
    const int whole = -1;
    int info, integers, size;
    double best;

    begin_call();
    dsyevd_("V", "U", &n, a, &n, values, &best, &whole, &integers, &whole,
            &info, 1, 1);
    end_call();
    size = (int)best;

    ae_autofree double *work = ae_alloc((size_t)size, sizeof *work, error);
    ae_autofree int *iwork =
        work != NULL ? ae_alloc((size_t)integers, sizeof *iwork, error) : NULL;

    if (iwork == NULL)
        return FALSE;
    begin_call();
    dsyevd_("V", "U", &n, a, &n, values, work, &size, iwork, &integers, &info,
            1, 1);
    end_call();
    if (info != 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the eigenvectors of a %d x %d matrix were not found", n,
                    n);
    return info == 0;
}
