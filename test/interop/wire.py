"""Frames and messages of the bus: docs/protocol.md, "Frames" and "Messages"."""

import struct

import msgpack

HELLO, READY, SUBSCRIBE, UNSUBSCRIBE, ACKNOWLEDGE, EVENT, GAP, PING, PONG, GOODBYE = range(10)
ASSIGN, SETTLE, RETURN, REQUEST, RESPONSE, FAILURE, DECLINE, CANCEL, CREDIT = range(10, 19)
GIVE, PROGRESS, RECALL = range(20, 23)

FRAME_BEFORE_HANDSHAKE = 4096
PREFIX_BYTES = 4

# The extension for integers over 64 bits.
BIGINT = 0x42
MAX_BIGINT_BYTES = 4096

INTEGER, STRING, FLAG, ARRAY, MAP, RUNS, PAYLOAD = "integer", "string", "flag", "array", "map", "runs", "payload"

ELEMENTS = {
    HELLO: [MAP],
    READY: [],
    SUBSCRIBE: [INTEGER, ARRAY],
    UNSUBSCRIBE: [INTEGER, ARRAY],
    ACKNOWLEDGE: [INTEGER],
    EVENT: [STRING, PAYLOAD],
    GAP: [INTEGER],
    PING: [],
    PONG: [],
    GOODBYE: [STRING, STRING],
    ASSIGN: [STRING, STRING, FLAG, PAYLOAD],
    SETTLE: [INTEGER],
    RETURN: [STRING, STRING, FLAG, PAYLOAD],
    REQUEST: [INTEGER, STRING, PAYLOAD],
    RESPONSE: [INTEGER, PAYLOAD],
    FAILURE: [INTEGER, MAP],
    DECLINE: [INTEGER],
    CANCEL: [INTEGER],
    CREDIT: [INTEGER, INTEGER],
    GIVE: [INTEGER, INTEGER, STRING, FLAG, PAYLOAD],
    PROGRESS: [INTEGER, INTEGER, INTEGER, RUNS, RUNS],
    RECALL: [INTEGER, INTEGER],
}

# Elements that may be left out.
OPTIONAL = {UNSUBSCRIBE: [FLAG]}


class Undefined:
    """What JavaScript's `undefined` is here."""


UNDEFINED = Undefined()


class Violation(Exception):
    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason


def extension(code, data):
    if code == 0:
        return UNDEFINED
    if code == BIGINT:
        value = int.from_bytes(data, "big", signed=True)
        if len(data) <= MAX_BIGINT_BYTES and not fits_64_bits(value) and data == bytes_of(value):
            return value
        raise Violation("malformed", f"expected an integer over 64 bits in its shortest form, got {data.hex()[:40]}")
    raise Violation("malformed", f"expected no extension of type {code}")


def fits_64_bits(value):
    return -(2**63) <= value < 2**64


def bytes_of(value):
    """Two's complement, in as few bytes as have room for the sign."""
    magnitude = ~value if value < 0 else value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def holds_bigint(value):
    if isinstance(value, dict):
        return any(holds_bigint(child) for child in value.values())
    if isinstance(value, list):
        return any(holds_bigint(child) for child in value)
    return isinstance(value, int) and not fits_64_bits(value)


def unpack(body):
    try:
        return msgpack.unpackb(body, raw=False, strict_map_key=False, ext_hook=extension)
    except Exception as error:
        raise Violation("malformed", f"expected msgpack, got {error!r}") from error


def pack(elements):
    """The frame of a message. A payload that is undefined is left out, if it comes last."""
    if elements[-1] is UNDEFINED:
        elements = elements[:-1]
    body = msgpack.packb(elements, use_bin_type=True, default=write_extension)
    return struct.pack(">I", len(body)) + body


def write_extension(value):
    if value is UNDEFINED:
        return msgpack.ExtType(0, b"\0")
    if isinstance(value, int) and len(bytes_of(value)) <= MAX_BIGINT_BYTES:
        return msgpack.ExtType(BIGINT, bytes_of(value))
    raise TypeError(f"expected a payload, got {value!r}")


def as_integer(value):
    """Integers come in any form that msgpack has for them, floats among them."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 2**53:
        return None
    return int(value) if value == int(value) else None


def as_runs(value):
    numbers = [as_integer(number) for number in value] if isinstance(value, list) else [None]
    return None if None in numbers or len(numbers) % 2 else numbers


FITS = {
    STRING: lambda value: isinstance(value, str),
    FLAG: lambda value: isinstance(value, bool),
    ARRAY: lambda value: isinstance(value, list),
    MAP: lambda value: isinstance(value, dict),
}


def parse(body):
    """The kind of a message, and its elements."""
    elements = unpack(body)
    kind, *rest = elements if isinstance(elements, list) and elements else [None]
    kind = as_integer(kind)
    if kind not in ELEMENTS:
        raise Violation("malformed", "expected a message of a known kind")
    wanted = ELEMENTS[kind]
    if len(rest) < len(wanted) and wanted[-1] == PAYLOAD:
        rest.append(UNDEFINED)
    if len(rest) < len(wanted):
        raise Violation("malformed", f"kind {kind}: expected {len(wanted)} elements, got {len(rest)}")
    forms = wanted + OPTIONAL.get(kind, [])
    return kind, [checked(value, form) for value, form in zip(rest, forms)]


def checked(value, form):
    if form == PAYLOAD:
        return value
    if form == INTEGER:
        value = as_integer(value)
    if form == RUNS:
        value = as_runs(value)
    if value is None or (form in FITS and not FITS[form](value)):
        raise Violation("malformed", f"expected {form}, got {value!r}")
    return value


class FrameReader:
    """Cuts a stream of bytes into bodies."""

    def __init__(self):
        self.limit = FRAME_BEFORE_HANDSHAKE
        self.held = bytearray()

    def push(self, chunk):
        self.held += chunk

    def take(self):
        """The next body that is whole, if there is one."""
        if len(self.held) < PREFIX_BYTES:
            return None
        (length,) = struct.unpack_from(">I", self.held)
        if length == 0:
            raise Violation("frame-empty", "expected a body, got a length of 0")
        if length > self.limit:
            raise Violation("frame-too-large", f"expected at most {self.limit} bytes, got {length}")
        end = PREFIX_BYTES + length
        if len(self.held) < end:
            return None
        body = bytes(self.held[PREFIX_BYTES:end])
        del self.held[:end]
        return body
