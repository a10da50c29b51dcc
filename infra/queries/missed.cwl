# Missed and refused calls
# Calls that were not answered, by what happened and why.
filter event in ["WA_CALL_REFUSED", "WA_CALL_TURNED_AWAY", "WA_CALL_LOST", "WA_CALL_STALE", "WA_CALL_NOT_OURS"]
    or (event = "WA_CALL_ENDED" and ending = "caller_gave_up")
| fields coalesce(why, ending, "") as cause, coalesce(line, "whatsapp") as on_line
| stats count_distinct(call_ref) as calls by event, cause, on_line
| sort calls desc, event asc, cause asc, on_line asc
