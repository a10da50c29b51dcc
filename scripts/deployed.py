"""Reads the findings of `ahoy doctor --json`, and prints those that mean the deployment failed. Meta's side comes later.

Exit code 0: nothing. 2: keys are still to be given. 1: something is wrong or was not verified, or the doctor said nothing.
"""

import json
import sys

# Checks of the stack and its programs, independent of Meta.
OURS = ("table", "warm-tasks", "webhook-challenge", "webhook-signed", "webhook-forged")
KEYS = ("meta-secret", "media-secret")
# Checks that need Meta's keys.
WITH_META_KEYS = ("webhook-challenge", "webhook-signed")

try:
    found = {check["name"]: check for check in json.load(sys.stdin)["checks"]}
except (ValueError, KeyError, TypeError):
    sys.exit("ahoy: the doctor did not answer")

amiss = set()
for name in OURS + KEYS:
    check = found.get(name, {"finding": "unknown", "says": "the doctor says nothing of it"})
    if check["finding"] == "fine":
        continue
    if check["finding"] == "wrong":
        cure = check.get("cure")
        print(f"  {name}: {check['says']}" + (f"; {cure}" if cure else ""))
        amiss.add("keys" if name in KEYS else "ours")
    else:
        print(f"  {name}: not verified: {check['says']}")
        is_for_want_of_keys = name in WITH_META_KEYS and found.get("meta-secret", {}).get("finding") == "wrong"
        amiss.add("keys" if is_for_want_of_keys else "ours")
sys.exit(1 if "ours" in amiss else 2 if amiss else 0)
