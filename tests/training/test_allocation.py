import ctypes
import subprocess
import sys

import pytest

RESIDENT = """
import ctypes, os, sys
from amodal.training.allocation import keeping_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def take_and_free():
    blocks = [libc.malloc(ctypes.c_size_t(8 * 2**20)) for _ in range(20)]
    for block in blocks:
        ctypes.memset(ctypes.c_void_p(block), 1, 8 * 2**20)
    for block in reversed(blocks):
        libc.free(block)

before = resident()
with keeping_freed_memory():
    take_and_free()
    kept = resident() - before
print(kept, resident() - before)
"""


def has_mallopt() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


@pytest.mark.skipif(not has_mallopt(), reason="needs glibc")
def test_freed_memory_is_kept_and_given_back_in_the_end():
    told = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    kept, left = map(float, told.stdout.split())
    assert kept > 150
    assert left < 20
