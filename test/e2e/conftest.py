"""What the end-to-end tests share: the built programs, the demo model, a cache of their own."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("LLMIR_BUILD", ROOT / "build"))


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
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments, timeout=120):
        return subprocess.run(
            [program, *map(str, arguments)],
            capture_output=True,
            timeout=timeout,
            env=os.environ | {"LLMIR_CACHE": str(cache)},
        )

    return run
