import type { AlertGroup } from "../../src/api/types";

/** A group as the center sends it. */
export function group(id: string, minute: number, over: Partial<AlertGroup> = {}): AlertGroup {
  return {
    id,
    rule: "r",
    detector: "sigma",
    title: { zh: id, en: id },
    severity: "high",
    entity: "host:a",
    unit: "u",
    sensor: "s",
    count: 1,
    first_seen: "2026-11-22T00:00:00Z",
    last_seen: `2026-11-22T01:${String(minute).padStart(2, "0")}:00Z`,
    state: "new",
    owner: "",
    classification: "",
    close_reason: "",
    reason: { zh: "", en: "" },
    attack: [],
    clauses: [],
    revision: 1,
    risk: 10,
    risk_own: 10,
    latest: null,
    unit_name: "u",
    system: null,
    members: 0,
    total: 1,
    parent: "",
    snoozed_until: null,
    act: null,
    incident: "",
    withheld: false,
    ...over,
  };
}
