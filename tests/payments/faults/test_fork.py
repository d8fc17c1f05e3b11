"""A process that forks after it has talked to Stripe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import Any, cast

from payments.sandbox.options import KEY
from tests.payments.faults.gate import Gate
from tests.payments.sandbox.cast import Cast
from tests.payments.sandbox.server import LocalStripe

TIMES = 20

PROGRAM = f"""
import os, sys
import django
django.setup()
from payments import gateway

first, second = sys.argv[1:]
ask = lambda one: gateway.read(gateway.Read(what="payment_intents", id=one))["id"] == one
before = ask(first)
child = os.fork()
if child == 0:
    os._exit(0 if all([ask(second) for _ in range({TIMES})]) else 1)
ended = os.waitpid(child, 0)[1]
after = all([ask(first) for _ in range({TIMES})])
sys.exit(0 if before and ended == 0 and after else 1)
"""
"""The parent asks, its child asks, the parent asks again; exit code 0 if each was given its own object.

One after the other: an answer to the parent that lies in a shared socket lets the child's pool take it for a dropped
connection, and open another by chance.
"""


def test_after_a_fork_parent_and_child_have_a_connection_each(local_stripe: LocalStripe, gate: Gate) -> None:
    cast_ = Cast(local_stripe.url)
    intents = [cast_.api.payment_intents.create(cast(Any, {"amount": 100, "currency": "usd"})).id for _ in range(2)]
    settings = {"STRIPE_API_BASE": gate.url, "STRIPE_SECRET_KEY": KEY, "STRIPE_TIMEOUT": "5"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *intents],
        env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = {one: Counter(passed.port for passed in gate.passed if one in passed.head) for one in intents}
    (parent,), (child,) = asked[intents[0]], asked[intents[1]]
    assert parent != child
    assert (asked[intents[0]][parent], asked[intents[1]][child]) == (1 + TIMES, TIMES)
