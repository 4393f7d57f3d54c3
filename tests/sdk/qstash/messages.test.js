// Messages on their way, schedules, queues and flow control.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, eventually, receive, unique } from "./cloud.js";

let receiver;
before(async () => {
  receiver = await receive(() => ({ after: 30 }));
});
after(() => receiver.close());

test("a delayed message is shown, and gone once it is cancelled", async () => {
  const label = unique("delayed");
  const { messageId } = await client.publishJSON({ url: receiver.url("/never"), body: { a: 1 }, delay: "1h", label, retries: 2 });
  const message = await client.messages.get(messageId);
  assert.equal(message.body, '{"a":1}');
  assert.equal(message.maxRetries, 2);
  assert.deepEqual(message.labels, [label]);
  assert.equal((await client.messages.cancel(messageId)).cancelled, 1);
  await assert.rejects(client.messages.get(messageId));
  const { logs } = await client.logs({ filter: { messageId } });
  assert.deepEqual(logs.map(({ state }) => state), ["CANCELLED", "CREATED"]);
});

test("messages are cancelled by filter", async () => {
  const label = unique("many");
  await client.batchJSON([1, 2, 3].map((body) => ({ url: receiver.url("/never"), body, delay: "1h", label })));
  assert.equal((await client.messages.cancel({ filter: { label } })).cancelled, 3);
});

test("a schedule is created, replaced, paused and deleted", async () => {
  const scheduleId = unique("schedule");
  await client.schedules.create({ scheduleId, destination: receiver.url("/tick"), cron: "0 6 * * *", body: "x" });
  await client.schedules.create({ scheduleId, destination: receiver.url("/tock"), cron: "CRON_TZ=Europe/Berlin 0 7 * * *" });
  const schedule = await client.schedules.get(scheduleId);
  assert.equal(schedule.destination, receiver.url("/tock"));
  assert.equal(schedule.cron, "CRON_TZ=Europe/Berlin 0 7 * * *");
  assert.equal(schedule.isPaused, false);
  await client.schedules.pause({ schedule: scheduleId });
  assert.equal((await client.schedules.get(scheduleId)).isPaused, true);
  await client.schedules.resume({ schedule: scheduleId });
  assert.equal((await client.schedules.list()).filter((one) => one.scheduleId === scheduleId).length, 1);
  await client.schedules.delete(scheduleId);
  await assert.rejects(client.schedules.get(scheduleId));
});

test("flow control holds the parallelism", async () => {
  const key = unique("flow");
  const slow = await receive(() => ({ after: 40 }));
  await client.batchJSON(Array.from({ length: 8 }, (_, body) => ({ url: slow.url("/"), body, flowControl: { key, parallelism: 2 } })));
  assert.equal((await client.flowControl.get(key)).parallelismMax, 2);
  await eventually("delivered", () => slow.requests.length === 8);
  assert.equal(slow.mostAtOnce(), 2);
  slow.close();
});

test("a paused flow-control key waits", async () => {
  const key = unique("paused");
  await client.flowControl.pause(key);
  const path = `/${key}`;
  await client.publishJSON({ url: receiver.url(path), body: 1, flowControl: { key, rate: 5, period: "1m" } });
  await eventually("waiting", async () => (await client.flowControl.get(key)).waitListSize === 1);
  await client.flowControl.resume(key);
  await eventually("delivered", () => receiver.requests.some((request) => request.path === path));
});

test("a queue delivers in order", async () => {
  const queue = client.queue({ queueName: unique("queue") });
  await queue.upsert({ parallelism: 1 });
  const ordered = await receive(() => ({ after: 10 }));
  for (const body of ["1", "2", "3"]) await queue.enqueue({ url: ordered.url("/"), body });
  await eventually("delivered", () => ordered.requests.length === 3);
  assert.deepEqual(ordered.requests.map(({ body }) => body), ["1", "2", "3"]);
  assert.equal(ordered.mostAtOnce(), 1);
  await queue.delete();
  ordered.close();
});
