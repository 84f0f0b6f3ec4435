"""The world becomes events: sources observe, the spool stamps and keeps, the uplink delivers."""
