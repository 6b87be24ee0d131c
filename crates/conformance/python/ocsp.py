"""Revoked certificates, as users of nats-py meet them; authority and responder are made of another library."""

import json
import os
import ssl
import tempfile

import nats
import nats.errors
from cryptography.x509.ocsp import OCSPCertStatus

from responder import Authority
from server import RELOADED, Server
from suite import main, test

PATIENCE = 20


def block(authority, more=""):
    """The block `tls` of a server that asks clients for certificates."""
    certificate, key = authority.issue("server", ["localhost"])
    return (
        f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority.ca_file}", '
        f"verify: true, timeout: 5, {more} }}\n"
    )


def client(authority, who):
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.load_cert_chain(*authority.issue(who))
    return context


async def is_let_in(server, context):
    try:
        connection = await nats.connect(
            f"tls://localhost:{server.port}", tls=context, allow_reconnect=False
        )
        try:
            await connection.flush(PATIENCE)
        finally:
            await connection.close()
        return True
    except (nats.errors.Error, OSError):
        return False


@test
async def who_was_revoked_is_refused_and_the_log_says_why():
    with Authority() as authority, Server(block(authority, "ocsp_peer: true")) as server:
        ana, eva = client(authority, "ana"), client(authority, "eva")
        authority.says("eva", OCSPCertStatus.REVOKED)
        assert await is_let_in(server, ana)
        assert not await is_let_in(server, eva)
        server.wait_for_log("client not OCSP valid")
        asked = authority.asked
        assert await is_let_in(server, ana)
        assert authority.asked == asked, "it is remembered"


@test
async def who_is_not_known_is_refused_unless_that_is_good():
    with Authority() as authority:
        ana = client(authority, "ana")
        authority.says("ana", OCSPCertStatus.UNKNOWN)
        for more, expected in [("", False), (", unknown_is_good: true", True)]:
            config = block(authority, f"ocsp_peer {{ verify: true{more} }}")
            with Server(config) as server:
                assert await is_let_in(server, ana) == expected, more


@test
async def nobody_is_let_in_while_nobody_answers_unless_that_is_allowed():
    with Authority() as authority:
        ana = client(authority, "ana")
        configs = [
            (block(authority, f"ocsp_peer {{ verify: true{more} }}"), expected)
            for more, expected in [
                ("", False),
                (", allow_when_ca_unreachable: true", True),
                (", warn_only: true", True),
            ]
        ]
        authority.close_responder()
        for config, expected in configs:
            with Server(config) as server:
                assert await is_let_in(server, ana) == expected, config


@test
async def what_is_known_is_written_down_when_the_server_ends():
    with Authority() as authority, tempfile.TemporaryDirectory(prefix="recado-known-") as place:
        ana = client(authority, "ana")
        known = os.path.join(place, "known")
        more = f'ocsp_cache {{ local_store: "{known}" }}'
        config = block(authority, "ocsp_peer: true") + more
        with Server(config) as server:
            assert await is_let_in(server, ana)
            server.stop()
            with open(os.path.join(known, "cache.json"), encoding="utf-8") as file:
                entries = list(json.load(file).values())
            assert [one["resp_status"] for one in entries] == ["good"], entries
            asked = authority.asked
            server.start_again()
            assert await is_let_in(server, ana)
            assert authority.asked == asked


@test
async def a_reload_begins_to_ask():
    with Authority() as authority, Server(block(authority)) as server:
        ana = client(authority, "ana")
        authority.says("ana", OCSPCertStatus.REVOKED)
        assert await is_let_in(server, ana)
        server.reload(block(authority, "ocsp_peer: true"), RELOADED)
        assert not await is_let_in(server, ana)


@test
async def a_revoked_certificate_of_the_server_keeps_it_from_starting():
    with Authority() as authority:
        certificate, key = authority.issue("server", ["localhost"], must_staple=True)
        config = f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority.ca_file}" }}\n'
        with Server(config + "ocsp { mode: must }"):
            assert authority.asked == 1
        authority.says("server", OCSPCertStatus.REVOKED)
        try:
            with Server(config + "ocsp { mode: must }"):
                raise AssertionError("it started")
        except RuntimeError:
            pass
        with Server(config + "ocsp { mode: auto }"):
            assert authority.asked == 3


if __name__ == "__main__":
    main()
