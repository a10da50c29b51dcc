# One call from its first ring to its end
# Everything that happened in it, in order. Put the call's call_ref in.
fields at_ms, since_ring_ms, phase, line, level, event, task, took_ms, after_open_ms, outcome, verdict, reason, ending
| filter call_ref = "CALL_REF"
| sort at_ms asc, version asc, sequence asc
| limit 1000
