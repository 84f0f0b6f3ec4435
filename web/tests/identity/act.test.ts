import { afterEach, describe, expect, it } from "vitest";
import { actsOn, roles, rolesFor, valid } from "../../src/identity/act";
import type { AccountRow, TokenRow } from "../../src/api/types";
import { firstSteps, session } from "../../src/session";

const row = (changed: Partial<AccountRow>): AccountRow => ({
  username: "zhang",
  display_name: "张三",
  person: "1",
  role: "analyst",
  unit: "320000-local",
  state: "active",
  factor_bound: null,
  password_changed: null,
  created: "2026-11-22T08:00:00Z",
  created_by: "user:xitong",
  sessions: 0,
  ...changed,
});

const as = (username: string, ...permissions: string[]) => (session.value = { username, permissions } as unknown as typeof session.value);

afterEach(() => (session.value = null));

describe("what an administrator may do to an account", () => {
  it("is nothing to the own one", () => {
    as("zhang", "accounts.create", "accounts.grant");
    expect(actsOn(row({}))).toEqual([]);
  });

  it("is to issue for the one and to grant for the other", () => {
    as("xitong", "accounts.create");
    expect(actsOn(row({}))).toEqual(["issue"]);
    expect(actsOn(row({ state: "disabled" }))).toEqual([]);
    as("anquan", "accounts.grant");
    expect(actsOn(row({}))).toEqual(["grant", "disable"]);
    expect(actsOn(row({ state: "waiting" }))).toEqual(["release", "grant", "disable"]);
    expect(actsOn(row({ state: "locked" }))).toEqual(["unlock", "grant", "disable"]);
    expect(actsOn(row({ state: "disabled" }))).toEqual(["enable"]);
    expect(actsOn(row({ state: "ungranted", role: "" }))).toEqual(["grant"]);
    as("shenji", "accounts.read");
    expect(actsOn(row({}))).toEqual([]);
  });

  it("keeps the three administrators apart from all others", () => {
    expect(rolesFor(row({ role: "" }))).toEqual(roles);
    expect(rolesFor(row({ role: "audit_admin" }))).toEqual(["audit_admin"]);
    expect(rolesFor(row({}))).toEqual(["analyst", "shift_lead", "compliance_officer", "wall_display"]);
  });
});

describe("a first login", () => {
  it("binds before it changes the password", () => {
    expect(firstSteps({ factor: "", must_change_password: true })).toBe("factor");
    expect(firstSteps({ factor: "otp", must_change_password: true })).toBe("password");
    expect(firstSteps({ factor: "key", must_change_password: false })).toBeNull();
  });
});

it("a token is valid until it is revoked or over", () => {
  const token = { revoked: null, expires: "2026-11-22T08:00:00Z" } as TokenRow;
  const end = Date.parse(token.expires);
  expect([valid(token, end - 1), valid(token, end), valid({ ...token, revoked: token.expires }, end - 1)]).toEqual([true, false, false]);
});
