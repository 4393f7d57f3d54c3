// Messages that were given up.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, eventually, receive, unique } from "./cloud.js";

let receiver;
let status = 500;
before(async () => {
  receiver = await receive(() => ({ status, body: "no" }));
});
after(() => receiver.close());

const dead = async (label) => {
  status = 500;
  const { messageId } = await client.publishJSON({ url: receiver.url(`/${label}`), body: { label }, retries: 0, label });
  return eventually("given up", async () => {
    const { messages } = await client.dlq.listMessages({ filter: { messageId } });
    return messages[0];
  });
};

test("a failed message is listed with its answer", async () => {
  const label = unique("listed");
  const entry = await dead(label);
  assert.equal(entry.responseStatus, 500);
  assert.equal(entry.responseBody, "no");
  assert.equal(entry.label, label);
  await client.dlq.delete(entry.dlqId);
  await assert.rejects(client.dlq.delete(entry.dlqId));
});

test("a retried message is delivered under a new id and leaves the queue", async () => {
  const label = unique("retried");
  const entry = await dead(label);
  status = 200;
  const { responses } = await client.dlq.retry(entry.dlqId);
  assert.equal(responses.length, 1);
  assert.notEqual(responses[0].messageId, entry.messageId);
  await eventually("delivered", () => receiver.requests.filter(({ path }) => path === `/${label}`).length === 2);
  assert.equal((await client.dlq.listMessages({ filter: { label } })).messages.length, 0);
});

test("a filter deletes what fits and nothing else", async () => {
  const [gone, kept] = [unique("gone"), unique("kept")];
  await dead(gone);
  const entry = await dead(kept);
  assert.equal((await client.dlq.delete({ filter: { label: gone } })).deleted, 1);
  assert.equal((await client.dlq.listMessages({ filter: { label: kept } })).messages.length, 1);
  await client.dlq.delete(entry.dlqId);
});

test("a refusal for good is not tried again", async () => {
  const refusing = await receive(() => ({ status: 489, headers: { "Upstash-NonRetryable-Error": "true" } }));
  const { messageId } = await client.publishJSON({ url: refusing.url("/"), body: 1, retries: 5, retryDelay: "1" });
  await eventually("given up", async () => (await client.dlq.listMessages({ filter: { messageId } })).messages.length === 1);
  assert.equal(refusing.requests.length, 1);
  refusing.close();
});
