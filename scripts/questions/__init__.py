"""Questions about undocumented behaviour of the real services, each with our guess.

A question has a row in docs/CONFORMANCE.md. Its `ask` takes the environment. It returns the answer in the words of
the guess, and the service's response.
"""

from .question import Question, Unanswered
from . import functions, qstash, redis

ALL = [*qstash.QUESTIONS, *redis.QUESTIONS, *functions.QUESTIONS]

__all__ = ["ALL", "Question", "Unanswered"]
