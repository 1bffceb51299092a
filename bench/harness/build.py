"""What has to be there: Debian's tools, and our two programs, built for release."""

import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.path.join(ROOT, "target", "bench")
PACKAGES = {
    "nginx": "nginx-light",
    "varnishd": "varnish",
    "haproxy": "haproxy",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "valgrind": "valgrind",
    "callgrind_control": "valgrind",
    "taskset": "util-linux",
}
SBIN = ["/usr/sbin", "/usr/local/sbin", "/sbin"]


def find(tool):
    return shutil.which(tool, path=os.pathsep.join([os.environ.get("PATH", ""), *SBIN]))


def need(tools, install):
    """Ends the run, saying what to install, if a tool is missing; installs it if that is wanted."""
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("two cores are needed, one of them for the load alone")
    missing = [tool for tool in tools if not find(tool)]
    if not missing:
        return
    packages = sorted({PACKAGES.get(tool, tool) for tool in missing})
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not install:
        raise SystemExit(f"missing: {', '.join(missing)}. Debian has them:\n  {' '.join(command)}\n(or: --install)")
    subprocess.run(["apt-get", "update"], check=True)
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def cargo(folder, *arguments):
    # Names of functions for bench/profile; the code is the same as without.
    env = {**os.environ, "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only"}
    command = ["cargo", "build", "--quiet", "--release", "--target-dir", TARGET, *arguments]
    subprocess.run(command, cwd=folder, env=env, check=True)


def nbproxy():
    cargo(ROOT, "--locked", "--bin", "nbproxy")
    return os.path.join(TARGET, "release", "nbproxy")


def origin():
    cargo(os.path.join(ROOT, "bench", "origin"))
    return os.path.join(TARGET, "release", "bench-origin")
