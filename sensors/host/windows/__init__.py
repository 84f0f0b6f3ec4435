"""Windows event logs: the subscription of the system's own library, its records, and the source over both."""
