"""Stripe's request encoding: `a[b][0][c]=1` is a tree. Lists stay trees with the keys "0", "1", …"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from payments.sandbox.errors import invalid

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
FIELDS = 1000  # more fields than any call of Stripe's has


def decode(text: str) -> dict[str, Any]:
    """The tree of a query string or form body. Raises Refusal on a key that contradicts itself."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError as error:
        raise invalid(f"The request's parameters could not be read: {error}.") from error
    tree: dict[str, Any] = {}
    for name, value in pairs:
        _put(tree, name, value)
    return tree


def _put(tree: dict[str, Any], name: str, value: str) -> None:
    found = _KEY.fullmatch(name)
    if found is None:
        raise invalid(f"Invalid parameter name: {name}", name)
    *path, last = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
    for step in path:
        tree = tree.setdefault(step or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise invalid(f"Parameter {name} is both a value and a group.", name)
    if isinstance(tree.get(last), dict):
        raise invalid(f"Parameter {name} is both a value and a group.", name)
    tree[last or str(len(tree))] = value
