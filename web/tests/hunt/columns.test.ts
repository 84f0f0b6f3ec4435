import { beforeEach, describe, expect, it } from "vitest";
import type { EventRow } from "../../src/api/types";
import { cellText, default_columns, exported, keepColumns, storedColumns, summary, toggled } from "../../src/hunt/columns";

const event = {
  id: "1", time: "2026-11-22T08:00:00Z", ingested: null, unit: "u", sensor: "s", logsource: {},
  fields: { "source.ip": "10.0.0.1", "destination.ip": "10.0.0.2", "destination.port": 443, "dns.answers": ["a", "b"], "dns.question.name": "x.cn" },
  native: { query: "x.cn" },
} as unknown as EventRow;

describe("columns", () => {
  beforeEach(() => localStorage.clear());
  it("are kept and forgotten where they make no sense", () => {
    expect(storedColumns()).toEqual(default_columns);
    keepColumns(["a", "b"]);
    expect(storedColumns()).toEqual(["a", "b"]);
    localStorage.setItem("liuhe.hunt.columns", "{");
    expect(storedColumns()).toEqual(default_columns);
  });
  it("come and go", () => {
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
  });
  it("say what an event holds", () => {
    expect(cellText(event, "dns.answers")).toBe("a, b");
    expect(cellText(event, "query")).toBe("x.cn");
    expect(cellText(event, "unit")).toBe("u");
    expect(cellText(event, "nothing")).toBe("");
    expect(summary(event)).toBe("10.0.0.1 → 10.0.0.2:443  x.cn");
  });
  it("are exported with the time first and each once", () => {
    expect(exported(["message", "summary"])).toBe("time,message,source.ip,destination.ip,destination.port,process.command_line");
  });
});
