#!/usr/bin/env python3
"""A tour of NetBox's API with pynetbox: `tour.py BASE_URL TOKEN [--branch SCHEMA_ID]`.

Prints one JSON object of named results. What differs from run to run or from server to server is
taken out: ids of objects made here, times, tokens, and the origin of URLs, which becomes ORIGIN.
So the output through a proxy can be compared with the output of NetBox itself, byte for byte.
Whether every URL that a client would follow begins with BASE_URL stands in `urls`.

The data is left as it was found.
"""

import argparse
import io
import json
import re
import sys

import pynetbox

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
ORIGIN = re.compile(r"https?://[^/\"' ]+")
# The smallest PNG there is: one transparent pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
PAGE = 25


class Tour:
    """The results so far, and the URLs seen on the way."""

    def __init__(self, base, token, branch):
        self.base = base.rstrip("/")
        self.token = token
        self.branch = branch
        self.results = {}
        self.urls = set()
        self.nb = self.api()

    def api(self, token=None, **options):
        """A pynetbox object whose answers are searched for URLs."""
        nb = pynetbox.api(self.base, token=self.token if token is None else token, **options)
        nb.http_session.hooks["response"].append(self.look)
        return nb

    def look(self, response, *_args, **_kwargs):
        """Collects every URL that a client may follow."""
        self.urls.add(response.url)
        if "json" not in response.headers.get("Content-Type", ""):
            return
        if response.url.split("?")[0].endswith("/api/schema/"):
            return
        try:
            self.collect(response.json())
        except ValueError:
            pass

    def collect(self, value):
        if isinstance(value, list):
            for item in value:
                self.collect(item)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key in ("url", "next", "previous") and isinstance(item, str):
                    self.urls.add(item)
                else:
                    self.collect(item)

    def step(self, name, action):
        """Notes what an action gives, or how it fails."""
        try:
            result = action()
        except pynetbox.RequestError as error:
            result = {
                "raised": type(error).__name__,
                "status": error.req.status_code,
                "error": error.error,
            }
        except pynetbox.AllocationError as error:
            result = {"raised": "AllocationError", "error": str(error)}
        except Exception as error:  # what a user would see is the result
            result = {"raised": type(error).__name__, "error": str(error)}
        self.results[name] = result

    def text(self):
        text = json.dumps(self.results, indent=1, sort_keys=True, default=str, ensure_ascii=False)
        text = TIME.sub("TIME", text)
        return ORIGIN.sub("ORIGIN", text)


def plain(record, *volatile):
    """A record as a dictionary, without what differs from run to run."""
    data = json.loads(json.dumps(dict(record), default=str))
    for name in volatile:
        data.pop(name, None)
    return data


def about(tour):
    nb = tour.nb
    tour.step("version", lambda: nb.version)
    tour.step("status", nb.status)
    tour.step("openapi", lambda: [nb.openapi()["info"]["version"], len(nb.openapi()["paths"])])
    tour.step("users_config", lambda: list(nb.users.config()))
    tour.step("installed_plugins", lambda: list(nb.plugins.installed_plugins()))
    tour.step("choices", lambda: nb.dcim.sites.choices()["status"])
    tour.step("choices_again", lambda: sorted(nb.dcim.devices.choices()))

    def create_token():
        other = tour.api(token="")
        made = other.create_token("admin", "admin")
        form = re.fullmatch(r"nbt_[A-Za-z0-9]{12}\.[A-Za-z0-9]{40}", other.token) is not None
        tour.nb.users.tokens.delete([made.id])
        return {"version": made.version, "form": form, "user": made.user.username}

    tour.step("create_token", create_token)
    tour.step("create_token_refused", lambda: tour.api(token="").create_token("admin", "wrong"))
    tour.step("bad_token", lambda: tour.api(token="0" * 40).dcim.sites.count())


def reading(tour):
    nb = tour.nb
    devices = nb.dcim.devices
    names = lambda records: [str(record) for record in records]  # noqa: E731
    tour.step("all", lambda: names(nb.dcim.sites.all()))
    tour.step("len", lambda: len(nb.dcim.sites.all()))
    tour.step("filter_values", lambda: names(devices.filter(site=["dc001", "dc002"])))
    tour.step("filter_tag", lambda: names(devices.filter(tag="tag0")))
    tour.step("filter_null", lambda: len(devices.filter(rack_id=None)))
    tour.step("filter_q", lambda: names(devices.filter("dev-0001")))
    tour.step("filter_lookup", lambda: names(devices.filter(name__ic="0010", ordering="-name")))
    tour.step("filter_brief", lambda: [plain(one) for one in devices.filter(brief=True, limit=3, offset=3)])
    tour.step("filter_fields", lambda: [plain(one) for one in devices.filter(fields="id,name", limit=2, offset=0)])
    tour.step("filter_bad_value", lambda: names(devices.filter(site="nowhere")))
    tour.step("filter_unknown", lambda: len(devices.filter(no_such_filter=1)))
    tour.step("get_by_id", lambda: plain(devices.get(1)))
    tour.step("get_by_name", lambda: plain(nb.dcim.sites.get(name="DC001")))
    tour.step("get_missing", lambda: devices.get(999_999_999))
    tour.step("get_many", lambda: devices.get(site="dc001"))
    tour.step("count", lambda: [devices.count(), devices.count(status="active")])
    tour.step("url", lambda: [devices.get(1).url, str(devices.get(1).site.url)])

    def trace():
        hops = nb.dcim.interfaces.get(2).trace()
        return [[str(end) for end in hop] if isinstance(hop, list) else hop.display for hop in hops]

    tour.step("trace", trace)
    tour.step("render_config", lambda: devices.get(1).render_config.create())

    def lazy():
        site = devices.get(1).site
        before = "physical_address" in dict(site)
        return [before, site.physical_address, site.full_details(), str(site.region)]

    tour.step("lazy", lazy)
    tour.step("no_such_endpoint", lambda: names(nb.dcim.no_such_things.all()))


def walking(tour):
    ids = lambda records: [record.id for record in records]  # noqa: E731
    walk = lambda nb: ids(nb.dcim.devices.all(limit=PAGE))  # noqa: E731
    tour.step("walk_next", lambda: walk(tour.nb))
    tour.step("walk_threads", lambda: sorted(walk(tour.api(threading=True))))
    tour.step("walk_cursor", lambda: walk(tour.api(pagination="cursor")))

    def cursor_length():
        devices = tour.api(pagination="cursor").dcim.devices.all(limit=PAGE)
        return len(devices)

    tour.step("walk_cursor_len", cursor_length)
    strict = tour.api(strict_filters=True).dcim.devices
    tour.step("strict_good", lambda: len(strict.filter(name="dev-00001")))
    tour.step("strict_bad", lambda: len(strict.filter(no_such_filter=1)))


def writing(tour):
    nb = tour.nb
    sites = nb.dcim.sites
    volatile = ("id", "url", "display_url")

    def single():
        site = sites.create(name="tour-1", slug="tour-1", tags=[{"slug": "tag0"}])
        seen = [plain(site, *volatile), sites.get(name="tour-1").id == site.id]
        site.description = "changed by save"
        seen.append(site.save())
        seen.append(sites.get(site.id).description)
        seen.append(site.save())
        seen.append(site.update({"facility": "F1", "status": "planned"}))
        seen.append(str(sites.get(site.id).status))
        try:
            sites.create(name="tour-1", slug="tour-1")
        except pynetbox.RequestError as error:
            seen.append([error.req.status_code, error.error])
        seen.append(site.delete())
        seen.append(sites.get(name="tour-1"))
        try:
            site.delete()
        except pynetbox.RequestError as error:
            seen.append([error.req.status_code, error.error])
        return seen

    tour.step("single", single)

    def bulk():
        before = sites.count()
        made = sites.create([{"name": f"tour-{n}", "slug": f"tour-{n}"} for n in range(5)])
        first = made[0].id
        seen = [[site.id - first for site in made], sites.count() - before]
        changed = sites.update([{"id": site.id, "facility": f"F{site.id - first}"} for site in made])
        seen.append([site.facility for site in changed])
        found = sites.filter(name=["tour-0", "tour-1"])
        seen.append(len(found.update(description="by record set")))
        seen.append([site.description for site in sites.filter(name__isw="tour-")])
        seen.append(sites.filter(name=["tour-0", "tour-1"]).delete())
        seen.append(sites.delete([made[2], made[3].id]))
        seen.append([str(site) for site in sites.filter(name__isw="tour-")])
        seen.append(made[4].delete())
        seen.append(sites.count() - before)
        return seen

    tour.step("bulk", bulk)
    tour.step(
        "bulk_refused",
        lambda: sites.create([{"name": "tour-x", "slug": "tour-x"}, {"slug": "tour-y"}]),
    )
    tour.step("bulk_refused_count", lambda: sites.count(name=["tour-x", "tour-y"]))
    tour.step("protected", lambda: nb.dcim.manufacturers.get(name="Cisco").delete())
    tour.step("write_refused", lambda: nb.dcim.sites.create(name="tour-z"))

    def counters():
        device = nb.dcim.devices.get(1)
        before = device.interface_count
        port = nb.dcim.interfaces.create(device=1, name="tour0", type="virtual")
        during = nb.dcim.devices.get(1).interface_count
        seen = [during - before, port.device.name, port.type.label, port.delete()]
        seen.append(nb.dcim.devices.get(1).interface_count - before)
        return seen

    tour.step("counters", counters)

    def rename():
        site = sites.get(name="DC001")
        site.name = "DC001 renamed"
        seen = [site.save(), str(nb.dcim.devices.get(site="dc001", name="dev-00001").site)]
        site.name = "DC001"
        seen += [site.save(), str(nb.dcim.devices.get(site="dc001", name="dev-00001").site)]
        return seen

    tour.step("rename", rename)

    def upload():
        file = io.BytesIO(PIXEL)
        file.name = "pixel.png"
        image = nb.extras.image_attachments.create(
            object_type="dcim.site", object_id=1, name="tour", image=file
        )
        seen = [str(image.parent), image.name, image.image.rsplit("/", 1)[-1], image.delete()]
        return seen

    tour.step("upload", upload)


def allocating(tour):
    nb = tour.nb

    def addresses():
        prefix = nb.ipam.prefixes.get(prefix="10.0.0.0/24", vrf_id="null")
        free = [str(one) for one in prefix.available_ips.list(limit=3)]
        one = prefix.available_ips.create()
        two = prefix.available_ips.create([{"description": "tour"}, {"description": "tour"}])
        seen = [free, str(one), [[str(ip), ip.description] for ip in two]]
        seen.append(nb.ipam.ip_addresses.delete([one, *two]))
        seen.append([str(ip) for ip in prefix.available_ips.list(limit=3)] == free)
        return seen

    tour.step("available_ips", addresses)

    def exhausted():
        prefix = nb.ipam.prefixes.get(prefix="192.168.1.0/30")
        made = []
        seen = []
        try:
            for _ in range(3):
                made.append(prefix.available_ips.create())
        except pynetbox.AllocationError as error:
            seen.append(str(error))
        seen.append([str(ip) for ip in made])
        seen.append(nb.ipam.ip_addresses.delete(made))
        return seen

    tour.step("exhausted", exhausted)

    def prefixes():
        parent = nb.ipam.prefixes.get(prefix="192.168.0.0/16")
        children = parent.children
        made = parent.available_prefixes.create({"prefix_length": 26})
        more = nb.ipam.prefixes.get(parent.id).children
        seen = [str(made), more - children, made.delete()]
        seen.append(nb.ipam.prefixes.get(parent.id).children - children)
        return seen

    tour.step("available_prefixes", prefixes)


def branching(tour):
    nb = tour.nb

    def branches():
        found = [one for one in nb.plugins.branching.branches.all() if one.schema_id == tour.branch]
        branch = found[0]
        main = nb.dcim.sites.count()
        seen = [str(branch.status)]
        with nb.activate_branch(branch):
            site = nb.dcim.sites.create(name="tour-branch", slug="tour-branch")
            first = nb.dcim.sites.get(1)
            old = first.description
            first.description = "only in the branch"
            seen.append(first.save())
            seen.append(nb.dcim.sites.count() - main)
            seen.append(nb.dcim.sites.get(1).description)
        seen.append(nb.dcim.sites.count() - main)
        seen.append(nb.dcim.sites.get(name="tour-branch"))
        seen.append(nb.dcim.sites.get(1).description == old)
        with nb.activate_branch(branch):
            seen.append(nb.dcim.sites.get(site.id).name)
            first.description = old
            seen.append(first.save())
            seen.append(nb.dcim.sites.get(site.id).delete())
            seen.append(nb.dcim.sites.count() - main)
        return seen

    tour.step("branch", branches)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base_url")
    parser.add_argument("token")
    parser.add_argument("--branch", help="schema id of a branch that is ready")
    arguments = parser.parse_args()
    tour = Tour(arguments.base_url, arguments.token, arguments.branch)
    about(tour)
    reading(tour)
    walking(tour)
    writing(tour)
    allocating(tour)
    if tour.branch:
        branching(tour)
    inside = tour.base + "/"
    outside = sorted(url for url in tour.urls if not url.startswith(inside))
    tour.results["urls"] = {"all_begin_with_base": not outside, "others": outside[:5]}
    print(tour.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
