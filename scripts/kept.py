"""Writes the input for CloudFormation to import into a new stack the resources that an earlier one left.

kept.py template RESOURCE...      the template, with these resources alone; on standard output
kept.py identifiers RESOURCE=ID...   what they are, as JSON
The resources are those that template.yaml keeps when its stack is deleted.
"""

import json
import re
import sys

# The type of each, and the identifier CloudFormation imports it by.
KEPT = {
    "Table": ("AWS::DynamoDB::Table", "TableName"),
    "MetaSecret": ("AWS::SecretsManager::Secret", "Id"),
    "MediaSecret": ("AWS::SecretsManager::Secret", "Id"),
    "LogGroup": ("AWS::Logs::LogGroup", "LogGroupName"),
}

HEAD = """AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  TableName: {Type: String}
  RetentionDays: {Type: Number}
Resources:
"""


def template(names: list[str]) -> str:
    """Their definitions in template.yaml: what is imported must equal what the stack defines afterwards."""
    with open("template.yaml", encoding="utf-8") as file:
        resources = file.read().split("\nResources:\n", 1)[1].split("\nOutputs:\n", 1)[0]
    blocks = {}
    for block in re.split(r"^(?=  \w+:$)", resources, flags=re.MULTILINE)[1:]:
        lines = block.splitlines()
        # A line that is indented less belongs to the next resource.
        own = [lines[0], *(line for line in lines[1:] if line.startswith("    "))]
        blocks[lines[0].strip(" :")] = "\n".join(own)
    return HEAD + "\n".join(blocks[name] for name in names) + "\n"


def identifiers(pairs: list[str]) -> str:
    """A list of resources with their types and names."""
    known = []
    for pair in pairs:
        name, value = pair.split("=", 1)
        kind, key = KEPT[name]
        known.append({"ResourceType": kind, "LogicalResourceId": name, "ResourceIdentifier": {key: value}})
    return json.dumps(known)


what, *rest = sys.argv[1:]
print({"template": template, "identifiers": identifiers}[what](rest))
