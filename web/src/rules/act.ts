/** What people do with rules. Each raises ApiError where the center refuses. */
import { post } from "../api/client";
import type { RuleRow, RuleTrial } from "../api/types";

const path = (rule: string, action: string) => `rules/${encodeURIComponent(rule)}/${action}`;

/** Switch a rule on or off; the reason stays in its history and in the audit log. */
export function decide(rule: string, enabled: boolean, reason: string): Promise<RuleRow> {
  return post<RuleRow>(path(rule, enabled ? "enable" : "disable"), { reason });
}

/** What a rule says of one pasted event. */
export function tryOn(rule: string, event: string): Promise<RuleTrial> {
  return post<RuleTrial>(path(rule, "test"), { event });
}
