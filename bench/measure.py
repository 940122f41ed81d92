"""Measures peers by turns: every case with every peer, round after round, so that slow drifts hit all alike."""
import json
import subprocess
from pathlib import Path

from cpu import Watch

SERVE = Path(__file__).resolve().parent / "peers" / "serve.py"


class PeerProcess:
    """A peer in a process of its own (peers/serve.py)."""

    def __init__(self, name, python, environment):
        self.name = name
        self.process = subprocess.Popen([python, str(SERVE), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)

    @property
    def pid(self):
        return self.process.pid

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with exit code {self.process.wait()}"}
        if "error" in answer:
            raise SystemExit(f"error: {self.name}: {answer['error']}")
        return answer

    def load(self, model, threads, cases):
        return self.ask(op="load", model=model, threads=threads, cases=cases)["description"]

    def measure(self, case):
        return self.ask(op="measure", case=case)["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure_quietly(peer, case, pids, attempts, limit, watch=Watch):
    """Seconds and the others' share of the CPUs: the first of the attempts with a share within the limit, else the
    quietest."""
    best = None
    for _ in range(attempts):
        watching = watch(pids)
        seconds = peer.measure(case)
        result = {"seconds": seconds, "foreign": watching.foreign()}
        if best is None or result["foreign"] < best["foreign"]:
            best = result
        if best["foreign"] <= limit:
            break
    return best


def measure_all(peers, plan, progress=print, watch=Watch):
    """Measurements by case and peer: {case name: {peer name: [{seconds, foreign}, …]}}. Round 0 warms up."""
    results = {case["name"]: {peer.name: [] for peer in peers} for case in plan["cases"]}
    pids = [peer.pid for peer in peers]
    for turn in range(plan["rounds"] + 1):
        order = peers if turn % 2 == 0 else peers[::-1]
        for case in plan["cases"]:
            for peer in order:
                attempts = plan["attempts"] if turn else 1
                result = measure_quietly(peer, case, pids, attempts, plan["foreign_limit"], watch)
                if turn:
                    results[case["name"]][peer.name].append(result)
                mark = "  others were busy" if result["foreign"] > plan["foreign_limit"] else ""
                progress(f"round {turn}  {case['name']:<24} {peer.name:<12} {result['seconds']:8.3f} s{mark}")
    return results
