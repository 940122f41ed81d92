// Printing that may fail without ending the process: a closed stream, a full disk, a pipe whose
// reader is gone. (fmt::print throws there, and a standard stream that was closed by whoever
// started us would give its number to the next file that is opened.)
#pragma once

#include "llmir/support/Error.h"
#include <cstdio>

namespace llmir {

/// For the start of main: gives closed standard streams a place where nothing can be written (or
/// read), and makes write errors out of SIGPIPE and SIGXFSZ.
void prepareStandardStreams();

/// For the end of main. Error: something that was printed to stdout did not arrive.
Status flushStdout();

/// A failure of stdout is kept for flushStdout.
void writeTo(FILE *stream, std::string_view text);

template <typename... Args>
void printTo(FILE *stream, fmt::format_string<Args...> format, Args &&...args) {
  writeTo(stream, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace llmir
