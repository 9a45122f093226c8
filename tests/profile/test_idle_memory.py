"""What an idle connection holds in user memory: a model that waits for readiness holds no buffer for it."""

import pytest

from support import client
from support.server import Server

CONNECTIONS = 4_000
BYTES = 128  # the connection's table entry and its session


def test_an_idle_connection_holds_no_buffer(model):
    if model.description["family"] != "readiness":
        pytest.skip(f"declared: family is {model.description['family']}, not readiness")
    if "libkqueue" in model.description["mechanism"]:
        pytest.skip("environment: what libkqueue allocates for a filter is its own")
    if model.sanitized:
        pytest.skip("environment: a sanitizer's allocator pads what it gives")
    count = model.room_for(CONNECTIONS)
    with Server(model) as server:
        for sock in client.crowd(server, 100, hold=True):  # the pool's first buffers, the allocator's first pages
            sock.close()
        before = server.memory_bytes()
        # One by one: how many of a crowd hold a buffer at the same time may differ from crowd to crowd.
        socks = [sock for _ in range(count) for sock in client.crowd(server, 1, hold=True)]
        grown = (server.memory_bytes() - before) / len(socks)
        for sock in socks:
            sock.close()
    assert grown <= BYTES, f"{len(socks)} idle connections hold {grown:.0f} bytes each, expected at most {BYTES}"
