// The walk through an hour (hour.mjs) in docs/COMMAND.md: the command prints what stands there. HOTPART is the command, and BUILD a
// folder with hour.csv.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { BUILD, HOTPART } = process.env;
const page = readFileSync(new URL("../../../docs/COMMAND.md", import.meta.url), "utf8");

// The memory differs from run to run: a map's seeds are random.
const told = (text) => text.replace(/ +$/gm, "").replace(/counting: [0-9.]+ MiB/, "counting: some MiB");

// Commands on hour.csv, each with the output behind it, if there is one.
const commands = [...page.matchAll(/`hotpart ([^`]*hour\.csv)`([^`]*\n\n```text\n(.*?)\n```)?/gs)];

test("there are commands of each kind", () => {
  const kinds = commands.map(([, words, output]) => [words.split(" ")[0], output !== undefined]);
  assert.deepEqual(kinds, [
    ["report", true],
    ["heatmap", false],
    ["backtest", true],
    ["backtest", true],
    ["backtest", false],
  ]);
});

for (const [, words, , output = ""] of commands) {
  test(`hotpart ${words}`, () => {
    const split = words.match(/"[^"]*"|\S+/g).map((word) => word.replace(/^"|"$/g, ""));
    const printed = execFileSync(HOTPART, split, { cwd: BUILD, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    let rest = told(printed);
    // "..." stands for lines that are left out.
    for (const part of told(output).split(/^\.\.\.$/m)) {
      const at = rest.indexOf(part.trim());
      assert.ok(at >= 0, `this is not in its place:\n${part.trim()}\n\nin:\n${printed}`);
      rest = rest.slice(at + part.trim().length);
    }
  });
}
