// The functions under test, as the web app calls them, and two QStash accounts: theirs and a stranger's.

import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@upstash/qstash";

/** A variable that the suite sets. */
export const environment = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const account = (prefix) =>
  new Client({ baseUrl: environment(`${prefix}_URL`), token: environment(`${prefix}_TOKEN`), enableTelemetry: false });

/** The account whose signing keys the functions hold. */
export const client = account("QSTASH");

/** An account with other signing keys. */
export const stranger = account("STRANGER_QSTASH");

/** The URL of a route. */
export const route = (path) => `${environment("FUNCTIONS_URL")}${path}`;

/** What the web app would publish for one signer. */
export const signatureRequest = (to) => ({
  type: "signature-request",
  to,
  signerName: "Ann Signer",
  documentTitle: "Lease of a flat",
  senderName: "Bob Owner",
  signatureUrl: "https://app.example.com/sign/1",
});

/** The job under an id: the answer's status and body. */
export const job = async (id) => {
  const headers = { authorization: `Bearer ${environment("API_TOKEN")}` };
  const answer = await fetch(route(`/api/queue/jobs/${id}`), { headers });
  return { status: answer.status, body: await answer.json() };
};

/** The job, once it has a status. */
export const jobThatIs = (status, id) =>
  eventually(`job ${id} is ${status}`, async () => {
    const { body } = await job(id);
    return body.status === status && body;
  });

/** The mails that a recipient got. */
export const mails = async (to) =>
  (await fetch(`${environment("MAILBOX_URL")}/messages?to=${encodeURIComponent(to)}`)).json();

/** Waits until `condition` gives something; gives up after a time that no healthy run comes near. */
export const eventually = async (what, condition) => {
  for (let tries = 0; tries < 600; tries += 1) {
    const value = await condition();
    if (value) return value;
    await sleep(50);
  }
  throw new Error(`it never came true: ${what}`);
};
