# Warm against cold
# How long until a media task answered the offer: where one was there, and where one had to be started.
filter event = "WA_CALL_ANSWERED" and ispresent(start)
| fields coalesce(line, "whatsapp") as on_line
| stats count(*) as calls, pct(since_ring_ms, 50) as p50_ms, pct(since_ring_ms, 95) as p95_ms, max(since_ring_ms) as longest_ms by start, on_line
| sort start desc, on_line asc
