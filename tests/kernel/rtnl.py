"""Hold the kernel's RTNL lock: `python rtnl.py NAMESPACE INTERFACE SECONDS`.

An ethtool request (SIOCETHTOOL) is read under the lock; its buffer lies on a page that
userfaultfd(2) leaves missing for as long as we like. It prints `held` once the lock is taken.
"""

import ctypes
import fcntl
import mmap
import os
import socket
import struct
import sys
import threading
import time
from typing import Final

from libra_lab.inside import enter

_USERFAULTFD: Final = 323
_UFFDIO_API, _UFFDIO_REGISTER, _UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
_API: Final = 0xAA
_MISSING: Final = 1
_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_GSTRINGS: Final = 0x1B
_PRIVATE_ANONYMOUS: Final = 0x22


def main(namespace: str, interface: str, seconds: float) -> None:
    """Take the lock for `seconds`."""
    enter(namespace)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    page = mmap.PAGESIZE
    pages = libc.mmap(None, 2 * page, mmap.PROT_READ | mmap.PROT_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    faults = libc.syscall(_USERFAULTFD, os.O_CLOEXEC)
    if faults < 0:
        sys.exit(f"userfaultfd: {os.strerror(ctypes.get_errno())}")
    fcntl.ioctl(faults, _UFFDIO_API, bytearray(struct.pack("QQQ", _API, 0, 0)))
    missing = struct.pack("QQQQ", pages + page, page, _MISSING, 0)
    fcntl.ioctl(faults, _UFFDIO_REGISTER, bytearray(missing))
    request = pages + page - 4  # the command is there, the rest of it is missing
    ctypes.memmove(request, struct.pack("I", _ETHTOOL_GSTRINGS), 4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        asked = ctypes.create_string_buffer(struct.pack("16sQ16x", interface.encode(), request))
        call = threading.Thread(target=libc.ioctl, args=(sock.fileno(), _SIOCETHTOOL, asked))
        call.start()
        os.read(faults, 32)  # the fault: the kernel holds the lock and waits for the page
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(seconds)
        zero = struct.pack("QQQq", pages + page, page, 0, 0)
        fcntl.ioctl(faults, _UFFDIO_ZEROPAGE, bytearray(zero))
        call.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
