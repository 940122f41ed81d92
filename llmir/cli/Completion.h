// Scripts that let shells complete a program's commands, options, values and files.
#pragma once

#include "llmir/support/CommandLine.h"

namespace llmir {

std::string bashCompletion(const ProgramSpec &program);
std::string zshCompletion(const ProgramSpec &program);
std::string fishCompletion(const ProgramSpec &program);

} // namespace llmir
