# Media verdicts
# What was wrong with the sound of calls, and in how many. What each means: docs/media.md.
filter event = "WA_CALL_MEDIA_VERDICT"
| stats count(*) as times, count_distinct(call_ref) as calls by verdict
| sort calls desc, verdict asc
