"""A PostgreSQL of one's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from contralock.local import identity
from contralock.local.alive import is_alive
from contralock.local.postgres import Postgres
from contralock.local.postgres_binaries import NoPostgres, version
from contralock.local.postgres_cluster import ServerFailed
from contralock.local.waiting import wait_until

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
needs_15 = pytest.mark.skipif(version(SYSTEM_15) == 0, reason=f"no PostgreSQL 15 in {SYSTEM_15}")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")


def remember(server: Postgres, word: str) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])


def memory(server: Postgres) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM memory")]


def test_a_killed_postgres_starts_again_with_its_data_on_its_port(postgres: Postgres) -> None:
    remember(postgres, "kept")
    port, pid = postgres.port, postgres.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not postgres.running, limit=5, what="death")
    postgres.start()
    assert memory(postgres) == ["kept"]
    assert postgres.port == port
    assert postgres.pid != pid


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_keeps_the_data_whatever_its_mode(postgres: Postgres, mode: str) -> None:
    remember(postgres, mode)
    postgres.restart(mode)  # type: ignore[arg-type]
    assert memory(postgres) == [mode]


def test_a_second_launcher_over_the_same_folder_knows_data_and_password(tmp_path: Path) -> None:
    first = Postgres(tmp_path / "pg", durable=False).start()
    try:
        remember(first, "old")
        first.stop()
        with Postgres(tmp_path / "pg", durable=False) as second:
            assert memory(second) == ["old"]
            assert second.password == first.password
    finally:
        first.destroy()


def test_a_pid_file_that_names_a_living_stranger_does_not_stop_the_start(postgres: Postgres) -> None:
    remember(postgres, "kept")
    pidfile = postgres.data / "postmaster.pid"
    postgres.kill()
    lines = pidfile.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"], user=(postgres.user or (None, None))[0]) as stranger:
        try:
            pidfile.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            postgres.start()
            assert stranger.poll() is None, "the stranger must live"
        finally:
            stranger.kill()
    assert memory(postgres) == ["kept"]


def test_a_server_that_an_earlier_launcher_left_is_taken_down_first(postgres: Postgres) -> None:
    remember(postgres, "kept")
    left = postgres.pid
    heir = Postgres(postgres.folder, durable=False)
    assert heir.folder == postgres.folder
    try:
        heir.start()
        assert not is_alive(left)
        assert memory(heir) == ["kept"]
    finally:
        heir.stop()


def test_it_refuses_a_wrong_password(postgres: Postgres) -> None:
    wrong = postgres.url().replace(postgres.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_its_password_is_readable_for_nobody_else(postgres: Postgres) -> None:
    assert (postgres.folder / "password").stat().st_mode & 0o077 == 0


def test_a_database_is_created_once(postgres: Postgres) -> None:
    postgres.create_database("twice")
    postgres.create_database("twice")
    with psycopg.connect(postgres.url("twice")) as connection:
        row = connection.execute("SELECT current_database(), upper('ä')").fetchone()
    assert row == ("twice", "Ä")


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from contralock.local.postgres import Postgres;"
        "print(Postgres(Path(sys.argv[1]), durable=False).start().pid, flush=True); time.sleep(600)"
    )
    folder = tmp_path / "pg"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    try:
        wait_until(lambda: not is_alive(pid), limit=10, what="end of the orphan")
    finally:
        Postgres(folder).destroy()


@needs_15
def test_it_runs_on_the_systems_15_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRALOCK_POSTGRES_BIN", str(SYSTEM_15))
    server = Postgres.throwaway()
    try:
        with psycopg.connect(server.start().url()) as connection:
            assert connection.info.server_version // 10_000 == 15
    finally:
        server.destroy()


@needs_15
def test_data_of_another_major_version_is_refused_in_one_line(postgres: Postgres) -> None:
    postgres.stop()
    other = Postgres(postgres.folder, bin_dir=SYSTEM_15)
    with pytest.raises(ServerFailed, match=r"was made by PostgreSQL \d+.*is 15: remove that folder"):
        other.start()


def test_a_forced_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPostgres, match="holds no initdb and postgres"):
        Postgres(tmp_path / "pg", bin_dir=tmp_path)


@needs_root
def test_data_that_the_unprivileged_user_cannot_reach_lies_below_var_tmp(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    server = Postgres(hidden / "pg", durable=False)
    try:
        assert Path("/var/tmp") in server.folder.parents
        assert Postgres(hidden / "pg").folder == server.folder
        server.start()
        assert hidden.stat().st_mode & 0o777 == 0o700
    finally:
        server.destroy()


@needs_root
def test_programs_that_the_unprivileged_user_cannot_reach_run_from_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Path(tempfile.mkdtemp())
    cache.chmod(0o711)
    monkeypatch.setattr("contralock.local.postgres_binaries._usable", lambda *_: False)
    monkeypatch.setattr("contralock.local.postgres_binaries.own_folder", lambda _name: cache)
    server = Postgres.throwaway()
    try:
        server.start()
        assert cache in server.bin.parents
    finally:
        server.destroy()
        shutil.rmtree(cache)


@needs_root
def test_a_folder_below_var_tmp_that_belongs_to_somebody_else_is_refused() -> None:
    folder = Path("/var/tmp/contralock-test-of-owner")
    folder.mkdir(exist_ok=True)
    os.chown(folder, *(identity.unprivileged() or (0, 0)))
    try:
        with pytest.raises(PermissionError, match="belongs to somebody else"):
            identity.own_folder(folder.name)
    finally:
        folder.rmdir()
