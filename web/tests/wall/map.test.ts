import { describe, expect, it } from "vitest";
import { shapes } from "../../src/wall/map";

const square = (code: unknown, x: number) => ({ properties: { adcode: code }, geometry: { type: "Polygon", coordinates: [[[x, 32], [x + 1, 32], [x + 1, 33], [x, 33], [x, 32]]] } });

describe("outlines", () => {
  it("fit the box, north up", () => {
    const [west, east] = shapes([square(320100, 118), square("320500", 119)], 200, 100);
    expect([west?.code, east?.code]).toEqual(["3201", "3205"]);
    expect(west?.x).toBeLessThan(east?.x ?? 0);
    expect(west?.path.startsWith("M")).toBe(true);
  });

  it("leave out what has no form", () => {
    expect(shapes([{}, { geometry: { type: "Point", coordinates: [1, 2] } }, { geometry: { type: "Polygon", coordinates: [["x"]] } }, { geometry: { type: "Polygon", coordinates: "x" } }], 10, 10)).toEqual([]);
  });
});
