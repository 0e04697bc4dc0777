/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Worker threads: a parallel loop, nothing more. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct AePool AePool;

/* @task runs for every index 0 .. n - 1, once; @thread is 0 .. threads - 1 and
 * no two tasks run on the same thread at the same time. */
typedef void (*AePoolTask)(void *data, int64_t index, int thread);

/* @threads counts the caller: 1 makes no thread. 0: one a processor. */
AePool *ae_pool_new(int threads);
void ae_pool_free(AePool *pool);
int ae_pool_threads(const AePool *pool);

/* Returns when all tasks are done. One caller at a time. */
void ae_pool_run(AePool *pool, AePoolTask task, void *data, int64_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AePool, ae_pool_free)

G_END_DECLS
