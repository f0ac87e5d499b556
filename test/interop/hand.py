"""What a member of a queue has been given, as its sender sees it: docs/protocol.md, "Members with a capacity"."""

# Bytes of events that a member is given ahead of what it has settled.
MOST_BYTES = 64 * 1024


def runs_of(numbers):
    """Pairs of a first number and how many follow each other from there on."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += [number, 1]
    return runs


def numbers_in(runs, known):
    """The known numbers that are in the runs."""
    pairs = list(zip(runs[::2], runs[1::2]))
    return [number for number in known if any(first <= number < first + length for first, length in pairs)]


class Hand:
    def __init__(self, capacity):
        self.capacity = capacity
        self.has_left = False
        self.given = 0
        self.begun = 0
        self.events = {}  # By number.

    @property
    def has_room(self):
        bytes = sum(event.size for event in self.events.values())
        return not self.has_left and len(self.events) < self.capacity and bytes < MOST_BYTES

    def give(self, event):
        """The number of the event."""
        self.given += 1
        self.events[self.given] = event
        return self.given

    def told(self, capacity, begun, handled, returned):
        """The events that come back."""
        self.capacity = capacity
        self.begun = max(self.begun, begun)
        for number in numbers_in(handled, list(self.events)):
            del self.events[number]
        return [self.events.pop(number) for number in numbers_in(returned, list(self.events))]

    def close(self):
        """What may have begun, and what has not."""
        begun = [event for number, event in self.events.items() if number <= self.begun]
        others = [event for number, event in self.events.items() if number > self.begun]
        self.events.clear()
        return begun, others
