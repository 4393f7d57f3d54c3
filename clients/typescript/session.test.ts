// The web app's calls for sessions, as docs/API.md shows them.

import createClient from "openapi-fetch";
import type { components, paths } from "./signtusk";

type Session = components["schemas"]["Session"];

const functions = createClient<paths>({ baseUrl: "https://functions.example.com" });

/** A session, where the direct read says that the API has to be asked. */
export async function session(id: string, totpMaxAge?: number): Promise<Session | undefined> {
  const query = totpMaxAge === undefined ? {} : { totpMaxAge };
  const { data } = await functions.GET("/api/sessions/{sessionId}", { params: { path: { sessionId: id }, query } });
  return data;
}

/** Whether the caller's new token holds. */
export async function refreshed(id: string, refreshToken: string, newRefreshToken: string): Promise<boolean> {
  const { data, error } = await functions.POST("/api/sessions/{sessionId}/refresh", {
    params: { path: { sessionId: id } },
    body: { refreshToken, newRefreshToken },
  });
  if (error) throw new Error(error.code);
  return data.rotated;
}

/** A context that there is not. */
export const proven = functions.PUT("/api/sessions/{sessionId}/totp", {
  params: { path: { sessionId: "1" } },
  // @ts-expect-error: login, signing or both
  body: { verified: true, context: "payment" },
});
