// Element-wise code between other ops, by what it computes: its values at some points are compared
// with those of the dialect's ops, so that x * sigmoid(x) and x / (1 + exp(-x)) are the same.
#include "llmir/transforms/raise/Raiser.h"

namespace llmir::llm::raise {

using namespace mlir;

namespace {
constexpr double samples[] = {-9.5, -4.25, -2.125, -1,   -0.375, -0.01,
                              0.02, 0.5,   0.875,  1.75, 3.5,    8};

double activate(Activation activation, double x) {
  switch (activation) {
  case Activation::Silu:
    return x / (1 + std::exp(-x));
  case Activation::Gelu:
    return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
  case Activation::GeluTanh:
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case Activation::Relu:
    return std::max(x, 0.0);
  }
  return 0;
}

/// Constants of the graph may be f32.
bool isClose(std::optional<double> a, double b) {
  return a && std::fabs(*a - b) <= 2e-7 * (1 + std::fabs(b));
}

/// The loads of rows that x is an element-wise function of; nothing if there is more in it.
std::optional<SmallVector<Expr>> atomsOf(Algebra &algebra, Expr x) {
  SmallVector<Expr> atoms;
  bool isStrange = algebra.contains(x, [&](Expr node) {
    if (node->is(Kind::Load) && node->base == Base::Rows)
      atoms.push_back(node);
    return node->is(Kind::Sum) || node->is(Kind::Largest) || node->is(Kind::Opaque) ||
           (node->is(Kind::Load) && node->base != Base::Rows);
  });
  return isStrange ? std::nullopt : std::optional(atoms);
}

template <typename F> bool agrees(Algebra &algebra, Expr x, Expr atom, F f) {
  return llvm::all_of(samples,
                      [&](double at) { return isClose(algebra.evaluate(x, {{atom, at}}), f(at)); });
}

Value ofOne(Raiser &raiser, Expr x, Expr atom, int64_t columns) {
  Algebra &algebra = raiser.algebra;
  OpBuilder &b = raiser.builder;
  auto input = [&] { return raiser.rows(atom, columns); };
  for (auto kind : {Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::Relu})
    if (agrees(algebra, x, atom, [&](double at) { return activate(kind, at); })) {
      Value from = input();
      return from ? ActivateOp::create(b, raiser.loc, from.getType(), kind, from) : Value();
    }
  auto limit = algebra.evaluate(x, {{atom, 1e30}});
  constexpr double small = 1e-9;
  auto slope = algebra.evaluate(x, {{atom, small}});
  if (!limit || !slope || !(*limit > 0) || *limit > 1e20)
    return {};
  double scale = *slope / small;
  if (!agrees(algebra, x, atom, [&](double at) { return *limit * std::tanh(scale * at / *limit); }))
    return {};
  Value from = input();
  if (from && std::fabs(scale - 1) > 1e-6)
    from = ScaleOp::create(b, raiser.loc, from.getType(), from, b.getF64FloatAttr(scale));
  return from ? SoftcapOp::create(b, raiser.loc, from.getType(), from, b.getF64FloatAttr(*limit))
              : Value();
}

Value ofTwo(Raiser &raiser, Expr x, Expr gate, Expr up, int64_t columns) {
  for (auto kind : {Activation::Silu, Activation::Gelu, Activation::GeluTanh, Activation::Relu}) {
    bool isGlu = llvm::all_of(samples, [&](double at) {
      return isClose(raiser.algebra.evaluate(x, {{gate, at}, {up, 1.5}}),
                     activate(kind, at) * 1.5) &&
             isClose(raiser.algebra.evaluate(x, {{gate, at}, {up, -3}}), activate(kind, at) * -3);
    });
    if (!isGlu)
      continue;
    Value left = raiser.rows(gate, columns), right = raiser.rows(up, columns);
    return left && right
               ? GluOp::create(raiser.builder, raiser.loc, left.getType(), kind, left, right)
               : Value();
  }
  return {};
}
} // namespace

Value raiseElementwise(Raiser &raiser, Expr x, int64_t columns) {
  Algebra &algebra = raiser.algebra;
  OpBuilder &b = raiser.builder;
  if (auto atoms = atomsOf(algebra, x)) {
    Value made;
    if (atoms->size() == 1 && !x->is(Kind::Load))
      made = ofOne(raiser, x, (*atoms)[0], columns);
    if (atoms->size() == 2)
      for (int gate : {0, 1})
        made = made ? made : ofTwo(raiser, x, (*atoms)[gate], (*atoms)[1 - gate], columns);
    if (made || !raiser.reason.empty())
      return made;
  }
  if (!x->is(Kind::Add) && !x->is(Kind::Mul))
    return {};
  SmallVector<Value> operands;
  double factor = 1;
  for (Expr arg : x->args) {
    if (arg->is(Kind::Number)) {
      if (x->is(Kind::Add))
        return raiser.refuse("a number is added to every element");
      factor = arg->number;
      continue;
    }
    operands.push_back(raiser.rows(arg, columns));
    if (!operands.back())
      return {};
  }
  // In the order of the code, so that the same layer is the same ops, whatever was seen before it.
  llvm::stable_sort(operands, [](Value a, Value b) {
    Operation *left = a.getDefiningOp(), *right = b.getDefiningOp();
    return left && right ? left->isBeforeInBlock(right) : !left && right;
  });
  Value result;
  for (Value each : operands)
    if (!result)
      result = each;
    else if (x->is(Kind::Add))
      result = arith::AddFOp::create(b, raiser.loc, result, each);
    else
      result = arith::MulFOp::create(b, raiser.loc, result, each);
  return factor == 1
             ? result
             : ScaleOp::create(b, raiser.loc, result.getType(), result, b.getF64FloatAttr(factor));
}

} // namespace llmir::llm::raise
