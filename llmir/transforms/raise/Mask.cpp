// Masks by meaning: every condition in the scores is a set of (query, key) for all numbers of
// tokens. For each choice of the conditions' truth, the scores are a function of the dot product
// alone, which is evaluated: from -10000 downwards the key is not seen. The union of the choices
// that see it is compared with the masks that attention can have.
#include "llmir/transforms/raise/Mask.h"

#include "mlir/Analysis/Presburger/PresburgerRelation.h"

namespace llmir::llm::raise {

using namespace mlir;
using presburger::IntegerPolyhedron;
using presburger::PresburgerSet;
using presburger::PresburgerSpace;

namespace {
constexpr double masked = -1e4, points[] = {-3, -1.25, 0.5, 2, 7};
constexpr size_t maxConditions = 8;

using Row = std::array<int64_t, 4>; // of query, key, T and 1

/// Some pairs: all linear rows >= 0 (== 0 for an equality), within 0 <= query, key < T.
PresburgerSet pairs(ArrayRef<Row> atLeast, ArrayRef<Row> equal = {}) {
  IntegerPolyhedron set(PresburgerSpace::getSetSpace(2, 1));
  for (const Row &row : {Row{1, 0, 0, 0}, Row{0, 1, 0, 0}, Row{-1, 0, 1, -1}, Row{0, -1, 1, -1}})
    set.addInequality(row);
  for (const Row &row : atLeast)
    set.addInequality(row);
  for (const Row &row : equal)
    set.addEquality(row);
  return PresburgerSet(set);
}

PresburgerSet causal() { return pairs({{1, -1, 0, 0}}); }
PresburgerSet window(int64_t size) { return pairs({{1, -1, 0, 0}, {-1, 1, 0, size - 1}}); }

class MaskReader {
public:
  MaskReader(Raiser &raiser, Expr dot, AffineExpr query, AffineExpr key)
      : raiser(raiser), algebra(raiser.algebra), dot(dot), query(query), key(key) {}
  std::optional<Scores> read(Expr x);

private:
  struct Condition {
    Expr expression;
    PresburgerSet holds;
    double yes, no; ///< what the expression is where it holds, and where not
  };
  std::optional<Row> row(AffineExpr index);
  std::optional<PresburgerSet> comparison(Expr x);
  bool addTable(Expr x);
  bool collect(Expr x);
  std::optional<Scores> fit(ArrayRef<double> values, Expr x, DenseMap<Expr, double> leaves);

  Raiser &raiser;
  Algebra &algebra;
  Expr dot;
  AffineExpr query, key;
  std::vector<Condition> conditions;
  SmallVector<int64_t> windows; // sizes that the conditions may be about
};

std::optional<Row> MaskReader::row(AffineExpr index) {
  Linear sum = algebra.space.linear(index);
  Row result{0, 0, 0, sum.constant};
  for (auto [atom, times] : sum.terms) {
    int place = atom == query ? 0 : atom == key ? 1 : atom == algebra.space.tokens() ? 2 : -1;
    if (place < 0 || std::abs(times) > INT32_MAX)
      return std::nullopt;
    result[place] = times;
  }
  if (std::abs(sum.constant) > INT32_MAX)
    return std::nullopt;
  for (int64_t near : {-1, 0, 1, 2})
    windows.push_back(std::abs(sum.constant) + near);
  return result;
}

std::optional<PresburgerSet> MaskReader::comparison(Expr x) {
  auto left = algebra.asIndex(x->args[0]), right = algebra.asIndex(x->args[1]);
  auto distance = left && right ? row(algebra.space.normal(*right - *left)) : std::nullopt;
  if (!distance)
    return std::nullopt;
  if (x->is(Kind::Equal))
    return pairs({}, {*distance});
  if (x->is(Kind::Less))
    --(*distance)[3];
  return pairs({*distance});
}

/// A table by query and key has two values, one of them where a causal or windowed mask sees.
bool MaskReader::addTable(Expr x) {
  auto table = cast<DenseElementsAttr>(Attribute::getFromOpaquePointer(x->data));
  ArrayRef<int64_t> shape = table.getType().getShape();
  int64_t base = 0, queryStride = 0, keyStride = 0, queries = 0, keys = 0, stride = 1;
  for (int64_t dim = table.getType().getRank() - 1; dim >= 0; --dim) {
    if (x->args[dim] == algebra.index(query)) {
      queryStride = stride;
      queries = shape[dim];
    } else if (x->args[dim] == algebra.index(key)) {
      keyStride = stride;
      keys = shape[dim];
    } else if (Expr at = x->args[dim]; at->is(Kind::Number) && at->number >= 0 &&
                                       at->number < static_cast<double>(shape[dim])) {
      base += static_cast<int64_t>(x->args[dim]->number) * stride;
    } else {
      return false;
    }
    stride *= shape[dim];
  }
  if (!queryStride || !keyStride || queries < 2 || keys < 2)
    return false;
  auto at = [&](int64_t i, int64_t j) {
    return elementOf(table, base + i * queryStride + j * keyStride);
  };
  double sees = at(0, 0), hides = at(0, 1);
  int64_t size = 1;
  while (size < queries && at(size, 0) == sees)
    ++size;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j)
      if (at(i, j) != (j <= i && j > i - size ? sees : hides))
        return false;
  bool isCausal = size >= queries;
  windows.push_back(size);
  conditions.push_back({x, isCausal ? causal() : window(size), sees, hides});
  return true;
}

bool MaskReader::collect(Expr x) {
  bool isGood = true;
  DenseSet<Expr> seen;
  auto visit = [&](auto &self, Expr node) -> void {
    if (!isGood || node == dot || !seen.insert(node).second)
      return;
    if (node->is(Kind::Less) || node->is(Kind::LessEqual) || node->is(Kind::Equal)) {
      if (auto set = comparison(node)) {
        conditions.push_back({node, *set, 1, 0});
        return;
      }
    }
    if (node->is(Kind::Load) || node->is(Kind::Index) || node->is(Kind::Opaque) ||
        node->is(Kind::Sum)) {
      if (node->is(Kind::Load) && node->base == Base::Table && addTable(node))
        return;
      isGood = false;
      if (auto *op = static_cast<Operation *>(const_cast<void *>(node->data));
          op && node->is(Kind::Opaque)) {
        std::string where;
        llvm::raw_string_ostream(where) << op->getLoc();
        raiser.refuse("the mask of attention is computed with '" + op->getName().getStringRef() +
                      "' in a way that raising does not know (" + where + ")");
      }
    }
    for (Expr arg : node->args)
      self(self, arg);
  };
  visit(visit, x);
  if (!isGood)
    raiser.refuse("the scores of attention have more in them than dot products and a mask by "
                  "position: a mask from data, "
                  "or a bias; export without attention_mask");
  else if (conditions.size() > maxConditions)
    raiser.refuse("a mask of more than " + Twine(maxConditions) + " conditions");
  return raiser.reason.empty();
}

std::optional<Scores> MaskReader::fit(ArrayRef<double> values, Expr x,
                                      DenseMap<Expr, double> leaves) {
  auto at = [&](double value) {
    leaves[dot] = value;
    return algebra.evaluate(x, leaves).value_or(std::nan(""));
  };
  auto agrees = [&](auto f) {
    return llvm::all_of(llvm::zip(points, values), [&](auto pair) {
      double expected = f(std::get<0>(pair));
      return std::fabs(std::get<1>(pair) - expected) <= 1e-6 * (1e-3 + std::fabs(expected));
    });
  };
  Scores scores;
  double offset = at(0), limit = at(1e30) - offset;
  scores.scale = (at(1e-6) - offset) * 1e6;
  double slope = at(1) - offset;
  if (agrees([&](double dot) { return slope * dot + offset; })) {
    scores.scale = slope;
    return scores;
  }
  if (!(limit > 0) || !std::isfinite(limit) || offset != 0 ||
      !agrees([&](double dot) { return limit * std::tanh(scores.scale * dot / limit); })) {
    raiser.refuse("the scores of attention are neither scaled nor softly capped dot products");
    return std::nullopt;
  }
  scores.softcap = limit;
  return scores;
}

std::optional<Scores> MaskReader::read(Expr x) {
  if (!collect(x))
    return std::nullopt;
  PresburgerSet sees = PresburgerSet::getEmpty(PresburgerSpace::getSetSpace(2, 1));
  SmallVector<double> function;
  std::optional<Scores> scores;
  for (unsigned choice = 0; choice < 1u << conditions.size(); ++choice) {
    PresburgerSet where = pairs({});
    DenseMap<Expr, double> leaves;
    for (auto [number, condition] : llvm::enumerate(conditions)) {
      bool holds = choice >> number & 1;
      where = where.intersect(holds ? condition.holds : condition.holds.complement());
      leaves[condition.expression] = holds ? condition.yes : condition.no;
    }
    if (where.isIntegerEmpty())
      continue;
    SmallVector<double> values;
    for (double point : points) {
      leaves[dot] = point;
      values.push_back(algebra.evaluate(x, leaves).value_or(std::nan("")));
    }
    if (llvm::all_of(values, [](double value) { return value <= masked; }))
      continue;
    sees = sees.unionSet(where);
    if (scores && values == function)
      continue;
    if (scores) {
      raiser.refuse("the mask of attention gives different finite scores: only 0 and values up to "
                    "-10000 can be raised");
      return std::nullopt;
    }
    function = values;
    if (!(scores = fit(values, x, leaves)))
      return std::nullopt;
  }
  if (scores && sees.isEqual(causal()))
    return scores;
  llvm::sort(windows);
  windows.erase(llvm::unique(windows), windows.end());
  for (int64_t size : windows)
    if (scores && size > 0 && sees.isEqual(window(size))) {
      scores->window = size;
      return scores;
    }
  raiser.refuse(sees.isEqual(pairs({}))
                    ? "attention without a mask: only causal attention can be raised"
                    : "the mask of attention is neither causal nor a causal window");
  return std::nullopt;
}
} // namespace

std::optional<Scores> readScores(Raiser &raiser, Expr x, Expr dot, AffineExpr query,
                                 AffineExpr key) {
  return MaskReader(raiser, dot, query, key).read(x);
}

} // namespace llmir::llm::raise
