# Calls by ending and line
# How calls ended, and how long those lasted that were answered.
filter event = "WA_CALL_ENDED"
| fields coalesce(line, "whatsapp") as on_line
| stats count(*) as calls, avg(lasted_ms / 1000) as mean_s, max(lasted_ms / 1000) as longest_s by ending, on_line
| sort calls desc, ending asc, on_line asc
