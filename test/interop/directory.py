"""The bus, as files: docs/protocol.md, "The bus"."""

import os
import re
import secrets
import socket
import stat

ADDRESS = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})~([0-9a-z]{13})\.sock$")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SOCKET_PATH_BYTES = 107


def new_id():
    return "".join(secrets.choice(DIGITS) for _ in range(13))


class Directory:
    def __init__(self, path):
        self.path = path
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) != 0o700:
            raise PermissionError(f"expected a directory of ours with mode 0700, got {path}")

    def file(self, name, id):
        return os.path.join(self.path, f"{name}~{id}.sock")

    def publish(self, name, id):
        """Listens first: an address that can be seen can be dialled."""
        path = self.file(name, id)
        temporary = os.path.join(self.path, f"{id}.new")
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise ValueError(f"expected a path of at most {SOCKET_PATH_BYTES} bytes, got {path}")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(temporary)
        listener.listen(128)
        os.rename(temporary, path)
        return listener

    def withdraw(self, name, id):
        try:
            os.unlink(self.file(name, id))
        except FileNotFoundError:
            pass

    def addresses(self):
        """Names and ids of all that are published."""
        found = (ADDRESS.match(file) for file in sorted(os.listdir(self.path)))
        return [match.groups() for match in found if match]

    def dial(self, name, id):
        """A connection, or None. A refusal proves death: then the file is removed."""
        path = self.file(name, id)
        dialled = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                raise FileNotFoundError(path)
            dialled.connect(path)
            return dialled
        except ConnectionRefusedError:
            self.withdraw(name, id)
        except OSError:
            pass
        dialled.close()
        return None
