/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All memory whose size follows from input: from a file, the size of pictures,
 * a setting. A size that the machine does not have is an error here, where
 * g_malloc() ends the process. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AE_ALIGN 64 /* alignment of the memory, in bytes */

/* Zeros for @n items of @size bytes. NULL with AE_ERROR_MEMORY if together with
 * what is in use already they exceed the memory of the machine, or the system
 * has none. Free with ae_free(), never with g_free(). */
void *ae_alloc(size_t n, size_t size, GError **error);

/* @n floats of zeros; NULL if there is no memory. */
float *ae_alloc_floats(size_t n);

void ae_free(void *memory);

/* Declares a pointer whose memory is freed at the end of its block. */
#define ae_autofree __attribute__((cleanup(ae_free_at)))
static inline void ae_free_at(void *pointer)
{
    ae_free(*(void **)pointer);
}

/* Bytes that own @memory of ae_alloc(). */
GBytes *ae_bytes(void *memory, gsize size);

/* For tests: the @n-th call of ae_alloc() from now on fails; 0: none does.
 * Returns the number of calls since the last time. */
int ae_alloc_fail(int n);

G_END_DECLS
