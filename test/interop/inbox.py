"""What a member of a queue here has been given: docs/protocol.md, "Members with a capacity"."""

from collections import deque

import interest
import wire
from hand import runs_of
from wire import Violation


class Account:
    """What the sender at the other end of a link is told."""

    def __init__(self):
        self.in_hand = 0
        self.begun = 0
        self.handled = []
        self.returned = []
        self.recalled = 0


class Item:
    def __init__(self, link, number, type, fixed, payload):
        self.link, self.number, self.type, self.fixed, self.payload = link, number, type, fixed, payload

    @property
    def holds(self):
        """Whether its handler takes until somebody lets it end."""
        return isinstance(self.payload, dict) and self.payload.get("hold") is True


class Inbox:
    """Handles one event at a time."""

    def __init__(self, peer, entry):
        self.peer, self.entry = peer, entry
        self.capacity = entry["capacity"]
        self.waiting = deque()
        self.next = None  # The event that is told as begun.
        self.is_running = False  # Its handler was called.
        self.accounts = {}

    @property
    def is_idle(self):
        return self.next is None and not self.waiting

    def take(self, link, *elements):
        account = self.accounts.setdefault(link, Account())
        if account.in_hand >= self.entry["capacity"]:
            raise Violation("window-exceeded", f"expected at most {self.entry['capacity']} events in hand")
        account.in_hand += 1
        item = Item(link, *elements)
        if item.number <= account.recalled or (self.capacity == 0 and self.may_return(item)):
            self.give_back(item)
            return self.tell(link)
        self.waiting.append(item)
        self.go_on()

    def go_on(self):
        """The handler is called only when a message has left this process that says that the event has begun."""
        while not self.is_running and (self.next or self.waiting):
            if not self.next:
                self.next = self.waiting.popleft()
                self.accounts[self.next.link].begun = self.next.number
                self.tell(self.next.link)
            link = self.next.link
            if link.state == "up" and (not link.write() or link.out):
                return
            self.is_running = True
            if self.next.holds:
                self.peer.report("held", payload=self.next.payload)
            else:
                self.finish()

    def finish(self):
        """The handler has ended."""
        item, self.next, self.is_running = self.next, None, False
        self.peer.report("assigned", entry=self.entry, type=item.type, payload=item.payload, origin=item.link.name)
        account = self.accounts[item.link]
        account.in_hand -= 1
        account.handled.append(item.number)
        self.tell(item.link)

    def recall(self, link, through):
        """It is never stopped for as long as a sender waits, so it need not look at the clock."""
        account = self.accounts.setdefault(link, Account())
        account.recalled = max(account.recalled, through)
        self.return_waiting(lambda item: item.link is link and item.number <= through)

    def leave(self):
        """The endpoint leaves: others have what they may."""
        self.capacity = 0
        self.return_waiting(self.may_return)

    def close(self):
        """The member has ended."""
        self.capacity = 0
        self.return_waiting(lambda _: True)

    def closed(self, link, has_left):
        """A sender that has left gives nothing to others."""
        if has_left:
            return
        self.waiting = deque(item for item in self.waiting if item.link is not link)
        if self.next and self.next.link is link and not self.is_running:
            self.next = None

    def may_return(self, item):
        links = (link for link in self.peer.links if link.state == "up")
        entries = (entry for link in links for entry in link.interest if entry.get("queue") == self.entry["queue"])
        return not item.fixed and any(interest.stands_for(entry["type"], item.type) for entry in entries)

    def return_waiting(self, may_return):
        items, self.waiting = self.waiting, deque()
        for item in items:
            if may_return(item):
                self.give_back(item)
            else:
                self.waiting.append(item)
        for link in self.accounts:
            self.tell(link)
        self.go_on()

    def give_back(self, item):
        account = self.accounts[item.link]
        account.in_hand -= 1
        account.returned.append(item.number)

    def tell(self, link):
        if link.state != "up":
            return
        account = self.accounts[link]
        runs = runs_of(account.handled), runs_of(account.returned)
        link.say(wire.PROGRESS, self.entry["member"], self.capacity, account.begun, *runs)
        account.handled, account.returned = [], []
