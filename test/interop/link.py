"""One link with one peer: docs/protocol.md, "A link, from dial to end"."""

import os
import re
import socket
from collections import deque

import wire
from wire import Violation

VERSIONS = (1, 1)
FRAME_LIMIT = 1024 * 1024
WINDOW = 64 * 1024
REQUEST_LIMIT = 16
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
ID = re.compile(r"^[0-9a-z]{13}$")

LEGAL = {
    "greeting": {wire.HELLO, wire.GOODBYE},
    "deciding": {wire.GOODBYE},
    "introducing": {wire.SUBSCRIBE, wire.ACKNOWLEDGE, wire.READY, wire.GOODBYE},
    "up": set(wire.ELEMENTS) - {wire.HELLO, wire.READY},
}


def hello_of(peer):
    return {
        "versions": list(VERSIONS),
        "name": peer.name,
        "id": peer.id,
        "groups": peer.groups,
        "pid": os.getpid(),
        "frameLimit": FRAME_LIMIT,
        "window": WINDOW,
        "requestLimit": REQUEST_LIMIT,
        "bigints": True,
    }


def check(hello, expected):
    """Holds a hello against the rules, in the order of the document."""
    named = isinstance(hello.get("name"), str) and NAME.match(hello["name"])
    known = isinstance(hello.get("id"), str) and ID.match(hello["id"])
    groups = hello.get("groups")
    grouped = isinstance(groups, list) and all(isinstance(group, str) and NAME.match(group) for group in groups)
    versions = hello.get("versions")
    numbers = [wire.as_integer(hello.get(field)) for field in ("pid", "frameLimit", "window", "requestLimit")]
    if not (named and known and grouped and isinstance(versions, list) and len(versions) >= 2 and None not in numbers):
        raise Violation("malformed", "expected a hello with all its fields")
    if expected and (hello["name"], hello["id"]) != expected:
        raise Violation("wrong-peer", f"expected {expected}, got {hello['name']}~{hello['id']}")
    version = min(VERSIONS[1], versions[1])
    if version < max(VERSIONS[0], versions[0]):
        raise Violation("version-mismatch", f"expected {VERSIONS}, got {versions}")
    if numbers[1] < wire.FRAME_BEFORE_HANDSHAKE or numbers[2] < 1 or numbers[3] < 1:
        raise Violation("malformed", "expected limits that can be kept")


class Link:
    """`expected` is whom we have dialled: (name, id), or None where the peer has dialled us."""

    def __init__(self, peer, connection, expected):
        self.peer = peer
        self.connection = connection
        self.expected = expected
        self.reader = wire.FrameReader()
        self.state = "greeting"
        self.hello = None
        self.out = bytearray()
        self.waiting = deque()  # Frames of events, and after each whatever must not overtake it.
        self.ahead = 0  # Bytes of events that the peer has given no credit for.
        self.unconfirmed = 0  # How many events these are.
        self.received = [0, 0]  # Bytes and events that are done with here, and not credited yet.
        self.interest = []
        self.hands = {}  # What members at the other end have been given, by their numbers.
        self.has_failed = False  # A write has: what came before may not have been read.
        self.told = 0
        self.known = 0
        self.completing = None  # The number of the peer's last change, as long as events are on their way to it.
        connection.setblocking(False)
        if expected:
            self.say(wire.HELLO, hello_of(peer))

    @property
    def name(self):
        return self.hello["name"]

    @property
    def id(self):
        return self.hello["id"]

    @property
    def idle(self):
        return not self.out and not self.waiting

    def say(self, kind, *elements):
        self.out += wire.pack([kind, *elements])

    def accept(self):
        if not self.expected:
            self.say(wire.HELLO, hello_of(self.peer))
        self.state = "introducing"
        self.reader.limit = FRAME_LIMIT
        if self.peer.interest:
            self.tell(wire.SUBSCRIBE, self.peer.interest)
        self.say(wire.READY)

    def acknowledge(self, sequence, _entries, last=False):
        """If it was the last change, the peer wants to know when all its events have been sent."""
        if not last:
            return self.say(wire.ACKNOWLEDGE, sequence)
        self.say(wire.ACKNOWLEDGE, sequence, not self.waiting)
        if self.waiting:
            self.completing = sequence

    def tell(self, kind, entries):
        """A change of what we want. It is known when the peer has acknowledged its number."""
        self.told += 1
        self.say(kind, self.told, entries)

    def send_event(self, kind, *elements):
        if wire.holds_bigint(elements) and not self.hello.get("bigints"):
            return
        frame = wire.pack([kind, *elements])
        if len(frame) - wire.PREFIX_BYTES <= self.hello["frameLimit"]:
            self.waiting.append(frame)
            self.advance()

    def advance(self):
        """Lets events go as long as fewer bytes than the peer's window are ahead of its credit."""
        while self.waiting and self.ahead < self.hello["window"]:
            frame = self.waiting.popleft()
            self.ahead += len(frame)
            self.unconfirmed += 1
            self.out += frame
        if self.completing is not None and not self.waiting:
            self.say(wire.ACKNOWLEDGE, self.completing, True)
            self.completing = None

    def credited(self, bytes, events):
        self.ahead = max(self.ahead - bytes, 0)
        self.unconfirmed = max(self.unconfirmed - events, 0)
        self.advance()

    def done_with(self, size):
        """Gathers less than half a window."""
        self.received[0] += size
        self.received[1] += 1
        if self.received[0] * 4 >= WINDOW:
            self.give_credit()

    def give_credit(self):
        if self.received[1]:
            self.say(wire.CREDIT, *self.received)
            self.received = [0, 0]

    def read(self):
        """What has come in. Returns whether the stream goes on."""
        try:
            chunk = self.connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.state != "leaving":
            self.reader.push(chunk)
        while self.state not in ("leaving", "closed") and (body := self.reader.take()) is not None:
            kind, elements = wire.parse(body)
            if kind not in LEGAL[self.state]:
                raise Violation("unexpected-message", f"expected none of kind {kind} when {self.state}")
            self.peer.heard(self, kind, elements, len(body) + wire.PREFIX_BYTES)
        return len(chunk) > 0

    def write(self):
        try:
            sent = self.connection.send(self.out) if self.out else 0
        except BlockingIOError:
            return True
        except OSError:
            self.has_failed = True
            return False
        del self.out[:sent]
        return True

    def leave(self):
        """Says goodbye behind everything else, and reads on without looking."""
        self.say(wire.GOODBYE, "left", f"{self.peer.name} has closed")
        self.connection.setblocking(True)
        self.connection.sendall(self.out)
        self.out.clear()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.setblocking(False)
        self.state = "leaving"

    def refuse(self, reason, text):
        self.say(wire.GOODBYE, reason, text[:1000])
        self.write()
        self.close()

    def close(self):
        self.state = "closed"
        self.connection.close()
