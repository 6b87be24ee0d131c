"""Another configuration under traffic, as users of nats-py meet it: whom it does not concern loses nothing, whom it
concerns is told."""

import asyncio
import ssl

import nats
import nats.errors

from credentials import path, spoken_errors, text, tls, trusting
from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20
RELOADS = 12


def configuration(certificate="server", users="", curb=""):
    """Steady is the same in all of them."""
    return f"""
        {tls(certificate)}
        authorization {{ users: [
          {{ user: steady, password: s }}
          {{ user: curbed, password: c, permissions {{ subscribe {{ deny: "{curb or "never"}" }} }} }}
          {users}
        ] }}
    """


GUEST = "{ user: guest, password: g }"


async def connect(server, user, **options):
    url = f"tls://localhost:{server.port}"
    password = user[0]
    return await nats.connect(url, user=user, password=password, tls=trusting(), **options)


async def let_in(server, user):
    """Whether a new connection of this user is taken."""

    async def quiet(_):
        pass

    try:
        client = await connect(server, user, allow_reconnect=False, error_cb=quiet)
    except nats.errors.Error:
        return False
    await client.close()
    return True


def shown_certificate(client):
    """The certificate that the server has shown to this client."""
    return client._transport._io_writer.get_extra_info("ssl_object").getpeercert(True)


def certificate(name):
    return ssl.PEM_cert_to_DER_cert(text(f"{name}.pem"))


@test
async def an_untouched_client_loses_nothing_while_configurations_change():
    plain = configuration()
    other = configuration(certificate="successor", users=GUEST, curb="news.>")
    with Server(plain) as server:
        trouble = []

        async def note(*what):
            trouble.append(what)

        watch = {"disconnected_cb": note, "error_cb": note, "closed_cb": note}
        publisher, subscriber, asker, responder = [
            await connect(server, "steady", **watch) for _ in range(4)
        ]
        heard = []

        async def hear(message):
            heard.append(int(message.data))

        async def answer(message):
            await message.respond(message.data)

        await subscriber.subscribe("numbers", cb=hear, pending_msgs_limit=-1)
        await responder.subscribe("mirror", cb=answer)
        for client in [subscriber, responder]:
            await client.flush(PATIENCE)

        over = asyncio.Event()
        asked = 0

        async def publish():
            number = 0
            while not over.is_set():
                for _ in range(50):
                    await publisher.publish("numbers", str(number).encode())
                    number += 1
                await publisher.flush(PATIENCE)
            return number

        async def ask():
            nonlocal asked
            while not over.is_set():
                reply = await asker.request("mirror", str(asked).encode(), PATIENCE)
                assert reply.data == str(asked).encode()
                asked += 1

        traffic = [asyncio.create_task(publish()), asyncio.create_task(ask())]
        for round in range(RELOADS):
            before = len(heard), asked
            await asyncio.to_thread(server.reload, plain if round % 2 else other)
            # Between any two of them there is traffic of both kinds.
            while not (len(heard) > before[0] and asked > before[1]):
                assert not any(task.done() for task in traffic), [t.exception() for t in traffic]
                await asyncio.sleep(0)
        over.set()
        published, _ = await asyncio.gather(*traffic)
        # Its answer comes behind all that was published.
        await subscriber.flush(PATIENCE)
        while len(heard) < published and not trouble:
            await asyncio.sleep(0)
        assert heard == list(range(published)), f"{len(heard)} of {published}"
        assert trouble == [], trouble
        for client in [publisher, subscriber, asker, responder]:
            assert client.is_connected and client.stats["reconnects"] == 0
            await client.close()


@test
async def a_subscription_that_is_not_allowed_any_more_ends_and_its_client_is_told():
    with Server(configuration()) as server:
        told = asyncio.Queue()

        async def error_cb(error):
            await told.put(str(error).lower())

        client = await connect(server, "curbed", error_cb=error_cb)
        news, other = await client.subscribe("news.today"), await client.subscribe("other")
        await client.flush(PATIENCE)
        await asyncio.to_thread(server.reload, configuration(curb="news.>"))
        said = await asyncio.wait_for(told.get(), PATIENCE)
        assert 'permissions violation for subscription to "news.today"' in said, said
        steady = await connect(server, "steady")
        await steady.publish("news.today", b"secret")
        await steady.publish("other", b"open")
        assert (await other.next_msg(PATIENCE)).data == b"open"
        assert news.pending_msgs == 0
        await steady.close()
        await client.close()


@test
async def a_user_who_is_gone_is_told_and_one_who_is_new_is_let_in():
    with Server(configuration()) as server:
        assert not await let_in(server, "guest")
        await asyncio.to_thread(server.reload, configuration(users=GUEST))
        closed = asyncio.Event()

        async def closed_cb():
            closed.set()

        guest = await connect(server, "guest", allow_reconnect=False, closed_cb=closed_cb)
        said = spoken_errors(guest)
        await asyncio.to_thread(server.reload, configuration())
        await asyncio.wait_for(closed.wait(), PATIENCE)
        assert said == ["'authorization violation'"], said
        assert not await let_in(server, "guest")


@test
async def a_new_certificate_is_shown_to_who_comes_and_who_is_there_stays():
    with Server(configuration()) as server:
        early = await connect(server, "steady")
        await asyncio.to_thread(server.reload, configuration(certificate="successor"))
        late = await connect(server, "steady")
        assert shown_certificate(early) == certificate("server")
        assert shown_certificate(late) == certificate("successor")
        subscription = await late.subscribe("a")
        await late.flush(PATIENCE)
        await early.publish("a", b"still here")
        assert (await subscription.next_msg(PATIENCE)).data == b"still here"
        for client in [early, late]:
            assert client.stats["reconnects"] == 0
            await client.close()


@test
async def a_configuration_that_is_wrong_changes_nothing():
    with Server(configuration()) as server:
        client = await connect(server, "steady")
        missing = configuration(users=GUEST).replace(path("server.key"), path("missing.key"))
        await asyncio.to_thread(server.reload, missing, says="missing.key")
        assert not await let_in(server, "guest")
        assert await let_in(server, "steady")
        subscription = await client.subscribe("a")
        await client.publish("a", b"still here")
        assert (await subscription.next_msg(PATIENCE)).data == b"still here"
        await client.close()


if __name__ == "__main__":
    main()
