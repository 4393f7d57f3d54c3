// The official rate limiter, whose scripts carry Upstash's key locking flag.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { connect, uniqueKey } from "./client.js";

const redis = connect();

const algorithms = {
  "fixed window": Ratelimit.fixedWindow(3, "30 d"),
  "sliding window": Ratelimit.slidingWindow(3, "30 d"),
  "token bucket": Ratelimit.tokenBucket(1, "30 d", 3),
};

for (const [name, limiter] of Object.entries(algorithms)) {
  test(`${name}: three pass, the fourth does not, and others are not concerned`, async () => {
    const limit = new Ratelimit({ redis, limiter, prefix: uniqueKey("rl"), ephemeralCache: false });
    const answers = [];
    for (let call = 0; call < 4; call += 1) {
      answers.push(await limit.limit("ada"));
    }
    assert.deepEqual(answers.map((answer) => answer.success), [true, true, true, false]);
    assert.deepEqual(answers.map((answer) => answer.remaining), [2, 1, 0, 0]);
    assert.equal(answers[3].limit, 3);
    assert.ok(answers[3].reset > Date.now());
    assert.equal((await limit.limit("grace")).success, true);
    assert.equal((await limit.getRemaining("ada")).remaining, 0);
    await limit.resetUsedTokens("ada");
    assert.equal((await limit.limit("ada")).success, true);
  });

  test(`${name}: of twenty concurrent calls exactly three pass`, async () => {
    const limit = new Ratelimit({ redis, limiter, prefix: uniqueKey("rl"), ephemeralCache: false });
    const answers = await Promise.all(Array.from({ length: 20 }, () => limit.limit("ada")));
    assert.equal(answers.filter((answer) => answer.success).length, 3);
  });
}
