// Whose signature is believed: by the official verifier, and by the functions.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Receiver } from "@upstash/qstash";
import { client, environment, eventually, job, mails, route, signatureRequest, stranger } from "./cloud.js";

const verifier = new Receiver({
  currentSigningKey: environment("QSTASH_CURRENT_SIGNING_KEY"),
  nextSigningKey: environment("QSTASH_NEXT_SIGNING_KEY"),
});

const arrivals = [];
const server = createServer(async (request, answer) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  arrivals.push({ path: request.url, signature: request.headers["upstash-signature"], body: Buffer.concat(chunks).toString() });
  answer.end();
});
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const receivedFrom = async (account, path) => {
  const url = `http://127.0.0.1:${server.address().port}${path}`;
  await account.publishJSON({ url, body: signatureRequest("ann@example.com") });
  const arrival = await eventually(`${path} arrived`, () => arrivals.find((one) => one.path === path));
  return { ...arrival, url };
};

test("the official verifier believes what the functions' QStash signs", async () => {
  const { signature, body, url } = await receivedFrom(client, "/ours");
  assert.equal(await verifier.verify({ signature, body, url }), true);
});

test("the official verifier does not believe a QStash with other keys", async () => {
  const { signature, body, url } = await receivedFrom(stranger, "/theirs");
  await assert.rejects(verifier.verify({ signature, body, url }));
});

test("a function refuses what a QStash with other keys signs, and nothing comes of it", async () => {
  const to = "stranger@example.com";
  const url = route("/api/jobs/send-email");
  const { messageId } = await stranger.publishJSON({ url, body: signatureRequest(to), retries: 0 });
  const letter = await eventually("the stranger's message was given up", async () => {
    const { messages } = await stranger.dlq.listMessages({ filter: { messageId } });
    return messages[0];
  });
  assert.equal(letter.responseStatus, 401);
  assert.match(letter.responseBody, /signature_invalid/);
  assert.equal((await job(messageId)).status, 404);
  assert.deepEqual(await mails(to), []);
});
