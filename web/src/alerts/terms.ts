/** The query text as people build it by clicking: terms joined by "and", put in and taken out. */

const easy = /^[\p{L}\p{N}._\-/@%][\p{L}\p{N}._\-/@:%]*$/u;

/** A value as a query means it literally. */
export function quoted(value: string): string {
  return easy.test(value) ? value : `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
}

/** One term: `field:value`, or `-field:value`; an empty value asks for rows without one. */
export function term(field: string, value: string, out = false): string {
  if (!value) return out ? `${field}:*` : `_missing_:${field}`;
  return `${out ? "-" : ""}${field}:${quoted(value)}`;
}

/** The terms of a text; null where it holds more than terms side by side, which no click may touch. */
export function terms(text: string): string[] | null {
  const found: string[] = [];
  let now = "";
  let quote = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    if (sign === "\\" && quote) {
      now += sign + (text[at + 1] ?? "");
      at += 1;
    } else if (sign === '"') {
      quote = !quote;
      now += sign;
    } else if (!quote && "()（）".includes(sign)) {
      return null;
    } else if (!quote && /\s/.test(sign)) {
      if (now) found.push(now);
      now = "";
    } else {
      now += sign;
    }
  }
  if (now) found.push(now);
  const joined = found.filter((one) => !/^(and|且|并且|&&)$/i.test(one));
  // "severity >= high" and "not x" are more than one word: such a text is left as its author wrote it.
  return joined.some((one) => /^(or|或|或者|\|\||not|非|[<>=!~:]+|[<>]=?.*)$/i.test(one)) ? null : joined;
}

/** The text with a term more; a term that says the opposite goes, one that is there stays alone. */
export function withTerm(text: string, field: string, value: string, out = false): string {
  const added = term(field, value, out);
  const opposite = term(field, value, !out);
  const known = terms(text);
  if (known === null) return `(${text.trim()}) and ${added}`;
  return [...known.filter((one) => one !== added && one !== opposite), added].join(" ");
}

/** The text without one of its terms. */
export function withoutTerm(text: string, gone: string): string {
  return (terms(text) ?? [text]).filter((one) => one !== gone).join(" ");
}
