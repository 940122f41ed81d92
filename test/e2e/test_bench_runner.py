"""The runner of `make bench`: whose CPU time, which attempt, which ratios; with peers that measure nothing."""
import io
import json
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import cpu
import environment
import measure
import report

STAT = """cpu  9 9 9 9 9 9 9 9 9 9
cpu0 1 2 4 1000 1000 8 16 32 64 128
cpu1 100 0 0 7 7 0 0 0 0 0
cpu10 5 5
intr 1 2 3
"""


def test_busy_ticks_of_some_cpus():
    assert cpu.busy_ticks(STAT, {0}) == 63
    assert cpu.busy_ticks(STAT, {1, 10}) == 110
    assert cpu.busy_ticks(STAT, {2}) == 0


def test_process_ticks_with_a_name_of_any_form():
    fields = [str(n) for n in range(1, 50)]  # state is the first behind the name
    assert cpu.process_ticks(f"123 (a ) b) {' '.join(fields)}") == 12 + 13 + 14 + 15


def test_foreign_share():
    assert cpu.foreign_share(busy=16, own=15, wall=10, cpus=2) == pytest.approx(0.05)
    assert cpu.foreign_share(busy=5, own=6, wall=10, cpus=2) == 0
    assert cpu.foreign_share(busy=99, own=0, wall=1, cpus=2) == 1


class Peer:
    """Takes the next of the given seconds each time."""

    def __init__(self, name, seconds):
        self.name, self.pid, self.seconds = name, 0, iter(seconds)

    def measure(self, case):
        return next(self.seconds)


def watch_of(shares):
    shares = iter(shares)

    class Watch:
        def __init__(self, pids):
            pass

        def foreign(self):
            return next(shares)

    return Watch


def test_a_disturbed_measurement_is_repeated():
    def best(shares):
        return measure.measure_quietly(Peer("a", [1, 2, 3]), {}, [], 3, 0.02, watch_of(shares))

    assert best([0.01]) == {"seconds": 1, "foreign": 0.01}
    assert best([0.5, 0.02]) == {"seconds": 2, "foreign": 0.02}
    assert best([0.5, 0.1, 0.3]) == {"seconds": 2, "foreign": 0.1}  # none is quiet: the quietest


def test_peers_take_turns_and_the_first_round_warms_up():
    plan = {"rounds": 2, "attempts": 1, "foreign_limit": 0.02, "cases": [{"name": "x"}, {"name": "y"}]}
    peers = [Peer("a", range(10)), Peer("b", range(10, 20))]
    lines = []
    got = measure.measure_all(peers, plan, lines.append, watch_of([0.0] * 11 + [0.5]))
    assert [run["seconds"] for run in got["x"]["a"]] == [2, 4]
    assert [run["seconds"] for run in got["y"]["b"]] == [13, 15]
    assert [line.split()[3] for line in lines] == ["a", "b", "a", "b", "b", "a", "b", "a", "a", "b", "a", "b"]
    assert "others were busy" in lines[-1] and not any("busy" in line for line in lines[:-1])


CASES = [{"name": "prefill", "kind": "prefill", "prompt": 100},
         {"name": "decode", "kind": "decode", "prompt": 1, "tokens": 10, "batch": 4},
         {"name": "first", "kind": "first_token", "prompt": 64}]


def report_of(foreign):
    runs = {"ours": [{"seconds": s, "foreign": 0.0} for s in (1, 2, 4)],
            "other": [{"seconds": s, "foreign": foreign} for s in (2, 6, 2)]}
    rows = report.summarize(CASES, {case["name"]: runs for case in CASES}, "ours", 0.02)
    return {"model": "m.gguf", "cpu": "CPU", "threads": 2, "rounds": 3, "foreign_limit": 0.02, "base": "ours",
            "peers": {"ours": {}, "other": {}}, "rows": rows}


def test_medians_spreads_and_ratios():
    prefill, decode, first = report_of(0)["rows"]
    assert prefill["peers"]["ours"] == {"median": 50, "min": 25, "max": 100, "disturbed": 0, "foreign_cpu": 0}
    assert decode["peers"]["ours"]["median"] == 20
    assert first["unit"] == "ms" and first["peers"]["other"]["median"] == 2000
    assert prefill["ratios"] == {"other": {"median": 2, "min": 0.5, "max": 3}}  # round by round: 2/1, 6/2, 2/4


def test_the_table_marks_what_was_disturbed():
    quiet, busy = report.table(report_of(0.02)), report.table(report_of(0.03))
    assert "| prefill | 50.0 tokens/s (25.0–100.0) | 50.0 tokens/s (16.7–50.0) | **2.00×** (0.50–3.00) |" in quiet
    assert " *" not in quiet.replace("**", "") and "quiet machine" not in quiet
    assert "(16.7–50.0) * |" in busy and "more than 2 % of the CPUs" in busy


def test_a_peers_process_answers_and_reports_errors():
    sys.path.insert(0, str(ROOT / "bench" / "peers"))
    import serve

    class Module:
        class Peer:
            def __init__(self, model, threads, cases):
                self.model = model

            def describe(self):
                return {"version": "1"}

            def measure(self, case):
                return 1 / case["prompt"]

    requests = [{"op": "load", "model": "m", "threads": 1, "cases": []}, {"op": "measure", "case": {"prompt": 4}},
                {"op": "measure", "case": {"prompt": 0}}]
    answers = io.StringIO()
    serve.serve(Module, [json.dumps(request) for request in requests], answers)
    loaded, measured, failed = map(json.loads, answers.getvalue().splitlines())
    assert loaded == {"description": {"version": "1"}} and measured == {"seconds": 0.25}
    assert failed["error"].startswith("ZeroDivisionError")


def test_peers_say_what_they_need():
    assert environment.constants_of("llmir") == environment.CONSTANTS
    llama = environment.constants_of("llama_cpp")
    assert llama["BUILD_FROM_SOURCE"] == ["llama-cpp-python"] and "NATIVE=ON" in llama["BUILD_ENVIRONMENT"]["CMAKE_ARGS"]
    with pytest.raises(SystemExit, match="no peer 'nobody': the peers are llama_cpp, llmir"):
        environment.constants_of("nobody")


def test_the_cases_are_complete():
    plan = json.loads((ROOT / "bench" / "cases.json").read_text())
    assert {case["kind"] for case in plan["cases"]} == {"prefill", "decode", "first_token"}
    assert all(case["prompt"] > 0 for case in plan["cases"])
