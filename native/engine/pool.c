/* Threads made at the first call that wants them, and again after a fork. Between calls they stay awake for a moment,
 * since waking up takes tens of microseconds, and then sleep. */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "engine.h"

typedef struct {
    bw_pool *pool;
    int number;
} worker_start;

struct bw_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pid_t owner; /* the process the threads live in */
    int n_workers, n_alive;
    pthread_t *threads;
    worker_start *starts;
    _Atomic uint64_t call; /* number of the current call */
    _Atomic int running;
    int wanted;
    _Atomic bool stop;
    void (*work)(void *context, int worker);
    void *context;
};

enum { AWAKE_NANOSECONDS = 1000000 };

static int64_t nanoseconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void breathe(void) {
#if defined(__x86_64__)
    for (int i = 0; i < 32; i++) __builtin_ia32_pause();
#endif
}

/* Returns soon after the condition holds, or after a moment without it. */
#define WAIT_AWAKE(condition) \
    for (int64_t until = nanoseconds_now() + AWAKE_NANOSECONDS; !(condition) && nanoseconds_now() < until;) breathe()

static void *worker_main(void *argument) {
    bw_pool *pool = ((worker_start *)argument)->pool;
    int number = ((worker_start *)argument)->number;
    uint64_t seen = 0;
    for (;;) {
        WAIT_AWAKE(pool->stop || pool->call != seen);
        pthread_mutex_lock(&pool->lock);
        while (!pool->stop && pool->call == seen) pthread_cond_wait(&pool->wake, &pool->lock);
        bool stop = pool->stop, mine = number < pool->wanted;
        seen = pool->call;
        pthread_mutex_unlock(&pool->lock);
        if (stop) return NULL;
        if (!mine) continue;
        pool->work(pool->context, number);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

bw_pool *bw_pool_create(int workers) {
    bw_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->threads = calloc((size_t)workers, sizeof *pool->threads);
    pool->starts = calloc((size_t)workers, sizeof *pool->starts);
    pool->n_workers = workers;
    if (pool->threads && pool->starts) return pool;
    bw_pool_free(pool);
    return NULL;
}

/* After a fork only the calling thread lives on: locks and threads of the parent are forgotten. */
static void make_threads(bw_pool *pool) {
    pool->owner = getpid();
    pool->n_alive = 1;
    pool->call = 0;
    pool->running = 0;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < pool->n_workers; i++) {
        pool->starts[i] = (worker_start){pool, i};
        if (pthread_create(&pool->threads[i], NULL, worker_main, &pool->starts[i])) break;
        pool->n_alive++;
    }
}

bool bw_pool_run(bw_pool *pool, int workers, void (*work)(void *context, int worker), void *context) {
    if (pool->owner != getpid()) make_threads(pool);
    if (workers > pool->n_alive) workers = pool->n_alive;
    if (workers < 2) return false;
    pthread_mutex_lock(&pool->lock);
    pool->work = work;
    pool->context = context;
    pool->wanted = workers;
    pool->running = workers - 1;
    pool->call++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    work(context, 0);
    WAIT_AWAKE(!pool->running);
    pthread_mutex_lock(&pool->lock);
    while (pool->running) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return true;
}

void bw_pool_free(bw_pool *pool) {
    if (!pool) return;
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->lock);
        pool->stop = true;
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        for (int i = 1; i < pool->n_alive; i++) pthread_join(pool->threads[i], NULL);
        pthread_mutex_destroy(&pool->lock);
        pthread_cond_destroy(&pool->wake);
        pthread_cond_destroy(&pool->done);
    }
    free(pool->threads);
    free(pool->starts);
    free(pool);
}
