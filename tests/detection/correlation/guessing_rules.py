"""Rules and correlations about guessed passwords, shared by tests of the live engine and of stored events."""

GUESSING = """title: Failed login
id: 00000000-0000-4000-8000-000000000001
name: failed
logsource: {category: authentication}
detection: {selection: {event.outcome: failure}, condition: selection}
---
title: Login
id: 00000000-0000-4000-8000-000000000002
name: succeeded
logsource: {category: authentication}
detection: {selection: {event.outcome: success}, condition: selection}
---
title: Many failed logins
id: 00000000-0000-4000-8000-000000000003
name: many
correlation: {type: event_count, rules: [failed], group-by: [user.name], timespan: 5m, condition: {gte: 3}}
---
title: Guessed
id: 00000000-0000-4000-8000-000000000004
correlation:
    {type: temporal_ordered, rules: [many, succeeded], group-by: [user.name], timespan: 10m, generate: true}
---
title: Quiet
id: 00000000-0000-4000-8000-000000000005
correlation: {type: event_count, rules: [failed], group-by: [user.name], timespan: 2m, condition: {lt: 3}}
"""
