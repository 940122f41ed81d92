// Results that a command writes as text.
#pragma once

#include "llmir/support/Error.h"
#include <string>
#include <string_view>

namespace llmir {

/// Writes `text` to `path`, or to stdout for "-". Errors name the path and the cause.
Status writeText(const std::string &path, std::string_view text);

} // namespace llmir
