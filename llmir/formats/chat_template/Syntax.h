// A parsed template: expressions and statements, as the parser makes and the evaluator walks them.
#pragma once

#include "llmir/formats/chat_template/Value.h"
#include <memory>
#include <optional>

namespace llmir::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class ExpressionKind {
  Literal,   // literal
  Name,      // name
  List,      // items
  Tuple,     // items
  Dict,      // items: key, value, key, value, ...
  Attribute, // items[0].name
  Item,      // items[0][items[1]]
  Slice,     // items[0][items[1]:items[2]:items[3]], absent ones null
  Call,      // items[0](items[1...], named)
  Filter,    // items[0] | name(items[1...], named)
  Test,      // items[0] is name(items[1...]); negated
  Unary,     // name: "not", "-", "+"
  Binary,    // name: arithmetic, "~", "and", "or"
  Compare,   // items[0] ops[0] items[1] ops[1] items[2] ...
  Choice,    // items[0] if items[1] else items[2] (may be null)
};

struct Expression {
  ExpressionKind kind;
  int line = 0, depth = 1;
  std::string name;
  Value literal;
  std::vector<ExpressionPtr> items;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  std::vector<std::string> operators;
  bool negated = false;
};

struct Statement;
using Block = std::vector<Statement>;

struct Parameter {
  std::string name;
  ExpressionPtr byDefault; // may be null
};

enum class StatementKind {
  Text,     // text
  Print,    // value
  If,       // branches, otherwise
  For,      // target in value [if condition]: body, otherwise
  Set,      // target = value
  SetBlock, // name = body [| filter: value over a Name ""]
  Macro,    // name(parameters): body
  Call,     // call value (a Call) with parameters: body
  Filter,   // filter value over a Name "": body
  With,     // assignments: body
  Scope,    // body only (generation blocks)
  Break,
  Continue,
};

struct Statement {
  StatementKind kind;
  int line = 0;
  std::string text; // or a name
  ExpressionPtr target, value, condition;
  std::vector<std::pair<ExpressionPtr, Block>> branches;
  std::vector<Parameter> parameters;
  std::vector<std::pair<std::string, ExpressionPtr>> assignments;
  Block body, otherwise;
};

/// Throws Failure with the line.
Block parseTemplate(std::string_view source);

} // namespace llmir::jinja
