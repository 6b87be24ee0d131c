"""MQTT 3.1.1 end to end, with paho-mqtt and a bare client: every QoS in both directions, sessions that are taken up, retained
messages and wills, a server that is killed, and what NATS clients see of it all."""

import asyncio
import json
import re
import urllib.request

import nats

from credentials import path, text, tls, trusting
from mqtt_client import PATIENCE, PUBACK, PUBCOMP, PUBREC, PUBREL
from mqtt_client import Bare, Client, ack, connect, packet, publish, subscribe, subscribe_all
from server import Server
from suite import main, test

CONFIG = "server_name: m\nhttp: 127.0.0.1:-1\n"
MQTT = 'mqtt { listen: "127.0.0.1:-1" }\n'


def served(config=CONFIG, mqtt=MQTT):
    return Server(config + mqtt, streams=True)


def port_of(server, starts=1):
    """Where it listens for MQTT: the log says it each time it starts."""
    server.wait_for_log("Server is ready", starts)
    found = re.findall(r"Listening for MQTT clients on \w+://[^ ]*:(\d+)", server.log())
    return int(found[-1])


def document(server, path_and_query):
    with urllib.request.urlopen(f"{server.monitoring_url}/{path_and_query}") as answer:
        return json.load(answer)


async def eventually(check):
    """Waits until it is so. What is waited for ends by itself, and nothing tells when."""
    async with asyncio.timeout(PATIENCE):
        while not check():
            await asyncio.sleep(0.01)


@test
async def topics_are_subjects_in_both_directions():
    with served() as server:
        nc = await nats.connect(server.url)
        subscription = await nc.subscribe("a.>")
        await nc.flush()
        with Client(port_of(server), "me") as client:
            assert client.subscribe(("a/#", 0), ("+/x", 0), ("d.o/t/", 0)) == [0, 0, 0]
            client.publish("a/b/c", "up")
            assert client.next() == ("a/b/c", "up", 0, False)
            message = await subscription.next_msg(PATIENCE)
            assert (message.subject, message.data) == ("a.b.c", b"up")
            for subject, topic in [("a", "a"), ("a.b", "a/b"), ("q.x", "q/x"), ("d//o.t./", "d.o/t/")]:
                await nc.publish(subject, b"down")
                await nc.flush()
                assert client.next() == (topic, "down", 0, False), subject
            # Wildcards at the start are not for topics that begin with $.
            await nc.publish("$q.x", b"no")
            await nc.publish("q.x", b"yes")
            await nc.flush()
            assert client.next() == ("q/x", "yes", 0, False)
            client.unsubscribe("+/x")
            await nc.publish("q.x", b"no more")
            await nc.publish("a.z", b"on")
            await nc.flush()
            assert client.next() == ("a/z", "on", 0, False)
        await nc.close()


@test
async def every_qos_meets_every_other():
    with served() as server:
        with Client(port_of(server), "sub") as sub, Client(port_of(server), "pub") as pub:
            assert sub.subscribe(("s0/#", 0), ("s1/#", 1), ("s2/#", 2)) == [0, 1, 2]
            for wanted in range(3):
                for sent in range(3):
                    topic = f"s{wanted}/p{sent}"
                    pub.publish(topic, "x", sent)
                    assert sub.next() == (topic, "x", min(wanted, sent), False)
            assert sub.messages.empty()


@test
async def a_session_is_taken_up_with_what_came_meanwhile():
    with served() as server:
        port = port_of(server)
        client = Client(port, "kept", clean=False)
        assert not client.session_present
        assert client.subscribe(("one/#", 1), ("two/#", 2)) == [1, 2]
        client.leave()
        # Who hears everything takes nothing away.
        nc = await nats.connect(server.url)
        await nc.subscribe(">")
        await nc.flush()
        with Client(port, "pub") as pub:
            pub.publish("one/a", "1", 1)
            pub.publish("two/a", "2", 2)
            with Client(port, "kept", clean=False) as client:
                assert client.session_present
                assert client.take(2) == [("one/a", "1", 1, False), ("two/a", "2", 2, False)]
                client.unsubscribe("one/#")
            with Client(port, "kept", clean=True) as client:
                assert not client.session_present
                pub.publish("two/a", "3", 2)
                client.subscribe(("two/#", 0))
                pub.publish("two/a", "4", 2)
                assert client.next() == ("two/a", "4", 0, False)
            with Client(port, "kept", clean=False) as client:
                assert not client.session_present, "a clean one keeps nothing"
        await nc.close()


@test
async def what_was_acknowledged_is_there_after_the_server_was_killed():
    with served() as server:
        client = Client(port_of(server), "kept", clean=False)
        client.subscribe(("one", 1), ("two", 2))
        client.lose()
        pub = Client(port_of(server), "pub")
        pub.publish("one", "1", 1)
        pub.publish("two", "2", 2)
        pub.publish("ret", "3", 1, retain=True)
        bare = Bare(port_of(server), connect("half", clean=False))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(publish("two", b"half way", 9, 2))
        assert bare.read() == (PUBREC, b"\x00\x09")
        server.kill()
        pub.lose()
        bare.close()
        server.start_again()
        port = port_of(server, starts=2)
        with Client(port, "kept", clean=False) as client:
            assert client.session_present
            assert client.take(2) == [("one", "1", 1, False), ("two", "2", 2, False)]
            client.subscribe(("ret", 1))
            assert client.next() == ("ret", "3", 1, True)
            bare = Bare(port, connect("half", clean=False))
            assert bare.read() == (0x20, b"\x01\x00")
            bare.send(publish("two", b"half way", 9, 2, dup=True))
            assert bare.read() == (PUBREC, b"\x00\x09")
            bare.send(ack(PUBREL, 9))
            assert bare.read() == (PUBCOMP, b"\x00\x09")
            assert client.next() == ("two", "half way", 2, False)
            # Done with: it is released once.
            bare.send(ack(PUBREL, 9))
            assert bare.read() == (PUBCOMP, b"\x00\x09")
            bare.send(publish("two", b"another", 9, 2))
            assert bare.read() == (PUBREC, b"\x00\x09")
            bare.send(ack(PUBREL, 9))
            assert bare.read() == (PUBCOMP, b"\x00\x09")
            assert client.next() == ("two", "another", 2, False)
            bare.close()


@test
async def what_a_clean_session_left_half_way_is_nobodys_after_the_server_was_killed():
    with served() as server:
        bare = Bare(port_of(server), connect("clean"))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(publish("a", b"old", 1, 2))
        assert bare.read() == (PUBREC, b"\x00\x01")
        server.kill()
        bare.close()
        server.start_again()
        port = port_of(server, starts=2)
        with Client(port, "sub") as sub:
            sub.subscribe(("a", 2))
            bare = Bare(port, connect("clean"))
            assert bare.read() == (0x20, b"\x00\x00")
            bare.send(publish("a", b"new", 1, 2))
            assert bare.read() == (PUBREC, b"\x00\x01")
            bare.send(ack(PUBREL, 1))
            assert bare.read() == (PUBCOMP, b"\x00\x01")
            assert sub.next() == ("a", "new", 2, False)
            bare.close()


@test
async def what_was_not_acknowledged_comes_again_under_its_identifier():
    with served() as server:
        port = port_of(server)
        bare = Bare(port, connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe("#", 2))
        assert bare.read() == (0x90, b"\x00\x01\x02")
        with Client(port, "pub") as pub:
            pub.publish("a", "1", 1)
            one = bare.delivered()
            pub.publish("b", "2", 2)
            two = bare.delivered()
            assert one[:2] == ("a", b"1") and two[:2] == ("b", b"2"), (one, two)
            assert (one[3:], two[3:]) == ((1, False), (2, False))
            pub.publish("c", "3", 2)
            three = bare.delivered()
            bare.send(ack(PUBREC, three[2]))
            assert bare.read() == (PUBREL, bytes([0, three[2]]))
        bare.close()
        await eventually(lambda: document(server, "connz?mqtt_client=slow")["num_connections"] == 0)
        bare = Bare(port, connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x01\x00")
        # That one arrived is known: it is to be completed, and does not come again.
        assert bare.read() == (PUBREL, bytes([0, three[2]]))
        again = [bare.delivered(), bare.delivered()]
        assert again == [(*one[:4], True), (*two[:4], True)], again
        bare.send(ack(PUBCOMP, three[2]) + ack(PUBACK, one[2]) + ack(PUBREC, two[2]))
        assert bare.read() == (PUBREL, bytes([0, two[2]]))
        bare.send(ack(PUBCOMP, two[2]) + packet(0xC0))
        assert bare.read() == (0xD0, b"")
        bare.close()


@test
async def what_arrived_while_its_client_was_cut_is_no_longer_waited_for_when_it_is_back():
    with served() as server:
        port = port_of(server)
        nc = await nats.connect(server.url)
        js = nc.jetstream()
        bare = Bare(port, connect("cut", clean=False))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe("a", 2))
        assert bare.read() == (0x90, b"\x00\x01\x02")
        with Client(port, "pub") as pub:
            pub.publish("a", "1", 2)
        message = bare.delivered()
        # It is gone before that is on disk, so its consumer is not told.
        bare.send(ack(PUBREC, message[2]))
        bare.close()
        await eventually(lambda: document(server, "connz?mqtt_client=cut")["num_connections"] == 0)
        bare = Bare(port, connect("cut", clean=False))
        assert bare.read() == (0x20, b"\x01\x00")
        assert bare.read() == (PUBREL, bytes([0, message[2]]))
        bare.send(ack(PUBCOMP, message[2]) + packet(0xC0))
        assert bare.read() == (0xD0, b"")
        # Nothing is known of it any more: were it waited for, it would come once more under another identifier.
        consumer = (await js.consumers_info("$MQTT_msgs"))[0]
        assert consumer.num_ack_pending == 0, consumer
        bare.close()
        await nc.close()


@test
async def what_was_purged_or_deleted_meanwhile_holds_up_nothing():
    with served(mqtt=MQTT.replace("{", "{ max_ack_pending: 1,")) as server:
        port = port_of(server)
        nc = await nats.connect(server.url)
        js = nc.jetstream()

        async def again(session_present):
            """Connects anew, once the connection before is over."""
            await eventually(lambda: document(server, "connz?mqtt_client=slow")["num_connections"] == 0)
            bare = Bare(port, connect("slow", clean=False))
            assert bare.read() == (0x20, bytes([session_present, 0]))
            return bare

        bare = await again(False)
        bare.send(subscribe("a", 2))
        assert bare.read() == (0x90, b"\x00\x01\x02")
        with Client(port, "pub") as pub:
            pub.publish("a", "purged", 1)
            assert bare.delivered()[1] == b"purged"
            bare.close()
            await js.purge_stream("$MQTT_msgs")
            bare = await again(True)
            pub.publish("a", "arrived", 2)
            arrived = bare.delivered()
            assert arrived[1] == b"arrived"
            bare.send(ack(PUBREC, arrived[2]))
            assert bare.read() == (PUBREL, bytes([0, arrived[2]]))
            bare.close()
            # The streams begin anew with it, and the first message with the sequence of one that arrived.
            await js.delete_stream("$MQTT_msgs")
            bare = await again(True)
            assert bare.read() == (PUBREL, bytes([0, arrived[2]]))
            bare.send(ack(PUBCOMP, arrived[2]) + packet(0xC0))
            assert bare.read() == (0xD0, b"")
            for payload in [b"1", b"2", b"3"]:
                pub.publish("a", payload, 1)
                message = bare.delivered()
                assert message[1] == payload
                bare.send(ack(PUBACK, message[2]))
            # A consumer alone is made again, too, and a stream for a subscription that is new.
            consumer = (await js.consumers_info("$MQTT_msgs"))[0]
            bare.close()
            await js.delete_consumer("$MQTT_msgs", consumer.name)
            bare = await again(True)
            bare.send(packet(0xC0))
            assert bare.read() == (0xD0, b"")
            pub.publish("a", "4", 1)
            message = bare.delivered()
            assert message[1] == b"4"
            bare.send(ack(PUBACK, message[2]))
            await js.delete_stream("$MQTT_msgs")
            bare.send(subscribe("b", 1))
            assert bare.read() == (0x90, b"\x00\x01\x01")
            pub.publish("b", "5", 1)
            assert bare.delivered()[1] == b"5"
        bare.close()
        await nc.close()


@test
async def what_waited_for_a_slow_client_comes_at_once_when_it_is_back():
    with served() as server:
        port = port_of(server)
        bare = Bare(port, connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe("a", 1))
        assert bare.read() == (0x90, b"\x00\x01\x01")
        sent = [bytes([number % 256, number // 256]) for number in range(400)]
        with Client(port, "pub") as pub:
            # More than its sockets hold, and what may wait behind them.
            for payload in sent:
                pub.publish("a", payload * 32_768, 1)
        bare.close()
        await eventually(lambda: document(server, "connz?mqtt_client=slow")["num_connections"] == 0)
        bare = Bare(port, connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x01\x00")
        received = set()
        while len(received) < len(sent):
            _, payload, packet_id, _, _ = bare.delivered()
            received.add(payload[:2])
            bare.send(ack(PUBACK, packet_id))
        assert received == set(sent)
        bare.close()


@test
async def subscriptions_do_not_take_each_others_room():
    with served(mqtt=MQTT.replace("{", "{ max_ack_pending: 1,")) as server:
        port = port_of(server)
        bare = Bare(port, connect("slow"))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe_all(["a", "b"], 1))
        assert bare.read() == (0x90, b"\x00\x01\x01\x01")
        with Client(port, "pub") as pub:
            for topic in ["a", "b"]:
                pub.publish(topic, "x", 1)
                assert bare.delivered()[:2] == (topic, b"x"), "the other one is not acknowledged"
        bare.close()


@test
async def a_server_that_is_stopped_knows_what_was_under_way():
    with served() as server:
        port = port_of(server)
        bare = Bare(port, connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe("#", 2))
        assert bare.read() == (0x90, b"\x00\x01\x02")
        with Client(port, "pub") as pub:
            pub.publish("done", "0", 1)
            bare.send(ack(PUBACK, bare.delivered()[2]))
            pub.publish("a", "1", 1)
            pub.publish("b", "2", 2)
            before = [bare.delivered(), bare.delivered()]
        server.stop()
        assert bare.read() is None
        bare.close()
        server.start_again()
        bare = Bare(port_of(server, starts=2), connect("slow", clean=False))
        assert bare.read() == (0x20, b"\x01\x00")
        again = [bare.delivered(), bare.delivered()]
        assert again == [(*one[:4], True) for one in before], (before, again)
        bare.close()


@test
async def a_message_is_sent_again_when_its_time_is_over():
    with served("jetstream { domain: hub }\n" + CONFIG, MQTT.replace("{", '{ ack_wait: "1s", js_domain: hub,')) as server:
        port = port_of(server)
        bare = Bare(port, connect("slow"))
        assert bare.read() == (0x20, b"\x00\x00")
        bare.send(subscribe("a", 1))
        assert bare.read() == (0x90, b"\x00\x01\x01")
        with Client(port, "pub") as pub:
            pub.publish("a", "1", 1)
            first = bare.delivered()
            assert bare.delivered() == (*first[:4], True)
            bare.send(ack(PUBACK, first[2]))
            pub.publish("a", "2", 1)
            assert bare.delivered()[:2] == ("a", b"2")
        bare.close()


@test
async def one_message_is_kept_a_topic_until_an_empty_one_comes():
    with served() as server:
        port = port_of(server)
        with Client(port, "pub") as pub:
            for qos, topic in enumerate(["r", "r/a", "r/b"]):
                pub.publish(topic, "old", 1, retain=True)
                pub.publish(topic, "new", qos, retain=True)
            # What was asked for later was stored before it.
            pub.publish("other", "", 1)
            with Client(port, "sub") as sub:
                sub.subscribe(("r/#", 2))
                expected = [("r", "new", 0, True), ("r/a", "new", 1, True), ("r/b", "new", 2, True)]
                assert sub.take(3) == expected
                pub.publish("r/a", "", 1, retain=True)
                assert sub.next() == ("r/a", "", 1, False), "others hear it as it is"
            with Client(port, "later") as later:
                later.subscribe(("r/+", 0))
                assert later.next() == ("r/b", "new", 0, True)
                pub.publish("r/c", "end", 0)
                assert later.next() == ("r/c", "end", 0, False)


@test
async def whoever_is_lost_leaves_a_will_and_whoever_leaves_does_not():
    with served() as server:
        port = port_of(server)
        with Client(port, "sub") as sub:
            sub.subscribe(("gone/#", 1))
            for qos in range(3):
                Client(port, "w", will=(f"gone/{qos}", "bye", qos, qos == 1)).lose()
                assert sub.next() == (f"gone/{qos}", "bye", min(qos, 1), False)
            Client(port, "w", will=("gone/left", "bye", 1)).leave()
            silent = Bare(port, connect("w", keepalive=1))
            assert silent.read() == (0x20, b"\x00\x00")
            assert silent.read() is None, "one and a half times the keep-alive is over"
            with Client(port, "w", will=("gone/x", "bye", 1)) as broken:
                broken.say(b"\xff\xff")
                assert sub.next() == ("gone/x", "bye", 1, False)
        with Client(port, "later") as later:
            later.subscribe(("gone/#", 1))
            assert later.next() == ("gone/1", "bye", 1, True)


@test
async def what_came_while_the_server_could_not_run_came_in_time():
    with served() as server:
        port = port_of(server)
        bare = [Bare(port, connect(f"w{number}", keepalive=2)) for number in range(8)]
        for one in bare:
            assert one.read() == (0x20, b"\x00\x00")
        with server.stopped_for(3.5):
            for one in bare:
                one.send(packet(0xC0))
        for one in bare:
            assert one.read() == (0xD0, b"")
            one.close()


@test
async def the_will_of_a_client_that_the_server_ended_comes_once():
    accounts = """
    accounts {
      $SYS { users: [ { user: admin, password: p } ] }
      A { jetstream: enabled, users: [ { user: u, password: p } ], mappings { gone: "lost", lost: "twice" } } }
    """
    with served(CONFIG + accounts) as server:
        port = port_of(server)
        admin = await nats.connect(server.url, user="admin", password="p")
        with Client(port, "sub", user=("u", "p")) as sub:
            sub.subscribe(("+", 1))
            nc = await nats.connect(server.url, user="u", password="p")
            heard = await nc.subscribe("*")
            await nc.flush()
            for qos in range(3):
                ended = Client(port, "w", will=("gone", "bye", qos), user=("u", "p"))
                cid = document(server, "connz?mqtt_client=w")["connections"][0]["cid"]
                server_id = document(server, "varz")["server_id"]
                kick = json.dumps({"cid": cid}).encode()
                answer = await admin.request(f"$SYS.REQ.SERVER.{server_id}.KICK", kick, PATIENCE)
                assert "error" not in json.loads(answer.data), answer.data
                assert ended.disconnected.get(timeout=PATIENCE)
                assert sub.next() == ("lost", "bye", min(qos, 1), False)
                message = await heard.next_msg(PATIENCE)
                assert (message.subject, message.data) == ("lost", b"bye")
            await nc.publish("end", b"")
            await nc.flush()
            assert sub.next()[0] == "end", "nothing came twice"
            assert (await heard.next_msg(PATIENCE)).subject == "end"
            await nc.close()
        await admin.close()


@test
async def the_newer_of_two_with_one_identifier_stays():
    with served() as server:
        port = port_of(server)
        first = Client(port, "same", will=("gone", "no", 0))
        with Client(port, "sub") as sub:
            sub.subscribe(("gone", 0))
            with Client(port, "same") as second:
                assert first.disconnected.get(timeout=PATIENCE)
                second.publish("gone", "mine")
                assert sub.next() == ("gone", "mine", 0, False), "no will of the first"
        closed = document(server, "connz?state=closed&mqtt_client=same")["connections"]
        assert closed[0]["reason"] == "Duplicate Client ID", closed
        older = Bare(port, connect("other", clean=False))
        assert older.read() == (0x20, b"\x00\x00")
        newer = Bare(port, connect("other", clean=False))
        assert newer.read() == (0x20, b"\x01\x00")
        assert older.read() is None
        newer.send(packet(0xE0))
        assert newer.read() is None
        # It left by itself, so nobody quarrels with it, however soon that is after it took the place.
        last = Bare(port, connect("other", clean=False))
        assert last.read() == (0x20, b"\x01\x00")
        for bare in (older, newer, last):
            bare.close()


@test
async def who_reads_nothing_can_be_replaced_all_the_same():
    with served() as server:
        port = port_of(server)
        nc = await nats.connect(server.url)
        slow = Bare(port, connect("same"))
        assert slow.read() == (0x20, b"\x00\x00")
        slow.send(subscribe("flood", 0))
        assert slow.read() == (0x90, b"\x00\x01\x00")
        # More than its sockets hold.
        for _ in range(400):
            await nc.publish("flood", b"x" * 65_536)
            await nc.flush()
        with Client(port, "same") as second:
            assert second.code == 0
        slow.close()
        with Client(port, "pub") as pub:
            for number in range(400):
                pub.publish(f"kept/{number}", "x" * 65_536, 0, retain=True)
            slow = Bare(port, connect("same"))
            assert slow.read() == (0x20, b"\x00\x00")
            slow.send(subscribe("kept/#", 0))
            assert slow.read() == (0x90, b"\x00\x01\x00")
            with Client(port, "same") as second:
                assert second.code == 0
        slow.close()
        await nc.close()


@test
async def connections_are_refused_with_the_code_that_says_why():
    mqtt = 'mqtt { listen: "127.0.0.1:-1", authorization { user: u, pass: p, timeout: 1 }, reject_qos2_publish: true }\n'
    with served(mqtt=mqtt) as server:
        port = port_of(server)
        assert Client(port, "me", user=("u", "p")).code == 0
        # paho tells these codes as those of MQTT 5.
        assert Client(port, "me", user=("u", "x")).code == 135
        assert Bare(port, connect("me")).read() == (0x20, b"\x00\x05")
        assert Bare(port, connect("me", level=5)).read() == (0x20, b"\x00\x01")
        assert Bare(port, connect("", clean=False)).read() == (0x20, b"\x00\x02")
        assert Bare(port, connect("a.b")).read() == (0x20, b"\x00\x02")
        will = connect("me")[:9] + b"\x16" + connect("me")[10:] + b"\x00\x01w\x00\x00"
        will = bytes([will[0], len(will) - 2]) + will[2:]
        assert Bare(port, will).read() == (0x20, b"\x00\x10")
        assert Bare(port, packet(0xC0)).read() is None, "CONNECT comes first"
        assert Bare(port, connect("me")[:9]).read() is None, "it comes whole, and in time"
        second = Client(port, "me", user=("u", "p"))
        second.say(connect("me"))
        assert second.disconnected.get(timeout=PATIENCE)
        third = Client(port, "me3", user=("u", "p"))
        third.say(publish("a", b"b", 1, 2))
        assert third.disconnected.get(timeout=PATIENCE)


ACCOUNTS = """
accounts {
  A { jetstream: enabled, users: [
    { user: ana, password: p, permissions: { publish: ["ok.>", "gone"], subscribe: { allow: ["ok.>"], deny: "ok.no" } } }
    { user: std, password: p, allowed_connection_types: [STANDARD] }
    { user: mq, password: p, allowed_connection_types: [MQTT] } ] }
  B { jetstream: enabled, users: [ { user: bob, password: p } ] }
  C { users: [ { user: eva, password: p } ] }
}
"""


@test
async def users_are_held_to_their_account_and_permissions():
    with served(CONFIG + ACCOUNTS) as server:
        port = port_of(server)
        assert Client(port, "x", user=("std", "p")).code == 135
        assert Client(port, "x", user=("eva", "p")).code == 136, "no streams: unavailable"
        with (
            Client(port, "same", user=("ana", "p")) as ana,
            Client(port, "same", user=("bob", "p")) as bob,
            Client(port, "mq", user=("mq", "p")) as other,
        ):
            assert bob.subscribe(("ok/+", 1)) == [1]
            assert other.subscribe(("#", 1)) == [1]
            assert ana.subscribe(("ok/+", 1), ("no/+", 1)) == [1, 128]
            ana.publish("no/1", "x", 1)
            ana.publish("no/2", "x", 2, retain=True)
            ana.publish("ok/1", "x", 1)
            assert ana.next() == ("ok/1", "x", 1, False)
            assert other.next() == ("ok/1", "x", 1, False), "what was denied reached nobody"
            other.publish("ok/no", "secret", 1, retain=True)
            other.publish("ok/2", "y", 2)
            assert ana.next() == ("ok/2", "y", 1, False)
            assert ana.subscribe(("ok/+", 0)) == [0]
            other.publish("ok/3", "z", 1)
            assert ana.next() == ("ok/3", "z", 0, False), "what is denied is not told as retained either"
            bob.publish("ok/bob", "b", 1)
            assert bob.next() == ("ok/bob", "b", 1, False), "accounts don't hear each other"
            told = document(server, "connz?auth=1&mqtt_client=same&acc=A")["connections"]
            assert len(told) == 1
            told = told[0]
            assert (told["type"], told["mqtt_client"], told["authorized_user"]) == ("mqtt", "same", "ana")
            allowed = ACCOUNTS.replace('publish: ["ok.>", "gone"], subscribe: { allow: ["ok.>"]', 'subscribe: { allow: ["new.>"]')
            server.reload(CONFIG + allowed + MQTT)
            other.publish("ok/4", "not any more", 1)
            assert ana.subscribe(("new/+", 1)) == [1]
            other.publish("new/1", "n", 1)
            assert ana.next() == ("new/1", "n", 1, False), "subscriptions that are not allowed any more end"


@test
async def a_message_of_qos_2_that_may_not_be_published_is_not_kept_until_it_is_released():
    with served(CONFIG + ACCOUNTS) as server:
        port = port_of(server)
        bare = Bare(port, connect("ana", user=("ana", "p")))
        assert bare.read() == (0x20, b"\x00\x00")
        for packet_id, topic, kept in [(1, "no/1", 0), (2, "ok/1", 1)]:
            bare.send(publish(topic, b"x", packet_id, 2))
            assert bare.read() == (PUBREC, bytes([0, packet_id]))
            account = document(server, "jsz?acc=A&streams=true")["account_details"][0]
            messages = {stream["name"]: stream["state"]["messages"] for stream in account["stream_detail"]}
            assert messages["$MQTT_qos2in"] == kept, messages
        for packet_id in [1, 2]:
            bare.send(ack(PUBREL, packet_id))
            assert bare.read() == (PUBCOMP, bytes([0, packet_id]))
        server.wait_for_log("publish violation")
        bare.close()


@test
async def claims_may_be_the_password_of_a_bearer():
    with served(CONFIG + text("operator.conf")) as server:
        port = port_of(server)
        assert Client(port, "x", user=("any", "wrong")).code == 135
        with Client(port, "x", user=("any", text("bearer.jwt"))) as client:
            client.subscribe(("a", 1))
            client.publish("a", "from a bearer", 1)
            assert client.next() == ("a", "from a bearer", 1, False)
            told = document(server, "connz?auth=1&mqtt_client=x")["connections"][0]
            assert told["account"] != "$G", told


@test
async def passwords_and_tokens_may_be_as_long_as_packets_allow():
    for credential, user in [("user: u, password", "u"), ("token", "any")]:
        secret = '\\"' + "s" * 65_000
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        with served(mqtt=f'mqtt {{ listen: "127.0.0.1:-1", authorization {{ {credential}: "{quoted}" }} }}\n') as server:
            port = port_of(server)
            with Client(port, "me", user=(user, secret)) as client:
                assert client.code == 0, credential
            assert Client(port, "me", user=(user, secret + "x")).code == 135, credential
            assert secret[2:] not in server.log()


@test
async def tls_is_spoken_where_it_is_asked_for():
    listener = f'mqtt {{ listen: "127.0.0.1:-1", {tls("server", "verify: true")} }}\n'
    listener = listener.replace("verify: true", f'verify: true, ca_file: "{path("ca.pem")}"')
    with served(mqtt=listener) as server:
        port = port_of(server)
        with Client(port, "me", tls=trusting(client="client")) as client:
            client.subscribe(("a", 1))
            client.publish("a", "over TLS", 1)
            assert client.next() == ("a", "over TLS", 1, False)
            told = document(server, "connz?mqtt_client=me")["connections"][0]
            assert told["tls_version"] in ("1.2", "1.3")
        assert Bare(port, connect("me")).read() is None


@test
async def streams_of_users_and_those_of_mqtt_stay_apart():
    with served() as server:
        nc = await nats.connect(server.url)
        js = nc.jetstream()
        await js.add_stream(name="S", subjects=["s.>"])
        with Client(port_of(server), "me") as client:
            client.subscribe(("s/#", 1))
            client.publish("s/1", "x", 1)
            assert client.next() == ("s/1", "x", 1, False)
            assert (await js.get_msg("S", 1)).data == b"x"
            names = {info.config.name for info in await js.streams_info()}
            assert names == {"S", "$MQTT_sess", "$MQTT_msgs", "$MQTT_rmsgs", "$MQTT_qos2in", "$MQTT_out"}
        await eventually(lambda: document(server, "connz")["num_connections"] == 1)
        for name in ["$MQTT_sess", "$MQTT_msgs", "$MQTT_qos2in", "$MQTT_out"]:
            info = await js.stream_info(name)
            assert (info.state.messages, info.state.consumer_count) == (0, 0), f"{name}: {info}"
        await nc.close()


@test
async def a_client_that_reads_nothing_is_cut_off_and_named_and_others_are_served():
    limits = "max_pending: 1MB\nwrite_deadline: 1s\n"
    with served(CONFIG + limits) as server:
        port = port_of(server)
        nc = await nats.connect(server.url)
        slow = Bare(port, connect("slow"))
        assert slow.read() == (0x20, b"\x00\x00")
        slow.send(subscribe("flood", 0))
        assert slow.read() == (0x90, b"\x00\x01\x00")
        with Client(port, "fine") as fine:
            fine.subscribe(("flood", 0), ("end", 0))
            for _ in range(400):
                await nc.publish("flood", b"x" * 65_536)
                await nc.flush()
            await nc.publish("end", b"")
            await nc.flush()
            received = 0
            while fine.next()[0] != "end":
                received += 1
            assert received == 400
            server.wait_for_log("slow consumer cut off")
        closed = document(server, "connz?state=closed&mqtt_client=slow")["connections"]
        assert closed and closed[0]["reason"].startswith("Slow Consumer"), closed
        slow.close()
        await nc.close()


@test
async def one_packet_gets_ten_thousand_subscriptions_and_the_rest_is_refused():
    with served() as server:
        port = port_of(server)
        bare = Bare(port, connect("greedy"))
        assert bare.read() == (0x20, b"\x00\x00")
        topics = [f"{number:x}" for number in range(100_000)]
        bare.send(subscribe_all(topics + ["0"], 0))
        first, body = bare.read()
        assert (first, body[:2]) == (0x90, b"\x00\x01")
        assert body[2:] == bytes(10_000) + b"\x80" * 90_000 + b"\x00"
        bare.send(subscribe_all(["+/#/x"] * 1000, 1))
        assert bare.read() == (0x90, b"\x00\x01" + b"\x80" * 1000)
        told = server.log().count("MQTT subscription refused")
        assert told == 10, told
        with Client(port, "pub") as pub:
            pub.publish("270f", "the last of them", 1)
        bare.send(packet(0xC0))
        assert bare.read() == (0x30, b"\x00\x04270fthe last of them")
        assert bare.read() == (0xD0, b"")
        bare.close()


@test
async def the_largest_message_passes_with_every_qos_and_a_larger_one_does_not():
    with served() as server:
        port = port_of(server)
        # Headers count, and the shortest one is NATS/1.0 and Nmqtt-Pub:0.
        most = "x" * (1024 * 1024 - 25)
        with Client(port, "sub") as sub, Client(port, "pub") as pub:
            sub.subscribe(("large/#", 2))
            for qos in range(3):
                pub.publish(f"large/{qos}", most, qos, retain=True)
                assert sub.next() == (f"large/{qos}", most, qos, False)
            # Its session is as good as before.
            pub.publish("large/more", "y", 2)
            assert sub.next() == ("large/more", "y", 2, False)
            for qos in range(3):
                with Client(port, "greedy") as greedy:
                    greedy.say(publish("large/no", most.encode() + b"x", 1, qos) if qos else packet(0x30, b"\x00\x01a", most.encode() + b"x"))
                    assert greedy.disconnected.get(timeout=PATIENCE)
        closed = document(server, "connz?state=closed&mqtt_client=greedy")["connections"]
        assert [one["reason"] for one in closed] == ["Maximum Message Payload Exceeded"] * 3, closed


@test
async def what_an_account_allows_is_for_its_clients_and_not_for_what_serves_them():
    limited = """
    accounts { A { jetstream: enabled, users: [ { user: u, password: p } ], limits { max_payload: 100, max_subscriptions: 2 } } }
    """
    with served(CONFIG + limited) as server:
        port = port_of(server)
        most = "x" * 75
        with Client(port, "me", clean=False, user=("u", "p")) as client:
            assert client.subscribe(("a", 2), ("b", 2), ("c", 2)) == [2, 2, 128]
            for qos in range(3):
                client.publish("a", most, qos, retain=True)
                assert client.next() == ("a", most, qos, False)
            client.publish("b", "y", 1)
            assert client.next() == ("b", "y", 1, False)
            client.say(publish("a", most.encode() + b"x", 1, 1))
            assert client.disconnected.get(timeout=PATIENCE)


@test
async def options_change_while_clients_stay():
    with served() as server:
        port = port_of(server)
        bare = Bare(port, connect("few"))
        assert bare.read() == (0x20, b"\x00\x00")
        server.reload(CONFIG + MQTT.replace("{", "{ max_ack_pending: 1, downgrade_qos2_subscribe: true,"))
        bare.send(subscribe("a", 2))
        assert bare.read() == (0x90, b"\x00\x01\x01"), "QoS 1 instead of 2"
        with Client(port, "pub") as pub:
            pub.publish("a", "1", 2)
            pub.publish("a", "2", 2)
            first = bare.delivered()
            bare.send(packet(0xC0))
            assert bare.read() == (0xD0, b""), "no second one before the first is acknowledged"
            bare.send(ack(PUBACK, first[2]))
            assert bare.delivered()[:2] == ("a", b"2")
        told = document(server, "varz")["mqtt"]
        assert (told["max_ack_pending"], told["ack_wait"]) == (1, 30_000_000_000), told
        bare.close()


main()
