"""The small folder that the tests of HTTP messages ask for."""

from support import client

MIB = 1 << 20
PAGE = b"<!doctype html><title>index</title>\n"
TEXT = b"0123456789" * 7


def fill(folder):
    (folder / "index.html").write_bytes(PAGE)
    (folder / "a.txt").write_bytes(TEXT)
    (folder / "empty").write_bytes(b"")
    (folder / "big.bin").write_bytes(client.pattern("big", 3 * MIB))
    return folder
