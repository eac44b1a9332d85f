"""Locks that a forked child finds free."""

import os
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def lock_across_forks() -> "AbstractContextManager[bool]":
    """Make a lock for the whole process, and for its children.

    A fork waits for the thread that has the lock: otherwise no thread of the child could ever release it.  The lock is
    one that its owner may take again, in a signal handler or a finaliser.

    Returns
    -------
    RLock
        It is never freed, so one for each module, not for each object.

    """
    lock = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
