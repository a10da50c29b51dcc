# Cost by day, line, number and agent
# What the model cost, in dollars, for calls whose model has a known price; and the audio tokens.
filter event = "WA_CALL_USAGE"
| fields bin(1d) as day, coalesce(line, "whatsapp") as on_line
| stats count(*) as calls, count(micro_dollars) as priced, sum(micro_dollars / 1000000) as dollars, sum(audio_in + audio_cached) as audio_in_tokens, sum(audio_out) as audio_out_tokens by day, on_line, number, agent
| sort day asc, on_line asc, number asc, agent asc
