// Messages that the official client publishes straight to a job's function, without the API.

import assert from "node:assert/strict";
import { test } from "node:test";
import { client, job, jobThatIs, mails, route, signatureRequest } from "./cloud.js";

const url = route("/api/jobs/send-email");

test("a message published straight to the function is a job under its message id", async () => {
  const to = "straight@example.com";
  const { messageId } = await client.publishJSON({ url, body: signatureRequest(to) });
  const done = await jobThatIs("completed", messageId);
  assert.equal(done.jobId, messageId);
  assert.equal(done.type, "email");
  assert.equal(done.attempts, 1);
  assert.equal(done.result.sent, 1);
  const received = await mails(to);
  assert.equal(received.length, 1);
  assert.match(received[0].html, /https:\/\/app\.example\.com\/sign\/1/);
});

test("each message of a batch is a job of its own", async () => {
  const recipients = ["one", "two", "three"].map((name) => `batch-${name}@example.com`);
  const published = await client.batchJSON(recipients.map((to) => ({ url, body: signatureRequest(to) })));
  assert.equal(new Set(published.map(({ messageId }) => messageId)).size, 3);
  for (const [place, { messageId }] of published.entries()) {
    assert.equal((await jobThatIs("completed", messageId)).jobId, messageId);
    assert.equal((await mails(recipients[place])).length, 1);
  }
});

test("a payload that can never be read is dead at once, and says why", async () => {
  const body = { ...signatureRequest("x@example.com"), to: "no address" };
  const { messageId } = await client.publishJSON({ url, body, retries: 5 });
  const dead = await jobThatIs("dead", messageId);
  assert.match(dead.error, /\/to/);
  assert.deepEqual(await mails("x@example.com"), []);
});

test("an id that no message had is not found", async () => {
  assert.equal((await job("msg_never_published")).status, 404);
});
