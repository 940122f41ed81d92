// See the header.
#include "llmir/formats/chat_template/Evaluator.h"
#include "llmir/formats/chat_template/Text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace llmir::jinja {

Evaluator::Evaluator(const ChatTemplate::Limits &limits, Fields globals) : limits(limits) {
  scopes.emplace_back();
  for (auto &[name, value] : globals)
    scopes[0].insert_or_assign(name, std::move(value));
}

std::string Evaluator::render(const Block &block) {
  std::string output;
  run(block, output);
  return output;
}

void Evaluator::step(size_t bytes) {
  steps += 1 + bytes / 64;
  if (steps > limits.steps)
    throw Failure{fmt::format("the template takes more than {} steps", limits.steps)};
}

Value Evaluator::text(std::string text) {
  if (text.size() > limits.outputBytes)
    throw Failure{fmt::format("a text is longer than {} bytes", limits.outputBytes)};
  step(text.size());
  return Value(std::move(text));
}

Value Evaluator::list(Values items, bool tuple) {
  step(items.size() * 64);
  return Value::list(std::move(items), tuple);
}

void Evaluator::emit(std::string &output, std::string_view part) {
  step(part.size());
  if (output.size() + part.size() > limits.outputBytes)
    throw Failure{fmt::format("the output is longer than {} bytes", limits.outputBytes)};
  output += part;
}

Value Evaluator::lookUp(const std::string &name) const {
  for (size_t i = scopes.size(); i-- > 0;)
    if (auto found = scopes[i].find(name); found != scopes[i].end())
      return found->second;
  return Value::undefined(name);
}

void Evaluator::assign(const Expression &target, Value value) {
  if (target.kind == ExpressionKind::Name) {
    scopes.back().insert_or_assign(target.name, std::move(value));
  } else if (target.kind == ExpressionKind::Tuple) {
    Values items = iterate(value);
    if (items.size() != target.items.size())
      throw Failure{fmt::format("{} values can not be unpacked into {} names", items.size(),
                                target.items.size())};
    for (size_t i = 0; i < items.size(); ++i)
      assign(*target.items[i], std::move(items[i]));
  } else {
    const Value owner = lookUp(target.items[0]->name);
    Dict *space = owner.dict();
    if (!space || !space->isNamespace)
      throw Failure{fmt::format("'{}' is no namespace: its attributes can not be set",
                                target.items[0]->name)};
    if (target.name.starts_with("_"))
      throw Failure{fmt::format("a namespace takes no attribute named '{}'", target.name)};
    Value::list({value}); // checks what may be held
    for (auto &[key, held] : space->fields)
      if (key == target.name) {
        held = std::move(value);
        return;
      }
    space->fields.emplace_back(target.name, std::move(value));
  }
}

Evaluator::Flow Evaluator::run(const Block &block, std::string &output) {
  for (const Statement &statement : block) {
    try {
      step();
      if (Flow flow = run(statement, output); flow != Flow::On)
        return flow;
    } catch (Failure &failure) {
      if (failure.line == 0)
        failure.line = statement.line;
      throw;
    }
  }
  return Flow::On;
}

Evaluator::Flow Evaluator::run(const Statement &statement, std::string &output) {
  const auto over = [&](std::string body) { // a filter chain over a block's text
    scopes.back().insert_or_assign("", text(std::move(body)));
    return statement.value ? evaluate(*statement.value) : lookUp("");
  };
  switch (statement.kind) {
  case StatementKind::Text:
    emit(output, statement.text);
    return Flow::On;
  case StatementKind::Print:
    emit(output, toText(evaluate(*statement.value), limits.outputBytes));
    return Flow::On;
  case StatementKind::If:
    for (const auto &[condition, body] : statement.branches)
      if (evaluate(*condition).truthy())
        return run(body, output);
    return run(statement.otherwise, output);
  case StatementKind::For:
    return runFor(statement, output);
  case StatementKind::Set:
    assign(*statement.target, evaluate(*statement.value));
    return Flow::On;
  case StatementKind::SetBlock: {
    std::string body;
    scopes.emplace_back();
    run(statement.body, body);
    Value value = over(std::move(body));
    scopes.pop_back();
    assign(*statement.target, std::move(value));
    return Flow::On;
  }
  case StatementKind::Macro:
    scopes.back().insert_or_assign(statement.text, macro(statement, false));
    return Flow::On;
  case StatementKind::Call: {
    const Value caller = macro(statement, true);
    emit(output, toText(call(*statement.value, &caller), limits.outputBytes));
    return Flow::On;
  }
  case StatementKind::Filter: {
    std::string body;
    scopes.emplace_back();
    run(statement.body, body);
    Value value = over(std::move(body));
    scopes.pop_back();
    emit(output, toText(value, limits.outputBytes));
    return Flow::On;
  }
  case StatementKind::With: {
    Scope scope;
    for (const auto &[name, value] : statement.assignments)
      scope.insert_or_assign(name, evaluate(*value));
    scopes.push_back(std::move(scope));
    const Flow flow = run(statement.body, output);
    scopes.pop_back();
    return flow;
  }
  case StatementKind::Scope: {
    scopes.emplace_back();
    const Flow flow = run(statement.body, output);
    scopes.pop_back();
    return flow;
  }
  case StatementKind::Break:
    return Flow::Break;
  case StatementKind::Continue:
    return Flow::Continue;
  }
  return Flow::On;
}

Evaluator::Flow Evaluator::runFor(const Statement &statement, std::string &output) {
  Values items = iterate(evaluate(*statement.value));
  step(items.size() * 64);
  if (statement.condition) {
    Values kept;
    scopes.emplace_back();
    for (Value &item : items) {
      assign(*statement.target, item);
      if (evaluate(*statement.condition).truthy())
        kept.push_back(std::move(item));
    }
    scopes.pop_back();
    items = std::move(kept);
  }
  if (items.empty())
    return run(statement.otherwise, output);
  const int64_t count = int64_t(items.size());
  for (int64_t i = 0; i < count; ++i) {
    step();
    scopes.emplace_back();
    assign(*statement.target, items[i]);
    Fields loop = {{"index", i + 1},        {"index0", i},
                   {"revindex", count - i}, {"revindex0", count - i - 1},
                   {"first", i == 0},       {"last", i + 1 == count},
                   {"length", count},       {"depth", int64_t(1)},
                   {"depth0", int64_t(0)}};
    const auto hold = [&](const char *name, int64_t index) {
      const bool there =
          index >= 0 && index < count && !(items[index].dict() && items[index].dict()->isNamespace);
      loop.emplace_back(name, there ? items[index] : Value::undefined(name));
    };
    hold("previtem", i - 1);
    hold("nextitem", i + 1);
    loop.emplace_back("cycle", Value::function([i](Arguments &given) {
                        if (given.positional.empty())
                          throw Failure{"loop.cycle needs values"};
                        return given.positional[i % given.positional.size()];
                      }));
    scopes.back().insert_or_assign("loop", Value::dict(std::move(loop)));
    const Flow flow = run(statement.body, output);
    scopes.pop_back();
    if (flow == Flow::Break)
      break;
  }
  return Flow::On;
}

Value Evaluator::macro(const Statement &statement, bool insideCall) {
  // A macro sees the template's own names, the body of a call block also those around it: but
  // never those of whoever calls.
  std::vector<Scope> around;
  if (insideCall)
    around.assign(scopes.begin() + 1, scopes.end());
  for (const Scope &scope : around)
    step(scope.size() * 64);
  return Value::function([this, &statement, around = std::move(around)](Arguments &given) {
    if (++calls > limits.callDepth)
      throw Failure{fmt::format("macros call each other deeper than {}", limits.callDepth)};
    std::vector<Scope> outer(std::make_move_iterator(scopes.begin() + 1),
                             std::make_move_iterator(scopes.end()));
    scopes.resize(1);
    scopes.insert(scopes.end(), around.begin(), around.end());
    scopes.emplace_back();
    if (given.positional.size() > statement.parameters.size())
      scopes.back()["varargs"] =
          list(Values(given.positional.begin() + long(statement.parameters.size()),
                      given.positional.end()),
               true);
    for (size_t i = 0; i < statement.parameters.size(); ++i) {
      const Parameter &parameter = statement.parameters[i];
      const Value *value = given.get(i, parameter.name);
      scopes.back()[parameter.name] = value                 ? *value
                                      : parameter.byDefault ? evaluate(*parameter.byDefault)
                                                            : Value::undefined(parameter.name);
    }
    for (const auto &[name, value] : given.named)
      if (std::ranges::none_of(statement.parameters,
                               [&](const auto &p) { return p.name == name; })) {
        if (name != "caller")
          throw Failure{fmt::format("macro '{}' takes no argument '{}'", statement.text, name)};
        scopes.back()["caller"] = value;
      }
    std::string output;
    run(statement.body, output);
    scopes.resize(1);
    for (Scope &scope : outer)
      scopes.push_back(std::move(scope));
    --calls;
    return text(std::move(output));
  });
}

Arguments Evaluator::arguments(const Expression &expression) {
  Arguments result;
  for (size_t i = 1; i < expression.items.size(); ++i)
    result.positional.push_back(evaluate(*expression.items[i]));
  for (const auto &[name, value] : expression.named)
    result.named.emplace_back(name, evaluate(*value));
  return result;
}

Value Evaluator::call(const Expression &expression, const Value *caller) {
  const Expression &callee = *expression.items[0];
  const Value target = evaluate(callee);
  if (target.isUndefined())
    throw Failure{
        fmt::format("'{}' is undefined and can not be called", target.as<Undefined>()->name)};
  if (!target.function())
    throw Failure{fmt::format("a value of type {} can not be called", target.typeName())};
  Arguments given = arguments(expression);
  if (caller)
    given.named.emplace_back("caller", *caller);
  return (*target.function())(given);
}

Value Evaluator::evaluate(const Expression &expression) {
  step();
  try {
    return evaluateAny(expression);
  } catch (Failure &failure) {
    if (failure.line == 0)
      failure.line = expression.line;
    throw;
  }
}

Value Evaluator::evaluateAny(const Expression &expression) {
  const auto &items = expression.items;
  switch (expression.kind) {
  case ExpressionKind::Literal:
    return expression.literal;
  case ExpressionKind::Name:
    return lookUp(expression.name);
  case ExpressionKind::List:
  case ExpressionKind::Tuple: {
    Values values;
    for (const auto &each : items)
      values.push_back(evaluate(*each));
    return list(std::move(values), expression.kind == ExpressionKind::Tuple);
  }
  case ExpressionKind::Dict: {
    Fields fields;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const Value key = evaluate(*items[i]);
      Value value = evaluate(*items[i + 1]);
      const std::string name = toText(key, limits.outputBytes);
      auto known = std::ranges::find(fields, name, [](const auto &field) { return field.first; });
      if (known != fields.end())
        known->second = std::move(value);
      else
        fields.emplace_back(name, std::move(value));
    }
    return Value::dict(std::move(fields));
  }
  case ExpressionKind::Attribute:
    return attribute(evaluate(*items[0]), expression.name);
  case ExpressionKind::Item:
    return item(evaluate(*items[0]), evaluate(*items[1]));
  case ExpressionKind::Slice:
    return slice(expression);
  case ExpressionKind::Call:
    return call(expression, nullptr);
  case ExpressionKind::Filter: {
    Arguments given = arguments(expression);
    return filter(expression.name, evaluate(*items[0]), given);
  }
  case ExpressionKind::Test: {
    Arguments given = arguments(expression);
    return test(expression.name, evaluate(*items[0]), given) != expression.negated;
  }
  case ExpressionKind::Unary: {
    const Value value = evaluate(*items[0]);
    if (expression.name == "not")
      return !value.truthy();
    if (!value.isNumber())
      throw Failure{fmt::format("'{}' needs a number, not {}", expression.name, value.typeName())};
    if (expression.name == "+")
      return value;
    return value.integral() ? Value(int64_t(0 - uint64_t(value.integer())))
                            : Value(-value.number());
  }
  case ExpressionKind::Binary:
    return binary(expression);
  case ExpressionKind::Compare: {
    Value left = evaluate(*items[0]);
    for (size_t i = 0; i < expression.operators.size(); ++i) {
      Value right = evaluate(*items[i + 1]);
      if (!compare(expression.operators[i], left, right))
        return false;
      left = std::move(right);
    }
    return true;
  }
  case ExpressionKind::Choice:
    if (evaluate(*items[1]).truthy())
      return evaluate(*items[0]);
    return items[2] ? evaluate(*items[2]) : Value();
  }
  return Value();
}

bool Evaluator::compare(const std::string &op, const Value &left, const Value &right) {
  if (const std::string *text = right.string())
    step(text->size() / 16);
  if (right.list())
    step(right.list()->items.size() * 16);
  if (op == "==" || op == "!=")
    return equal(left, right) == (op == "==");
  if (op == "in" || op == "not in")
    return contains(right, left) == (op == "in");
  if (op == "<")
    return less(left, right);
  if (op == ">")
    return less(right, left);
  return op == "<=" ? less(left, right) || equal(left, right)
                    : less(right, left) || equal(left, right);
}

static Value integerOperation(const std::string &op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (op == "+")
    overflow = __builtin_add_overflow(a, b, &result);
  else if (op == "-")
    overflow = __builtin_sub_overflow(a, b, &result);
  else if (op == "*")
    overflow = __builtin_mul_overflow(a, b, &result);
  else if (op == "**") {
    if (b < 0)
      return std::pow(double(a), double(b));
    result = 1;
    for (int64_t i = 0; i < b && !overflow && result != 0 && !(a == 1); ++i) {
      if (a == -1)
        return int64_t(b % 2 ? -1 : 1);
      overflow = __builtin_mul_overflow(result, a, &result);
    }
  } else {
    if (b == 0)
      throw Failure{"division by zero"};
    if (op == "/")
      return double(a) / double(b);
    if (b == -1)
      return op == "%" ? int64_t(0) : integerOperation("-", 0, a);
    const bool uneven = a % b != 0 && (a < 0) != (b < 0);
    result = op == "//" ? a / b - uneven : a % b + (uneven ? b : 0);
  }
  if (overflow)
    throw Failure{fmt::format("the result of {} {} {} does not fit 64 bits", a, op, b)};
  return result;
}

static Value floatOperation(const std::string &op, double a, double b) {
  if (op == "+")
    return a + b;
  if (op == "-")
    return a - b;
  if (op == "*")
    return a * b;
  if (op == "**")
    return std::pow(a, b);
  if (b == 0)
    throw Failure{"division by zero"};
  if (op == "/")
    return a / b;
  return op == "//" ? std::floor(a / b) : a - b * std::floor(a / b);
}

Value Evaluator::binary(const Expression &expression) {
  const std::string &op = expression.name;
  const Value left = evaluate(*expression.items[0]);
  if (op == "and" || op == "or")
    return left.truthy() == (op == "or") ? left : evaluate(*expression.items[1]);
  const Value right = evaluate(*expression.items[1]);
  if (op == "~")
    return text(toText(left, limits.outputBytes) + toText(right, limits.outputBytes));
  for (const Value *side : {&left, &right})
    if (side->isUndefined())
      throw Failure{fmt::format("'{}' is undefined", side->as<Undefined>()->name)};
  if (op == "+" && left.string() && right.string())
    return text(*left.string() + *right.string());
  if (op == "+" && left.list() && right.list() && left.list()->tuple == right.list()->tuple) {
    Values items = left.list()->items;
    items.insert(items.end(), right.list()->items.begin(), right.list()->items.end());
    return list(std::move(items), left.list()->tuple);
  }
  if (op == "*" && (left.integral() != right.integral())) {
    const Value &sequence = left.integral() ? right : left;
    const int64_t count = std::max<int64_t>(0, (left.integral() ? left : right).integer());
    if (sequence.string() || sequence.list()) {
      const size_t size =
          sequence.string() ? sequence.string()->size() : sequence.list()->items.size();
      if (size > 0 && uint64_t(count) > limits.outputBytes / size)
        throw Failure{fmt::format("a repeated value is longer than {}", limits.outputBytes)};
      step(size * size_t(count) * (sequence.list() ? 64 : 1));
      std::string repeated;
      Values items;
      for (int64_t i = 0; i < count && size > 0; ++i) {
        if (sequence.string())
          repeated += *sequence.string();
        else
          items.insert(items.end(), sequence.list()->items.begin(), sequence.list()->items.end());
      }
      return sequence.string() ? text(std::move(repeated))
                               : list(std::move(items), sequence.list()->tuple);
    }
  }
  if (!left.isNumber() || !right.isNumber())
    throw Failure{
        fmt::format("'{}' can not combine {} and {}", op, left.typeName(), right.typeName())};
  return left.integral() && right.integral() ? integerOperation(op, left.integer(), right.integer())
                                             : floatOperation(op, left.number(), right.number());
}

Value Evaluator::slice(const Expression &expression) {
  const Value value = evaluate(*expression.items[0]);
  std::optional<int64_t> parts[3];
  for (int i = 0; i < 3; ++i)
    if (expression.items[size_t(i) + 1]) {
      const Value part = evaluate(*expression.items[size_t(i) + 1]);
      if (part.integral())
        parts[i] = part.integer();
      else if (!part.isNone())
        throw Failure{fmt::format("a slice needs integers, not {}", part.typeName())};
    }
  if (!value.string() && !value.list())
    throw Failure{fmt::format("a value of type {} can not be sliced", value.typeName())};
  const Values items = iterate(value);
  step(items.size() * 16);
  const int64_t size = int64_t(items.size());
  const int64_t stride =
      std::clamp<int64_t>(parts[2].value_or(1), -(int64_t(1) << 40), int64_t(1) << 40);
  if (stride == 0)
    throw Failure{"a slice can not have the step 0"};
  const auto place = [&](std::optional<int64_t> at, int64_t otherwise) {
    const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? size : size - 1;
    if (!at)
      return otherwise;
    return std::clamp(*at < 0 ? *at + size : *at, low, high);
  };
  const int64_t begin = place(parts[0], stride > 0 ? 0 : size - 1),
                end = place(parts[1], stride > 0 ? size : -1);
  Values picked;
  for (int64_t i = begin; stride > 0 ? i < end : i > end; i += stride)
    picked.push_back(items[size_t(i)]);
  if (value.list())
    return list(std::move(picked), value.list()->tuple);
  std::string joined;
  for (const Value &character : picked)
    joined += *character.string();
  return text(std::move(joined));
}

Value Evaluator::attribute(const Value &value, const std::string &name) {
  if (value.isUndefined())
    throw Failure{fmt::format("'{}' is undefined: it has no attribute '{}'",
                              value.as<Undefined>()->name, name)};
  if (value.dict() && value.dict()->isNamespace) {
    const Value *field = value.field(name);
    return field ? *field : Value::undefined(name);
  }
  if (Value method = methodOf(*this, value, name); !method.isUndefined())
    return method;
  const Value *field = value.field(name);
  return field ? *field : Value::undefined(name);
}

Value Evaluator::item(const Value &value, const Value &key) {
  if (value.isUndefined())
    throw Failure{fmt::format("'{}' is undefined: it has no items", value.as<Undefined>()->name)};
  if (key.integral() && (value.list() || value.string())) {
    const Values items = value.list() ? Values() : iterate(value);
    const Values &all = value.list() ? value.list()->items : items;
    step(items.size());
    const int64_t size = int64_t(all.size());
    const int64_t at = key.integer() < 0 ? key.integer() + size : key.integer();
    return at >= 0 && at < size ? all[size_t(at)] : Value::undefined(std::to_string(key.integer()));
  }
  const std::string name = toText(key, limits.outputBytes);
  if (const Value *field = value.field(name))
    return *field;
  return key.string() ? attribute(value, name) : Value::undefined(name);
}

} // namespace llmir::jinja
