// The walks over the context of one query token: all of it, or one split, as when workers share a
// long context.
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/AttentionTile.h"

#include <bit>

using namespace mlir;
namespace llmir::cpu {

namespace {

class AttentionBuilder {
public:
  AttentionBuilder(KernelBuilder &k, const AttentionSpec &spec, ValueRange a)
      : k(k), spec(spec), tile(k, spec), q(a[0]), tokenSequence(a[3]), positions(a[4]),
        blockTable(a[5]), tableStride(a[6]), window(a[7]), results(a[8]) {
    tile.kCache = a[1];
    tile.vCache = a[2];
  }

  void attendItems(ValueRange a);
  void attendSplits(ValueRange a);
  void mergeSplits(ValueRange a);

private:
  KernelBuilder &k;
  const AttentionSpec &spec;
  AttentionTile tile;
  Value q, tokenSequence, positions, blockTable, tableStride, window, results;
  SoftmaxState running; ///< of the current split; on the stack
  Value totalMaxima, totalSums;
  Value passHead; ///< first query head of this walk, within its KV head

  Value loadInt(Value array, Value i) {
    return k.extendUnsigned(k.load(k.at(array, i, 4), k.i32), k.i64);
  }
  Value firstSeen(Value position) {
    return spec.hasWindow ? k.max(k.index(0), k.add(k.sub(position, window), k.index(1)))
                          : k.index(0);
  }
  Value roundDown(Value value, int64_t multiple) { return k.bitAnd(value, k.index(-multiple)); }
  int64_t vectorsBytes() const { return tile.heads * tile.lanes * 4; }
  int64_t valuesBytes() const { return tile.heads * tile.vDim * 4; }

  void allocate() {
    tile.allocate();
    running = {k.stack(vectorsBytes()), k.stack(vectorsBytes()), k.stack(valuesBytes())};
    totalMaxima = k.stack(vectorsBytes());
    totalSums = k.stack(vectorsBytes());
  }
  Value firstHead() { return k.add(k.mul(tile.kvHead, k.index(tile.group)), passHead); }
  void enterQuery(Value token) {
    tile.table = k.at(blockTable, k.mul(loadInt(tokenSequence, token), tableStride), 4);
    tile.position = loadInt(positions, token);
    tile.firstPosition = firstSeen(tile.position);
    tile.query = k.at(k.at(q, token, spec.qStride), firstHead(), tile.kDim * 4);
  }
  /// What has been merged of a query, whose values are already in the result.
  SoftmaxState totalOf(Value token) {
    return {totalMaxima, totalSums,
            k.at(k.at(results, token, spec.resultStride), firstHead(), tile.vDim * 4)};
  }
  SoftmaxState partialAt(Value partials, Value item) {
    Value base = k.at(partials, item, attentionPartialBytes(k, spec));
    return {base, k.offset(base, vectorsBytes()), k.offset(base, 2 * vectorsBytes())};
  }
  void clear(const SoftmaxState &state) {
    tile.state = state;
    tile.clearState();
  }
  void passes(llvm::function_ref<void()> walk);
  void attendContext(Value token);
  void attendSplit(Value split);
};

/// Calls `walk` for as many query heads at a time as a walk takes.
void AttentionBuilder::passes(llvm::function_ref<void()> walk) {
  const int64_t heads = tile.heads, whole = tile.group / heads * heads;
  k.forLoop(k.index(0), k.index(whole), heads, [&](Value head) {
    passHead = head;
    walk();
  });
  if (whole < tile.group) {
    passHead = k.index(whole);
    tile.heads = tile.group - whole;
    walk();
    tile.heads = heads;
  }
}

/// The current query's tiles of one split, into an empty tile.state.
void AttentionBuilder::attendSplit(Value split) {
  Value from = k.max(split, roundDown(tile.firstPosition, tile.tokens));
  Value to = k.min(k.add(split, k.index(attentionSplit)), k.add(tile.position, k.index(1)));
  k.forLoop(from, to, tile.tokens, [&](Value start) { tile.attend(start); });
}

void AttentionBuilder::attendContext(Value token) {
  passes([&] {
    enterQuery(token);
    SoftmaxState total = totalOf(token);
    clear(total);
    Value firstSplit = roundDown(tile.firstPosition, attentionSplit);
    k.forLoop(firstSplit, k.add(tile.position, k.index(1)), attentionSplit, [&](Value split) {
      clear(running);
      attendSplit(split);
      tile.mergeInto(total);
    });
    tile.normalize(total);
  });
}

void AttentionBuilder::attendItems(ValueRange a) {
  allocate();
  k.forLoop(a[0], a[1], a[2], ValueRange{}, [&](Value item, ValueRange) -> Values {
    tile.kvHead = k.remUnsigned(item, k.index(tile.kvHeads));
    attendContext(k.divUnsigned(item, k.index(tile.kvHeads)));
    return {};
  });
}

void AttentionBuilder::attendSplits(ValueRange a) {
  Value partials = a[0], splits = a[1];
  allocate();
  passHead = k.index(0);
  k.forLoop(a[2], a[3], a[4], ValueRange{}, [&](Value item, ValueRange) -> Values {
    Value ofHead = k.divUnsigned(item, splits);
    Value split = k.mul(k.remUnsigned(item, splits), k.index(attentionSplit));
    Value token = k.divUnsigned(ofHead, k.index(tile.kvHeads));
    tile.kvHead = k.remUnsigned(ofHead, k.index(tile.kvHeads));
    enterQuery(token);
    Value isSeen = k.bitAnd(k.lessThan(split, k.add(tile.position, k.index(1))),
                            k.lessThan(tile.firstPosition, k.add(split, k.index(attentionSplit))));
    k.ifThen(isSeen, [&] {
      clear(partialAt(partials, item));
      attendSplit(split);
    });
    return {};
  });
}

void AttentionBuilder::mergeSplits(ValueRange a) {
  Value partials = a[0], splits = a[1];
  allocate();
  passHead = k.index(0);
  k.forLoop(a[2], a[3], a[4], ValueRange{}, [&](Value item, ValueRange) -> Values {
    Value token = k.divUnsigned(item, k.index(tile.kvHeads));
    tile.kvHead = k.remUnsigned(item, k.index(tile.kvHeads));
    Value position = loadInt(positions, token);
    auto splitOf = [&](Value p) { return k.divUnsigned(p, k.index(attentionSplit)); };
    SoftmaxState total = totalOf(token);
    clear(total);
    k.forLoop(splitOf(firstSeen(position)), k.add(splitOf(position), k.index(1)), 1,
              [&](Value split) {
                tile.state = partialAt(partials, k.add(k.mul(item, splits), split));
                tile.mergeInto(total);
              });
    tile.normalize(total);
    return {};
  });
}

std::string kernelName(StringRef kind, const AttentionSpec &spec) {
  llm::KvType kv = spec.kv;
  auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  return fmt::format("{}_{}_{}_{}_{}_{}_{}_{:x}_{}_{:x}_{}_{}", kind.str(),
                     kv.getElement().isF16() ? "f16" : "f32", spec.queryHeads, kv.getHeads(),
                     kv.getKDim(), kv.getVDim(), kv.getBlock(), bits(spec.scale), spec.hasWindow,
                     bits(spec.softcap.value_or(0)), spec.qStride, spec.resultStride);
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
  AttentionTile tile(k, spec);
  if (tile.heads < tile.group)
    return 0;
  return llvm::alignTo(tile.heads * (2 * tile.lanes + tile.vDim) * 4, 64);
}

func::FuncOp attentionSplitKernel(KernelBuilder &k, const AttentionSpec &spec) {
  return splitFunction(k, "attention_split", spec, &AttentionBuilder::attendSplits);
}

func::FuncOp attentionMergeKernel(KernelBuilder &k, const AttentionSpec &spec) {
  return splitFunction(k, "attention_merge", spec, &AttentionBuilder::mergeSplits);
}

} // namespace llmir::cpu
