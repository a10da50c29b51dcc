"""Checks recorded model sessions against OpenAI's own types and their order, each recording by itself.

An ERROR is wrong, whatever it is. So is every finding about order (SEQ), but two that say only what a story does on purpose:
a recording that ends in mid-answer, because the session was broken off or the caller hung up; and samples that are cut in
two, which the injected fault of that name has the model do.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, "fixtures/realtime-schema")
import validate_realtime  # noqa: E402


def findings(recording):
    said, told = io.StringIO(), io.StringIO()
    sys.argv = ["validate_realtime", "--json", str(recording)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told), contextlib.suppress(SystemExit):
        validate_realtime.main()
    return [json.loads(line) for line in said.getvalue().splitlines()]


def is_wrong(finding, recording):
    if finding["level"] == "ERROR":
        return True
    on_purpose = finding["event"] == "end of recording" or (
        "splits_samples" in recording.parts and finding["event"] == "response.output_audio.delta"
    )
    return finding["level"] == "SEQ" and not on_purpose


recordings = sorted(p for folder in sys.argv[1:] for p in Path(folder).rglob("realtime*.jsonl") if p.stat().st_size)
if not recordings:
    sys.exit("conformance: no recording; run make call or make test first")
events = broken = 0
for recording in recordings:
    events += sum(1 for _ in recording.open())
    wrong = [finding for finding in findings(recording) if is_wrong(finding, recording)]
    broken += bool(wrong)
    for finding in wrong:
        print(f"{recording}:{finding['line']}: {finding['level']} {finding['direction']} {finding['event']}: {finding['message']}")
print(f"conformance: {len(recordings)} sessions, {events} events, {broken} sessions with errors")
sys.exit(1 if broken else 0)
