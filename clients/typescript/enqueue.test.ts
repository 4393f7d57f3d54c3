// Calls that compile against the types, and calls that must not: the web app's calls, in the style of docs/API.md. None
// of this is run. A line marked with @ts-expect-error that compiles is an error too.

import createClient from "openapi-fetch";
import type { components, paths } from "./signtusk";

const functions = createClient<paths>({
  baseUrl: "https://functions.example.com",
  headers: { authorization: "Bearer token" },
});

const request = {
  type: "signature-request",
  to: "ann@example.com",
  signerName: "Ann",
  documentTitle: "Lease",
  senderName: "Bob",
  signatureUrl: "https://app.example.com/sign/1",
} as const;

/** An enqueue, and the job that it makes. */
export async function enqueued(): Promise<components["schemas"]["Job"] | undefined> {
  const { data, error } = await functions.POST("/api/queue/emails", {
    params: { header: { "Idempotency-Key": "lease-1-ann", "X-User-Id": "bob" } },
    body: { ...request, delaySeconds: 60, priority: "high", dueDate: null },
  });
  if (error) {
    const fields: string[] = (error.errors ?? []).map((field) => `${field.pointer} ${field.detail}`);
    throw new Error(`${error.code} (${error.requestId}): ${fields.join(", ")}`);
  }
  const job = await functions.GET("/api/queue/jobs/{jobId}", { params: { path: { jobId: data.jobId } } });
  return job.data;
}

/** The same with plain fetch: the body's type by its name. */
export function body(): string {
  const email: components["schemas"]["EnqueueEmail"] = { ...request, notBefore: "2026-12-01T09:00:00Z" };
  return JSON.stringify(email);
}

export async function whatDoesNotCompile(): Promise<void> {
  const { to: _, ...nameless } = request;
  // @ts-expect-error: a required member is missing
  await functions.POST("/api/queue/emails", { body: nameless });
  // @ts-expect-error: a member has another name
  await functions.POST("/api/queue/emails", { body: { ...nameless, recipient: "ann@example.com" } });
  // @ts-expect-error: this type of e-mail does not exist
  await functions.POST("/api/queue/emails", { body: { ...request, type: "birthday" } });
  // @ts-expect-error: a member has another type
  await functions.POST("/api/queue/emails", { body: { ...request, delaySeconds: "60" } });
  // @ts-expect-error: a delay and an instant exclude each other
  await functions.POST("/api/queue/emails", { body: { ...request, delaySeconds: 60, notBefore: "2026-12-01T09:00:00Z" } });
  // @ts-expect-error: this status does not exist
  await functions.GET("/api/queue/jobs", { params: { query: { status: "lost" } } });
  // @ts-expect-error: this route has no such method
  await functions.DELETE("/api/queue/jobs");
}
