import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, asProblem, fetchFile, get, post, setCsrf, whenSignedOut, withQuery } from "../../src/api/client";

const problem = { code: "alert-state", message: { zh: "状态不对", en: "wrong state" }, fix: { zh: "刷新", en: "reload" }, field: "state" };

function answer(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(async () => new Response(body === null ? null : JSON.stringify(body), { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

afterEach(() => {
  vi.unstubAllGlobals();
  whenSignedOut(() => {});
  setCsrf("");
});

describe("requests", () => {
  it("carry the token on changes only", async () => {
    setCsrf("token");
    const fetched = answer(200, {});
    await get("overview");
    await post("checks/evaluate");
    const headers = fetched.mock.calls.map((call) => (call[1] as RequestInit).headers as Record<string, string>);
    expect(headers.map((sent) => sent["X-CSRF-Token"])).toEqual([undefined, "token"]);
  });

  it("raise the center's problem as it is", async () => {
    answer(409, problem);
    await expect(post("alerts/x/close", {})).rejects.toMatchObject({ status: 409, problem });
  });

  it("tell that nobody is logged in, except where a login was refused", async () => {
    const told = vi.fn();
    whenSignedOut(told);
    answer(401, problem);
    await expect(get("alerts")).rejects.toBeInstanceOf(ApiError);
    expect(told).toHaveBeenCalledTimes(1);
    await expect(post("session", {})).rejects.toBeInstanceOf(ApiError);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it("fetch a file with its name, and raise a refusal as any other", async () => {
    const headers = { "Content-Disposition": 'attachment; filename="liuhe-kit.zip"' };
    vi.stubGlobal("fetch", async () => new Response("PK", { status: 200, headers }));
    const found = await fetchFile("inspections", {});
    expect([found.name, found.blob.size]).toEqual(["liuhe-kit.zip", 2]);
    answer(404, problem);
    await expect(fetchFile("inspections", {})).rejects.toMatchObject({ status: 404, problem });
  });

  it("say that the center cannot be reached", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
    await expect(get("alerts")).rejects.toMatchObject({ status: 0, problem: { code: "unreachable" } });
  });
});

describe("bodies", () => {
  it("that are no problem become one", () => {
    expect(asProblem(null, 502).code).toBe("http-502");
    expect(asProblem({ code: "x" }, 500).code).toBe("http-500");
    expect(asProblem(problem, 409)).toEqual(problem);
  });
});

describe("addresses", () => {
  it("leave out what is empty", () => {
    expect(withQuery("alerts", { state: "open", q: "", limit: 5 })).toBe("alerts?state=open&limit=5");
    expect(withQuery("alerts", { q: "" })).toBe("alerts");
  });
});
