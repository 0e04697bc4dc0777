/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gemm.h"

#include <cblas.h>

static gpointer one_thread(gpointer unused)
{
    openblas_set_num_threads(1);
    return NULL;
}

static void scale(int m, int n, float beta, float *c, int ldc)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
}

void ae_gemm(gboolean transpose_a, gboolean transpose_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, one_thread, NULL);
    if (m <= 0 || n <= 0)
        return;
    if (k <= 0) {
        scale(m, n, beta, c, ldc);
        return;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda,
                b, ldb, beta, c, ldc);
}
