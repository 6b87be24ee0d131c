// Pages in a real browser as clients: @nats-io/nats-core over WebSocket.

import assert from "node:assert/strict";
import { connect } from "@nats-io/transport-node";

import { Browser } from "./chromium.mjs";
import { text, tls } from "./credentials.mjs";
import { withServer } from "./server.mjs";
import { main, test } from "./suite.mjs";

let browser;

/** One browser for all tests, started by the first. */
async function withPages(websocket, more, use, options = {}) {
  browser ??= await Browser.start(text("server.pem"));
  const clear = websocket.includes("tls {") ? "" : "no_tls: true";
  const config = `websocket { listen: "127.0.0.1:-1", ${clear}\n${websocket} }\n${more}`;
  await withServer(config, use, options);
}

/** Does something and expects this error. */
async function fails(opening, words) {
  const { value, error } = await opening;
  assert.match(error ?? `no error but ${JSON.stringify(value)}`, words);
}

async function welcome(opening) {
  assert.deepEqual(await opening, { value: "welcome" });
}

const TOKEN = "authorization { token: s3cret }";

test("a_page_publishes_subscribes_and_asks", () =>
  withPages("compression: true", TOKEN, async (server) => {
    const other = await connect({ servers: server.url, token: "s3cret" });
    const report = other.subscribe("open.report", { max: 1 });
    other.subscribe("open.length", {
      callback: (_, message) => message.respond(String(message.data.length)),
    });
    await other.flush();
    const options = { servers: server.websocketUrl, token: "s3cret" };
    const { value, error } = await browser.open("talk", options);
    assert.equal(error, undefined);
    assert.deepEqual(value, { heard: ["ñandú", "página"], length: "700000", nobody: true });
    for await (const message of report) assert.equal(message.string(), "hello from a page");
    await fails(browser.open("visit", { ...options, token: "wrong" }), /authorization violation/i);
    await other.close();
  }));

test("a_page_logs_in_with_credentials_of_an_operator", () =>
  withPages("", text("operator.conf"), async (server) => {
    const servers = server.websocketUrl;
    await welcome(browser.open("visit", { servers, creds: text("user.creds") }));
    const expired = browser.open("visit", { servers, creds: text("expired.creds") });
    await fails(expired, /authorization violation/i);
  }));

test("a_cookie_that_the_page_cannot_read_holds_the_token", () =>
  withPages("token_cookie: recado_token", TOKEN, async (server) => {
    const options = { servers: server.websocketUrl };
    await welcome(browser.open("visit", options, { cookie: "recado_token=s3cret" }));
    const wrong = browser.open("visit", options, { cookie: "recado_token=wrong" });
    await fails(wrong, /authorization violation/i);
  }));

test("a_cookie_that_the_page_cannot_read_holds_a_jwt", () =>
  withPages("jwt_cookie: recado_jwt", text("operator.conf"), async (server) => {
    const options = { servers: server.websocketUrl };
    await fails(browser.open("visit", options), /authorization violation/i);
    const cookie = `recado_jwt=${text("bearer.jwt")}`;
    await welcome(browser.open("visit", options, { cookie }));
  }));

test("a_page_of_an_origin_that_is_not_allowed_is_refused", async () => {
  browser ??= await Browser.start(text("server.pem"));
  await withPages(`allowed_origins: ["${browser.origin()}"]`, "", async (server) => {
    const options = { servers: server.websocketUrl };
    await welcome(browser.open("visit", options));
    await fails(browser.open("visit", options, { host: "localhost" }), /connection refused/);
    await server.waitForLog("websocket handshake error");
    assert.ok(server.log().includes(browser.origin("localhost")), server.log());
  });
  await withPages("same_origin: true", "", async (server) => {
    await fails(browser.open("visit", { servers: server.websocketUrl }), /connection refused/);
    await server.waitForLog("websocket handshake error");
  });
});

test("a_page_connects_over_tls_to_a_certificate_that_it_trusts_only", async () => {
  for (const [certificate, check] of [
    ["server", welcome],
    ["successor", (opening) => fails(opening, /connection refused/)],
  ]) {
    await withPages(tls(certificate), TOKEN, async (server) => {
      assert.match(server.websocketUrl, /^wss:/);
      await check(browser.open("visit", { servers: server.websocketUrl, token: "s3cret" }));
    });
  }
});

test("a_page_stores_messages_and_reads_them", () =>
  withPages("", "", async (server) => {
    const outcome = await browser.open("store", { servers: server.websocketUrl });
    assert.deepEqual(outcome, { value: ["m0", "m1", "m2"] });
  }, { streams: true }));

await main(() => browser?.stop());
