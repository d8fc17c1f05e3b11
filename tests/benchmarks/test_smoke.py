"""The bench still runs; what it measures is nobody's assertion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_bench_measures_contralock(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.benchmarks", "--quick", "--only", "contralock", "--jobs", "100"]
    argv += ["--output", str(tmp_path)]
    done = subprocess.run(argv, check=False, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("*.json")
    (figures,) = json.loads(path.read_text())["rounds"]
    rates = ("add_each", "add_transaction", "add_many", "process_on", "process_off")
    assert set(rates) < set(figures["contralock"])
    assert all(figures["contralock"][name] > 0 for name in rates)


def test_the_bench_of_mails_sends_in_all_its_ways() -> None:
    argv = [sys.executable, "-m", "tests.benchmarks.mail", "--mails", "5", "--rounds", "1"]
    done = subprocess.run(argv, check=False, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[1:]] == ["kept", "each", "plain"]


def test_the_bench_of_invoices_measures_all_who_draw_them() -> None:
    argv = [sys.executable, "-m", "tests.benchmarks.invoices", "--pdfs", "1", "--children", "1"]
    done = subprocess.run(argv, check=False, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PDFs/s per core") == 3
