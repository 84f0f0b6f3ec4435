/** Make src/api/openapi.ts from the center's OpenAPI document on stdin: its bodies only, without remarks. */
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import openapi, { astToString } from "openapi-typescript";

const target = new URL("../src/api/openapi.ts", import.meta.url);
const remarks = new Set(["title", "description", "format", "examples", "minLength", "maxLength", "pattern"]);

/** The schema without what only a reader of the document needs; names of properties are not touched. */
function bare(node, inProperties = false) {
  if (Array.isArray(node)) return node.map((part) => bare(part));
  if (node === null || typeof node !== "object") return node;
  const kept = Object.entries(node).filter(([key]) => inProperties || !remarks.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, bare(value, key === "properties" && !inProperties)]));
}

const found = JSON.parse(await text(process.stdin));
const schemas = Object.fromEntries(
  Object.entries(found.components.schemas).map(([name, schema]) => [name, bare(schema)]),
);
const tree = await openapi({ openapi: found.openapi, info: found.info, paths: {}, components: { schemas } });
const code = astToString(tree).replace(/ *\/\*\*[^]*?\*\/\n/g, "");
const from = code.indexOf("export interface components");
const to = code.indexOf("\n}\n", from) + 3;
const head = "/** Bodies of the HTTP API. Made by `npm run types`; do not edit. */\n\n";
writeFileSync(target, head + code.slice(from, to));
