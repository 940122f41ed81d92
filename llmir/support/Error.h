// The one way an operation that can fail says so: Expected<T>, with an Error of one line that names
// the thing, the limit and the way out. (tl::expected, since MLIR 22's headers do not compile as
// C++23 with libstdc++ 12.) Exceptions are caught at the border to the libraries that throw them.
#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace llmir {

/// What went wrong, as one line for the user: no trailing newline, no "error:" prefix.
struct Error {
  std::string message;
  int exitCode = 1; ///< of the program that ends with this error
};

template <typename T> using Expected = tl::expected<T, Error>;

/// Success or an Error.
using Status = Expected<void>;

/// `return fail("{}: {} is {}, at most {} is allowed", path, field, value, limit);`
template <typename... Args>
tl::unexpected<Error> fail(fmt::format_string<Args...> format, Args &&...args) {
  return tl::unexpected<Error>({fmt::format(format, std::forward<Args>(args)...)});
}

/// Passes an error on unchanged, whatever the result types: `return forward(result);`
template <typename T> tl::unexpected<Error> forward(Expected<T> &failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}

/// Passes an error on with the thing it happened to in front: `return forward(result, path);`
template <typename T> tl::unexpected<Error> forward(Expected<T> &failed, std::string_view context) {
  const Error &error = failed.error();
  return tl::unexpected<Error>({fmt::format("{}: {}", context, error.message), error.exitCode});
}

} // namespace llmir
