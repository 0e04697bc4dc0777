/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into tests under the thread sanitizer, which knows the locks of
 * pthreads alone: tells it of GLib's, which are futexes in a library that is
 * not instrumented. Whatever is passed on through a lock, a condition, a queue
 * or a call in another thread happens before what is done with it there. */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *place) __attribute__((weak));
void __tsan_release(void *place) __attribute__((weak));

static void acquire(void *place)
{
    if (__tsan_acquire != NULL)
        __tsan_acquire(place);
}

static void release(void *place)
{
    if (__tsan_release != NULL)
        __tsan_release(place);
}

/* The function of this name in GLib or GStreamer. */
#define REAL(function)                                                         \
    static __typeof__(&function) real;                                         \
    if (real == NULL)                                                          \
    *(void **)&real = dlsym(RTLD_NEXT, #function)

#define LOCK(function, Type)                                                   \
    void function(Type *lock)                                                  \
    {                                                                          \
        REAL(function);                                                        \
        real(lock);                                                            \
        acquire(lock);                                                         \
    }
#define TRYLOCK(function, Type)                                                \
    gboolean function(Type *lock)                                              \
    {                                                                          \
        REAL(function);                                                        \
        gboolean locked = real(lock);                                          \
        if (locked)                                                            \
            acquire(lock);                                                     \
        return locked;                                                         \
    }
#define UNLOCK(function, Type)                                                 \
    void function(Type *lock)                                                  \
    {                                                                          \
        REAL(function);                                                        \
        release(lock);                                                         \
        real(lock);                                                            \
    }

LOCK(g_mutex_lock, GMutex)
TRYLOCK(g_mutex_trylock, GMutex)
UNLOCK(g_mutex_unlock, GMutex)
LOCK(g_rec_mutex_lock, GRecMutex)
TRYLOCK(g_rec_mutex_trylock, GRecMutex)
UNLOCK(g_rec_mutex_unlock, GRecMutex)

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    REAL(g_cond_wait);
    release(mutex);
    real(cond, mutex);
    acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    REAL(g_cond_wait_until);
    release(mutex);
    gboolean signalled = real(cond, mutex, end);
    acquire(mutex);
    return signalled;
}

void g_async_queue_push(GAsyncQueue *queue, gpointer data)
{
    REAL(g_async_queue_push);
    release(queue);
    real(queue, data);
}

#define POP(function, parameters, arguments)                                   \
    gpointer function parameters                                               \
    {                                                                          \
        REAL(function);                                                        \
        gpointer data = real arguments;                                        \
        acquire(queue);                                                        \
        return data;                                                           \
    }

POP(g_async_queue_pop, (GAsyncQueue * queue), (queue))
POP(g_async_queue_try_pop, (GAsyncQueue * queue), (queue))
POP(g_async_queue_timeout_pop, (GAsyncQueue * queue, guint64 timeout),
    (queue, timeout))

/* What is handed to the threads of a pool. */
static char handed;

gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
    REAL(g_thread_pool_push);
    release(&handed);
    return real(pool, data, error);
}

/* gst_element_call_async(), in the words of GLib alone. */
typedef void (*CallAsync)(void *element, void *data);

typedef struct {
    CallAsync function;
    void *data;
    GDestroyNotify destroy;
} Call;

static void call(void *element, void *data)
{
    Call *made = data;

    acquire(&handed);
    made->function(element, made->data);
}

static void call_free(void *data)
{
    Call *made = data;

    if (made->destroy != NULL)
        made->destroy(made->data);
    g_free(made);
}

void gst_element_call_async(void *element, CallAsync function, void *data,
                            GDestroyNotify destroy);

void gst_element_call_async(void *element, CallAsync function, void *data,
                            GDestroyNotify destroy)
{
    REAL(gst_element_call_async);
    Call *made = g_new(Call, 1);

    *made = (Call){function, data, destroy};
    real(element, call, made, call_free);
}
