/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernels this processor can run, and which of them are used. */
#include "kernels/kernels.h"

#include <string.h>

extern const AeKernels ae_kernels_c;
#if defined(__x86_64__)
extern const AeKernels ae_kernels_sse2, ae_kernels_avx2, ae_kernels_avx512;

extern const AeInt8Kernels ae_int8_avx512vnni;

/* The set avx512 with other kernels for bytes. */
static const AeKernels *avx512vnni(void)
{
    static AeKernels kernels;
    static gsize made;

    if (g_once_init_enter(&made)) {
        kernels = ae_kernels_avx512;
        kernels.name = ae_int8_avx512vnni.name;
        kernels.int8 = &ae_int8_avx512vnni;
        g_once_init_leave(&made, 1);
    }
    return &kernels;
}

static const AeKernels *set(int i)
{
    static const AeKernels *const sets[] = {
        &ae_kernels_c, &ae_kernels_sse2, &ae_kernels_avx2, &ae_kernels_avx512};

    return i < (int)G_N_ELEMENTS(sets) ? sets[i] : avx512vnni();
}

/* How many sets this processor (and the system: it must save the wide
 * registers) can run. */
static int usable(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 2;
    if (!__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return 3;
    return __builtin_cpu_supports("avx512vnni") ? 5 : 4;
}
#else
static const AeKernels *set(int i G_GNUC_UNUSED)
{
    return &ae_kernels_c;
}

static int usable(void)
{
    return 1;
}
#endif

static gpointer choose(gpointer unused G_GNUC_UNUSED)
{
    const char *wanted = g_getenv("AE_KERNELS");
    const int n = usable();

    for (int i = 0; i < n; i++)
        if (wanted && strcmp(set(i)->name, wanted) == 0)
            return (gpointer)set(i);
    return (gpointer)set(n - 1);
}

const AeKernels *ae_kernels_nth(int i)
{
    return i >= 0 && i < usable() ? set(i) : NULL;
}

const AeKernels *ae_kernels_get(void)
{
    static GOnce once = G_ONCE_INIT;

    return g_once(&once, choose, NULL);
}
