"""Who may connect and how, as users of nats-py meet it: nkeys, credential files, TLS and WebSocket, with what is right
and with what is wrong; and what the client and the log say then."""

import asyncio
import base64
import json
import socket
import ssl
import time

import nats
import nats.errors
import nkeys

from credentials import path, spoken_errors, text, tls, trusting
from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20


async def served(url, **options):
    """Connects, and hears what it says itself."""
    client = await nats.connect(url, allow_reconnect=False, **options)
    subscription = await client.subscribe("open.a")
    await client.publish("open.a", b"hello")
    message = await subscription.next_msg(PATIENCE)
    assert message.data == b"hello"
    await client.close()


async def complaints(url, **options):
    """All that the client says when it is not let in."""
    said = []

    async def error_cb(error):
        said.append(error)

    # Over WebSocket it would try again and again otherwise.
    once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
    try:
        client = await nats.connect(url, error_cb=error_cb, **once, **options)
        # With TLS 1.3 a client learns only afterwards that its certificate was not taken.
        try:
            await client.flush(PATIENCE)
        finally:
            await client.close()
        raise AssertionError(f"it was let in: {options}")
    except (nats.errors.Error, OSError) as error:
        said.append(error)
    return " | ".join(f"{type(error).__name__}: {error}" for error in said)


async def violates(url, **options):
    said = await complaints(url, **options)
    assert "authorization violation" in said.lower(), said


@test
async def an_nkey_opens_and_an_unknown_one_does_not():
    config = f"authorization {{ users: [ {{ nkey: {text('nkey.pub')} }} ] }}"
    with Server(config) as server:
        await served(server.url, nkeys_seed=path("nkey.seed"))
        await served(server.url, nkeys_seed_str=text("nkey.seed"))
        await violates(server.url, nkeys_seed=path("other.seed"))
        await violates(server.url, user=text("nkey.pub"), password="")
        await violates(server.url)


@test
async def a_signature_of_another_nonce_opens_nothing():
    config = f"authorization {{ users: [ {{ nkey: {text('nkey.pub')} }} ] }}"
    with Server(config) as server:
        pair = nkeys.from_seed(bytearray(text("nkey.seed").encode()))

        def old(_):
            return base64.b64encode(pair.sign(b"a nonce of long ago"))

        async def error_cb(error):
            said.append(str(error))

        said = []
        client = nats.aio.client.Client()
        client._setup_nkeys_seed_connect = lambda: None
        client._public_nkey = text("nkey.pub")
        try:
            await client.connect(
                server.url,
                nkeys_seed_str=text("nkey.seed"),
                signature_cb=old,
                allow_reconnect=False,
                error_cb=error_cb,
            )
            raise AssertionError("it was let in")
        except nats.errors.Error:
            assert "authorization violation" in " ".join(said).lower(), said


@test
async def a_file_of_credentials_opens_in_operator_mode():
    with Server(text("operator.conf")) as server:
        await served(server.url, user_credentials=path("user.creds"))
        content = nats.aio.client.RawCredentials(text("user.creds"))
        await served(server.url, user_credentials=content)
        await served(server.url, user_credentials=path("limited.creds"))


@test
async def expired_revoked_and_foreign_credentials_open_nothing():
    with Server(text("operator.conf")) as server:
        for name in ["expired", "revoked", "stranger"]:
            await violates(server.url, user_credentials=path(f"{name}.creds"))
        await violates(server.url)
        await violates(server.url, user="ana", password="secreta")
        await violates(server.url, nkeys_seed=path("nkey.seed"))


@test
async def a_bearer_need_not_sign():
    with Server(text("operator.conf")) as server:
        await served(
            server.url,
            user_jwt_cb=lambda: bytearray(text("bearer.jwt").encode()),
            signature_cb=lambda nonce: b"",
        )


@test
async def a_user_is_told_what_it_may_not_do_and_stays():
    with Server(text("operator.conf")) as server:
        told = asyncio.Queue()

        async def error_cb(error):
            await told.put(str(error).lower())

        client = await nats.connect(
            server.url, user_credentials=path("limited.creds"), error_cb=error_cb
        )
        await client.publish("closed.a", b"")
        said = await asyncio.wait_for(told.get(), PATIENCE)
        assert 'permissions violation for publish to "closed.a"' in said, said
        await client.subscribe("closed.b")
        said = await asyncio.wait_for(told.get(), PATIENCE)
        assert 'permissions violation for subscription to "closed.b"' in said, said
        subscription = await client.subscribe("open.b")
        await client.publish("open.b", b"still here")
        assert (await subscription.next_msg(PATIENCE)).data == b"still here"
        await client.close()


def claims_that_end(seconds):
    """A user of the account, for so many seconds, as a file's text."""
    account = nkeys.from_seed(bytearray(text("account.seed").encode()))
    user = nkeys.from_seed(bytearray(text("nkey.seed").encode()))
    now = int(time.time())
    body = {
        "jti": "short", "iat": now, "exp": now + seconds, "name": "short",
        "iss": account.public_key.decode(), "sub": user.public_key.decode(),
        "nats": {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2},
    }
    parts = [
        base64.urlsafe_b64encode(part).rstrip(b"=")
        for part in [b'{"typ":"JWT","alg":"ed25519-nkey"}', json.dumps(body).encode()]
    ]
    signature = base64.urlsafe_b64encode(account.sign(b".".join(parts))).rstrip(b"=")
    jwt = b".".join([*parts, signature]).decode()
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{text('nkey.seed')}\n------END USER NKEY SEED------\n"
    )


@test
async def claims_that_end_end_the_connection_and_say_so():
    with Server(text("operator.conf")) as server:
        closed = asyncio.Event()

        async def closed_cb():
            closed.set()

        client = await nats.connect(
            server.url,
            user_credentials=nats.aio.client.RawCredentials(claims_that_end(3)),
            allow_reconnect=False,
            closed_cb=closed_cb,
        )
        said = spoken_errors(client)
        await client.flush(PATIENCE)
        await asyncio.wait_for(closed.wait(), PATIENCE)
        assert said == ["'user authentication expired'"], said


@test
async def tls_with_the_right_authority():
    with Server(tls("server")) as server:
        await served(server.url, tls=trusting())
        await served(f"tls://localhost:{server.port}", tls=trusting())
        await served(f"tls://127.0.0.1:{server.port}", tls=trusting(), tls_hostname="localhost")


@test
async def tls_before_the_greeting():
    with Server(tls("server", "handshake_first: true"), greets_over_tls=True) as server:
        await served(
            f"tls://localhost:{server.port}", tls=trusting(), tls_handshake_first=True
        )


@test
async def a_server_of_an_unknown_authority_is_not_believed():
    with Server(tls("server")) as server:
        said = await complaints(server.url, tls=trusting("stranger-ca"))
        assert "certificate verify failed" in said and "issuer certificate" in said, said
        await asyncio.to_thread(server.wait_for_log, "TLS handshake error")


@test
async def a_certificate_for_another_name_is_not_believed():
    with Server(tls("wrong-name")) as server:
        said = await complaints(f"tls://localhost:{server.port}", tls=trusting())
        assert "Hostname mismatch" in said and "'localhost'" in said, said
        await asyncio.to_thread(server.wait_for_log, "TLS handshake error")
        await served(server.url, tls=trusting(), tls_hostname="elsewhere.example")


@test
async def a_certificate_that_is_over_is_not_believed():
    with Server(tls("expired")) as server:
        said = await complaints(server.url, tls=trusting())
        assert "certificate has expired" in said, said
        await asyncio.to_thread(server.wait_for_log, "TLS handshake error")
        assert "expired.pem expired on Jan" in server.log(), "told at the start"


def alert(server, context):
    """What a client is told by TLS that has sent something already when it is turned away."""
    with socket.create_connection(("localhost", server.port), PATIENCE) as plain:
        assert plain.recv(5) == b"INFO "
        while not plain.recv(4096).endswith(b"\r\n"):
            pass
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(b"CONNECT {}\r\nPING\r\n")
                return f"it was answered: {secure.recv(4096)}"
        except ssl.SSLError as error:
            return str(error)


@test
async def a_certificate_is_asked_of_clients():
    verify = f'verify: true, ca_file: "{path("ca.pem")}"'
    with Server(tls("server", verify)) as server:
        await served(server.url, tls=trusting(client="client"))
        for client, words, logged in [
            (None, "certificate required", "the client showed no certificate"),
            ("stranger-client", "unknown ca", "an authority that is not in ca_file"),
            ("expired-client", "certificate expired", "the client's certificate has expired"),
        ]:
            said = await complaints(server.url, tls=trusting(client=client))
            # asyncio may notice that the connection is over before it shows why.
            assert words in said or "Connection lost" in said, said
            said = await asyncio.to_thread(alert, server, trusting(client=client))
            assert words in said, said
            await asyncio.to_thread(server.wait_for_log, logged)


@test
async def a_certificate_names_its_user():
    mapped = f'verify_and_map: true, ca_file: "{path("ca.pem")}"'
    config = tls("server", mapped) + '\nauthorization { users: [ { user: "CN=ana" } ] }'
    with Server(config) as server:
        await served(server.url, tls=trusting(client="client"))
    with Server(config.replace("CN=ana", "CN=eva")) as server:
        await violates(server.url, tls=trusting(client="client"))


WEBSOCKET = 'listen: "127.0.0.1:-1"'


@test
async def websocket_with_and_without_tls():
    plain = f"websocket {{ {WEBSOCKET}, no_tls: true }}\nauthorization {{ token: s3cret }}"
    with Server(plain) as server:
        await served(server.websocket_url, token="s3cret")
        await violates(server.websocket_url, token="wrong")
    with Server(f"websocket {{ {WEBSOCKET}, {tls('server')} }}") as server:
        url = server.websocket_url
        assert url.startswith("wss://"), url
        await served(url, tls=trusting())
        said = await complaints(url, tls=trusting("stranger-ca"))
        assert "certificate verify failed" in said, said


if __name__ == "__main__":
    main()
