# Trouble on the telephone line
# What kept telephone calls from being answered, or broke into them. Of a number that is not ours, its last digits.
filter line = "sip"
    and (event in ["WA_CALL_LINE_TROUBLE", "WA_CALL_LINE_INSECURE", "WA_CALL_SIDEBAND_BACK", "WA_CALL_NOT_OURS", "WA_CALL_STALE"]
        or (event = "WA_CALL_TURNED_AWAY" and why = "untrusted"))
| fields coalesce(action, why, "") as what, coalesce(code, "") as error
| stats count(*) as times, count_distinct(call_ref) as calls by event, number, what, error
| sort calls desc, event asc, number asc, what asc, error asc
