// Attention of one query token over the paged cache. The context is walked in tiles at fixed
// absolute positions, with a running maximum and sum (online softmax, arXiv 1805.02867); a tile is
// some vectors of tokens, whatever the block size. In a tile, scores are taken with lane = token (K
// is transposed) and the weighted sum of V with lane = column, for a few query heads at once, so
// that a loaded vector serves all of them.
#include "llmir/codegen/cpu/AttentionKernel.h"
#include "llmir/codegen/cpu/VectorMath.h"

#include <bit>
#include <limits>

using namespace mlir;
namespace llmir::cpu {

namespace {

/// The score of positions outside of the context, and a maximum to begin with: finite, so that
/// their difference is no NaN.
constexpr double masked = -std::numeric_limits<double>::infinity(), lowest = -3e38;
/// Vectors of tokens in a tile.
constexpr int64_t tileVectors = 4;
/// Query heads whose running maxima and sums are on the stack at a time.
constexpr int64_t mostHeads = 128;
/// Components, or tokens, per trip of an inner loop.
constexpr int64_t unroll = 4;

class AttentionBuilder {
public:
  AttentionBuilder(KernelBuilder &k, const AttentionSpec &spec) : k(k), spec(spec) {
    const bool manyRegisters =
        k.target.isa == CpuIsa::Avx512Vnni || k.target.isa == CpuIsa::NeonDot;
    registers = manyRegisters ? 20 : 12;
    headsInPass = std::min(group, mostHeads);
    chunk = llvm::divideCeil(headsInPass, llvm::divideCeil(headsInPass, registers / tileVectors));
  }

  void build(ValueRange arguments);

private:
  KernelBuilder &k;
  const AttentionSpec &spec;
  const int64_t lanes = k.lanes(), tile = tileVectors * lanes;
  const int64_t block = spec.kv.getBlock(), kDim = spec.kv.getKDim(), vDim = spec.kv.getVDim();
  const int64_t heads = spec.kv.getHeads(), group = spec.queryHeads / heads;
  const int64_t blocksInTile = std::max<int64_t>(1, tile / block);
  const int64_t tokensInBlock = std::min(tile, block); ///< that one tile takes from one block
  const Type element = spec.kv.getElement();
  const int64_t bytes = element.isF16() ? 2 : 4;
  int64_t registers;   ///< for accumulators; the others hold what is multiplied
  int64_t headsInPass; ///< query heads for which the context is walked once
  int64_t chunk;       ///< of these, those that are treated at once

  // Stack: [chunk][tile] probabilities, [headsInPass][lanes] maxima (all lanes the same) and sums
  // (one for each lane), the addresses of the tile's V in its blocks, then of the next tile's.
  Value probabilities, maxima, sums, vBlocks;
  // Of one item: the rows of the query heads of this pass, its positions, and where its keys are.
  Value query, result, position, firstPosition;
  Value kCache, vCache, table, kvHead;
  // Of one tile: its first position, and the addresses of its first token's K in each of its
  // blocks; those of the next tile, to be prefetched: blocks lie anywhere, so the hardware cannot
  // foresee them.
  Value start;
  Values kBlocks, nextKBlocks;

  Value headVector(Value base, Value head) { return k.at(base, head, lanes * 4); }
  Value loadElements(Value pointer, int64_t width) {
    Value x = k.load(pointer, k.vec(width, element));
    return element.isF16() ? k.extendFloat(x, k.vec(width, k.f32)) : x;
  }
  Value broadcast(Value pointer) { return k.splat(k.load(pointer, k.f32), lanes); }

  void begin();
  void finish();
  Values findBlocks(Value first, Value vAddresses);
  void prefetchLines(Value pointer, int64_t bytes);
  Value loadKeys(Value componentOffset, int64_t vector);
  Values scores(Value firstHead, int64_t count);
  Values softmax(Value firstHead, ArrayRef<Value> scores, int64_t count);
  Value isInContext(int64_t vector);
  void addValues(Value firstHead, ArrayRef<Value> decay);
  void addColumns(Value firstHead, ArrayRef<Value> decay, Value column, ArrayRef<int64_t> widths);
  void attendTile(Value firstHead, int64_t count) {
    addValues(firstHead, softmax(firstHead, scores(firstHead, count), count));
  }
};

void AttentionBuilder::build(ValueRange a) {
  Value q = a[0], tokenSequence = a[3], positions = a[4];
  kCache = a[1];
  vCache = a[2];
  Value blockTable = a[5], tableStride = a[6], window = a[7], results = a[8];
  probabilities = k.stack(chunk * tile * 4);
  maxima = k.stack(headsInPass * lanes * 4);
  sums = k.stack(headsInPass * lanes * 4);
  vBlocks = k.stack(2 * blocksInTile * 8);
  auto loadInt = [&](Value array, Value i) {
    return k.extendUnsigned(k.load(k.at(array, i, 4), k.i32), k.i64);
  };
  k.forLoop(a[9], a[10], a[11], ValueRange{}, [&](Value item, ValueRange) -> Values {
    Value token = k.divUnsigned(item, k.index(heads));
    kvHead = k.remUnsigned(item, k.index(heads));
    Value queries = k.at(k.at(q, token, spec.qStride), kvHead, group * kDim * 4);
    Value itsResults = k.at(k.at(results, token, spec.resultStride), kvHead, group * vDim * 4);
    position = loadInt(positions, token);
    firstPosition =
        spec.hasWindow ? k.max(k.index(0), k.add(k.sub(position, window), k.index(1))) : k.index(0);
    table = k.at(blockTable, k.mul(loadInt(tokenSequence, token), tableStride), 4);
    auto pass = [&](Value firstHead) {
      query = k.at(queries, firstHead, kDim * 4);
      result = k.at(itsResults, firstHead, vDim * 4);
      begin();
      Value from = k.bitAnd(firstPosition, k.index(-tile));
      k.forLoop(from, k.add(position, k.index(1)), tile, [&](Value tileStart) {
        start = tileStart;
        kBlocks = findBlocks(start, vBlocks);
        nextKBlocks = findBlocks(k.add(start, k.index(tile)), k.offset(vBlocks, blocksInTile * 8));
        int64_t whole = headsInPass / chunk * chunk;
        k.forLoop(k.index(0), k.index(whole), chunk,
                  [&](Value chunkHead) { attendTile(chunkHead, chunk); });
        if (whole < headsInPass)
          attendTile(k.index(whole), headsInPass - whole);
      });
      finish();
    };
    int64_t whole = group / headsInPass * headsInPass;
    k.forLoop(k.index(0), k.index(whole), headsInPass, pass);
    if (whole < group) {
      headsInPass = group - whole;
      pass(k.index(whole));
    }
    return {};
  });
}

void AttentionBuilder::begin() {
  k.forLoop(k.index(0), k.index(headsInPass), 1, [&](Value head) {
    k.store(k.constFloat(lowest, k.vecF32()), headVector(maxima, head));
    k.store(k.constFloat(0, k.vecF32()), headVector(sums, head));
  });
  k.forColumns(headsInPass * vDim, [&](Value first, int64_t width) {
    k.store(k.constFloat(0, k.vec(width, k.f32)), k.at(result, first, 4));
  });
}

void AttentionBuilder::finish() {
  k.forLoop(k.index(0), k.index(headsInPass), 1, [&](Value head) {
    Value sum = k.sumLanes(k.load(headVector(sums, head), k.vecF32()));
    Value inverse = k.div(k.constFloat(1, k.f32), sum), row = k.at(result, head, vDim * 4);
    k.forColumns(vDim, [&](Value first, int64_t width) {
      Value to = k.at(row, first, 4);
      k.store(k.mul(k.load(to, k.vec(width, k.f32)), k.splat(inverse, width)), to);
    });
  });
}

/// The addresses of K in the blocks of the tile at `first`; those of V go to `vAddresses`.
Values AttentionBuilder::findBlocks(Value first, Value vAddresses) {
  Value firstBlock = k.divUnsigned(firstPosition, k.index(block));
  Value lastBlock = k.divUnsigned(position, k.index(block));
  Value index = k.divUnsigned(first, k.index(block));
  Value inBlock = k.remUnsigned(first, k.index(block)); // 0 if the tile has several blocks
  Values addresses;
  for (int64_t i = 0; i < blocksInTile; ++i) {
    // Blocks outside of the context may not exist any more, or not yet: another one stands in,
    // behind the mask.
    Value known = k.min(k.max(k.add(index, k.index(i)), firstBlock), lastBlock);
    Value number = k.extendUnsigned(k.load(k.at(table, known, 4), k.i32), k.i64);
    auto place = [&](Value cache, int64_t blockBytes, int64_t dim, int64_t tokenBytes) {
      Value ofHead = k.at(k.at(cache, number, blockBytes), kvHead, dim * block * bytes);
      return k.at(ofHead, inBlock, tokenBytes);
    };
    addresses.push_back(place(kCache, kBlockBytes(spec.kv), kDim, bytes));
    k.store(place(vCache, vBlockBytes(spec.kv), vDim, vDim * bytes), k.offset(vAddresses, i * 8));
  }
  return addresses;
}

void AttentionBuilder::prefetchLines(Value pointer, int64_t bytes) {
  for (int64_t line = 0; line < bytes; line += 64)
    k.prefetch(k.offset(pointer, line));
}

/// One component of the keys of a vector of tokens, which may come from several blocks.
Value AttentionBuilder::loadKeys(Value componentOffset, int64_t vector) {
  const int64_t width = std::min(lanes, block);
  Values parts;
  for (int64_t lane = 0; lane < lanes; lane += width) {
    int64_t token = vector * lanes + lane;
    Value pointer = k.offset(kBlocks[token / tokensInBlock], componentOffset);
    parts.push_back(loadElements(k.offset(pointer, token % tokensInBlock * bytes), width));
  }
  return k.concatenate(parts);
}

/// Scores [count][tileVectors] of the tile's tokens, without the scale.
Values AttentionBuilder::scores(Value firstHead, int64_t count) {
  Value rows = k.at(query, firstHead, kDim * 4);
  // Few heads leave the multipliers waiting for each other: even and odd components are summed
  // apart then.
  const int64_t perSet = count * tileVectors;
  const int64_t sets = 2 * perSet <= registers ? 2 : 1;
  auto addComponent = [&](Value first, int64_t i, Values &all) {
    Value row = k.offset(k.at(rows, first, 4), i * 4);
    Value componentOffset = k.mul(k.add(first, k.index(i)), k.index(block * bytes));
    // A line holds this component of the block's tokens, or several components.
    if (i * block * bytes % 64 == 0)
      for (Value next : nextKBlocks)
        prefetchLines(k.offset(next, componentOffset), tokensInBlock * bytes);
    Values q;
    for (int64_t h = 0; h < count; ++h)
      q.push_back(broadcast(k.offset(row, h * kDim * 4)));
    for (int64_t v = 0; v < tileVectors; ++v) {
      Value keys = loadKeys(componentOffset, v);
      for (int64_t h = 0; h < count; ++h) {
        Value &sum = all[i % sets * perSet + h * tileVectors + v];
        sum = k.fma(keys, q[h], sum);
      }
    }
  };
  auto addComponents = [&](Value first, int64_t components, ValueRange before) {
    Values all(before);
    for (int64_t i = 0; i < components; ++i)
      addComponent(first, i, all);
    return all;
  };
  Values all(sets * perSet, k.constFloat(0, k.vecF32()));
  const int64_t whole = kDim / unroll * unroll;
  if (whole)
    all = k.forLoop(k.index(0), k.index(whole), unroll, all, [&](Value first, ValueRange before) {
      return addComponents(first, unroll, before);
    });
  all = addComponents(k.index(whole), kDim - whole, all);
  Values result(all.begin(), all.begin() + perSet);
  if (sets == 2)
    for (int64_t i = 0; i < perSet; ++i)
      result[i] = k.add(all[i], all[perSet + i]);
  return result;
}

Value AttentionBuilder::isInContext(int64_t vector) {
  // Relative to the tile's first token, so that 32 bits suffice.
  Value numbers = k.add(k.laneNumbers(lanes), k.constInt(vector * lanes, k.vecI32()));
  auto relative = [&](Value absolute) {
    return k.splat(k.truncateInt(k.sub(absolute, start), k.i32), lanes);
  };
  Value isKnown = k.lessThan(numbers, relative(k.add(position, k.index(1))));
  if (!spec.hasWindow)
    return isKnown;
  return k.bitAnd(isKnown, k.lessThan(relative(k.sub(firstPosition, k.index(1))), numbers));
}

/// Scores to probabilities relative to the running maximum; returns the factor of each head by
/// which what was summed before decays.
Values AttentionBuilder::softmax(Value firstHead, ArrayRef<Value> scores, int64_t count) {
  Values decay, inContext;
  for (int64_t v = 0; v < tileVectors; ++v)
    inContext.push_back(isInContext(v));
  auto constant = [&](double value) { return k.constFloat(value, k.vecF32()); };
  for (int64_t h = 0; h < count; ++h) {
    Value maximumAt = headVector(maxima, k.add(firstHead, k.index(h)));
    Value sumAt = headVector(sums, k.add(firstHead, k.index(h)));
    Values s;
    Value largest;
    for (int64_t v = 0; v < tileVectors; ++v) {
      Value score = scores[h * tileVectors + v];
      if (spec.softcap)
        score = k.mul(vectorTanh(k, k.mul(score, constant(spec.scale / *spec.softcap))),
                      constant(*spec.softcap));
      else
        score = k.mul(score, constant(spec.scale));
      s.push_back(k.select(inContext[v], score, constant(masked)));
      largest = largest ? k.max(largest, s.back()) : s.back();
    }
    Value before = k.load(maximumAt, k.vecF32());
    Value maximum = k.max(before, k.splat(k.maxLanes(largest), lanes));
    decay.push_back(vectorExpOfNegative(k, k.sub(before, maximum)));
    Value sum = k.mul(k.load(sumAt, k.vecF32()), decay.back());
    for (int64_t v = 0; v < tileVectors; ++v) {
      Value p = vectorExpOfNegative(k, k.sub(s[v], maximum));
      sum = k.add(sum, p);
      k.store(p, k.offset(probabilities, (h * tile + v * lanes) * 4));
    }
    k.store(maximum, maximumAt);
    k.store(sum, sumAt);
  }
  return decay;
}

/// result = result * decay + probabilities · V, some columns at a time.
void AttentionBuilder::addValues(Value firstHead, ArrayRef<Value> decay) {
  const int64_t count = static_cast<int64_t>(decay.size()), vectors = vDim / lanes;
  int64_t whole = 0;
  if (vectors) {
    int64_t atOnce = std::max<int64_t>(1, registers / count);
    atOnce = llvm::divideCeil(vectors, llvm::divideCeil(vectors, atOnce));
    whole = vectors / atOnce * atOnce;
    k.forLoop(k.index(0), k.index(whole * lanes), atOnce * lanes, [&](Value column) {
      addColumns(firstHead, decay, column, SmallVector<int64_t>(atOnce, lanes));
    });
  }
  SmallVector<int64_t> rest(vectors - whole, lanes);
  if (vDim % lanes)
    rest.push_back(vDim % lanes);
  if (!rest.empty())
    addColumns(firstHead, decay, k.index(whole * lanes), rest);
}

void AttentionBuilder::addColumns(Value firstHead, ArrayRef<Value> decay, Value column,
                                  ArrayRef<int64_t> widths) {
  const int64_t count = static_cast<int64_t>(decay.size());
  Value results = k.at(k.at(result, firstHead, vDim * 4), column, 4);
  auto resultAt = [&](int64_t h, size_t v) {
    return k.offset(results, (h * vDim + static_cast<int64_t>(v) * lanes) * 4);
  };
  /// The first lanes of a vector whose lanes are all the same.
  auto narrowed = [&](Value vector, int64_t width) {
    return width == lanes
               ? vector
               : k.shuffle(vector, vector, llvm::to_vector(llvm::seq<int64_t>(0, width)));
  };
  Values totals;
  for (int64_t h = 0; h < count; ++h)
    for (size_t v = 0; v < widths.size(); ++v)
      totals.push_back(
          k.mul(k.load(resultAt(h, v), k.vec(widths[v], k.f32)), narrowed(decay[h], widths[v])));

  int64_t columns = 0;
  for (int64_t width : widths)
    columns += width;
  auto addTokens = [&](Value values, Value nextValues, Value weights, Value token, int64_t tokens,
                       ValueRange before) {
    Values all(before);
    for (int64_t i = 0; i < tokens; ++i) {
      Value row = k.offset(k.at(values, token, vDim * bytes), i * vDim * bytes);
      prefetchLines(k.offset(k.at(nextValues, token, vDim * bytes), i * vDim * bytes),
                    columns * bytes);
      Values p;
      for (int64_t h = 0; h < count; ++h)
        p.push_back(broadcast(k.offset(k.at(weights, token, 4), (h * tile + i) * 4)));
      for (size_t v = 0; v < widths.size(); ++v) {
        Value x = loadElements(k.offset(row, static_cast<int64_t>(v) * lanes * bytes), widths[v]);
        for (int64_t h = 0; h < count; ++h) {
          Value &total = all[h * widths.size() + v];
          total = k.fma(x, narrowed(p[h], widths[v]), total);
        }
      }
    }
    return all;
  };
  totals = k.forLoop(k.index(0), k.index(blocksInTile), 1, totals, [&](Value i, ValueRange before) {
    auto columnAt = [&](Value addresses) {
      return k.at(k.load(k.at(addresses, i, 8), k.ptr), column, bytes);
    };
    Value values = columnAt(vBlocks), next = columnAt(k.offset(vBlocks, blocksInTile * 8));
    Value weights = k.at(probabilities, i, tokensInBlock * 4);
    // Not one token further: what lies behind the context may be another request's infinity, which
    // a probability of zero would not silence.
    Value blockStart = k.add(start, k.mul(i, k.index(tokensInBlock)));
    Value known = k.sub(k.add(position, k.index(1)), blockStart);
    known = k.min(k.max(known, k.index(0)), k.index(tokensInBlock));
    Value whole = k.bitAnd(known, k.index(-unroll));
    Values all = k.forLoop(k.index(0), whole, unroll, before, [&](Value token, ValueRange carried) {
      return addTokens(values, next, weights, token, unroll, carried);
    });
    return k.forLoop(whole, known, 1, all, [&](Value token, ValueRange carried) {
      return addTokens(values, next, weights, token, 1, carried);
    });
  });
  for (int64_t h = 0; h < count; ++h)
    for (size_t v = 0; v < widths.size(); ++v)
      k.store(totals[h * widths.size() + v], resultAt(h, v));
}

std::string kernelName(const AttentionSpec &spec) {
  llm::KvType kv = spec.kv;
  auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  return fmt::format("attention_{}_{}_{}_{}_{}_{}_{:x}_{}_{:x}_{}_{}",
                     kv.getElement().isF16() ? "f16" : "f32", spec.queryHeads, kv.getHeads(),
                     kv.getKDim(), kv.getVDim(), kv.getBlock(), bits(spec.scale), spec.hasWindow,
                     bits(spec.softcap.value_or(0)), spec.qStride, spec.resultStride);
}

} // namespace

func::FuncOp attentionKernel(KernelBuilder &k, const AttentionSpec &spec) {
  return k.function(
      kernelName(spec),
      {k.ptr, k.ptr, k.ptr, k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.ptr, k.i64, k.i64, k.i64},
      [&](ValueRange arguments) { AttentionBuilder(k, spec).build(arguments); });
}

} // namespace llmir::cpu
