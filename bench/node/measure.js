// The official clients, from where the SDK tests have them installed.

import { createRequire } from "node:module";

/** A client's package, installed under tests/sdk/. */
export const installed = (sdk, name) => createRequire(new URL(`../../tests/sdk/${sdk}/package.json`, import.meta.url))(name);

/** The p50 and p99 of durations in milliseconds. */
export const spread = (durations) => {
  const sorted = [...durations].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5), p99: at(0.99) };
};
