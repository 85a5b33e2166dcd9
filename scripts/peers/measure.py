"""What the Python readers of this folder share: the pictures named on standard
input, one a line, are read one after the other, and each becomes one JSON line
on standard output; one about the engine ends them."""

import json
import sys
import time


def pictures(read, cpu_seconds):
    """Prints {file, cpu_s, wall_s} and what read(file) returns, or {error}.
    The first picture is read once before, unmeasured, so that all are read warm."""
    files = sys.stdin.read().splitlines()
    for measured, file in enumerate([files[0], *files]):
        cpu, wall = cpu_seconds(), time.perf_counter()
        try:
            answer = read(file)
        except Exception as error:  # a picture that an engine cannot read is a miss, not the end
            answer = {"error": f"{type(error).__name__}: {error}"}
        times = {"cpu_s": cpu_seconds() - cpu, "wall_s": time.perf_counter() - wall}
        if measured:
            print(json.dumps({"file": file, **answer, **times}), flush=True)


def engine(version, usage):
    """Prints the last line; usage is the getrusage of the processes that read."""
    print(json.dumps({"version": version, "peak_rss_mb": usage.ru_maxrss / 1024}))
