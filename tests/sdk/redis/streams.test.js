// Subscriptions over server-sent events.

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { connect, uniqueKey } from "./client.js";

const redis = connect();

/** Passes the first value of an event on, as a promise. */
function first(subscriber, event) {
  const relay = new EventEmitter();
  subscriber.on(event, (value) => relay.emit("value", value));
  return once(relay, "value", { signal: AbortSignal.timeout(30_000) }).then(([value]) => value);
}

test("a subscriber receives what is published to its channel", async () => {
  const channel = uniqueKey("channel");
  const subscriber = redis.subscribe(channel);
  const joined = first(subscriber, "subscribe");
  const received = first(subscriber, "message");
  assert.equal(await joined, 1);
  assert.equal(await redis.publish(channel, { signer: "Ada, Countess", at: 1 }), 1);
  assert.deepEqual(await received, { channel, message: { signer: "Ada, Countess", at: 1 } });
  await subscriber.unsubscribe();
});

test("a pattern subscriber receives from every channel that matches", async () => {
  const prefix = uniqueKey("pattern");
  const subscriber = redis.psubscribe(`${prefix}:*`);
  const joined = first(subscriber, "psubscribe");
  const received = first(subscriber, "pmessage");
  assert.equal(await joined, 1);
  assert.equal(await redis.publish(`${prefix}:one`, { n: 1 }), 1);
  assert.deepEqual(await received, { pattern: `${prefix}:*`, channel: `${prefix}:one`, message: { n: 1 } });
  await subscriber.unsubscribe();
});

test("after unsubscribing nobody listens", async () => {
  const channel = uniqueKey("channel");
  const subscriber = redis.subscribe(channel);
  await first(subscriber, "subscribe");
  await subscriber.unsubscribe();
  const deadline = Date.now() + 30_000;
  while ((await redis.publish(channel, "anyone?")) !== 0) {
    assert.ok(Date.now() < deadline, "the subscription outlived its subscriber");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
