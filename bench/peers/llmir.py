"""LLMIR: each measurement is one run of `llmir bench`, which warms up before it."""
import json
import os
import subprocess


class Peer:
    def __init__(self, model, threads, cases):
        self.program = os.environ["LLMIR"]
        self.model, self.threads = model, threads
        self.activations = os.environ.get("LLMIR_ACTIVATIONS", "int8")
        self.bench("--prefill", 1, "--decode", 0)  # compiles

    def bench(self, *arguments):
        command = [self.program, "bench", self.model, "--threads", self.threads, "--activations", self.activations,
                   "--repetitions", 1, "--json", "-", *arguments]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout)

    def describe(self):
        version = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout
        return {"version": version.split()[-1], "activations": self.activations}

    def measure(self, case):
        prompt = ["--prefill", case["prompt"]]
        if case["kind"] == "prefill":
            result = self.bench(*prompt, "--decode", 0, "--first-token", 1)
            return case["prompt"] / result["prefill"][0]["tokens_per_s"]
        if case["kind"] == "decode":
            result = self.bench(*prompt, "--decode", case["tokens"], "--batch", case["batch"], "--first-token", 1)
            return case["tokens"] * case["batch"] / result["decode"][0]["tokens_per_s"]
        result = self.bench("--prefill", 1, "--decode", 0, "--first-token", case["prompt"])
        return result["ttft_ms"] / 1000
