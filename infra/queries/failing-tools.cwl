# Tools that fail
# What agents tried to use and could not, and how long callers waited for that.
filter event = "WA_CALL_TOOL" and outcome in ["failed", "timed_out", "refused"]
| stats count(*) as times, max(took_ms) as longest_ms by tool, outcome
| sort times desc, tool asc, outcome asc
