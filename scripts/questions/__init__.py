"""The questions that the documentation of the real services leaves open, each with our guess.

A question has a row in docs/CONFORMANCE.md. Its `ask` takes the environment and gives the answer in the words of the
guess, and beside it what the service said.
"""

from .question import Question, Unanswered
from . import functions, qstash, redis

ALL = [*qstash.QUESTIONS, *redis.QUESTIONS, *functions.QUESTIONS]

__all__ = ["ALL", "Question", "Unanswered"]
