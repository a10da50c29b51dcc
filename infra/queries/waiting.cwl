# How long callers wait: until we pick up, until the agent's first word, and for each of its answers
# Picking up counts from the ring, the first word from the open line, an answer from the end of the caller's speech.
filter event in ["WA_CALL_ACCEPTED", "WA_CALL_FIRST_WORD", "WA_CALL_TURN"]
| fields coalesce(took_ms, after_open_ms, since_ring_ms) as wait_ms, coalesce(line, "whatsapp") as on_line
| stats count(*) as times, pct(wait_ms, 50) as p50_ms, pct(wait_ms, 95) as p95_ms by event, on_line
| sort event asc, on_line asc
