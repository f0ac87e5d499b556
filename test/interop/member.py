"""A peer that writes down all that it does and sees, as the records of test/simulation/record.ts.

    member.py <directory> <log> <name>

What it broadcasts and asks says whose it is, as in test/simulation/parcel.ts: so a checker can tell what has become of it.
"""

import json
import sys
import time

import link
import peer

# It waits for a response as long as the link is there, and is held to the time that the protocol has for all.
TIMEOUT = 30_000


def digest_of(sender, event, filler):
    """FNV-1a, 32 bits."""
    digest = 0x811C9DC5
    for byte in f"{sender} {event} ".encode() + filler:
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    return digest


def opened(payload):
    """Sender, number and filler of what has come, in one of two wrappings."""
    if isinstance(payload, bytes):
        sender, event, filler = payload.split(b" ", 2)
        return sender.decode(), int(event), filler
    return payload["sender"], payload["event"], payload["filler"]


class Member(peer.Peer):
    def __init__(self, path, log, name):
        super().__init__(path, name, [])
        self.label = f"{name}#python"
        self.log = open(log, "a", encoding="utf-8")
        self.subscriptions = []  # An entry's number is one more than its place; None where it has ended.
        self.events = 0

    def note(self, kind, at=None, **fields):
        """On the clock that all processes of a machine share. It is written before anything comes of it."""
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1e6 if at is None else at
        print(json.dumps({"at": at, "endpoint": self.label, "kind": kind, **fields}), file=self.log, flush=True)

    def report(self, what, **fields):
        """Whatever the peer tells is noted first."""
        note = getattr(self, f"note_{what}", None)
        if note:
            note(**fields)
        super().report(what, **fields)

    # Its life

    def run(self):
        limits = {
            "frameBytes": link.FRAME_LIMIT,
            "windowBytes": link.WINDOW,
            "outboxBytes": sys.maxsize,  # What waits to be sent has no bound here.
            "patience": 0,
            "rescanInterval": peer.RESCAN * 1000,
            "handshakeTimeout": peer.HANDSHAKE * 1000,
            "pendingHandshakes": 64,
        }
        self.note("starting", name=self.name, groups=self.groups, limits=limits)
        super().run()

    def note_started(self, name, id):
        self.note("started", id=id)

    def note_refused(self, reason):
        self.note("refused", code="LAHJA_NAME_IN_USE")

    def do_leave(self):
        self.note("closing")
        super().do_leave()

    def note_gone(self):
        self.note("closed", undelivered=[])

    # Others

    def note_joined(self, peer, id, groups):
        self.note("joined", peer=id, name=peer)

    def note_left(self, peer, id, reason, cost):
        self.note("left", peer=id, name=peer)

    def note_lost(self, peer, id, reason, cost):
        self.note("lost", peer=id, name=peer, cause=reason, undelivered=cost[0], unconfirmed=cost[1])

    def note_gap(self, peer, count):
        self.note("gap", peer=peer, count=count)

    def do_look(self, at):
        """Notes what it knows of the others, as of that time."""
        up = [link for link in self.links if link.state == "up"]
        peers = [{"id": link.id, **types_of(link.interest)} for link in up]
        self.note("acquainted", at, peers=peers, **types_of(self.interest))
        self.report("looked", at=at)

    # Events

    def do_want(self, entries, ends=False):
        for entry in entries:
            if entry.get("responds"):
                self.note("unresponding" if ends else "responding", type=entry["type"])
            elif ends:
                number = self.number_of(entry)
                self.subscriptions[number - 1] = None
                self.note("unsubscribed", subscription=number)
            else:
                self.subscriptions.append(entry)
                self.note("subscribed", subscription=self.number_of(entry), **entry)
        super().do_want(entries, ends)
        for entry in entries:
            if entry in self.subscriptions:
                self.note("ready", subscription=self.number_of(entry))

    def number_of(self, entry):
        return self.subscriptions.index(entry) + 1

    def broadcast(self, type, payload):
        self.events += 1
        filler = json.dumps(payload).encode()
        digest = digest_of(self.label, self.events, filler)
        self.note("sent", event=self.events, type=type, digest=digest, size=len(filler))
        note = {"note": ""} if self.events % 5 == 0 else {}
        super().broadcast(type, {"sender": self.label, "event": self.events, **note, "filler": filler})

    def note_event(self, entry, type, payload, origin):
        sender, event, filler = opened(payload)
        what = {"sender": sender, "event": event, "digest": digest_of(sender, event, filler)}
        self.note("received", subscription=self.number_of(entry), type=type, origin=origin, **what)

    note_assigned = note_event

    # Requests

    def handle(self, type, payload):
        self.note("begun", **payload, type=type)
        self.note("answered", **payload, type=type)
        return {**payload, "responder": self.name}

    def do_ask(self, id, to, type, payload):
        self.note("asked", request=id, type=type, timeout=TIMEOUT, all=False)
        super().do_ask(id, to, type, {**payload, "asker": self.label, "request": id})

    def note_response(self, id, peer, answer):
        correct = answer == {"asker": self.label, "request": id, "responder": peer}
        self.note_reply(id, "response", peer, correct)

    def note_failure(self, id, peer, answer):
        self.note_reply(id, "LAHJA_REMOTE_ERROR", peer)

    def note_declined(self, id, peer, answer):
        self.note_reply(id, "LAHJA_NO_SUBSCRIBERS", peer)

    def note_disconnected(self, id):
        self.note_reply(id, "LAHJA_REMOTE_DISCONNECTED", "")

    def note_reply(self, id, outcome, origin, correct=True):
        self.note("replied", request=id, origin=origin, outcome=outcome, correct=correct)
        self.note("settled", request=id, outcome=outcome)


def types_of(entries):
    """What is wanted, as far as others see it."""
    return {
        "subscriptions": sorted({entry["type"] for entry in entries if not entry.get("responds")}),
        "responds": sorted({entry["type"] for entry in entries if entry.get("responds")}),
    }


if __name__ == "__main__":
    Member(*sys.argv[1:]).run()
