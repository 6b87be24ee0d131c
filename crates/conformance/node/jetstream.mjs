// @nats-io/jetstream, kv and obj end to end against the server: what a user of streams, key-value
// buckets and object stores in JavaScript relies on.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { jetstream, jetstreamManager, JetStreamApiError } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { connect, headers, nanos } from "@nats-io/transport-node";

import { withServer } from "./server.mjs";
import { main, test, within } from "./suite.mjs";

// How long something that should happen at once may take.
const PATIENCE_MS = 20_000;

const QUICK = { reconnectTimeWait: 100, maxReconnectAttempts: 200 };

/** Runs `use` with a server that has streams: its manager, its client, the connection, the server. */
function withStreams(use, options = {}) {
  return withServer("", async (server) => {
    const client = await connect({ servers: server.url, timeout: PATIENCE_MS, ...options });
    try {
      await use(await jetstreamManager(client), jetstream(client), client, server);
    } finally {
      await client.close();
    }
  }, { streams: true });
}

/** A stream S with so many messages m0, m1 … */
async function numbered(jsm, js, count) {
  await jsm.streams.add({ name: "S", subjects: ["s.>"] });
  for (let i = 0; i < count; i++) await js.publish("s.a", `m${i}`);
}

/** The next so many of what can be iterated. */
async function take(iterable, count) {
  const taken = [];
  const read = async () => {
    if (count === 0) return;
    for await (const item of iterable) {
      if (taken.push(item) === count) break;
    }
  };
  await within(PATIENCE_MS, read());
  return taken;
}

/** All of what can be iterated and ends by itself. */
async function all(iterable) {
  const taken = [];
  const read = async () => {
    for await (const item of iterable) taken.push(item);
  };
  await within(PATIENCE_MS, read());
  return taken;
}

/** The promise fails with this code of the API. */
function refused(promise, code) {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof JetStreamApiError, `${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

async function eventually(look) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await look())) assert.ok(Date.now() < deadline, "it never happens");
}

const texts = (messages) => messages.map((message) => message.string());
const names = (count) => Array.from({ length: count }, (_, i) => `m${i}`);

test("a_stream_is_made_changed_told_about_and_deleted", () =>
  withStreams(async (jsm, js) => {
    const made = await jsm.streams.add({ name: "S", subjects: ["s.>"], max_msgs: 10 });
    assert.deepEqual([made.config.max_msgs, made.config.max_bytes], [10, -1]);
    const changed = await jsm.streams.update("S", { max_msgs: 5, description: "two" });
    assert.deepEqual([changed.config.max_msgs, changed.config.description], [5, "two"]);
    for (let i = 0; i < 7; i++) await js.publish("s.a", "x");
    const { state } = await jsm.streams.info("S", { subjects_filter: ">" });
    assert.deepEqual([state.messages, state.first_seq, state.last_seq], [5, 3, 7]);
    assert.deepEqual(state.subjects, { "s.a": 5 });
    assert.equal(await jsm.streams.find("s.b"), "S");
    assert.equal((await jsm.getAccountInfo()).streams, 1);
    assert.equal(await jsm.streams.delete("S"), true);
    await refused(jsm.streams.info("S"), 10059);
  }));

test("errors_keep_their_codes", () =>
  withStreams(async (jsm, js) => {
    await jsm.streams.add({ name: "S", subjects: ["s.>"] });
    await refused(jsm.streams.add({ name: "S", subjects: ["t.>"] }), 10058);
    await refused(jsm.streams.add({ name: "T", subjects: ["s.b"] }), 10065);
    await refused(jsm.consumers.info("S", "none"), 10014);
    const expect = { expect: { streamName: "T" } };
    await refused(js.publish("s.a", "x", expect), 10060);
    await refused(js.publish("s.a", "x", { expect: { lastSequence: 7 } }), 10071);
    await assert.rejects(js.publish("nobody.stores.this", "x"));
  }));

test("names_and_lists_come_in_pages", () =>
  withStreams(async (jsm) => {
    const expected = [];
    for (let i = 0; i < 260; i++) {
      const name = `S${String(i).padStart(3, "0")}`;
      expected.push(name);
      await jsm.streams.add({ name, storage: "memory" });
    }
    assert.deepEqual(await all(jsm.streams.names()), expected);
    const listed = await all(jsm.streams.list());
    assert.deepEqual(listed.map((info) => info.config.name), expected);
  }));

test("an_id_is_stored_once", () =>
  withStreams(async (jsm, js) => {
    await jsm.streams.add({ name: "S", subjects: ["s.>"] });
    const first = await js.publish("s.a", "x", { msgID: "one" });
    assert.deepEqual([first.stream, first.seq, first.duplicate], ["S", 1, false]);
    const again = await js.publish("s.a", "x", { msgID: "one" });
    assert.deepEqual([again.seq, again.duplicate], [1, true]);
    assert.equal((await js.publish("s.a", "y")).seq, 2);
  }));

test("messages_are_got_deleted_and_purged", () =>
  withStreams(async (jsm, js) => {
    await jsm.streams.add({ name: "S", subjects: ["s.>"], allow_direct: true });
    for (let i = 0; i < 6; i++) {
      const sent = headers();
      sent.set("Number", String(i));
      await js.publish(`s.${i % 2}`, `m${i}`, { headers: sent });
    }
    for (const api of [jsm.streams, jsm.direct]) {
      const got = await api.getMessage("S", { seq: 3 });
      assert.deepEqual([got.string(), got.subject, got.seq], ["m2", "s.0", 3]);
      assert.equal(got.header.get("Number"), "2");
      assert.equal((await api.getMessage("S", { last_by_subj: "s.1" })).string(), "m5");
    }
    const batch = await jsm.direct.getBatch("S", { seq: 2, batch: 3 });
    assert.deepEqual(texts(await all(batch)), ["m1", "m2", "m3"]);
    const last = await jsm.direct.getLastMessagesFor("S", { multi_last: ["s.>"] });
    assert.deepEqual(texts(await all(last)), ["m4", "m5"]);
    assert.equal(await jsm.streams.deleteMessage("S", 3), true);
    assert.equal(await jsm.streams.getMessage("S", { seq: 3 }), null);
    assert.equal((await jsm.streams.purge("S", { filter: "s.1", keep: 1 })).purged, 2);
    assert.equal((await jsm.streams.purge("S")).purged, 3);
  }));

test("a_pull_consumer_takes_one_some_and_what_comes", () =>
  withStreams(async (jsm, js) => {
    await numbered(jsm, js, 30);
    await jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit" });
    const consumer = await js.consumers.get("S", "c");
    const first = await consumer.next({ expires: PATIENCE_MS });
    assert.deepEqual([first.string(), first.info.pending], ["m0", 29]);
    assert.equal(await first.ackAck(), true);
    const some = await all(await consumer.fetch({ max_messages: 9, expires: PATIENCE_MS }));
    for (const message of some) message.ack();
    const consuming = await consumer.consume({ max_messages: 5 });
    const rest = [];
    for await (const message of consuming) {
      message.ack();
      rest.push(message);
      if (rest.length === 10) for (let i = 30; i < 35; i++) await js.publish("s.a", `m${i}`);
      if (rest.length === 25) break;
    }
    await consuming.close();
    assert.deepEqual(texts([first, ...some, ...rest]), names(35));
    await eventually(async () => (await consumer.info()).ack_floor.stream_seq === 35);
    assert.equal(await consumer.next({ expires: 1000 }), null);
  }));

test("acks_of_every_kind", () =>
  withStreams(async (jsm, js) => {
    await numbered(jsm, js, 4);
    await jsm.consumers.add("S", { durable_name: "c", ack_policy: "explicit" });
    const consumer = await js.consumers.get("S", "c");
    const next = () => consumer.next({ expires: PATIENCE_MS });
    const [a, b, c] = [await next(), await next(), await next()];
    assert.equal(await a.ackAck(), true);
    b.term("poison");
    c.nak();
    const again = await next();
    assert.deepEqual([again.string(), again.info.deliveryCount, again.redelivered], ["m2", 2, true]);
    again.working();
    again.nak(300);
    const before = Date.now();
    const fourth = await next();
    assert.equal(fourth.string(), "m3");
    await fourth.ackAck();
    const late = await next();
    assert.deepEqual([late.string(), late.info.deliveryCount], ["m2", 3]);
    assert.ok(Date.now() - before >= 250, "the delay was kept");
    await late.ackAck();
    const info = await consumer.info();
    assert.deepEqual([info.ack_floor.stream_seq, info.num_ack_pending], [4, 0]);
  }));

test("a_push_consumer_delivers", () =>
  withStreams(async (jsm, js, client) => {
    await numbered(jsm, js, 20);
    await jsm.consumers.add("S", {
      durable_name: "p", ack_policy: "explicit", deliver_subject: "to.me",
      idle_heartbeat: nanos(1000), flow_control: true,
    });
    const consumer = await js.consumers.getPushConsumer("S", "p");
    const messages = await consumer.consume();
    const got = await take(messages, 20);
    for (const message of got) message.ack();
    assert.deepEqual(texts(got), names(20));
    await client.flush();
    await eventually(async () => (await consumer.info()).ack_floor.stream_seq === 20);
  }));

test("an_ordered_consumer_goes_on_after_a_kill", () =>
  withStreams(async (jsm, js, _, server) => {
    await numbered(jsm, js, 100);
    const consumer = await js.consumers.get("S", { filter_subjects: "s.>" });
    const messages = await consumer.consume({ idle_heartbeat: 1000, expires: 2000 });
    const got = [];
    const read = (async () => {
      for await (const message of messages) {
        if (got.push(message.string()) === 101) return;
      }
    })();
    await eventually(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return got.length === 100;
    });
    await server.kill();
    await server.startAgain();
    const publish = () => js.publish("s.a", "m100", { timeout: 1000, msgID: "once" });
    await eventually(() => publish().then(() => true, () => false));
    await within(PATIENCE_MS, read);
    assert.deepEqual(got, names(101));
  }, QUICK));

test("a_consumer_is_paused_resumed_listed_and_deleted", () =>
  withStreams(async (jsm, js) => {
    await numbered(jsm, js, 3);
    for (const name of ["a", "b"]) {
      await jsm.consumers.add("S", { durable_name: name, ack_policy: "explicit" });
    }
    assert.deepEqual((await all(jsm.consumers.list("S"))).map((info) => info.name), ["a", "b"]);
    const paused = await jsm.consumers.pause("S", "a", new Date("2100-01-01"));
    assert.equal(paused.paused, true);
    const consumer = await js.consumers.get("S", "a");
    assert.equal(await consumer.next({ expires: 1000 }), null);
    assert.equal((await jsm.consumers.resume("S", "a")).paused, false);
    assert.equal((await consumer.next({ expires: PATIENCE_MS })).string(), "m0");
    assert.equal(await jsm.consumers.delete("S", "a"), true);
    await refused(js.consumers.get("S", "a"), 10014);
  }));

test("a_bucket_keeps_puts_creates_and_updates", () =>
  withStreams(async (_, js) => {
    const kv = await new Kvm(js).create("b", { history: 5 });
    assert.equal(await kv.put("a", "1"), 1);
    const entry = await kv.get("a");
    assert.deepEqual([entry.key, entry.string(), entry.revision], ["a", "1", 1]);
    assert.equal(await kv.update("a", "2", 1), 2);
    await refused(kv.update("a", "3", 1), 10071);
    await refused(kv.create("a", "3"), 10071);
    assert.equal(await kv.create("new", "x"), 3);
    assert.equal(await kv.get("none"), null);
    assert.deepEqual((await all(await kv.keys())).sort(), ["a", "new"]);
    const status = await kv.status();
    assert.deepEqual([status.values, status.history], [3, 5]);
    assert.equal(await kv.destroy(), true);
  }));

test("a_bucket_deletes_and_purges", () =>
  withStreams(async (_, js) => {
    const kv = await new Kvm(js).create("b", { history: 5 });
    for (const value of ["1", "2"]) {
      await kv.put("a", value);
      await kv.put("b", value);
    }
    await kv.delete("a");
    await kv.purge("b");
    assert.equal((await kv.get("a")).operation, "DEL");
    const operations = async (key) =>
      (await all(await kv.history({ key }))).map((entry) => entry.operation);
    assert.deepEqual(await operations("a"), ["PUT", "PUT", "DEL"]);
    assert.deepEqual(await operations("b"), ["PURGE"]);
    assert.deepEqual(await all(await kv.keys()), []);
    assert.ok((await kv.create("a", "again")) > 0, "a deleted key can be created");
  }));

test("a_bucket_is_watched", () =>
  withStreams(async (_, js) => {
    const kv = await new Kvm(js).create("b", { history: 3 });
    for (const key of ["x.one", "x.two", "y.one"]) await kv.put(key, key);
    const watch = await kv.watch({ key: "x.*" });
    await kv.put("y.two", "not seen");
    await kv.put("x.one", "new");
    await kv.delete("x.two");
    const seen = await take(watch, 4);
    assert.deepEqual(seen.map((entry) => [entry.key, entry.operation]), [
      ["x.one", "PUT"],
      ["x.two", "PUT"],
      ["x.one", "PUT"],
      ["x.two", "DEL"],
    ]);
  }));

test("values_end_after_their_time_to_live", () =>
  withStreams(async (_, js) => {
    const kv = await new Kvm(js).create("b", { ttl: 1000 });
    await kv.put("a", "1");
    assert.equal((await kv.get("a")).string(), "1");
    await eventually(async () => (await kv.get("a")) === null);
  }));

test("an_object_is_put_and_got_whole", () =>
  withStreams(async (_, js) => {
    const store = await new Objm(js).create("o");
    const data = randomBytes(3 * 1024 * 1024 + 17);
    const info = await store.putBlob({ name: "large", description: "bytes" }, data);
    assert.deepEqual([info.size, info.chunks], [data.length, 25]);
    const digest = Buffer.from(info.digest.slice("SHA-256=".length), "base64url");
    assert.ok(createHash("sha256").update(data).digest().equals(digest));
    assert.ok(data.equals(await store.getBlob("large")));
    assert.equal((await store.info("large")).description, "bytes");
    assert.equal(await store.get("none"), null);
  }));

test("objects_are_listed_replaced_watched_deleted_and_sealed", () =>
  withStreams(async (jsm, js) => {
    const store = await new Objm(js).create("o");
    for (const name of ["a", "b"]) {
      await store.putBlob({ name }, Buffer.alloc(300_000, name));
    }
    assert.deepEqual((await store.list()).map((info) => info.name), ["a", "b"]);
    await store.putBlob({ name: "a" }, Buffer.from("new"));
    assert.equal(Buffer.from(await store.getBlob("a")).toString(), "new");
    assert.equal((await store.delete("b")).success, true);
    assert.equal((await jsm.streams.info("OBJ_o")).state.messages, 3);
    const watch = await store.watch({ includeHistory: true });
    const seen = (await take(watch, 2)).map((info) => [info.name, info.deleted ?? false]);
    assert.deepEqual(seen, [["a", false], ["b", true]]);
    assert.equal((await store.seal()).sealed, true);
    await assert.rejects(store.putBlob({ name: "c" }, Buffer.from("x")));
    assert.equal(await store.destroy(), true);
  }));

await main();
