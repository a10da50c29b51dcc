# Slow turns
# The answers that callers waited for longest, and how much of that tools took.
filter event = "WA_CALL_TURN"
| fields at_ms, coalesce(line, "whatsapp") as on_line, call_ref, turn, took_ms, tool_ms, took_ms - tool_ms as without_tools_ms
| sort took_ms desc
| limit 100
