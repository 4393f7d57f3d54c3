// The web app's direct read: one script, one request, the same answer as the API.

import assert from "node:assert/strict";
import { randomInt, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect } from "./client.js";

const redis = connect();
const read = redis.createScript(readFileSync(new URL("../../../clients/session.lua", import.meta.url), "utf8"));
const set = (daysAgo) => `active_users:${new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)}`;
const keys = (id) => [`session:${id}`, set(0), set(1)];
const { FUNCTIONS_URL, API_TOKEN } = process.env;

const call = async (method, path, body, headers = {}) => {
  const answer = await fetch(`${FUNCTIONS_URL}${path}`, {
    method,
    headers: { authorization: `Bearer ${API_TOKEN}`, ...(body && { "content-type": "application/json" }), ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
};

const some = (...choices) => choices[randomInt(choices.length)];

/** Something that only resembles a user agent or an address: quotes, other scripts, numbers, JSON. */
const odd = () => some(undefined, "", "123", "null", '{"a":"b"}', 'say "hi" \\ /', "ünï-çödé 漢字 🖋", "Mozilla/5.0 (iPhone) Version/18.1 Safari/604.1");

/** A session that was used, proven, refreshed or revoked at random; its id and its user. */
const session = async () => {
  const sessionId = randomUUID();
  const userId = randomUUID();
  const email = `${some("ann", "0", "true", "a.b+c")}@${some("example.com", "example.org")}`;
  const begun = await call("POST", "/api/sessions", {
    sessionId, userId, email, refreshToken: "t0", userAgent: odd(), ipAddress: some(undefined, "192.0.2.1", "2001:db8::1", "unknown"),
  });
  assert.equal(begun.status, 201, JSON.stringify(begun));
  const path = `/api/sessions/${sessionId}`;
  if (some(true, false)) await call("PUT", `${path}/totp`, { verified: some(true, false), context: some("login", "signing", "both") });
  if (some(true, false, false)) await call("POST", `${path}/refresh`, { refreshToken: "t0", newRefreshToken: "t1" });
  if (some(true, false, false, false)) await call("DELETE", path);
  return { sessionId, userId, path };
};

/** What must be the same: all but the instant of the read itself, and what follows from it. */
const compared = ({ lastUsedAt, expiresAt, ...rest }) => {
  assert.ok(Date.parse(expiresAt) > Date.parse(lastUsedAt));
  return rest;
};

test("the direct read and the API agree on a thousand random sessions", async () => {
  let lived = 0;
  const work = async () => {
    for (let place = 0; place < 125; place += 1) {
      const { sessionId, userId, path } = await session();
      const age = some("", "0", "3600");
      const viewer = some("", userId, randomUUID());
      const direct = await read.exec(keys(sessionId), [age, viewer]);
      const api = await call("GET", `${path}${age && `?totpMaxAge=${age}`}`, undefined, viewer && { "x-user-id": viewer });
      if (direct === 0) {
        assert.equal(api.status, 404, JSON.stringify(api));
      } else {
        assert.equal(api.status, 200, JSON.stringify(api));
        const [own, theirs] = [compared(direct), compared(api.body)];
        // A proof that is to be younger than nothing ages between two reads.
        if (age === "0") [own, theirs].forEach(({ totp }) => delete totp.fresh);
        assert.deepEqual(own, theirs);
        assert.ok(Date.parse(api.body.lastUsedAt) >= Date.parse(direct.lastUsedAt));
        lived += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  assert.ok(lived > 300 && lived < 900, `${lived} of 1000 lived`);
});

test("what Redis does not know is asked of the API", async () => {
  assert.equal(await read.exec(keys(randomUUID()), []), null);
});
