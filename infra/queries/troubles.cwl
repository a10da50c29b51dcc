# What somebody should look at
# Errors and warnings of functions and media tasks alike, the latest first.
fields @timestamp, level, @message
| filter level in ["ERROR", "WARN"]
| sort @timestamp desc
| limit 200
