// A size of a tensor in an exported graph: a number, or an expression over the symbols that stand
// for what is not known before a call. torch writes it as sympy's srepr, for example
// Add(Mul(Integer(2), Symbol('s27', positive=True, integer=True)), Integer(1)).
#pragma once

#include "llmir/support/Error.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmir::torch_export {

struct SizeExpression {
  enum class Kind { Integer, Symbol, Add, Mul, FloorDiv, Mod, Max, Min };

  Kind kind = Kind::Integer;
  int64_t value = 0;                         ///< Integer
  std::string symbol = {};                   ///< Symbol
  std::vector<SizeExpression> operands = {}; ///< of the others: two or more

  static SizeExpression integer(int64_t value) { return {.kind = Kind::Integer, .value = value}; }
  bool isInteger() const { return kind == Kind::Integer; }
  /// In a fixed spelling: equal sizes that torch has written in one order have equal texts.
  std::string text() const;
};

/// Errors: text that is no such expression, functions other than those above, integers that are no
/// int64_t, more than 32 levels or 256 parts.
Expected<SizeExpression> parseSizeExpression(std::string_view text);

/// A size as a product: a number and the factors that are no numbers, sorted by their texts.
struct SizeProduct {
  int64_t number = 1;
  std::vector<std::string> factors = {};

  bool operator==(const SizeProduct &) const = default;
  /// Whether it stays within int64_t.
  [[nodiscard]] bool multiply(const SizeExpression &size);
  bool divides(const SizeProduct &other) const;
};

} // namespace llmir::torch_export
