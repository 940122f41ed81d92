"""Runs one peer in its own environment and process: reads requests, one JSON object a line, and answers each with one.

A peer is a file in this folder with a class `Peer`:

    Peer(model, threads, cases)  loads the model; `cases` are those that will come (see ../cases.json)
    describe()                   what to write down about it: a version, settings
    measure(case)                seconds that one run of the case took; preparation is not counted

and, if it needs packages, with the constants that ../environment.py reads. `python serve.py NAME` serves peers/NAME.py.
"""
import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path


def load_peer(name):
    """The module of a peer, whose file may be called as the package it imports."""
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    spec = importlib.util.spec_from_file_location(f"peer_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(module, requests, answers):
    peer = None
    for line in requests:
        request = json.loads(line)
        try:
            if request["op"] == "load":
                peer = module.Peer(request["model"], request["threads"], request["cases"])
                answer = {"description": peer.describe()}
            else:
                answer = {"seconds": peer.measure(request["case"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main():
    # Libraries print what they like to stdout: it becomes stderr, and the answers go their own way.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(load_peer(sys.argv[1]), sys.stdin, answers)


if __name__ == "__main__":
    main()
