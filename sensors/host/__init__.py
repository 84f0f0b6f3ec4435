"""Host sources: processes, listeners, logins, logs, file integrity, configuration probes."""
