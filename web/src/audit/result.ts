/** How an act ended, in the audit log: "refused: person-disabled" is 已拒绝 with its code. */
import { named } from "../i18n";
import type { Look } from "../tones";

const looks: Readonly<Record<string, Look>> = {
  accepted: { tone: "green", shape: "check" },
  ok: { tone: "green", shape: "check" },
  refused: { tone: "red", shape: "cross" },
  failed: { tone: "amber", shape: "triangle" },
};

const kindOf = (result: string) => result.split(":", 1)[0] ?? "";

/** The result's look; one the console does not know is grey. */
export function resultLook(result: string): Look {
  return looks[kindOf(result)] ?? { tone: "grey", shape: "dot" };
}

/** The result as a person says it, with the code of a refusal. */
export function resultName(result: string): string {
  const kind = kindOf(result);
  return named("auditResult", kind) + result.slice(kind.length);
}
