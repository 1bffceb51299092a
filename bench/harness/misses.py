"""Misses: what a proxy adds where it has to ask; many that ask for the same at once; lists that are walked cold."""

import selectors
import socket
import http.client
import json
import time
from statistics import median
from urllib.parse import urlsplit

from .bench import requests_at
from .load import wrk
from .table import middle, number, table

SLOW_MS = 150
ASKERS = 200


class Direct:
    """The origin, asked without anything before it."""

    def __init__(self, port):
        self.port = port

    def cpu_seconds(self):
        return 0.0, 0.0


class Miss:
    """One connection, another device each time."""

    name = "miss"

    def run(self, bench):
        names = ["direct", *(name for name in ("nginx", "haproxy", "varnish", "nbproxy") if name in bench.args.peers)]
        samples = {name: [] for name in names}
        first = 1_000_000
        for _ in range(bench.args.rounds):
            for name in names:
                process = Direct(bench.origin) if name == "direct" else bench.peer(name)
                before = requests_at(bench.origin)
                sample = wrk(process, "/", 1, bench.args.seconds, keys=("up", first, "/api/dcim/devices/#/"))
                asked = requests_at(bench.origin) - before
                if not sample.hits <= asked <= sample.hits + 2:
                    raise RuntimeError(f"{name}: {asked} fetches for {sample.hits} misses")
                samples[name].append(sample)
            first += 1_000_000
        rows = []
        for name in names:
            of = samples[name]
            added = median(own.p50_us - bare.p50_us for own, bare in zip(of, samples["direct"]))
            values = [middle(of, lambda s: s.rate), middle(of, lambda s: s.p50_us), middle(of, lambda s: s.p99_us)]
            ours = [number(added), number(middle(of, lambda s: s.cpu_us))] if name != "direct" else ["", ""]
            rows.append([name, *map(number, values), *ours])
        columns = ["peer", "misses/s", "p50 µs", "p99 µs", "added at p50, µs", "CPU µs/miss"]
        goal = ["", "Goal: adds no more than HAProxy."]
        return ["### Misses, one connection, a new device of 2.6 KB each time", "", *table(columns, rows), *goal, ""]


class Askers:
    """A cold key of an origin that takes its time; everybody asks at once."""

    name = "askers"

    def run(self, bench):
        slow = bench.start_origin(SLOW_MS)
        rows = []
        for name in ("nginx", "varnish", "haproxy", "nbproxy"):
            if name in bench.args.peers:
                process = bench.fresh(name, ORIGIN=slow)
                before = requests_at(slow)
                seconds = everybody(process.port, "/api/dcim/devices/1/", ASKERS)
                rows.append([name, str(requests_at(slow) - before), number(seconds * 1000)])
                process.stop()
        columns = ["peer", "fetches", "all answered after, ms"]
        title = f"### {ASKERS} askers of one cold key, an origin that takes {SLOW_MS} ms"
        return [title, "", *table(columns, rows), "", "Goal: one fetch.", ""]


def everybody(port, path, count):
    """Seconds until the last of them has its whole answer."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    began = time.monotonic()
    waiting = selectors.DefaultSelector()
    for one in sockets:
        one.sendall(request)
        waiting.register(one, selectors.EVENT_READ, bytearray())
    left = count
    while left:
        for key, _ in waiting.select(30):
            part = key.fileobj.recv(1 << 20)
            key.data.extend(part[: 1024 - len(key.data)])
            if not part:
                if not key.data.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"port {port}: {bytes(key.data[:200])}")
                waiting.unregister(key.fileobj)
                key.fileobj.close()
                left -= 1
    return time.monotonic() - began


class Walk:
    """A client without concurrency follows `next` through a cold list."""

    name = "walk"

    def run(self, bench):
        slow = bench.start_origin(SLOW_MS)
        rounds = []
        for _ in range(max(1, bench.args.rounds // 2)):
            direct = walk(slow)
            process = bench.fresh("nbproxy", ORIGIN=slow)
            cold, warm = walk(process.port), walk(process.port)
            process.stop()
            rounds.append((direct, cold, warm))
        direct, cold, warm = (median(times) for times in zip(*rounds))
        ratio = [median(times[index] / times[0] for times in rounds) for index in (1, 2)]
        rows = [
            ["without nbproxy", number(direct), "1"],
            ["nbproxy, cold", number(cold), f"{ratio[0]:.2f}"],
            ["nbproxy, once more", number(warm), f"{ratio[1]:.4f}"],
        ]
        title = f"### Walking 3,000 devices in pages of 50, an origin that takes {SLOW_MS} ms a page"
        return [title, "", *table(["", "s", "ratio"], rows), "", "Goal: cold at most 0.4.", ""]


def walk(port):
    """Seconds for the whole list, following the links as a client does."""
    connection, target, found = http.client.HTTPConnection("127.0.0.1", port), "/api/dcim/devices/?limit=50", 0
    began = time.monotonic()
    while target:
        connection.request("GET", target)
        page = json.loads(connection.getresponse().read())
        found += len(page["results"])
        link = urlsplit(page["next"] or "")
        if link.port not in (port, None):
            raise RuntimeError(f"the next page is said to be at {page['next']}")
        target = page["next"] and f"{link.path}?{link.query}"
    if found != page["count"]:
        raise RuntimeError(f"{found} of {page['count']} rows")
    return time.monotonic() - began


SCENARIOS = [Miss(), Askers(), Walk()]
