"""Heavy: 20 prompts, 64 greedy tokens each, the same text with any number of threads and any prefill chunk."""
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["LLMIR_BUILD"])
MODEL = os.environ["LLMIR_MODEL"]
PROMPTS = [
    "The capital of France is", "def fibonacci(n):", "Once upon a time, there was", "Water boils at", "Dear Sir or Madam,",
    "SELECT name FROM", "The three laws of motion are", "In 1969,", "Zutaten für einen Kuchen:", "El sol sale por",
    "1, 1, 2, 3, 5, 8,", "<html>\n<body>", "To be or not to be", "The mitochondria is", "A list of colours: red,",
    "import numpy as np", "Q: What is 2 + 2?\nA:", "Breaking news:", "日本の首都は", "She opened the door and",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_text_does_not_depend_on_threads_and_chunks(prompt):
    def text(*flags):
        command = [BUILD / "bin/llmir", "run", MODEL, "--prompt", prompt, "--raw", "--max-tokens", "64", "--temperature", "0",
                   "--ignore-eos", *flags]
        return subprocess.run(command, check=True, capture_output=True).stdout

    alone = text("--threads", "1")
    assert alone
    for flags in (["--threads", "2"], ["--prefill-chunk", "1"], ["--threads", "2", "--prefill-chunk", "3"]):
        assert text(*flags) == alone
