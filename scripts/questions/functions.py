"""Questions to API Gateway and Lambda, through the deployed functions."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from .question import Question, Unanswered
from .transport import request

NEEDS = ("FUNCTIONS_URL",)

# Ten times the reservation of health in template.yaml, the smallest of a route that needs no token.
CALLS_AT_ONCE = 30


def url(env, path):
    return env["FUNCTIONS_URL"].rstrip("/") + path


def signature(key, address, body):
    """Returns a JWT as QStash signs its deliveries."""
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"iss": "Upstash", "sub": address, "iat": now, "nbf": now - 5, "exp": now + 300, "jti": str(uuid.uuid4()),
              "body": encoded(hashlib.sha256(body.encode()).digest())}
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())}"


def non_retryable(env):
    """Sends a signed delivery without a job: it is rejected permanently, and nothing is recorded."""
    address = url(env, "/api/jobs/send-email")
    headers = {"upstash-signature": signature(env["QSTASH_CURRENT_SIGNING_KEY"], address, "{}"),
               "content-type": "application/json"}
    answer = request("POST", address, headers, "{}")
    if answer.status == 401:
        raise Unanswered("the signature was refused: is QSTASH_CURRENT_SIGNING_KEY that of the deployed functions?")
    mark = answer.headers.get("upstash-nonretryable-error")
    return f"{answer.status}, Upstash-NonRetryable-Error: {mark}", answer.whole


def beyond_reserved_concurrency(env):
    address = url(env, "/api/health/redis")
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        answers = list(pool.map(lambda _: request("GET", address), range(CALLS_AT_ONCE)))
    refused = [answer for answer in answers if not isinstance(answer.json, dict) or "services" not in answer.json]
    refused = [answer for answer in refused if answer.status != 429 or "code" not in (answer.json or {})]
    if not refused:
        raise Unanswered("no call was refused: does this stack reserve concurrency (ReserveConcurrency=true)?")
    return refused[0].whole, f"{len(refused)} of {CALLS_AT_ONCE} calls were refused"


def database_certificate(env):
    answer = request("GET", url(env, "/api/health/redis"))
    services = (answer.json or {}).get("services")
    if not services:
        raise Unanswered(f"health answered {answer.whole}")
    return services["database"]["status"], answer.whole


QUESTIONS = [
    Question("api-489", "Does status 489 pass through the HTTP API?", "489, Upstash-NonRetryable-Error: true",
             (*NEEDS, "QSTASH_CURRENT_SIGNING_KEY"), non_retryable),
    Question("api-throttle", f"What does the API answer beyond reserved concurrency? ({CALLS_AT_ONCE} calls of health at once)",
             '503 {"message":"Service Unavailable"}', NEEDS, beyond_reserved_concurrency),
    Question("database-authority", "Is the certificate of the database trusted (DATABASE_CA)?", "healthy", NEEDS,
             database_certificate),
    Question("api-text-bodies", "Which content types reach a function as text?", "text, JSON, XML, JavaScript and forms",
             unaskable="no function shows the event that it was called with; both forms are read"),
]
