"""What docs/openapi.json cannot say, told to Schemathesis: it generates requests from the document, and a request that
keeps to the document must be accepted."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from os import environ

import schemathesis
from hypothesis import strategies

# `notBefore` lies at most seven days ahead: a bound that moves, which no schema knows. From midnight on, so that the
# runs of one day are the same.
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(datetime(1970, 1, 1), TODAY + timedelta(days=6)).map(lambda at: f"{at.isoformat()}Z"),
)


# A cursor is what a page gave: base64url of an instant in microseconds and a key.
schemathesis.openapi.format(
    "cursor",
    strategies.builds(
        lambda micros, key: urlsafe_b64encode(f"{micros}.{key}".encode()).decode().rstrip("="),
        strategies.integers(0, 4_000_000_000_000_000),
        strategies.text(strategies.characters(categories=("L", "N", "P")), max_size=40),
    ),
)

# The token of an unsubscribe link is signed: this one was taken out of a mail.
schemathesis.openapi.format("unsubscribe-token", strategies.just(environ["UNSUBSCRIBE_TOKEN"]))


@schemathesis.hook
def before_call(context, case, kwargs):
    """What a request needs and what it must not do to those that come after it."""
    # A role without the user whose role it is would be refused: one header needs another.
    headers = case.headers or {}
    if "X-User-Role" in headers and "X-User-Id" not in headers:
        headers["X-User-Id"] = "ann"
    # What is paused answers 503, as it should: only a tenant that nobody else is may be held back.
    if case.operation.path == "/api/queue/pauses/{type}" and isinstance(case.body, dict) and case.body.get("paused"):
        case.body["tenant"] = "held back by Schemathesis"
