"""Two MQTT clients: paho-mqtt with its callbacks as queues, and a bare one that says what it is told to, packet by packet."""

import queue
import socket
import struct

import paho.mqtt.client as paho

# How long something that should happen at once may take.
PATIENCE = 20


class Client:
    """paho-mqtt; what comes is in queues. It never connects again by itself."""

    def __init__(self, port, client_id, clean=True, will=None, user=None, keepalive=60, tls=None):
        self.messages, self.acks = queue.Queue(), queue.Queue()
        self.connected, self.disconnected = queue.Queue(), queue.Queue()
        self._inner = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._inner.on_message = lambda _c, _u, m: self.messages.put(
            (m.topic, m.payload.decode(), m.qos, m.retain)
        )
        self._inner.on_subscribe = lambda _c, _u, _id, codes, _p: self.acks.put(
            [code.value for code in codes]
        )
        self._inner.on_unsubscribe = lambda *_: self.acks.put(None)
        self._inner.on_connect = lambda _c, _u, flags, code, _p: self.connected.put(
            (flags.session_present, code.value)
        )
        self._inner.on_disconnect = lambda *_: self.disconnected.put(True)
        if will:
            self._inner.will_set(*will)
        if user:
            self._inner.username_pw_set(*user)
        if tls:
            self._inner.tls_set_context(tls)
        self._inner.connect("localhost" if tls else "127.0.0.1", port, keepalive)
        self._inner.loop_start()
        self.session_present, self.code = self.connected.get(timeout=PATIENCE)

    def subscribe(self, *filters):
        self._inner.subscribe(list(filters))
        return self.acks.get(timeout=PATIENCE)

    def unsubscribe(self, *filters):
        self._inner.unsubscribe(list(filters))
        self.acks.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos=0, retain=False):
        """Publishes, and waits until that is acknowledged."""
        published = self._inner.publish(topic, payload, qos, retain)
        published.wait_for_publish(PATIENCE)
        assert published.is_published(), f"{topic} was not acknowledged"

    def next(self):
        return self.messages.get(timeout=PATIENCE)

    def take(self, count):
        return sorted(self.next() for _ in range(count))

    def say(self, data):
        """Sends these bytes, whatever they are."""
        self._inner.socket().sendall(data)

    def leave(self):
        self._inner.disconnect()
        self._inner.loop_stop()

    def lose(self):
        """Breaks the connection, as a network does."""
        if inner := self._inner.socket():
            inner.shutdown(socket.SHUT_RDWR)
        self._inner.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()


def field(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


def packet(first, *body):
    body = b"".join(body)
    length, rest = [], len(body)
    while rest > 127:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([first, *length, rest]) + body


def connect(client_id, clean=True, level=4, keepalive=0, user=None):
    flags = (2 if clean else 0) | (0xC0 if user else 0)
    head = field("MQTT") + bytes([level, flags]) + struct.pack(">H", keepalive)
    return packet(0x10, head, field(client_id), *map(field, user or []))


def publish(topic, payload, packet_id, qos, dup=False):
    return packet(0x30 | dup << 3 | qos << 1, field(topic), struct.pack(">H", packet_id), payload)


def subscribe(topic, qos):
    return subscribe_all([topic], qos)


def subscribe_all(topics, qos):
    return packet(0x82, b"\x00\x01", *(field(topic) + bytes([qos]) for topic in topics))


PUBACK, PUBREC, PUBREL, PUBCOMP = 0x40, 0x50, 0x62, 0x70


def ack(kind, packet_id):
    return packet(kind, struct.pack(">H", packet_id))


class Bare:
    """A socket, and packets."""

    def __init__(self, port, first=b""):
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.settimeout(PATIENCE)
        self.send(first)

    def send(self, data):
        self._socket.sendall(data)

    def read(self):
        """The next packet: its first byte and its body. None: the connection is over."""
        first = self._exactly(1)
        if not first:
            return None
        length = shift = 0
        while digit := self._exactly(1):
            length |= (digit[0] & 0x7F) << shift
            shift += 7
            if digit[0] < 128:
                return first[0], self._exactly(length)
        return None

    def delivered(self):
        """The next message: topic, payload, packet identifier, QoS and DUP."""
        first, body = self.read()
        assert first & 0xF0 == 0x30, hex(first)
        length = struct.unpack(">H", body[:2])[0]
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        packet_id = struct.unpack(">H", rest[:2])[0]
        return topic, rest[2:], packet_id, (first >> 1) & 3, bool(first & 8)

    def close(self):
        self._socket.close()

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self._socket.recv(count - len(data))
            except ConnectionResetError:
                return None
            if not more:
                return None
            data += more
        return data
