// Verifies deliveries with @upstash/qstash's Receiver, and hands on what it verified, so that others can be measured
// with the very same tokens: a line of JSON with one entry for each size.
//
//   node receiver.js <rounds> <bytes>...

import { once } from "node:events";
import { createServer } from "node:http";
import { installed, spread } from "./measure.js";

const { Client, Receiver } = installed("qstash", "@upstash/qstash");
const { QSTASH_URL, QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } = process.env;
const [rounds, ...sizes] = process.argv.slice(2).map(Number);
const client = new Client({ baseUrl: QSTASH_URL, token: QSTASH_TOKEN, enableTelemetry: false });
const receiver = new Receiver({
  currentSigningKey: QSTASH_CURRENT_SIGNING_KEY,
  nextSigningKey: QSTASH_NEXT_SIGNING_KEY,
});

/** A delivery of a body of that size, as it arrives. */
const delivery = async (size) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const arrived = once(server, "request");
  await client.publish({ url: `${origin}/delivery`, body: "x".repeat(size) });
  const [request, answer] = await arrived;
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  answer.end();
  server.close();
  return { origin, body: Buffer.concat(chunks).toString(), signature: request.headers["upstash-signature"] };
};

const entries = [];
for (const size of sizes) {
  const { origin, body, signature } = await delivery(size);
  const durations = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    await receiver.verify({ signature, body, url: `${origin}/delivery` });
    durations.push(performance.now() - started);
  }
  entries.push({ size, origin, signature, ...spread(durations) });
}
console.log(JSON.stringify(entries));
process.exit(0);
