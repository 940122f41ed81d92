// Recursive descent over the lexer's tokens, with Jinja's precedences: choice, or, and, not,
// comparisons, + -, ~,
// * / // %, unary, **, postfix, filters and tests.
#include "llmir/formats/chat_template/Lexer.h"
#include "llmir/formats/chat_template/Syntax.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace llmir::jinja {

static constexpr int maxNesting = 200;

namespace {
class Parser {
public:
  explicit Parser(std::string_view source) : tokens(tokenize(source)) {}
  Block statements(std::initializer_list<std::string_view> ends);

private:
  struct Nesting {
    explicit Nesting(Parser &parser) : parser(parser) {
      if (++parser.nesting > maxNesting)
        parser.failure(fmt::format("nested deeper than {}", maxNesting));
    }
    ~Nesting() { --parser.nesting; }
    Parser &parser;
  };

  const Token &now() const { return tokens[position]; }
  const Token &ahead() const { return tokens[std::min(position + 1, tokens.size() - 1)]; }
  [[noreturn]] void failure(std::string message) const {
    throw Failure{std::move(message), now().line};
  }
  bool isSymbol(std::string_view text) const {
    return now().kind == TokenKind::Symbol && now().text == text;
  }
  bool isName(std::string_view text) const {
    return now().kind == TokenKind::Name && now().text == text;
  }
  bool takeSymbol(std::string_view text) { return isSymbol(text) && ++position; }
  bool takeName(std::string_view text) { return isName(text) && ++position; }
  void needSymbol(std::string_view text) {
    if (!takeSymbol(text))
      failure(fmt::format("'{}' is expected, found '{}'", text, shown()));
  }
  std::string needName() {
    if (now().kind != TokenKind::Name)
      failure(fmt::format("a name is expected, found '{}'", shown()));
    return tokens[position++].text;
  }
  void endBlock() {
    if (now().kind != TokenKind::BlockEnd)
      failure(fmt::format("the end of the tag is expected, found '{}'", shown()));
    ++position;
  }
  std::string shown() const {
    return now().kind == TokenKind::BlockEnd   ? "%}"
           : now().kind == TokenKind::PrintEnd ? "}}"
           : now().kind == TokenKind::End      ? "the end of the template"
                                               : now().text.substr(0, 40);
  }

  ExpressionPtr make(ExpressionKind kind, std::string name = {}) const;
  ExpressionPtr finish(ExpressionPtr node) const;
  template <typename... Items>
  ExpressionPtr node(ExpressionKind kind, std::string name, Items... items) {
    ExpressionPtr result = make(kind, std::move(name));
    (result->items.push_back(std::move(items)), ...);
    return finish(std::move(result));
  }

  Statement statement();
  Block bodyUntil(std::initializer_list<std::string_view> ends);
  void ifStatement(Statement &result);
  void forStatement(Statement &result);
  void setStatement(Statement &result);
  std::vector<Parameter> parameters();
  ExpressionPtr target();
  ExpressionPtr filtersOver();

  ExpressionPtr expression(bool withChoice = true);
  ExpressionPtr tupleOrExpression();
  ExpressionPtr orExpression();
  ExpressionPtr andExpression();
  ExpressionPtr notExpression();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool withFilters = true);
  ExpressionPtr primary();
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr filters(ExpressionPtr value);
  ExpressionPtr subscript(ExpressionPtr value);
  void arguments(Expression &call);

  std::vector<Token> tokens;
  size_t position = 0;
  int nesting = 0, loops = 0;
};
} // namespace

ExpressionPtr Parser::make(ExpressionKind kind, std::string name) const {
  auto result = std::make_unique<Expression>();
  result->kind = kind;
  result->line = now().line;
  result->name = std::move(name);
  return result;
}

/// Long chains such as a + b + c make deep trees without nesting: their depth is limited too.
ExpressionPtr Parser::finish(ExpressionPtr node) const {
  for (const auto &item : node->items)
    node->depth = std::max(node->depth, item ? item->depth + 1 : 1);
  for (const auto &[key, item] : node->named)
    node->depth = std::max(node->depth, item->depth + 1);
  if (node->depth > 2 * maxNesting)
    failure(fmt::format("an expression is nested deeper than {}", 2 * maxNesting));
  return node;
}

Block Parser::statements(std::initializer_list<std::string_view> ends) {
  Nesting guard(*this);
  Block block;
  while (now().kind != TokenKind::End) {
    if (now().kind == TokenKind::BlockBegin && std::ranges::find(ends, ahead().text) != ends.end())
      return block;
    block.push_back(statement());
  }
  if (ends.size() > 0)
    failure(fmt::format("the template ends, {{% {} %}} is missing", *(ends.end() - 1)));
  return block;
}

/// The body, and the tag that ends it up to its name.
Block Parser::bodyUntil(std::initializer_list<std::string_view> ends) {
  endBlock();
  Block body = statements(ends);
  ++position;
  return body;
}

Statement Parser::statement() {
  Statement result{};
  result.line = now().line;
  if (now().kind == TokenKind::Text) {
    result.kind = StatementKind::Text;
    result.text = tokens[position++].text;
    return result;
  }
  if (now().kind == TokenKind::PrintBegin) {
    ++position;
    result.kind = StatementKind::Print;
    result.value = tupleOrExpression();
    if (now().kind != TokenKind::PrintEnd)
      failure(fmt::format("'}}}}' is expected, found '{}'", shown()));
    ++position;
    return result;
  }
  ++position;
  const std::string name = needName();
  if (name == "if") {
    ifStatement(result);
  } else if (name == "for") {
    forStatement(result);
  } else if (name == "set") {
    setStatement(result);
  } else if (name == "macro") {
    result.kind = StatementKind::Macro;
    result.text = needName();
    result.parameters = parameters();
    result.body = bodyUntil({"endmacro"});
    ++position;
    takeName(result.text);
    endBlock();
  } else if (name == "call") {
    result.kind = StatementKind::Call;
    if (isSymbol("("))
      result.parameters = parameters();
    result.value = expression();
    if (result.value->kind != ExpressionKind::Call)
      failure("a call block needs a call");
    result.body = bodyUntil({"endcall"});
    ++position;
    endBlock();
  } else if (name == "filter") {
    result.kind = StatementKind::Filter;
    result.value = filtersOver();
    result.body = bodyUntil({"endfilter"});
    ++position;
    endBlock();
  } else if (name == "with") {
    result.kind = StatementKind::With;
    while (now().kind != TokenKind::BlockEnd) {
      if (!result.assignments.empty())
        needSymbol(",");
      std::string variable = needName();
      needSymbol("=");
      result.assignments.emplace_back(std::move(variable), expression());
    }
    result.body = bodyUntil({"endwith"});
    ++position;
    endBlock();
  } else if (name == "generation") {
    result.kind = StatementKind::Scope;
    result.body = bodyUntil({"endgeneration"});
    ++position;
    endBlock();
  } else if (name == "break" || name == "continue") {
    if (loops == 0)
      failure(fmt::format("'{}' outside of a loop", name));
    result.kind = name == "break" ? StatementKind::Break : StatementKind::Continue;
    endBlock();
  } else {
    --position;
    failure(fmt::format("unknown or misplaced tag '{}'", shown()));
  }
  return result;
}

void Parser::ifStatement(Statement &result) {
  result.kind = StatementKind::If;
  do {
    ExpressionPtr condition = tupleOrExpression();
    Block body = bodyUntil({"elif", "else", "endif"});
    result.branches.emplace_back(std::move(condition), std::move(body));
  } while (takeName("elif"));
  if (takeName("else"))
    result.otherwise = bodyUntil({"endif"});
  ++position;
  endBlock();
}

void Parser::forStatement(Statement &result) {
  result.kind = StatementKind::For;
  result.target = target();
  if (!takeName("in"))
    failure(fmt::format("'in' is expected, found '{}'", shown()));
  result.value = expression(false);
  if (isSymbol(",")) {
    ExpressionPtr tuple = make(ExpressionKind::Tuple);
    tuple->items.push_back(std::move(result.value));
    while (takeSymbol(","))
      tuple->items.push_back(expression(false));
    result.value = finish(std::move(tuple));
  }
  if (takeName("if"))
    result.condition = expression();
  takeName("recursive");
  ++loops;
  result.body = bodyUntil({"else", "endfor"});
  --loops;
  if (takeName("else"))
    result.otherwise = bodyUntil({"endfor"});
  ++position;
  endBlock();
}

void Parser::setStatement(Statement &result) {
  result.target = target();
  if (takeSymbol("=")) {
    result.kind = StatementKind::Set;
    result.value = tupleOrExpression();
    endBlock();
    return;
  }
  result.kind = StatementKind::SetBlock;
  if (takeSymbol("|"))
    result.value = filtersOver();
  result.body = bodyUntil({"endset"});
  ++position;
  endBlock();
}

/// A filter chain over the text of a block, which stands as the name "".
ExpressionPtr Parser::filtersOver() {
  ExpressionPtr value = make(ExpressionKind::Filter, needName());
  value->items.push_back(make(ExpressionKind::Name));
  if (isSymbol("("))
    arguments(*value);
  return filters(finish(std::move(value)));
}

std::vector<Parameter> Parser::parameters() {
  std::vector<Parameter> result;
  needSymbol("(");
  while (!takeSymbol(")")) {
    if (!result.empty())
      needSymbol(",");
    if (takeSymbol(")"))
      break;
    result.push_back({needName(), nullptr});
    if (takeSymbol("="))
      result.back().byDefault = expression();
  }
  return result;
}

/// What can be assigned to: a name, names with commas, or namespace.attribute.
ExpressionPtr Parser::target() {
  const bool bracketed = takeSymbol("(");
  ExpressionPtr first = make(ExpressionKind::Name, needName());
  if (!bracketed && takeSymbol(".")) {
    std::string name = needName();
    return node(ExpressionKind::Attribute, std::move(name), std::move(first));
  }
  if (isSymbol(",")) {
    ExpressionPtr tuple = make(ExpressionKind::Tuple);
    tuple->items.push_back(std::move(first));
    while (takeSymbol(","))
      tuple->items.push_back(make(ExpressionKind::Name, needName()));
    first = finish(std::move(tuple));
  }
  if (bracketed)
    needSymbol(")");
  return first;
}

ExpressionPtr Parser::tupleOrExpression() {
  ExpressionPtr first = expression();
  if (!isSymbol(","))
    return first;
  ExpressionPtr tuple = make(ExpressionKind::Tuple);
  tuple->items.push_back(std::move(first));
  while (takeSymbol(",")) {
    if (now().kind == TokenKind::BlockEnd || now().kind == TokenKind::PrintEnd || isSymbol(")"))
      break;
    tuple->items.push_back(expression());
  }
  return finish(std::move(tuple));
}

ExpressionPtr Parser::expression(bool withChoice) {
  Nesting guard(*this);
  ExpressionPtr value = orExpression();
  while (withChoice && takeName("if")) {
    ExpressionPtr condition = orExpression(), otherwise;
    if (takeName("else"))
      otherwise = expression();
    value = node(ExpressionKind::Choice, "", std::move(value), std::move(condition),
                 std::move(otherwise));
  }
  return value;
}

ExpressionPtr Parser::orExpression() {
  ExpressionPtr left = andExpression();
  while (takeName("or")) {
    ExpressionPtr right = andExpression();
    left = node(ExpressionKind::Binary, "or", std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::andExpression() {
  ExpressionPtr left = notExpression();
  while (takeName("and")) {
    ExpressionPtr right = notExpression();
    left = node(ExpressionKind::Binary, "and", std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::notExpression() {
  if (!isName("not"))
    return comparison();
  Nesting guard(*this);
  ++position;
  ExpressionPtr value = notExpression();
  return node(ExpressionKind::Unary, "not", std::move(value));
}

ExpressionPtr Parser::comparison() {
  ExpressionPtr first = sum();
  std::vector<std::string> operators;
  std::vector<ExpressionPtr> rest;
  while (true) {
    if (now().kind == TokenKind::Symbol && (isSymbol("==") || isSymbol("!=") || isSymbol("<") ||
                                            isSymbol("<=") || isSymbol(">") || isSymbol(">="))) {
      operators.push_back(tokens[position++].text);
    } else if (takeName("in")) {
      operators.push_back("in");
    } else if (isName("not") && ahead().kind == TokenKind::Name && ahead().text == "in") {
      position += 2;
      operators.push_back("not in");
    } else {
      break;
    }
    rest.push_back(sum());
  }
  if (rest.empty())
    return first;
  ExpressionPtr result = make(ExpressionKind::Compare);
  result->items.push_back(std::move(first));
  std::ranges::move(rest, std::back_inserter(result->items));
  result->operators = std::move(operators);
  return finish(std::move(result));
}

ExpressionPtr Parser::sum() {
  ExpressionPtr left = concatenation();
  while (isSymbol("+") || isSymbol("-")) {
    std::string name = tokens[position++].text;
    ExpressionPtr right = concatenation();
    left = node(ExpressionKind::Binary, std::move(name), std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::concatenation() {
  ExpressionPtr left = product();
  while (takeSymbol("~")) {
    ExpressionPtr right = product();
    left = node(ExpressionKind::Binary, "~", std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::product() {
  ExpressionPtr left = power();
  while (isSymbol("*") || isSymbol("/") || isSymbol("//") || isSymbol("%")) {
    std::string name = tokens[position++].text;
    ExpressionPtr right = power();
    left = node(ExpressionKind::Binary, std::move(name), std::move(left), std::move(right));
  }
  return left;
}

/// As in jinja2 (and unlike Python), a sign binds stronger than a power, and powers group from the
/// left.
ExpressionPtr Parser::power() {
  ExpressionPtr left = unary();
  while (takeSymbol("**")) {
    ExpressionPtr right = unary();
    left = node(ExpressionKind::Binary, "**", std::move(left), std::move(right));
  }
  return left;
}

ExpressionPtr Parser::unary(bool withFilters) {
  Nesting guard(*this);
  ExpressionPtr value;
  if (isSymbol("-") || isSymbol("+")) {
    std::string name = tokens[position++].text;
    ExpressionPtr operand = unary(false);
    value = node(ExpressionKind::Unary, std::move(name), std::move(operand));
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return withFilters ? filters(std::move(value)) : std::move(value);
}

ExpressionPtr Parser::primary() {
  const Token token = now();
  ExpressionPtr value = make(ExpressionKind::Literal);
  if (token.kind == TokenKind::Name) {
    ++position;
    if (token.text == "true" || token.text == "True")
      value->literal = true;
    else if (token.text == "false" || token.text == "False")
      value->literal = false;
    else if (token.text == "none" || token.text == "None")
      value->literal = Value::none();
    else
      return make(ExpressionKind::Name, token.text);
    return value;
  }
  if (token.kind == TokenKind::String) {
    std::string text;
    while (now().kind == TokenKind::String)
      text += tokens[position++].text;
    value->literal = std::move(text);
    return value;
  }
  if (token.kind == TokenKind::Integer) {
    int64_t number = 0;
    if (std::from_chars(token.text.data(), token.text.data() + token.text.size(), number).ec !=
        std::errc())
      failure(fmt::format("the number {} is too large", token.text.substr(0, 40)));
    value->literal = number;
    ++position;
    return value;
  }
  if (token.kind == TokenKind::Float) {
    double number = 0;
    std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
    value->literal = number;
    ++position;
    return value;
  }
  if (takeSymbol("(")) {
    if (takeSymbol(")"))
      return make(ExpressionKind::Tuple);
    value = tupleOrExpression();
    needSymbol(")");
    return value;
  }
  if (takeSymbol("[")) {
    value->kind = ExpressionKind::List;
    while (!takeSymbol("]")) {
      if (!value->items.empty())
        needSymbol(",");
      if (takeSymbol("]"))
        break;
      value->items.push_back(expression());
    }
    return finish(std::move(value));
  }
  if (takeSymbol("{")) {
    value->kind = ExpressionKind::Dict;
    while (!takeSymbol("}")) {
      if (!value->items.empty())
        needSymbol(",");
      if (takeSymbol("}"))
        break;
      value->items.push_back(expression());
      needSymbol(":");
      value->items.push_back(expression());
    }
    return finish(std::move(value));
  }
  failure(fmt::format("an expression is expected, found '{}'", shown()));
}

ExpressionPtr Parser::postfix(ExpressionPtr value) {
  while (true) {
    if (takeSymbol(".")) {
      if (now().kind == TokenKind::Integer) {
        ExpressionPtr index = primary();
        value = node(ExpressionKind::Item, "", std::move(value), std::move(index));
      } else {
        std::string name = needName();
        value = node(ExpressionKind::Attribute, std::move(name), std::move(value));
      }
    } else if (takeSymbol("[")) {
      value = subscript(std::move(value));
    } else if (isSymbol("(")) {
      ExpressionPtr call = make(ExpressionKind::Call);
      call->items.push_back(std::move(value));
      arguments(*call);
      value = finish(std::move(call));
    } else {
      return value;
    }
  }
}

ExpressionPtr Parser::subscript(ExpressionPtr value) {
  ExpressionPtr parts[3];
  int count = 0;
  bool slice = false;
  while (!isSymbol("]")) {
    if (takeSymbol(":")) {
      slice = true;
      if (++count > 2)
        failure("a slice has at most three parts");
    } else if (!parts[count]) {
      parts[count] = expression();
    } else {
      failure(fmt::format("']' is expected, found '{}'", shown()));
    }
  }
  ++position;
  if (slice)
    return node(ExpressionKind::Slice, "", std::move(value), std::move(parts[0]),
                std::move(parts[1]), std::move(parts[2]));
  if (!parts[0])
    failure("an index is missing");
  return node(ExpressionKind::Item, "", std::move(value), std::move(parts[0]));
}

void Parser::arguments(Expression &call) {
  needSymbol("(");
  for (bool first = true; !takeSymbol(")"); first = false) {
    if (!first)
      needSymbol(",");
    if (takeSymbol(")"))
      break;
    if (now().kind == TokenKind::Name && ahead().kind == TokenKind::Symbol && ahead().text == "=") {
      std::string name = needName();
      ++position;
      call.named.emplace_back(std::move(name), expression());
    } else {
      call.items.push_back(expression());
    }
  }
}

ExpressionPtr Parser::filters(ExpressionPtr value) {
  while (true) {
    if (takeSymbol("|")) {
      ExpressionPtr filter = make(ExpressionKind::Filter, needName());
      filter->items.push_back(std::move(value));
      if (isSymbol("("))
        arguments(*filter);
      value = finish(std::move(filter));
    } else if (takeName("is")) {
      const bool negated = takeName("not");
      ExpressionPtr test = make(ExpressionKind::Test, needName());
      test->negated = negated;
      test->items.push_back(std::move(value));
      if (isSymbol("(")) {
        arguments(*test);
      } else if (const TokenKind kind = now().kind;
                 kind == TokenKind::String || kind == TokenKind::Integer ||
                 kind == TokenKind::Float || isSymbol("[") || isSymbol("{") ||
                 (kind == TokenKind::Name && !isName("else") && !isName("or") && !isName("and") &&
                  !isName("if") && !isName("is") && !isName("in") && !isName("not"))) {
        test->items.push_back(postfix(primary()));
      }
      value = finish(std::move(test));
    } else {
      return value;
    }
  }
}

Block parseTemplate(std::string_view source) { return Parser(source).statements({}); }

} // namespace llmir::jinja
