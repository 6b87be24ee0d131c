"""nats-py end to end against the server: what a user of the client in Python relies on."""

import asyncio
import collections

import nats
import nats.errors
import nats.micro
from nats.aio.client import Client

from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20


async def fast(url, **options):
    """A connection that tries to reconnect ten times a second, and for long."""
    return await nats.connect(
        url, reconnect_time_wait=0.1, max_reconnect_attempts=200, **options
    )


async def payloads(subscription, count):
    """The payloads of the next messages."""
    return [(await subscription.next_msg(timeout=PATIENCE)).data for _ in range(count)]


async def settle(client):
    """Waits until the server has done all that the client sent, and the client has its answers.

    The client's own `flush` does not tell: its PING may overtake commands that wait to be sent. A
    request does not, and the server answers at once when nobody listens.
    """
    try:
        await client.request("nobody.listens.here", timeout=PATIENCE)
    except nats.errors.NoRespondersError:
        pass


async def nothing_left(client, subscription):
    """Nothing came beyond what was read: the answer of `settle` would come after it."""
    await settle(client)
    assert subscription.pending_msgs == 0, subscription.pending_msgs


def on_event():
    """A callback, and the event that it sets."""
    event = asyncio.Event()

    async def callback(*_):
        event.set()

    return event, callback


@test
async def info_describes_server_and_client():
    with Server("server_name: quiet-harbour") as server:
        client = await nats.connect(server.url)
        assert client.connected_server_version.major == 2
        assert client.max_payload == 1024 * 1024
        assert client.client_id > 0
        assert client._server_info["server_name"] == "quiet-harbour"
        await client.close()


@test
async def a_message_reaches_subscribers_of_its_subject():
    with Server() as server:
        publisher, subscriber = await nats.connect(server.url), await nats.connect(server.url)
        subscription = await subscriber.subscribe("greet.joe")
        other = await subscriber.subscribe("greet.ann")
        await settle(subscriber)
        await publisher.publish("greet.joe", b"hello")
        message = await subscription.next_msg(PATIENCE)
        assert (message.subject, message.data, message.reply) == ("greet.joe", b"hello", "")
        await nothing_left(subscriber, other)
        await publisher.close()
        await subscriber.close()


@test
async def wildcards_match_one_token_or_the_rest():
    with Server() as server:
        client = await nats.connect(server.url)
        star = await client.subscribe("time.*.east")
        rest = await client.subscribe("time.us.>")
        for number, subject in enumerate(["time.us.east", "time.us.east.x", "time.eu.east"]):
            await client.publish(subject, str(number).encode())
        await client.publish("time.us", b"none")
        assert await payloads(star, 2) == [b"0", b"2"]
        assert await payloads(rest, 2) == [b"0", b"1"]
        await nothing_left(client, star)
        await nothing_left(client, rest)
        await client.close()


@test
async def a_queue_group_shares_messages():
    with Server() as server:
        counts = collections.Counter()
        members = [await nats.connect(server.url) for _ in range(3)]
        for number, member in enumerate(members):

            async def count(message, number=number):
                counts[number] += 1
                counts[message.data] += 1

            await member.subscribe("jobs", queue="workers", cb=count)
            await settle(member)
        publisher = await nats.connect(server.url)
        sent = [str(number).encode() for number in range(300)]
        for payload in sent:
            await publisher.publish("jobs", payload)
        await settle(publisher)
        for member in members:
            await member.drain()
        assert all(counts[payload] == 1 for payload in sent), "each exactly once"
        assert all(counts[number] > 30 for number in range(3)), counts
        await publisher.close()


@test
async def a_request_gets_its_reply():
    with Server() as server:
        client = await nats.connect(server.url)

        async def answer(message):
            await message.respond(message.data[::-1])

        await client.subscribe("reverse", cb=answer)
        replies = await asyncio.gather(
            *(client.request("reverse", f"{n:04}".encode(), PATIENCE) for n in range(100))
        )
        assert [reply.data for reply in replies] == [f"{n:04}".encode()[::-1] for n in range(100)]
        await client.close()


@test
async def a_request_that_nobody_hears_fails_at_once():
    with Server() as server:
        client = await nats.connect(server.url)
        for old_style in [False, True]:
            try:
                await client.request("no.body", b"", timeout=PATIENCE, old_style=old_style)
                raise AssertionError("somebody answered")
            except nats.errors.NoRespondersError:
                pass
        await client.close()


@test
async def headers_arrive_with_message_and_reply():
    with Server() as server:
        client = await nats.connect(server.url)

        async def answer(message):
            headers = {"Seen": message.headers["Trace-Id"]}
            await client.publish(message.reply, b"yes", headers=headers)

        await client.subscribe("svc", cb=answer)
        plain = await client.subscribe("svc")
        headers = {"Trace-Id": "a b:c", "X-Where": "ñandú"}
        reply = await client.request("svc", b"body", PATIENCE, headers=headers)
        assert reply.headers == {"Seen": "a b:c"} and reply.data == b"yes"
        message = await plain.next_msg(PATIENCE)
        assert message.headers == headers and message.data == b"body"
        await client.close()


@test
async def drain_handles_what_is_on_its_way():
    with Server() as server:
        publisher = await nats.connect(server.url)
        closed, closed_cb = on_event()
        subscriber = await nats.connect(server.url, closed_cb=closed_cb)
        got = []

        async def slow(message):
            got.append(message.data)
            if len(got) % 100 == 0:
                await asyncio.sleep(0.001)

        await subscriber.subscribe("work", cb=slow)
        await settle(subscriber)
        for number in range(1000):
            await publisher.publish("work", str(number).encode())
        await settle(publisher)
        await subscriber.drain()
        await asyncio.wait_for(closed.wait(), PATIENCE)
        assert got == [str(number).encode() for number in range(1000)], len(got)
        await publisher.close()


@test
async def auto_unsubscribe_ends_after_its_count():
    with Server() as server:
        client = await nats.connect(server.url)
        subscription = await client.subscribe("tick")
        await subscription.unsubscribe(limit=3)
        for number in range(10):
            await client.publish("tick", str(number).encode())
        assert await payloads(subscription, 3) == [b"0", b"1", b"2"]
        await settle(client)
        responders = await client.subscribe("reply")
        await client.publish("tick", b"", reply="reply")
        message = await responders.next_msg(PATIENCE)
        assert message.headers["Status"] == "503", "the server itself has ended it"
        await client.close()


@test
async def without_echo_own_messages_do_not_come_back():
    with Server() as server:
        mute, other = await nats.connect(server.url, no_echo=True), await nats.connect(server.url)
        own, theirs = await mute.subscribe("a"), await other.subscribe("a")
        await settle(other)
        await mute.publish("a", b"mine")
        await settle(mute)
        assert await payloads(theirs, 1) == [b"mine"]
        await other.publish("a", b"yours")
        assert await payloads(own, 1) == [b"yours"]
        await nothing_left(mute, own)
        await mute.close()
        await other.close()


@test
async def messages_keep_their_order_and_bytes():
    with Server() as server:
        publisher, subscriber = await nats.connect(server.url), await nats.connect(server.url)
        subscription = await subscriber.subscribe("bytes", pending_msgs_limit=-1)
        await settle(subscriber)
        sent = [bytes([n % 256]) * (n % 700) + b"\r\nPUB x 1\r\n" for n in range(5000)]
        sent.append(bytes(range(256)) * 4096)
        for payload in sent:
            await publisher.publish("bytes", payload)
        await settle(publisher)
        assert await payloads(subscription, len(sent)) == sent
        await publisher.close()
        await subscriber.close()


@test
async def a_client_reconnects_after_a_kill_with_its_subscriptions():
    with Server() as server:
        disconnected, disconnected_cb = on_event()
        reconnected, reconnected_cb = on_event()
        client = await fast(
            server.url, disconnected_cb=disconnected_cb, reconnected_cb=reconnected_cb
        )
        subscription = await client.subscribe("still.here")
        await settle(client)
        server.kill()
        await asyncio.wait_for(disconnected.wait(), PATIENCE)
        await client.publish("still.here", b"while away")
        server.start_again()
        await asyncio.wait_for(reconnected.wait(), PATIENCE)
        await client.publish("still.here", b"back")
        assert await payloads(subscription, 2) == [b"while away", b"back"]
        await client.close()


@test
async def a_client_that_stalls_is_cut_off_and_the_others_are_served():
    with Server('max_pending: 2MB, max_payload: 1MB, write_deadline: "5s"') as server:
        disconnected, disconnected_cb = on_event()
        stalled = await fast(server.url, name="stalled", disconnected_cb=disconnected_cb)
        await stalled.subscribe("flood", pending_bytes_limit=-1)
        await settle(stalled)
        healthy, publisher = await nats.connect(server.url), await nats.connect(server.url)
        subscription = await healthy.subscribe("flood", pending_bytes_limit=-1)
        await settle(healthy)
        stalled._transport._io_writer.transport.pause_reading()
        for _ in range(60):
            await publisher.publish("flood", bytes(512 * 1024))
            await subscription.next_msg(PATIENCE)
        stalled._transport._io_writer.transport.resume_reading()
        await asyncio.wait_for(disconnected.wait(), PATIENCE)
        assert "slow consumer" in server.log().lower(), server.log()
        for client in [stalled, healthy, publisher]:
            await client.close()


@test
async def max_payload_is_known_to_the_client():
    with Server("max_payload: 1000") as server:
        client = await nats.connect(server.url)
        assert client.max_payload == 1000
        subscription = await client.subscribe("a")
        await client.publish("a", bytes(1000))
        assert await payloads(subscription, 1) == [bytes(1000)]
        try:
            await client.publish("a", bytes(1001))
            raise AssertionError("it was sent")
        except nats.errors.MaxPayloadError:
            pass
        await client.close()


@test
async def a_payload_over_the_maximum_ends_the_connection():
    with Server("max_payload: 1000") as server:
        disconnected, disconnected_cb = on_event()
        client = await fast(server.url, disconnected_cb=disconnected_cb)
        client._max_payload = 2000
        await client.publish("a", bytes(1001))
        await asyncio.wait_for(disconnected.wait(), PATIENCE)
        await client.close()


async def refused(url, **options):
    """Whether the server refuses these credentials with the error that clients know."""
    errors = []

    async def error_cb(error):
        errors.append(str(error))

    try:
        client = await nats.connect(url, allow_reconnect=False, error_cb=error_cb, **options)
        await client.close()
        return False
    except nats.errors.Error as error:
        errors.append(str(error))
    return any("authorization violation" in error.lower() for error in errors)


@test
async def a_token_opens_and_anything_else_does_not():
    with Server("authorization { token: s3cret }") as server:
        client = await nats.connect(server.url, token="s3cret")
        await settle(client)
        await client.close()
        client = await nats.connect(f"nats://s3cret@127.0.0.1:{server.port}")
        await client.close()
        assert await refused(server.url, token="wrong")
        assert await refused(server.url, user="s3cret", password="s3cret")
        assert await refused(server.url)


@test
async def user_and_password_open_and_anything_else_does_not():
    with Server("authorization { user: ana, password: secreta }") as server:
        client = await nats.connect(server.url, user="ana", password="secreta")
        await settle(client)
        await client.close()
        assert await refused(server.url, user="ana", password="wrong")
        assert await refused(server.url, user="eva", password="secreta")
        assert await refused(server.url, token="secreta")
        assert await refused(server.url)


@test
async def a_lame_duck_gives_notice():
    with Server() as server:
        notice, lame_duck_mode_cb = on_event()
        client = await fast(server.url, lame_duck_mode_cb=lame_duck_mode_cb)
        await settle(client)
        server.lame_duck()
        await asyncio.wait_for(notice.wait(), PATIENCE)
        await client.close()


@test
async def a_stale_connection_is_noticed_by_the_server():
    with Server('ping_interval: "200ms", ping_max: 1') as server:
        disconnected, disconnected_cb = on_event()
        client = await fast(server.url, disconnected_cb=disconnected_cb)

        async def no_answer():
            pass

        client._process_ping = no_answer
        await asyncio.wait_for(disconnected.wait(), PATIENCE)
        await client.close()


@test
async def a_service_is_found_and_answers():
    with Server() as server:
        client, asker = await nats.connect(server.url), await nats.connect(server.url)
        service = await nats.micro.add_service(client, name="adder", version="1.0.0")

        async def add(request):
            numbers = [int(text) for text in request.data.split()]
            await request.respond(str(sum(numbers)).encode())

        await service.add_endpoint(name="add", handler=add)
        await settle(client)
        reply = await asker.request("add", b"1 2 3", PATIENCE)
        assert reply.data == b"6"
        for verb in ["PING", "INFO", "STATS"]:
            reply = await asker.request(f"$SRV.{verb}.adder", b"", PATIENCE)
            assert b'"adder"' in reply.data, reply.data
        await service.stop()
        await client.close()
        await asker.close()


@test
async def many_clients_connect_and_leave():
    with Server() as server:
        hub = await nats.connect(server.url)
        subscription = await hub.subscribe("hello.*")
        await settle(hub)

        async def visit(number):
            client = Client()
            await client.connect(server.url)
            await client.publish(f"hello.{number}", b"")
            await settle(client)
            await client.close()

        for wave in range(4):
            await asyncio.gather(*(visit(wave * 50 + number) for number in range(50)))
        got = {(await subscription.next_msg(PATIENCE)).subject for _ in range(200)}
        assert got == {f"hello.{number}" for number in range(200)}
        await hub.close()


if __name__ == "__main__":
    main()
