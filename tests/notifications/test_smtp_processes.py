"""The wall to the mail server: forked processes and threads."""

from __future__ import annotations

import os
import threading

import pytest

from notifications import smtp
from tests.notifications.post_office import PostOffice, deliver


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_says_nothing_on_its_parents_connection(post_office: PostOffice) -> None:
    deliver()
    child = os.fork()
    if child == 0:
        try:
            smtp.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    deliver()
    assert "QUIT" not in post_office.heard
    assert post_office.heard.count("connect") == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_a_connection_of_its_own(post_office: PostOffice) -> None:
    deliver()
    child = os.fork()
    if child == 0:
        try:
            deliver()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    deliver()
    assert len(post_office.mails) == 3
    assert post_office.heard.count("connect") == 2
    assert "QUIT" not in post_office.heard


def test_each_thread_has_a_connection_of_its_own(post_office: PostOffice) -> None:
    deliver()

    def another() -> None:
        deliver()
        smtp.close()

    thread = threading.Thread(target=another)
    thread.start()
    thread.join()
    assert post_office.heard.count("connect") == 2
