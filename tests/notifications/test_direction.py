"""Strangers' words in our sentences."""

from __future__ import annotations

import pytest

from notifications.direction import CONTROLS, isolated


@pytest.mark.parametrize("text", ["Ada Lovelace", "Zoë 🦊", "Straße 7 (alt)", ""])
def test_what_runs_as_ours_does_is_left_alone(text: str) -> None:
    assert isolated(text) == text


@pytest.mark.parametrize("text", ["יעל כהן", "متجر 2026", "Café قهوة", "٣٤"])
def test_what_runs_the_other_way_is_ordered_by_itself(text: str) -> None:
    assert isolated(text) == f"\u2068{text}\u2069"


@pytest.mark.parametrize("control", [chr(code) for code in CONTROLS])
def test_no_control_of_direction_gets_out(control: str) -> None:
    assert isolated(f"a{control}b") == "ab"
    assert isolated(f"{control}יעל{control}") == "\u2068יעל\u2069", "a stray one would end our isolate too early"


def test_lines_become_one() -> None:
    assert isolated(" Plan\r\nAmount:\t$1 \u2028") == "Plan Amount: $1"
