"""What the server tells over HTTP, read as those read it whom it is for: Prometheus' own parser, nats-top and the
exporter (by the keys that they look for), and nats-py's own way to wait for a server."""

import asyncio
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.request

import jsonschema
import nats
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from referencing import Registry, Resource

from credentials import path, tls
from server import Server
from suite import main, test

# How long something that should happen at once may take.
PATIENCE = 20

SCHEMAS = pathlib.Path(__file__).resolve().parents[3].parent / "shared/reference/schemas"


def get(server, path, accept=None):
    """Status, kind and text of what is at a path."""
    request = urllib.request.Request(server.monitoring_url + path)
    if accept:
        request.add_header("Accept", accept)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def document(server, path):
    return json.loads(get(server, path)[2])


@contextlib.asynccontextmanager
async def watched(streams=True):
    """A server that is watched, with a client that published, subscribed and stored something."""
    with Server("http_port: -1", streams=streams) as server:
        client = await nats.connect(server.url, name="probe")
        try:
            await client.subscribe("a.*")
            await client.publish("a.b", b"hello")
            await client.flush()
            if streams:
                js = client.jetstream(timeout=PATIENCE)
                await js.add_stream(name="S", subjects=["s.>"])
                for number in range(3):
                    await js.publish(f"s.{number}", b"x")
                consumer = await js.pull_subscribe("s.>", durable='d"1')
                (message,) = await consumer.fetch(1)
                await message.ack_sync()
            yield server
        finally:
            await client.close()


def samples(families):
    """Values by name and labels; each may be there once only."""
    found = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def value(found, name, **labels):
    return found[(name, tuple(sorted(labels.items())))]


@test
async def metrics_are_open_metrics():
    async with watched() as server:
        status, kind, text = await asyncio.to_thread(get, server, "/metrics")
        assert status == 200
        assert kind.startswith("application/openmetrics-text; version=1.0.0"), kind
        found = samples(openmetrics(text.splitlines(keepends=True)))
        stream = {"account": "$G", "stream": "S"}
        assert value(found, "recado_stream_messages", **stream) == 3
        consumer = {**stream, "consumer": 'd"1'}
        assert value(found, "recado_consumer_pending_messages", **consumer) == 2
        assert value(found, "recado_consumer_ack_floor_sequence", **consumer) == 1
        assert value(found, "recado_connections") == 1
        assert value(found, "recado_durable_seconds_count") > 0
        assert value(found, "recado_delivery_seconds_count") > 0
        assert value(found, "recado_series_left_out", kind="consumer") == 0


@test
async def metrics_are_the_older_text_for_who_asks_for_it():
    async with watched() as server:
        accept = "text/plain;version=0.0.4"
        _, kind, text = await asyncio.to_thread(get, server, "/metrics", accept)
        assert kind.startswith("text/plain; version=0.0.4"), kind
        found = samples(prometheus(text))
        assert value(found, "recado_received_messages_total") > 0
        assert value(found, "recado_stream_messages", account="$G", stream="S") == 3


# Keys that nats-top reads of its two documents.
NATS_TOP = {
    "/varz": "cpu mem slow_consumers in_msgs out_msgs in_bytes out_bytes now uptime server_id version",
    "/connz": "num_connections total limit connections",
}
NATS_TOP_CONNECTION = (
    "cid ip port name lang version subscriptions pending_bytes in_msgs out_msgs in_bytes out_bytes"
    " rtt uptime last_activity start idle"
)
# Keys that the Prometheus exporter reads.
EXPORTER = {
    "/varz": "server_id server_name connections total_connections subscriptions slow_consumers",
    "/connz": "num_connections offset total limit connections",
    "/routez": "num_routes routes",
    "/subsz": "num_subscriptions num_cache num_inserts num_removes num_matches cache_hit_rate"
    " max_fanout avg_fanout",
    "/gatewayz": "outbound_gateways inbound_gateways",
    "/leafz": "leafnodes leafs",
    "/accstatz": "account_statz",
    "/accountz": "accounts system_account",
    "/jsz?accounts=1&consumers=1&config=1&raft=1": "config streams consumers messages bytes memory storage"
    " account_details",
    "/healthz": "status",
}


@test
async def the_tools_find_the_keys_that_they_read():
    async with watched() as server:
        for path, keys in [*NATS_TOP.items(), *EXPORTER.items()]:
            found = await asyncio.to_thread(document, server, path)
            missing = set(keys.split()) - set(found)
            assert not missing, f"{path}: {missing}"
        found = await asyncio.to_thread(document, server, "/connz?limit=1024&sort=cid&subs=1")
        (connection,) = found["connections"]
        assert not set(NATS_TOP_CONNECTION.split()) - set(connection), connection
        assert "a.*" in connection["subscriptions_list"]
        (account,) = (await asyncio.to_thread(document, server, "/accstatz"))["account_statz"]
        for key in "acc name conns leafnodes total_conns num_subscriptions slow_consumers".split():
            assert key in account, key
        assert account["sent"]["msgs"] > 0 and account["received"]["bytes"] > 0
        jsz = await asyncio.to_thread(document, server, "/jsz?consumers=1&config=1")
        (stream,) = jsz["account_details"][0]["stream_detail"]
        assert stream["cluster"]["leader"] and stream["state"]["consumer_count"] == 1
        (consumer,) = stream["consumer_detail"]
        for key in "num_ack_pending num_pending num_redelivered num_waiting delivered ack_floor".split():
            assert key in consumer, key
        assert stream["config"]["max_msgs"] == -1


@test
async def varz_validates_where_there_is_a_schema():
    folder = SCHEMAS / "server/monitor/v1"
    if not folder.is_dir():
        print(f"skipped: there is no {folder}", file=sys.stderr)
        return
    schema, definitions = (
        json.loads((folder / name).read_text()) for name in ("varz.json", "definitions.json")
    )
    # Both claim another place; what one says of the other is beside it.
    base = "https://nats.io/schemas/"
    schema["$id"], definitions["$id"] = base + "varz.json", base + "definitions.json"
    registry = Registry().with_resources(
        (one["$id"], Resource.from_contents(one)) for one in (schema, definitions)
    )
    validator = jsonschema.Draft7Validator(schema, registry=registry)
    for streams in (True, False):
        async with watched(streams) as server:
            varz = await asyncio.to_thread(document, server, "/varz")
            problems = [f"{p.json_path}: {p.message}" for p in validator.iter_errors(varz)]
            assert not problems, "\n".join(problems)


@test
async def a_bad_parameter_is_refused_in_words():
    async with watched(streams=False) as server:
        try:
            await asyncio.to_thread(get, server, "/connz?limit=ten")
        except urllib.error.HTTPError as error:
            assert error.code == 400
            assert "'limit'" in error.read().decode()
        else:
            raise AssertionError("it was taken")


def curl(*args):
    """Exit status, output and complaints of curl, which people use to look."""
    command = ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@test
async def curl_reads_all_that_the_front_page_links():
    async with watched() as server:

        def read(path):
            status, output, complaint = curl("--fail", server.monitoring_url + path)
            assert status == 0, f"{path}: {complaint}"
            return output

        links = sorted(set(re.findall(r'href="([^"]+)"', await asyncio.to_thread(read, "/"))))
        paths = [link if link.startswith("/") else f"/{link.removeprefix('./')}" for link in links]
        paths = [path for path in paths if "://" not in path]
        assert {"/varz", "/connz", "/subsz", "/jsz", "/healthz", "/metrics"} <= {
            path.split("?")[0] for path in paths
        }, paths
        for path in paths:
            text = await asyncio.to_thread(read, path)
            if path == "/metrics":
                assert value(samples(prometheus(text)), "recado_connections") == 1
            else:
                assert isinstance(json.loads(text), dict), path
        status, _, complaint = await asyncio.to_thread(
            curl, "--fail", server.monitoring_url + "/nothing"
        )
        assert (status, "404" in complaint) == (22, True), complaint


@test
async def curl_believes_monitoring_over_tls_by_its_authority():
    config = f'https_port: -1\n{tls("server")}'
    with Server(config) as server:
        url = server.monitoring_url + "/healthz"
        assert url.startswith("https://"), url
        status, text, complaint = await asyncio.to_thread(curl, "--cacert", path("ca.pem"), url)
        assert (status, json.loads(text)["status"]) == (0, "ok"), complaint
        status, _, complaint = await asyncio.to_thread(
            curl, "--cacert", path("stranger-ca.pem"), url
        )
        assert (status, "certificate" in complaint) == (60, True), complaint


main()
