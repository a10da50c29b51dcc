# Calls by ending
# How calls ended, and how long those lasted that were answered.
filter event = "WA_CALL_ENDED"
| stats count(*) as calls, avg(lasted_ms / 1000) as mean_s, max(lasted_ms / 1000) as longest_s by ending
| sort calls desc, ending asc
