"""`make bench`: all contenders in interleaved rounds on the same servers, then a table and a JSON file."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import machine, report
from tests.benchmarks.contenders import ALL, BASE, chosen
from tests.benchmarks.contenders.base import BENCH, Contender
from tests.benchmarks.contenders.bullmq import BullMQ
from tests.benchmarks.contenders.bullmq import version as bullmq_version
from tests.benchmarks.contenders.contralock import ContraLock
from tests.benchmarks.keeper import Idle, idle_cost
from tests.benchmarks.rounds import Figures, Sizes, measure
from tests.benchmarks.servers import Servers, started


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken (3)")
    parser.add_argument("--only", action="append", choices=[kind.name for kind in ALL], help="may be repeated")
    parser.add_argument("--jobs", type=int, default=None, help="in the backlog (4000)")
    parser.add_argument("--quick", action="store_true", help="one small round, under two minutes")
    parser.add_argument("--output", type=Path, default=BENCH, help="folder of the JSON file (.local/bench)")
    return parser.parse_args(argv)


def sizes(chosen_options: argparse.Namespace) -> Sizes:
    """How many jobs each measure takes."""
    if chosen_options.quick:
        backlog = chosen_options.jobs or 600
        return Sizes(each=min(200, backlog), bulk=min(2000, 2 * backlog), backlog=backlog, samples=50)
    return Sizes(each=400, bulk=10_000, backlog=chosen_options.jobs or 4000, samples=300)


def ready(contenders: Sequence[Contender]) -> list[Contender]:
    """Those who can take part, prepared; the others are named."""
    present = []
    for contender in contenders:
        if reason := contender.missing():
            print(f"{contender.name}: not to be had here: {reason}")
            continue
        contender.prepare()
        present.append(contender)
    return present


def one_round(contenders: Sequence[Contender], size: Sizes) -> dict[str, Figures]:
    """Each contender once; one that breaks is told and left out of this round."""
    found: dict[str, Figures] = {}
    for contender in contenders:
        began = time.monotonic()
        try:
            found[contender.name] = measure(contender, size)
        except (RuntimeError, TimeoutError) as error:
            print(f"  {contender.name} broke: {error}")
            continue
        print(f"  {contender.name}: {time.monotonic() - began:.0f} s, load {machine.load()}", flush=True)
    return found


def run(chosen_options: argparse.Namespace, servers: Servers, folder: Path) -> int:
    """All rounds, and the report."""
    size = sizes(chosen_options)
    facts = machine.facts() | {"started": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "sizes": vars(size)}
    print(f"{facts['processor']}, {facts['cpus']} CPUs, load {facts['load']}; {vars(size)}")
    contenders = ready(chosen(chosen_options.only, servers, folder))
    rounds = []
    for number in range(1 if chosen_options.quick else chosen_options.rounds):
        print(f"round {number + 1}", flush=True)
        rounds.append(one_round(contenders, size))
    idle: Idle = {}
    for contender in contenders:
        if type(contender) is ContraLock and not chosen_options.quick:
            idle = idle_cost(contender, 100_000, seconds=10)
    versions = machine.versions() | servers.versions()
    if any(isinstance(contender, BullMQ) for contender in contenders):
        versions["bullmq"] = bullmq_version()
    names = [contender.name for contender in contenders]
    facts |= {"versions": versions, "load_at_end": machine.load(), "notes": {c.name: c.note for c in contenders}}
    chosen_options.output.mkdir(parents=True, exist_ok=True)
    path = report.write(chosen_options.output, facts, rounds, names, idle)
    print(f"\n{report.tables(rounds, names)}\n\n{report.idle_lines(idle)}\n")
    print(
        f"Medians of {len(rounds)}; ratios are medians of each round's own, against {BASE} without events. CPU is ms."
    )
    print("\n".join(f"{c.name}: {c.note}" for c in contenders))
    print(f"{', '.join(f'{name} {number}' for name, number in versions.items())}\n{path}")
    return 0 if all(len(each) == len(contenders) for each in rounds) else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Start the servers, run, remove the servers. Returns the exit code: 1 when somebody broke."""
    chosen_options = options(argv)
    with tempfile.TemporaryDirectory(prefix="contralock-bench-") as folder, started() as servers:
        return run(chosen_options, servers, Path(folder))


if __name__ == "__main__":
    raise SystemExit(main())
