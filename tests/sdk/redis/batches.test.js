// Pipelines and transactions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, uniqueKey } from "./client.js";

const redis = connect();

test("a failing item leaves the other items of a pipeline alone", async () => {
  const key = uniqueKey("pipeline");
  const pipeline = redis.pipeline().set(key, "text", { ex: 60 }).lpush(key, "x").get(key);
  const items = await pipeline.exec({ keepErrors: true });
  assert.equal(items[0].result, "OK");
  assert.match(items[1].error, /^WRONGTYPE/);
  assert.equal(items[2].result, "text");
});

test("a pipeline without keepErrors names the item that failed", async () => {
  const key = uniqueKey("pipeline");
  const pipeline = redis.pipeline().set(key, "text", { ex: 60 }).lpush(key, "x");
  await assert.rejects(pipeline.exec(), /Command 2 \[ lpush \] failed: WRONGTYPE/);
});

test("a transaction runs as a whole", async () => {
  const key = uniqueKey("multi");
  assert.deepEqual(await redis.multi().incr(key).incr(key).expire(key, 60).exec(), [1, 2, 1]);
});

test("concurrent transactions do not interleave", async () => {
  const key = uniqueKey("multi");
  const rounds = Array.from({ length: 30 }, () => redis.multi().incr(key).incr(key).expire(key, 60).exec());
  for (const [first, second] of await Promise.all(rounds)) {
    assert.equal(second, first + 1);
  }
});

test("a transaction with a command that cannot be queued runs nothing", async () => {
  const key = uniqueKey("multi");
  const transaction = redis.multi().set(key, "never").hset(key, {});
  await assert.rejects(transaction.exec(), /wrong number of arguments for 'hset' command/);
  assert.equal(await redis.get(key), null);
});
