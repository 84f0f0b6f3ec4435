import { expect, test } from "vitest";
import { dump } from "../../src/alerts/dump";

test("bytes are shown sixteen a line with offset and text", () => {
  const hex = [..."GET / HTTP/1.1\r\nHost"].map((one) => one.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  expect(dump(hex).split("\n")).toEqual([
    "0000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..",
    "0010  48 6f 73 74                                      Host",
  ]);
});

test("no bytes are no lines", () => {
  expect(dump("")).toBe("");
});
