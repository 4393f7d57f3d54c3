"""The structure of a question."""

from dataclasses import dataclass
from typing import Callable, Optional


class Unanswered(Exception):
    """The service's response does not answer the question."""


@dataclass(frozen=True)
class Question:
    """One question to one service."""

    id: str
    text: str
    guess: str
    needs: tuple = ()
    ask: Optional[Callable] = None
    unaskable: str = ""
