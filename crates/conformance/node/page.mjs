// What a page does: it runs in the browser, bundled with the client, and posts what came of it.

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { credsAuthenticator, headers, wsconnect } from "@nats-io/nats-core";

const tasks = {
  /** Says something to itself, tells another of it, and asks that one. */
  async talk(options) {
    const client = await connect(options);
    const subscription = client.subscribe("open.echo", { max: 1 });
    const sent = headers();
    sent.set("From", "página");
    client.publish("open.echo", "ñandú", { headers: sent });
    client.publish("open.report", "hello from a page");
    let heard;
    for await (const message of subscription) {
      heard = [message.string(), message.headers.get("From")];
    }
    const large = "recado ".repeat(100_000);
    const reply = await client.request("open.length", large, { timeout: 20_000 });
    const nobody = await client.request("open.nobody").catch((error) => error.isNoResponders());
    await client.close();
    return { heard, length: reply.string(), nobody };
  },

  /** Stores messages in a stream and reads them. */
  async store(options) {
    const client = await connect(options);
    const manager = await jetstreamManager(client);
    await manager.streams.add({ name: "S", subjects: ["s.>"] });
    await manager.consumers.add("S", { durable_name: "c", ack_policy: "explicit" });
    const js = jetstream(client);
    for (let i = 0; i < 3; i++) await js.publish("s.a", `m${i}`);
    const consumer = await js.consumers.get("S", "c");
    const got = [];
    for await (const message of await consumer.fetch({ max_messages: 3, expires: 20_000 })) {
      got.push(message.string());
      await message.ackAck();
    }
    await client.close();
    return got;
  },

  /** Only comes and goes. */
  async visit(options) {
    const client = await connect(options);
    await client.flush();
    await client.close();
    return "welcome";
  },
};

function connect({ creds, ...options }) {
  const authenticator = creds && credsAuthenticator(new TextEncoder().encode(creds));
  return wsconnect({ reconnect: false, ...(creds && { authenticator }), ...options });
}

const { id, task, options } = JSON.parse(new URLSearchParams(location.search).get("do"));
const outcome = await tasks[task](options).then(
  (value) => ({ value }),
  (error) => ({ error: `${error.name}: ${error.message}` }),
);
await fetch(`/done/${id}`, { method: "POST", body: JSON.stringify(outcome) });
