/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* Lies before each block, which begins at a multiple of its alignment. */
typedef struct {
    void *start; /* from calloc() */
    size_t size;
} Header;

/* Room that the alignment of calloc() leaves at least. */
G_STATIC_ASSERT(sizeof(Header) <= _Alignof(max_align_t));

static size_t in_use;    /* atomic: bytes of all blocks */
static int calls, fails; /* atomic: since ae_alloc_fail(), and its number */

int ae_alloc_fail(int n)
{
    __atomic_store_n(&fails, n, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&calls, 0, __ATOMIC_RELAXED);
}

static gboolean shall_fail(void)
{
    return __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) ==
           __atomic_load_n(&fails, __ATOMIC_RELAXED);
}

/* Takes @size bytes of those that the machine has. A hostile size must not wake
 * the OOM killer. */
static gboolean reserve(size_t size)
{
    size_t most =
        (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);

    if (size <= most &&
        __atomic_add_fetch(&in_use, size, __ATOMIC_RELAXED) <= most)
        return TRUE;
    if (size <= most)
        __atomic_sub_fetch(&in_use, size, __ATOMIC_RELAXED);
    return FALSE;
}

/* Large blocks are fresh pages, which the kernel clears when the threads of a
 * plan first touch them; huge pages make that quick. */
static void *new_block(size_t size)
{
    size_t align = size < HUGE_PAGE ? AE_ALIGN : HUGE_PAGE;
    char *start = calloc(1, size + align);
    void *block;

    if (start == NULL)
        return NULL;
    block = start + align - (uintptr_t)start % align;
    ((Header *)block)[-1] = (Header){start, size};
    if (align == HUGE_PAGE)
        madvise(block, size, MADV_HUGEPAGE);
    return block;
}

void *ae_alloc(size_t n, size_t size, GError **error)
{
    size_t bytes = 0;
    gboolean fits =
        !__builtin_mul_overflow(n, size, &bytes) && bytes < SIZE_MAX / 2;
    void *block = NULL;

    if (!shall_fail() && fits && reserve(bytes)) {
        block = new_block(bytes);
        if (block == NULL)
            __atomic_sub_fetch(&in_use, bytes, __ATOMIC_RELAXED);
    }
    if (block == NULL && fits)
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is no memory for %zu bytes", bytes);
    else if (block == NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "there is no memory for %zu times %zu bytes", n, size);
    return block;
}

float *ae_alloc_floats(size_t n)
{
    return ae_alloc(n, sizeof(float), NULL);
}

void ae_free(void *memory)
{
    if (memory == NULL)
        return;

    Header header = ((Header *)memory)[-1];

    __atomic_sub_fetch(&in_use, header.size, __ATOMIC_RELAXED);
    free(header.start);
}

GBytes *ae_bytes(void *memory, gsize size)
{
    return g_bytes_new_with_free_func(memory, size, ae_free, memory);
}
