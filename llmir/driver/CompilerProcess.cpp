// posix_spawn, a pipe for stderr, and signals that reach the right process.
#include "llmir/driver/CompilerProcess.h"

#include "llmir/support/StandardStreams.h"
#include "llmir/support/Terminal.h"
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace llmir {

namespace {

volatile sig_atomic_t childProcess = 0;

/// While it lives, signals that ask us to end go to the child; we end when it has. They are held
/// back from the constructor to `forwardTo`: one that comes while the child is being started is not
/// lost, and does not end us alone.
class SignalForwarding {
public:
  SignalForwarding() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : signals)
      sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &mask);
  }
  ~SignalForwarding() {
    if (forwarding)
      for (size_t i = 0; i < signals.size(); ++i)
        sigaction(signals[i], &previous[i], nullptr);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
  }

  /// The mask from before: the child's.
  const sigset_t &outerMask() const { return mask; }

  void forwardTo(pid_t child) {
    childProcess = child;
    struct sigaction action{};
    action.sa_handler = [](int signal) { kill(childProcess, signal); };
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < signals.size(); ++i) {
      sigaction(signals[i], &action, &previous[i]);
      if (previous[i].sa_handler == SIG_IGN) // as whoever started us wants it
        sigaction(signals[i], &previous[i], nullptr);
    }
    forwarding = true;
    sigprocmask(SIG_SETMASK, &mask, nullptr);
  }

private:
  static constexpr std::array<int, 2> signals = {SIGINT, SIGTERM};
  std::array<struct sigaction, 2> previous{};
  sigset_t mask{};
  bool forwarding = false;
};

/// One line that the next one replaces, on a terminal only.
class ProgressLine {
public:
  ~ProgressLine() { clear(); }

  void show(std::string_view text) {
    if (!isTerminal)
      return;
    printTo(stderr, "\r\x1b[K{}", text.substr(0, size_t(terminalWidth(STDERR_FILENO)) - 1));
    fflush(stderr);
    isShown = true;
  }
  void clear() {
    if (std::exchange(isShown, false))
      fputs("\r\x1b[K", stderr);
  }

private:
  const bool isTerminal = isatty(STDERR_FILENO);
  bool isShown = false;
};

/// Copies the child's stderr to ours; returns the message of the last "error:" line.
std::string passThrough(int fd) {
  FILE *stream = fdopen(fd, "r");
  char *line = nullptr;
  size_t capacity = 0;
  std::string error;
  ProgressLine progressLine;
  while (getline(&line, &capacity, stream) >= 0) {
    constexpr std::string_view prefix = "error:", progress = "progress: ";
    std::string_view text = line;
    if (text.starts_with(progress)) {
      progressLine.show(text.substr(progress.size(), text.find('\n') - progress.size()));
    } else if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
      error = text.substr(0, text.find_last_not_of('\n') + 1);
    } else {
      progressLine.clear();
      fputs(line, stderr);
    }
  }
  free(line);
  fclose(stream);
  return error;
}

} // namespace

Expected<std::string> findCompiler() {
  std::error_code code;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", code);
  std::string compiler = self.parent_path() / "llmirc";
  if (code || access(compiler.c_str(), X_OK) != 0)
    return fail("{}: the compiler is not there: install llmirc beside {}", compiler,
                self.filename().string());
  return compiler;
}

Status runCompiler(const std::string &compiler, const std::vector<std::string> &arguments) {
  std::vector<char *> argv = {const_cast<char *>(compiler.c_str())};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return fail("{}: cannot be started: {}", compiler, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  SignalForwarding forwarding;
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &forwarding.outerMask());
  pid_t child = 0;
  fflush(stdout); // what was printed before the child's output comes before it
  int code = posix_spawn(&child, compiler.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (code != 0) {
    close(ends[0]);
    return fail("{}: cannot be started: {}", compiler, std::strerror(code));
  }

  forwarding.forwardTo(child);
  std::string error = passThrough(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFSIGNALED(status)) {
    int signal = WTERMSIG(status);
    if (signal == SIGINT || signal == SIGTERM)
      return fail("interrupted");
    return fail("the compiler was ended by signal {} ({}){}", signal, strsignal(signal),
                signal == SIGKILL ? ": the system may be out of memory"
                                  : ": please report this with the model's name");
  }
  if (WEXITSTATUS(status) == 0)
    return {};
  if (error.empty() && WEXITSTATUS(status) == 127)
    return fail("the compiler cannot be loaded: a library is missing, or memory (ulimit -v)");
  if (error.empty())
    return fail("the compiler failed with exit code {} and no message", WEXITSTATUS(status));
  return tl::unexpected<Error>({error, WEXITSTATUS(status)});
}

} // namespace llmir
