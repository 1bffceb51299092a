#!/usr/bin/env python3
"""Performs a scene of the parity scenario with pynetbox: `run.py URL TOKEN SCENARIO SCENE`.

Each line on standard input performs the next operation and is answered by one line: `{"value": …}`, or
`{"error": CLASS, …}` with the status and NetBox's words where there are any. So whoever drives this knows which
requests belong to which operation. By hand: `yes | run.py URL TOKEN scenario.json reading`.

Nothing is smoothed over here: times, origins and secrets are the driver's business.
"""

import json
import re
import sys
import warnings

import pynetbox
from pynetbox.core.response import Record
from pynetbox.extensions import BranchingExtension

OPERATIONS = {}


def operation(function):
    """Registers an operation by its name."""
    OPERATIONS[function.__name__.rstrip("_")] = function
    return function


def plain(value):
    """A value as JSON has it; a record is the dictionary that pynetbox makes of it."""
    if isinstance(value, Record):
        value = dict(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Scene:
    """A NetBox, the Api objects that talk to it, and what was saved under a name."""

    def __init__(self, url, token, scene):
        self.url = url
        self.token = token
        self.options = {"main": {}, **scene.get("apis", {})}
        self.apis = {}
        self.saved = {}

    def api(self, name):
        if name not in self.apis:
            options = self.options[name]
            threading = options.get("concurrency", 1) > 1
            self.apis[name] = pynetbox.api(
                self.url,
                token=options.get("token", self.token),
                threading=threading,
                max_workers=options.get("concurrency", 4),
                strict_filters=options.get("strict", False),
                pagination=options.get("pagination", "offset"),
                extensions=[BranchingExtension],
            )
        return self.apis[name]

    def endpoint(self, step):
        found = self.api(step.get("as", "main"))
        *apps, name = step["endpoint"].split(".")
        for app in apps:
            found = getattr(found, app)
        return found.endpoint(name) if step.get("literal") else getattr(found, name)

    def find(self, reference):
        """What was saved: `site`, `made.0`, or a field of it: `site.id`."""
        first, *rest = reference.split(".")
        found = self.saved[first]
        for part in rest:
            found = found[int(part)] if part.isdigit() else getattr(found, part)
        return found

    def value(self, given):
        """A value of the scenario, with references in it resolved."""
        if isinstance(given, dict):
            if set(given) == {"ref"}:
                return plain(self.find(given["ref"]))
            return {key: self.value(item) for key, item in given.items()}
        if isinstance(given, list):
            return [self.value(item) for item in given]
        return given

    def shown(self, step, value):
        """A record or several, saved if the step says so, as it wants to see them."""
        if "save" in step:
            self.saved[step["save"]] = value
        if isinstance(value, list):
            return [self.one(step, item) for item in value]
        return self.one(step, value)

    @staticmethod
    def one(step, value):
        if not isinstance(value, Record) or "show" not in step:
            return plain(value)
        if step["show"] == "str":
            return str(value)
        return [plain(value).get(name) for name in step["show"]]

    def perform(self, step):
        action = OPERATIONS[step["op"]]
        if "in" not in step:
            return action(self, step)
        with self.api(step.get("as", "main")).activate_branch(self.find(step["in"])):
            return action(self, step)


def query(scene, step):
    """Positional and keyword arguments of a filter."""
    arguments = dict(scene.value(step.get("filters", {})))
    arguments.update({name: step[name] for name in ("limit", "offset") if name in step})
    if "strict" in step:
        arguments["strict_filters"] = step["strict"]
    return ([step["search"]] if "search" in step else []), arguments


def found(scene, step):
    words, arguments = query(scene, step)
    return scene.endpoint(step).filter(*words, **arguments)


def rows(records):
    """All records; `list()` would ask for their number, too."""
    return [record for record in records]  # noqa: C416


@operation
def version(scene, step):
    return scene.api(step.get("as", "main")).version


@operation
def status(scene, step):
    return scene.api(step.get("as", "main")).status()


@operation
def openapi(scene, step):
    document = scene.api(step.get("as", "main")).openapi()
    return [document["info"]["version"], sorted(document["paths"])]


@operation
def create_token(scene, step):
    return scene.shown(step, scene.api(step["as"]).create_token(step["username"], step["password"]))


@operation
def installed_plugins(scene, step):
    return list(scene.api("main").plugins.installed_plugins())


@operation
def config(scene, step):
    return list(getattr(scene.api("main"), step["app"]).config())[0]


@operation
def app(scene, step):
    return getattr(scene.api("main"), step["app"]) and None


@operation
def all_(scene, step):
    return scene.shown(step, rows(scene.endpoint(step).all(**query(scene, step)[1])))


@operation
def filter_(scene, step):
    return scene.shown(step, rows(found(scene, step)))


@operation
def as_list(scene, step):
    return scene.shown(step, list(found(scene, step)))


@operation
def unread(scene, step):
    """A list that nobody reads: nothing may be sent."""
    scene.endpoint(step).all()


@operation
def first(scene, step):
    """Only the first rows of a list: no more pages than are needed may be read."""
    records = found(scene, step)
    return scene.shown(step, [next(records) for _ in range(step["rows"])])


@operation
def get(scene, step):
    return scene.shown(step, scene.endpoint(step).get(scene.value(step["id"])))


@operation
def get_by(scene, step):
    return scene.shown(step, scene.endpoint(step).get(**query(scene, step)[1]))


@operation
def count(scene, step):
    words, arguments = query(scene, step)
    return scene.endpoint(step).count(*words, **arguments)


@operation
def len_of(scene, step):
    return len(found(scene, step))


@operation
def len_then_all(scene, step):
    """The length first, then the rows: the first page must not be lost or read twice."""
    records = found(scene, step)
    return [len(records), len(rows(records))]


@operation
def choices(scene, step):
    endpoint = scene.endpoint(step)
    return [endpoint.choices() for _ in range(step.get("times", 1))][-1]


@operation
def create(scene, step):
    return scene.shown(step, scene.endpoint(step).create(scene.value(step["values"])))


@operation
def create_many(scene, step):
    return scene.shown(step, scene.endpoint(step).create(scene.value(step["objects"])))


@operation
def update_many(scene, step):
    return scene.shown(step, scene.endpoint(step).update(scene.value(step["objects"])))


@operation
def update_records(scene, step):
    return scene.shown(step, scene.endpoint(step).update([scene.find(one) for one in step["records"]]))


@operation
def delete_many(scene, step):
    return scene.endpoint(step).delete(scene.value(step["ids"]))


@operation
def set_update(scene, step):
    return scene.shown(step, found(scene, step).update(**scene.value(step["values"])))


@operation
def set_delete(scene, step):
    return found(scene, step).delete()


@operation
def set_(scene, step):
    """Sets attributes; nothing may be sent."""
    for name, value in scene.value(step["values"]).items():
        setattr(scene.find(step["record"]), name, value)


@operation
def save(scene, step):
    return scene.find(step["record"]).save()


@operation
def update(scene, step):
    return scene.find(step["record"]).update(scene.value(step["values"]))


@operation
def delete(scene, step):
    return scene.find(step["record"]).delete()


@operation
def nested(scene, step):
    return scene.shown(step, getattr(scene.find(step["record"]), step["field"]))


@operation
def attribute(scene, step):
    return plain(getattr(scene.find(step["record"]), step["field"]))


@operation
def full_details(scene, step):
    scene.find(step["record"]).full_details()
    return values(scene, step)


@operation
def values(scene, step):
    return scene.one(step, scene.find(step["record"]))


@operation
def serialize(scene, step):
    return plain(scene.find(step["record"]).serialize())


@operation
def updates(scene, step):
    return plain(scene.find(step["record"]).updates())


@operation
def text(scene, step):
    return str(scene.find(step["record"]))


@operation
def equal(scene, step):
    return scene.find(step["a"]) == scene.find(step["b"])


def detail(scene, step):
    return getattr(scene.find(step["record"]), step["detail"])


@operation
def detail_list(scene, step):
    return scene.shown(step, list(detail_text(scene, step)))


@operation
def detail_text(scene, step):
    return detail(scene, step).list(**step.get("filters", {}))


@operation
def detail_create(scene, step):
    """One object, or several: `available_ips.create()`."""
    return scene.shown(step, detail(scene, step).create(scene.value(step.get("objects", step.get("values", {})))))


@operation
def detail_post(scene, step):
    """What is posted for an answer that is no object of the endpoint: a rendered text, a job."""
    action = detail(scene, step)
    if callable(action):
        return plain(action(**step.get("values", {})))
    return plain(action.create(step.get("values", {})))


@operation
def trace(scene, step):
    """pynetbox lays the hops end to end; here they are put back into threes, as NetBox sends them."""
    flat = plain(scene.find(step["record"]).trace())
    return [flat[at : at + 3] for at in range(0, len(flat), 3)]


@operation
def paths(scene, step):
    return plain(scene.find(step["record"]).paths())


def failure(error):
    """What a user can see of an exception."""
    answer = {"error": type(error).__name__}
    if isinstance(error, (pynetbox.RequestError, pynetbox.AllocationError)):
        answer["status"] = error.req.status_code
    if isinstance(error, pynetbox.RequestError):
        answer["message"] = error.error.strip()
    if isinstance(error, pynetbox.ParameterValidationError):
        answer["names"] = sorted(re.findall(r"'(\w+)' is not allowed", str(error)))
    return answer


def main():
    url, token, scenario, name = sys.argv[1:5]
    with open(scenario, encoding="utf-8") as file:
        scenes = json.load(file)
    chosen = next(scene for scene in scenes if scene["name"] == name)
    warnings.simplefilter("ignore")
    scene = Scene(url, token, chosen)
    for step in chosen["steps"]:
        if not sys.stdin.readline():
            break
        try:
            answer = {"value": scene.perform(step)}
        except Exception as error:  # what a user would see is the result
            answer = failure(error)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
