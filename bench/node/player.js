// Does one thing with an official client for each line that it reads, and answers with how long that took, in
// milliseconds: so that it takes turns with others.
//
//   node player.js session <id>                          the web app's direct read, the script of clients/session.lua
//   node player.js get <key>                             a cached value, as the web app read its caches
//   node player.js limit <algorithm> [with-analytics]    one call of @upstash/ratelimit

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { installed } from "./measure.js";

const { Redis } = installed("redis", "@upstash/redis");
const redis = Redis.fromEnv({ enableTelemetry: false });

/** Nothing is worth measuring that did not do what it should. */
const demand = (held, what) => {
  if (!held) throw new Error(what);
};

const acts = {
  session: (id) => {
    const read = redis.createScript(readFileSync(new URL("../../clients/session.lua", import.meta.url), "utf8"));
    const set = (daysAgo) => `active_users:${new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)}`;
    return async () => demand((await read.exec([`session:${id}`, set(0), set(1)], []))?.sessionId === id, "the session was not read");
  },
  get: (key) => async () => demand((await redis.get(key)) !== null, `nothing is at ${key}`),
  limit: (algorithm, analytics) => {
    const { Ratelimit } = installed("redis", "@upstash/ratelimit");
    const limiter = {
      fixed: Ratelimit.fixedWindow(1_000_000, "1 h"),
      sliding: Ratelimit.slidingWindow(1_000_000, "1 h"),
      bucket: Ratelimit.tokenBucket(1_000_000, "1 h", 1_000_000),
    }[algorithm];
    const limit = new Ratelimit({ redis, limiter, prefix: `bench:official:${algorithm}`, analytics: Boolean(analytics) });
    return async () => {
      const { success, pending } = await limit.limit("ann");
      await pending;
      demand(success, "refused");
    };
  },
};

const [what, ...details] = process.argv.slice(2);
const act = acts[what](...details);
for await (const _ of createInterface({ input: process.stdin })) {
  const started = performance.now();
  await act();
  console.log(performance.now() - started);
}
