import { describe, expect, it } from "vitest";
import { bytes, count, digest, fullTime, monthOf, relativeTime, say, shortTime, valueText } from "../src/format";

const now = new Date("2026-11-22T01:30:00Z"); // 09:30 in Beijing

describe("times", () => {
  it("are Beijing time whatever the zone of the machine", () => {
    expect(fullTime("2026-11-21T16:00:05Z")).toBe("2026-11-22 00:00:05");
    expect(fullTime("2026-11-21T16:00:05.123456Z")).toBe("2026-11-22 00:00:05");
  });

  it("say nothing where there is none", () => {
    expect(fullTime(null)).toBe("—");
    expect(fullTime("soon")).toBe("—");
    expect(shortTime(undefined, now)).toBe("—");
    expect(relativeTime(null, now, "zh")).toBe("—");
  });

  it("are as short as the distance allows", () => {
    expect(shortTime("2026-11-21T16:00:05Z", now)).toBe("00:00:05");
    expect(shortTime("2026-11-21T15:59:05Z", now)).toBe("11-21 23:59");
    expect(shortTime("2025-12-31T15:59:05Z", now)).toBe("2025-12-31");
  });

  it("are told relative to now in both languages", () => {
    expect(relativeTime("2026-11-22T01:29:58Z", now, "zh")).toBe("刚刚");
    expect(relativeTime("2026-11-22T01:27:00Z", now, "zh")).toBe("3分钟前");
    expect(relativeTime("2026-11-22T01:27:00Z", now, "en")).toBe("3 min. ago");
    expect(relativeTime("2026-11-23T02:30:00Z", now, "zh")).toBe("1天后");
  });

  it("give the month of Beijing at its edge", () => {
    expect(monthOf(new Date("2026-11-30T16:00:00Z"))).toBe("2026-12");
  });
});

describe("values", () => {
  it("are readable", () => {
    expect(count(1234567)).toBe("1,234,567");
    expect(bytes(512)).toBe("512 B");
    expect(bytes(48 * 1024 * 1024)).toBe("48.0 MiB");
    expect(digest("a".repeat(64))).toBe("aaaaaaaaaa…aaaaaa");
    expect(digest("short")).toBe("short");
  });

  it("of fields stand on one line", () => {
    expect(valueText(["bash", "-i"])).toBe("bash, -i");
    expect(valueText({ a: 1 })).toBe('{"a":1}');
    expect(valueText(null)).toBe("");
    expect(valueText(false)).toBe("false");
  });

  it("fall back to the other language rather than to nothing", () => {
    expect(say({ zh: "中", en: "" }, "en")).toBe("中");
    expect(say({ zh: "中", en: "mid" }, "en")).toBe("mid");
    expect(say(undefined, "zh")).toBe("");
  });
});
