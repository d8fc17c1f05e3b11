"""A job's arguments: checked at the caller, stored as JSON, read back typed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from jobs.arguments import Arguments, BadDeclaration, InvalidArguments

ID = UUID("01a20bf9-b03d-73b4-8fb5-501628c94120")


class Colour(StrEnum):
    RED = "red"


@dataclass
class Money:
    amount: Decimal
    currency: str


def takes(annotation: Any) -> Arguments:
    """The signature `(*, value: annotation)`."""

    def function(*, value: Any) -> None: ...

    function.__annotations__["value"] = annotation
    return Arguments("zoo.test", function)


def two(*, number: int, name: str = "x") -> None: ...


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, 2**70),
        (str, "ä😀\\u0000"),
        (bool, True),
        (float, 1.5),
        (UUID, ID),
        (date, date(2024, 2, 29)),
        (datetime, datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=UTC)),
        (timedelta, timedelta(hours=36)),
        (Decimal, Decimal("0.10")),
        (Colour, Colour.RED),
        (list[UUID], [ID, ID]),
        (dict[str, date], {"a": date(2024, 2, 29)}),
        (tuple[int, str], (1, "a")),
        (Money, Money(Decimal("10.50"), "EUR")),
        (Literal["a", "b"], "b"),
        (int | None, None),
        (UUID | None, ID),
        (Any, {"a": [1, None]}),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_went(annotation: Any, value: Any) -> None:
    arguments = takes(annotation)
    stored = arguments.dump({"value": value})
    back = arguments.load(json.loads(json.dumps(stored)))["value"]
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        (int, "7", "value: Input should be a valid integer, got str"),
        (int, True, "got bool"),
        (int, 7.0, "got float"),
        (str, 7, "got int"),
        (str, b"x", "got bytes"),
        (bool, 1, "got int"),
        (float, "1", "got str"),
        (float, float("nan"), "finite"),
        (float, float("inf"), "finite"),
        (UUID, str(ID), "got str"),
        (date, "2024-02-29", "got str"),
        (list[int], [1, "2"], r"value\.1: Input should be a valid integer"),
        (Literal["a"], "b", "'a'"),
        (int, None, "got NoneType"),
        (Annotated[int, Field(ge=1)], 0, "greater than or equal to 1"),
    ],
)
def test_a_value_of_another_type_is_refused_at_the_caller(annotation: Any, value: Any, said: str) -> None:
    with pytest.raises(InvalidArguments, match=said):
        takes(annotation).dump({"value": value})


def test_an_int_is_a_float_and_comes_back_as_one() -> None:
    assert takes(float).load(takes(float).dump({"value": 2})) == {"value": 2.0}


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [(UUID, str(ID), ID), (date, "2024-02-29", date(2024, 2, 29)), (Decimal, "0.1", Decimal("0.1"))],
)
def test_what_comes_as_json_may_be_a_string(annotation: Any, text: str, value: Any) -> None:
    arguments = takes(annotation)
    assert arguments.load(arguments.dump_json({"value": text})) == {"value": value}


def test_what_comes_as_json_is_checked_all_the_same() -> None:
    with pytest.raises(InvalidArguments, match="valid integer"):
        takes(int).dump_json({"value": "7"})


# ---------------------------------------------------------------- names
def test_a_missing_argument_is_named() -> None:
    with pytest.raises(InvalidArguments, match=r"zoo\.two: argument 'number' is missing"):
        Arguments("zoo.two", two).dump({"name": "x"})


def test_an_unknown_argument_brings_the_nearest_to_mind() -> None:
    with pytest.raises(InvalidArguments, match="unknown argument 'nmber': did you mean 'number'"):
        Arguments("zoo.two", two).dump({"number": 1, "nmber": 1})
    with pytest.raises(InvalidArguments, match="unknown argument 'zzz': it takes number, name"):
        Arguments("zoo.two", two).dump({"number": 1, "zzz": 1})


def test_a_job_without_arguments_says_that_it_takes_none() -> None:
    def nothing() -> None: ...

    with pytest.raises(InvalidArguments, match="it takes none"):
        Arguments("zoo.nothing", nothing).dump({"x": 1})


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidArguments) as caught:
        Arguments("zoo.two", two).dump({"number": "1", "name": 2, "x": 3})
    assert all(word in str(caught.value) for word in ("number:", "name:", "unknown argument 'x'"))


def test_a_model_instance_is_answered_with_a_hint() -> None:
    user = get_user_model()(pk=1)
    with pytest.raises(InvalidArguments, match=r"value is a User; pass its primary key \(…value\.pk\) instead"):
        takes(int).dump({"value": user})


def test_defaults_are_not_stored_so_that_a_later_default_holds() -> None:
    arguments = Arguments("zoo.two", two)
    assert arguments.dump({"number": 1}) == {"number": 1}
    assert arguments.load({"number": 1}) == {"number": 1}
    assert arguments.dump({"number": 1, "name": "x"}) == {"number": 1, "name": "x"}


@pytest.mark.parametrize("stored", [{}, {"number": "1"}, {"number": 1, "gone": 2}, [1], None, "x"])
def test_stored_arguments_that_no_longer_fit_are_refused_in_words(stored: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"zoo\.two"):
        Arguments("zoo.two", two).load(stored)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "name", ["copy", "json", "schema", "model_id", "model_config", "dict", "validate", "self", "cls"]
)
def test_an_argument_may_have_any_name(name: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def function(*, {name}: int) -> None: ...", scope)
    arguments = Arguments("zoo.test", scope["function"])
    assert arguments.load(arguments.dump({name: 3})) == {name: 3}


# ---------------------------------------------------------------- what cannot be stored
@pytest.mark.parametrize("value", ["a\x00b", {"k\x00": 1}, ["\x00"]])
def test_a_nul_character_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArguments, match="NUL"):
        takes(Any).dump({"value": value})


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert takes(str).dump({"value": r"C:\u0000"}) == {"value": r"C:\u0000"}


@pytest.mark.parametrize("annotation", [str, Any, list[str]])
def test_half_a_surrogate_pair_is_refused(annotation: Any) -> None:
    value: Any = ["\ud800"] if annotation == list[str] else "\ud800"
    with pytest.raises(InvalidArguments):
        takes(annotation).dump({"value": value})


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="cannot be written as JSON"):
        takes(Any).dump({"value": object()})


def test_arguments_that_are_too_big_are_refused_with_advice(settings: Any) -> None:
    settings.JOBS_ARGS_LIMIT = 100
    assert takes(str).dump({"value": "x" * 88})
    with pytest.raises(InvalidArguments, match=r"take 101 bytes, more than 100\. Store the data in a row of its own"):
        takes(str).dump({"value": "x" * 89})
    with pytest.raises(InvalidArguments, match="take 101 bytes"):
        takes(str).dump({"value": "ä" * 44 + "x"})


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), st.integers()))
def test_any_json_object_goes_through(value: dict[str, int]) -> None:
    arguments = takes(dict[str, int])
    assert arguments.load(arguments.dump({"value": value})) == {"value": value}


# ---------------------------------------------------------------- declarations
def test_an_argument_that_could_be_positional_is_refused_with_the_cure() -> None:
    def positional(number: int) -> None: ...

    with pytest.raises(BadDeclaration, match=r"'number' must be keyword-only. Write def positional\(\*, number: …\)"):
        Arguments("zoo.positional", positional)


def test_star_arguments_are_refused() -> None:
    def stars(*args: int) -> None: ...

    def doubles(**kwargs: int) -> None: ...

    for function in (stars, doubles):
        with pytest.raises(BadDeclaration, match="must be keyword-only"):
            Arguments("zoo.stars", function)


def test_an_argument_without_annotation_is_refused_with_the_cure() -> None:
    scope: dict[str, Any] = {}
    exec("def bare(*, number): ...", scope)
    with pytest.raises(BadDeclaration, match="needs an annotation, such as number: int"):
        Arguments("zoo.bare", scope["bare"])
