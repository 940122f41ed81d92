// What a command is, and the list of all.
#pragma once

#include "llmir/cli/Options.h"
#include "llmir/support/Error.h"

namespace llmir {

struct Command {
  const char *name;
  const char *summary;
  void (*declare)(CLI::App &command, Options &options);
  Status (*run)(const Options &options);
};

extern const Command runCommand, evalCommand, importCommand, tokenizeCommand;

} // namespace llmir
