#!/usr/bin/python3 -IS
"""Stands in for the load generator: the same command line, phases and result, with one real connection of traffic."""
import argparse
import json
import os
import socket
import sys
import time


def seconds(text):
    assert text.endswith("ns"), text
    return int(text.removesuffix("ns")) / 1e9


def phase(name):
    print(json.dumps({"phase": name}), flush=True)


def await_go():
    sys.stdin.readline()


def connect(target):
    if target.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target.removeprefix("unix:"))
        return connection
    host, port = target.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(connection, message, until):
    """At least one, so that a window has an answer although the machine gives the server no CPU time in it."""
    latencies = []
    while not latencies or time.monotonic() < until:
        begin = time.monotonic_ns()
        connection.sendall(message)
        got = b""
        while len(got) < len(message):
            chunk = connection.recv(len(message) - len(got))
            if not chunk:
                raise ConnectionResetError("the server closed")
            got += chunk
        assert got == message
        latencies.append(time.monotonic_ns() - begin)
    return sorted(latencies)


def main():
    parser = argparse.ArgumentParser()
    for name in ("target", "protocol", "cpus", "json"):
        parser.add_argument("--" + name, required=True)
    for name in ("connections", "idle", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--message-bytes", type=int, default=64)
    for name in ("warmup", "duration"):
        parser.add_argument("--" + name, type=seconds, required=True)
    parser.add_argument("--phases", action="store_true", required=True)
    parser.add_argument("--quiet", action="store_true", required=True)
    asked = parser.parse_args()

    result = {"status": "ok",
              "asked": {"target": asked.target, "protocol": asked.protocol, "mode": "closed",
                        "connections": asked.connections, "idle": asked.idle, "threads": asked.threads,
                        "message_bytes": asked.message_bytes, "pipeline": 1,
                        "warmup_ns": round(asked.warmup * 1e9), "duration_ns": round(asked.duration * 1e9)}}
    try:
        connection = connect(asked.target)
        message = os.urandom(asked.message_bytes)
        phase("connected")
        await_go()
        warmed_up = exchange(connection, message, time.monotonic() + asked.warmup)
        phase("measuring")
        begin = time.monotonic_ns()
        latencies = exchange(connection, message, time.monotonic() + asked.duration)
        took = time.monotonic_ns() - begin
        phase("measured")
        phase("drained")
        await_go()
    except OSError as error:
        result.update(status="failed", achieved={"requests_per_second": 0.0, "connections": 0, "idle": 0,
                                                 "duration_ns": 0},
                      requests=0, errors={"total": 1, "by_kind": {"reset": {"count": 1, "first": str(error)}}})
        print(json.dumps(result))
        sys.exit(1)
    count = len(latencies)
    latency = {"count": count, "mean": sum(latencies) // count, "min": latencies[0], "max": latencies[-1],
               "p50": latencies[count // 2],
               "histogram": {"significant_digits": 3, "buckets": [[latencies[0], count]]}}
    if count >= 1000:
        latency["p99"] = latencies[count * 99 // 100]
    result.update(achieved={"requests_per_second": count * 1e9 / took, "connections": asked.connections,
                            "idle": asked.idle, "duration_ns": took},
                  requests=count, requests_in_run=len(warmed_up) + count,
                  bytes={"sent": count * len(message), "received": count * len(message)},
                  errors={"total": 0, "by_kind": {}}, latency_ns=latency,
                  connect_ns={"count": 1, "mean": 1, "min": 1, "max": 1, "p50": 1},
                  fairness={"jain": 1.0, "min_requests": count, "max_requests": count},
                  cpu={"user_ns": 1, "system_ns": 1, "threads": [{"cpu": 0, "utilisation": 0.5}]},
                  memory={"peak_bytes": 1})
    print(json.dumps(result))


main()
