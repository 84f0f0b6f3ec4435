/** What the palette (Ctrl+K) offers: pages provide their acts while they are shown. */
import { onBeforeUnmount, onMounted, shallowRef } from "vue";

export interface Command {
  name: string;
  keys?: string;
  run: () => void;
}

type Source = () => Command[];

export const sources = shallowRef<readonly Source[]>([]);

/** Offer commands for as long as the component is shown; asked for each time the palette opens. */
export function provideCommands(source: Source): void {
  onMounted(() => (sources.value = [...sources.value, source]));
  onBeforeUnmount(() => (sources.value = sources.value.filter((one) => one !== source)));
}

/** Commands whose name holds every word of the text, those that begin with it first. */
export function sought(commands: readonly Command[], text: string): Command[] {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const whole = words.join(" ");
  return commands
    .filter((command) => words.every((word) => command.name.toLowerCase().includes(word)))
    .sort((a, b) => Number(b.name.toLowerCase().startsWith(whole)) - Number(a.name.toLowerCase().startsWith(whole)));
}

/** The letter behind g that leads to a page. */
export const letters: Readonly<Record<string, string>> = {
  o: "overview",
  a: "alerts",
  i: "incidents",
  n: "notices",
  h: "hunt",
  k: "attack",
  x: "exceptions",
  r: "rules",
  u: "registry",
  m: "assets",
  c: "checks",
  d: "orders",
  e: "evidence",
  s: "sensors",
  p: "reports",
  t: "transfers",
  l: "audit",
};

const wait_ms = 1_200;

/** Tells from key presses the page that "g, letter" asks for; '' while there is none. */
export function goSequence(): (event: KeyboardEvent) => string {
  let since = -Infinity;
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return "";
    const target = event.target as HTMLElement | null;
    if (target?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], .el-dialog, [role=dialog]")) return "";
    const waited = event.timeStamp - since;
    since = -Infinity;
    if (waited <= wait_ms && letters[event.key]) return letters[event.key] ?? "";
    if (event.key === "g") since = event.timeStamp;
    return "";
  };
}
