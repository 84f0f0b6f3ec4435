import { createApp, defineComponent, h } from "vue";
import { describe, expect, it, vi } from "vitest";
import * as act from "../../src/alerts/act";
import { useDeeds } from "../../src/alerts/deeds";
import type { ActRow, AlertGroup } from "../../src/api/types";
import { group } from "./group";

vi.mock("element-plus/es/components/message/index", () => ({ ElMessage: { error: vi.fn() } }));
vi.mock("element-plus/es/components/message/style/css", () => ({}));

const flushPromises = () => new Promise((resolve) => setTimeout(resolve));

describe("acts of the queue", () => {
  it("are shown at once and sent in turn, and none is lost", async () => {
    const rows = new Map<string, AlertGroup>(["a", "b"].map((id) => [id, group(id, 0)]));
    const answers: ((row: ActRow) => void)[] = [];
    const sending = vi.spyOn(act, "sendAct").mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
    let deeds!: ReturnType<typeof useDeeds>;
    const replace = (changed: AlertGroup[]) => changed.forEach((row) => rows.set(row.id, row));
    const page = defineComponent({
      setup() {
        deeds = useDeeds((id) => rows.get(id), replace, () => {});
        return () => h("i");
      },
    });
    const app = createApp(page);
    app.mount(document.createElement("div"));
    const done = ["a", "b"].map((id) => deeds.doIt({ action: "acknowledge" }, { groups: [id] }));
    expect([...rows.values()].map((row) => row.state)).toEqual(["acknowledged", "acknowledged"]);
    await flushPromises();
    expect(sending).toHaveBeenCalledTimes(1);
    answers[0]?.({ id: 1, state: "done", done: 1, refused: 0, total: 1, action: "acknowledge" } as ActRow);
    await flushPromises();
    expect(sending).toHaveBeenCalledTimes(2);
    answers[1]?.({ id: 2, state: "done", done: 1, refused: 0, total: 1, action: "acknowledge" } as ActRow);
    expect(await Promise.all(done)).toEqual([true, true]);
    expect(deeds.last.value?.act.id).toBe(2);
    app.unmount();
  });
});
