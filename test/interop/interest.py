"""Who wants what: docs/protocol.md, "Who gets what"."""


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


def learn(interest, entries, subscribes):
    """Takes note of a change. Members of queues count as often as they are told; of other entries one is enough."""
    for entry in entries:
        entry = {field: entry[field] for field in ("type", "from", "queue", "responds") if entry.get(field)}
        if subscribes and ("queue" in entry or entry not in interest):
            interest.append(entry)
        elif not subscribes and entry in interest:
            interest.remove(entry)
