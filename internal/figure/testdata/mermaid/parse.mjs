// Reads a list of diagrams (JSON) from standard input and has mermaid's own parser read each; prints a list with "" for
// each that it takes, else what it says.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");
mermaid.initialize({ startOnLoad: false });

const said = [];
for (const diagram of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    await mermaid.parse(diagram);
    said.push("");
  } catch (e) {
    said.push(String(e.message ?? e));
  }
}
process.stdout.write(JSON.stringify(said));
