// Walks a parsed template over a context, counting what it uses up. Filters, tests and methods are
// tables in Filters.cpp, Tests.cpp and Methods.cpp.
#pragma once

#include "llmir/formats/chat_template/ChatTemplate.h"
#include "llmir/formats/chat_template/Syntax.h"

#include <span>
#include <unordered_map>

namespace llmir::jinja {

class Evaluator {
public:
  Evaluator(const ChatTemplate::Limits &limits, Fields globals);
  std::string render(const Block &block);

  // For filters, tests and methods.
  void step(size_t bytes = 0); // throws when the limit is reached
  Value text(std::string text);
  Value list(Values items, bool tuple = false);
  size_t textLimit() const { return limits.outputBytes; }
  Value attribute(const Value &value, const std::string &name);
  Value item(const Value &value, const Value &key);
  Value filter(const std::string &name, const Value &value, Arguments &arguments);
  bool test(const std::string &name, const Value &value, Arguments &arguments);

private:
  enum class Flow { On, Break, Continue };
  using Scope = std::unordered_map<std::string, Value>;

  Flow run(const Block &block, std::string &output);
  Flow run(const Statement &statement, std::string &output);
  Flow runFor(const Statement &statement, std::string &output);
  Value evaluate(const Expression &expression);
  Value evaluateAny(const Expression &expression);
  Value binary(const Expression &expression);
  bool compare(const std::string &op, const Value &left, const Value &right);
  Value slice(const Expression &expression);
  Value call(const Expression &expression, const Value *caller);
  Arguments arguments(const Expression &expression);
  Value macro(const Statement &statement, bool insideCall);
  Value lookUp(const std::string &name) const;
  void assign(const Expression &target, Value value);
  void emit(std::string &output, std::string_view part);

  const ChatTemplate::Limits &limits;
  std::vector<Scope> scopes;
  uint64_t steps = 0;
  int calls = 0;
};

/// A method of a string, list or dict; undefined where there is none of that name.
Value methodOf(Evaluator &evaluator, const Value &value, const std::string &name);
/// range, dict, namespace, raise_exception, strftime_now.
Fields globalFunctions();

} // namespace llmir::jinja
