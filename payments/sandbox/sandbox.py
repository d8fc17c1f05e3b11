"""The local Stripe put together: world, journal, webhooks, API; and how it is begun anew."""

from __future__ import annotations

from payments.sandbox import ids
from payments.sandbox.api import Api
from payments.sandbox.options import Options
from payments.sandbox.persistence import Journal
from payments.sandbox.resources import accounts, webhook_endpoints
from payments.sandbox.store import Store
from payments.sandbox.webhooks import Webhooks
from payments.sandbox.world import World

ENDPOINT = webhook_endpoints.KIND


class Sandbox:
    """Everything behind the server's address. Raises StateFileUnusable."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.journal = Journal(options.state)
        self.webhooks = Webhooks(lambda: self.world, self.commit)
        self.api = Api(options.keys, lambda: self.world, self.commit)
        self.world = self._furnish(self.journal.load())

    def commit(self) -> None:
        """Write down what changed."""
        self.journal.write(self.world.store)

    async def reset(self) -> None:
        """Forget everything but the options: objects, keys, faults, deliveries, and the clock's advance."""
        await self.webhooks.forget()
        self.api.faults.clear()
        self.world = self._furnish(Store())

    def _furnish(self, store: Store) -> World:
        """A world with the platform's account and the endpoints that the options name."""
        world = World(store, self.webhooks.announce)
        if store.find("account", ids.PLATFORM) is None:
            world.settings.change(self.options.settings)
            accounts.add_platform(world)
            world.keep()
        self._place_endpoint(world, self.options.webhook, self.options.secret, connect=False)
        self._place_endpoint(world, self.options.connect_webhook, self.options.connect_secret, connect=True)
        world.keys.prune()
        self.journal.begin(store)
        return world

    def _place_endpoint(self, world: World, url: str | None, secret: str, *, connect: bool) -> None:
        """The endpoint of the options, once: a restart may move it, not double it."""
        mine = [one for one in world.store.all(ENDPOINT) if one.hidden.get("configured") == connect]
        if url is None:
            for one in mine:
                world.store.change(one, status="disabled")
            return
        endpoint = mine[0] if mine else webhook_endpoints.add(
            world.store, ids.PLATFORM, world.clock.now(), url, ["*"], connect=connect, secret=secret
        )  # fmt: skip
        world.store.change(endpoint, url=url, status="enabled")
        world.store.note(endpoint, secret=secret, configured=connect)
