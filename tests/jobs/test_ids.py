"""Job ids: UUIDv7."""

from __future__ import annotations

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs import ids
from jobs.doorbell import Bell, parse_task_id
from jobs.ids import uuid7


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(1000):
        made = uuid7()
        assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_an_id_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    stamp = uuid7().int >> 80
    assert before - 5_000 <= stamp <= time.time_ns() // 1_000_000 + 5_000


def test_ids_of_a_process_only_rise() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)
    assert len(set(made)) == len(made)


def test_ids_of_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [one for batch in pool.map(lambda _: [uuid7() for _ in range(2000)], range(8)) for one in batch]
    assert len(set(made)) == len(made)


def test_ids_rise_although_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    past = time.time_ns() - 3_600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: past)
    assert uuid7() > first


def test_a_full_counter_moves_on_to_the_next_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = (time.time_ns() // 1_000_000 + 1000) << 42
    monkeypatch.setattr(ids, "_last", stamp | (1 << 42) - 1)
    made = uuid7()
    assert made.int >> 80 == (stamp >> 42) + 1
    assert made.version == 7


def test_a_forked_child_makes_ids_of_its_own() -> None:
    uuid7()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"".join(uuid7().bytes for _ in range(200)))
        os._exit(0)
    mine = {uuid7() for _ in range(200)}
    os.waitpid(child, 0)
    text = os.read(read, 200 * 16)
    os.close(read)
    os.close(write)
    others = {uuid.UUID(bytes=text[i : i + 16]) for i in range(0, len(text), 16)}
    assert len(others) == 200
    assert not mine & others


def test_a_task_id_names_its_job() -> None:
    bell = Bell(job_id=uuid7(), dispatch_no=12, kind="k", queue="q", priority=5)
    assert bell.task_id == f"{bell.job_id}.12"
    assert parse_task_id(bell.task_id) == bell.job_id


@pytest.mark.parametrize("text", ["", ".", "x.1", "01a20bf9-b03d-73b4-8fb5-501628c94120", "1.1", "٣", "a.b.c"])
def test_anything_else_is_no_doorbell(text: str) -> None:
    assert parse_task_id(text) is None


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "²", "٣"])
def test_a_dispatch_number_is_digits(number: str) -> None:
    assert parse_task_id(f"01a20bf9-b03d-73b4-8fb5-501628c94120.{number}") is None
