/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pool.h"

#include "base/processors.h"

/* How long a thread looks for work before it sleeps. Waking it takes as long as
 * a small step of a network, and the next step soon follows. Where the process
 * has more threads than processors, others need the processor meanwhile. */
#define PATIENCE 100 /* us */

static int all_threads; /* atomic: of all pools of the process */

struct AePool {
    int threads;
    int processors;
    GThread **workers; /* threads - 1 */
    GMutex lock;
    GCond start, done;
    uint64_t round; /* atomic: number of calls of ae_pool_run() */
    int busy;       /* atomic: workers still in this round */
    int sleeping;   /* workers that wait for start */
    gboolean quit;

    AePoolTask task;
    void *data;
    int64_t n;
    int64_t next; /* atomic: the next index to take */
};

typedef struct {
    AePool *pool;
    int thread;
} Worker;

static void work(AePool *pool, int thread)
{
    int64_t i;

    while ((i = __atomic_fetch_add(&pool->next, 1, __ATOMIC_RELAXED)) < pool->n)
        pool->task(pool->data, i, thread);
}

/* When a thread that begins to look for work goes to sleep. */
static gint64 end_of_patience(const AePool *pool)
{
    int threads = __atomic_load_n(&all_threads, __ATOMIC_RELAXED);

    return threads <= pool->processors ? g_get_monotonic_time() + PATIENCE : 0;
}

/* Waits for a round after @seen, for a limited time. */
static void await_round(AePool *pool, uint64_t seen)
{
    const gint64 end = end_of_patience(pool);

    while (__atomic_load_n(&pool->round, __ATOMIC_RELAXED) == seen &&
           g_get_monotonic_time() < end)
        g_thread_yield();
}

/* Waits until all workers are done, for a limited time. */
static void await_workers(AePool *pool)
{
    const gint64 end = end_of_patience(pool);

    while (__atomic_load_n(&pool->busy, __ATOMIC_RELAXED) > 0 &&
           g_get_monotonic_time() < end)
        g_thread_yield();
}

static void *worker_main(void *data)
{
    g_autofree Worker *worker = data;
    AePool *pool = worker->pool;
    uint64_t seen = 0;

    g_mutex_lock(&pool->lock);
    for (;;) {
        pool->sleeping++;
        while (!pool->quit && pool->round == seen)
            g_cond_wait(&pool->start, &pool->lock);
        pool->sleeping--;
        if (pool->quit)
            break;
        seen = pool->round;
        g_mutex_unlock(&pool->lock);
        work(pool, worker->thread);
        g_mutex_lock(&pool->lock);
        if (__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_RELAXED) == 0)
            g_cond_signal(&pool->done);
        g_mutex_unlock(&pool->lock);
        await_round(pool, seen);
        g_mutex_lock(&pool->lock);
    }
    g_mutex_unlock(&pool->lock);
    return NULL;
}

/* Starts one more worker, if the system lets us. */
static gboolean start_worker(AePool *pool, GError **error)
{
    Worker *worker = g_new(Worker, 1);
    GThread **thread = &pool->workers[pool->threads - 1];

    *worker = (Worker){pool, pool->threads};
    *thread = g_thread_try_new("ae-pool", worker_main, worker, error);
    if (*thread == NULL) {
        g_free(worker);
        return FALSE;
    }
    pool->threads++;
    return TRUE;
}

AePool *ae_pool_new(int threads)
{
    AePool *pool = g_new0(AePool, 1);
    g_autoptr(GError) error = NULL;

    pool->processors = ae_processors();
    if (threads == 0)
        threads = pool->processors;
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->start);
    g_cond_init(&pool->done);
    pool->workers = g_new0(GThread *, threads);
    pool->threads = 1;
    while (pool->threads < threads && start_worker(pool, &error))
        ;
    if (error != NULL)
        g_message("%d of %d threads compute: %s", pool->threads, threads,
                  error->message);
    __atomic_fetch_add(&all_threads, pool->threads, __ATOMIC_RELAXED);
    return pool;
}

void ae_pool_free(AePool *pool)
{
    if (pool == NULL)
        return;
    __atomic_fetch_sub(&all_threads, pool->threads, __ATOMIC_RELAXED);
    g_mutex_lock(&pool->lock);
    pool->quit = TRUE;
    g_cond_broadcast(&pool->start);
    g_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++)
        g_thread_join(pool->workers[i - 1]);
    g_free(pool->workers);
    g_mutex_clear(&pool->lock);
    g_cond_clear(&pool->start);
    g_cond_clear(&pool->done);
    g_free(pool);
}

int ae_pool_threads(const AePool *pool)
{
    return pool->threads;
}

void ae_pool_run(AePool *pool, AePoolTask task, void *data, int64_t n)
{
    if (pool->threads == 1 || n <= 1) {
        for (int64_t i = 0; i < n; i++)
            task(data, i, 0);
        return;
    }
    g_mutex_lock(&pool->lock);
    pool->task = task;
    pool->data = data;
    pool->n = n;
    pool->next = 0;
    __atomic_store_n(&pool->busy, pool->threads - 1, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->round, pool->round + 1, __ATOMIC_RELAXED);
    if (pool->sleeping > 0)
        g_cond_broadcast(&pool->start);
    g_mutex_unlock(&pool->lock);

    work(pool, 0);
    await_workers(pool);

    g_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        g_cond_wait(&pool->done, &pool->lock);
    g_mutex_unlock(&pool->lock);
}
