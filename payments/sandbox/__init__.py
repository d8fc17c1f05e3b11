"""The local Stripe: a real HTTP server with the part of Stripe's surface that payments/ uses.

It imports nothing of Django, of payments or of the stripe SDK. From outside inwards: `server` (HTTP), `api` (key,
account, idempotency, `faults`), `routes`, `resources/` (an endpoint a function), `world` (`clock`, `balances`, `keys`)
and `store`; beside them `webhooks`, `persistence`, and `backdoor` with the orders of tests, whose client is `control`.
Rules name their source: a page of Stripe's, or what was seen there. Where neither is known the stricter one is taken.
"""
