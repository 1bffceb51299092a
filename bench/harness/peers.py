"""Who is compared: how each is started, and how it says that an answer came from its memory."""

import os
from dataclasses import dataclass, field
from typing import Callable

from . import build
from .process import Process, wait_for_ok

CONFIGS = os.path.join(build.ROOT, "bench", "peers")
QUIET = "info,nbproxy::access=off"


@dataclass
class Peer:
    """A program in front of the origin."""

    name: str
    tool: str
    launch: Callable  # (options, bench, port, folder) -> Process
    options: dict = field(default_factory=dict)


def nginx(options, bench, port, folder):
    config = filled("nginx.conf", f"{folder}/nginx.conf", PORT=port, FOLDER=folder, **options)
    # Its workers run as root here, so that they may read what the master has made.
    return bench.start([build.find("nginx"), "-g", "user root;", "-c", config, "-p", folder], port)


def varnish(options, bench, port, folder):
    config = filled("varnish.vcl", f"{folder}/varnish.vcl", **options)
    argv = [build.find("varnishd"), "-F", "-j", "none", "-n", f"{folder}/work", "-f", config]
    return bench.start([*argv, "-a", f"127.0.0.1:{port}", "-s", "malloc,4G"], port)


def haproxy(options, bench, port, folder):
    config = filled("haproxy.cfg", f"{folder}/haproxy.cfg", PORT=port, **options)
    return bench.start([build.find("haproxy"), "-db", "-f", config], port)


def nbproxy(options, bench, port, folder):
    # Its log goes where a log costs least: /dev/null.
    admin = bench.port()
    options = {"LOG": "info", "CAPACITY": "4GiB", **options}
    config = filled("nbproxy.toml", f"{folder}/nbproxy.toml", PORT=port, ADMIN=admin, **options)
    process = bench.start([bench.nbproxy, "--config", config], port, log="/dev/null")
    wait_for_ok(f"http://127.0.0.1:{admin}/readyz")
    process.admin = admin
    return process


PEERS = [
    Peer("nginx", "nginx", nginx, {"SENDFILE": "on"}),
    Peer("nginx-copying", "nginx", nginx, {"SENDFILE": "off"}),
    Peer("varnish", "varnishd", varnish),
    Peer("haproxy", "haproxy", haproxy),
    Peer("nbproxy", "", nbproxy),
    Peer("nbproxy-quiet", "", nbproxy, {"LOG": QUIET}),
]
BY_NAME = {peer.name: peer for peer in PEERS}


def is_ours(name):
    return name.startswith("nbproxy")


def says_hit(headers):
    """Whether the answer calls itself remembered, in any of their ways."""
    return "hit" in headers.get("X-Cache", "").lower() or "; hit" in headers.get("Cache-Status", "")


def filled(template, path, **places):
    """The stated configuration with its places filled, written to the path."""
    with open(os.path.join(CONFIGS, template)) as file:
        text = file.read()
    for name, value in places.items():
        text = text.replace(f"@{name}@", str(value))
    with open(path, "w") as file:
        file.write(text)
    return path
