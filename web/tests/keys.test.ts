import { afterEach, describe, expect, it } from "vitest";
import { openRow, pressedIn, stepIn } from "../src/keys";

function page(on = ""): { list: HTMLElement; side: HTMLElement; opened: string[]; left: string[] } {
  const opened: string[] = [];
  const left: string[] = [];
  const rows = ["a", "b", "c"].map((id) => `<tr id="${id}" class="${id === on ? "on" : ""}"><td><a href="#${id}">${id}</a></td></tr>`).join("");
  document.body.innerHTML = `<div class="page"><input type="search"><div class="list"><table><tbody>${rows}</tbody></table></div><div class="side"><button data-testid="flyout-close"></button></div></div>`;
  for (const row of document.querySelectorAll("tr")) row.addEventListener("click", () => opened.push(row.id));
  document.querySelector("button")?.addEventListener("click", () => left.push("left"));
  return { list: document.querySelector<HTMLElement>(".list")!, side: document.querySelector<HTMLElement>(".side")!, opened, left };
}

const focused = () => document.activeElement?.closest("tr")?.id ?? document.activeElement?.tagName;

function press(key: string, list: HTMLElement, side?: HTMLElement): boolean {
  let done = false;
  const listen = (event: KeyboardEvent) => (done = pressedIn(event, list, side));
  window.addEventListener("keydown", listen);
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  window.removeEventListener("keydown", listen);
  return done;
}

afterEach(() => (document.body.innerHTML = ""));

describe("keys of a list", () => {
  it("go from row to row and stop at the ends", () => {
    const { list, opened } = page();
    for (const [key, at] of [["j", "a"], ["j", "b"], ["ArrowDown", "c"], ["j", "c"], ["k", "b"]]) {
      press(key!, list);
      expect(focused()).toBe(at);
    }
    expect(opened).toEqual([]);
    expect(press("Escape", list)).toBe(true);
    expect(focused()).toBe("BODY");
  });

  it("take the details with them and leave them", () => {
    const { list, side, opened, left } = page("b");
    press("j", list, side);
    expect(opened).toEqual(["c"]);
    press("Escape", list, side);
    expect(left).toEqual(["left"]);
    expect(openRow(list)?.closest("tr")?.id).toBe("b");
  });

  it("reach the search, and mean nothing while one types", () => {
    const { list } = page();
    expect(press("/", list)).toBe(true);
    expect(focused()).toBe("INPUT");
    expect(press("j", list)).toBe(false);
  });

  it("mean nothing under a dialog", () => {
    const { list, side, left } = page("b");
    const over = document.createElement("div");
    over.className = "el-overlay";
    document.body.append(over);
    expect(press("Escape", list, side)).toBe(false);
    over.style.display = "none"; // shut, but kept
    expect(press("Escape", list, side)).toBe(true);
    expect(left).toEqual(["left"]);
  });

  it("do nothing where there is no row", () => {
    const { list } = page();
    list.innerHTML = "";
    expect(stepIn(list, 1, false)).toBe(false);
    expect(press("a", list)).toBe(false);
  });
});
