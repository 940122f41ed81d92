// Scores, softmax and weighted sums of one tile; see AttentionTile.h.
#include "llmir/codegen/cpu/AttentionTile.h"
#include "llmir/codegen/cpu/VectorMath.h"

#include <limits>

using namespace mlir;
namespace llmir::cpu {

namespace {

/// The score of positions outside of the context.
constexpr double masked = -std::numeric_limits<double>::infinity();
/// Vectors of tokens in a tile.
constexpr int64_t tileVectors = 4;
/// Query heads whose running softmax is kept at a time.
constexpr int64_t mostHeads = 128;
/// Components, or tokens, per trip of an inner loop.
constexpr int64_t unroll = 4;

} // namespace

int64_t headsOfWalk(const AttentionSpec &spec) {
  return std::min(spec.queryHeads / spec.kv.getHeads(), mostHeads);
}

AttentionTile::AttentionTile(KernelBuilder &k, const AttentionSpec &spec,
                             const RunningSoftmax &state)
    : tokens(tileVectors * k.lanes()), k(k), spec(spec), state(state), lanes(k.lanes()),
      block(spec.kv.getBlock()), kDim(spec.kv.getKDim()), vDim(spec.kv.getVDim()),
      heads(state.heads), blocksInTile(std::max<int64_t>(1, tokens / block)),
      tokensInBlock(std::min(tokens, block)), element(spec.kv.getElement()),
      bytes(element.isF16() ? 2 : 4) {
  const bool manyRegisters = k.target.isa == CpuIsa::Avx512Vnni || k.target.isa == CpuIsa::NeonDot;
  registers = manyRegisters ? 20 : 12;
  headsAtOnce = llvm::divideCeil(heads, llvm::divideCeil(heads, registers / tileVectors));
  probabilities = k.stack(headsAtOnce * tokens * 4);
  vBlocks = k.stack(2 * blocksInTile * 8);
}

Value AttentionTile::loadElements(Value pointer, int64_t width) {
  Value x = k.load(pointer, k.vec(width, element));
  return element.isF16() ? k.extendFloat(x, k.vec(width, k.f32)) : x;
}

/// The addresses of K in the blocks of the tile at `first`; those of V go to `vAddresses`.
Values AttentionTile::findBlocks(Value first, Value vAddresses) {
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

void AttentionTile::prefetchLines(Value pointer, int64_t count) {
  for (int64_t line = 0; line < count; line += 64)
    k.prefetch(k.offset(pointer, line));
}

/// One component of the keys of a vector of tokens, which may come from several blocks.
Value AttentionTile::loadKeys(Value component, int64_t vector) {
  const int64_t width = std::min(lanes, block);
  Values parts;
  for (int64_t lane = 0; lane < lanes; lane += width) {
    int64_t token = vector * lanes + lane;
    Value pointer = k.at(kBlocks[token / tokensInBlock], component, block * bytes);
    parts.push_back(loadElements(k.offset(pointer, token % tokensInBlock * bytes), width));
  }
  return k.concatenate(parts);
}

void AttentionTile::attend(Value first) {
  start = first;
  kBlocks = findBlocks(first, vBlocks);
  nextKBlocks = findBlocks(k.add(first, k.index(tokens)), k.offset(vBlocks, blocksInTile * 8));
  int64_t whole = heads / headsAtOnce * headsAtOnce;
  k.forLoop(k.index(0), k.index(whole), headsAtOnce,
            [&](Value firstHead) { attendHeads(firstHead, headsAtOnce); });
  if (whole < heads)
    attendHeads(k.index(whole), heads - whole);
}

/// Scores [count][tileVectors] of the tile's tokens, without the scale.
Values AttentionTile::scores(Value firstHead, int64_t count) {
  Value rows = k.at(query, firstHead, kDim * 4);
  // Few heads leave the multipliers waiting for each other: even and odd components are summed
  // apart then.
  const int64_t perSet = count * tileVectors;
  const int64_t sets = 2 * perSet <= registers ? 2 : 1;
  auto addComponent = [&](Value first, int64_t i, Values &all) {
    Value row = k.offset(k.at(rows, first, 4), i * 4);
    Value component = k.add(first, k.index(i));
    // A line holds this component of the block's tokens, or several components.
    if (i * block * bytes % 64 == 0)
      for (Value next : nextKBlocks)
        prefetchLines(k.at(next, component, block * bytes), tokensInBlock * bytes);
    Values q;
    for (int64_t h = 0; h < count; ++h)
      q.push_back(broadcast(k.offset(row, h * kDim * 4)));
    for (int64_t v = 0; v < tileVectors; ++v) {
      Value keys = loadKeys(component, v);
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

Value AttentionTile::isInContext(int64_t vector) {
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
Values AttentionTile::softmax(Value firstHead, ArrayRef<Value> scores, int64_t count) {
  Values decay, inContext;
  for (int64_t v = 0; v < tileVectors; ++v)
    inContext.push_back(isInContext(v));
  auto constant = [&](double value) { return k.constFloat(value, k.vecF32()); };
  for (int64_t h = 0; h < count; ++h) {
    Value maximumAt = state.ofHead(state.maxima, k.add(firstHead, k.index(h)));
    Value sumAt = state.ofHead(state.sums, k.add(firstHead, k.index(h)));
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
      k.store(p, k.offset(probabilities, (h * tokens + v * lanes) * 4));
    }
    k.store(maximum, maximumAt);
    k.store(sum, sumAt);
  }
  return decay;
}

/// values = values * decay + probabilities · V, some columns at a time.
void AttentionTile::addValues(Value firstHead, ArrayRef<Value> decay) {
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

void AttentionTile::addColumns(Value firstHead, ArrayRef<Value> decay, Value column,
                               ArrayRef<int64_t> widths) {
  const int64_t count = static_cast<int64_t>(decay.size());
  Value sums = k.at(k.at(state.values, firstHead, vDim * 4), column, 4);
  auto sumAt = [&](int64_t h, size_t v) {
    return k.offset(sums, (h * vDim + static_cast<int64_t>(v) * lanes) * 4);
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
          k.mul(k.load(sumAt(h, v), k.vec(widths[v], k.f32)), narrowed(decay[h], widths[v])));

  int64_t columns = 0;
  for (int64_t width : widths)
    columns += width;
  auto addTokens = [&](Value values, Value nextValues, Value weights, Value token, int64_t number,
                       ValueRange before) {
    Values all(before);
    for (int64_t i = 0; i < number; ++i) {
      Value row = k.offset(k.at(values, token, vDim * bytes), i * vDim * bytes);
      prefetchLines(k.offset(k.at(nextValues, token, vDim * bytes), i * vDim * bytes),
                    columns * bytes);
      Values p;
      for (int64_t h = 0; h < count; ++h)
        p.push_back(broadcast(k.offset(k.at(weights, token, 4), (h * tokens + i) * 4)));
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
      k.store(totals[h * widths.size() + v], sumAt(h, v));
}

} // namespace llmir::cpu
