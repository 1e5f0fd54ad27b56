// A fixed set of threads that run one region at a time. Workers spin briefly between regions, then sleep on a futex.
#ifndef FETTLE_THREAD_POOL_H
#define FETTLE_THREAD_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct fettle_pool fettle_pool;

/// The body of a region: called once on each thread, with its index and the number of threads.
typedef void (*fettle_region)(void *context, int thread, int threads);

/// A pool of `threads` threads, the caller's included. NULL where memory or threads cannot be had.
fettle_pool *fettle_pool_create(int threads);

/// Stops and joins the workers. No region may be running.
void fettle_pool_destroy(fettle_pool *pool);

/// Runs `body` on every thread and returns when all have finished. One caller at a time.
void fettle_pool_run(fettle_pool *pool, fettle_region body, void *context);

/// Waits until every thread of the running region has arrived here.
void fettle_pool_barrier(fettle_pool *pool);

/// The same. While it waits, this thread loads the `count` bytes that it will read next, line after line, into its caches.
void fettle_pool_barrier_loading(fettle_pool *pool, const uint8_t *bytes, size_t count);

#endif
