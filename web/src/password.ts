/** The rules of a new password, as the center checks them again; shown while it is typed. */

export const length_min = 10;
export const length_max = 256;
const kinds_min = 3;

export type RuleName = "length" | "kinds" | "name" | "different" | "same";

export interface Attempt {
  old: string;
  next: string;
  confirm: string;
  username: string;
  displayName: string;
}

/** Which rules the attempt keeps, in the order shown. */
export function kept(attempt: Attempt): { name: RuleName; met: boolean }[] {
  const { old, next, confirm } = attempt;
  const folded = fold(next);
  const names = [attempt.username, attempt.displayName].filter((name) => [...name].length > 1);
  const signs = [...next].length;
  return [
    { name: "length", met: signs >= length_min && signs <= length_max },
    { name: "kinds", met: kinds(next) >= kinds_min },
    { name: "name", met: next !== "" && !names.some((name) => folded.includes(fold(name))) },
    { name: "different", met: next !== "" && next !== old },
    { name: "same", met: next !== "" && next === confirm },
  ];
}

function kinds(password: string): number {
  const found = new Set<string>();
  for (const sign of password) {
    if (/\p{Lu}/u.test(sign)) found.add("upper");
    else if (/\p{Ll}/u.test(sign)) found.add("lower");
    else if (/\p{Nd}/u.test(sign)) found.add("digit");
    else found.add("other");
  }
  return found.size;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
