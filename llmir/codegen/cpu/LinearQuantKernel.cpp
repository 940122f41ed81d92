// Products with quantised weights. With integer activations the products of a group are summed
// exactly, and one fused multiply-add per group, in ascending order, brings them into f32: the same
// bits for any number of tokens. Several tokens share a panel decoded to bytes: UnpackedPanel.
#include "llmir/codegen/cpu/IntegerDot.h"
#include "llmir/codegen/cpu/LinearTiles.h"
#include "llmir/codegen/cpu/PackedPanel.h"

namespace llmir::cpu {

namespace {

/// A decoded panel lies on the stack: rows beyond some 25,000 columns are decoded for each tile.
constexpr int64_t mostUnpackedBytes = 1 << 20;

/// Within a unit, the number of scale `part` of its group `g` of 32 columns.
Value scaleNumber(KernelBuilder &k, PackedPanel &panel, Value g, int64_t part) {
  return k.add(k.mul(g, k.index(panel.scalesPer32())), k.index(part));
}

/// The factor of the quants of one scale of rows [row, row + rows), and what is added to each value
/// (flat: m; K-quants: -dmin * min).
Value scaleOf(KernelBuilder &k, PackedPanel &panel, Value unit, Value g, int64_t part, Value row,
              int64_t rows) {
  Value d = panel.scaleD(unit, row, rows);
  if (!panel.scheme.superBlock)
    return d;
  return k.mul(d, panel.groupScale(unit, scaleNumber(k, panel, g, part), row, rows));
}
Value minimumOf(KernelBuilder &k, PackedPanel &panel, Value unit, Value g, int64_t part, Value row,
                int64_t rows) {
  Value m = panel.scaleM(unit, row, rows);
  if (!panel.scheme.superBlock)
    return m;
  Value min = panel.groupMin(unit, scaleNumber(k, panel, g, part), row, rows);
  return k.sub(k.constFloat(0, k.vecF32()), k.mul(m, min));
}

/// A panel decoded for tiles of several tokens, one linear stream of groups of 32 columns: f32
/// factors [scales][rows], f32 minima [scales][rows] if the format has them, bytes [8][rows][4].
class UnpackedPanel {
public:
  UnpackedPanel(KernelBuilder &k, const LinearSpec &spec)
      : k(k), spec(spec), panel(k, spec.weight), lanes(spec.weight.lanes),
        minimaAt(panel.scalesPer32() * panel.rows * 4),
        quantsAt(minimaAt * (panel.scheme.hasMin ? 2 : 1)), groupBytes(quantsAt + 32 * panel.rows) {
  }

  int64_t bytes() const { return spec.weight.k / 32 * groupBytes; }

  /// Decodes `packed` into `memory`.
  void fill(Value packed, Value memory) {
    k.forLoop(k.index(0), k.index(spec.weight.k / panel.unitColumns), 1, [&](Value unit) {
      k.forLoop(k.index(0), k.index(panel.groupsOf32()), 1, [&](Value g) {
        Value number = k.add(k.mul(unit, k.index(panel.groupsOf32())), g);
        fillGroup(k.at(packed, unit, panel.unitBytes), g, k.at(memory, number, groupBytes));
      });
    });
  }

  // Of the group of 32 columns `number`.
  Value subChunk(Value memory, Value number, int64_t s, int64_t block) {
    return load(memory, number, quantsAt + (s * panel.rows + block * lanes) * 4,
                k.vec(4 * lanes, k.i8));
  }
  Value scale(Value memory, Value number, int64_t part, int64_t block) {
    return load(memory, number, (part * panel.rows + block * lanes) * 4, k.vecF32());
  }
  Value minimum(Value memory, Value number, int64_t part, int64_t block) {
    return load(memory, number, minimaAt + (part * panel.rows + block * lanes) * 4, k.vecF32());
  }

private:
  KernelBuilder &k;
  const LinearSpec &spec;
  PackedPanel panel;
  const int64_t lanes, minimaAt, quantsAt, groupBytes;

  Value load(Value memory, Value number, int64_t at, VectorType type) {
    return k.load(k.offset(k.at(memory, number, groupBytes), at), type, 4);
  }

  void fillGroup(Value unit, Value g, Value to) {
    const int64_t packedBytes = panel.unitBytes / panel.groupsOf32();
    prefetchAhead(k, k.at(unit, g, packedBytes), packedBytes);
    for (int64_t block = 0; block < spec.weight.rowBlocks; ++block) {
      Value row = k.index(block * lanes);
      auto place = [&](int64_t at) { return k.offset(to, at + block * lanes * 4); };
      for (int64_t part = 0; part < panel.scalesPer32(); ++part) {
        const int64_t at = part * panel.rows * 4;
        k.store(scaleOf(k, panel, unit, g, part, row, lanes), place(at), 4);
        if (panel.scheme.hasMin)
          k.store(minimumOf(k, panel, unit, g, part, row, lanes), place(minimaAt + at), 4);
      }
      Value quants = panel.quants(unit, g, row);
      for (int64_t s = 0; s < 8; ++s)
        k.store(panel.subChunk(quants, s, lanes), place(quantsAt + s * panel.rows * 4), 4);
    }
  }
};

class QuantTile {
public:
  /// `memory`: scratch of scratchBytes().
  QuantTile(KernelBuilder &k, const LinearSpec &spec, const LinearTile &tile, Value memory)
      : k(k), spec(spec), tile(tile), unpacked(k, spec), memory(memory),
        inMemory(tile.tokens > 1 && spec.activations != Format::F32), panel(k, spec.weight),
        lanes(spec.weight.lanes), blocks(spec.weight.rowBlocks),
        width(spec.activations == Format::A16 ? 2 : 1) {}

  Values run() {
    Values sums(count(), k.constFloat(0, k.vecF32()));
    if (inMemory) {
      for (int64_t i = 0; i < count(); ++i)
        k.store(sums[i], place(i), 4);
      sums.clear();
    }
    if (tile.unpacked)
      sums = k.forLoop(k.index(0), k.index(spec.weight.k / 32), 1, sums,
                       [&](Value number, ValueRange carried) {
                         Values inner(carried);
                         group({}, {}, number, inner);
                         return inner;
                       });
    else
      sums = k.forLoop(k.index(0), k.index(spec.weight.k / panel.unitColumns), 1, sums,
                       [&](Value unit, ValueRange carried) {
                         Value packed = k.at(tile.panel, unit, panel.unitBytes);
                         if (!panel.scheme.superBlock) {
                           Values inner(carried);
                           group(packed, k.index(0), unit, inner);
                           return inner;
                         }
                         return k.forLoop(
                             k.index(0), k.index(panel.groupsOf32()), 1, carried,
                             [&](Value g, ValueRange innerCarried) {
                               Values inner(innerCarried);
                               group(packed, g, k.add(k.mul(unit, k.index(panel.groupsOf32())), g),
                                     inner);
                               return inner;
                             });
                       });
    for (int64_t i = 0; inMemory && i < count(); ++i)
      sums.push_back(k.load(place(i), k.vecF32(), 4));
    return sums;
  }

private:
  KernelBuilder &k;
  const LinearSpec &spec;
  const LinearTile &tile;
  UnpackedPanel unpacked;
  /// Scratch: the weights of a group in f32, or the sums of a tile of several tokens; in registers
  /// those would push out the running integer sums.
  Value memory;
  const bool inMemory; ///< the sums live there
  PackedPanel panel;
  const int64_t lanes, blocks, width;
  Values firstHalves = Values(tile.tokens); ///< activationSum of the first half of a group

  int64_t count() const { return tile.tokens * blocks; }
  Value place(int64_t i) { return k.offset(memory, i * lanes * 4); }
  Value row(int64_t block) { return k.index(block * lanes); }

  void accumulate(Values &sums, int64_t token, int64_t block,
                  llvm::function_ref<Value(Value)> update) {
    int64_t i = token * blocks + block;
    if (inMemory)
      k.storeVolatile(update(k.load(place(i), k.vecF32(), 4)), place(i));
    else
      sums[i] = update(sums[i]);
  }

  /// 32 columns: group `g` of the unit, group `number` of the row.
  void group(Value unit, Value g, Value number, Values &sums) {
    if (tile.tokens == 1) {
      const int64_t bytes = panel.unitBytes / panel.groupsOf32();
      prefetchAhead(k, k.at(unit, g, bytes), bytes);
    }
    if (spec.activations == Format::F32)
      return floatGroup(unit, g, number, sums);
    const int64_t parts = panel.scalesPer32();
    for (int64_t part = 0; part < parts; ++part)
      integerGroup(unit, g, number, part, sums);
  }

  Value activationPlane(int64_t token, int64_t plane, Value number) {
    int64_t start = spec.weight.k * width + plane * spec.weight.k / 32 * 4;
    return k.at(tile.at(k, tile.x, token, start), number, 4);
  }

  /// The columns of one scale: all 32, or half of them.
  void integerGroup(Value unit, Value g, Value number, int64_t part, Values &sums) {
    const int64_t subChunks = panel.scheme.group / 4, first = part * subChunks;
    std::vector<IntegerDot> dots(
        count(), IntegerDot(k, spec.activations, panel.scheme.bits, panel.isSigned()));
    Values quants;
    for (int64_t block = 0; block < blocks && !tile.unpacked; ++block)
      quants.push_back(panel.quants(unit, g, row(block)));
    Value x = k.at(tile.x, number, 32 * width);
    for (int64_t s = first; s < first + subChunks; ++s) {
      Values weights;
      for (int64_t block = 0; block < blocks; ++block)
        weights.push_back(tile.unpacked ? unpacked.subChunk(tile.panel, number, s, block)
                                        : panel.subChunk(quants[block], s, lanes));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        DotOperand four =
            IntegerDot::spread(k, spec.activations, tile.at(k, x, token, 4 * s * width));
        for (int64_t block = 0; block < blocks; ++block)
          dots[token * blocks + block].add(weights[block], four);
      }
    }
    Values scale, minimum;
    for (int64_t block = 0; block < blocks; ++block) {
      scale.push_back(tile.unpacked ? unpacked.scale(tile.panel, number, part, block)
                                    : scaleOf(k, panel, unit, g, part, row(block), lanes));
      if (panel.scheme.hasMin)
        minimum.push_back(tile.unpacked ? unpacked.minimum(tile.panel, number, part, block)
                                        : minimumOf(k, panel, unit, g, part, row(block), lanes));
    }
    for (int64_t token = 0; token < tile.tokens; ++token) {
      Value d = k.splat(k.load(activationPlane(token, 0, number), k.f32), lanes), offset, sumScaled;
      if (panel.offset())
        offset = activationSum(token, number, part);
      if (panel.scheme.hasMin)
        sumScaled = k.mul(d, k.intToFloat(activationSum(token, number, part), k.vecF32()));
      for (int64_t block = 0; block < blocks; ++block) {
        Value exact = dots[token * blocks + block].finish();
        if (offset)
          exact = k.sub(exact, offset);
        accumulate(sums, token, block, [&](Value total) {
          total = k.fma(k.intToFloat(exact, k.vecF32()), k.mul(scale[block], d), total);
          return sumScaled ? k.fma(minimum[block], sumScaled, total) : total;
        });
      }
    }
  }

  /// Sum of the activation integers of one scale's columns, times the quants' offset if they have
  /// one, in every lane. Of the first half of a group it is a product with ones, cheaper than
  /// adding up lanes; of the second half what is left.
  Value activationSum(int64_t token, Value number, int64_t part) {
    const int64_t factor = std::max<int64_t>(panel.offset(), 1);
    if (part == 0 && panel.scalesPer32() == 2) {
      Value x = tile.at(k, k.at(tile.x, number, 32 * width), token, 0);
      IntegerDot dot(k, spec.activations, /*bits=*/1, /*isSigned=*/false);
      for (int64_t s = 0; s < 4; ++s)
        dot.add(k.constInt(1, k.vec(4 * lanes, k.i8)),
                IntegerDot::spread(k, spec.activations, k.offset(x, 4 * s * width)));
      firstHalves[token] = k.mul(dot.finish(), k.constInt(factor, k.vecI32()));
      return firstHalves[token];
    }
    Value sum = k.load(activationPlane(token, 1, number), k.i32);
    Value all = k.splat(k.mul(sum, k.constInt(factor, k.i32)), lanes);
    return part == 0 ? all : k.sub(all, firstHalves[token]);
  }

  /// f32 activations: the weights of the group become f32 in memory, then one fused multiply-add
  /// per column.
  void floatGroup(Value unit, Value g, Value number, Values &sums) {
    const int64_t columnBytes = blocks * lanes * 4;
    for (int64_t block = 0; block < blocks; ++block) {
      Value quants = panel.quants(unit, g, row(block)), scale, minimum;
      for (int64_t s = 0; s < 8; ++s) {
        if (s * 4 % panel.scheme.group == 0) {
          const int64_t part = s * 4 / panel.scheme.group;
          scale = scaleOf(k, panel, unit, g, part, row(block), lanes);
          if (panel.scheme.hasMin)
            minimum = minimumOf(k, panel, unit, g, part, row(block), lanes);
        }
        Value four = k.bitcast(panel.subChunk(quants, s, lanes), k.vecI32());
        for (int64_t t = 0; t < 4; ++t) {
          // Byte t of every row: the shifts of whole lanes are cheaper than moving bytes.
          Value integer = k.shiftLeft(four, 24 - 8 * t);
          integer = panel.isSigned() ? Value(mlir::arith::ShRSIOp::create(
                                           k.b, k.loc, integer, k.constInt(24, k.vecI32())))
                                     : k.shiftRightUnsigned(integer, 24);
          if (panel.offset())
            integer = k.sub(integer, k.constInt(panel.offset(), k.vecI32()));
          Value weight = k.mul(scale, k.intToFloat(integer, k.vecF32()));
          if (minimum)
            weight = k.add(weight, minimum);
          k.store(weight, k.offset(memory, (4 * s + t) * columnBytes + block * lanes * 4), 4);
        }
      }
    }
    Value x = k.at(tile.x, number, 32 * 4);
    sums = k.forLoop(k.index(0), k.index(32), 1, sums, [&](Value column, ValueRange carried) {
      Values inner(carried), weights;
      for (int64_t block = 0; block < blocks; ++block)
        weights.push_back(
            k.load(k.offset(k.at(memory, column, columnBytes), block * lanes * 4), k.vecF32(), 4));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        Value value = k.splat(k.load(k.at(tile.at(k, x, token, 0), column, 4), k.f32), lanes);
        for (int64_t block = 0; block < blocks; ++block) {
          Value &sum = inner[token * blocks + block];
          sum = k.fma(weights[block], value, sum);
        }
      }
      return inner;
    });
  }
};

} // namespace

bool unpacksPanels(KernelBuilder &k, const LinearSpec &spec) {
  return formatInfo(spec.weight.format).scheme && spec.activations != Format::F32 &&
         UnpackedPanel(k, spec).bytes() <= mostUnpackedBytes;
}

mlir::func::FuncOp linearQuantKernel(KernelBuilder &k, llvm::StringRef name,
                                     const LinearSpec &spec) {
  // 32 columns of weights, or fewer sums.
  const int64_t bytes = 32 * spec.weight.panelRows() * 4;
  Value memory, decoded;
  UnpackedPanel unpacked(k, spec);
  LinearSteps steps;
  steps.prepare = [&] { memory = k.stack(bytes); };
  steps.tile = [&](const LinearTile &tile) { return QuantTile(k, spec, tile, memory).run(); };
  if (unpacksPanels(k, spec)) {
    steps.prepare = [&] {
      memory = k.stack(bytes);
      decoded = k.stack(unpacked.bytes());
    };
    steps.unpack = [&](Value panel) {
      unpacked.fill(panel, decoded);
      return decoded;
    };
  }
  return linearLoopNest(k, name, spec, steps);
}

} // namespace llmir::cpu
