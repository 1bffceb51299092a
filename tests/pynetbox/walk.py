#!/usr/bin/env python3
"""Walks all devices with pynetbox: `walk.py BASE_URL TOKEN LIMIT offset|threads|cursor`.

Prints their ids as a JSON list, in the order in which they came.
"""

import json
import sys

import pynetbox

base, token, limit, how = sys.argv[1:]
nb = pynetbox.api(base, token=token, threading=how == "threads", pagination="cursor" if how == "cursor" else "offset")
print(json.dumps([device.id for device in nb.dcim.devices.all(limit=int(limit))]))
