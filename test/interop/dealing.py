"""Events, queues and requests between two peers: docs/protocol.md, "Who gets what"."""

import json

import interest
import wire
from wire import UNDEFINED


def in_json(value):
    if value is UNDEFINED:
        return {"undefined": True}
    return {"bytes": value.hex()} if isinstance(value, bytes) else repr(value)


class Sender:
    """The peer of a link, as the sender of what has come."""

    def __init__(self, link):
        self.name, self.groups = link.name, link.hello["groups"]


class Dealing:
    """What a peer does with what its links bring when they are up, and what it sends on them."""

    def report(self, what, **fields):
        print(json.dumps({"what": what, **fields}, default=in_json), flush=True)

    def dealt(self, link, kind, elements, size):
        if kind == wire.EVENT:
            type, payload = elements
            self.hand_out(type, payload, Sender(link))
            link.done_with(size)
        elif kind == wire.ASSIGN:
            queue, type, _, payload = elements
            members = [entry for entry in self.interest if entry.get("queue") == queue]
            member = next((entry for entry in members if interest.stands_for(entry["type"], type)), None)
            if member:
                self.report("assigned", entry=member, type=type, payload=payload, origin=link.name)
                link.say(wire.SETTLE, 1)
            else:
                link.say(wire.RETURN, *elements)
            link.done_with(size)
        elif kind == wire.GIVE:
            self.given(link, *elements)
        elif kind == wire.PROGRESS:
            self.queues.told(link, *elements)
        elif kind == wire.RECALL:
            member, through = elements
            if member in self.inboxes:
                self.inboxes[member].recall(link, through)
        elif kind == wire.REQUEST:
            self.answer(link, *elements)
        elif kind in (wire.RESPONSE, wire.FAILURE, wire.DECLINE) and self.requests.get(elements[0]) is link:
            del self.requests[elements[0]]
            what = {wire.RESPONSE: "response", wire.FAILURE: "failure", wire.DECLINE: "declined"}[kind]
            self.report(what, id=elements[0], peer=link.name, answer=elements[1] if len(elements) > 1 else None)

    def hand_out(self, type, payload, sender):
        for entry in self.interest:
            if "queue" not in entry and interest.counts(entry, type, sender):
                self.report("event", entry=entry, type=type, payload=payload, origin=sender.name)

    def given(self, link, member, number, *event):
        if member in self.inboxes:
            return self.inboxes[member].take(link, number, *event)
        link.say(wire.PROGRESS, member, 0, 0, [], [number, 1])

    def answer(self, link, id, type, payload):
        if not any(interest.counts(entry, type, Sender(link), requests=True) for entry in self.interest):
            return link.say(wire.DECLINE, id)
        if isinstance(payload, dict) and "fail" in payload:
            return link.say(wire.FAILURE, id, {"name": "ValueError", "message": str(payload["fail"])})
        link.say(wire.RESPONSE, id, self.handle(type, payload))

    def handle(self, type, payload):
        return {"by": self.name, "echo": payload}

    def broadcast(self, type, payload):
        self.hand_out(type, payload, self)
        for link in self.links:
            wants = [entry for entry in link.interest if interest.counts(entry, type, self)]
            if link.state != "up" or not interest.lets_in(link.hello, type):
                continue
            if any("queue" not in entry for entry in wants):
                link.send_event(wire.EVENT, type, payload)
        self.share_out(type, payload)

    def share_out(self, type, payload):
        """One member of each queue gets the event. Of those that are assigned events the first, and no other: it is fixed."""
        given = self.queues.names(type)
        for queue in given:
            self.queues.offer(queue, type, payload)
        for link in (link for link in self.links if link.state == "up" and interest.lets_in(link.hello, type)):
            for entry in link.interest:
                queue = entry.get("queue")
                if queue and queue not in given and interest.counts(entry, type, self):
                    given.add(queue)
                    link.send_event(wire.ASSIGN, queue, type, True, payload)
        for entry in self.interest:
            queue = entry.get("queue")
            if queue and queue not in given and interest.counts(entry, type, self):
                given.add(queue)
                self.report("assigned", entry=entry, type=type, payload=payload, origin=self.name)
