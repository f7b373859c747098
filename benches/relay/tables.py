"""The figures as tables in Markdown."""

import statistics

from servers import Coturn, Signalpost

OURS, THEIRS = Signalpost.name, Coturn.name
# Time in which threads of the server were ready to run but others had the processor: those of other programs, or its own.
WAITED = "server waited %"


def print_figures(bench, conditions):
    print(conditions, "Where no loss is given there was none.\n")
    if bench.ciphers:
        print("TLS:", ", ".join(f"{server} {cipher}" for server, cipher in bench.ciphers.items()) + ".\n")
    print_comparison(bench)
    print_signaling(bench)


def number(value):
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def cell(bench, row, column):
    values = bench.figures.get((row, column))
    return (number(statistics.median(values)) if values else "–") + (" *" if (row, column) in bench.limited else "")


def print_comparison(bench):
    rows = list(dict.fromkeys(row for row, column in bench.figures if column in (OURS, THEIRS)))
    if not rows:
        return
    print("| | Signalpost | coturn | ratio | in the repetitions |\n| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        ours, theirs = (bench.figures.get((row, server), []) for server in (OURS, THEIRS))
        if row.startswith("lost") and max(ours + theirs) < 0.005:
            continue
        ratio = spread = "–"
        if ours and theirs and min(theirs) > 0 and not row.startswith(("lost", WAITED)):
            ratios = [own / other for own, other in zip(ours, theirs)]
            ratio, spread = number(statistics.median(ours) / statistics.median(theirs)), f"{min(ratios):.2f} – {max(ratios):.2f}"
        print(f"| {row} | {cell(bench, row, OURS)} | {cell(bench, row, THEIRS)} | {ratio} | {spread} |")
    if bench.limited:
        print("\n\\* Here the generator was the limit, or had to wait for its processor: rates and latencies would be better, CPU figures hold.")


def print_signaling(bench):
    loads = [column for row, column in bench.figures if row == "p99 ms"]
    if not loads:
        return
    print("\nFrom the start of a `POST` to the answer of the other peer's poll, one pair, over HTTPS, while the same server relays.")
    print("*Past it*: between sockets of the generator, which runs on the same processor as the peers.\n")
    columns = ["p50 ms", "p99 ms", "messages/s", "arrived packets/s", "lost %", WAITED]
    base = statistics.median(bench.figures["p99 ms", loads[0]])
    print(f"| beside it | {' | '.join(columns)} | p99 × |\n| --- |{' ---: |' * (len(columns) + 1)}")
    for load in loads:
        ratio = number(statistics.median(bench.figures["p99 ms", load]) / base)
        print(f"| {load} | {' | '.join(cell(bench, row, load) for row in columns)} | {ratio} |")
