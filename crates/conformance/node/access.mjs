// Who may connect and how, as users of nats.js in Node meet it: tokens, nkeys, credential files, TLS
// and WebSocket, with what is right and with what is wrong; and what the client and the log say then.

import assert from "node:assert/strict";
import { jwtAuthenticator, wsconnect } from "@nats-io/nats-core";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  connect, credsAuthenticator, errors, nkeyAuthenticator, nkeys,
} from "@nats-io/transport-node";
import WebSocket from "ws";

import { path, text, tls } from "./credentials.mjs";
import { withServer } from "./server.mjs";
import { main, test, within } from "./suite.mjs";

// How long something that should happen at once may take.
const PATIENCE_MS = 20_000;

const bytes = (string) => new TextEncoder().encode(string);
const creds = (name) => credsAuthenticator(bytes(text(`${name}.creds`)));
const nkey = (name) => nkeyAuthenticator(bytes(text(`${name}.seed`)));
const operator = () => text("operator.conf");

/** Hears what it says itself, and goes. */
async function served(connecting) {
  const client = await connecting;
  const subscription = client.subscribe("open.a", { max: 1 });
  client.publish("open.a", "hello");
  const read = async () => {
    for await (const message of subscription) return message.string();
  };
  assert.equal(await within(PATIENCE_MS, read()), "hello");
  await client.close();
}

const over = (server, options = {}) =>
  connect({ servers: `localhost:${server.port}`, reconnect: false, ...options });

/** The error of a client that is not let in, with what lies behind it. */
async function complaint(connecting) {
  let client;
  try {
    client = await connecting;
    await client.flush();
  } catch (error) {
    return [error, error.cause].map((error) => `${error?.code} ${error?.message}`).join(" ");
  }
  // With TLS 1.3 a client learns only afterwards that its certificate was not taken.
  const error = await within(PATIENCE_MS, client.closed());
  return `${error?.code} ${error?.message}`;
}

async function violates(connecting) {
  await assert.rejects(connecting, (error) => {
    assert.ok(error instanceof errors.AuthorizationError, `${error}`);
    assert.match(error.message, /authorization violation/i);
    return true;
  });
}

test("a_token_and_a_password_open_and_anything_else_does_not", async () => {
  await withServer("authorization { token: s3cret }", async (server) => {
    await served(over(server, { token: "s3cret" }));
    await violates(over(server, { token: "wrong" }));
    await violates(over(server));
  });
  await withServer("authorization { user: ana, password: secreta }", async (server) => {
    await served(over(server, { user: "ana", pass: "secreta" }));
    await violates(over(server, { user: "ana", pass: "wrong" }));
  });
});

test("an_nkey_opens_and_an_unknown_one_does_not", () =>
  withServer(`authorization { users: [ { nkey: ${text("nkey.pub")} } ] }`, async (server) => {
    await served(over(server, { authenticator: nkey("nkey") }));
    await violates(over(server, { authenticator: nkey("other") }));
    await violates(over(server));
  }));

test("a_file_of_credentials_opens_in_operator_mode", () =>
  withServer(operator(), async (server) => {
    await served(over(server, { authenticator: creds("user") }));
    await served(over(server, { authenticator: creds("limited") }));
    await served(over(server, { authenticator: jwtAuthenticator(text("bearer.jwt")) }));
  }));

test("expired_revoked_and_foreign_credentials_open_nothing", () =>
  withServer(operator(), async (server) => {
    for (const name of ["expired", "revoked", "stranger"]) {
      await violates(over(server, { authenticator: creds(name) }));
    }
    await violates(over(server, { authenticator: nkey("nkey") }));
    await violates(over(server, { user: "ana", pass: "secreta" }));
  }));

/** The next status of the connection of this type. */
function status(client, type) {
  const found = (async () => {
    for await (const status of client.status()) {
      if (status.type === type) return status;
    }
    throw new Error(`the connection ended without ${type}`);
  })();
  return within(PATIENCE_MS, found);
}

test("a_user_is_told_what_it_may_not_do_and_stays", () =>
  withServer(operator(), async (server) => {
    const client = await over(server, { authenticator: creds("limited") });
    const told = status(client, "error");
    client.publish("closed.a", "");
    const { error } = await told;
    assert.ok(error instanceof errors.PermissionViolationError, `${error}`);
    assert.deepEqual([error.operation, error.subject], ["publish", "closed.a"]);
    const refused = new Promise((resolve) => client.subscribe("closed.b", { callback: resolve }));
    const why = await within(PATIENCE_MS, refused);
    assert.deepEqual([why.operation, why.subject], ["subscription", "closed.b"]);
    const answered = client.request("open.nobody", "", { timeout: PATIENCE_MS });
    await assert.rejects(answered, (error) => error.isNoResponders());
    await client.close();
  }));

/** Claims of a user of the account, for so many seconds. */
function claimsThatEnd(seconds) {
  const account = nkeys.fromSeed(bytes(text("account.seed")));
  const user = nkeys.fromSeed(bytes(text("nkey.seed")));
  const now = Math.floor(Date.now() / 1000);
  const body = {
    jti: "short", iat: now, exp: now + seconds, name: "short",
    iss: account.getPublicKey(), sub: user.getPublicKey(),
    nats: { pub: {}, sub: {}, subs: -1, data: -1, payload: -1, type: "user", version: 2 },
  };
  const parts = [{ typ: "JWT", alg: "ed25519-nkey" }, body];
  const signed = parts.map((p) => Buffer.from(JSON.stringify(p)).toString("base64url")).join(".");
  return `${signed}.${Buffer.from(account.sign(bytes(signed))).toString("base64url")}`;
}

test("claims_that_end_end_the_connection_and_say_so", () =>
  withServer(operator(), async (server) => {
    const authenticator = jwtAuthenticator(claimsThatEnd(3), bytes(text("nkey.seed")));
    const client = await over(server, { authenticator });
    const error = await within(PATIENCE_MS, client.closed());
    assert.ok(error instanceof errors.UserAuthenticationExpiredError, `${error}`);
  }));

test("streams_are_used_with_credentials", () =>
  withServer("authorization { users: [ { nkey: " + text("nkey.pub") + " } ] }", async (server) => {
    const client = await over(server, { authenticator: nkey("nkey") });
    const manager = await jetstreamManager(client);
    await manager.streams.add({ name: "S", subjects: ["s.>"] });
    assert.equal((await jetstream(client).publish("s.a", "x")).seq, 1);
    await client.close();
  }, { streams: true }));

const trust = (authority = "ca", client = undefined) => ({
  caFile: path(`${authority}.pem`),
  ...(client && { certFile: path(`${client}.pem`), keyFile: path(`${client}.key`) }),
});

test("tls_with_the_right_authority", async () => {
  await withServer(tls("server"), (server) => served(over(server, { tls: trust() })));
  await withServer(
    tls("server", "handshake_first: true"),
    (server) => served(over(server, { tls: { ...trust(), handshakeFirst: true } })),
    { greetsOverTls: true },
  );
});

test("a_certificate_that_is_wrong_is_not_believed", async () => {
  const cases = [
    ["server", "stranger-ca", /unable to verify|unable to get (local )?issuer/],
    ["wrong-name", "ca", /does not match certificate's altnames.*localhost.*elsewhere\.example/s],
    ["expired", "ca", /certificate has expired/],
  ];
  for (const [certificate, authority, words] of cases) {
    await withServer(tls(certificate), async (server) => {
      assert.match(await complaint(over(server, { tls: trust(authority) })), words);
      await server.waitForLog("TLS handshake error");
    });
  }
});

test("a_certificate_is_asked_of_clients", () =>
  withServer(tls("server", `verify: true, ca_file: "${path("ca.pem")}"`), async (server) => {
    await served(over(server, { tls: trust("ca", "client") }));
    const cases = [
      [undefined, /certificate required/i, "the client showed no certificate"],
      ["stranger-client", /unknown ca/i, "an authority that is not in ca_file"],
      ["expired-client", /certificate expired/i, "the client's certificate has expired"],
    ];
    for (const [client, words, logged] of cases) {
      assert.match(await complaint(over(server, { tls: trust("ca", client) })), words);
      await server.waitForLog(logged);
    }
  }));

/** A client over WebSocket: Node has none of its own before version 22. */
function overWebsocket(server, { ws = {}, ...options } = {}) {
  const wsFactory = (url) =>
    Promise.resolve({ socket: new WebSocket(url, ws), encrypted: url.startsWith("wss:") });
  return wsconnect({ servers: server.websocketUrl, reconnect: false, wsFactory, ...options });
}

test("websocket_in_the_clear", () =>
  withServer(
    `websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true }\n${operator()}`,
    async (server) => {
      const authenticator = creds("user");
      await served(overWebsocket(server, { authenticator }));
      await served(overWebsocket(server, { authenticator, ws: { perMessageDeflate: false } }));
      await violates(overWebsocket(server, { authenticator: creds("expired") }));
      const pair = [await overWebsocket(server, { authenticator }), await over(server, { authenticator })];
      const large = new Uint8Array(900_000).map((_, i) => i % 251);
      for (const [from, to] of [pair, pair.toReversed()]) {
        const got = new Promise((resolve, reject) =>
          to.subscribe("large", {
            max: 1,
            callback: (error, message) => (error ? reject(error) : resolve(message.data)),
          }));
        await to.flush();
        from.publish("large", large);
        assert.ok(Buffer.from(await within(PATIENCE_MS, got)).equals(Buffer.from(large)));
      }
      for (const client of pair) await client.close();
    },
  ));

test("websocket_over_tls", () =>
  withServer(
    `websocket { listen: "127.0.0.1:-1", ${tls("server")} }\nauthorization { token: s3cret }`,
    async (server) => {
      const ca = text("ca.pem");
      await served(overWebsocket(server, { token: "s3cret", ws: { ca } }));
      await violates(overWebsocket(server, { token: "wrong", ws: { ca } }));
      const untrusted = overWebsocket(server, { token: "s3cret", ws: { ca: text("stranger-ca.pem") } });
      // All that the client makes of it; the socket knows more.
      assert.match(await complaint(untrusted), /connection refused/);
      await server.waitForLog("TLS handshake error");
    },
  ));

await main();
