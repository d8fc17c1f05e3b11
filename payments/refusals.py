"""The one way in which a service says no."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was done. `code` is stable, for programs; `sentence` says to a person why and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
