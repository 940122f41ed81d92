// Names, loop nest and stores of the products; the arithmetic is in LinearFloatKernel.cpp and
// LinearQuantKernel.cpp.
#include "llmir/codegen/cpu/LinearKernel.h"

#include "llmir/codegen/cpu/LinearTiles.h"

namespace llmir::cpu {

static constexpr int64_t tileTokens = 4;
/// Tokens from which on decoding a panel for all of them pays.
static constexpr int64_t fewestUnpacked = 16;

/// Whether no panel has rows behind the last one.
static bool fillsPanels(const PackedLayout &layout) { return layout.n % layout.panelRows() == 0; }

/// Adds the bias and writes the sums of one tile; columns behind n are not written.
/// `rows` are the tokens' rows of y.
static void storeTile(KernelBuilder &k, const LinearSpec &spec, Value n, Value panel,
                      const Values &rows, Value bias, const Values &sums) {
  const PackedLayout &layout = spec.weight;
  const bool exact = fillsPanels(layout);
  Value row0 = k.mul(panel, k.index(layout.panelRows()));
  Value zeros = k.constantArray("zeros", std::vector<double>(layout.lanes / 2));
  for (int64_t block = 0; block < layout.rowBlocks; ++block) {
    Value row = k.add(row0, k.index(block * layout.lanes));
    Value count = exact ? Value() : k.max(k.index(0), k.min(k.index(layout.lanes), k.sub(n, row)));
    auto load = [&](Value pointer) {
      return exact ? k.load(pointer, k.vecF32()) : k.loadFirst(pointer, k.vecF32(), count);
    };
    Value b = load(k.select(k.isNull(bias), zeros, k.at(bias, row, 4)));
    for (size_t token = 0; token < rows.size(); ++token) {
      Value sum = k.add(sums[token * layout.rowBlocks + block], b);
      Value pointer = k.at(rows[token], row, 4);
      exact ? k.store(sum, pointer) : k.storeFirst(sum, pointer, count);
    }
  }
}

mlir::func::FuncOp linearLoopNest(KernelBuilder &k, llvm::StringRef name, const LinearSpec &spec,
                                  const LinearSteps &steps) {
  llvm::SmallVector<Type> arguments = {k.ptr, k.i64, k.ptr, k.ptr, k.i64,
                                       k.ptr, k.i64, k.i64, k.i64};
  if (spec.rowsPerX)
    arguments.push_back(k.ptr);
  return k.function(name, arguments, [&](ValueRange a) {
    Value weight = a[0], n = a[1], x = a[2], y = a[3], yStride = a[4], bias = a[5], tokens = a[6];
    steps.prepare();
    k.forLoop(a[7], a[8], 1, [&](Value panel) {
      Value packed = k.at(weight, panel, spec.weight.panelBytes);
      auto tiles = [&](Value from, Value to, int64_t count, Value weights) {
        k.forLoop(from, to, count, [&](Value token) {
          auto picked = [&](int64_t i) {
            return k.extendUnsigned(k.load(k.offset(k.at(a[9], token, 4), 4 * i), k.i32), k.i64);
          };
          LinearTile t{weights, x, count, spec.xStride, weights != packed};
          if (!spec.rowsPerX)
            t.x = k.at(x, token, spec.xStride);
          for (int64_t i = 0; spec.rowsPerX && i < count; ++i)
            t.picked.push_back(
                k.mul(k.divUnsigned(picked(i), k.index(spec.rowsPerX)), k.index(spec.xStride)));
          Values sums = steps.tile(t);
          // Behind the sums: addresses in front of them would take registers from them.
          Values rows;
          for (int64_t i = 0; i < count; ++i)
            rows.push_back(
                k.offset(y, k.mul(spec.rowsPerX ? picked(i) : k.add(token, k.index(i)), yStride)));
          storeTile(k, spec, n, panel, rows, bias, sums);
        });
      };
      Value whole = k.mul(k.divUnsigned(tokens, k.index(tileTokens)), k.index(tileTokens));
      Value direct = whole;
      if (steps.unpack) {
        Value isMany = k.lessThan(k.index(fewestUnpacked - 1), tokens);
        direct = k.select(isMany, k.index(0), whole);
        k.ifThen(isMany, [&] { tiles(k.index(0), whole, tileTokens, steps.unpack(packed)); });
      }
      tiles(k.index(0), direct, tileTokens, packed);
      tiles(whole, tokens, 1, packed);
    });
  });
}

void prefetchAhead(KernelBuilder &k, Value pointer, int64_t bytes) {
  constexpr int64_t distance = 3072; // the best of 0.5 to 8 KB on Zen 3
  for (int64_t at = 0; at < bytes; at += 64)
    k.prefetch(k.offset(pointer, distance + at));
}

LinearTiling linearTiling(KernelBuilder &k, const LinearSpec &spec) {
  return {tileTokens, unpacksPanels(k, spec) ? fewestUnpacked : 0};
}

mlir::func::FuncOp linearKernel(KernelBuilder &k, const LinearSpec &spec) {
  std::string name = fmt::format("linear_{}_{}_{}_{}{}", formatInfo(spec.weight.format).name,
                                 formatInfo(spec.activations).name, spec.weight.k, spec.xStride,
                                 fillsPanels(spec.weight) ? "" : "_tail");
  if (spec.rowsPerX)
    name += fmt::format("_picked_{}", spec.rowsPerX);
  return formatInfo(spec.weight.format).scheme ? linearQuantKernel(k, name, spec)
                                               : linearFloatKernel(k, name, spec);
}

} // namespace llmir::cpu
