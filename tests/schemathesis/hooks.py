"""What docs/openapi.json cannot say, told to Schemathesis: it generates requests from the document, and a request that
keeps to the document must be accepted."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from os import environ
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies

# `notBefore` lies at most seven days ahead: a bound that moves, which no schema knows. From midnight on, so that the
# runs of one day are the same.
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(datetime(1970, 1, 1), TODAY + timedelta(days=6)).map(lambda at: f"{at.isoformat()}Z"),
)


def opaque(text):
    """What answers give as one word, to be given back: base64url."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


# A cursor is what a page gave: an instant in microseconds and a key.
schemathesis.openapi.format(
    "cursor",
    strategies.builds(
        lambda micros, key: opaque(f"{micros}.{key}"),
        strategies.integers(0, 4_000_000_000_000_000),
        strategies.text(strategies.characters(categories=("L", "N", "P")), max_size=40),
    ),
)

# Where a walk over the audit log has come to: a chain, the last event that was seen of it, and its hash.
schemathesis.openapi.format(
    "audit-cursor",
    strategies.builds(
        lambda chain, sequence, hash: opaque(f"{sequence}.{hash}.{chain}"),
        strategies.text(strategies.characters(categories=("L", "N", "P")), max_size=40),
        strategies.integers(0, 2**63 - 1),
        strategies.text("0123456789abcdef", min_size=64, max_size=64),
    ),
)

# Schemathesis makes no header with quotation marks by itself, and those of an entity tag belong to it.
schemathesis.openapi.format("entity-tag", strategies.from_regex(r'"[!#-~]{1,128}"', fullmatch=True))

# Networks that nobody calls from (RFC 5737, RFC 3849), and single addresses of them: the run itself comes from
# loopback, and would be blocked by what else it might make up.
schemathesis.openapi.format(
    "cidr",
    strategies.sampled_from(["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"])
    .map(ip_network)
    .flatmap(
        lambda network: strategies.builds(
            lambda host, bits: f"{network[host]}/{bits}" if bits else str(network[host]),
            strategies.integers(0, 255),
            strategies.one_of(strategies.none(), strategies.integers(network.prefixlen, network.max_prefixlen)),
        )
    ),
)

# The token of an unsubscribe link is signed: this one was taken out of a mail.
schemathesis.openapi.format("unsubscribe-token", strategies.just(environ["UNSUBSCRIBE_TOKEN"]))


@schemathesis.hook
def filter_query(context, query):
    """API Gateway refuses a request line of over ten kilobytes before any function sees it."""
    return len(urlencode(query or {}, doseq=True, errors="replace")) < 8000


def is_of_the_future(timestamp):
    """Whether an instant lies after this day has begun: text or milliseconds."""
    if isinstance(timestamp, str):
        return timestamp > TODAY.isoformat()
    return isinstance(timestamp, (int, float)) and timestamp > TODAY.replace(tzinfo=UTC).timestamp() * 1000


def keeps_to_the_document(case):
    return case.meta is not None and not case.meta.generation.mode.is_negative


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
    # An audit event may not be of the future: a bound that moves.
    if case.operation.path == "/api/queue/audit-events" and keeps_to_the_document(case):
        if isinstance(case.body, dict) and is_of_the_future(case.body.get("timestamp")):
            case.body["timestamp"] = f"{TODAY.isoformat()}Z"
    # One parameter of a query excludes another, which OpenAPI has no word for.
    if case.operation.path == "/api/audit/verify" and keeps_to_the_document(case) and "requestId" in case.query:
        case.query.pop("userId", None)
