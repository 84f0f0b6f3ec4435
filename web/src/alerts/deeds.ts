/** Acts of the page: shown at once, sent, followed while they run, taken back within ten seconds. */
import { ElMessage } from "element-plus/es/components/message/index";
import "element-plus/es/components/message/style/css";
import { computed, onBeforeUnmount, ref } from "vue";
import { ApiError, get } from "../api/client";
import type { ActDetail, ActRow, AlertGroup } from "../api/types";
import { told } from "../i18n";
import { session } from "../session";
import { foreseen, foreseenRevision, sendAct, undoAct, type Aim, type Wish } from "./act";

const undo_ms = 10_000;
const watch_ms = 250;

/** What is offered to be taken back, or is under way. */
export interface Deed {
  act: ActRow;
  wish: Wish;
  before: AlertGroup[];
  until: number;
}

/** `row` finds a group that is shown, `replace` shows it changed, `done` is told when an act has ended. */
export function useDeeds(row: (id: string) => AlertGroup | undefined, replace: (rows: AlertGroup[]) => void, done: () => void) {
  const waiting = ref(0);
  const busy = computed(() => waiting.value > 0);
  const last = ref<Deed | null>(null);
  const refused = ref<ActDetail | null>(null);
  let forgetting: ReturnType<typeof setTimeout> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let gone = false;

  /** Do it; resolves to whether it was taken. Raises nothing: what is refused is said.

   Shown at once; sent in turn, so that of two keys pressed quickly none is lost. */
  async function doIt(wish: Wish, aim: Aim): Promise<boolean> {
    const before = "groups" in aim ? aim.groups.flatMap((id) => row(id) ?? []) : [];
    const me = `user:${session.value?.username ?? ""}`;
    replace(before.map((group) => ({ ...foreseen(group, wish, me), revision: foreseenRevision(group) })));
    waiting.value++;
    const mine = turn.then(() => sendAct(wish, aim));
    turn = mine.catch(() => undefined);
    try {
      return await sent(mine, wish, before);
    } finally {
      waiting.value--;
    }
  }

  async function sent(sending: Promise<ActRow>, wish: Wish, before: AlertGroup[]): Promise<boolean> {
    try {
      const act = await sending;
      await watchOver({ act, wish, before, until: Date.now() + undo_ms });
      return true;
    } catch (caught) {
      restore(before);
      complain(caught);
      return false;
    }
  }

  async function undo(): Promise<void> {
    const deed = last.value;
    if (!deed || deed.act.state === "undone" || deed.act.state === "undoing") return;
    try {
      const act = await undoAct(deed.act.id);
      restore(deed.before);
      await watchOver({ ...deed, act });
    } catch (caught) {
      complain(caught);
    }
  }

  async function watchOver(deed: Deed): Promise<void> {
    clearTimeout(forgetting);
    last.value = deed;
    refused.value = null;
    let { act } = deed;
    while (!gone && (act.state === "running" || act.state === "undoing")) {
      await new Promise((resolve) => setTimeout(resolve, watch_ms));
      act = (await get<ActDetail>(`alerts/acts/${act.id}`)).act;
      if (last.value?.act.id === act.id) last.value = { ...deed, act, until: Date.now() + undo_ms };
    }
    if (act.refused) {
      const items = await get<ActDetail>(`alerts/acts/${act.id}?state=refused`);
      const left = new Set(items.items.map((item) => item.group));
      restore(deed.before.filter((group) => left.has(group.id)));
      if (last.value?.act.id === act.id) refused.value = items;
    }
    if (last.value?.act.id === act.id) {
      clearTimeout(forgetting);
      forgetting = setTimeout(() => (last.value = null), act.refused ? undo_ms * 3 : undo_ms);
    }
    done();
  }

  /** Show groups as they were before they were foreseen otherwise. */
  function restore(groups: readonly AlertGroup[]): void {
    replace(groups.map((group) => ({ ...group, revision: foreseenRevision(group) })));
  }

  onBeforeUnmount(() => {
    gone = true;
    clearTimeout(forgetting);
  });

  return { busy, last, refused, doIt, undo, forget: () => (last.value = null) };
}

/** Say what the center refused. */
export function complain(caught: unknown): void {
  if (!(caught instanceof ApiError)) throw caught;
  ElMessage.error({ message: `${told(caught.problem.message)} ${told(caught.problem.fix)}`, duration: 6000, showClose: true });
}
