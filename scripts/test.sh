#!/usr/bin/env bash
# Everything that must hold before a change goes in. Needs Rust (with cargo) and Python 3;
# what else it needs it sets up under target/.
#
#   scripts/test.sh              all steps, in order
#   scripts/test.sh clippy test  only these
#
# Steps: fmt clippy test schedules doc deny
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CARGO_DENY_VERSION=0.20.2
readonly TOOLS=$PWD/target/tools
readonly VENV=$PWD/target/pynetbox-venv
readonly PYNETBOX_LIB=$PWD/target/pynetbox-lib
readonly REQUIREMENTS=tests/pynetbox/requirements.txt

say() { printf '\n==> %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# --- set-up: each of these is quick when it has nothing to do ---

need_component() { # <cargo subcommand> <rustup component>
    cargo "$1" --version >/dev/null 2>&1 && return
    say "set-up: $2"
    rustup component add "$2" || die "cargo $1 is missing and rustup could not add the component $2"
}

need_cargo_deny() {
    export PATH=$TOOLS/bin:$PATH
    [[ $(cargo-deny --version 2>/dev/null || true) == "cargo-deny $CARGO_DENY_VERSION" ]] && return
    say "set-up: cargo-deny $CARGO_DENY_VERSION (built once, a few minutes)"
    # It runs for seconds, so it is built for a short build rather than a fast program.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_TARGET_DIR=$TOOLS/build \
        cargo install cargo-deny --version "=$CARGO_DENY_VERSION" --locked --root "$TOOLS" --quiet ||
        die "cargo-deny $CARGO_DENY_VERSION could not be installed"
    rm -rf "$TOOLS/build"
}

# A Python with the pinned pynetbox, its path in NBPROXY_TEST_PYTHON. Debian ships Python without
# ensurepip unless python3-venv is installed; pip then fills a folder that PYTHONPATH names.
need_pynetbox() {
    local python
    python=$(command -v python3) || die "python3 is needed: the tests drive nbproxy with pynetbox"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "Python 3.10 or newer is needed by pynetbox; $python is $("$python" --version)"
    local pip_flags=(--quiet --no-input --disable-pip-version-check --requirement "$REQUIREMENTS")

    if cmp -s "$REQUIREMENTS" "$VENV/installed.txt" && "$VENV/bin/python" -c 'import pynetbox' 2>/dev/null; then
        export NBPROXY_TEST_PYTHON=$VENV/bin/python
        return
    fi
    say "set-up: Python with $(tr '\n' ' ' <"$REQUIREMENTS")"
    if "$python" -m venv --clear "$VENV" >/dev/null 2>&1; then
        "$VENV/bin/python" -m pip install "${pip_flags[@]}" || die "pip could not install $REQUIREMENTS"
        cp "$REQUIREMENTS" "$VENV/installed.txt"
        export NBPROXY_TEST_PYTHON=$VENV/bin/python
        return
    fi
    echo "python3 -m venv does not work here; installing beside it with pip"
    "$python" -m pip --version >/dev/null 2>&1 ||
        die "neither venv nor pip works with $python; install one (Debian: apt install python3-venv)"
    rm -rf "$VENV" "$PYNETBOX_LIB"
    "$python" -m pip install "${pip_flags[@]}" --target "$PYNETBOX_LIB" || die "pip could not install $REQUIREMENTS"
    export PYTHONPATH=$PYNETBOX_LIB${PYTHONPATH:+:$PYTHONPATH}
    export NBPROXY_TEST_PYTHON=$python
}

# --- steps ---

step_fmt() {
    need_component fmt rustfmt
    cargo fmt --all --check
}

step_clippy() {
    need_component clippy clippy
    cargo clippy --locked --workspace --all-targets -- -D warnings
    # The client library alone, without the daemon.
    cargo clippy --locked --no-default-features --lib --examples -- -D warnings
}

step_test() {
    need_pynetbox
    cargo test --locked --workspace
}

# The core of coherence, with a build of its own in which the test decides which thread goes on.
step_schedules() {
    cargo test --locked --features schedules --test schedules
}

step_doc() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
}

step_deny() {
    need_cargo_deny
    cargo deny --locked check --hide-inclusion-graph licenses bans sources
    # A machine without a way to the database can still tell the rest; it must not look as if it had told all.
    if git_quiet cargo deny --locked fetch db; then
        cargo deny --locked check --hide-inclusion-graph advisories
    else
        advisories_note="NOT CHECKED: the advisory database could not be fetched"
        echo "advisories $advisories_note"
    fi
}

# Runs a command that asks git for something from afar: no prompt, no endless wait.
git_quiet() {
    local limit=(env)
    command -v timeout >/dev/null && limit=(timeout 120)
    GIT_TERMINAL_PROMPT=0 "${limit[@]}" "$@" </dev/null >/dev/null 2>&1
}

command -v cargo >/dev/null || die "cargo is needed: install Rust first"
if [[ ${CI:-} == true ]]; then
    # One build from nothing: what only speeds up the next build is left out.
    export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_TERM_PROGRESS_WHEN=never
fi

steps=("$@")
((${#steps[@]})) || steps=(fmt clippy test schedules doc deny)
advisories_note=""
current=""
trap '[[ -z $current ]] || printf "\nerror: the step %s failed\n" "$current" >&2' EXIT
for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || die "no step $step; there are: fmt clippy test schedules doc deny"
done
for step in "${steps[@]}"; do
    current=$step
    say "$step"
    "step_$step"
done
current=""
say "fine: ${steps[*]}${advisories_note:+ (advisories $advisories_note)}"
