"""Events, alerts and attestations become evidence: registry, checklist, ledger, reports."""
