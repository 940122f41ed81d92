// The configuration file: options by name, for all commands or in a section for one.
//
//   threads: 4
//   run:
//     temperature: 0.8
#pragma once

#include "llmir/support/CommandLine.h"

namespace llmir {

/// $XDG_CONFIG_HOME/llmir/config.yaml or ~/.config/llmir/config.yaml; empty where neither variable
/// is set.
std::string defaultConfigFile();

/// Puts the values of a YAML file into the tables of `command` and of the program. All of the file
/// is checked, what concerns other commands too. Errors name file, line and key: unknown (with the
/// nearest that exists), twice there, of another type or out of range, nested, an anchor or alias;
/// a file over 64 KiB; no YAML.
Status readConfigFile(const std::string &path, ProgramSpec &program, CommandSpec &command);

} // namespace llmir
