"""llmir chat: through a pipe, and on a terminal with its keys. Nothing here waits for a time, only for output."""
import json
import os
import pty
import re
import select
import signal
import subprocess

import pytest
import tiny_models
from conftest import BUILD

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # the demo model's own


def turn(role, text):
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


@pytest.fixture(scope="module")
def chat(llmir):
    def run(model, text, *flags):
        if isinstance(text, str):
            text = text.encode()
        result = llmir("chat", model, "--max-tokens", 24, *flags, input=text)
        assert result.returncode == 0, result.stderr.decode()
        # An answer can be cut inside a character, and the small model's bytes need not be any.
        return result.stdout.decode(errors="replace"), result.stderr.decode()

    return run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model that says nothing of sense, fast."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    tiny_models.write_tiny(path, seed=1)
    return path


def notes(stderr):
    return re.findall(r"prompt: (\d+) tokens, (\d+) of them new.*; answer: (\d+) tokens", stderr)


def test_turns_compute_what_is_new_and_say_what_the_whole_says(chat, llmir, model):
    questions = ["What is the capital of France?", "And what is the capital of Italy?", "Which one is larger?"]
    exact = ("--activations", "int16")  # with int8, which answer comes hangs on the CPU's order of sums
    out, err = chat(model, "\n".join(questions) + "\n", *exact)
    answers = out.splitlines()
    assert len(answers) == 3 and "Paris" in answers[0]
    counts = [tuple(map(int, note)) for note in notes(err)]
    assert len(counts) == 3 and "tokens/s" in err
    text, past = turn("system", SYSTEM), 0
    for question, answer, (tokens, new, generated) in zip(questions, answers, counts):
        text += turn("user", question) + "<|im_start|>assistant\n"
        ids = llmir("tokenize", model, "--text", text).stdout.decode().split()
        assert len(ids) == tokens
        assert new - (tokens - past) in (0, 1)  # the last token of an answer that was cut off was never computed
        whole = llmir("run", model, "--tokens", ",".join(ids), "--raw", "--max-tokens", 24, *exact).stdout.decode()
        assert whole == answer
        text += answer + "<|im_end|>\n"
        past = tokens + generated


def test_commands(chat, tiny, tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    out, err = chat(tiny, f"""/system You are a pirate.
Name a colour.
/save {first}
/regen
/save {second}
/clear
/regen
/load {first}
/stats
/set temperature 0.5
/set top-p=0.25
/set
/help
//slash
/save {second}
/exit
never read
""")
    messages = json.loads(first.read_text())["messages"]
    assert [m["role"] for m in messages] == ["system", "user", "assistant"]
    assert messages[1]["content"] == "Name a colour." and len(messages[2]["content"]) > 0
    assert notes(err)[1][1] == "1"  # /regen computes one token again
    later = json.loads(second.read_text())["messages"]
    assert later[:3] == messages and later[3] == {"role": "user", "content": "/slash"}
    assert re.search(r"temperature +0.5\n", err) and re.search(r"top-p +0.25\n", err)
    assert "there is no message to answer yet" in err and "1 turns" in err and "/load FILE" in err


@pytest.mark.parametrize(
    "command, expected",
    [
        ("/sytem x", "unknown command '/sytem' (did you mean /system?)"),
        ("/clear now", "/clear takes nothing behind it"),
        ("/save", "/save needs the name of a file"),
        ("/load", "/load needs the name of a file"),
        ("/load /nowhere", "/nowhere: cannot be opened"),
        ("/save /nowhere/x", "/nowhere/x: cannot be written"),
        ("/set", "temperature"),
        ("/set temprature 1", "unknown option 'temprature' (did you mean temperature?)"),
        ("/set temperature", "/set temperature needs a value: a number from 0 to 100"),
        ("/set temperature hot", "/set temperature: 'hot' is not possible: a number from 0 to 100"),
        ("/set threads 1", "unknown option 'threads'"),
    ],
)
def test_mistakes_are_one_line_and_the_chat_goes_on(chat, tiny, command, expected):
    out, err = chat(tiny, command + "\n/stats\n")
    assert expected in err and "turns" in err and not out


def test_saved_files_are_checked(chat, tiny, tmp_path):
    bad = tmp_path / "bad.json"
    for content, expected in [
        ("{", "is no saved conversation"),
        ('{"messages": 3}', "is no saved conversation"),
        ('{"messages": [{"role": "user"}]}', "message 1 has no"),
        ('{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}', "'assistant' is expected"),
        ("[" * 100000, "is no saved conversation"),
    ]:
        bad.write_text(content)
        assert expected in chat(tiny, f"/load {bad}\n")[1]
    assert "choose another name" in chat(tiny, f"/save {bad}\n")[1]
    assert bad.read_text() == "[" * 100000
    os.truncate(bad, 17 << 20)
    assert f"{bad}: has {17 << 20} bytes; a conversation has at most {16 << 20}" in chat(tiny, f"/load {bad}\n")[1]


def test_messages_of_many_lines_and_letters(chat, tiny, tmp_path):
    saved = tmp_path / "talk.json"
    out, err = chat(tiny, 'Say "one" and\\\n"two".\n"""What is\n2 + 2?"""\nWas heißt „Straße“ auf Japanisch? 日本語で\n\n/save ' + str(saved) + "\n", "--max-tokens", 3)
    said = [m["content"] for m in json.loads(saved.read_text())["messages"] if m["role"] == "user"]
    assert said == ['Say "one" and\n"two".', "What is\n2 + 2?", "Was heißt „Straße“ auf Japanisch? 日本語で"]
    assert len(notes(chat(tiny, b"\xff\xc3\n\0\n")[1])) == 2


def test_a_full_context_drops_the_oldest_turns(chat, tiny):
    out, err = chat(tiny, "Tell me about the sea.\n" * 4, "--context", 128, "--max-tokens", 30, "--ignore-eos")
    assert len(notes(err)) == 4
    assert re.search("the context of 128 tokens is full: the model no longer sees the oldest [12] of 3 turns", err)
    assert all(int(tokens) <= 128 for tokens, _, _ in notes(err))
    out, err = chat(tiny, "word " * 200 + "\nHi\n", "--context", 100)
    assert "the context 100: shorten it or start with a larger --context" in err and len(notes(err)) == 1
    out, err = chat(tiny, "Count.\n", "--context", 50, "--max-tokens", 100, "--ignore-eos")
    assert "the context is full: /clear or a larger --context gives room" in err


class Terminal:
    """A chat on a pseudo terminal."""

    def __init__(self, *arguments, env):
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.execve(BUILD / "bin" / "llmir", ["llmir", *map(str, arguments)], env)
        self.seen = ""

    def read_until(self, pattern):
        """Everything up to a match of the pattern, which is taken from the output."""
        while not (match := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.fd], [], [], 120)
            assert ready, f"nothing more comes after {self.seen!r}"
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        text, self.seen = self.seen[: match.end()], self.seen[match.end() :]
        return text

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        while True:  # until the other side is closed
            try:
                if not os.read(self.fd, 4096):
                    break
            except OSError:
                break
        _, status = os.waitpid(self.process, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(model, llmir, tmp_path):
    llmir("run", model, "--tokens", "1", "--max-tokens", 1)  # compiled now, not in the middle of a test
    env = llmir.env | {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm", "NO_COLOR": "1"}

    def start(*flags):
        return Terminal("chat", model, *flags, env=env)

    return start


def test_keys(terminal, tmp_path):
    chat = terminal("--max-tokens", 8000, "--ignore-eos")
    chat.read_until("Ctrl-D ends")
    chat.read_until("> ")
    chat.type("Tell me a long story.\r")
    chat.read_until("story.\r\n")
    chat.read_until(r"\w+ \w+ ")  # in the middle of the answer
    chat.type("\x03")
    chat.read_until("; stopped\r\n")
    chat.read_until("> ")
    chat.type("half a line\x03")  # dropped
    chat.read_until("> ")
    chat.type("/stast\x7f\x7fts\r")  # edited
    chat.read_until(r"turns +1\r\n")
    chat.read_until("> ")
    chat.type("\x1b[A")  # the line before
    chat.read_until("/stats")
    chat.type("\r")
    chat.read_until(r"turns +1\r\n")
    chat.read_until("> ")
    chat.type("\x04")
    assert chat.wait() == 0
    history = tmp_path / "llmir" / "history"
    assert history.stat().st_mode & 0o777 == 0o600
    again = terminal()
    again.read_until("> ")
    again.type("\x1b[A\x1b[A")
    again.read_until("Tell me a long story")
    again.type("\x03/exit\r")
    assert again.wait() == 0


def test_an_interrupt_ends_an_answer_that_goes_into_a_pipe(model, llmir):
    with subprocess.Popen([BUILD / "bin" / "llmir", "chat", model, "--max-tokens", "8000", "--ignore-eos"], env=llmir.env,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"Tell me a long story.\n/stats\n")
        process.stdin.flush()
        assert process.stdout.read(1)  # in the middle of the answer
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert b"; stopped\n" in err and b"turns" in err


def test_an_interrupt_ends_a_chat_that_waits_for_a_pipe(tiny, llmir):
    with subprocess.Popen([BUILD / "bin" / "llmir", "chat", tiny], env=llmir.env, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"/stats\n")
        process.stdin.flush()
        assert b"turns" in process.stderr.readline()
        while process.poll() is None:  # one that comes before it waits for the next line goes by
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        assert process.returncode == 1 and process.stderr.read().endswith(b"error: interrupted\n")


def test_a_closed_pipe_ends_the_chat(model, llmir):
    with subprocess.Popen([BUILD / "bin" / "llmir", "chat", model, "--max-tokens", "8000", "--ignore-eos"], env=llmir.env,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"Tell me a long story.\n")
        process.stdin.flush()
        assert process.stdout.read(1)
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 1 and b"error: the answer cannot be written to stdout\n" in err


def test_a_model_without_a_template(llmir, tiny, tmp_path):
    path = tmp_path / "plain.gguf"
    path.write_bytes(tiny.read_bytes().replace(b"tokenizer.chat_template", b"tokenizer.chat_temperat"))
    for arguments, way_out in (
        (["chat", path], b"use llmir run without --chat"),
        (["run", path, "--chat", "--prompt", "Hi"], b"leave --chat away"),
    ):
        result = llmir(*arguments, input=b"Hi\n")
        assert result.returncode == 1
        assert b"has no chat template (tokenizer.chat_template): " + way_out in result.stderr


@pytest.mark.parametrize("on_terminal", [False, True])
def test_progress_of_compiling_is_for_terminals(llmir, tiny, on_terminal):
    arguments = ["run", tiny, "--tokens", "1", "--max-tokens", "1", "--no-cache", "--raw"]
    if on_terminal:
        terminal = Terminal(*arguments, env=llmir.env)
        terminal.read_until(r"\r\x1b\[Kgenerating code.*\r\x1b\[K")
        assert terminal.wait() == 0
    else:
        result = llmir(*arguments)
        assert result.returncode == 0 and not result.stderr, result.stderr
