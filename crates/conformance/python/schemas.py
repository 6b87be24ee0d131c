"""Every reply of the API, every advisory and what the system account hears held against the JSON schema that its `type` names.

The schemas are not part of the repository; they are looked for beside it.
"""

import asyncio
import contextlib
import json
import pathlib

import jsonschema
import nats
from referencing import Registry, Resource

from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20

SCHEMAS = pathlib.Path(__file__).resolve().parents[3].parent / "shared/reference/schemas"


def _load():
    """A validator for each type."""
    schemas = []
    for path in SCHEMAS.rglob("*.json"):
        schema = json.loads(path.read_text())
        # References are by place; one file claims that of another.
        schema["$id"] = f"https://nats.io/schemas/{path.relative_to(SCHEMAS)}"
        schemas.append(schema)
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
    registry = Registry().with_resources(resources)
    return {
        schema["title"]: jsonschema.Draft7Validator(schema, registry=registry)
        for schema in schemas
        if "title" in schema
    }


_validators = _load()

# Schemas that nats-server 2.15 itself does not keep: what it says counts, for clients read that.
_not_kept = {
    # Asks for an error inside of the error.
    "io.nats.jetstream.api.v1.consumer_unpin_response": ("'error' is a required property",),
    # Ask for the consumer's sequence as a string.
    "io.nats.jetstream.advisory.v1.nak": ("is not of type 'string'",),
    "io.nats.jetstream.advisory.v1.terminated": ("is not of type 'string'",),
    # Asks for numbers of blocks and knows no state.
    "io.nats.jetstream.advisory.v1.snapshot_create": ("'block", "('state' was"),
    # Ask for the server's name and know no account.
    "io.nats.jetstream.advisory.v1.consumer_group_pinned": ("'server' is a req", "('account' was"),
    "io.nats.jetstream.advisory.v1.consumer_group_unpinned": ("'server' is a req", "('account' was"),
    # Know no flags of features; the last not an account's name and subscriptions either.
    "io.nats.server.advisory.v1.client_connect": ("('feature_flags' was",),
    "io.nats.server.advisory.v1.client_disconnect": ("('feature_flags' was",),
    "io.nats.server.advisory.v1.account_connections": (
        "('feature_flags' was", "('name', 'num_subscriptions' were",
    ),
}


def validate(text, kind=None):
    """The JSON, which is what its type says, or of this kind where it does not say."""
    value = json.loads(text)
    kind = kind or value["type"]
    problems = [
        problem
        for problem in _validators[kind].iter_errors(value)
        # A reply is a success or an error. nats-server's errors carry what a page has (an offset of
        # 0, say), and so fit both; that one fits none would be another complaint.
        if not ("error" in value and "valid under each of" in problem.message)
    ]
    kept = _not_kept.get(kind, ())
    problems = [p for p in problems if not any(words in p.message for words in kept)]
    assert not problems, f"{text}\n" + "\n".join(_deepest(problem) for problem in problems)
    return value


def _deepest(problem):
    found = [f"{error.json_path}: {error.message[:200]}" for error in problem.context]
    return "\n".join([problem.message[:200], *found])


class Api:
    """Requests whose replies are validated."""

    def __init__(self, client):
        self.client = client

    async def __call__(self, subject, body=None, err_code=None):
        """Asks, and returns the reply; it fails with this code or not at all."""
        text = b"" if body is None else json.dumps(body).encode()
        reply = await self.client.request(f"$JS.API.{subject}", text, timeout=PATIENCE)
        value = validate(reply.data)
        got = value.get("error", {}).get("err_code")
        assert got == err_code, f"{subject}: {reply.data}"
        return value

    async def consumer(self, stream, name, err_code=None, **config):
        config = {"durable_name": name, "ack_policy": "explicit", **config}
        request = {"stream_name": stream, "config": config}
        return await self(f"CONSUMER.CREATE.{stream}.{name}", request, err_code)

    async def publish(self, subject, count=1):
        for _ in range(count):
            reply = await self.client.request(subject, b"payload", timeout=PATIENCE)
            ack = validate(reply.data, "io.nats.jetstream.api.v1.pub_ack_response")
            assert ack["seq"] > 0

    async def fetch(self, stream, consumer, count, **request):
        inbox = self.client.new_inbox()
        sub = await self.client.subscribe(inbox)
        request = {"batch": count, "expires": PATIENCE * 10**9, **request}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        await self.client.publish(subject, json.dumps(request).encode(), reply=inbox)
        messages = [await sub.next_msg(PATIENCE) for _ in range(count)]
        await sub.unsubscribe()
        return messages


@contextlib.asynccontextmanager
async def api():
    with Server(streams=True) as server:
        client = await nats.connect(server.url)
        try:
            yield Api(client)
        finally:
            await client.close()


def stream(name, **config):
    return {"name": name, "subjects": [f"{name.lower()}.>"], **config}


@test
async def replies_about_the_account():
    async with api() as ask:
        await ask("INFO")
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 3)
        await ask("INFO")


@test
async def replies_about_streams():
    async with api() as ask:
        full = stream(
            "S", description="d", max_msgs=100, max_bytes=10**6, max_age=10**12, max_msg_size=1000,
            max_msgs_per_subject=50, duplicate_window=10**9, allow_rollup_hdrs=True,
            allow_direct=True, metadata={"a": "b"}, compression="s2", allow_msg_ttl=True,
            consumer_limits={"max_ack_pending": 10, "inactive_threshold": 10**12},
            republish={"src": "s.r", "dest": "other.r"},
            subject_transform={"src": "s.t", "dest": "s.u"},
        )
        await ask("STREAM.CREATE.S", full)
        await ask("STREAM.CREATE.S", stream("S"), err_code=10058)
        await ask("STREAM.CREATE.T", {"name": "U"}, err_code=10056)
        await ask("STREAM.CREATE.T", stream("T", bogus=1), err_code=10025)
        await ask("STREAM.UPDATE.S", {**full, "max_msgs": 50})
        await ask("STREAM.UPDATE.S", {**full, "storage": "memory"}, err_code=10052)
        await ask("STREAM.UPDATE.T", stream("T"), err_code=10059)
        await ask.publish("s.a", 5)
        await ask.publish("s.b", 5)
        await ask("STREAM.INFO.S")
        await ask("STREAM.INFO.S", {"deleted_details": True, "subjects_filter": ">"})
        await ask("STREAM.INFO.T", err_code=10059)
        await ask("STREAM.NAMES")
        await ask("STREAM.NAMES", {"subject": "s.a", "offset": 0})
        await ask("STREAM.LIST")
        await ask("STREAM.LIST", {"subject": "s.a", "offset": 0})
        await ask("STREAM.PURGE.S", {"filter": "s.b", "keep": 1})
        await ask("STREAM.PURGE.S", {"seq": 3, "keep": 1}, err_code=10003)
        await ask("STREAM.PURGE.T", err_code=10059)
        await ask("STREAM.DELETE.S")
        await ask("STREAM.DELETE.S", err_code=10059)


@test
async def replies_about_mirrors_and_sources():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 3)
        await ask("STREAM.CREATE.M", {"name": "M", "mirror": {"name": "S"}})
        sources = [{"name": "S", "filter_subject": "s.a", "opt_start_seq": 2}]
        await ask("STREAM.CREATE.A", {"name": "A", "sources": sources})
        for name in ["M", "A"]:
            deadline = asyncio.get_running_loop().time() + PATIENCE
            while (await ask(f"STREAM.INFO.{name}"))["state"]["messages"] < 2:
                assert asyncio.get_running_loop().time() < deadline, f"{name} stays empty"
        await ask("STREAM.LIST")


@test
async def replies_about_messages():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 3)
        await ask.client.publish("s.h", b"", headers={"A": "b"})
        await ask("STREAM.MSG.GET.S", {"seq": 1})
        await ask("STREAM.MSG.GET.S", {"last_by_subj": "s.h"})
        await ask("STREAM.MSG.GET.S", {"seq": 99}, err_code=10037)
        await ask("STREAM.MSG.GET.S", {}, err_code=10003)
        await ask("STREAM.MSG.GET.T", {"seq": 1}, err_code=10059)
        await ask("STREAM.MSG.DELETE.S", {"seq": 2})
        await ask("STREAM.MSG.DELETE.S", {"seq": 2}, err_code=10043)


@test
async def replies_about_consumers():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 5)
        await ask.consumer(
            "S", "pull", description="d", ack_wait=10**9, max_deliver=5, backoff=[10**8, 10**9],
            filter_subject="s.a", max_ack_pending=10, max_waiting=5, max_batch=4,
            max_expires=PATIENCE * 10**9, inactive_threshold=10**12, metadata={"a": "b"},
        )
        await ask.consumer(
            "S", "push", deliver_subject="to.me", deliver_group="g", idle_heartbeat=10**9,
            flow_control=True, headers_only=True, rate_limit_bps=10**6, replay_policy="original",
        )
        await ask.consumer("S", "many", filter_subjects=["s.a", "s.b"])
        request = {"stream_name": "S", "config": {"ack_policy": "none"}}
        await ask("CONSUMER.CREATE.S", request)
        await ask("CONSUMER.CREATE.S.e.s.a", {"stream_name": "S",
                  "config": {"name": "e", "filter_subject": "s.a", "ack_policy": "none"}})
        await ask("CONSUMER.DURABLE.CREATE.S.d", {"stream_name": "S",
                  "config": {"durable_name": "d", "ack_policy": "all"}})
        await ask.consumer("S", "pull", ack_policy="none", err_code=10012)
        await ask.consumer("T", "pull", err_code=10059)
        messages = await ask.fetch("S", "pull", 3)
        await ask.client.request(messages[0].reply, b"", timeout=PATIENCE)
        await ask("CONSUMER.INFO.S.pull")
        await ask("CONSUMER.INFO.S.push")
        await ask("CONSUMER.INFO.S.none", err_code=10014)
        await ask("CONSUMER.NAMES.S")
        await ask("CONSUMER.LIST.S", {"offset": 0})
        await ask("CONSUMER.NAMES.T", err_code=10059)
        await ask("CONSUMER.LIST.T", err_code=10059)
        await ask("CONSUMER.DELETE.S.pull")
        await ask("CONSUMER.DELETE.S.pull", err_code=10014)


@test
async def replies_about_pauses_pins_and_resets():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 5)
        await ask.consumer("S", "c")
        await ask("CONSUMER.PAUSE.S.c", {"pause_until": "2100-01-01T00:00:00Z"})
        await ask("CONSUMER.INFO.S.c")
        await ask("CONSUMER.PAUSE.S.c")
        await ask("CONSUMER.PAUSE.S.none", {}, err_code=10014)
        await ask("CONSUMER.RESET.S.c", {"seq": 2})
        groups = {"priority_groups": ["A"], "priority_policy": "pinned_client"}
        await ask.consumer("S", "p", **groups)
        await ask.fetch("S", "p", 1, group="A")
        await ask("CONSUMER.INFO.S.p")
        await ask("CONSUMER.UNPIN.S.p", {"group": "A"})
        await ask("CONSUMER.UNPIN.S.p", {"group": "B"}, err_code=10160)


@test
async def replies_that_need_a_cluster():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.consumer("S", "c")
        await ask("STREAM.LEADER.STEPDOWN.S", err_code=10010)
        await ask("CONSUMER.LEADER.STEPDOWN.S.c", err_code=10010)
        await ask("STREAM.PEER.REMOVE.S", {"peer": "x"}, err_code=10010)


async def back_up(ask):
    """The configuration and state of a stream S, and its chunks."""
    inbox = ask.client.new_inbox()
    sub = await ask.client.subscribe(inbox)
    reply = await ask("STREAM.SNAPSHOT.S", {"deliver_subject": inbox, "chunk_size": 1024})
    chunks = []
    while (chunk := await sub.next_msg(PATIENCE)).data:
        chunks.append(chunk.data)
        if chunk.reply:
            await ask.client.publish(chunk.reply)
    await sub.unsubscribe()
    return {"config": reply["config"], "state": reply["state"]}, chunks


@test
async def replies_about_backups():
    async with api() as ask:
        await ask("STREAM.CREATE.S", stream("S"))
        await ask.publish("s.a", 20)
        await ask("STREAM.SNAPSHOT.T", {"deliver_subject": "x"}, err_code=10059)
        saved, chunks = await back_up(ask)
        await ask("STREAM.RESTORE.S", saved, err_code=10130)
        await ask("STREAM.DELETE.S")
        to = (await ask("STREAM.RESTORE.S", saved))["deliver_subject"]
        for chunk in chunks:
            await ask.client.request(to, chunk, timeout=PATIENCE)
        end = await ask.client.request(to, b"", timeout=PATIENCE)
        assert validate(end.data)["state"]["messages"] == 20


@test
async def advisories():
    async with api() as ask:
        sub = await ask.client.subscribe("$JS.EVENT.>")
        await ask("STREAM.CREATE.S", stream("S"))
        await ask("STREAM.UPDATE.S", stream("S", max_msgs=100))
        await ask.publish("s.a", 5)
        config = {"ack_wait": 2 * 10**8, "max_deliver": 1, "sample_freq": "100"}
        await ask.consumer("S", "c", **config)
        nak, term, ack, _ = await ask.fetch("S", "c", 4)
        for message, form in [(nak, b"-NAK"), (term, b"+TERM why"), (ack, b"+ACK")]:
            await ask.client.request(message.reply, form, timeout=PATIENCE)
        await ask("CONSUMER.PAUSE.S.c", {"pause_until": "2100-01-01T00:00:00Z"})
        await ask("CONSUMER.PAUSE.S.c")
        groups = {"priority_groups": ["A"], "priority_policy": "pinned_client"}
        await ask.consumer("S", "p", **groups)
        await ask.fetch("S", "p", 1, group="A")
        await ask("CONSUMER.UNPIN.S.p", {"group": "A"})
        saved, chunks = await back_up(ask)
        expected = {
            "STREAM.CREATED.S", "STREAM.UPDATED.S", "STREAM.DELETED.S", "CONSUMER.CREATED.S.c",
            "CONSUMER.DELETED.S.c", "CONSUMER.MSG_NAKED.S.c", "CONSUMER.MSG_TERMINATED.S.c",
            "CONSUMER.MAX_DELIVERIES.S.c", "CONSUMER.PAUSE.S.c", "CONSUMER.PINNED.S.p",
            "CONSUMER.UNPINNED.S.p", "STREAM.SNAPSHOT_CREATE.S", "STREAM.SNAPSHOT_COMPLETE.S",
            "STREAM.RESTORE_CREATE.S", "STREAM.RESTORE_COMPLETE.S", "API",
        }
        metric = "$JS.EVENT.METRIC.CONSUMER.ACK.S.c"
        seen = set()

        async def read_until(subject):
            while subject not in seen:
                message = await sub.next_msg(PATIENCE)
                validate(message.data)
                seen.add(message.subject.removeprefix("$JS.EVENT.ADVISORY."))

        await read_until("CONSUMER.MAX_DELIVERIES.S.c")
        await ask("CONSUMER.DELETE.S.c")
        await ask("STREAM.DELETE.S")
        to = (await ask("STREAM.RESTORE.S", saved))["deliver_subject"]
        for chunk in [*chunks, b""]:
            await ask.client.request(to, chunk, timeout=PATIENCE)
        await read_until("STREAM.RESTORE_COMPLETE.S")
        assert metric in seen, seen
        assert expected <= seen, expected - seen


_ACCOUNTS = """
system_account: SYS
accounts {
  STOCK {
    users: [{user: keeper, password: k}]
    exports: [{service: count, accounts: [SALES], latency: {sampling: 100%, subject: took}}]
  }
  SALES {
    users: [{user: ana, password: a}]
    imports: [{service: {account: STOCK, subject: count}, share: true}]
  }
  SYS { users: [{user: root, password: r}] }
}
"""


@test
async def what_the_system_account_hears():
    with Server(config=_ACCOUNTS) as server:
        root = await nats.connect(server.url, user="root", password="r")
        events = await root.subscribe("$SYS.ACCOUNT.SALES.>")
        counts = await root.subscribe("$SYS.SERVER.ACCOUNT.*.CONNS")
        await root.flush()
        ana = await nats.connect(server.url, user="ana", password="a", name="ana")
        await ana.close()
        kinds = set()
        while len(kinds) < 3:
            event = await events.next_msg(PATIENCE)
            kinds.add(validate(event.data)["type"].rsplit(".", 1)[1])
        assert kinds == {"client_connect", "client_disconnect", "account_connections"}, kinds
        validate((await counts.next_msg(PATIENCE)).data)
        await root.close()


@test
async def what_the_server_says_of_itself():
    with Server(config=_ACCOUNTS) as server:
        root = await nats.connect(server.url, user="root", password="r")
        reply = await root.request("$SYS.REQ.SERVER.PING.VARZ", b"", timeout=PATIENCE)
        varz = json.loads(reply.data)["data"]
        validate(json.dumps(varz), "io.nats.server.monitor.v1.varz")
        await root.close()


@test
async def how_long_a_service_took():
    with Server(config=_ACCOUNTS) as server:
        keeper = await nats.connect(server.url, user="keeper", password="k")
        ana = await nats.connect(server.url, user="ana", password="a")
        took = await keeper.subscribe("took")

        async def answer(request):
            await request.respond(b"1")

        await keeper.subscribe("count", cb=answer)
        await keeper.flush()
        await ana.request("count", b"", timeout=PATIENCE)
        validate((await took.next_msg(PATIENCE)).data)
        for client in (keeper, ana):
            await client.close()


main()
