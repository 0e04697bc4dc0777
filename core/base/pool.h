/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of worker threads that runs parallel loops. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct AePool AePool;

/* The body of a loop, called once for each index 0 .. n - 1, from several
 * threads at once. @thread is the number of the calling thread, 0 .. threads -
 * 1: two calls at the same time never have the same number. */
typedef void (*AePoolTask)(void *data, int64_t index, int thread);

/* @threads: threads in all, with the caller of ae_pool_run(), so 1 starts none;
 * 0: one for each of ae_processors(). The pool has fewer where the system
 * limits the threads of a user or of a container; a message in GLib's log
 * tells. */
AePool *ae_pool_new(int threads);
void ae_pool_free(AePool *pool);
int ae_pool_threads(const AePool *pool);

/* Calls @task for 0 .. n - 1, begun in this order, and returns when all calls
 * have returned. One thread at a time may call it for a pool. */
void ae_pool_run(AePool *pool, AePoolTask task, void *data, int64_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AePool, ae_pool_free)

G_END_DECLS
