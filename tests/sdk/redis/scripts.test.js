// Scripts: EVALSHA first, EVAL when Redis does not know the script yet.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { test } from "node:test";
import { connect, uniqueKey } from "./client.js";

const redis = connect();
const sha1 = (text) => createHash("sha1").update(text).digest("hex");

for (const [name, shebang] of [["plain", ""], ["with Upstash's key locking flag", "#!lua flags=allow-key-locking\n"]]) {
  const source = `${shebang}-- ${randomUUID()}\nreturn { KEYS[1], ARGV[1] }`;

  test(`a script that is new falls back to EVAL: ${name}`, async () => {
    const key = uniqueKey("script");
    await assert.rejects(redis.evalsha(sha1(source), [key], ["a"]), /NOSCRIPT No matching script\. Please use EVAL\./);
    assert.deepEqual(await redis.createScript(source).exec([key], ["a"]), [key, "a"]);
    assert.deepEqual(await redis.evalsha(sha1(source), [key], ["b"]), [key, "b"]);
  });

  test(`SCRIPT LOAD answers the script's own SHA-1: ${name}`, async () => {
    assert.equal(await redis.scriptLoad(source), sha1(source));
    assert.deepEqual(await redis.scriptExists(sha1(source), "0".repeat(40)), [1, 0]);
  });
}
