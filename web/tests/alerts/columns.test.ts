import { describe, expect, it } from "vitest";
import { columnsFor, grid } from "../../src/alerts/columns";

describe("columns of the queue", () => {
  it("leave when there is no room for them, what is decided by stays", () => {
    expect(columnsFor(600)).toEqual(["choose", "severity", "title", "entity", "last", "state"]);
    expect(columnsFor(392)).toEqual(["choose", "severity", "title", "entity"]);
    expect(columnsFor(1224)).toContain("first");
    expect(grid(columnsFor(600)).split(" ").length).toBeGreaterThan(5);
  });
});
