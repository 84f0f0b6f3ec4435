/** Requests to the center: same origin, cookie session, CSRF header on changes, errors as Problem. */
import type { Problem } from "./types";

const timeout_ms = 30_000;
const upload_timeout_ms = 600_000;
/** A request this long after the last key or click was made by the console, not by the person before it. */
const attention_ms = 5_000;

let csrf = "";
let touched = Date.now();
for (const kind of ["keydown", "pointerdown", "wheel"]) addEventListener(kind, () => (touched = Date.now()), { passive: true });
let onSignedOut: () => void = () => {};

/** An error answer of the center, or the lack of an answer. `status` is 0 where none came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(`${problem.code}: ${problem.message.en}`);
  }
}

/** The token that each change carries; comes with the session. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** Called when the center says that nobody is logged in. */
export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

/** The address of an API path below the base the console is served from. */
export function apiUrl(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** `path?key=value…`, leaving out what is empty. */
export function withQuery(path: string, query: Record<string, string | number>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== "") search.set(key, String(value));
  const text = search.toString();
  return text ? `${path}${path.includes("?") ? "&" : "?"}${text}` : path;
}

/** GET a body. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>("GET", path, undefined, signal);
}

/** POST a body; the answer may be empty. */
export function post<T = unknown>(path: string, body?: unknown): Promise<T> {
  return call<T>("POST", path, body);
}

/** PUT a body. */
export function put<T = unknown>(path: string, body: unknown): Promise<T> {
  return call<T>("PUT", path, body);
}

/** POST a file as it is. */
export function upload<T>(path: string, file: Blob): Promise<T> {
  return call<T>("POST", path, file);
}

/** A file the center made for us. */
export interface Fetched {
  name: string;
  blob: Blob;
}

/** POST a body where the answer is a file made on demand; may take as long as an upload. */
export async function fetchFile(path: string, body: unknown): Promise<Fetched> {
  const answer = await exchange("POST", path, body, upload_timeout_ms, undefined, true);
  const name = /filename="([^"]+)"/.exec(answer.disposition)?.[1] ?? "liuhe";
  return { name, blob: answer.blob ?? new Blob([]) };
}

/** DELETE. */
export function remove(path: string): Promise<unknown> {
  return call("DELETE", path);
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const wait_ms = body instanceof Blob ? upload_timeout_ms : timeout_ms;
  return parse((await exchange(method, path, body, wait_ms, signal, false)).text) as T;
}

/** One request and its answer, read whole; raises ApiError for every answer that is an error. */
async function exchange(
  method: string,
  path: string,
  body: unknown,
  wait_ms: number,
  signal: AbortSignal | undefined,
  wantsFile: boolean,
): Promise<{ text: string; blob: Blob | null; disposition: string }> {
  const headers: Record<string, string> = { Accept: "application/json" };
  // Live refetches must not keep an abandoned session from going idle.
  if (Date.now() - touched > attention_ms) headers["X-Background"] = "1";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? "application/octet-stream" : "application/json";
  // AbortSignal.timeout and .any are younger than the oldest browser we serve.
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), wait_ms);
  signal?.addEventListener("abort", () => control.abort());
  let answer: Response;
  let text = "";
  let blob: Blob | null = null;
  try {
    answer = await fetch(apiUrl(path), {
      method,
      headers,
      body: body === undefined ? undefined : file ? body : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: control.signal,
    });
    if (wantsFile && answer.ok) blob = await answer.blob();
    else text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, unreachable);
  } finally {
    clearTimeout(timer);
  }
  if (answer.ok) return { text, blob, disposition: wantsFile ? (answer.headers.get("Content-Disposition") ?? "") : "" };
  const failure = new ApiError(answer.status, asProblem(parse(text), answer.status));
  if (answer.status === 401 && !(method === "POST" && path === "session")) onSignedOut();
  throw failure;
}

function parse(text: string): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The Problem of an answer, or one made from its status where the body is not a Problem. */
export function asProblem(body: unknown, status: number): Problem {
  const found = body as Partial<Problem> | null;
  if (found && typeof found.code === "string" && found.message?.zh !== undefined) {
    return { code: found.code, message: found.message, fix: found.fix ?? { zh: "", en: "" }, field: found.field ?? "" };
  }
  return {
    code: `http-${status}`,
    message: { zh: `中心返回了无法识别的错误（${status}）`, en: `The center answered with an unknown error (${status})` },
    fix: { zh: "请稍后重试；若持续出现，请查看中心日志", en: "Try again; if it stays, look into the center's log" },
    field: "",
  };
}

/** No answer came at all. */
export const unreachable: Problem = {
  code: "unreachable",
  message: { zh: "无法连接中心", en: "The center cannot be reached" },
  fix: { zh: "请检查网络和中心服务是否运行，然后重试", en: "Check the network and that the center runs, then try again" },
  field: "",
};
