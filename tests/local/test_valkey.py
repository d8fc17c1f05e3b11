"""A Valkey of one's own."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
import redis  # noqa: TID251 - the server under test
from redis.backoff import NoBackoff  # noqa: TID251
from redis.retry import Retry  # noqa: TID251

from contralock.local import valkey as launcher
from contralock.local.valkey import NoValkey, Valkey


def client(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url, socket_timeout=0.3, decode_responses=True, retry=Retry(NoBackoff(), 0))


def test_a_killed_valkey_starts_again_with_what_it_confirmed(valkey: Valkey) -> None:
    port = valkey.port
    for number in range(100):
        client(valkey).set(f"key{number}", number)
    valkey.kill()
    valkey.start()
    assert client(valkey).dbsize() == 100
    assert valkey.port == port


def test_a_restart_keeps_the_data(valkey: Valkey) -> None:
    client(valkey).set("word", "kept")
    valkey.restart()
    assert client(valkey).get("word") == "kept"


def test_a_paused_valkey_answers_nothing_until_it_is_resumed(valkey: Valkey) -> None:
    valkey.pause()
    with pytest.raises(redis.TimeoutError):
        client(valkey).ping()
    valkey.resume()
    assert client(valkey).ping()


def test_a_paused_valkey_can_be_stopped(valkey: Valkey) -> None:
    valkey.pause()
    valkey.stop()
    assert not valkey.running


def test_it_wants_a_password_and_evicts_nothing(valkey: Valkey) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=valkey.port, retry=Retry(NoBackoff(), 0)).ping()
    assert client(valkey).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client(valkey).config_get("appendonly") == {"appendonly": "yes"}


def test_a_port_that_is_taken_is_said_with_the_servers_own_words(valkey: Valkey, tmp_path: Path) -> None:
    with pytest.raises(NoValkey, match=f"did not start on port {valkey.port}"):
        Valkey(tmp_path / "second", port=valkey.port).start()


def test_no_server_program_is_one_line_that_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(NoValkey, match=r"apt-get install valkey.*REDIS_URL"):
        launcher.find_server()
