"""Connected accounts (docs.stripe.com/connect/accounts). One is made with nothing enabled; see standing.py."""

from __future__ import annotations

from typing import Any

from payments.sandbox import ids
from payments.sandbox.call import Call
from payments.sandbox.currencies import ALL
from payments.sandbox.errors import invalid, missing_parameter, no_access, no_such
from payments.sandbox.lists import Page, page
from payments.sandbox.params import Params
from payments.sandbox.resources import banks
from payments.sandbox.resources.edits import edit
from payments.sandbox.resources.standing import DUE, requirements
from payments.sandbox.store import Record, Store, fresh
from payments.sandbox.world import World

KIND = "account"
LINK_SECONDS = 300  # an onboarding link's life, docs.stripe.com/api/account_links
INTERVALS = ("manual", "daily", "weekly", "monthly")
CURRENCY = {"US": "usd", "GB": "gbp", "JP": "jpy", "CH": "chf", "CA": "cad", "AU": "aud", "SE": "sek", "HU": "huf"}
EURO = frozenset({
    "AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI",
    "SK",
})  # fmt: skip
# Groups that say who the person is; the local Stripe asks for nothing.
UNREAD = ("controller", "business_profile", "individual", "company", "settings", "tos_acceptance")


def create(call: Call) -> Record:
    """POST /v1/accounts"""
    params = call.params
    country = (params.text("country") or "US").upper()
    currency = (params.text("default_currency") or _currency_of(country)).lower()
    fields = {
        "type": params.choice("type", ("standard", "express", "custom")) or "none",
        "email": params.text("email"),
        "business_type": params.text("business_type"),
        "metadata": params.metadata(),
        "capabilities": dict.fromkeys(_wanted(params), "inactive"),
    }
    for name in UNREAD:
        params.raw(name)
    if currency not in ALL:
        raise invalid(f"Invalid currency: {currency}", "default_currency")
    call.begin()
    return _add(call.world, _data(call.now, country, currency, **fields), "daily")


def retrieve(call: Call) -> Record:
    """GET /v1/accounts/:id"""
    call.begin()
    return subject(call)


def retrieve_own(call: Call) -> Record:
    """GET /v1/account"""
    call.begin()
    return call.store.get(KIND, call.account)


def listed(call: Call) -> Page:
    """GET /v1/accounts: the platform's connected accounts"""
    connected = [one for one in reversed(call.store.all(KIND)) if one.id != ids.PLATFORM and not one.hidden["gone"]]
    return page(call, KIND, records=connected)


def update(call: Call) -> Record:
    """POST /v1/accounts/:id"""
    record, wanted = subject(call), _wanted(call.params)
    schedule = call.params.section("settings").section("payouts").section("schedule")
    interval = schedule.choice("interval", INTERVALS)
    former = edit(call, record, "email", "business_type")
    capabilities = record.data["capabilities"]
    status = "active" if record.data["details_submitted"] else "inactive"
    if new := dict.fromkeys((name for name in wanted if name not in capabilities), status):
        former |= call.store.change(record, capabilities=capabilities | new)
    if interval:
        former |= set_interval(call.store, record, interval)
    if former:
        call.emit(record, "account.updated", former)
    return record


def delete(call: Call) -> dict[str, Any]:
    """DELETE /v1/accounts/:id: only with an empty balance"""
    call.begin()
    record, balances = subject(call), call.world.balances
    purses = [(record.id, one) for one in balances.currencies(record.id)]
    if any(balances.available(*purse) or balances.pending(*purse) for purse in purses):
        raise invalid("This account cannot be deleted: its balance is not zero.")
    call.store.note(record, gone=True)
    return {"id": record.id, "object": KIND, "deleted": True}


def link(call: Call) -> dict[str, Any]:
    """POST /v1/account_links: where the person behind the account goes to be onboarded"""
    params = call.params
    wanted, kind = params.required("account"), params.choice("type", ("account_onboarding", "account_update"))
    urls = {name: params.text(name) for name in ("return_url", "refresh_url")}
    for name in ("collect", "collection_options"):
        params.raw(name)
    if kind is None:
        raise missing_parameter("type")
    call.begin()
    account = _reachable(call.store, wanted)
    if account is None:
        raise no_such("account", wanted, param="account")
    token, expires = ids.new("link"), call.now + LINK_SECONDS
    call.store.add("account_link", account.id, {"id": token, "account": account.id, "expires_at": expires, **urls})
    url = f"{call.base}/onboarding/{token}"
    return {"object": "account_link", "created": call.now, "expires_at": expires, "url": url}


def add_platform(world: World) -> None:
    """The account whose key everybody holds, with a bank of its own and manual payouts."""
    data = _data(
        world.clock.now(), "US", "usd", type="standard", email="platform@example.com", business_type="company",
        metadata={}, capabilities={"card_payments": "active", "transfers": "active"},
    )  # fmt: skip
    data |= {"id": ids.PLATFORM, "requirements": requirements([])}
    data |= dict.fromkeys(("charges_enabled", "payouts_enabled", "details_submitted"), True)
    banks.add(world.store, _add(world, data, "manual"), "usd", banks.GOOD)


def schedule(account: Record) -> dict[str, Any]:
    """The payout schedule: connected accounts are made with daily payouts (docs.stripe.com/connect/manual-payouts)."""
    return dict(account.data["settings"]["payouts"]["schedule"])


def set_interval(store: Store, account: Record, interval: str) -> dict[str, Any]:
    """Change the payout schedule; gives the former settings when it differed."""
    settings = account.data["settings"]
    payouts = settings["payouts"] | {"schedule": schedule(account) | {"interval": interval}}
    return store.change(account, settings=settings | {"payouts": payouts})


def subject(call: Call) -> Record:
    """The account in the path. Raises Refusal (403)."""
    found = _reachable(call.store, call.path[0])
    if found is None or call.account not in (ids.PLATFORM, found.id):
        raise no_access(call.path[0], call.key)
    return found


def _reachable(store: Store, wanted: str) -> Record | None:
    """The account, if the platform's key reaches it."""
    found = store.find(KIND, wanted)
    return None if found is None or found.hidden["gone"] else found


def _wanted(params: Params) -> list[str]:
    """The capabilities that are requested."""
    return [name for name, group in params.section("capabilities").sections() if group.flag("requested")]


def _add(world: World, data: dict[str, Any], interval: str) -> Record:
    """A new account, which owns itself: its events and objects are in its own scope."""
    record = world.store.add(KIND, data["id"], data, gone=False)
    set_interval(world.store, record, interval)
    return record


def _data(now: int, country: str, currency: str, **fields: Any) -> dict[str, Any]:
    payouts = {"debit_negative_balances": False, "schedule": {"interval": "daily", "delay_days": 2}}
    data = fresh(
        "acct", KIND, now, business_profile={"name": None, "url": None}, charges_enabled=False, country=country,
        default_currency=currency, details_submitted=False, payouts_enabled=False,
        requirements=requirements(DUE, "requirements.past_due"), settings={"payouts": payouts}, **fields,
    )  # fmt: skip
    del data["livemode"]  # Stripe's accounts have none
    return data


def _currency_of(country: str) -> str:
    return "eur" if country in EURO else CURRENCY.get(country, "usd")
