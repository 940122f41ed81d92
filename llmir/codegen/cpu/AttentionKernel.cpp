// The walks over the context of one query token: all of it, or one split, as when workers share a
// long context.
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/AttentionTile.h"

#include <bit>

using namespace mlir;
namespace llmir::cpu {

namespace {

/// What tells the kernels of two specs apart, strides aside.
std::string shapeName(StringRef kind, const AttentionSpec &spec) {
  llm::KvType kv = spec.kv;
  auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  return fmt::format("{}_{}_{}_{}_{}_{}_{}_{:x}_{}_{:x}", kind.str(),
                     kv.getElement().isF16() ? "f16" : "f32", spec.queryHeads, kv.getHeads(),
                     kv.getKDim(), kv.getVDim(), kv.getBlock(), bits(spec.scale), spec.hasWindow,
                     bits(spec.softcap.value_or(0)));
}

/// f(K cache, V cache, block table of the sequence, kv head, query rows, position, first position,
/// split, maxima, sums, values): the softmax of `heads` query heads over one split, from its first
/// token `split` on. A function of its own, since it is most of the code and both walks need it.
func::FuncOp oneSplitKernel(KernelBuilder &k, const AttentionSpec &spec, int64_t heads) {
  std::string name = fmt::format("{}_{}", shapeName("attention_one_split", spec), heads);
  Type types[] = {k.ptr, k.ptr, k.ptr, k.i64, k.ptr, k.i64, k.i64, k.i64, k.ptr, k.ptr, k.ptr};
  return k.function(name, types, [&](ValueRange a) {
    RunningSoftmax state{k, heads, spec.kv.getVDim(), a[8], a[9], a[10]};
    AttentionTile tile(k, spec, state);
    tile.kCache = a[0];
    tile.vCache = a[1];
    tile.table = a[2];
    tile.kvHead = a[3];
    tile.query = a[4];
    tile.position = a[5];
    tile.firstPosition = a[6];
    state.clear();
    Value split = a[7];
    Value from = k.max(split, k.bitAnd(tile.firstPosition, k.index(-tile.tokens)));
    Value to = k.min(k.add(split, k.index(attentionSplit)), k.add(tile.position, k.index(1)));
    k.forLoop(from, to, tile.tokens, [&](Value start) { tile.attend(start); });
  });
}

class AttentionBuilder {
public:
  AttentionBuilder(KernelBuilder &k, const AttentionSpec &spec, ValueRange a)
      : k(k), spec(spec), kvHeads(spec.kv.getHeads()), group(spec.queryHeads / kvHeads),
        vDim(spec.kv.getVDim()), q(a[0]), kCache(a[1]), vCache(a[2]), tokenSequence(a[3]),
        positions(a[4]), blockTable(a[5]), tableStride(a[6]), window(a[7]), results(a[8]) {}

  void attendItems(ValueRange a);
  void attendSplits(ValueRange a);
  void mergeSplits(ValueRange a);

private:
  KernelBuilder &k;
  const AttentionSpec &spec;
  const int64_t kvHeads, group, vDim;
  Value q, kCache, vCache, tokenSequence, positions, blockTable, tableStride, window, results;
  // Of the current query: its KV head, the first query head of this walk, its token, its sequence's
  // block table, its position, the first position it sees.
  Value kvHead, firstHead, token, table, position, firstPosition;

  Value loadInt(Value array, Value i) {
    return k.extendUnsigned(k.load(k.at(array, i, 4), k.i32), k.i64);
  }
  /// The query of (token * heads + kv head), from its first head on.
  void enter(Value item) {
    token = k.divUnsigned(item, k.index(kvHeads));
    kvHead = k.remUnsigned(item, k.index(kvHeads));
    firstHead = k.mul(kvHead, k.index(group));
    table = k.at(blockTable, k.mul(loadInt(tokenSequence, token), tableStride), 4);
    position = loadInt(positions, token);
    firstPosition =
        spec.hasWindow ? k.max(k.index(0), k.add(k.sub(position, window), k.index(1))) : k.index(0);
  }
  Value end() { return k.add(position, k.index(1)); }
  Value rowOf(Value rows, int64_t stride, int64_t dim) {
    return k.at(k.at(rows, token, stride), firstHead, dim * 4);
  }
  /// `total`, its values already where the result belongs.
  RunningSoftmax inResult(RunningSoftmax total) {
    total.values = rowOf(results, spec.resultStride, vDim);
    return total;
  }
  RunningSoftmax partialAt(Value partials, Value item) {
    const int64_t heads = headsOfWalk(spec), vectors = RunningSoftmax::vectorsBytes(k, heads);
    Value base = k.at(partials, item, attentionPartialBytes(k, spec));
    return {k, heads, vDim, base, k.offset(base, vectors), k.offset(base, 2 * vectors)};
  }
  void attendSplit(Value split, const RunningSoftmax &state);
  void attendContext(const RunningSoftmax &part, const RunningSoftmax &scratch);
};

/// `state` becomes the softmax of the current query over one split.
void AttentionBuilder::attendSplit(Value split, const RunningSoftmax &state) {
  k.call(oneSplitKernel(k, spec, state.heads),
         {kCache, vCache, table, kvHead, rowOf(q, spec.qStride, spec.kv.getKDim()), position,
          firstPosition, split, state.maxima, state.sums, state.values});
}

/// The current query over all it sees.
void AttentionBuilder::attendContext(const RunningSoftmax &part, const RunningSoftmax &scratch) {
  RunningSoftmax total = inResult(scratch);
  total.clear();
  Value firstSplit = k.bitAnd(firstPosition, k.index(-attentionSplit));
  k.forLoop(firstSplit, end(), attentionSplit, [&](Value split) {
    attendSplit(split, part);
    total.merge(part);
  });
  total.normalize();
}

void AttentionBuilder::attendItems(ValueRange a) {
  const int64_t heads = headsOfWalk(spec), whole = group / heads * heads;
  RunningSoftmax part = RunningSoftmax::onStack(k, heads, vDim);
  RunningSoftmax scratch = RunningSoftmax::onStack(k, heads, vDim);
  k.forLoop(a[0], a[1], a[2], ValueRange{}, [&](Value item, ValueRange) -> Values {
    enter(item);
    Value headsBefore = firstHead;
    k.forLoop(k.index(0), k.index(whole), heads, [&](Value head) {
      firstHead = k.add(headsBefore, head);
      attendContext(part, scratch);
    });
    if (whole < group) {
      firstHead = k.add(headsBefore, k.index(whole));
      part.heads = scratch.heads = group - whole;
      attendContext(part, scratch);
    }
    return {};
  });
}

void AttentionBuilder::attendSplits(ValueRange a) {
  Value partials = a[0], splits = a[1];
  k.forLoop(a[2], a[3], a[4], ValueRange{}, [&](Value item, ValueRange) -> Values {
    enter(k.divUnsigned(item, splits));
    Value split = k.mul(k.remUnsigned(item, splits), k.index(attentionSplit));
    Value isSeen = k.bitAnd(k.lessThan(split, end()),
                            k.lessThan(firstPosition, k.add(split, k.index(attentionSplit))));
    k.ifThen(isSeen, [&] { attendSplit(split, partialAt(partials, item)); });
    return {};
  });
}

void AttentionBuilder::mergeSplits(ValueRange a) {
  Value partials = a[0], splits = a[1];
  RunningSoftmax scratch = RunningSoftmax::onStack(k, headsOfWalk(spec), vDim);
  k.forLoop(a[2], a[3], a[4], ValueRange{}, [&](Value item, ValueRange) -> Values {
    enter(item);
    auto splitOf = [&](Value p) { return k.divUnsigned(p, k.index(attentionSplit)); };
    RunningSoftmax total = inResult(scratch);
    total.clear();
    k.forLoop(splitOf(firstPosition), k.add(splitOf(position), k.index(1)), 1, [&](Value split) {
      total.merge(partialAt(partials, k.add(k.mul(item, splits), split)));
    });
    total.normalize();
    return {};
  });
}

std::string kernelName(StringRef kind, const AttentionSpec &spec) {
  return fmt::format("{}_{}_{}", shapeName(kind, spec), spec.qStride, spec.resultStride);
}

SmallVector<Type> inputTypes(KernelBuilder &k) {
  SmallVector<Type> types(attentionInputs, k.ptr);
  types[6] = types[7] = k.i64;
  return types;
}

func::FuncOp splitFunction(KernelBuilder &k, StringRef kind, const AttentionSpec &spec,
                           void (AttentionBuilder::*body)(ValueRange)) {
  SmallVector<Type> types = inputTypes(k);
  types.append({k.ptr, k.i64, k.i64, k.i64, k.i64});
  return k.function(kernelName(kind, spec), types, [&](ValueRange a) {
    (AttentionBuilder(k, spec, a).*body)(a.drop_front(attentionInputs));
  });
}

} // namespace

func::FuncOp attentionKernel(KernelBuilder &k, const AttentionSpec &spec) {
  SmallVector<Type> types = inputTypes(k);
  types.append(3, k.i64);
  return k.function(kernelName("attention", spec), types, [&](ValueRange a) {
    AttentionBuilder(k, spec, a).attendItems(a.drop_front(attentionInputs));
  });
}

int64_t attentionPartialBytes(KernelBuilder &k, const AttentionSpec &spec) {
  const int64_t heads = headsOfWalk(spec);
  if (heads < spec.queryHeads / spec.kv.getHeads())
    return 0;
  return llvm::alignTo(2 * RunningSoftmax::vectorsBytes(k, heads) +
                           RunningSoftmax::valuesBytes(heads, spec.kv.getVDim()),
                       64);
}

func::FuncOp attentionSplitKernel(KernelBuilder &k, const AttentionSpec &spec) {
  return splitFunction(k, "attention_split", spec, &AttentionBuilder::attendSplits);
}

func::FuncOp attentionMergeKernel(KernelBuilder &k, const AttentionSpec &spec) {
  return splitFunction(k, "attention_merge", spec, &AttentionBuilder::mergeSplits);
}

} // namespace llmir::cpu
