"""A run: what is started, on which core and port, and where its files are."""

import http.client
import os
import resource
import shutil
import subprocess
import tempfile
import time

from . import build, peers
from .process import TICKS, Process

PROXY_CORE, LOAD_CORE = 0, 1


class Bench:
    """Starts things once, and ends them all."""

    def __init__(self, args, nbproxy, origin):
        self.args, self.nbproxy, self.origin_program = args, nbproxy, origin
        # tmpfs, for nginx's cache.
        self.folder = tempfile.mkdtemp(prefix="nbproxy-bench-", dir="/dev/shm")
        self.next_port = args.port
        self.started, self.running = [], {}
        self.origin = self.start_origin(0)

    def port(self):
        self.next_port += 1
        return self.next_port - 1

    def start(self, argv, port, core=PROXY_CORE, log=None):
        process = Process(argv, core, log or f"{self.folder}/{port}.log")
        self.started.append(process)
        process.wait_for_port(port)
        process.port = port
        return process

    def start_origin(self, latency_ms):
        """Its port; it shares the load generator's core."""
        port = self.port()
        argv = [self.origin_program, "--listen", f"127.0.0.1:{port}", "--latency-ms", str(latency_ms)]
        self.start(argv, port, LOAD_CORE)
        return port

    def peer(self, name):
        """The running peer of this name; started when it is first asked for."""
        if name not in self.running:
            self.running[name] = self.fresh(name)
        return self.running[name]

    def fresh(self, name, **options):
        """One more of this name, with other places in its configuration if need be; who asks for it stops it."""
        peer, port = peers.BY_NAME[name], self.port()
        folder = f"{self.folder}/{name}-{port}"
        os.mkdir(folder)
        options = {"ORIGIN": self.origin, **peer.options, **options}
        return peer.launch(options, self, port, folder)

    def own_cpu_seconds(self):
        """CPU time of all that this run has started, what has ended included, and of itself."""
        usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        running = [process for process in self.started if process.popen.poll() is None]
        return sum(own.ru_utime + own.ru_stime for own in usage) + sum(sum(own.cpu_seconds()) for own in running)

    def stop(self):
        for process in reversed(self.started):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def fetch(port, path, headers=None):
    """Status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{port}", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def requests_at(origin):
    """How much of what is remembered has been asked of the origin."""
    return int(fetch(origin, "/requests")[2])


def busy_cpu_seconds():
    """CPU time of everything on this machine."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


class Neighbours:
    """How much of the machine others take meanwhile: what is measured beside them is not worth much."""

    def __init__(self, bench):
        self.bench = bench
        self.began = self.now()

    def now(self):
        return time.monotonic(), busy_cpu_seconds() - self.bench.own_cpu_seconds()

    def share(self):
        """From 0 to 1, of all cores."""
        (began, before), (now, after) = self.began, self.now()
        return max(0.0, after - before) / (now - began) / os.cpu_count()


def versions():
    """One line each: of the machine, the kernel and all programs."""
    def first(*argv):
        try:
            done = subprocess.run(argv, capture_output=True, text=True)
        except OSError:
            return "missing"
        return (done.stdout + done.stderr).strip().splitlines()[0]

    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    with open("/proc/sys/net/ipv4/tcp_congestion_control") as file:
        congestion = file.read().strip()
    tools = {"nginx": ["-v"], "varnishd": ["-V"], "haproxy": ["-v"], "wrk": ["-v"], "h2load": ["--version"]}
    lines = [f"{cpu}, {os.cpu_count()} cores; Linux {os.uname().release}, TCP congestion control {congestion}"]
    lines += [first(build.find(tool), *flags) for tool, flags in tools.items() if build.find(tool)]
    commit = first("git", "-C", build.ROOT, "describe", "--always", "--dirty")
    return [*lines, f"nbproxy {commit}, {first('rustc', '--version')}"]
