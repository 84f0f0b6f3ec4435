/** The answer to a hunt as it comes: one JSON object a line, each replacing the one before. */
import { apiUrl, ApiError, asProblem, get, unreachable } from "../api/client";
import type { HuntProgress } from "../api/types";

/** Read a stream of lines until its end; stops reading (and the center searching) when `signal` aborts. */
export async function listen(path: string, told: (line: HuntProgress) => void, signal: AbortSignal): Promise<void> {
  const answer = await fetch(apiUrl(path), { credentials: "same-origin", cache: "no-store", signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new ApiError(0, unreachable);
  });
  if (!answer.ok || !answer.body) {
    if (answer.status === 401) await get("session").catch(() => {}); // so that the console notices
    throw new ApiError(answer.status, asProblem(await answer.json().catch(() => null), answer.status));
  }
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line) told(JSON.parse(line) as HuntProgress);
    if (done) return;
  }
}

/** What is known after one more line: where rows and fields did not change, those before stay. */
export function merged(before: HuntProgress | null, line: HuntProgress): HuntProgress {
  const kept = line.events === null && before ? { events: before.events, fields: before.fields, sampled: before.sampled, next: before.next } : {};
  return { ...line, ...kept };
}
