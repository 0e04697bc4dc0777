/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix products and eigenvectors by OpenBLAS. OpenBLAS runs in one thread,
 * because the callers split the work themselves (pool.h). No other file uses
 * cblas or LAPACK. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* C = alpha * op(A) op(B) + beta * C for row-major matrices, where op(A) is m x
 * k, op(B) is k x n, and op transposes its matrix if asked for. @lda, @ldb,
 * @ldc: floats from one row in memory to the next. With beta 0 the old content
 * of C is never read. */
void ae_gemm(gboolean transpose_a, gboolean transpose_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc);

/* Eigenvalues, in ascending order, and eigenvectors of the symmetric n x n
 * matrix @a. The orthonormal eigenvectors replace the matrix, one in each row,
 * in the order of @values. AE_ERROR_VALUE: LAPACK's iteration did not converge;
 * AE_ERROR_MEMORY. */
gboolean ae_eigenvectors(double *a, int n, double *values, GError **error);

G_END_DECLS
