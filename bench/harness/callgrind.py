"""Reads what callgrind writes: instructions by function, its own and with all that it calls."""

import re
from collections import defaultdict

NAME = re.compile(r"^\((\d+)\)(?: (.*))?$")
COSTS = re.compile(r"^[+*-]?\d* ?[+*\d-]* (\d+)$|^[+*-]?\d+ (\d+)$")


class Profile:
    """What one dump holds."""

    def __init__(self, path):
        self.own = defaultdict(int)
        self.calls = defaultdict(int)  # (caller, called): instructions
        names, function, called = {}, None, None

        def named(text):
            number, name = NAME.match(text).groups()
            if name:
                names[number] = shortened(name)
            return names[number]

        with open(path, errors="replace") as lines:
            for line in lines:
                line = line.rstrip("\n")
                if line.startswith("fn="):
                    function = named(line[3:])
                elif line.startswith("cfn="):
                    called = named(line[4:])
                elif line[:1] in "0123456789+-*" and line and function:
                    cost = int(line.rsplit(" ", 1)[1])
                    if called:
                        self.calls[function, called] += cost
                        called = None
                    else:
                        self.own[function] += cost

    def total(self):
        return sum(self.own.values())

    def inclusive(self):
        """Own and called instructions; a function that calls itself is counted once."""
        total = defaultdict(int, self.own)
        for (caller, called), cost in self.calls.items():
            if caller != called:
                total[caller] += cost
        return total

    def callers(self, function):
        """Who calls it, the dearest first."""
        found = [(cost, caller) for (caller, called), cost in self.calls.items() if called == function != caller]
        return sorted(found, reverse=True)


def shortened(name):
    """Without hashes, recursion marks and the length of generics."""
    name = re.sub(r"'\d+$", "", name)
    name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    name = re.sub(r"\{\{(\w+)\}\}", r"{\1}", name)
    return name if len(name) <= 150 else name[:147] + "…"
