"""Load, and what it told: wrk as fast as it goes, h2load at a given rate."""

import json
import os
import subprocess
from dataclasses import dataclass

from . import build
from .bench import LOAD_CORE

WRK = os.path.join(build.ROOT, "bench", "wrk")


@dataclass
class Sample:
    """One run."""

    hits: int
    seconds: float
    bytes: int
    p50_us: float
    p99_us: float
    user_us: float  # of the proxy's CPU time, by hit
    system_us: float

    @property
    def rate(self):
        return self.hits / self.seconds

    @property
    def cpu_us(self):
        return self.user_us + self.system_us

    @property
    def megabytes(self):
        return self.bytes / self.seconds / 1e6


class Faulty(Exception):
    """What was measured is not what was meant."""


def wrk(process, path, connections, seconds, headers=None, keys=None):
    """Asks as fast as it can; `keys` are keys.lua's arguments, for another path each time."""
    script = ["-s", f"{WRK}/keys.lua" if keys else f"{WRK}/report.lua"]
    fields = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    argv = ["taskset", "-c", str(LOAD_CORE), build.find("wrk"), "-t", "1", "-c", str(connections)]
    argv += ["-d", f"{seconds}s", "--timeout", "30s", *script, *fields, f"http://127.0.0.1:{process.port}{path}"]
    argv += ["--", *map(str, keys)] if keys else []
    env = {**os.environ, "BENCH_REPORT": f"{WRK}/report.lua"}
    before = process.cpu_seconds()
    done = subprocess.run(argv, capture_output=True, text=True, env=env)
    user, system = (after - earlier for after, earlier in zip(process.cpu_seconds(), before))
    found = [line[7:] for line in done.stdout.splitlines() if line.startswith("report ")]
    if not found:
        raise Faulty(f"wrk told nothing: {done.stdout}{done.stderr}")
    told = json.loads(found[0])
    if told["faults"] or not told["requests"]:
        raise Faulty(f"{told['faults']} of {told['requests']} answers were faulty")
    hits = told["requests"]
    times = told["p50"], told["p99"], user * 1e6 / hits, system * 1e6 / hits
    return Sample(hits, told["microseconds"] / 1e6, told["bytes"], *times)


def paced(process, path, connections, seconds, rate, folder):
    """Asks at a steady rate, spread over the connections; microseconds of every answer."""
    log = f"{folder}/h2load.log"
    argv = ["taskset", "-c", str(LOAD_CORE), build.find("h2load"), "--h1", "-t", "1", "-c", str(connections)]
    argv += ["-D", str(seconds), "--rps", f"{rate / connections:.2f}", f"--log-file={log}"]
    done = subprocess.run([*argv, f"http://127.0.0.1:{process.port}{path}"], capture_output=True, text=True)
    # Start in microseconds, status, and how long it took.
    with open(log) as file:
        rows = [line.split() for line in file]
    os.remove(log)
    if not rows or any(row[1] != "200" for row in rows):
        raise Faulty(f"h2load: {done.stdout}{done.stderr}")
    return sorted(int(row[2]) for row in rows)


def percentile(ordered, percent):
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
