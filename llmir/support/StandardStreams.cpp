// /dev/null, opened the wrong way round, answers as a closed descriptor does.
#include "llmir/support/StandardStreams.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace llmir {

void prepareStandardStreams() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // In ascending order: open gives the lowest number that is free.
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int stdoutError = 0; ///< the first one

void writeTo(FILE *stream, std::string_view text) {
  if (fwrite(text.data(), 1, text.size(), stream) != text.size() && stream == stdout)
    stdoutError = stdoutError ? stdoutError : errno;
}

Status flushStdout() {
  if (fflush(stdout) != 0 && !stdoutError)
    stdoutError = errno;
  if (!stdoutError && !ferror(stdout))
    return {};
  return fail("stdout: cannot be written: {}", std::strerror(stdoutError ? stdoutError : EIO));
}

} // namespace llmir
