// MQTT.js end to end against the server, over TCP and over WebSocket: the same conversation on both.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as natsConnect } from "@nats-io/transport-node";
import mqtt from "mqtt";

import { withServer } from "./server.mjs";
import { main, test, within } from "./suite.mjs";

// How long something that should happen at once may take.
const PATIENCE_MS = 20_000;

const CONFIG = `
server_name: m
mqtt { listen: "127.0.0.1:-1" }
websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true }
`;

/** Where the server listens for MQTT, as its log says once all of it is written. */
async function urls(server) {
  await server.waitForLog("Server is ready");
  const log = readFileSync(server.logPath, "utf8");
  const port = (words) => new RegExp(`${words} clients on \\w+://[^ ]*:(\\d+)`).exec(log)[1];
  return {
    tcp: `mqtt://127.0.0.1:${port("MQTT")}`,
    websocket: `ws://127.0.0.1:${port("websocket")}/mqtt`,
  };
}

/** A client that is connected, and what it gets. */
async function client(url, options = {}) {
  const made = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 0, ...options });
  const messages = [];
  let wake = () => {};
  made.on("message", (topic, payload, packet) => {
    messages.push([topic, payload.toString(), packet.qos, packet.retain]);
    wake();
  });
  const [connack] = await within(PATIENCE_MS, once(made, "connect"));
  const next = async () => {
    while (messages.length === 0) {
      await within(PATIENCE_MS, new Promise((resolve) => (wake = resolve)));
    }
    return messages.shift();
  };
  return { made, next, present: connack.sessionPresent };
}

async function converses(url, server) {
  const nats = await natsConnect({ servers: server.url });
  const first = await client(url, { clientId: "js", clean: false });
  assert.equal(first.present, false);
  const granted = await first.made.subscribeAsync({ "a/#": { qos: 2 }, b: { qos: 1 } });
  assert.deepEqual(granted.map((one) => one.qos), [2, 1]);
  for (const qos of [0, 1, 2]) {
    await first.made.publishAsync(`a/${qos}`, "x", { qos });
    assert.deepEqual(await first.next(), [`a/${qos}`, "x", qos, false]);
  }
  nats.publish("a.n", "from NATS");
  assert.deepEqual(await first.next(), ["a/n", "from NATS", 0, false]);
  const large = "x".repeat(500_000);
  await first.made.publishAsync("a/large", large, { qos: 1 });
  assert.deepEqual(await first.next(), ["a/large", large, 1, false]);
  await first.made.endAsync();
  const publisher = await client(url);
  await publisher.made.publishAsync("b", "while it was away", { qos: 2 });
  const again = await client(url, { clientId: "js", clean: false });
  assert.equal(again.present, true);
  assert.deepEqual(await again.next(), ["b", "while it was away", 1, false]);
  await again.made.endAsync();
  await (await client(url, { clientId: "js", clean: true })).made.endAsync();
  await publisher.made.endAsync();
  await nats.close();
}

test("over_tcp", () =>
  withServer(CONFIG, async (server) => converses((await urls(server)).tcp, server), { streams: true }));

test("over_websocket", () =>
  withServer(CONFIG, async (server) => converses((await urls(server)).websocket, server), { streams: true }));

test("many_messages_keep_their_order", () =>
  withServer(CONFIG, async (server) => {
    const { tcp, websocket } = await urls(server);
    const [subscriber, publisher] = [await client(websocket), await client(tcp)];
    await subscriber.made.subscribeAsync({ "q/+": { qos: 2 } });
    const sent = [];
    for (let i = 0; i < 300; i++) sent.push(publisher.made.publishAsync("q/a", `${i}`, { qos: 1 }));
    await within(PATIENCE_MS, Promise.all(sent));
    for (let i = 0; i < 300; i++) assert.deepEqual(await subscriber.next(), ["q/a", `${i}`, 1, false]);
    await subscriber.made.endAsync();
    await publisher.made.endAsync();
  }, { streams: true }));

await main();
