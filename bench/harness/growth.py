"""What grows: many entries, memory that is full, the start. And times at half load. Of nbproxy; the tail of all."""

import http.client
import time

from .bench import fetch, requests_at
from .hits import DEVICE
from .load import paced, percentile, wrk
from .process import wait_for_ok
from .table import middle, number, size, table

TAG, FEW = "/api/extras/tags/#/", 1_000
KEYS_AT_ONCE = 32


class Growth:
    """As many entries as are wanted against 1,000, each of the hits another one of them."""

    name = "growth"

    def run(self, bench):
        small, large = (bench.fresh("nbproxy-quiet", CAPACITY="8GiB") for _ in range(2))
        fill(small, 0, FEW)
        fill(large, 0, FEW)
        before, held_before = large.resident_bytes(), held(large)
        many, spent = fill(large, FEW, bench.args.entries)
        after, held_after = large.resident_bytes(), held(large)
        samples = {FEW: [], many: []}
        for _ in range(bench.args.rounds):
            for count, process in ((FEW, small), (many, large)):
                at_origin = requests_at(bench.origin)
                sample = wrk(process, "/", 16, bench.args.seconds, keys=("random", count, TAG))
                if requests_at(bench.origin) != at_origin:
                    raise RuntimeError(f"of {count} entries, {requests_at(bench.origin) - at_origin} were not there")
                samples[count].append(sample)
        rows = []
        for count, of in samples.items():
            ratio = middle(list(zip(of, samples[FEW])), lambda pair: pair[0].cpu_us / pair[1].cpu_us)
            numbers = [middle(of, lambda s: s.rate), middle(of, lambda s: s.p99_us / 1000), middle(of, lambda s: s.cpu_us)]
            rows.append([f"{count:,} entries", *map(number, numbers), f"{ratio:.2f}"])
        _, headers, body = fetch(large.port, TAG.replace("#", str(many)))
        content = sum(len(name) + len(value) + 4 for name, value in headers.items()) + len(body)
        each, told = (after - before) / (many - FEW), (held_after - held_before) / (many - FEW)
        small.stop()
        large.stop()
        return [
            f"### Growth: hits on random ones of many entries of {size(len(body))}, 16 connections",
            "",
            *table(["", "hits/s", "p99 ms", "CPU µs/hit", "CPU, to 1,000"], rows),
            "",
            f"Resident memory grew by {each:,.0f} bytes an entry, {content} of them head and body as a client gets them: "
            f"{each - content:,.0f} of bookkeeping. nbproxy itself counts {told:,.0f} an entry. Filled in {spent:.0f} s. "
            "Goals: within 10 %; at most 400 of bookkeeping.",
            "",
        ]


def fill(process, first, last):
    """Asks for every id from `first + 1` to `last` or some thousand more; where it ended, and after how many seconds."""
    began = time.monotonic()
    if last <= FEW:
        connection = http.client.HTTPConnection("127.0.0.1", process.port)
        for number in range(first, last):
            connection.request("GET", TAG.replace("#", str(number + 1)))
            connection.getresponse().read()
        first = last
    while first < last:
        # What was under way when the time was up is asked for once more.
        first += wrk(process, "/", KEYS_AT_ONCE, 3, keys=("up", first, TAG)).hits - 2 * KEYS_AT_ONCE
    return first, time.monotonic() - began


def held(process):
    """Bytes that nbproxy says it remembers."""
    for line in fetch(process.admin, "/metrics")[2].decode().splitlines():
        if line.startswith("nbproxy_cache_bytes"):
            return float(line.split()[-1])
    raise RuntimeError("no nbproxy_cache_bytes in /metrics")


class Memory:
    """More answers than there is room for, while others are read."""

    name = "memory"

    def run(self, bench):
        rows = []
        for label, path in (("2.6 KB", "/api/dcim/devices/#/"), ("129 KB", "/api/dcim/devices/?limit=50&offset=1&q=#")):
            process = bench.fresh("nbproxy", CAPACITY="128MiB")
            idle = process.resident_bytes()
            wrk(process, "/", 16, bench.args.seconds * bench.args.rounds, keys=("up", 0, path))
            rows.append([label, size(idle), size(process.peak_bytes()), f"{process.peak_bytes() / (128 << 20):.2f}"])
            process.stop()
        title = "### Memory: a flood of new keys into cache.capacity = 128 MiB"
        columns = ["answers", "idle", "peak resident", "to capacity"]
        return [title, "", *table(columns, rows), "", "Goals: 25 MB when idle; at most 1.2 of capacity.", ""]


class Start:
    """From the command to the first answer."""

    name = "start"

    def run(self, bench):
        times, idle = [], []
        for _ in range(bench.args.rounds * 2):
            began = time.monotonic()
            process = bench.fresh("nbproxy")
            wait_for_ok(f"http://127.0.0.1:{process.port}{DEVICE}")
            times.append(time.monotonic() - began)
            idle.append(process.resident_bytes())
            process.stop()
        middle_of = lambda values: sorted(values)[len(values) // 2]
        return [
            "### Start",
            "",
            f"First answer after {1000 * middle_of(times):.0f} ms (goal: 200), {size(middle_of(idle))} resident (goal: 25 MB).",
            "",
        ]


class Tail:
    """Half of what each can do, at a steady rate."""

    name = "tail"

    def run(self, bench):
        names = [name for name in ("nginx", "haproxy", "nbproxy", "nbproxy-quiet") if name in bench.args.peers]
        rates, samples = {}, {name: [] for name in names}
        for name in names:
            fetch(bench.peer(name).port, DEVICE)
            rates[name] = wrk(bench.peer(name), DEVICE, 16, bench.args.seconds).rate / 2
        for _ in range(bench.args.rounds):
            for name in names:
                times = paced(bench.peer(name), DEVICE, 16, bench.args.seconds, rates[name], bench.folder)
                samples[name].append((len(times) / bench.args.seconds, percentile(times, 50), percentile(times, 99)))
        rows = []
        for name, of in samples.items():
            values = [middle(of, lambda s: s[index]) for index in range(3)]
            rows.append([name, *map(number, values), f"{middle(of, lambda s: s[2] / s[1]):.2f}"])
        columns = ["peer", "hits/s", "p50 µs", "p99 µs", "p99 / p50"]
        title = "### The tail at half load: one device, 16 connections"
        return [title, "", *table(columns, rows), "", "Goal: nbproxy's p99 within 3 times p50.", ""]


SCENARIOS = [Tail(), Start(), Memory(), Growth()]
