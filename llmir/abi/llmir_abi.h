/* The contract between compiled code and the runtime: all that ties them together. Plain C,
 * versioned. A compiled model is a shared object that exports `llmir_abi_version` and `llmir_step`;
 * everything it needs to know at run time comes in through llmir_step_args, everything the runtime
 * needs to know about it stands in the manifest. */
#ifndef LLMIR_ABI_H
#define LLMIR_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LLMIR_ABI_VERSION 1u

/* The tokens of one step: ragged, the tokens of all its sequences one after the other, prefill and
 * decode mixed. The fields are those that vLLM and SGLang keep. All arrays are int32, borrowed for
 * the time of the call. T = num_tokens, S = num_sequences, R = num_logit_rows, B = tokens of a KV
 * block. */
typedef struct llmir_batch {
  int32_t num_tokens;
  int32_t num_sequences;
  int32_t num_logit_rows;
  int32_t block_table_stride;      /* entries of one row of block_table */
  const int32_t *tokens;           /* [T] token ids */
  const int32_t *positions;        /* [T] absolute position of each token in its sequence */
  const int32_t *token_sequence;   /* [T] row of the sequence that owns the token */
  const int32_t *query_starts;     /* [S + 1] first token of each sequence's part of the step */
  const int32_t *sequence_lengths; /* [S] tokens of the sequence, those of this step included */
  const int32_t *block_table;      /* [S][block_table_stride] KV block of each B positions */
  const int32_t *slot_mapping; /* [T] block * B + offset: where the token's K and V are stored */
  const int32_t *logit_rows;   /* [R] tokens whose logits are wanted, ascending */
} llmir_batch;

/* The paged KV cache of one layer. Block b starts at k + b * k_block_bytes and v + b *
 * v_block_bytes (manifest). K block: [kv head][head size][B], transposed so that one vector load
 * takes one component of several tokens. V block: [kv head][B][head size]. Elements are f16 or f32
 * as the manifest says. 64-byte aligned. Memory that compiled code reads past a sequence's end
 * inside its last block must hold finite numbers: zero it when it is allocated. */
typedef struct llmir_kv_layer {
  void *k;
  void *v;
} llmir_kv_layer;

typedef struct llmir_step_args {
  const llmir_batch *batch;
  const void *const *weights; /* [layers + 1][slots] packed weights, 64-byte aligned; the last row
                                 is the model's own */
  const llmir_kv_layer *kv;   /* [layers] */
  void *arena; /* arena_bytes_per_token * token_capacity bytes (manifest), 64-byte aligned */
  int64_t token_capacity; /* a multiple of 16, at least num_tokens */
  float *logits;          /* [R][vocabulary] */
  /* Returns when all workers of the step have called it; writes before it are seen by all after it.
   */
  void (*barrier)(void *sync, int32_t worker);
  void *sync;
} llmir_step_args;

/* Runs one step. Called by all num_workers threads at the same time, each with its number; returns
 * when this worker's share is done: the results are complete when all have returned. Never
 * allocates, never fails. */
typedef void (*llmir_step_fn)(const llmir_step_args *args, int32_t worker, int32_t num_workers);

#define LLMIR_STEP_SYMBOL "llmir_step"
#define LLMIR_VERSION_SYMBOL "llmir_abi_version" /* const uint32_t */

#ifdef __cplusplus
}
#endif
#endif
