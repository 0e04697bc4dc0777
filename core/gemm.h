/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix products, through BLAS with one thread: our own pool splits the work.
 * The only file that sees cblas. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* C = alpha * op(A) op(B) + beta * C, row-major; op(A) is m x k, op(B) k x n.
 * Leading dimensions in floats; with beta 0 the old C is never read. */
void ae_gemm(gboolean transpose_a, gboolean transpose_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc);

G_END_DECLS
