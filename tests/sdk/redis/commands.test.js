// Single commands, with and without auto-pipelining.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis } from "@upstash/redis";
import { connect, uniqueKey } from "./client.js";

const single = connect({ enableAutoPipelining: false });
const key = uniqueKey("command");
after(() => single.del(key));

test("a command sent on its own answers with what was stored", async () => {
  assert.equal(await single.ping(), "PONG");
  assert.equal(await single.set(key, { name: "Ada", signed: true }, { ex: 60 }), "OK");
  assert.deepEqual(await single.get(key), { name: "Ada", signed: true });
  assert.equal(await single.get(uniqueKey("missing")), null);
});

test("commands of one tick are sent as one pipeline", async () => {
  const requests = [];
  const realFetch = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    requests.push(String(input));
    return realFetch(input, init);
  };
  const counter = uniqueKey("auto");
  try {
    const redis = connect();
    const answers = await Promise.all([redis.incr(counter), redis.incr(counter), redis.expire(counter, 60)]);
    assert.deepEqual(answers, [1, 2, 1]);
  } finally {
    globalThis.fetch = realFetch;
  }
  assert.equal(requests.length, 1);
  assert.match(requests[0], /\/pipeline$/);
});

test("an error of Redis reaches the caller in its words", async () => {
  await single.set(key, "text", { ex: 60 });
  await assert.rejects(single.lpush(key, "x"), /WRONGTYPE Operation against a key holding the wrong kind of value/);
});

test("a wrong token is an error and not an answer", async () => {
  const stranger = new Redis({ url: process.env.UPSTASH_REDIS_REST_URL, token: "wrong", enableTelemetry: false });
  await assert.rejects(stranger.get(key), /WRONGPASS invalid or missing auth token/);
});
