"""Card numbers are refused at the caller, and little else is taken for one."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from jobs import InvalidArguments
from jobs.cards import find_card_number
from jobs.kinds import kind_of
from jobs.models import Job
from tests.jobs.zoo import anything, secretive

# The schemes' published test numbers.
CARDS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4000-0566-5566-5556",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "6200000000000005",
    "3566002020360505",
    "3056930009020004",
    "36227206271667",
]


@pytest.mark.parametrize("number", CARDS)
def test_a_card_number_is_seen(number: str) -> None:
    assert find_card_number(number)
    assert find_card_number({"note": [f"please charge {number}, thanks"]})


@pytest.mark.parametrize(
    "value",
    [
        "4242424242424241",  # one digit off
        "1234567812345670",  # right checksum, no scheme
        "01a20bee-a881-7204-a9a9-41f3e45ba0bf",
        "2a64f540-ef40-4170-8522-727a93720062",  # has a run of digits with scheme, length and checksum
        "message:2A64F540-EF40-4170-8522-727A93720062,1",
        "DE02120300000000202051",
        "pi_3NxYz42424242",
        "44242424242424242424242",
        4242,
        True,
        None,
        3.5,
        "",
    ],
)
def test_other_numbers_are_not(value: Any) -> None:
    assert not find_card_number(value)


def test_no_id_is_taken_for_one() -> None:
    dice = random.Random(7)
    ids = [str(uuid.UUID(int=dice.getrandbits(128), version=4)) for _ in range(20_000)]
    assert [each for each in ids if find_card_number(each)] == []
    assert [each for each in ids if find_card_number(f"https://x.example/{each}/4242")] == []


def test_a_number_as_an_integer_or_as_a_key_is_seen() -> None:
    assert find_card_number(4242424242424242)
    assert find_card_number({"4242424242424242": 1})


@pytest.mark.django_db
def test_a_job_with_a_card_number_is_refused_and_nothing_is_written() -> None:
    with pytest.raises(InvalidArguments, match="looks like a card number") as refusal:
        anything.delay(payload={"card": "4242424242424242"})
    assert "4242" not in str(refusal.value)
    with pytest.raises(InvalidArguments):
        secretive.delay(who="ada", iban="4242424242424242")
    assert kind_of("zoo.anything")
    assert not Job.objects.exists()
