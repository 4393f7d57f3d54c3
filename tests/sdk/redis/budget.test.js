// The web app's limiter of mails and the functions' own budget count together. The cloud's budget is five a day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ratelimit } from "@upstash/ratelimit";
import { connect } from "./client.js";

const limiter = new Ratelimit({
  redis: connect(),
  limiter: Ratelimit.slidingWindow(5, "1 d"),
  prefix: "rl:email",
  ephemeralCache: false,
});

const call = async (path, options = {}) => {
  const headers = { authorization: `Bearer ${process.env.API_TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(`${process.env.FUNCTIONS_URL}${path}`, { headers, ...options });
  return answer.json();
};

/** Enqueues a mail and waits until its job has a status. */
const jobThatIs = async (status, to) => {
  const payload = {
    type: "signature-request",
    to,
    signerName: "Ann Signer",
    documentTitle: "Lease of a flat",
    senderName: "Bob Owner",
    signatureUrl: "https://app.example.com/sign/1",
  };
  const { jobId } = await call("/api/queue/emails", { method: "POST", body: JSON.stringify(payload) });
  let job;
  for (let tries = 0; tries < 600; tries += 1) {
    job = await call(`/api/queue/jobs/${jobId}`);
    if (job.status === status) return job;
    await sleep(50);
  }
  throw new Error(`the job is not ${status}: ${JSON.stringify(job)}`);
};

test("what the web app's limiter has used up, the functions do not send", async () => {
  for (let mail = 0; mail < 5; mail += 1) {
    assert.equal((await limiter.limit("used@example.com")).success, true);
  }
  await jobThatIs("deferred", "Used@example.com");
});

test("what the functions have sent, the web app's limiter counts", async () => {
  for (let mail = 1; mail <= 5; mail += 1) {
    await jobThatIs("completed", "sent@example.com");
    assert.equal((await limiter.getRemaining("sent@example.com")).remaining, 5 - mail);
  }
  assert.equal((await limiter.limit("sent@example.com")).success, false);
});
