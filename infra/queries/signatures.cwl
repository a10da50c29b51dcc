# Rejected signatures
# Webhooks that Meta (signature) or OpenAI (openai-signature) did not sign, or signed with a secret we do not know, by the hour.
filter event = "WA_CALL_WEBHOOK_REFUSED"
| fields bin(1h) as hour, coalesce(count, 1) as webhooks
| stats sum(webhooks) as refused by hour, why
| sort hour asc, why asc
