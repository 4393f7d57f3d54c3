// Reads a session as the web app's middleware may: the script of clients/session.lua through @upstash/redis.
//
//   node session.js <id> <calls>

import { readFileSync } from "node:fs";
import { installed, spread } from "./measure.js";

const { Redis } = installed("redis", "@upstash/redis");
const [id, calls] = process.argv.slice(2);
const redis = Redis.fromEnv({ enableTelemetry: false });
const read = redis.createScript(readFileSync(new URL("../../clients/session.lua", import.meta.url), "utf8"));

const once = async () => {
  const session = await read.exec([`session:${id}`], []);
  if (session?.sessionId !== id) throw new Error(`not read: ${JSON.stringify(session)}`);
};

await once();
const durations = [];
for (let call = 0; call < Number(calls); call += 1) {
  const started = performance.now();
  await once();
  durations.push(performance.now() - started);
}
console.log(JSON.stringify({ ...spread(durations), rss: process.memoryUsage.rss() }));
