/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix products and eigenvectors, through OpenBLAS with one thread: our own
 * pool splits the work. The only file that sees cblas and LAPACK. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* C = alpha * op(A) op(B) + beta * C, row-major; op(A) is m x k, op(B) k x n.
 * Leading dimensions in floats; with beta 0 the old C is never read. */
void ae_gemm(gboolean transpose_a, gboolean transpose_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc);

/* Of the symmetric n x n matrix @a, which becomes its orthonormal eigenvectors,
 * one a row, in the order of their eigenvalues, which ascend. Errors:
 * AE_ERROR_VALUE (LAPACK's iteration did not converge). */
gboolean ae_eigenvectors(double *a, int n, double *values, GError **error);

G_END_DECLS
