# One call, from ring to end
# Put its call_ref in place of CALL_REF.
fields since_ring_ms, event, writer, @message
| filter call_ref = "CALL_REF"
| sort at_ms asc
| limit 1000
