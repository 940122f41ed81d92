#!/usr/bin/env python3
"""LLMIR and other engines side by side: same file, same threads, by turns. What `make bench` runs.

Writes bench.json (everything measured), bench.md (a table) and bench.svg (a picture) into the output folder.
"""
import argparse
import json
import os
import sys
from pathlib import Path

import environment
import measure
import report

BASE = "llmir"


def arguments():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of every engine (all CPUs)")
    parser.add_argument("--peers", default="llama_cpp",
                        help="files of bench/peers, with commas (llama_cpp); empty: none")
    parser.add_argument("--llmir", default=here.parent / "build/bin/llmir", help="the llmir program")
    parser.add_argument("--activations", default="int8", choices=["int8", "int16"], help="of LLMIR (int8)")
    parser.add_argument("--out", default=here.parent / "build/bench", type=Path,
                        help="folder of results and environments")
    parser.add_argument("--cases", default=here / "cases.json", type=Path,
                        help="what to measure (bench/cases.json)")
    parser.add_argument("--rounds", type=int, help="measurements of each case (those of the cases file)")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH",
                        help="an interpreter that has a peer's packages, instead of installing them")
    return parser.parse_args()


def cpu_name():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown CPU"


def main():
    options = arguments()
    plan = json.loads(options.cases.read_text())
    plan["rounds"] = options.rounds or plan["rounds"]
    names = [BASE, *filter(None, options.peers.split(","))]
    given = dict(item.split("=", 1) for item in options.python)
    pythons = {name: given.get(name) or environment.python_for(name, options.out / "environments") for name in names}
    # Unbound, OpenMP's threads that spin at a barrier can sit on one CPU together, and all but stop.
    variables = os.environ | {"LLMIR": str(options.llmir), "LLMIR_ACTIVATIONS": options.activations,
                              "OMP_NUM_THREADS": str(options.threads), "OMP_PROC_BIND": "true"}
    peers = [measure.PeerProcess(name, pythons[name], variables) for name in names]
    print("== loading", flush=True)
    descriptions = {peer.name: peer.load(options.model, options.threads, plan["cases"]) for peer in peers}
    results = measure.measure_all(peers, plan, lambda line: print(line, file=sys.stderr))
    for peer in peers:
        peer.close()

    limit = plan["foreign_limit"]
    result = {"model": Path(options.model).name, "cpu": cpu_name(), "threads": options.threads,
              "rounds": plan["rounds"], "foreign_limit": limit, "base": BASE, "peers": descriptions,
              "rows": report.summarize(plan["cases"], results, BASE, limit), "measurements": results}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "bench.md").write_text(report.table(result))
    report.picture(result, options.out / "bench.svg")
    print(report.table(result))
    print(f"written: {options.out}/bench.json, bench.md, bench.svg")


if __name__ == "__main__":
    main()
