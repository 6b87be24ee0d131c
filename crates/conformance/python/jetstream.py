"""nats-py end to end against the server's streams, key-value buckets and object stores."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os

import nats
import nats.errors
from nats.js import api
from nats.js import errors as js_errors

from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20


@contextlib.asynccontextmanager
async def streams(config=""):
    """A server, a connection to it and its streams."""
    with Server(config, streams=True) as server:
        client = await nats.connect(server.url)
        try:
            yield server, client, client.jetstream(timeout=PATIENCE)
        finally:
            await client.close()


@contextlib.contextmanager
def refused(kind, err_code=None):
    """What is inside has to fail with this error."""
    try:
        yield
    except kind as error:
        assert err_code in (None, getattr(error, "err_code", None)), error
    else:
        raise AssertionError(f"no {kind.__name__}")


async def eventually(look):
    """Waits until the coroutine function says so."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not await look():
        assert asyncio.get_running_loop().time() < deadline, "it never happens"
        await asyncio.sleep(0.01)


def texts(messages):
    return [message.data.decode() for message in messages]


async def numbered(js, count, subject="s.a"):
    """A stream S with so many messages m0, m1 …"""
    await js.add_stream(name="S", subjects=["s.>"])
    for number in range(count):
        await js.publish(subject, f"m{number}".encode())


@test
async def a_stream_is_made_changed_told_about_and_deleted():
    async with streams() as (_, _, js):
        made = await js.add_stream(name="S", subjects=["s.>"], max_msgs=10, description="one")
        assert (made.config.max_msgs, made.config.max_bytes) == (10, -1)
        assert made.config.retention == api.RetentionPolicy.LIMITS
        assert made.config.duplicate_window == 120
        changed = await js.update_stream(made.config, max_msgs=5, description="two")
        assert (changed.config.max_msgs, changed.config.description) == (5, "two")
        for _ in range(7):
            await js.publish("s.a", b"x")
        info = await js.stream_info("S", subjects_filter=">")
        state = info.state
        assert (state.messages, state.first_seq, state.last_seq) == (5, 3, 7)
        assert state.subjects == {"s.a": 5}
        assert await js.find_stream_name_by_subject("s.b") == "S"
        account = await js.account_info()
        assert (account.streams, account.consumers) == (1, 0)
        assert account.storage == state.bytes
        assert await js.delete_stream("S")
        with refused(js_errors.NotFoundError, 10059):
            await js.stream_info("S")


@test
async def errors_keep_their_codes():
    async with streams() as (_, client, js):
        await js.add_stream(name="S", subjects=["s.>"])
        with refused(js_errors.BadRequestError, 10058):
            await js.add_stream(name="S", subjects=["t.>"])
        with refused(js_errors.BadRequestError, 10065):
            await js.add_stream(name="T", subjects=["s.b"])
        with refused(js_errors.ServerError, 10074):
            await js.add_stream(name="T", num_replicas=3)
        with refused(js_errors.NotFoundError, 10014):
            await js.consumer_info("S", "none")
        with refused(js_errors.NotFoundError, 10037):
            await js.get_msg("S", 1)
        with refused(js_errors.BadRequestError, 10060):
            await js.publish("s.a", b"x", stream="T")
        with refused(js_errors.NoStreamResponseError):
            await js.publish("nobody.stores.this", b"x")
        with refused(js_errors.NotFoundError):
            await js.find_stream_name_by_subject("nobody.stores.this")
        await js.delete_stream("S")


@test
async def names_and_lists_come_in_pages():
    async with streams() as (_, client, js):
        for number in range(260):
            await js.add_stream(name=f"S{number:03}", storage=api.StorageType.MEMORY)
        first = await js.streams_info()
        rest = await js.streams_info(offset=256)
        assert (len(first), len(rest)) == (256, 4)
        names = [info.config.name for info in first + rest]
        assert names == [f"S{number:03}" for number in range(260)]
        reply = await client.request("$JS.API.STREAM.NAMES", b"", timeout=PATIENCE)
        assert json.loads(reply.data)["streams"] == names


@test
async def a_publish_is_acked_and_an_id_is_stored_once():
    async with streams() as (_, _, js):
        await js.add_stream(name="S", subjects=["s.>"])
        first = await js.publish("s.a", b"x", headers={"Nats-Msg-Id": "one"})
        assert (first.stream, first.seq, first.duplicate) == ("S", 1, None)
        again = await js.publish("s.a", b"x", headers={"Nats-Msg-Id": "one"})
        assert (again.seq, again.duplicate) == (1, True)
        assert (await js.publish("s.a", b"y")).seq == 2


@test
async def many_publishes_wait_for_their_acks_together():
    async with streams() as (_, _, js):
        await js.add_stream(name="S", subjects=["s.>"])
        waiting = [await js.publish_async("s.a", b"%d" % n) for n in range(1000)]
        await asyncio.wait_for(js.publish_async_completed(), PATIENCE)
        assert [(await ack).seq for ack in waiting] == list(range(1, 1001))


@test
async def messages_are_got_deleted_and_purged():
    async with streams() as (_, _, js):
        await js.add_stream(name="S", subjects=["s.>"], allow_direct=True)
        for number in range(6):
            headers = {"Number": str(number)}
            await js.publish(f"s.{number % 2}", f"m{number}".encode(), headers=headers)
        for direct in [False, True]:
            got = await js.get_msg("S", 3, direct=direct)
            assert (got.data, got.subject, got.seq) == (b"m2", "s.0", 3)
            assert got.headers["Number"] == "2"
            assert (await js.get_last_msg("S", "s.1", direct=direct)).data == b"m5"
            got = await js.get_msg("S", 4, subject="s.0", next=True, direct=direct)
            assert got.data == b"m4"
        assert await js.delete_msg("S", 3)
        with refused(js_errors.NotFoundError):
            await js.get_msg("S", 3, direct=True)
        await js.purge_stream("S", subject="s.1", keep=1)
        assert (await js.stream_info("S")).state.messages == 3
        await js.purge_stream("S", seq=5)
        assert (await js.stream_info("S")).state.first_seq == 5
        await js.purge_stream("S")
        assert (await js.stream_info("S")).state.messages == 0


@test
async def a_pull_takes_what_is_there_and_waits_for_what_comes():
    async with streams() as (_, _, js):
        await numbered(js, 25)
        sub = await js.pull_subscribe("s.>", "c")
        got = await sub.fetch(1, timeout=PATIENCE)
        got += await sub.fetch(10, timeout=PATIENCE)
        got += await sub.fetch(100, timeout=1)
        assert texts(got) == [f"m{number}" for number in range(25)]
        assert [message.metadata.sequence.consumer for message in got] == list(range(1, 26))
        assert got[0].metadata.num_pending == 24
        for message in got:
            await message.ack()
        with refused(nats.errors.TimeoutError):
            await sub.fetch(1, timeout=0.2)
        later = asyncio.create_task(sub.fetch(1, timeout=PATIENCE))
        await eventually(lambda: waits(js, "c"))
        await js.publish("s.a", b"late")
        assert texts(await later) == ["late"]


async def waits(js, consumer):
    return (await js.consumer_info("S", consumer)).num_waiting > 0


@test
async def a_raw_pull_ends_with_the_right_status():
    async with streams() as (_, client, js):
        await numbered(js, 2)
        config = api.ConsumerConfig(durable_name="c", ack_policy=api.AckPolicy.EXPLICIT)
        await js.add_consumer("S", config)
        inbox = client.new_inbox()
        sub = await client.subscribe(inbox)

        async def pull(**request):
            await client.publish(
                "$JS.API.CONSUMER.MSG.NEXT.S.c", json.dumps(request).encode(), reply=inbox
            )

        async def status():
            message = await sub.next_msg(PATIENCE)
            return f"{message.headers['Status']} {message.headers['Description']}"

        await pull(batch=10, no_wait=True)
        assert [(await sub.next_msg(PATIENCE)).data for _ in range(2)] == [b"m0", b"m1"]
        assert await status() == "404 No Messages"
        await pull(batch=1, expires=500_000_000, idle_heartbeat=200_000_000)
        assert await status() == "100 Idle Heartbeat"
        assert await status() == "100 Idle Heartbeat"
        assert await status() == "408 Request Timeout"
        await pull(batch=1, expires=PATIENCE * 10**9)
        await eventually(lambda: waits(js, "c"))
        await js.delete_consumer("S", "c")
        assert await status() == "409 Consumer Deleted"


@test
async def a_heartbeat_keeps_a_long_fetch_alive():
    async with streams() as (_, _, js):
        await numbered(js, 0)
        sub = await js.pull_subscribe("s.>", "c")
        fetching = asyncio.create_task(sub.fetch(2, timeout=2, heartbeat=0.3))
        await eventually(lambda: waits(js, "c"))
        await asyncio.sleep(0.7)  # Two heartbeats are what this is about.
        await js.publish("s.a", b"1")
        await js.publish("s.a", b"2")
        got = texts(await fetching)
        if got == ["1"]:  # It need not wait for a second.
            got += texts(await sub.fetch(1, timeout=PATIENCE))
        assert got == ["1", "2"]


@test
async def every_kind_of_ack_does_what_it_says():
    async with streams() as (_, client, js):
        await numbered(js, 5)
        config = api.ConsumerConfig(ack_wait=PATIENCE)
        sub = await js.pull_subscribe("s.>", "c", config=config)

        async def state():
            info = await js.consumer_info("S", "c")
            return info.ack_floor.stream_seq, info.num_ack_pending

        messages = await sub.fetch(5, timeout=PATIENCE)
        assert await state() == (0, 5)
        answer = await messages[0].ack_sync(PATIENCE)
        assert answer.data == b""
        assert await state() == (1, 4)
        await messages[1].term()
        await client.flush()
        await eventually(lambda: is_now(state, (2, 3)))
        await messages[2].nak()
        again = (await sub.fetch(1, timeout=PATIENCE))[0]
        assert (again.data, again.metadata.num_delivered) == (b"m2", 2)
        await again.ack_sync(PATIENCE)
        await messages[3].nak(delay=0.3)
        again = (await sub.fetch(1, timeout=PATIENCE))[0]
        assert (again.data, again.metadata.num_delivered) == (b"m3", 2)
        await again.in_progress()
        await again.ack_sync(PATIENCE)
        await messages[4].ack_sync(PATIENCE)
        assert await state() == (5, 0)


async def is_now(look, expected):
    return await look() == expected


@test
async def what_is_not_acked_comes_again_and_then_is_given_up():
    async with streams() as (_, client, js):
        await numbered(js, 1)
        advisories = await client.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c")
        config = api.ConsumerConfig(ack_wait=0.2, max_deliver=2)
        sub = await js.pull_subscribe("s.>", "c", config=config)
        for delivered in [1, 2]:
            (message,) = await sub.fetch(1, timeout=PATIENCE)
            assert message.metadata.num_delivered == delivered
        waiting = asyncio.create_task(sub.fetch(1, timeout=1))
        advisory = json.loads((await advisories.next_msg(PATIENCE)).data)
        assert (advisory["stream_seq"], advisory["deliveries"]) == (1, 2)
        with refused(nats.errors.TimeoutError):
            await waiting


@test
async def a_push_consumer_delivers_and_acks_by_itself():
    async with streams() as (_, _, js):
        await numbered(js, 20)
        got = []

        async def keep(message):
            got.append(message.data.decode())

        await js.subscribe("s.>", durable="c", cb=keep)

        async def all_acked():
            return (await js.consumer_info("S", "c")).ack_floor.stream_seq == 20

        await eventually(all_acked)
        assert got == [f"m{number}" for number in range(20)]


@test
async def a_queue_group_shares_a_push_consumer():
    async with streams() as (_, _, js):
        await numbered(js, 0)
        got = [[], [], []]
        for own in got:

            async def keep(message, own=own):
                own.append(message.data.decode())

            await js.subscribe("s.>", queue="workers", cb=keep)
        for number in range(90):
            await js.publish("s.a", f"m{number}".encode())

        async def all_came():
            return sum(map(len, got)) == 90

        await eventually(all_came)
        assert all(own for own in got), list(map(len, got))
        assert sorted(sum(got, [])) == sorted(f"m{number}" for number in range(90))


@test
async def flow_control_and_heartbeats_keep_a_push_consumer_going():
    async with streams() as (_, _, js):
        await js.add_stream(name="S", subjects=["s.>"])
        payload = os.urandom(100_000)
        for _ in range(60):
            await js.publish("s.a", payload)
        sub = await js.subscribe("s.>", idle_heartbeat=0.5, flow_control=True)
        for number in range(60):
            message = await sub.next_msg(PATIENCE)
            assert message.data == payload
            assert message.metadata.sequence.consumer == number + 1
            await message.ack()


@test
async def an_ordered_consumer_sees_everything_in_order():
    async with streams() as (_, _, js):
        await numbered(js, 500)
        sub = await js.subscribe("s.>", ordered_consumer=True, idle_heartbeat=1)
        got = [(await sub.next_msg(PATIENCE)).data.decode() for _ in range(500)]
        assert got == [f"m{number}" for number in range(500)]
        info = await sub.consumer_info()
        assert (info.config.ack_policy, info.config.mem_storage) == (api.AckPolicy.NONE, True)


@test
async def an_ordered_consumer_goes_on_after_a_restart():
    with Server(streams=True) as server:
        client = await nats.connect(
            server.url, reconnect_time_wait=0.1, max_reconnect_attempts=200
        )
        js = client.jetstream(timeout=PATIENCE)
        await numbered(js, 10)
        sub = await js.subscribe("s.>", ordered_consumer=True, idle_heartbeat=0.3)
        got = [(await sub.next_msg(PATIENCE)).data.decode() for _ in range(10)]
        server.kill()
        server.start_again()

        async def published():
            try:
                await js.publish("s.a", b"m10", timeout=1)
                return True
            except (nats.errors.Error, js_errors.Error, asyncio.TimeoutError):
                return False

        await eventually(published)
        got.append((await sub.next_msg(PATIENCE)).data.decode())
        assert got == [f"m{number}" for number in range(11)]
        await client.close()


@test
async def filters_choose_what_a_consumer_sees():
    async with streams() as (_, _, js):
        await js.add_stream(name="S", subjects=["s.>"])
        for number in range(12):
            await js.publish(f"s.{number % 3}", f"m{number}".encode())
        one = await js.pull_subscribe("s.1", "one")
        assert texts(await one.fetch(4, timeout=PATIENCE)) == ["m1", "m4", "m7", "m10"]
        config = api.ConsumerConfig(filter_subjects=["s.0", "s.2"])
        two = await js.pull_subscribe("", "two", stream="S", config=config)
        assert texts(await two.fetch(3, timeout=PATIENCE)) == ["m0", "m2", "m3"]
        config = api.ConsumerConfig(deliver_policy=api.DeliverPolicy.LAST_PER_SUBJECT)
        last = await js.pull_subscribe("s.*", "last", config=config)
        assert texts(await last.fetch(3, timeout=PATIENCE)) == ["m9", "m10", "m11"]


@test
async def a_consumer_is_paused_resumed_listed_and_deleted():
    async with streams() as (_, _, js):
        await numbered(js, 3)
        for name in ["a", "b"]:
            await js.pull_subscribe("s.>", name)
        names = [info.name for info in await js.consumers_info("S")]
        assert sorted(names) == ["a", "b"]
        paused = await js.pause_consumer("S", "a", "2100-01-01T00:00:00Z")
        assert paused.paused
        sub = await js.pull_subscribe_bind("a", "S")
        with refused(nats.errors.TimeoutError):
            await sub.fetch(1, timeout=0.2)
        assert not (await js.resume_consumer("S", "a")).paused
        assert texts(await sub.fetch(1, timeout=PATIENCE)) == ["m0"]
        assert await js.delete_consumer("S", "a")
        assert len(await js.consumers_info("S")) == 1


@test
async def a_work_queue_forgets_what_is_done():
    async with streams() as (_, _, js):
        await js.add_stream(
            name="W", subjects=["w.>"], retention=api.RetentionPolicy.WORK_QUEUE
        )
        for number in range(10):
            await js.publish("w.a", f"m{number}".encode())
        sub = await js.pull_subscribe("w.>", "c")
        for message in await sub.fetch(10, timeout=PATIENCE):
            await message.ack_sync(PATIENCE)

        async def is_empty():
            return (await js.stream_info("W")).state.messages == 0

        await eventually(is_empty)


@test
async def streams_survive_a_kill():
    with Server(streams=True) as server:
        client = await nats.connect(server.url)
        await numbered(client.jetstream(), 50)
        await client.close()
        server.kill()
        server.start_again()
        client = await nats.connect(server.url)
        js = client.jetstream(timeout=PATIENCE)
        state = (await js.stream_info("S")).state
        assert (state.messages, state.first_seq, state.last_seq) == (50, 1, 50)
        assert (await js.publish("s.a", b"next")).seq == 51
        await client.close()


@test
async def a_bucket_keeps_puts_creates_and_updates():
    async with streams() as (_, _, js):
        kv = await js.create_key_value(bucket="b", history=5)
        assert await kv.put("a", b"1") == 1
        entry = await kv.get("a")
        assert (entry.key, entry.value, entry.revision) == ("a", b"1", 1)
        assert await kv.update("a", b"2", last=1) == 2
        with refused(js_errors.KeyWrongLastSequenceError):
            await kv.update("a", b"3", last=1)
        with refused(js_errors.KeyWrongLastSequenceError):
            await kv.create("a", b"3")
        assert await kv.create("new", b"x") == 3
        assert (await kv.get("a", revision=1)).value == b"1"
        with refused(js_errors.KeyNotFoundError):
            await kv.get("none")
        status = await kv.status()
        assert (status.values, status.history) == (3, 5)
        assert await js.delete_key_value("b")
        with refused(js_errors.BucketNotFoundError):
            await js.key_value("b")


@test
async def a_bucket_deletes_and_purges():
    async with streams() as (_, _, js):
        kv = await js.create_key_value(bucket="b", history=5)
        for value in [b"1", b"2"]:
            await kv.put("a", value)
            await kv.put("b", value)
        await kv.delete("a")
        with refused(js_errors.KeyNotFoundError):
            await kv.get("a")
        await kv.purge("b")
        assert [entry.operation for entry in await kv.history("a")] == [None, None, "DEL"]
        assert [entry.operation for entry in await kv.history("b")] == ["PURGE"]
        with refused(js_errors.NoKeysError):
            await kv.keys()
        assert await kv.create("a", b"again") > 0, "a deleted key can be created"
        assert await kv.keys() == ["a"]
        await kv.purge_deletes(olderthan=0)
        assert (await kv.status()).values == 4, "only the marker of b went"


@test
async def a_bucket_is_watched():
    async with streams() as (_, _, js):
        kv = await js.create_key_value(bucket="b", history=3)
        for key in ["x.one", "x.two", "y.one"]:
            await kv.put(key, key.encode())
        watcher = await kv.watch("x.*")
        keys = [(await watcher.updates(PATIENCE)).key for _ in range(2)]
        assert keys == ["x.one", "x.two"]
        assert await watcher.updates(PATIENCE) is None, "that was all there was"
        await kv.put("y.two", b"not seen")
        await kv.put("x.one", b"new")
        await kv.delete("x.two")
        entry = await watcher.updates(PATIENCE)
        assert (entry.key, entry.value, entry.operation) == ("x.one", b"new", None)
        entry = await watcher.updates(PATIENCE)
        assert (entry.key, entry.operation) == ("x.two", "DEL")
        await watcher.stop()
        empty = await kv.watch("nothing.here")
        assert await empty.updates(PATIENCE) is None


@test
async def a_bucket_of_many_keys_lists_them_all():
    async with streams() as (_, _, js):
        kv = await js.create_key_value(bucket="b", history=1)
        for number in range(500):
            await js.publish_async(f"$KV.b.key.{number}", b"x")
        await asyncio.wait_for(js.publish_async_completed(), PATIENCE)
        keys = await kv.keys()
        assert sorted(keys) == sorted(f"key.{number}" for number in range(500))
        status = await kv.status()
        assert status.values == 500


@test
async def values_end_after_their_time_to_live():
    async with streams() as (_, _, js):
        kv = await js.create_key_value(bucket="b", ttl=1)
        await kv.put("a", b"1")
        limited = await js.create_key_value(bucket="m", limit_marker_ttl=60)
        await limited.create("a", b"1", msg_ttl=1)
        watcher = await limited.watchall()

        async def is_gone():
            try:
                await kv.get("a")
                return False
            except js_errors.KeyNotFoundError:
                return True

        await eventually(is_gone)
        assert (await watcher.updates(PATIENCE)).value == b"1"
        assert await watcher.updates(PATIENCE) is None
        marker = await watcher.updates(PATIENCE)
        assert (marker.key, marker.operation) == ("a", "PURGE"), "its end is seen"
        await watcher.stop()


@test
async def an_object_is_put_and_got_whole():
    async with streams() as (_, _, js):
        store = await js.create_object_store(bucket="o")
        data = os.urandom(3 * 1024 * 1024 + 17)
        info = await store.put("large", data, api.ObjectMeta(description="bytes"))
        assert (info.size, info.chunks) == (len(data), 25)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
        assert info.digest == f"SHA-256={digest}"
        got = await store.get("large")
        assert (got.data, got.info.description) == (data, "bytes")
        await store.put("empty", b"")
        assert (await store.get("empty")).info.size == 0
        with refused(js_errors.ObjectNotFoundError):
            await store.get("none")


@test
async def objects_are_listed_replaced_and_deleted():
    async with streams() as (_, _, js):
        store = await js.create_object_store(bucket="o")
        for name in ["a", "b"]:
            await store.put(name, name.encode() * 300_000)
        assert [info.name for info in await store.list()] == ["a", "b"]
        await store.put("a", b"new")
        assert (await store.get("a")).data == b"new"
        await store.delete("b")
        with refused(js_errors.ObjectNotFoundError):
            await store.get("b")
        assert [info.name for info in await store.list(ignore_deletes=True)] == ["a"]
        state = (await js.stream_info("OBJ_o")).state
        assert state.messages == 3, "a's chunk and description, and that b is deleted"
        await js.delete_object_store("o")
        with refused(js_errors.NotFoundError):
            await js.object_store("o")


@test
async def an_object_store_is_watched_and_sealed():
    async with streams() as (_, _, js):
        store = await js.create_object_store(bucket="o")
        watcher = await store.watch()
        assert await watcher.updates(PATIENCE) is None
        await store.put("a", b"x")
        assert (await watcher.updates(PATIENCE)).name == "a"
        await watcher.stop()
        await store.seal()
        assert (await store.status()).sealed
        with refused(js_errors.APIError, 10109):
            await store.put("b", b"y")
        assert (await store.get("a")).data == b"x"


main()
