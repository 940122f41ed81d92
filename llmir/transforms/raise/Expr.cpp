// How expressions are made, rewritten and evaluated.
#include "llmir/transforms/raise/Expr.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseSet.h"
#include <cmath>

namespace llmir::llm::raise {

using namespace mlir;

namespace {
constexpr unsigned maxDepth = 1000; // of recursion over an expression
constexpr size_t maxArgs = 1024, maxNodes = size_t(1) << 23;
constexpr int64_t maxCoefficient = int64_t(1) << 40;

bool isSmallInteger(double value) {
  return value == std::floor(value) && std::fabs(value) < 0x1p31;
}

} // namespace

double elementOf(DenseElementsAttr table, int64_t place) {
  Type type = table.getElementType();
  if (isa<FloatType>(type)) {
    APFloat value =
        table.isSplat() ? table.getSplatValue<APFloat>() : table.getValues<APFloat>()[place];
    bool loses;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    return value.convertToDouble();
  }
  APInt value = table.isSplat() ? table.getSplatValue<APInt>() : table.getValues<APInt>()[place];
  return type.isInteger(1) ? static_cast<double>(value.getBoolValue())
                           : static_cast<double>(value.getSExtValue());
}
void Node::Profile(llvm::FoldingSetNodeID &id) const {
  id.AddInteger(static_cast<unsigned>(kind));
  id.AddInteger(llvm::bit_cast<uint64_t>(number));
  id.AddPointer(index.getAsOpaquePointer());
  id.AddInteger(static_cast<unsigned>(base));
  id.AddPointer(data);
  for (Expr arg : args)
    id.AddPointer(arg);
}

Expr Algebra::make(Kind kind, ArrayRef<Expr> args, AffineExpr index, double number, Base base,
                   const void *data) {
  Node wanted;
  wanted.kind = kind;
  wanted.number = number;
  wanted.index = index;
  wanted.base = base;
  wanted.data = data;
  wanted.args.assign(args.begin(), args.end());
  for (Expr arg : args) {
    wanted.height = std::max(wanted.height, arg->height);
    wanted.depth = std::max(wanted.depth, arg->depth + 1);
  }
  wanted.height += kind == Kind::Sum || kind == Kind::Largest;
  if (wanted.depth > maxDepth || args.size() > maxArgs || storage.size() > maxNodes)
    return opaque(nullptr);
  llvm::FoldingSetNodeID id;
  wanted.Profile(id);
  void *place;
  if (Expr found = nodes.FindNodeOrInsertPos(id, place))
    return found;
  wanted.serial = storage.size();
  storage.push_back(wanted);
  nodes.InsertNode(&storage.back(), place);
  return &storage.back();
}

Expr Algebra::number(double value) { return make(Kind::Number, {}, {}, value == 0 ? 0 : value); }
Expr Algebra::opaque(Operation *op) { return make(Kind::Opaque, {}, {}, 0, Base::None, op); }

Expr Algebra::index(AffineExpr expression) {
  AffineExpr normal = space.normal(expression);
  if (auto constant = dyn_cast<AffineConstantExpr>(normal))
    return number(static_cast<double>(constant.getValue()));
  return make(Kind::Index, {}, normal);
}

std::optional<AffineExpr> Algebra::asIndex(Expr x) {
  if (x->is(Kind::Index))
    return x->index;
  if (x->is(Kind::Number) && isSmallInteger(x->number))
    return space.constant(static_cast<int64_t>(x->number));
  return std::nullopt;
}

Expr Algebra::load(Base base, const void *data, ArrayRef<Expr> indices) {
  if (base == Base::Table) {
    auto table = cast<DenseElementsAttr>(Attribute::getFromOpaquePointer(data));
    if (table.isSplat())
      return number(elementOf(table, 0));
    int64_t place = 0;
    bool isKnown = true;
    for (auto [position, extent] : llvm::zip(indices, table.getType().getShape())) {
      isKnown &= position->is(Kind::Number);
      if (isKnown && !(position->number >= 0 && position->number < static_cast<double>(extent)))
        return number(std::nan("")); // a branch that is not taken
      place = isKnown ? place * extent + static_cast<int64_t>(position->number) : 0;
    }
    if (isKnown)
      return number(elementOf(table, place));
  }
  return make(Kind::Load, indices, {}, 0, base, data);
}

Expr Algebra::add(ArrayRef<Expr> args) {
  double constant = 0;
  AffineExpr position = space.constant(0);
  SmallVector<Expr> rest;
  auto take = [&](Expr arg) {
    if (arg->is(Kind::Number))
      constant += arg->number;
    else if (arg->is(Kind::Index))
      position = position + arg->index;
    else
      rest.push_back(arg);
  };
  for (Expr arg : args)
    if (arg->is(Kind::Add))
      llvm::for_each(arg->args, take);
    else
      take(arg);
  Expr whole = index(position);
  if (whole->is(Kind::Number) || isSmallInteger(constant)) {
    Expr sum = whole->is(Kind::Number) ? number(whole->number + constant)
                                       : index(position + static_cast<int64_t>(constant));
    if (!sum->isNumber(0))
      rest.push_back(sum);
  } else {
    rest.append({whole, number(constant)});
  }
  if (rest.empty())
    return number(0);
  if (rest.size() == 1)
    return rest[0];
  llvm::sort(rest, [](Expr a, Expr b) { return a->serial < b->serial; });
  return make(Kind::Add, rest);
}

Expr Algebra::mul(ArrayRef<Expr> args) {
  double constant = 1;
  SmallVector<Expr> rest;
  auto take = [&](Expr arg) {
    if (arg->is(Kind::Number))
      constant *= arg->number;
    else
      rest.push_back(arg);
  };
  for (Expr arg : args)
    if (arg->is(Kind::Mul))
      llvm::for_each(arg->args, take);
    else
      take(arg);
  if (rest.empty() || constant == 0)
    return number(constant);
  if (rest.size() == 1 && constant == 1)
    return rest[0];
  if (rest.size() == 1 && rest[0]->is(Kind::Index) && isSmallInteger(constant)) {
    auto times = static_cast<int64_t>(constant);
    Linear sum = space.linear(rest[0]->index);
    bool fits = llvm::all_of(sum.terms, [&](auto &term) {
      return std::abs(term.second) < maxCoefficient / (std::abs(times) + 1);
    });
    if (fits && std::abs(sum.constant) < maxCoefficient / (std::abs(times) + 1))
      return index(rest[0]->index * times);
  }
  if (constant != 1)
    rest.push_back(number(constant));
  llvm::sort(rest, [](Expr a, Expr b) { return a->serial < b->serial; });
  return make(Kind::Mul, rest);
}

Expr Algebra::recip(Expr x) {
  if (x->is(Kind::Number))
    return number(1 / x->number);
  if (x->is(Kind::Recip))
    return x->args[0];
  if (!x->is(Kind::Mul))
    return make(Kind::Recip, {x});
  SmallVector<Expr> each;
  for (Expr factor : x->args)
    each.push_back(recip(factor));
  return mul(each);
}

std::optional<double> compute(Kind kind, ArrayRef<double> args) {
  switch (kind) {
  case Kind::Add: {
    double sum = 0;
    for (double arg : args)
      sum += arg;
    return sum;
  }
  case Kind::Mul: {
    double product = 1;
    for (double arg : args)
      product *= arg;
    return product;
  }
  case Kind::Recip:
    return 1 / args[0];
  case Kind::Max:
    return std::max(args[0], args[1]);
  case Kind::Min:
    return std::min(args[0], args[1]);
  case Kind::Exp:
    return std::exp(args[0]);
  case Kind::Log:
    return std::log(args[0]);
  case Kind::Tanh:
    return std::tanh(args[0]);
  case Kind::Erf:
    return std::erf(args[0]);
  case Kind::Sqrt:
    return std::sqrt(args[0]);
  case Kind::Sin:
    return std::sin(args[0]);
  case Kind::Cos:
    return std::cos(args[0]);
  case Kind::Abs:
    return std::fabs(args[0]);
  case Kind::Less:
    return args[0] < args[1];
  case Kind::LessEqual:
    return args[0] <= args[1];
  case Kind::Equal:
    return args[0] == args[1];
  case Kind::Select:
    return args[0] != 0 ? args[1] : args[2];
  default:
    return std::nullopt;
  }
}

Expr Algebra::apply(Kind kind, ArrayRef<Expr> args) {
  if (llvm::all_of(args, [](Expr arg) { return arg->is(Kind::Number); })) {
    SmallVector<double> values;
    for (Expr arg : args)
      values.push_back(arg->number);
    if (auto value = compute(kind, values))
      return number(*value);
  }
  if (kind == Kind::Less || kind == Kind::LessEqual || kind == Kind::Equal) {
    auto left = asIndex(args[0]), right = asIndex(args[1]);
    if (left && right) {
      Bounds distance = space.bounds(space.linear(*right - *left));
      int64_t least = kind == Kind::Less ? 1 : 0;
      if (kind == Kind::Equal) {
        if ((distance.low && *distance.low > 0) || (distance.high && *distance.high < 0))
          return number(0);
      } else if (distance.low && *distance.low >= least) {
        return number(1);
      } else if (distance.high && *distance.high < least) {
        return number(0);
      }
    }
  }
  return make(kind, args);
}

Expr Algebra::select(Expr condition, Expr yes, Expr no) {
  if (condition->is(Kind::Number))
    return condition->number != 0 ? yes : no;
  // A concatenation that starts with what the rest would be at 0, such as [-1] and [0, 1, ...].
  if (auto first = asIndex(yes), rest = asIndex(no); first && rest && condition->is(Kind::Less) &&
                                                     condition->args[0]->is(Kind::Index) &&
                                                     condition->args[1]->isNumber(1))
    if (AffineExpr at = condition->args[0]->index; isa<AffineDimExpr>(at))
      if (space.normal(rest->replace(at, space.constant(0))) == space.normal(*first))
        return no;
  return yes == no ? yes : make(Kind::Select, {condition, yes, no});
}

Expr Algebra::reduce(Kind kind, AffineExpr variable, Expr body) {
  if (!isa<AffineDimExpr>(variable))
    return body; // over one value
  if (kind == Kind::Sum && body->isNumber(0))
    return body;
  AffineExpr bound = space.variable(Role::Bound, body->height, space.extentOf(variable));
  return make(kind, {substitute(body, {{variable, bound}})}, bound);
}

Expr Algebra::rebuild(Expr x, ArrayRef<Expr> args) {
  switch (x->kind) {
  case Kind::Number:
  case Kind::Index:
  case Kind::Opaque:
    return x;
  case Kind::Load:
    return load(x->base, x->data, args);
  case Kind::Add:
    return add(args);
  case Kind::Mul:
    return mul(args);
  case Kind::Recip:
    return recip(args[0]);
  case Kind::Select:
    return select(args[0], args[1], args[2]);
  case Kind::Sum:
  case Kind::Largest:
    return make(x->kind, args, x->index);
  default:
    return apply(x->kind, args);
  }
}

Expr Algebra::mapIndices(Expr x, llvm::function_ref<AffineExpr(AffineExpr)> change) {
  DenseMap<Expr, Expr> done;
  auto visit = [&](auto &self, Expr node) -> Expr {
    if (auto found = done.find(node); found != done.end())
      return found->second;
    Expr result = node;
    if (node->is(Kind::Index)) {
      result = index(change(node->index));
    } else if (!node->args.empty()) {
      SmallVector<Expr> args;
      for (Expr arg : node->args)
        args.push_back(self(self, arg));
      result = ArrayRef(args) == ArrayRef(node->args) ? node : rebuild(node, args);
    }
    done[node] = result;
    return result;
  };
  return visit(visit, x);
}

Expr Algebra::substitute(Expr x, const Substitution &values) {
  DenseMap<AffineExpr, AffineExpr> map;
  for (auto [from, to] : values)
    if (from != to)
      map[from] = to;
  return map.empty() ? x : mapIndices(x, [&](AffineExpr index) { return index.replace(map); });
}

bool Algebra::contains(Expr x, llvm::function_ref<bool(Expr)> test) {
  DenseSet<Expr> seen;
  auto visit = [&](auto &self, Expr node) -> bool {
    return seen.insert(node).second &&
           (test(node) || llvm::any_of(node->args, [&](Expr arg) { return self(self, arg); }));
  };
  return visit(visit, x);
}

bool Algebra::dependsOn(Expr x, AffineExpr variable) {
  auto dim = dyn_cast<AffineDimExpr>(variable);
  return dim && contains(x, [&](Expr node) {
           return node->is(Kind::Index) && node->index.isFunctionOfDim(dim.getPosition());
         });
}

std::optional<double> Algebra::evaluate(Expr x, const DenseMap<Expr, double> &leaves) {
  DenseMap<Expr, std::optional<double>> done;
  auto visit = [&](auto &self, Expr node) -> std::optional<double> {
    if (auto found = leaves.find(node); found != leaves.end())
      return found->second;
    if (node->is(Kind::Number))
      return node->number;
    if (auto found = done.find(node); found != done.end())
      return found->second;
    std::optional<double> result;
    if (node->is(Kind::Select)) { // only the branch that is taken need have a value
      if (auto condition = self(self, node->args[0]))
        result = self(self, node->args[*condition != 0 ? 1 : 2]);
    } else if (!node->args.empty()) {
      SmallVector<double> values;
      for (Expr arg : node->args)
        if (auto value = self(self, arg))
          values.push_back(*value);
      if (values.size() == node->args.size())
        result = compute(node->kind, values);
    }
    done[node] = result;
    return result;
  };
  return visit(visit, x);
}

} // namespace llmir::llm::raise
