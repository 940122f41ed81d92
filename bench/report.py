"""From measurements to speeds, ratios, a table and a picture."""
from statistics import median


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def speed(case, seconds):
    """Tokens per second of all sequences together, or milliseconds of a first token."""
    if case["kind"] == "first_token":
        return 1000 * seconds
    return (case["prompt"] if case["kind"] == "prefill" else case["tokens"] * case["batch"]) / seconds


def summarize(cases, results, base, limit):
    """One row a case: the speed of each peer, and how many times faster `base` is than each other, round by round.

    `disturbed` counts the measurements during which others took more of the CPUs than the limit.
    """
    rows = []
    for case in cases:
        measured = results[case["name"]]
        unit = "ms" if case["kind"] == "first_token" else "tokens/s"
        row = {"case": case["name"], "unit": unit, "peers": {}, "ratios": {}}
        for peer, runs in measured.items():
            row["peers"][peer] = spread([speed(case, run["seconds"]) for run in runs])
            row["peers"][peer]["disturbed"] = sum(run["foreign"] > limit for run in runs)
            row["peers"][peer]["foreign_cpu"] = max(run["foreign"] for run in runs)
            if peer != base:
                pairs = zip(runs, measured[base])
                row["ratios"][peer] = spread([other["seconds"] / ours["seconds"] for other, ours in pairs])
        rows.append(row)
    return rows


def table(report):
    """Markdown: the medians with lowest and highest, a * where others were busy."""
    peers, base = report["peers"], report["base"]
    others = [peer for peer in peers if peer != base]
    head = ["", *peers, *(f"{base} ÷ {other}" for other in others)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    disturbed = False
    for row in report["rows"]:
        cells = [row["case"]]
        for peer in peers:
            value = row["peers"][peer]
            mark = " *" if value["disturbed"] else ""
            disturbed |= bool(mark)
            cells.append(f"{value['median']:.1f} {row['unit']} ({value['min']:.1f}–{value['max']:.1f}){mark}")
        for other in others:
            value = row["ratios"][other]
            cells.append(f"**{value['median']:.2f}×** ({value['min']:.2f}–{value['max']:.2f})")
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"{report['model']}, {report['cpu']}, {report['threads']} threads, {report['rounds']} rounds by turns; "
             "medians with lowest and highest; a ratio above 1: LLMIR is faster."]
    if disturbed:
        limit = 100 * report["foreign_limit"]
        notes.append(f"\\* Other processes took more than {limit:.0f} % of the CPUs in some rounds: "
                     "measure again on a quiet machine.")
    return "\n".join([*lines, "", *notes]) + "\n"


def picture(report, path):
    """Bars of the ratios with their spread, as an SVG file."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    others = [peer for peer in report["peers"] if peer != report["base"]]
    rows = report["rows"][::-1]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.5 * len(rows) * max(1, len(others))), layout="constrained")
    height = 0.8 / max(1, len(others))
    for number, other in enumerate(others):
        ratios = [row["ratios"][other] for row in rows]
        places = [i + (number - (len(others) - 1) / 2) * -height for i in range(len(rows))]
        medians = [ratio["median"] for ratio in ratios]
        errors = [[ratio["median"] - ratio["min"] for ratio in ratios],
                  [ratio["max"] - ratio["median"] for ratio in ratios]]
        axes.barh(places, medians, 0.9 * height, xerr=errors, label=other, error_kw={"elinewidth": 1, "capsize": 3})
        for place, ratio in zip(places, ratios):
            axes.text(ratio["max"], place, f"  {ratio['median']:.2f}×", va="center")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), [row["case"] for row in rows])
    axes.set_xlabel(f"times as fast: {report['base']} ÷ other")
    axes.set_title(f"{report['model']}, {report['threads']} threads", fontsize=10)
    axes.margins(x=0.12)
    axes.legend(loc="best", frameon=False)
    figure.savefig(path)
