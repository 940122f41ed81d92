"""What the end-to-end tests share: the built programs, the demo model, a cache of their own."""
import functools
import os
import subprocess
from pathlib import Path

import gguf
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("LLMIR_BUILD", ROOT / "build")).resolve()
# For a program that may write no file: in the build of `make coverage` it would complain that it cannot write what it counted.
NO_PROFILE = {"LLVM_PROFILE_FILE": "/dev/null"}


@functools.cache
def gguf_reader(path):
    """The reader of a file that does not change: reading the metadata of the demo model takes seconds."""
    return gguf.GGUFReader(path)


@pytest.fixture(scope="session")
def model():
    path = Path(os.environ.get("LLMIR_MODEL", BUILD / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
    if not path.exists():
        pytest.skip(f"{path} is not there: set LLMIR_MODEL")
    return str(path)


@pytest.fixture(scope="session")
def llmir(tmp_path_factory):
    """Runs llmir with arguments; returns the completed process, its output as bytes."""
    program = BUILD / "bin" / "llmir"
    if not program.exists():
        pytest.skip(f"{program} is not built")
    # Nothing of the user's own settings: they could change what is tested.
    env = {name: value for name, value in os.environ.items() if not name.startswith("LLMIR_")}
    env |= {"LLMIR_CACHE": str(tmp_path_factory.mktemp("cache")), "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("config"))}

    def run(*arguments, timeout=120, env=env, **others):
        words = [word if isinstance(word, bytes) else str(word) for word in arguments]
        return subprocess.run([program, *words], capture_output=True, timeout=timeout, env=env, **others)

    run.env = env
    return run
