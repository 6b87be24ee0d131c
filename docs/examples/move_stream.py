# Copies a stream from one NATS server to another: configuration, messages (subject, headers, payload, order) and durable
# consumers. Neither server needs to know of the other; nothing is changed at the first. Stop publishing to it before.
#
#   pip install nats-py
#   python3 move_stream.py nats://OLD:4222 nats://NEW:4222 STREAM [STREAM …]
#
# The same command again goes on where it ended. See docs/migrating-from-nats-server.md for what changes on the way.
import asyncio
import base64
import json
import sys

import nats

# Done again when the messages are there: until then these would change, hide or repeat what is copied.
LATER = ["mirror", "sources", "republish", "subject_transform", "sealed", "max_age"]
ORIGIN = "Moved-From-Sequence"


async def api(connection, subject, body=None):
    """One call of the JetStream API, as JSON, so that fields this library does not know stay."""
    reply = await connection.request("$JS.API." + subject, json.dumps(body or {}).encode(), timeout=30)
    answer = json.loads(reply.data)
    if "error" in answer:
        raise RuntimeError(f"{subject}: {answer['error']['description']} ({answer['error']['err_code']})")
    return answer


async def exists(connection, subject):
    try:
        return await api(connection, subject)
    except RuntimeError as error:
        if "not found" in str(error):
            return None
        raise


async def consumers(connection, stream):
    found = []
    while True:
        page = await api(connection, f"CONSUMER.LIST.{stream}", {"offset": len(found)})
        found += page["consumers"] or []
        if len(found) >= page["total"] or not page["consumers"]:
            return [one for one in found if one["config"].get("durable_name")]


async def add_consumers(old, new, stream, start_of):
    for consumer in await consumers(old, stream):
        config, name = consumer["config"], consumer["name"]
        start = start_of(consumer["ack_floor"]["stream_seq"])
        if start:
            config.update(deliver_policy="by_start_sequence", opt_start_seq=start)
            config.pop("opt_start_time", None)
        if await exists(new, f"CONSUMER.INFO.{stream}.{name}") is None:
            body = {"stream_name": stream, "config": config, "action": "create"}
            await api(new, f"CONSUMER.CREATE.{stream}.{name}", body)
            print(f"  consumer {name}: goes on at {start or 'the first message'}")


async def messages(old, stream, after, last):
    """Those after a sequence, in order, up to the last; asked for one by one, which every kind of stream allows."""
    while after < last:
        try:
            got = await api(old, f"STREAM.MSG.GET.{stream}", {"seq": after + 1, "next_by_subj": ">"})
        except RuntimeError as error:
            if "no message found" in str(error):
                return
            raise
        message = got["message"]
        after = message["seq"]
        lines = base64.b64decode(message.get("hdrs") or "").decode().split("\r\n")[1:]
        # A name that stands several times keeps its last value: this library sends one of each.
        headers = dict(line.split(":", 1) for line in lines if ":" in line)
        yield after, message["subject"], headers, base64.b64decode(message.get("data") or "")


async def move(old, new, stream):
    source = await api(old, f"STREAM.INFO.{stream}")
    config, state = source["config"], source["state"]
    until_copied = {key: value for key, value in config.items() if key not in LATER}
    if await exists(new, f"STREAM.INFO.{stream}") is None:
        first = {"first_seq": state["first_seq"]} if state["first_seq"] > 1 else {}
        await api(new, f"STREAM.CREATE.{stream}", {**until_copied, **first, "num_replicas": 1, "placement": None})
    drops = config["retention"] != "limits"
    if drops:
        # What nobody waits for is not kept there: who waits comes first.
        await add_consumers(old, new, stream, lambda floor: None)
    there = await api(new, f"STREAM.INFO.{stream}")
    copied = int(there["config"].get("metadata", {}).get(ORIGIN, 0))
    starts, sequence, publisher = [], 0, new.jetstream()
    last = state["last_seq"] if state["messages"] else 0
    async for sequence, subject, headers, data in messages(old, stream, copied, last):
        headers = {name: value.strip() for name, value in headers.items()}
        # Told apart by where they come from, so that a second run within duplicate_window repeats none.
        headers.setdefault("Nats-Msg-Id", f"{stream}-{sequence}")
        for expectation in [name for name in headers if name.startswith("Nats-Expected-")]:
            del headers[expectation]
        stored = await publisher.publish(subject, data, stream=stream, headers=headers, timeout=30)
        starts.append((sequence, stored.seq))
    if not drops:
        await add_consumers(old, new, stream, lambda floor: next((to for at, to in starts if at > floor), None))
    final = {**{key: value for key, value in config.items() if key not in ("mirror", "sources", "first_seq")}}
    metadata = {**(config.get("metadata") or {}), ORIGIN: str(max(copied, sequence))}
    await api(new, f"STREAM.UPDATE.{stream}", {**final, "num_replicas": 1, "placement": None, "metadata": metadata})
    now = (await api(new, f"STREAM.INFO.{stream}"))["state"]
    print(f"{stream}: {len(starts)} messages copied; {state['messages']} at the old server, {now['messages']} at the new one")


async def main(old_url, new_url, *streams):
    old, new = await nats.connect(old_url), await nats.connect(new_url)
    for stream in streams:
        await move(old, new, stream)
    await old.close()
    await new.close()


if len(sys.argv) < 4:
    sys.exit("write: move_stream.py OLD NEW STREAM [STREAM …]")
asyncio.run(main(*sys.argv[1:]))
