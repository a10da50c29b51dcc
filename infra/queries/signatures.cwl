# Rejected signatures
# Webhooks that Meta did not sign, or signed with a secret we do not know, by the hour.
filter event = "WA_CALL_WEBHOOK_REFUSED" and why = "signature"
| fields bin(1h) as hour, coalesce(count, 1) as webhooks
| stats sum(webhooks) as refused by hour
| sort hour asc
