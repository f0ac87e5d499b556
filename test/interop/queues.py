"""The events of queues that wait for a member with room: docs/protocol.md, "Members with a capacity"."""

import interest
import wire
from hand import Hand


class QueueEvent:
    def __init__(self, place, queue, type, payload):
        self.place, self.queue, self.type, self.payload = place, queue, type, payload
        self.size = len(wire.pack([wire.EVENT, type, payload]))


class Queues:
    def __init__(self, peer):
        self.peer = peer
        self.places = 0
        self.waiting = []

    def names(self, type):
        """The queues with members that say how many events they take, and may have one of this type."""
        return {entry["queue"] for _, entry, _ in self.members(type)}

    def members(self, type):
        for link in self.peer.links:
            if link.state == "up" and interest.lets_in(link.hello, type):
                for entry in link.interest:
                    if "member" in entry and interest.counts(entry, type, self.peer):
                        yield link, entry, link.hands[entry["member"]]

    def offer(self, queue, type, payload):
        self.places += 1
        self.waiting.append(QueueEvent(self.places, queue, type, payload))
        self.deal()

    def take_back(self, events):
        self.waiting = sorted(self.waiting + events, key=lambda event: event.place)
        self.deal()

    def deal(self):
        """Gives each event to the member with the fewest in its hand, as long as there is one with room."""
        for event in list(self.waiting):
            members = [member for member in self.members(event.type) if member[1]["queue"] == event.queue]
            free = [member for member in members if member[2].has_room]
            if free:
                link, entry, hand = min(free, key=lambda member: len(member[2].events))
                self.waiting.remove(event)
                link.say(wire.GIVE, entry["member"], hand.give(event), event.type, False, event.payload)

    @property
    def is_dealt(self):
        """Whether nothing waits that somebody may have."""
        return not any(event.queue in self.names(event.type) for event in self.waiting)

    # Members

    def changed(self, link, entries, subscribes):
        for entry in interest.normal(entries):
            if "member" not in entry:
                continue
            if subscribes:
                link.hands.setdefault(entry["member"], Hand(entry["capacity"]))
            elif entry["member"] in link.hands:
                link.hands[entry["member"]].has_left = True
        self.deal()

    def told(self, link, member, capacity, begun, handled, returned):
        if member in link.hands:
            self.take_back(link.hands[member].told(capacity, begun, handled, returned))

    def closed(self, link, is_read):
        """If not all was read that came from the other end, it is not known what has begun there."""
        unfinished, returned = [], []
        for hand in link.hands.values():
            begun, others = hand.close()
            unfinished += begun if is_read else begun + others
            returned += others if is_read else []
        if unfinished:
            self.peer.report("unfinished", peer=link.name, payloads=[event.payload for event in unfinished])
        self.take_back(returned)
