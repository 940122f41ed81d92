// libedit on a terminal. Ctrl-C is no signal while a line is edited but a key, so that there is no
// moment at which it could be missed.
#include "llmir/cli/LineReader.h"

#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <histedit.h>
#include <unistd.h>

namespace llmir {

namespace {

namespace fs = std::filesystem;

constexpr size_t maxLine = 16 << 20;
constexpr int historyLines = 1000;

class TerminalReader : public LineReader {
public:
  explicit TerminalReader(const std::string &historyFile) : historyFile(historyFile) {
    // libedit counts columns with the C library: without UTF-8 it would garble other letters.
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
      setlocale(LC_CTYPE, "C.UTF-8");
    editor = el_init("llmir", stdin, isatty(STDOUT_FILENO) ? stdout : stderr, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, historyLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_PROMPT, &TerminalReader::promptOf);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_SIGNAL, 1); // the terminal is put right when we are stopped or ended
    el_set(editor, EL_HIST, history, history_);
    el_set(editor, EL_ADDFN, "llmir-cancel", "drop the line", &TerminalReader::cancel);
    el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
    el_source(editor, nullptr); // ~/.editrc: the user's own keys
    if (!historyFile.empty())
      history(history_, &event, H_LOAD, historyFile.c_str());
  }

  ~TerminalReader() override {
    history_end(history_);
    el_end(editor);
  }

  Expected<Outcome> read(const std::string &text, std::string &line) override {
    prompt = text;
    isCancelled = false;
    line.clear();
    // By itself libedit would print the prompt first: a key typed at once would meet a terminal
    // that still makes signals and ends of input out of keys. Entering raw mode binds keys anew.
    el_set(editor, EL_PREP_TERM, 1);
    el_set(editor, EL_BIND, "^C", "llmir-cancel", nullptr);
    int count = 0;
    errno = 0;
    const char *typed = el_gets(editor, &count);
    if (isCancelled)
      return Outcome::Cancelled;
    if (!typed || count <= 0)
      return errno == 0 || errno == EIO || errno == EINTR
                 ? Expected<Outcome>(Outcome::End)
                 : fail("stdin: cannot be read: {}", std::strerror(errno));
    line.assign(typed, size_t(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
      line.pop_back();
    if (!line.empty())
      remember(line);
    return Outcome::Line;
  }

private:
  static TerminalReader &of(EditLine *editor) {
    void *self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<TerminalReader *>(self);
  }
  static char *promptOf(EditLine *editor) { return of(editor).prompt.data(); }
  static unsigned char cancel(EditLine *editor, int) {
    of(editor).isCancelled = true;
    return CC_NEWLINE;
  }

  void remember(const std::string &line) {
    HistEvent event;
    history(history_, &event, H_ENTER, line.c_str());
    if (historyFile.empty())
      return;
    std::error_code code;
    fs::path folder = fs::path(historyFile).parent_path();
    if (fs::create_directories(folder, code))
      fs::permissions(folder, fs::perms::owner_all, code);
    history(history_, &event, H_SAVE, historyFile.c_str()); // readable by its owner alone
  }

  std::string historyFile, prompt;
  EditLine *editor;
  History *history_;
  bool isCancelled = false;
};

class PipeReader : public LineReader {
  Expected<Outcome> read(const std::string &, std::string &line) override {
    line.clear();
    for (;;) {
      if (size_t end = buffer.find('\n', searched); end != std::string::npos) {
        line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        searched = 0;
        if (line.ends_with('\r'))
          line.pop_back();
        return Outcome::Line;
      }
      searched = buffer.size();
      if (buffer.size() > maxLine)
        return fail("stdin: a line has more than {} MiB", maxLine >> 20);
      char part[1 << 14];
      ssize_t count = ::read(STDIN_FILENO, part, sizeof part);
      if (count < 0 && errno == EINTR)
        return fail("interrupted");
      if (count < 0)
        return fail("stdin: cannot be read: {}", std::strerror(errno));
      if (count == 0 && buffer.empty())
        return Outcome::End;
      if (count == 0)
        buffer += '\n'; // the last line has none
      else
        buffer.append(part, size_t(count));
    }
  }

  std::string buffer;
  size_t searched = 0; // no newline before here
};

} // namespace

std::unique_ptr<LineReader> LineReader::onTerminal(const std::string &historyFile) {
  return std::make_unique<TerminalReader>(historyFile);
}

std::unique_ptr<LineReader> LineReader::onPipe() { return std::make_unique<PipeReader>(); }

std::string defaultHistoryFile() {
  for (auto [variable, below] : {std::pair{"XDG_STATE_HOME", ""}, {"HOME", ".local/state"}})
    if (const char *value = std::getenv(variable); value && *value)
      return (fs::path(value) / below / "llmir" / "history").string();
  return "";
}

} // namespace llmir
