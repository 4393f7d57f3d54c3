"""Questions to QStash.

Messages go to FUNCTIONS_URL/api/openapi.json as GET, which does nothing, an hour from now; each is cancelled at once.
"""

import time

from .question import Question, Unanswered
from .transport import request

NEEDS = ("QSTASH_URL", "QSTASH_TOKEN", "FUNCTIONS_URL")

# A length above that of our messages: our own limit is half of it.
LONG = "x" * 256

# The maximum number of messages in one request of ours.
BATCH = 1000

# The number of messages that one request cancels.
CANCELLED_AT_ONCE = 100

# The timeout of a delivery without delay.
DELIVERY_SECONDS = 60

HARMLESS = {"Upstash-Method": "GET", "Upstash-Retries": "0", "Upstash-Delay": "1h"}


def call(env, method, path, headers=None, body=None):
    bearer = {"authorization": f"Bearer {env['QSTASH_TOKEN']}"}
    return request(method, env["QSTASH_URL"].rstrip("/") + path, {**bearer, **(headers or {})}, body)


def destination(env):
    return env["FUNCTIONS_URL"].rstrip("/") + "/api/openapi.json"


def cancel(env, ids):
    for start in range(0, len(ids), CANCELLED_AT_ONCE):
        call(env, "DELETE", "/v2/messages", body={"messageIds": ids[start:start + CANCELLED_AT_ONCE]})


def ids_of(answer):
    """Returns the ids of all messages in a response."""
    entries = answer.json if isinstance(answer.json, list) else [answer.json]
    return [entry["messageId"] for entry in entries if isinstance(entry, dict) and "messageId" in entry]


def verdict(answer):
    if answer.status in (401, 403, 429) or answer.status >= 500:
        raise Unanswered(f"QStash answered {answer.whole}")
    return "taken" if answer.status < 300 else f"refused, {answer.status}"


def publish(headers):
    """Asks whether a message with these headers is accepted."""
    def ask(env):
        answer = call(env, "POST", f"/v2/publish/{destination(env)}", {**HARMLESS, **headers}, "{}")
        cancel(env, ids_of(answer))
        return verdict(answer), answer.whole
    return ask


def batch(entries):
    """Asks for the response to a batch, and cancels its accepted messages."""
    def ask(env):
        messages = [{"destination": destination(env), "headers": HARMLESS, "body": "{}", **entry} for entry in entries]
        answer = call(env, "POST", "/v2/batch", body=messages)
        cancel(env, ids_of(answer))
        results = answer.json
        if verdict(answer) != "taken" or not isinstance(results, list):
            return f"refused whole, {answer.status}", answer.whole
        errors = sum("error" in result for result in results if isinstance(result, dict))
        return (f"taken but for {errors}" if errors else "taken"), answer.whole
    return ask


def not_before_in_the_past(env):
    headers = {name: value for name, value in HARMLESS.items() if name != "Upstash-Delay"}
    past = {"Upstash-Not-Before": str(int(time.time()) - 60)}
    answer = call(env, "POST", f"/v2/publish/{destination(env)}", {**headers, **past}, "{}")
    return verdict(answer), answer.whole


def redirect(env):
    """Lets QStash deliver to a URL that answers 302, and reads the result from the dead letters."""
    headers = {"Upstash-Method": "GET", "Upstash-Retries": "0"}
    answer = call(env, "POST", f"/v2/publish/{env['REDIRECT_URL']}", headers, "{}")
    if not ids_of(answer):
        raise Unanswered(f"QStash answered {answer.whole}")
    message = ids_of(answer)[0]
    for _ in range(DELIVERY_SECONDS):
        letters = (call(env, "GET", f"/v2/dlq?messageId={message}").json or {}).get("messages", [])
        letter = next((letter for letter in letters if letter.get("messageId") == message), None)
        if letter:
            call(env, "DELETE", f"/v2/dlq/{letter['dlqId']}")
            return f"not followed: given up with {letter.get('responseStatus')}", str(letter)
        time.sleep(1)
    return "followed, or not delivered yet", f"no dead letter after {DELIVERY_SECONDS} s"


QUESTIONS = [
    Question("qstash-label-length", "Is a label of 256 characters taken?", "refused, 400", NEEDS,
             publish({"Upstash-Label": LONG})),
    Question("qstash-flow-key-length", "Is a flow-control key of 256 characters taken?", "refused, 400", NEEDS,
             publish({"Upstash-Flow-Control-Key": LONG, "Upstash-Flow-Control-Value": "parallelism=1"})),
    Question("qstash-label-count", "Are two labels, separated by a comma, taken?", "taken", NEEDS,
             publish({"Upstash-Label": "ask-one,ask-two"})),
    Question("qstash-deduplication-length", "Is a deduplication id of 256 characters taken?", "refused, 400", NEEDS,
             publish({"Upstash-Deduplication-Id": LONG})),
    Question("qstash-deduplication-alphabet", "Is a deduplication id with : and @ taken?", "refused, 400", NEEDS,
             publish({"Upstash-Deduplication-Id": "ask:real@services"})),
    Question("qstash-not-before-past", "Is a Not-Before of a minute ago taken?", "taken", NEEDS, not_before_in_the_past),
    Question("qstash-batch-malformed", "What is a batch answered of which one item has a malformed header?",
             "refused whole, 400", NEEDS, batch([{}, {"headers": {**HARMLESS, "Upstash-Label": "not a label"}}])),
    Question("qstash-batch-unsendable", "What is a batch answered of which one item goes to an unknown host?",
             "taken but for 1", NEEDS, batch([{}, {"destination": "https://ask-real-services.invalid/"}])),
    Question("qstash-batch-number", f"Are {BATCH} messages in one batch taken?", "taken", NEEDS, batch([{}] * BATCH)),
    Question("qstash-redirect", "Does a delivery follow a redirect?", "not followed: given up with 302",
             (*NEEDS, "REDIRECT_URL"), redirect),
]
