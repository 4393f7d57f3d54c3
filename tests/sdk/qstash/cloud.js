// A client from the environment, an own receiver, and waiting for what must come.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Receiver } from "@upstash/qstash";

const environment = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

/** The official client, pointed at the server under test. */
export const client = new Client({ baseUrl: environment("QSTASH_URL"), token: environment("QSTASH_TOKEN"), enableTelemetry: false });

/** The official verifier, with the server's keys. */
export const verifier = new Receiver({
  currentSigningKey: environment("QSTASH_CURRENT_SIGNING_KEY"),
  nextSigningKey: environment("QSTASH_NEXT_SIGNING_KEY"),
});

/** Names that no other run has used: the server keeps its data. */
export const unique = (prefix) => `${prefix}-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;

/** An HTTP receiver on a free port; `answer(request)` gives `{ status, headers, body, after }`. */
export const receive = async (answer = () => ({})) => {
  const requests = [];
  let running = 0;
  let most = 0;
  const server = createServer(async (incoming, outgoing) => {
    running += 1;
    most = Math.max(most, running);
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const { status = 200, headers = {}, body = "", after = 0 } = answer(request, requests.length);
    await sleep(after);
    running -= 1;
    outgoing.writeHead(status, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = (path) => `http://127.0.0.1:${server.address().port}${path}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { requests, url, close, mostAtOnce: () => most };
};

/** Waits until `condition` gives something; gives up after a time that no healthy run comes near. */
export const eventually = async (what, condition) => {
  for (let tries = 0; tries < 500; tries += 1) {
    const value = await condition();
    if (value) return value;
    await sleep(20);
  }
  throw new Error(`it never came true: ${what}`);
};
