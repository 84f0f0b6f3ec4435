import { describe, expect, it } from "vitest";
import { withQuery } from "../../src/api/client";
import { fromQuery, none, request, toQuery } from "../../src/audit/filter";

describe("the filter of audit lines", () => {
  it("is read from the address, strictly", () => {
    expect(fromQuery({ actor: "user:a", since: "2026-11-22T08:00", until: "yesterday", about: ["x"], page: "2" })).toEqual({ ...none, actor: "user:a", since: "2026-11-22T08:00" });
  });

  it("goes back without what is empty", () => {
    expect(toQuery({ ...none, action: " session.* ", result: "  " })).toEqual({ action: "session.*" });
  });

  it("goes on to the next page of what was sought", () => {
    expect(withQuery(request("audit", { ...none, action: "session.*" }), { cursor: "7" })).toBe("audit?action=session.*&cursor=7");
  });

  it("asks in Beijing time", () => {
    expect(request("audit/export", { ...none, since: "2026-11-22T08:00" }, { kind: "csv" })).toBe("audit/export?since=2026-11-22T08%3A00%2B08%3A00&kind=csv");
  });
});
