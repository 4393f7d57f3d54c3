"""Questions to Upstash Redis. The only written key is deleted by the same request."""

import uuid

from .question import Question, Unanswered
from .transport import request

NEEDS = ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN")

# A script that runs for 400 ms and touches no key. With the flag, it does not lock the database.
SLOW = """#!lua flags=allow-key-locking
local clock = os and os.clock or function() return 0 end
local start, count = clock(), 0
while clock() - start < 0.4 and count < 100000000 do count = count + 1 end
return count"""


def command(env, *words, token="UPSTASH_REDIS_REST_TOKEN", path=""):
    headers = {"authorization": f"Bearer {env[token]}"}
    return request("POST", env["UPSTASH_REDIS_REST_URL"].rstrip("/") + path, headers, list(words))


def error_of(answer):
    body = answer.json
    return body.get("error") if isinstance(body, dict) else None


def publish_in_script(env):
    script = "return redis.call('PUBLISH', KEYS[1], 'hello')"
    answer = command(env, "EVAL", script, "1", f"ask-{uuid.uuid4()}")
    return ("refused" if error_of(answer) else "works"), answer.whole


def slow_script(env):
    answer = command(env, "EVAL", SLOW, "0")
    return ("refused" if error_of(answer) else "runs to its end"), answer.whole


def eval_with_read_only_token(env):
    answer = command(env, "EVAL", "return 1", "0", token="UPSTASH_REDIS_REST_READONLY_TOKEN")
    return ("refused" if error_of(answer) else "works"), answer.whole


def pipeline_over_replicas(env):
    key = f"ask-{uuid.uuid4()}"
    answer = command(env, ["SET", key, "1", "EX", "60"], ["GET", key], ["DEL", key], path="/pipeline")
    read = answer.json[1].get("result") if isinstance(answer.json, list) else None
    return ("GET reads what SET wrote" if read == "1" else f"GET reads {read!r}"), answer.whole


def spent_quota(env):
    answer = command(env, "PING")
    error = error_of(answer) or ""
    if "max" not in error:
        raise Unanswered("the quota is not used up: ask again on the day that it is")
    return f"{answer.status}", answer.whole


QUESTIONS = [
    Question("redis-publish-in-script", "Does PUBLISH work inside a script?", "refused", NEEDS, publish_in_script),
    Question("redis-slow-script", "What does a script get that runs for 400 ms?", "refused", NEEDS, slow_script),
    Question("redis-read-only-eval", "Does EVAL work with the read-only token?", "refused",
             (*NEEDS, "UPSTASH_REDIS_REST_READONLY_TOKEN"), eval_with_read_only_token),
    Question("redis-pipeline-reads", "Does a GET in a pipeline read what the SET before it wrote?",
             "GET reads what SET wrote", NEEDS, pipeline_over_replicas),
    Question("redis-spent-quota", "Which status has a used-up quota?", "429", NEEDS, spent_quota),
]
