"""Checks an environment of samconfig.toml against the template's parameters: each exists, each has an allowed value."""

import re
import sys
import tomllib

from samtranslator.yaml_helper import yaml_parse

template, settings, environment = sys.argv[1:]
with open(template, encoding="utf-8") as file:
    parameters = yaml_parse(file.read())["Parameters"]
with open(settings, "rb") as file:
    overrides = tomllib.load(file)[environment]["deploy"]["parameters"]["parameter_overrides"]


def wrong(name, value):
    if name not in parameters:
        return "the template has no such parameter"
    parameter = parameters[name]
    if value not in map(str, parameter.get("AllowedValues", [value])):
        return "not among the values allowed"
    if not re.fullmatch(parameter.get("AllowedPattern", ".*"), value):
        return "not of the pattern allowed"
    if parameter["Type"] == "Number" and not (
        parameter.get("MinValue", float("-inf")) <= float(value) <= parameter.get("MaxValue", float("inf"))
    ):
        return "not within the bounds"
    return None


given = dict(override.split("=", 1) for override in overrides)
faults = [f"{environment}: {name}={value}: {why}" for name, value in given.items() if (why := wrong(name, value))]
# Only a deployment knows the image.
faults += [
    f"{environment}: {name} is not set"
    for name, parameter in parameters.items()
    if "Default" not in parameter and name not in given and name != "ImageUri"
]
if faults:
    sys.exit("\n".join(faults))
