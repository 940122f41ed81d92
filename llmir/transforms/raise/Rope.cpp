// Rotary position embedding, by what it does to a row: each column is a combination of itself and
// of one other with coefficients that depend on the position alone. Angles are read from the
// coefficients' values, so it does not matter whether they are computed, looked up or rotated by
// halves, slices or stacks.
#include "llmir/transforms/raise/Raiser.h"

#include "llvm/ADT/MapVector.h"

namespace llmir::llm::raise {

using namespace mlir;

namespace {
constexpr int64_t maxColumns = 1 << 17;

/// A sum of data with coefficients that are no data.
using Combination = llvm::SmallMapVector<Expr, Expr, 4>;

struct RopeReader {
  explicit RopeReader(Raiser &raiser) : raiser(raiser), algebra(raiser.algebra) {}
  Raiser &raiser;
  Algebra &algebra;

  bool combine(Expr x, Expr coefficient, Combination &result);
  void collectData(Expr x, llvm::SetVector<Expr> &data);
  std::optional<double> at(Expr coefficient, int64_t position) {
    return algebra.evaluate(
        algebra.substitute(coefficient, {{raiser.token(), algebra.space.constant(position)}}),
        DenseMap<Expr, double>());
  }
};

bool RopeReader::combine(Expr x, Expr coefficient, Combination &result) {
  if (!readsData(algebra, x))
    return x->isNumber(0);
  if (x->is(Kind::Add))
    return llvm::all_of(x->args, [&](Expr term) { return combine(term, coefficient, result); });
  SmallVector<Expr> data, factors{coefficient};
  for (Expr factor : algebra.factors(x))
    (readsData(algebra, factor) ? data : factors).push_back(factor);
  if (data.size() == 1 && x->is(Kind::Mul))
    return combine(data[0], algebra.mul(factors), result);
  Expr leaf = algebra.mul(data), times = algebra.mul(factors);
  Expr &sum = result[leaf];
  sum = sum ? algebra.add({sum, times}) : times;
  return true;
}

/// The data that an expression combines, in all branches.
void RopeReader::collectData(Expr x, llvm::SetVector<Expr> &data) {
  if (!readsData(algebra, x))
    return;
  if (x->is(Kind::Add) || x->is(Kind::Select)) {
    for (Expr arg : x->args)
      collectData(arg, data);
    return;
  }
  SmallVector<Expr> read;
  for (Expr factor : algebra.factors(x))
    if (readsData(algebra, factor))
      read.push_back(factor);
  if (read.size() == 1 && x->is(Kind::Mul))
    collectData(read[0], data);
  else
    data.insert(algebra.mul(read));
}
} // namespace

/// The rows that are rotated, as an element over the column: one of what is combined, read at the
/// column itself.
static SmallVector<Expr> sourcesOf(Raiser &raiser, const llvm::SetVector<Expr> &data,
                                   int64_t columns) {
  Algebra &algebra = raiser.algebra;
  AffineExpr column = raiser.column(columns);
  llvm::SetVector<Expr> result;
  for (Expr leaf : data) {
    result.insert(leaf);
    // Even and odd columns: 2 * (column floordiv 2) + 1 is the column, too.
    result.insert(algebra.mapIndices(leaf, [&](AffineExpr index) {
      AffineExpr pair = column.floorDiv(2);
      Linear sum = algebra.space.linear(index);
      int64_t times = 0;
      for (auto [atom, count] : sum.terms)
        if (atom == pair)
          times = count;
      return times && times % 2 == 0
                 ? algebra.space.normal(index - pair * times + column * (times / 2) -
                                        sum.constant % times)
                 : index;
    }));
  }
  return result.takeVector();
}

/// The angle of each pair as theta^(-2i / dim) / factors[i], with the simplest theta that does
/// without factors.
static RopeAttr makeRotation(Raiser &raiser, RopeStyle style, ArrayRef<double> angles,
                             double magnitude) {
  auto half = static_cast<int64_t>(angles.size());
  auto angle = [&](double theta, int64_t i) {
    return std::pow(theta, -static_cast<double>(i) / static_cast<double>(half));
  };
  constexpr double precision = 5e-7; // of angles that were computed in f32
  auto simplest = [&](double near, auto agrees) {
    for (int digits = 0; digits < 16; ++digits) {
      char text[40];
      std::snprintf(text, sizeof text, "%.*e", digits, near);
      if (double theta = std::strtod(text, nullptr); agrees(theta))
        return theta;
    }
    return near;
  };
  double theta = 10000;
  SmallVector<float> factors;
  auto fitsAll = [&](double value) {
    for (auto [i, each] : llvm::enumerate(angles))
      if (std::fabs(angle(value, static_cast<int64_t>(i)) / each - 1) > precision)
        return false;
    return true;
  };
  if (half > 1) {
    theta = simplest(
        std::pow(angles.back(), -static_cast<double>(half) / static_cast<double>(half - 1)),
        fitsAll);
    if (!fitsAll(theta)) {
      double ratio = angles[1] / angles[0];
      theta = simplest(std::pow(ratio, -static_cast<double>(half)), [&](double value) {
        return std::fabs(angle(value, 1) / ratio - 1) <= precision;
      });
    }
  }
  if (!fitsAll(theta))
    for (auto [i, each] : llvm::enumerate(angles))
      factors.push_back(static_cast<float>(angle(theta, static_cast<int64_t>(i)) / each));
  OpBuilder &b = raiser.builder;
  return RopeAttr::get(b.getContext(), style, 2 * half, b.getF64FloatAttr(theta),
                       b.getF64FloatAttr(magnitude), b.getDenseF32ArrayAttr(factors));
}

Value raiseRope(Raiser &raiser, Expr x, int64_t columns) {
  RopeReader reader(raiser);
  Algebra &algebra = raiser.algebra;
  AffineExpr column = raiser.column(columns);
  bool mayRotate = algebra.contains(x, [&](Expr node) {
    return node->is(Kind::Cos) || node->is(Kind::Sin) ||
           (node->is(Kind::Load) && node->base == Base::Table &&
            algebra.dependsOn(node, raiser.token()));
  });
  if (!mayRotate || !isa<AffineDimExpr>(column) || (!x->is(Kind::Add) && !x->is(Kind::Select)))
    return {};
  if (columns > maxColumns)
    return raiser.refuse("a rotation of more than " + Twine(maxColumns) + " columns");
  auto atColumn = [&](Expr y, int64_t place) {
    return algebra.substitute(y, {{column, algebra.space.constant(place)}});
  };
  SmallVector<Combination> combinations(columns);
  for (int64_t place = 0; place < columns; ++place)
    if (!reader.combine(atColumn(x, place), algebra.number(1), combinations[place]))
      return raiser.refuse("a rotation by position that adds something");

  llvm::SetVector<Expr> data;
  reader.collectData(x, data);
  using Term = std::pair<int64_t, Expr>; // distance of the column that is read, and its coefficient
  SmallVector<SmallVector<Term>> terms;
  Expr source = nullptr;
  for (Expr candidate : sourcesOf(raiser, data, columns)) {
    DenseMap<Expr, int64_t> places;
    for (int64_t place = 0; place < columns; ++place)
      places[atColumn(candidate, place)] = place;
    terms.assign(columns, {});
    bool readsOnlyIt = true;
    for (int64_t place = 0; place < columns && readsOnlyIt; ++place)
      for (auto [leaf, coefficient] : combinations[place]) {
        auto found = places.find(leaf);
        readsOnlyIt &= found != places.end();
        if (readsOnlyIt)
          terms[place].push_back({found->second - place, coefficient});
      }
    for (SmallVector<Term> &each : terms)
      llvm::sort(each, [](const Term &a, const Term &b) { return a.first < b.first; });
    if (readsOnlyIt) {
      source = candidate;
      break;
    }
  }
  if (!source)
    return raiser.refuse("columns are combined by position, but not those of one tensor");
  // Heads are alike: their length is the first distance at which all repeats.
  int64_t head = 1;
  auto repeats = [&](int64_t length) {
    for (int64_t place = length; place < columns; ++place)
      if (terms[place] != terms[place - length])
        return false;
    return true;
  };
  while (head < columns && (columns % head || !repeats(head)))
    ++head;

  int64_t rotated = 0;
  while (rotated < head && terms[rotated].size() == 2)
    ++rotated;
  const char *kind =
      "columns are combined by position in another way than rotation by halves or by neighbours";
  if (rotated < 2 || rotated % 2)
    return raiser.refuse(kind);
  for (int64_t place = rotated; place < head; ++place)
    if (terms[place].size() != 1 || terms[place][0].first != 0 ||
        !terms[place][0].second->isNumber(1))
      return raiser.refuse(kind);
  bool isInterleaved = terms[0][1].first == 1 && rotated > 2;
  int64_t distance = isInterleaved ? 1 : rotated / 2;
  SmallVector<double> angles;
  double magnitude = 0;
  for (int64_t pair = 0; pair < rotated / 2; ++pair) {
    int64_t low = isInterleaved ? 2 * pair : pair, high = low + distance;
    ArrayRef<Term> first = terms[low], second = terms[high];
    if (first[0].first != 0 || first[1].first != distance || second[0].first != -distance ||
        second[1].first != 0)
      return raiser.refuse(kind);
    auto cos = reader.at(first[0].second, 1), sin = reader.at(second[0].second, 1),
         still = reader.at(first[0].second, 0);
    if (!cos || !sin || !still)
      return raiser.refuse("a rotation whose angles depend on more than the position");
    magnitude = pair ? magnitude : *still;
    double angle = std::atan2(*sin, *cos);
    for (int64_t position : {0, 1, 2, 5, 11, 100}) {
      double p = static_cast<double>(position) * angle, c = magnitude * std::cos(p),
             s = magnitude * std::sin(p);
      auto isClose = [&](Expr coefficient, double expected) {
        auto value = reader.at(coefficient, position);
        // Beyond a table's end there is nothing to compare.
        return (value && std::isnan(*value)) ||
               (value && std::fabs(*value - expected) <= 2e-5 * magnitude);
      };
      if (!(angle > 0) || !(magnitude > 0) || !isClose(first[0].second, c) ||
          !isClose(first[1].second, -s) || !isClose(second[0].second, s) ||
          !isClose(second[1].second, c))
        return raiser.refuse(
            "coefficients of a rotation that are no cosine and sine of a multiple of the position");
    }
    angles.push_back(angle);
  }
  Value from = raiser.rows(source, columns);
  if (!from)
    return {};
  OpBuilder &b = raiser.builder;
  RopeStyle style = isInterleaved ? RopeStyle::Interleaved : RopeStyle::Half;
  return RopeOp::create(b, raiser.loc, from.getType(), from, raiser.positions, Value(),
                        b.getI64IntegerAttr(head), makeRotation(raiser, style, angles, magnitude),
                        ArrayAttr());
}

} // namespace llmir::llm::raise
