// Another configuration under traffic, as users of nats.js in Node meet it: whom it does not concern loses nothing, whom it
// concerns is told.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect, errors } from "@nats-io/transport-node";

import { path, text, tls } from "./credentials.mjs";
import { withServer } from "./server.mjs";
import { main, test, within } from "./suite.mjs";

// How long something that should happen at once may take.
const PATIENCE_MS = 20_000;
const RELOADS = 12;

/** Steady is the same in all of them. */
function configuration({ certificate = "server", users = "", curb = "never" } = {}) {
  return `
    ${tls(certificate)}
    authorization { users: [
      { user: steady, password: s }
      { user: curbed, password: c, permissions { publish { deny: "${curb}" }, subscribe { deny: "${curb}" } } }
      ${users}
    ] }
  `;
}

const GUEST = "{ user: guest, password: g }";

const enter = (server, user, options = {}) =>
  connect({
    servers: `localhost:${server.port}`,
    user,
    pass: user[0],
    reconnect: false,
    tls: { caFile: path("ca.pem") },
    ...options,
  });

/** Whether a new connection of this user is taken. */
async function letIn(server, user) {
  try {
    await (await enter(server, user)).close();
    return true;
  } catch (error) {
    assert.ok(error instanceof errors.AuthorizationError, `${error}`);
    return false;
  }
}

/** What a client is told of, until it is closed. */
function told(client) {
  const heard = [];
  (async () => {
    for await (const status of client.status()) heard.push(status);
  })();
  return heard;
}

/** Waits for what other parts of this program bring about. */
async function until(holds) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `never: ${holds}`);
    await new Promise(setImmediate);
  }
}

/** The certificate that the server has shown to this client. */
const shown = (client) => client.protocol.transport.socket.getPeerX509Certificate().fingerprint256;
const fingerprint = (name) => new X509Certificate(text(`${name}.pem`)).fingerprint256;

test("an_untouched_client_loses_nothing_while_configurations_change", async () => {
  const plain = configuration();
  const other = configuration({ certificate: "successor", users: GUEST, curb: "news.>" });
  await withServer(plain, async (server) => {
    const clients = [];
    for (let at = 0; at < 4; at += 1) clients.push(await enter(server, "steady", { reconnect: true }));
    const [publisher, subscriber, asker, responder] = clients;
    const statuses = clients.map(told);
    const heard = [];
    subscriber.subscribe("numbers", { callback: (_, message) => heard.push(Number(message.string())) });
    responder.subscribe("mirror", { callback: (_, message) => message.respond(message.data) });
    await Promise.all([subscriber.flush(), responder.flush()]);

    let over = false;
    let asked = 0;
    const publish = async () => {
      let number = 0;
      while (!over) {
        for (let count = 0; count < 50; count += 1, number += 1) publisher.publish("numbers", `${number}`);
        await publisher.flush();
      }
      return number;
    };
    const ask = async () => {
      while (!over) {
        const reply = await asker.request("mirror", `${asked}`, { timeout: PATIENCE_MS });
        assert.equal(reply.string(), `${asked}`);
        asked += 1;
      }
    };
    const traffic = Promise.all([publish(), ask()]);
    for (let round = 0; round < RELOADS; round += 1) {
      const before = [heard.length, asked];
      await server.reload(round % 2 ? plain : other);
      // Between any two of them there is traffic of both kinds.
      await Promise.race([until(() => heard.length > before[0] && asked > before[1]), traffic]);
    }
    over = true;
    const [published] = await traffic;
    // Its answer comes behind all that was published.
    await subscriber.flush();
    await until(() => heard.length >= published);
    assert.deepEqual(heard, Array.from({ length: published }, (_, number) => number));
    const troubles = statuses.flat().filter(({ type }) => ["disconnect", "error"].includes(type));
    assert.deepEqual(troubles, []);
    for (const client of clients) await client.close();
  });
});

test("what_is_not_allowed_any_more_ends_and_its_client_is_told", () =>
  withServer(configuration(), async (server) => {
    const client = await enter(server, "curbed");
    const heard = told(client);
    const ended = [];
    const news = [];
    client.subscribe("news.today", {
      callback: (error, message) => (error ? ended.push(error) : news.push(message.string())),
    });
    const others = [];
    client.subscribe("other", { callback: (_, message) => others.push(message.string()) });
    await client.flush();
    await server.reload(configuration({ curb: "news.>" }));
    await until(() => ended.length > 0);
    assert.match(ended[0].message, /permissions violation for subscription to "news.today"/i);
    const steady = await enter(server, "steady");
    steady.publish("news.today", "secret");
    steady.publish("other", "open");
    await until(() => others.length > 0);
    assert.deepEqual([others, news], [["open"], []]);
    client.publish("news.today", "mine");
    await client.flush();
    await until(() => heard.some(({ error }) => /violation for publish to "news.today"/i.test(`${error}`)));
    assert.ok(!client.isClosed());
    // And what is allowed again works on the same connection.
    await server.reload(configuration());
    client.subscribe("news.today", { callback: (_, message) => news.push(message.string()) });
    await client.flush();
    steady.publish("news.today", "open again");
    await until(() => news.length > 0);
    assert.deepEqual(news, ["open again"]);
    for (const one of [client, steady]) await one.close();
  }));

test("a_user_who_is_gone_is_told_and_one_who_is_new_is_let_in", () =>
  withServer(configuration(), async (server) => {
    assert.equal(await letIn(server, "guest"), false);
    await server.reload(configuration({ users: GUEST }));
    const guest = await enter(server, "guest");
    await server.reload(configuration());
    const error = await within(PATIENCE_MS, guest.closed());
    assert.ok(error instanceof errors.AuthorizationError, `${error}`);
    assert.equal(await letIn(server, "guest"), false);
  }));

test("a_new_certificate_is_shown_to_who_comes_and_who_is_there_stays", () =>
  withServer(configuration(), async (server) => {
    const early = await enter(server, "steady");
    await server.reload(configuration({ certificate: "successor" }));
    const late = await enter(server, "steady");
    assert.equal(shown(early), fingerprint("server"));
    assert.equal(shown(late), fingerprint("successor"));
    const heard = [];
    late.subscribe("a", { callback: (_, message) => heard.push(message.string()) });
    await late.flush();
    early.publish("a", "still here");
    await until(() => heard.length > 0);
    assert.deepEqual(heard, ["still here"]);
    for (const client of [early, late]) await client.close();
  }));

test("a_configuration_that_is_wrong_changes_nothing", () =>
  withServer(configuration(), async (server) => {
    const client = await enter(server, "steady");
    const missing = configuration({ users: GUEST }).replace(path("server.key"), path("missing.key"));
    await server.reload(missing, "missing.key");
    assert.equal(await letIn(server, "guest"), false);
    assert.equal(await letIn(server, "steady"), true);
    const heard = [];
    client.subscribe("a", { callback: (_, message) => heard.push(message.string()) });
    client.publish("a", "still here");
    await until(() => heard.length > 0);
    await client.close();
  }));

await main();
