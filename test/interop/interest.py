"""Who wants what: docs/protocol.md, "Who gets what"."""

import wire


def stands_for(pattern, type):
    """Is the type one of those that the pattern stands for?"""
    wanted, tokens = pattern.split("."), type.split(".")
    for index, token in enumerate(wanted):
        if token == ">":
            return len(tokens) > index
        if index >= len(tokens) or token not in ("*", tokens[index]):
            return False
    return len(wanted) == len(tokens)


def comes_from(entry, sender):
    wanted = entry.get("from")
    if wanted is None:
        return True
    return wanted["group"] in sender.groups if isinstance(wanted, dict) else sender.name in wanted


def counts(entry, type, sender, requests=False):
    if entry.get("responds", False) != requests:
        return False
    return stands_for(entry["type"], type) and comes_from(entry, sender)


def lets_in(hello, type):
    accepts = hello.get("accepts")
    return accepts is None or any(stands_for(pattern, type) for pattern in accepts)


def normal(entries):
    """With the fields that are known and say something. Member and capacity go together, and only with a queue."""
    for entry in entries:
        numbers = {field: wire.as_integer(entry.get(field)) for field in ("member", "capacity")}
        entry = {field: entry[field] for field in ("type", "from", "queue", "responds") if entry.get(field)}
        yield {**entry, **numbers} if "queue" in entry and None not in numbers.values() else entry


def learn(interest, entries, subscribes):
    """Takes note of a change. Members of queues count as often as they are told; of other entries one is enough."""
    for entry in normal(entries):
        if subscribes and ("queue" in entry or entry not in interest):
            interest.append(entry)
        elif not subscribes and entry in interest:
            interest.remove(entry)
