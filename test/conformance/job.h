/* What llmir-conformance gives step_runner, and what that gives back: two files of little-endian
 * numbers. A job is the struct, then int64 weight_offsets[weight_rows * weight_slots] (-1: no
 * weight), the packed weights from `weights_at` on, and at `steps_at` one step after the other:
 * struct conformance_step and the int32 arrays of llmir_batch in their order there.
 *
 * The result holds, for each number of workers, for each step: float logits[R][vocabulary]; and
 * behind all of it, if there are repeats, for each step a double: the median time in nanoseconds
 * with the last number of workers. */
#ifndef LLMIR_CONFORMANCE_JOB_H
#define LLMIR_CONFORMANCE_JOB_H

#include <stdint.h>

#define CONFORMANCE_WORKER_COUNTS 3

struct conformance_job {
  int64_t vocabulary, layers, k_block_bytes, v_block_bytes, blocks;
  int64_t arena_bytes_per_token;
  int64_t weight_rows, weight_slots, weight_bytes, weights_at;
  int64_t steps, steps_at;
  int64_t workers[CONFORMANCE_WORKER_COUNTS]; /* 0: none */
  int64_t repeats;                            /* 0: nothing is timed */
};

struct conformance_step {
  int32_t num_tokens, num_sequences, num_logit_rows, block_table_stride;
};

#endif
