"""Checks recorded model sessions against OpenAI's own types and their order, each recording by itself.

    conformance.py FILE-OR-FOLDER…

Whatever is found is wrong, but samples that are cut in two by the injected fault of that name. A recording may end in mid-answer: a
session is broken off, or the caller hangs up. Of each kind of event, one is broken in every way: a check that does not notice fails too.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, "fixtures/realtime-schema")
from validate_realtime import CUT_IN_TWO, Order, blind_spots, errors  # noqa: E402


def recordings(path):
    return sorted(file for file in path.rglob("*.jsonl") if file.stat().st_size) if path.is_dir() else [path]


def findings(recording, tried):
    """Yields what is wrong with each line; tries the check itself on events of a kind that was not `tried` yet."""
    order = Order()
    for number, line in enumerate(recording.open(), 1):
        record = json.loads(line)
        side, event = record["direction"], record["event"]
        wrong = errors(side, event)
        if not wrong:
            if (side, event["type"]) not in tried:
                tried.add((side, event["type"]))
                wrong += [f"the check does not notice {change}" for change in blind_spots(side, event)]
            try:
                wrong += order.wrong(side, event)
            except ValueError as error:
                wrong.append(str(error))
        if "splits_samples" in recording.parts and CUT_IN_TWO in wrong:
            wrong.remove(CUT_IN_TWO)
        if wrong:
            yield f"{recording}:{number}: {side} {event.get('type')}: {'; '.join(wrong)}"


files = [file for argument in sys.argv[1:] for file in recordings(Path(argument)) if "realtime" in file.name]
if not files:
    sys.exit("conformance: no recording; run make call or make test first")
tried, broken = set(), 0
for file in files:
    found = list(findings(file, tried))
    broken += bool(found)
    for finding in found:
        print(finding)
events = sum(file.read_bytes().count(b"\n") for file in files)
print(f"conformance: {len(files)} sessions, {events} events of {len(tried)} kinds, {broken} sessions with errors")
sys.exit(1 if broken else 0)
