// Reads a hash with @upstash/redis: a line after the first call, then a line of JSON after many.
//
//   node redis.js <key> <calls>

import { installed, spread } from "./measure.js";

const { Redis } = installed("redis", "@upstash/redis");
const [key, calls] = process.argv.slice(2);
const redis = Redis.fromEnv({ enableTelemetry: false });

await redis.hgetall(key);
console.log("called");

const durations = [];
for (let call = 0; call < Number(calls); call += 1) {
  const started = performance.now();
  await redis.hgetall(key);
  durations.push(performance.now() - started);
}
console.log(JSON.stringify({ ...spread(durations), rss: process.memoryUsage.rss() }));
