"""A peer of the bus, in Python, written from docs/protocol.md alone.

    peer.py <directory> <name> [<group>...]

Takes commands from its input and writes what happens to its output, as one line of JSON each.
"""

import json
import os
import selectors
import sys
import time

import interest
import wire
from dealing import Dealing
from directory import Directory, new_id
from inbox import Inbox
from link import Link, check
from queues import Queues
from wire import Violation

RESCAN = 1.0
SILENCE = 5.0
HANDSHAKE = 10.0
# What a challenger is told, or hears, that says nothing about the name.
SAYS_NOTHING = {"closing", "too-many-handshakes", None}


class Peer(Dealing):
    def __init__(self, path, name, groups):
        self.directory = Directory(path)
        self.name, self.groups, self.id = name, groups, new_id()
        self.interest = []
        self.links = []
        self.requests = {}
        self.queues = Queues(self)
        self.inboxes = {}  # By the numbers of our members.
        self.ending = []  # The inboxes of members that have ended.
        self.commands = bytearray()
        self.holds_name = False
        self.leaving = None
        self.selector = selectors.DefaultSelector()
        self.next_look = 0.0

    # The bus

    def run(self):
        self.listener = self.directory.publish(self.name, self.id)
        self.selector.register(self.listener, selectors.EVENT_READ, self.take_connection)
        self.claim()
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.take_commands)
        self.look_around()
        self.report("started", name=self.name, id=self.id)
        while self.leaving != "gone":
            self.turn(0.05)

    def turn(self, timeout):
        for link in self.links:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.out else 0)
            self.selector.modify(link.connection, wanted, link)
        for key, ready in self.selector.select(timeout):
            if isinstance(key.data, Link):
                self.serve(key.data, ready)
            else:
                key.data()
        if time.monotonic() >= self.next_look and not self.leaving:
            self.look_around()
        self.watch_links()
        for inbox in self.every_inbox():
            inbox.go_on()
        if self.leaving:
            self.go_on_leaving()

    def every_inbox(self):
        return [*self.inboxes.values(), *self.ending]

    def take_connection(self):
        connection, _ = self.listener.accept()
        self.add(connection, None)

    def add(self, connection, expected):
        link = Link(self, connection, expected)
        link.since = link.heard_at = time.monotonic()
        self.links.append(link)
        self.selector.register(connection, selectors.EVENT_READ, link)
        return link

    def claim(self):
        """Challenges everyone who bears our name, until each has conceded or is gone."""
        deadline = time.monotonic() + HANDSHAKE
        beaten = {self.id}
        while rivals := [id for name, id in self.directory.addresses() if name == self.name and id not in beaten]:
            for id in rivals:
                answer = self.challenge(id, deadline)
                if answer == "name-conceded":
                    beaten.add(id)
                elif answer not in SAYS_NOTHING or time.monotonic() > deadline:
                    self.directory.withdraw(self.name, self.id)
                    self.report("refused", reason=answer)
                    sys.exit(1)
        self.holds_name = True
        for link in [link for link in self.links if link.state == "deciding"]:
            self.decide(link)

    def challenge(self, id, deadline):
        connection = self.directory.dial(self.name, id)
        if not connection:
            return None
        link = self.add(connection, (self.name, id))
        link.answer = None
        while link in self.links and time.monotonic() < deadline:
            self.turn_for(link)
        return link.answer if link not in self.links else "silence"

    def turn_for(self, link):
        self.next_look = time.monotonic() + RESCAN
        self.turn(0.05)

    def look_around(self):
        self.next_look = time.monotonic() + RESCAN
        linked = {(link.name, link.hello["id"]) if link.hello else link.expected for link in self.links}
        for name, id in self.directory.addresses():
            if name != self.name and (name, id) not in linked:
                connection = self.directory.dial(name, id)
                if connection:
                    self.add(connection, (name, id))

    def watch_links(self):
        now = time.monotonic()
        for link in list(self.links):
            if link.state in ("greeting", "deciding", "introducing") and now - link.since > HANDSHAKE:
                self.end(link, "lost", "handshake-timeout", told=True)
            elif link.state == "up":
                link.give_credit()
                if now - link.heard_at > SILENCE:
                    link.heard_at = now
                    link.say(wire.PING)

    # Links

    def serve(self, link, ready):
        try:
            goes_on = link.read() if ready & selectors.EVENT_READ else True
            if goes_on and ready & selectors.EVENT_WRITE:
                goes_on = link.write()
        except Violation as violation:
            return self.end(link, "lost", violation.reason, told=True)
        if link.state != "closed" and not goes_on:
            self.end(link, "done" if link.state == "leaving" else "lost", "end of stream")

    def end(self, link, how, reason, told=False):
        self.selector.unregister(link.connection)
        self.links.remove(link)
        was_up = link.state == "up"
        if told:
            link.refuse(reason, reason)
        else:
            link.close()
        if was_up:
            self.report(how, peer=link.name, id=link.id, reason=reason, cost=[len(link.waiting), link.unconfirmed])
        for inbox in self.every_inbox():
            inbox.closed(link, has_left=how == "left")
        self.queues.closed(link, is_read=how == "left" or (reason == "end of stream" and not link.has_failed))
        for id in [id for id, asked in self.requests.items() if asked is link]:
            del self.requests[id]
            self.report("disconnected", id=id)

    def heard(self, link, kind, elements, size):
        link.heard_at = time.monotonic()
        if kind == wire.HELLO:
            self.greeted(link, elements[0])
        elif kind == wire.GOODBYE:
            link.answer = elements[0]
            how = "left" if elements[0] in ("left", "closing") else "lost"
            self.end(link, how, elements[0])
        elif kind == wire.READY:
            link.state = "up"
            self.report("joined", peer=link.name, id=link.id, groups=link.hello["groups"])
            self.queues.deal()
        elif kind in (wire.SUBSCRIBE, wire.UNSUBSCRIBE):
            interest.learn(link.interest, elements[1], kind == wire.SUBSCRIBE)
            link.acknowledge(*elements)
            self.queues.changed(link, elements[1], kind == wire.SUBSCRIBE)
        elif kind == wire.ACKNOWLEDGE:
            link.known = max(link.known, min(elements[0], link.told))
        elif kind == wire.PING:
            link.say(wire.PONG)
        elif kind == wire.CREDIT:
            link.credited(*elements)
        elif kind == wire.GAP:
            self.report("gap", peer=link.name, count=elements[0])
        else:
            self.dealt(link, kind, elements, size)

    def greeted(self, link, hello):
        check(hello, link.expected)
        link.hello = hello
        link.state = "deciding"
        if link.expected:
            if self.holds_name:
                return link.accept()
            return self.end(link, "lost", "name-in-use", told=True)
        if self.leaving:
            return self.end(link, "lost", "closing", told=True)
        if hello["name"] == self.name:
            loses = self.holds_name or hello["id"] > self.id
            reason = "name-in-use" if self.holds_name else "name-claimed" if loses else "name-conceded"
            self.end(link, "lost", reason, told=True)
            if not loses:
                self.directory.withdraw(self.name, self.id)
                self.report("refused", reason="name-conceded")
                sys.exit(1)
        elif self.holds_name:
            self.decide(link)

    def decide(self, link):
        """There is one link between two endpoints, and the dial of the smaller id stands."""
        others = [other for other in self.links if other is not link]
        id = link.hello["id"]
        if any(other.hello and other.hello["id"] == id and other.state != "deciding" for other in others):
            return self.end(link, "lost", "duplicate", told=True)
        dials = [other for other in others if other.expected and other.expected[1] == id]
        if dials and self.id < id:
            return self.end(link, "lost", "duplicate", told=True)
        for dial in dials:
            self.end(dial, "lost", "duplicate", told=True)
        link.accept()

    # Commands

    def take_commands(self):
        chunk = os.read(sys.stdin.fileno(), 65536)
        if not chunk:
            sys.exit(1)
        self.commands += chunk
        while (end := self.commands.find(b"\n")) >= 0:
            command = json.loads(self.commands[:end])
            del self.commands[: end + 1]
            getattr(self, "do_" + command.pop("do"))(**command)

    def do_want(self, entries, ends=False):
        """Subscribes or responds, or ends that; reports when everyone knows."""
        interest.learn(self.interest, entries, not ends)
        for link in [link for link in self.links if link.state in ("introducing", "up")]:
            link.tell(wire.UNSUBSCRIBE if ends else wire.SUBSCRIBE, entries)
        for entry in [entry for entry in entries if "member" in entry]:
            if ends:
                self.ending.append(self.inboxes.pop(entry["member"]))
                self.ending[-1].close()
            else:
                self.inboxes[entry["member"]] = Inbox(self, entry)
        while any(link.known < link.told for link in self.links):
            self.turn_for(None)
        self.report("known")

    def do_broadcast(self, type, payload, times=1):
        """Often: each payload gets its number added."""
        for number in range(times):
            self.broadcast(type, {**payload, "number": number} if times > 1 else payload)
            if number % 100 == 99:
                self.turn(0)
        self.report("sent", times=times)

    def do_finish(self):
        """Lets the handlers end that take until now."""
        for inbox in [inbox for inbox in self.every_inbox() if inbox.is_running]:
            inbox.finish()

    def do_ask(self, id, to, type, payload):
        link = next(link for link in self.links if link.state == "up" and link.name == to)
        self.requests[id] = link
        link.say(wire.REQUEST, id, type, payload)

    def do_leave(self):
        self.leaving = "unsubscribing"
        self.directory.withdraw(self.name, self.id)
        shared = [entry for entry in self.interest if "queue" in entry or entry.get("responds")]
        interest.learn(self.interest, shared, False)
        for link in self.links:
            if shared and link.state == "up":
                link.tell(wire.UNSUBSCRIBE, shared)
        for inbox in self.inboxes.values():
            inbox.leave()

    def go_on_leaving(self):
        """Says goodbye on each link when its changes are known and nothing waits; goes when all have closed."""
        if not self.queues.is_dealt or not all(inbox.is_idle for inbox in self.every_inbox()):
            return
        for link in list(self.links):
            if link.state == "up" and link.known == link.told and link.idle:
                link.leave()
            elif link.state in ("greeting", "deciding", "introducing"):
                self.end(link, "lost", "closing", told=True)
        if not self.links:
            self.leaving = "gone"
            self.report("gone")


if __name__ == "__main__":
    Peer(sys.argv[1], sys.argv[2], sys.argv[3:]).run()
