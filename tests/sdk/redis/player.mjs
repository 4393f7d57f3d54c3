// Plays steps of the official rate limiter, one JSON object a line, with the clock set to each step's instant.

import { createInterface } from "node:readline";
import { Ratelimit } from "@upstash/ratelimit";
import { connect } from "./client.js";

const redis = connect();
const systemClock = Date.now;

const algorithms = {
  fixed: (limit) => Ratelimit.fixedWindow(limit, "60 s"),
  sliding: (limit) => Ratelimit.slidingWindow(limit, "60 s"),
  bucket: (limit) => Ratelimit.tokenBucket(2, "20 s", limit),
};

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  const limiter = new Ratelimit({
    redis,
    limiter: algorithms[step.algorithm](step.limit),
    prefix: "side",
    ephemeralCache: false,
    timeout: 0,
  });
  Date.now = () => step.at;
  let answer;
  if (step.onlyAsks) {
    const { remaining, reset } = await limiter.getRemaining(step.identifier);
    answer = { remaining, reset };
  } else {
    const { success, limit, remaining, reset } = await limiter.limit(step.identifier, { rate: step.cost });
    answer = { success, limit, remaining, reset };
  }
  Date.now = systemClock;
  console.log(JSON.stringify(answer));
}
