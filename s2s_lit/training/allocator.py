"""How the C library's allocator deals with the memory of freed tensors."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h


def keep_freed_memory() -> None:
    """Let the process keep, for its next tensors, what it has freed; up to 2 GiB where glibc is the C library.

    By itself glibc gives large tensors, such as the logits of a batch and their gradients, back to the system, and each
    step then pays for thousands of page faults. Elsewhere nothing is changed.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
