import { describe, expect, it } from "vitest";
import type { TransferChoices } from "../../src/api/types";
import { contentsOf, faultsOf, kindOf, secretIn, type Draft } from "../../src/transfers/form";

const choices: TransferChoices = {
  channels: [{ channel: "up", receiver: "province", one_way: false, from_zone: "office", to_zone: "supervision" }],
  zones: [],
  labels: ["一般", "重要", "核心"],
  marks: ["内部"],
  incoming: [],
  ways: [{ label: "一般", from_zone: "office", to_zone: "supervision", contents: ["csv", "jpeg"] }],
  validity_days_max: 30,
  upload_bytes_max: 1000,
  upload_files_max: 2,
};

const good: Draft = { channel: "up", application: "AP-1", purpose: "上报", label: "一般", marks: ["内部"], days: 7, files: [{ name: "a.csv", size: 10 }] };
const faults = (over: Partial<Draft>) => faultsOf({ ...good, ...over }, choices, String).map((fault) => `${fault.field}:${fault.key}`);

describe("a request", () => {
  it("that is whole has no fault", () => {
    expect(faults({})).toEqual([]);
  });

  it("names what is missing, in the order of the form", () => {
    const empty = { channel: "", application: " ", purpose: "x", label: "", days: 0, files: [] };
    expect(faults(empty)).toEqual(["channel:channel", "application:application", "purpose:purpose", "label:label", "days:days", "files:files"]);
    expect(faults({ days: 31 })).toEqual(["days:days"]);
    expect(faults({ days: 1.5 })).toEqual(["days:days"]);
  });

  it("is bounded in files, bytes and kinds", () => {
    expect(faults({ files: Array(3).fill({ name: "a.csv", size: 1 }) })).toEqual(["files:many"]);
    expect(faults({ files: [{ name: "a.csv", size: 1001 }] })).toEqual(["files:large"]);
    expect(faults({ files: [{ name: "a.exe", size: 1 }] })).toEqual(["files:kind"]);
  });
});

describe("ways", () => {
  it("allow kinds by label and zones, nothing where there is no rule", () => {
    expect(contentsOf(choices, "up", "一般")).toEqual(["csv", "jpeg"]);
    expect(contentsOf(choices, "up", "核心")).toEqual([]);
    expect(contentsOf(choices, "down", "一般")).toEqual([]);
    expect([kindOf("a.JPG"), kindOf("b"), kindOf("x.tar.csv")]).toEqual(["jpeg", "", "csv"]);
  });
});

describe("state secrets", () => {
  it("are found in marks and stamps", () => {
    expect(secretIn({ ...good, label: "绝 密" })).toBe("绝密");
    expect(secretIn({ ...good, marks: ["涉密"] })).toBe("涉密");
    expect(secretIn({ ...good, purpose: "报送【机密】材料" })).toBe("【机密】");
    expect(secretIn({ ...good, files: [{ name: "秘密★5年.pdf", size: 1 }] })).toBe("秘密★");
  });

  it("are not seen where there are none", () => {
    expect(secretIn(good)).toBe("");
    expect(secretIn({ ...good, marks: ["工作秘密", "商业秘密"], purpose: "保守商业秘密的培训材料" })).toBe("");
  });
});
