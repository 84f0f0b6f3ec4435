import { describe, expect, it } from "vitest";
import type { TransferTrust } from "../../src/api/types";
import { endLook, worst, type End } from "../../src/transfers/trust";

const trust = (...states: End[]): TransferTrust => ({
  mode: "certificates",
  keys: 0,
  names: [],
  items: states.map((state) => ({ kind: "crl", name: "x", begins: null, ends: null, state })),
  trouble: null,
});

describe("the trust of a channel", () => {
  it("is as good as its worst part", () => {
    expect(worst(trust())).toBe("good");
    expect(worst(trust("good", "soon"))).toBe("soon");
    expect(worst(trust("soon", "ended", "good"))).toBe("ended");
    expect(worst(trust("ended", "missing"))).toBe("missing");
  });

  it("differs by shape, not by colour alone", () => {
    const states: End[] = ["missing", "ended", "soon", "good"];
    expect(new Set(states.map((one) => endLook(one).shape)).size).toBe(states.length);
  });
});
