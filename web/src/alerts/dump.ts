/** Bytes as people read them: offset, sixteen in hexadecimal, and the printable ones. */
const columns = 16;

/** Lines of `hex`, two digits a byte. */
export function dump(hex: string): string {
  const lines: string[] = [];
  for (let at = 0; at < hex.length; at += columns * 2) {
    const pairs = hex.slice(at, at + columns * 2).match(/../g) ?? [];
    const text = pairs.map((pair) => {
      const code = parseInt(pair, 16);
      return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
    });
    lines.push(`${(at / 2).toString(16).padStart(4, "0")}  ${pairs.join(" ").padEnd(columns * 3 - 1)}  ${text.join("")}`);
  }
  return lines.join("\n");
}
