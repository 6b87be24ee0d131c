// nats.js (transport-node) end to end against the server: what a user of the client in JavaScript
// relies on.

import assert from "node:assert/strict";
import { connect, createInbox, errors, headers } from "@nats-io/transport-node";

import { withServer } from "./server.mjs";
import { main, test, within } from "./suite.mjs";

// How long something that should happen at once may take.
const PATIENCE_MS = 20_000;

/** Runs `use` with connections to a server, which are closed afterwards. */
async function withClients(config, count, use, options = {}) {
  await withServer(config, async (server) => {
    const clients = [];
    for (let i = 0; i < count; i++) {
      clients.push(await connect({ servers: server.url, timeout: PATIENCE_MS, ...options }));
    }
    try {
      await use(...clients, server);
    } finally {
      for (const client of clients) await client.close();
    }
  });
}

/** The next messages of a subscription. */
async function next(subscription, count) {
  const messages = [];
  const read = async () => {
    for await (const message of subscription) {
      if (messages.push(message) === count) break;
    }
  };
  await within(PATIENCE_MS, read());
  return messages;
}

const texts = (messages) => messages.map((message) => message.string());

/** A subscription that keeps what comes. */
function keep(client, subject, options = {}) {
  const got = [];
  const callback = (error, message) => got.push(error ?? message.string());
  return { got, subscription: client.subscribe(subject, { ...options, callback }) };
}

/** Waits for a status event of this type. */
function event(client, type) {
  const found = (async () => {
    for await (const status of client.status()) {
      if (status.type === type) return status;
    }
    throw new Error(`the connection ended without ${type}`);
  })();
  return { happened: () => within(PATIENCE_MS, found) };
}

const QUICK = { reconnectTimeWait: 100, maxReconnectAttempts: 200 };

test("info_describes_server_and_client", () =>
  withClients("server_name: quiet-harbour", 1, async (client) => {
    assert.equal(client.info.server_name, "quiet-harbour");
    assert.equal(client.info.max_payload, 1024 * 1024);
    assert.equal(client.info.headers, true);
    assert.equal(client.info.client_ip, "127.0.0.1");
    assert.ok(client.info.client_id > 0);
    assert.ok((await client.rtt()) >= 0);
  }));

test("a_message_reaches_subscribers_of_its_subject", () =>
  withClients("", 2, async (publisher, subscriber) => {
    const { got } = keep(subscriber, "greet.ann");
    const subscription = subscriber.subscribe("greet.joe");
    await subscriber.flush();
    publisher.publish("greet.joe", "hello");
    const [message] = await next(subscription, 1);
    assert.deepEqual([message.subject, message.string()], ["greet.joe", "hello"]);
    await subscriber.flush();
    assert.deepEqual(got, []);
  }));

test("wildcards_match_one_token_or_the_rest", () =>
  withClients("", 1, async (client) => {
    const star = keep(client, "time.*.east").got;
    const rest = keep(client, "time.us.>").got;
    for (const subject of ["time.us.east", "time.us.east.x", "time.eu.east", "time.us"]) {
      client.publish(subject, subject);
    }
    await client.flush();
    assert.deepEqual(star, ["time.us.east", "time.eu.east"]);
    assert.deepEqual(rest, ["time.us.east", "time.us.east.x"]);
  }));

test("a_queue_group_shares_messages", () =>
  withClients("", 4, async (publisher, ...others) => {
    const members = others.slice(0, 3);
    const got = members.map((member) => keep(member, "jobs", { queue: "workers" }).got);
    for (const member of members) await member.flush();
    const sent = Array.from({ length: 300 }, (_, i) => String(i));
    for (const text of sent) publisher.publish("jobs", text);
    await publisher.flush();
    for (const member of members) await member.flush();
    assert.deepEqual(got.flat().map(Number).sort((a, b) => a - b).map(String), sent);
    for (const own of got) assert.ok(own.length > 30, `${got.map((own) => own.length)}`);
  }));

test("a_request_gets_its_reply", () =>
  withClients("", 2, async (asker, responder) => {
    responder.subscribe("double", {
      callback: (_, message) => message.respond(message.string().repeat(2)),
    });
    await responder.flush();
    const asked = Array.from({ length: 100 }, (_, i) => `${i}.`);
    for (const noMux of [false, true]) {
      const options = { timeout: PATIENCE_MS, noMux };
      const replies = await Promise.all(asked.map((t) => asker.request("double", t, options)));
      assert.deepEqual(texts(replies), asked.map((text) => text + text));
    }
  }));

test("a_request_that_nobody_hears_fails_at_once", () =>
  withClients("", 1, async (client) => {
    for (const noMux of [false, true]) {
      const asked = client.request("no.body", "", { timeout: PATIENCE_MS, noMux });
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof errors.RequestError && error.isNoResponders(), `${error}`);
        return true;
      });
    }
  }));

test("request_many_collects_replies", () =>
  withClients("", 4, async (asker, ...others) => {
    for (const responder of others.slice(0, 3)) {
      responder.subscribe("who", { callback: (_, message) => message.respond("me") });
      await responder.flush();
    }
    const options = { strategy: "count", maxMessages: 3, maxWait: PATIENCE_MS };
    assert.deepEqual(texts(await next(await asker.requestMany("who", "", options), 3)), [
      "me",
      "me",
      "me",
    ]);
  }));

test("headers_arrive_with_repeated_names_and_their_case", () =>
  withClients("", 1, async (client) => {
    const subscription = client.subscribe("with.headers");
    const sent = headers();
    sent.append("Trace-Id", "a b:c");
    sent.append("Trace-Id", "second");
    sent.append("trace-id", "ñandú");
    client.publish("with.headers", "body", { headers: sent, reply: "answer.here" });
    const [message] = await next(subscription, 1);
    assert.deepEqual(message.headers.values("Trace-Id"), ["a b:c", "second"]);
    assert.deepEqual(message.headers.values("trace-id"), ["ñandú"]);
    assert.deepEqual([message.string(), message.reply], ["body", "answer.here"]);
  }));

test("drain_handles_what_is_on_its_way", () =>
  withClients("", 2, async (publisher, subscriber) => {
    const { got } = keep(subscriber, "work");
    await subscriber.flush();
    const sent = Array.from({ length: 1000 }, (_, i) => String(i));
    for (const text of sent) publisher.publish("work", text);
    await publisher.flush();
    await within(PATIENCE_MS, subscriber.drain());
    assert.deepEqual(got, sent);
    assert.ok(subscriber.isClosed());
  }));

test("auto_unsubscribe_ends_after_its_count", () =>
  withClients("", 1, async (client) => {
    const subscription = client.subscribe("tick", { max: 3 });
    for (let i = 0; i < 10; i++) client.publish("tick", String(i));
    const messages = [];
    for await (const message of subscription) messages.push(message);
    assert.deepEqual(texts(messages), ["0", "1", "2"]);
    const inbox = createInbox();
    const replies = client.subscribe(inbox);
    client.publish("tick", "", { reply: inbox });
    const [message] = await next(replies, 1);
    assert.equal(message.headers.code, 503, "the server itself has ended it");
  }));

test("without_echo_own_messages_do_not_come_back", () =>
  withClients("", 1, async (other, server) => {
    const mute = await connect({ servers: server.url, noEcho: true });
    const [own, theirs] = [keep(mute, "a").got, keep(other, "a").got];
    await other.flush();
    mute.publish("a", "mine");
    await mute.flush();
    other.publish("a", "yours");
    await other.flush();
    await mute.flush();
    assert.deepEqual(own, ["yours"]);
    assert.deepEqual(theirs, ["mine", "yours"]);
    await mute.close();
  }));

test("messages_keep_their_order_and_bytes", () =>
  withClients("", 2, async (publisher, subscriber) => {
    const subscription = subscriber.subscribe("bytes");
    await subscriber.flush();
    const tail = Buffer.from("\r\nPUB x 1\r\n");
    const sent = Array.from({ length: 5000 }, (_, n) =>
      Buffer.concat([Buffer.alloc(n % 700, n % 256), tail]));
    sent.push(Buffer.alloc(1024 * 1024, 7));
    for (const payload of sent) publisher.publish("bytes", payload);
    const got = await next(subscription, sent.length);
    got.forEach((message, n) => assert.ok(sent[n].equals(message.data), `message ${n}`));
  }));

test("a_client_reconnects_after_a_kill_with_its_subscriptions", () =>
  withClients("", 1, async (client, server) => {
    const subscription = client.subscribe("still.here");
    await client.flush();
    const [gone, back] = [event(client, "disconnect"), event(client, "reconnect")];
    await server.kill();
    await gone.happened();
    await server.startAgain();
    await back.happened();
    client.publish("still.here", "back");
    assert.deepEqual(texts(await next(subscription, 1)), ["back"]);
  }, QUICK));

test("a_client_that_stalls_is_cut_off_and_the_others_are_served", () =>
  withClients('max_pending: 2MB, max_payload: 1MB, write_deadline: "5s"', 3,
    async (stalled, healthy, publisher, server) => {
      stalled.subscribe("flood", { callback: () => {} });
      const gone = event(stalled, "disconnect");
      const { got } = keep(healthy, "flood");
      await stalled.flush();
      await healthy.flush();
      stalled.protocol.transport.socket.pause();
      for (let i = 1; i <= 60; i++) {
        publisher.publish("flood", Buffer.alloc(512 * 1024));
        await publisher.flush();
        await healthy.flush();
        assert.equal(got.length, i);
      }
      stalled.protocol.transport.socket.resume();
      await gone.happened();
      assert.match(server.log(), /slow consumer/i);
    }, QUICK));

test("max_payload_is_known_to_the_client", () =>
  withClients("max_payload: 1000", 1, async (client) => {
    const subscription = client.subscribe("a");
    client.publish("a", Buffer.alloc(1000));
    assert.equal((await next(subscription, 1))[0].data.length, 1000);
    assert.throws(() => client.publish("a", Buffer.alloc(1001)), errors.InvalidArgumentError);
  }));

test("a_payload_over_the_maximum_ends_the_connection", () =>
  withClients("max_payload: 1000", 1, async (client) => {
    const gone = event(client, "disconnect");
    client.info.max_payload = 2000;
    client.publish("a", Buffer.alloc(1001));
    await gone.happened();
  }, QUICK));

/** Whether the server refuses these credentials with the error that clients know. */
async function refused(server, options) {
  const connecting = connect({ servers: server.url, reconnect: false, ...options });
  return await connecting.then(
    (client) => client.close().then(() => false),
    (error) => error instanceof errors.AuthorizationError,
  );
}

test("a_token_opens_and_anything_else_does_not", () =>
  withServer("authorization { token: s3cret }", async (server) => {
    const client = await connect({ servers: server.url, token: "s3cret" });
    assert.equal(client.info.auth_required, true);
    await client.close();
    assert.ok(await refused(server, { token: "wrong" }));
    assert.ok(await refused(server, { user: "s3cret", pass: "s3cret" }));
    assert.ok(await refused(server, {}));
  }));

test("user_and_password_open_and_anything_else_does_not", () =>
  withServer("authorization { user: ana, password: secreta }", async (server) => {
    const client = await connect({ servers: server.url, user: "ana", pass: "secreta" });
    await client.close();
    assert.ok(await refused(server, { user: "ana", pass: "wrong" }));
    assert.ok(await refused(server, { user: "eva", pass: "secreta" }));
    assert.ok(await refused(server, { token: "secreta" }));
    assert.ok(await refused(server, {}));
  }));

test("a_lame_duck_gives_notice", () =>
  withClients("", 1, async (client, server) => {
    const notice = event(client, "ldm");
    server.lameDuck();
    await notice.happened();
  }));

test("an_invalid_filter_is_reported_and_the_connection_stays", () =>
  withClients("", 1, async (client) => {
    const report = event(client, "error");
    client.subscribe("a..b", { callback: () => {} });
    const { error } = await report.happened();
    assert.match(error.message, /invalid subject/i);
    await client.flush();
  }));

test("many_clients_connect_and_leave", () =>
  withClients("", 1, async (hub, server) => {
    const { got } = keep(hub, "hello.*");
    await hub.flush();
    const visit = async (number) => {
      const client = await connect({ servers: server.url });
      client.publish(`hello.${number}`, String(number));
      await client.drain();
    };
    for (let wave = 0; wave < 4; wave++) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => visit(wave * 50 + i)));
    }
    await hub.flush();
    assert.equal(new Set(got).size, 200);
  }));

await main();
