// A browser of its own: it subscribes with keys that it made, and reads its messages with http_ece (RFC 8188, RFC 8291).
// The token that the push service gets (VAPID, RFC 8292) is checked with node's own cryptography.

import assert from "node:assert/strict";
import { createECDH, createPublicKey, randomBytes, randomUUID, verify } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import ece from "http_ece";

/** A variable that the suite sets. */
const environment = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const pushService = environment("PUSH_SERVICES");

/** A request to the functions, as the web app's server makes it for a user. */
const call = async (user, path, body) => {
  const answer = await fetch(`${environment("FUNCTIONS_URL")}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${environment("API_TOKEN")}`,
      "content-type": "application/json",
      "x-user-id": user,
    },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
};

/** A browser that has subscribed for a user. */
const subscribed = async (user) => {
  const keys = createECDH("prime256v1");
  keys.generateKeys();
  const auth = randomBytes(16);
  const name = randomUUID();
  await call(user, "/api/notifications/subscriptions", {
    endpoint: `${pushService}/push/${name}`,
    expirationTime: null,
    keys: { p256dh: keys.getPublicKey("base64url"), auth: auth.toString("base64url") },
  });
  return { keys, auth, name };
};

/** The first message for a browser. */
const received = async ({ name }) => {
  for (let tries = 0; tries < 600; tries += 1) {
    const taken = await (await fetch(`${pushService}/messages`)).json();
    const message = taken.find((it) => it.name === name);
    if (message) return message;
    await sleep(50);
  }
  throw new Error("no message came");
};

/** What a browser reads in a message. */
const read = ({ keys, auth }, message) =>
  JSON.parse(
    ece.decrypt(Buffer.from(message.body, "base64url"), { version: "aes128gcm", privateKey: keys, authSecret: auth }),
  );

/** The claims of a token that is signed with the key that it names, and that key. */
const claims = (authorization) => {
  const [, token, key] = authorization.match(/^vapid t=([^,]+), k=(.+)$/);
  const [header, payload, signature] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  const signed = verify(
    "sha256",
    Buffer.from(`${header}.${payload}`),
    { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  assert.ok(signed, "the token is not signed with the key that it names");
  const decoded = (part) => JSON.parse(Buffer.from(part, "base64url"));
  assert.equal(decoded(header).alg, "ES256");
  return { key, ...decoded(payload) };
};

test("a browser reads what it is told, and another browser does not", async () => {
  const user = randomUUID();
  const browser = await subscribed(user);
  const notification = {
    type: "signature_request",
    userId: user,
    title: "Bitte unterschreiben: „Büro“ 🖋",
    message: "Zeile 1\nZeile 2",
    requestId: "r-1",
    signerEmail: "ann@example.com",
  };
  await call(user, "/api/queue/notifications", notification);
  const message = await received(browser);
  const seen = read(browser, message);
  assert.equal(seen.title, notification.title);
  assert.equal(seen.message, notification.message);
  assert.equal(seen.type, "signature_request");
  assert.equal(seen.actionUrl, "/sign/r-1");
  assert.equal(seen.unreadCount, 1);
  assert.equal(message.topic, seen.id.replaceAll("-", ""));

  const stranger = await subscribed(randomUUID());
  assert.throws(() => read(stranger, message));
  assert.throws(() => read({ ...browser, auth: randomBytes(16) }, message));
});

test("the token names the push service, the application's key and whom to turn to, and ends within a day", async () => {
  const user = randomUUID();
  const browser = await subscribed(user);
  await call(user, "/api/queue/notifications", { type: "general", userId: user, title: "T", message: "M" });
  const { key, aud, exp, sub } = claims((await received(browser)).authorization);
  assert.equal(key, environment("VAPID_PUBLIC_KEY"));
  assert.equal(aud, pushService);
  assert.match(sub, /^(https?:|mailto:)/);
  const left = exp - Date.now() / 1000;
  assert.ok(left > 0 && left <= 24 * 60 * 60, `${left} s`);
});
