"""Merges secrets from the environment into a stored one: JSON on standard input, JSON or names on standard output.

secret.py merge|normal|changes|lacks|marks meta|media
  merge    the stored secret with what the environment has
  normal   the stored secret, written as merge writes
  changes  the names of what merge would change
  marks    the secret with the pseudonym key that belongs to the stored one
  lacks    a line for each value that the product needs and the secret has not
"""

import json
import os
import secrets
import sys
import time

FIELDS = {
    "meta": {"app_secret": "META_APP_SECRET", "access_token": "META_ACCESS_TOKEN", "verify_token": "META_VERIFY_TOKEN"},
    "media": {"openai_api_key": "OPENAI_API_KEY"},
}
TOOL = "AHOY_TOOL_SECRET_"


def given(which: str) -> dict:
    """Returns the environment's values for a secret."""
    found = {field: os.environ[name] for field, name in FIELDS[which].items() if os.environ.get(name)}
    tools = {name.removeprefix(TOOL).lower(): value for name, value in os.environ.items() if name.startswith(TOOL) and value}
    if which == "media" and tools:
        found["tool_secrets"] = tools
    if which == "media" and os.environ.get("NEW_DOOR_KEY"):
        found["door_key"] = secrets.token_urlsafe(48)
    return found


def merge(stored: dict, which: str) -> dict:
    """New values over stored ones; nothing is taken away but, when told to, what was replaced before."""
    new = given(which)
    merged = {**stored, **new}
    if "tool_secrets" in new:
        merged["tool_secrets"] = {**stored.get("tool_secrets", {}), **new["tool_secrets"]}
    for field in ("app_secret", "door_key"):
        before = stored.get(field)
        if before and new.get(field, before) != before:
            merged[f"previous_{field}"] = before
    if os.environ.get("FORGET_PREVIOUS"):
        merged = {name: value for name, value in merged.items() if not name.startswith("previous_")}
    return merged


def changes(stored: dict, which: str) -> list[str]:
    """Returns the names of changed fields."""
    merged = merge(stored, which)
    return sorted(name for name in {**stored, **merged} if merged.get(name) != stored.get(name))


def lacks(stored: dict, which: str) -> list[str]:
    """Returns the variables that are still missing."""
    return [f"  still missing: {name}" for field, name in FIELDS[which].items() if not stored.get(field)]


def marks(stored: dict) -> dict:
    """Returns a pseudonym key made from the door key, with which pseudonyms were made before."""
    if not stored.get("door_key"):
        sys.exit("ahoy: the stored secret has no door_key, which made the pseudonyms until today; no pseudonym key was made")
    earlier = [key for key in [stored.get("previous_door_key")] if key]
    return {"mark_key": stored["door_key"], "earlier": earlier, "made_at_ms": int(time.time() * 1000)}


def main() -> None:
    """Does what the first argument says."""
    what, which = sys.argv[1:]
    try:
        stored = json.load(sys.stdin)
    except ValueError:
        sys.exit("ahoy: the stored secret is not JSON; it was not touched")
    if what == "merge":
        print(json.dumps(merge(stored, which), sort_keys=True), end="")
    elif what == "normal":
        print(json.dumps(stored, sort_keys=True), end="")
    elif what == "marks":
        print(json.dumps(marks(stored), sort_keys=True), end="")
    elif what == "changes":
        print(", ".join(changes(stored, which)))
    else:
        print("\n".join(lacks(stored, which)), end="\n" if lacks(stored, which) else "")


main()
