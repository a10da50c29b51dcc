# Calls by ending
# How calls ended, and how many so.
filter event = "WA_CALL_ENDED"
| stats count(*) as calls by ending
| sort calls desc
