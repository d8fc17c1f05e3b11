"""The state file: nothing that was answered is lost, whoever is killed whenever."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from payments.sandbox.persistence import Journal, StateFileUnusable
from payments.sandbox.store import Store
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.receiver import Receiver
from tests.payments.sandbox.server import LocalStripe

FREE = '{"settlement_seconds": 0, "fee_basis_points": 0, "fee_fixed": 0}'


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[LocalStripe]:
    """A server with a state file."""
    with LocalStripe(tmp_path, "--state", str(tmp_path / "stripe.state"), "--settings", FREE) as server:
        yield server


def test_a_killed_server_comes_back_as_it_was(kept: LocalStripe) -> None:
    cast = Cast(kept.url)
    payee = cast.payee()
    cast.payment(10_000, metadata={"operation_id": "deposit"})
    transfer = cast.transfer(4_000, payee, key="k", metadata={"operation_id": "release"})
    cast.control.advance_clock(3_600)
    before = cast.control.state()

    kept.restart()

    after = cast.control.state()
    assert after["objects"] == before["objects"]
    assert after["balances"] == before["balances"]
    assert after["settings"] == before["settings"]
    assert after["now"] >= before["now"]
    assert cast.transfer(4_000, payee, key="k", metadata={"operation_id": "release"}).id == transfer.id
    assert cast.control.effects().count("release") == 1


def test_what_was_answered_is_never_lost_by_a_kill_in_the_middle_of_work(kept: LocalStripe) -> None:
    cast = Cast(kept.url)
    payee = cast.payee()
    cast.control.fund(1_000_000)
    answered: list[str] = []

    def work(lane: int) -> None:
        for number in range(1_000):
            try:
                cast.transfer(1, payee, key=f"{lane}:{number}", metadata={"operation_id": f"{lane}:{number}"})
            except stripe.APIConnectionError:
                return
            answered.append(f"{lane}:{number}")

    lanes = [threading.Thread(target=work, args=(lane,)) for lane in range(4)]
    for lane in lanes:
        lane.start()
    while len(answered) < 100:
        lanes[0].join(0.01)
    kept.kill()
    for lane in lanes:
        lane.join()
    kept.restart()

    found = cast.control.effects()
    assert len(answered) >= 100
    assert set(answered) <= found.operations.keys()
    assert all(len(row) == 1 for row in found.operations.values())
    assert cast.control.balance(payee) == (len(found.operations), 0)


def test_webhooks_that_were_not_taken_are_delivered_after_a_restart(kept: LocalStripe, receiver: Receiver) -> None:
    cast = Cast(kept.url)
    made = cast.api.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    cast.control.hold_webhooks()
    customer = cast.api.customers.create()
    kept.restart()
    assert made.secret is not None
    [event] = [one.event(made.secret) for one in receiver.wait_for(1)]
    assert event.data.object["id"] == customer.id


def test_a_clean_stop_keeps_everything_too(kept: LocalStripe) -> None:
    cast = Cast(kept.url)
    customer = cast.api.customers.create({"name": "A"})
    assert kept.stop() == 0
    kept.restart()
    assert cast.api.customers.retrieve(customer.id).name == "A"


def test_a_second_server_may_not_use_the_same_file(kept: LocalStripe, tmp_path: Path) -> None:
    again = subprocess.run(
        [sys.executable, "-m", "payments.sandbox", "--state", str(tmp_path / "stripe.state")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert again.returncode == 1
    assert "Another local Stripe is using" in again.stderr


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_last_line_that_was_cut_short_is_left_out(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "state"
    _write(path, ["a_1", "a_2", "a_3"])
    path.write_bytes(path.read_bytes()[:-cut])
    store = Journal(path).load()
    assert [record.id for record in store.everything()] == ["a_1", "a_2"]


def test_a_change_and_a_removal_are_written_down(tmp_path: Path) -> None:
    path = tmp_path / "state"
    _write(path, ["a_1", "a_2"])
    journal = Journal(path)
    store = journal.load()
    journal.begin(store)
    store.change(store.get("thing", "a_1"), colour="red")
    store.note(store.get("thing", "a_1"), secret="s")
    store.remove(store.get("thing", "a_2"))
    journal.write(store)
    journal.close()
    [record] = Journal(path).load().everything()
    assert (record.data, record.hidden) == ({"id": "a_1", "colour": "red"}, {"secret": "s"})


@pytest.mark.parametrize("text", ["hello\n", "[]\n", '{"local_stripe": 99}\n', '{"local_stripe": 1}\n{"put": [{}]}\n'])
def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(StateFileUnusable, match="Move it away"):
        Journal(path).load()
    assert path.read_text() == text


def test_the_file_is_rewritten_when_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.sandbox.persistence.GROWTH", 10_000)
    path, store = tmp_path / "state", Store()
    journal = Journal(path)
    journal.load()
    journal.begin(store)
    record = store.add("thing", "acct", {"id": "a_1", "text": "x" * 1_000})
    for number in range(100):
        store.change(record, number=number)
        journal.write(store)
    assert path.stat().st_size < 15_000
    journal.close()
    [found] = Journal(path).load().everything()
    assert found.data["number"] == 99


def test_the_file_is_for_its_owner_only(kept: LocalStripe, tmp_path: Path) -> None:
    assert (tmp_path / "stripe.state").stat().st_mode & 0o077 == 0


def _write(path: Path, names: list[str]) -> None:
    """A file with one line a record."""
    journal, store = Journal(path), Store()
    journal.load()
    journal.begin(store)
    for name in names:
        store.add("thing", "acct", {"id": name})
        journal.write(store)
    journal.close()
