"""Programs under test: started on a core of their own, asked how much CPU time and memory they took, stopped."""

import os
import signal
import socket
import subprocess
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """A program with all its children."""

    def __init__(self, argv, core, log, env=None):
        pin = ["taskset", "-c", str(core)]
        with open(log, "wb") as out:
            self.popen = subprocess.Popen(
                pin + argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
            )
        self.name, self.log = argv[0], log

    def pids(self):
        """The program and what it has started, children of children included."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                fields = stat(entry)
                if fields:
                    parents[int(entry)] = int(fields[1])
        found = [self.popen.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_seconds(self):
        """User and system time since it was started."""
        every = [fields for fields in map(stat, self.pids()) if fields]
        # utime, stime: the 14th and 15th field of /proc/PID/stat.
        return sum(int(fields[11]) for fields in every) / TICKS, sum(int(fields[12]) for fields in every) / TICKS

    def resident_bytes(self):
        """Memory that is there; what is shared between processes (shared memory of a cache, say) is counted once each."""
        return sum(int(fields[21]) for fields in (stat(pid) for pid in self.pids()) if fields) * PAGE

    def peak_bytes(self):
        """The most memory that the program itself, without children, has had at once."""
        with open(f"/proc/{self.popen.pid}/status") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))

    def stop(self):
        """Ends it, by force after three seconds."""
        if self.popen.poll() is not None:
            return
        self.popen.terminate()
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def wait_for_port(self, port, seconds=20):
        """Returns once it takes connections; says what it had to say if it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.popen.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        with open(self.log, "rb") as log:
            said = log.read()[-2000:].decode(errors="replace")
        raise RuntimeError(f"{self.name} does not listen on {port}:\n{said}")


def stat(pid):
    """The fields of /proc/PID/stat after the name; the first is the state."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def wait_for_ok(url, seconds=30):
    """Returns once the URL answers 200."""
    end = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(url, timeout=2).read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
