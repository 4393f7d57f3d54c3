// What must not change on its way: text in any script, bytes, and numbers that a float would round.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, uniqueKey } from "./client.js";

const redis = connect();
const raw = connect({ automaticDeserialization: false });

test("text in any script survives, as key, field and value", async () => {
  const text = "Ünïcødé 日本語 🖋️ \u0000 \r\n \"quoted\" \u2028";
  const key = uniqueKey(text);
  await redis.hset(key, { [text]: text });
  assert.deepEqual(await redis.hgetall(key), { [text]: text });
  await redis.del(key);
});

test("bytes that are no text reach Redis and come back", async () => {
  const key = uniqueKey("bytes");
  const script = "redis.call('set', KEYS[1], '\\255\\0\\254', 'EX', 60) return redis.call('strlen', KEYS[1])";
  assert.equal(await redis.eval(script, [key], []), 3);
  const response = await fetch(`${process.env.UPSTASH_REDIS_REST_URL}/get/${encodeURIComponent(key)}`, {
    headers: { Authorization: `Bearer ${process.env.UPSTASH_REDIS_REST_TOKEN}`, "Upstash-Encoding": "base64" },
  });
  const { result } = await response.json();
  assert.deepEqual([...Buffer.from(result, "base64")], [255, 0, 254]);
});

test("integers beyond 2^53 keep their digits as strings", async () => {
  const key = uniqueKey("big");
  await redis.set(key, "9007199254740993", { ex: 60 });
  assert.equal(await redis.get(key), "9007199254740993");
  await raw.set(key, "123456789012345678901234567890", { ex: 60 });
  assert.equal(await raw.get(key), "123456789012345678901234567890");
});

test("OK as a value and OK in a list are told from the status OK", async () => {
  const key = uniqueKey("ok");
  await redis.set(key, "OK", { ex: 60 });
  assert.equal(await redis.get(key), "OK");
  assert.deepEqual(await redis.mget(key, uniqueKey("missing")), ["OK", null]);
});
