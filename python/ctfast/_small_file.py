"""Files that are read in one piece because they are small: filters, prices, public keys, messages of splits."""

from __future__ import annotations

import errno
import os
import stat

__all__ = ["MOST", "read"]

#: Bytes of such a file. An export of all rules of an account has a few million.
MOST = 64 << 20


def read(path: str | os.PathLike[str], *, regular: bool = False) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    path
        The file.
    regular
        Whether it has to be a regular file. Any file may be named by a user, ``/dev/stdin`` as well; what ctfast has
        written itself is no pipe, on which a read could wait forever.

    Raises
    ------
    OSError
        It cannot be read, is larger than :data:`MOST` or without end, or is no regular file and has to be one.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if regular else 0))
    with os.fdopen(descriptor, "rb") as file:
        if regular and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", os.fspath(path))
        found = file.read(MOST + 1)
    if len(found) > MOST:
        raise OSError(errno.EFBIG, f"more than {MOST >> 20} MiB, which no such file has", os.fspath(path))
    return found
