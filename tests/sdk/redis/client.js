// The client under test, as an application makes it, and keys that no other run uses.

import { randomUUID } from "node:crypto";
import { Redis } from "@upstash/redis";

/** A client from UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN. */
export const connect = (options = {}) => Redis.fromEnv({ enableTelemetry: false, ...options });

/** A key of this run's own; whoever writes to it also lets it expire or deletes it. */
export const uniqueKey = (name) => `sdk:${name}:${randomUUID()}`;
