"""Heyan as a service runs it: one warm child, every core, one picture after the
other over the engine protocol (worker/engine/frame.go).

usage: heyan.py bin/heyan
"""

import json
import os
import resource
import struct
import subprocess
import sys
import time

import measure

HEAD = struct.Struct(">cII")  # kind, number, length of the payload

child = subprocess.Popen(
    [sys.argv[1], "--quiet", "engine", f"--threads={os.cpu_count()}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
versions = {}


def receive():
    head = child.stdout.read(HEAD.size)
    if len(head) < HEAD.size:
        sys.exit(f"heyan.py: the engine ended with status {child.wait()}")
    kind, _, length = HEAD.unpack(head)
    return kind, child.stdout.read(length)


def send(kind, payload):
    child.stdin.write(HEAD.pack(kind, 0, len(payload)))
    child.stdin.write(payload)


def read(file):
    with open(file, "rb") as picture:
        send(b"q", json.dumps({"submission": {"file": file}, "policy": "photo"}).encode())
        send(b"p", picture.read())
    child.stdin.flush()
    kind, payload = receive()
    answer = json.loads(payload)
    if kind != b"r":
        raise RuntimeError(answer["message"])
    versions.update(answer["versions"])
    return {"fields": {name: field["value"] for name, field in answer["fields"].items()}}


def cpu_seconds():
    """The child's processor time; its clock's number as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime(~child.pid << 3 | 2)


receive()  # the greeting: everything is loaded
measure.pictures(read, cpu_seconds)
child.stdin.close()
child.wait()
readers = ", then ".join(dict.fromkeys([versions["first_reader"], versions["reader"]]))
measure.engine(f"Heyan {versions['heyan']}, {readers}", resource.getrusage(resource.RUSAGE_CHILDREN))
