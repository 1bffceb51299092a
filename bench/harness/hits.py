"""Hits: every peer remembers one answer, and is asked for it as fast as one core can ask."""

import time
from dataclasses import dataclass, field
from statistics import median

from . import peers
from .bench import fetch, requests_at
from .load import Faulty, wrk
from .table import middle, number, size, table

DEVICE, PAGE, LIST = "/api/dcim/devices/1/", "/api/dcim/devices/?limit=50", "/api/dcim/devices/?limit=1000"
ONE = "/api/dcim/devices/?limit=1"
OPENAPI = "/api/schema/"
ALL = ["nginx", "nginx-copying", "varnish", "haproxy", "nbproxy", "nbproxy-quiet"]
COLUMNS = {
    "hits/s": lambda sample: sample.rate,
    "MB/s": lambda sample: sample.megabytes,
    "p50 ms": lambda sample: sample.p50_us / 1000,
    "p99 ms": lambda sample: sample.p99_us / 1000,
    "user µs/hit": lambda sample: sample.user_us,
    "CPU µs/hit": lambda sample: sample.cpu_us,
}


@dataclass
class Cell:
    """One peer, asked in one way."""

    peer: str
    label: str
    headers: dict = field(default_factory=dict)
    wants: int = 200
    coding: str = ""
    sizes: tuple = (0, 0)  # of a body as it is sent, and of all that wrk should count
    note: str = ""


@dataclass
class Hits:
    """A table of hits. The goal is a ratio of CPU time per hit, `ours` to the best of `against`."""

    name: str
    title: str
    path: str
    connections: tuple
    goal: str = ""
    cells: list = None
    keys: tuple = None

    def run(self, bench):
        cells = [cell for cell in self.cells or plain() if cell.peer in bench.args.peers]
        lines = []
        for connections in self.connections:
            for cell in cells:
                ready(cell, self.path, bench)
            samples = {cell.label: [] for cell in cells}
            for _ in range(bench.args.rounds):
                for cell in cells:
                    samples[cell.label].append(measured(cell, self.path, connections, bench, self.keys))
            lines += [f"### {self.title}, {connections} connections", "", *self.told(cells, samples), ""]
        return lines

    def told(self, cells, samples):
        rows = []
        for cell in cells:
            of = samples[cell.label]
            numbers = [middle(of, get) for get in COLUMNS.values()]
            rows.append([cell.label + cell.note, size(cell.sizes[0]), *map(number, numbers), ratio(cell, cells, samples)])
        columns = ["peer", "body", *COLUMNS, "CPU, to the best other"]
        goal = ["", f"Goal: {self.goal}."] if self.goal else []
        return table(columns, rows) + goal


def plain():
    return [Cell(name, name) for name in ALL]


def ratio(cell, cells, samples):
    """CPU time per hit to the least of what it is compared with, round by round; the median."""
    if not peers.is_ours(cell.peer):
        return ""
    others = [other for other in cells if is_compared(cell, other)]
    if not others:
        return ""
    rounds = zip(samples[cell.label], *(samples[other.label] for other in others))
    return f"{median(own.cpu_us / min(other.cpu_us for other in rest) for own, *rest in rounds):.2f}"


def is_compared(cell, other):
    # A 304 is compared with the whole answer of the same program, all else with the other programs.
    if cell.wants == 304:
        return other.peer == cell.peer and other.wants == 200
    return not peers.is_ours(other.peer) and other.wants == 200


def ready(cell, path, bench):
    """Has the peer remember the answer, and makes sure that it is what it should be."""
    port, origin = bench.peer(cell.peer).port, bench.origin
    whole = fetch(origin, path)[2]
    for _ in range(20):
        # A compressed copy is made behind the first answers' backs.
        headers = fetch(port, path, cell.headers)[1]
        if peers.says_hit(headers) and headers.get("Content-Encoding", "") == cell.coding:
            break
        time.sleep(0.1)
    if cell.wants == 304:
        # Who has no tag of its own from this peer cannot ask whether it still holds.
        tag = fetch(port, path)[1].get("ETag")
        cell.headers = {"If-None-Match": tag or '"none"'}
    before = requests_at(origin)
    status, headers, body = fetch(port, path, cell.headers)
    if requests_at(origin) != before or (status == 200 and not peers.says_hit(headers)):
        raise Faulty(f"{cell.label}: {path} is not a hit: {status} {dict(headers)}")
    coding = headers.get("Content-Encoding", "")
    if status == 200 and not coding and len(body) != len(whole):
        raise Faulty(f"{cell.label}: {len(body)} bytes instead of {len(whole)}")
    cell.note = "" if status == cell.wants else f" (answered {status})"
    if cell.coding and coding != cell.coding:
        cell.note = " (not compressed)"
    head = len(f"HTTP/1.1 {status} OK\r\n\r\n") + sum(len(f"{name}: {value}\r\n") for name, value in headers.items())
    cell.sizes = (len(body), len(body) + head)


def measured(cell, path, connections, bench, keys):
    process = bench.peer(cell.peer)
    before = requests_at(bench.origin)
    sample = wrk(process, path, connections, bench.args.seconds, cell.headers, keys)
    asked, each = requests_at(bench.origin) - before, sample.bytes / sample.hits
    if asked:
        raise Faulty(f"{cell.label}: {asked} of {sample.hits} were no hits")
    # Answers that were under way at the end are in the bytes, not in the count.
    slack = cell.sizes[1] * (0.05 + 2 * connections / sample.hits)
    if abs(each - cell.sizes[1]) > slack + 64:
        raise Faulty(f"{cell.label}: {each:.0f} bytes an answer instead of {cell.sizes[1]}")
    return sample


def coded():
    gzip = {"Accept-Encoding": "gzip, deflate"}
    cells = [Cell(name, name) for name in ALL if not peers.is_ours(name)]
    return [*cells, Cell("nbproxy", "nbproxy, gzip", gzip, coding="gzip"), Cell("nbproxy", "nbproxy, identity")]


def conditional():
    # NetBox gives lists no tag, so the others have none to tell by.
    cells = [Cell(name, f"{name}, 304", wants=304) for name in ALL if peers.is_ours(name)]
    return [*cells, Cell("nbproxy", "nbproxy"), Cell("nbproxy-quiet", "nbproxy-quiet")]


SCENARIOS = [
    Hits("hit-2.6KB", "One device, 2.6 KB", DEVICE, (16, 64), "at most 0.75"),
    Hits("hit-traced", "One device, 2.6 KB, each request with a trace id of its own", DEVICE, (16,), keys=("heads", 0, DEVICE)),
    Hits("hit-129KB", "A page of 50 devices, 129 KB", PAGE, (16, 64), "at most 0.85"),
    Hits("hit-2.6MB", "1,000 devices, 2.6 MB", LIST, (16, 64), "at most 1.0"),
    Hits("hit-13MB", "The OpenAPI document, 13 MB", OPENAPI, (16,)),
    Hits("gzip", "A page of 50 devices, the client accepts gzip", PAGE, (16,), "gzip at most 0.3", coded()),
    Hits("304", "A page of one device, the client has it", ONE, (16,), "at most 0.9 of the own 2.6 KB hit", conditional()),
]
