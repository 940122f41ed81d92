// Rotary position embedding: a table of the step's cosines and sines, then rotations that read it.
#include "llmir/codegen/cpu/RowKernels.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
namespace llmir::cpu {

/// The angle of each pair at position 1.
static SmallVector<double> frequencies(llm::RopeAttr rope) {
  SmallVector<double> result;
  for (int64_t i = 0; i < rope.getDim() / 2; ++i) {
    double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rope.getDim());
    double frequency = std::pow(rope.getTheta().getValueAsDouble(), exponent);
    result.push_back(rope.getFactors().empty() ? frequency : frequency / rope.getFactors()[i]);
  }
  return result;
}

func::FuncOp ropeTableKernel(KernelBuilder &k, llm::RopeAttr rope, int64_t tableStride) {
  SmallVector<double> angles = frequencies(rope);
  const int64_t pairs = rope.getDim() / 2;
  const double magnitude = rope.getMagnitude().getValueAsDouble();
  // Tables of one theta but other factors differ in the angles' bits alone.
  SmallVector<double> identity(angles);
  identity.push_back(magnitude);
  uint64_t hash = llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(identity.data()),
                                             identity.size() * sizeof(double)));
  std::string name = fmt::format("rope_table_{}_{}_{:x}", pairs, tableStride, hash);
  return k.function(name, {k.ptr, k.ptr, k.i64, k.i64}, [&](ValueRange a) {
    Value frequency = k.constantArray(name + "_frequencies", angles);
    k.forLoop(a[2], a[3], 1, [&](Value t) {
      Value position = k.intToFloat(k.load(k.at(a[0], t, 4), k.i32), k.f64);
      Value row = k.at(a[1], t, tableStride);
      k.forLoop(k.index(0), k.index(pairs), 1, [&](Value i) {
        Value angle = k.mul(position, k.load(k.at(frequency, i, 8), k.f64));
        auto storeScaled = [&](Value value, int64_t plane) {
          Value scaled = k.mul(value, k.constFloat(magnitude, k.f64));
          k.store(k.truncateFloat(scaled, k.f32), k.offset(k.at(row, i, 4), plane * pairs * 4));
        };
        storeScaled(k.callC("cos", k.f64, angle), 0);
        storeScaled(k.callC("sin", k.f64, angle), 1);
      });
    });
  });
}

/// Rotates `width` pairs from pair `first` on of the head at x.
static void rotate(KernelBuilder &k, const RopeSpec &spec, Value x, Value table, Value y,
                   Value first, int64_t width) {
  const int64_t pairs = spec.dim / 2;
  VectorType type = k.vec(width, k.f32), wide = k.vec(2 * width, k.f32);
  Value cosine = k.load(k.at(table, first, 4), type);
  Value sine = k.load(k.offset(k.at(table, first, 4), pairs * 4), type);
  auto turned = [&](Value a, Value b) {
    return std::pair(k.sub(k.mul(a, cosine), k.mul(b, sine)),
                     k.add(k.mul(a, sine), k.mul(b, cosine)));
  };
  if (spec.style == llm::RopeStyle::Half) {
    Value from = k.at(x, first, 4), to = k.at(y, first, 4);
    auto [a, b] = turned(k.load(from, type), k.load(k.offset(from, pairs * 4), type));
    k.store(a, to);
    k.store(b, k.offset(to, pairs * 4));
    return;
  }
  SmallVector<int64_t> even, odd, interleave;
  for (int64_t i = 0; i < width; ++i) {
    even.push_back(2 * i);
    odd.push_back(2 * i + 1);
    interleave.append({i, width + i});
  }
  Value both = k.load(k.at(x, first, 8), wide);
  auto [a, b] = turned(k.shuffle(both, both, even), k.shuffle(both, both, odd));
  k.store(k.shuffle(a, b, interleave), k.at(y, first, 8));
}

func::FuncOp ropeKernel(KernelBuilder &k, const RopeSpec &spec) {
  std::string name =
      fmt::format("rope_{}_{}_{}_{}_{}_{}", spec.style == llm::RopeStyle::Half ? "half" : "pairs",
                  spec.headDim, spec.dim, spec.xStride, spec.tableStride, spec.yStride);
  return k.function(name, {k.ptr, k.ptr, k.ptr, k.i64, k.i64, k.i64, k.i64}, [&](ValueRange a) {
    k.forLoop(a[3], a[4], 1, [&](Value t) {
      Value xRow = k.at(a[0], t, spec.xStride), table = k.at(a[1], t, spec.tableStride),
            yRow = k.at(a[2], t, spec.yStride);
      k.forLoop(a[5], a[6], 1, [&](Value head) {
        Value x = k.at(xRow, head, spec.headDim * 4), y = k.at(yRow, head, spec.headDim * 4);
        k.forColumns(spec.dim / 2, [&](Value first, int64_t width) {
          rotate(k, spec, x, table, y, first, width);
        });
        Value xRest = k.offset(x, spec.dim * 4), yRest = k.offset(y, spec.dim * 4);
        k.forColumns(spec.headDim - spec.dim, [&](Value first, int64_t width) {
          k.store(k.load(k.at(xRest, first, 4), k.vec(width, k.f32)), k.at(yRest, first, 4));
        });
      });
    });
  });
}

} // namespace llmir::cpu
