/* Runs the steps of a job on a compiled model: step_runner CODE.so JOB RESULT. A program of its
 * own, in plain C, so that it is compiled for other processors as well, and a crash in compiled
 * code is seen as one.
 *
 * Compiled code gets the worst memory that the ABI allows: each buffer ends at a page that may not
 * be touched, and the arena and the logits are full of NaNs before every step. */
#include "job.h"
#include "llmir/abi/llmir_abi.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct conformance_job *job;
static const char *base; /* of the job */
static llmir_step_fn run_step;

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/* Zeroed memory, aligned to 64 bytes, up to 63 bytes before a page that may not be touched. */
static char *guarded(int64_t bytes) {
  const int64_t page = sysconf(_SC_PAGESIZE), used = (bytes + page - 1) / page * page;
  char *start = mmap(NULL, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || mprotect(start + used, page, PROT_NONE))
    die("memory", "cannot be had");
  return start + used - (bytes + 63) / 64 * 64;
}

static const char *map_file(const char *path) {
  struct stat info;
  const int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &info))
    die(path, "cannot be read");
  const char *bytes = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED)
    die(path, "cannot be mapped");
  return bytes;
}

struct launch {
  llmir_step_args args;
  pthread_barrier_t barrier;
  int32_t workers;
};
struct worker {
  struct launch *launch;
  int32_t number;
};

static void wait_for_all(void *sync, int32_t worker) {
  (void)worker;
  pthread_barrier_wait(sync);
}

static void *work(void *argument) {
  const struct worker *worker = argument;
  run_step(&worker->launch->args, worker->number, worker->launch->workers);
  return NULL;
}

static void launch_all(struct launch *launch) {
  pthread_t threads[64];
  struct worker workers[64];
  pthread_barrier_init(&launch->barrier, NULL, launch->workers);
  launch->args.sync = &launch->barrier;
  for (int32_t i = 0; i < launch->workers; ++i) {
    workers[i] = (struct worker){launch, i};
    if (i && pthread_create(&threads[i], NULL, work, &workers[i]))
      die("thread", "cannot be started");
  }
  work(&workers[0]);
  for (int32_t i = 1; i < launch->workers; ++i)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&launch->barrier);
}

static int ascending(const void *x, const void *y) {
  const double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

static double median_time(struct launch *launch) {
  double *times = malloc(job->repeats * sizeof(double));
  for (int64_t i = 0; i < job->repeats; ++i) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    launch_all(launch);
    clock_gettime(CLOCK_MONOTONIC, &to);
    times[i] = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
  }
  qsort(times, job->repeats, sizeof(double), ascending);
  const double median = times[job->repeats / 2];
  free(times);
  return median;
}

/* The arrays of a step; gives the place behind them. */
static const char *read_batch(const char *at, llmir_batch *batch) {
  struct conformance_step step;
  memcpy(&step, at, sizeof(step));
  const int32_t *next = (const int32_t *)(at + sizeof(step));
  batch->num_tokens = step.num_tokens;
  batch->num_sequences = step.num_sequences;
  batch->num_logit_rows = step.num_logit_rows;
  batch->block_table_stride = step.block_table_stride;
#define TAKE(field, count) batch->field = next, next += count
  TAKE(tokens, step.num_tokens);
  TAKE(positions, step.num_tokens);
  TAKE(token_sequence, step.num_tokens);
  TAKE(query_starts, step.num_sequences + 1);
  TAKE(sequence_lengths, step.num_sequences);
  TAKE(block_table, step.num_sequences * step.block_table_stride);
  TAKE(slot_mapping, step.num_tokens);
  TAKE(logit_rows, step.num_logit_rows);
#undef TAKE
  return (const char *)next;
}

/* All steps by so many workers, from an empty cache; times go to `times`, if there is one. */
static void run_all(int32_t workers, const void *const *weights, FILE *result, double *times) {
  llmir_kv_layer *kv = malloc((job->layers + 1) * sizeof(*kv));
  for (int64_t i = 0; i < job->layers; ++i)
    kv[i] = (llmir_kv_layer){guarded(job->blocks * job->k_block_bytes),
                             guarded(job->blocks * job->v_block_bytes)};
  const char *at = base + job->steps_at;
  for (int64_t i = 0; i < job->steps; ++i) {
    llmir_batch batch;
    at = read_batch(at, &batch);
    const int64_t capacity = (batch.num_tokens + 15) / 16 * 16;
    const int64_t arena_bytes = job->arena_bytes_per_token * capacity;
    const int64_t count = batch.num_logit_rows * job->vocabulary;
    char *arena = guarded(arena_bytes), *logits = guarded(count * sizeof(float));
    memset(arena, 0xff, arena_bytes);
    memset(logits, 0xff, count * sizeof(float));
    struct launch launch = {.args = {.batch = &batch,
                                     .weights = weights,
                                     .kv = kv,
                                     .arena = arena,
                                     .token_capacity = capacity,
                                     .logits = (float *)logits,
                                     .barrier = wait_for_all},
                            .workers = workers};
    launch_all(&launch);
    fwrite(logits, sizeof(float), count, result);
    if (times)
      times[i] = median_time(&launch);
  }
  free(kv);
}

int main(int argc, char **argv) {
  if (argc != 4)
    die("usage", "step_runner CODE.so JOB RESULT");
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library)
    die(argv[1], dlerror());
  const uint32_t *version = dlsym(library, LLMIR_VERSION_SYMBOL);
  run_step = (llmir_step_fn)dlsym(library, LLMIR_STEP_SYMBOL);
  if (!version || *version != LLMIR_ABI_VERSION || !run_step)
    die(argv[1], "is not of this ABI");
  base = map_file(argv[2]);
  job = (const struct conformance_job *)base;
  const int64_t *offsets = (const int64_t *)(job + 1);
  char *packed = guarded(job->weight_bytes);
  memcpy(packed, base + job->weights_at, job->weight_bytes);
  const void **weights = calloc(job->weight_rows * job->weight_slots + 1, sizeof(*weights));
  for (int64_t i = 0; i < job->weight_rows * job->weight_slots; ++i)
    weights[i] = offsets[i] < 0 ? NULL : packed + offsets[i];
  double *times = job->repeats ? calloc(job->steps, sizeof(double)) : NULL;
  FILE *result = fopen(argv[3], "wb");
  if (!result)
    die(argv[3], "cannot be written");
  int64_t last = 0;
  while (last + 1 < CONFORMANCE_WORKER_COUNTS && job->workers[last + 1])
    ++last;
  for (int64_t i = 0; i <= last; ++i)
    run_all(job->workers[i], weights, result, i == last ? times : NULL);
  if (times)
    fwrite(times, sizeof(double), job->steps, result);
  if (fclose(result))
    die(argv[3], "cannot be written");
  return 0;
}
