#include "ThreadPool.h"

#include "CacheLine.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define fettle_pause() __builtin_ia32_pause()
#else
#define fettle_pause() __asm__ volatile("yield")
#endif

// About 20 us of spinning before a worker gives its core back: regions of one token follow each other faster.
enum { SPINS_BEFORE_SLEEP = 4000, SPINS_BEFORE_YIELD = 2000 };

struct fettle_pool {
    _Alignas(128) _Atomic uint32_t generation;  // counts regions; workers wait for it to move
    _Alignas(128) _Atomic uint32_t finished;
    _Alignas(128) _Atomic uint32_t sleepers;
    _Alignas(128) _Atomic uint32_t barrier_arrived;
    _Alignas(128) _Atomic uint32_t barrier_generation;
    _Alignas(128) fettle_region body;
    void *context;
    int threads;
    int stopping;
    pthread_t *workers;
};

typedef struct {
    fettle_pool *pool;
    int thread;
} worker_start;

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *work(void *argument) {
    worker_start start = *(worker_start *)argument;
    free(argument);
    fettle_pool *pool = start.pool;
    uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        uint32_t now;
        while ((now = atomic_load_explicit(&pool->generation, memory_order_acquire)) == seen) {
            if (++spins < SPINS_BEFORE_SLEEP) {
                fettle_pause();
                continue;
            }
            atomic_fetch_add(&pool->sleepers, 1);
            if (atomic_load(&pool->generation) == seen) sleep_while(&pool->generation, seen);
            atomic_fetch_sub(&pool->sleepers, 1);
            spins = 0;
        }
        seen = now;
        if (pool->stopping) return NULL;
        pool->body(pool->context, start.thread, pool->threads);
        atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
    }
}

static void start_region(fettle_pool *pool) {
    atomic_fetch_add(&pool->generation, 1);
    if (atomic_load(&pool->sleepers)) wake_all(&pool->generation);
}

fettle_pool *fettle_pool_create(int threads) {
    if (threads < 1) return NULL;
    fettle_pool *pool = aligned_alloc(128, sizeof(fettle_pool));
    if (!pool) return NULL;
    *pool = (fettle_pool){.threads = 1};
    pool->workers = calloc((size_t)threads, sizeof(pthread_t));
    if (!pool->workers) {
        free(pool);
        return NULL;
    }
    for (int thread = 1; thread < threads; thread++) {
        worker_start *start = malloc(sizeof(worker_start));
        if (start) *start = (worker_start){pool, thread};
        if (!start || pthread_create(&pool->workers[thread], NULL, work, start) != 0) {
            free(start);
            fettle_pool_destroy(pool);
            return NULL;
        }
        pool->threads = thread + 1;
    }
    return pool;
}

void fettle_pool_destroy(fettle_pool *pool) {
    if (!pool) return;
    pool->stopping = 1;
    start_region(pool);
    for (int thread = 1; thread < pool->threads; thread++) pthread_join(pool->workers[thread], NULL);
    free(pool->workers);
    free(pool);
}

void fettle_pool_run(fettle_pool *pool, fettle_region body, void *context) {
    if (pool->threads == 1) {
        body(context, 0, 1);
        return;
    }
    pool->body = body;
    pool->context = context;
    atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
    start_region(pool);
    body(context, 0, pool->threads);
    int spins = 0;
    while (atomic_load_explicit(&pool->finished, memory_order_acquire) != (uint32_t)(pool->threads - 1)) {
        fettle_pause();
        if (++spins > SPINS_BEFORE_YIELD) {
            sched_yield();
            spins = 0;
        }
    }
}

void fettle_pool_barrier(fettle_pool *pool) { fettle_pool_barrier_loading(pool, NULL, 0); }

void fettle_pool_barrier_loading(fettle_pool *pool, const uint8_t *bytes, size_t count) {
    if (pool->threads == 1) return;
    uint32_t generation = atomic_load_explicit(&pool->barrier_generation, memory_order_relaxed);
    uint32_t arrived = atomic_fetch_add_explicit(&pool->barrier_arrived, 1, memory_order_acq_rel) + 1;
    if (arrived == (uint32_t)pool->threads) {
        atomic_store_explicit(&pool->barrier_arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&pool->barrier_generation, generation + 1, memory_order_release);
        return;
    }
    int spins = 0;
    size_t at = 0;
    while (atomic_load_explicit(&pool->barrier_generation, memory_order_acquire) == generation) {
        if (count - at >= LINE) {
            load_line(bytes + at);
            at += LINE;
            continue;
        }
        fettle_pause();
        if (++spins > SPINS_BEFORE_YIELD) {
            sched_yield();
            spins = 0;
        }
    }
}
