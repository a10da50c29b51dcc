"""Reads what `ahoy doctor --json` found, and says what of it keeps a deployment from being one. Meta's side comes later.

Exit code 0: nothing. 2: keys are still to be given. 1: something is wrong, or the doctor said nothing.
"""

import json
import sys

# What the stack and its programs must do, whatever Meta has.
OURS = ("table", "warm-tasks", "webhook-challenge", "webhook-signed", "webhook-forged")
KEYS = ("meta-secret", "media-secret")

try:
    checks = json.load(sys.stdin)["checks"]
except (ValueError, KeyError, TypeError):
    sys.exit("ahoy: the doctor did not answer")

wrong = [check for check in checks if check["finding"] == "wrong" and check["name"] in OURS + KEYS]
for check in wrong:
    cure = check.get("cure")
    print(f"  {check['name']}: {check['says']}" + (f"; {cure}" if cure else ""))
names = {check["name"] for check in wrong}
sys.exit(1 if names & set(OURS) else 2 if names else 0)
