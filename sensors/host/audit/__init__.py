"""The Linux audit trail: records, their events in order, and the facts they become."""
