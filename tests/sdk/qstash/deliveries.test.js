// What arrives, and whether the official Receiver believes it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, eventually, receive, unique, verifier } from "./cloud.js";

let receiver;
before(async () => {
  receiver = await receive();
});
after(() => receiver.close());

const at = (path) => receiver.requests.find((request) => request.path === path);

test("publishJSON delivers the body, the headers and a signature that verifies", async () => {
  const path = `/${unique("json")}?q=1`;
  const url = receiver.url(path);
  const { messageId } = await client.publishJSON({ url, body: { hello: "wörld" }, headers: { "x-mine": "yes" } });
  const request = await eventually("delivered", () => at(path));
  assert.equal(request.body, JSON.stringify({ hello: "wörld" }));
  assert.equal(request.headers["x-mine"], "yes");
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers["upstash-message-id"], messageId);
  const signature = request.headers["upstash-signature"];
  assert.equal(await verifier.verify({ signature, body: request.body, url }), true);
});

test("a signature does not verify for another body or another url", async () => {
  const path = `/${unique("forged")}`;
  await client.publish({ url: receiver.url(path), body: "original" });
  const request = await eventually("delivered", () => at(path));
  const signature = request.headers["upstash-signature"];
  await assert.rejects(verifier.verify({ signature, body: "changed" }));
  await assert.rejects(verifier.verify({ signature, body: "original", url: receiver.url("/elsewhere") }));
});

test("an empty body is signed too", async () => {
  const path = `/${unique("empty")}`;
  await client.publish({ url: receiver.url(path) });
  const request = await eventually("delivered", () => at(path));
  assert.equal(await verifier.verify({ signature: request.headers["upstash-signature"], body: "" }), true);
});

test("a batch answers in order and delivers everything", async () => {
  const paths = [0, 1, 2].map((index) => `/${unique(`batch-${index}`)}`);
  const answers = await client.batchJSON(paths.map((path, index) => ({ url: receiver.url(path), body: { index } })));
  assert.equal(new Set(answers.map((answer) => answer.messageId)).size, 3);
  for (const [index, path] of paths.entries()) {
    const request = await eventually("delivered", () => at(path));
    assert.equal(request.body, JSON.stringify({ index }));
    assert.equal(request.headers["upstash-message-id"], answers[index].messageId);
  }
});

test("a repeated deduplication id delivers once", async () => {
  const path = `/${unique("once")}`;
  const message = { url: receiver.url(path), body: "x", deduplicationId: unique("dedup") };
  const first = await client.publish(message);
  const second = await client.publish(message);
  assert.equal(second.deduplicated, true);
  assert.equal(second.messageId, first.messageId);
});

test("a callback reports the answer", async () => {
  const path = `/${unique("callback")}`;
  const { messageId } = await client.publishJSON({ url: receiver.url("/any"), body: 1, callback: receiver.url(path) });
  const report = JSON.parse((await eventually("reported", () => at(path))).body);
  assert.equal(report.status, 200);
  assert.equal(report.sourceMessageId, messageId);
});

test("a url group delivers to every endpoint", async () => {
  const name = unique("group");
  const paths = [`/${unique("one")}`, `/${unique("two")}`];
  await client.urlGroups.addEndpoints({ name, endpoints: paths.map((path, index) => ({ name: `e${index}`, url: receiver.url(path) })) });
  const answers = await client.publishJSON({ urlGroup: name, body: { n: 1 } });
  assert.equal(answers.length, 2);
  for (const path of paths) {
    assert.equal((await eventually("delivered", () => at(path))).headers["upstash-topic-name"], name);
  }
  await client.urlGroups.removeEndpoints({ name, endpoints: [{ name: "e0" }] });
  assert.equal((await client.urlGroups.get(name)).endpoints.length, 1);
  await client.urlGroups.delete(name);
  await assert.rejects(client.urlGroups.get(name));
});
