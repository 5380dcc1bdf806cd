// Makes dist/: the page's charts (Apache ECharts, what the page uses of it), its script, their hashes, its style and the font of
// pictures. What it makes is committed, so that `cargo install` needs no Node.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";
import subsetFont from "subset-font";

const here = (name) => new URL(name, import.meta.url).pathname;
const dist = process.argv[2] ?? here("dist");
mkdirSync(dist, { recursive: true });

const options = { bundle: true, minify: true, format: "iife", target: "es2020", charset: "ascii", logLevel: "warning" };
const licences = "Apache ECharts (Apache-2.0), with zrender (BSD-3-Clause) and tslib (0BSD): their licences are beside hotpart's source";
await build({
  ...options,
  entryPoints: [here("src/charts.js")],
  outfile: `${dist}/charts.js`,
  legalComments: "none",
  banner: { js: `/*! ${licences}, and ECharts' is at https://www.apache.org/licenses/LICENSE-2.0 */` },
});
await build({ ...options, entryPoints: [here("src/page.js")], outfile: `${dist}/page.js` });
await build({ ...options, entryPoints: [here("src/page.css")], outfile: `${dist}/page.css` });

const hash = (name) => `'sha256-${createHash("sha256").update(readFileSync(`${dist}/${name}`)).digest("base64")}'`;
writeFileSync(`${dist}/hashes.txt`, `${hash("charts.js")} ${hash("page.js")}\n`);

// Latin, Greek, Cyrillic, punctuation, arrows, at most and at least.
const ranges = [
  [0x20, 0x7e],
  [0xa0, 0x17f],
  [0x370, 0x3ff],
  [0x400, 0x45f],
  [0x2010, 0x2026],
  [0x2190, 0x2193],
  [0x2264, 0x2265],
];
const letters = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i)));
const packages = createRequire(import.meta.url);
const font = packages.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
writeFileSync(`${dist}/DejaVuSans.ttf`, await subsetFont(readFileSync(font), letters.join(""), { targetFormat: "truetype" }));

const from = (name) => new URL(`node_modules/${name}`, import.meta.url).pathname;
const texts = {
  "Apache ECharts": ["echarts/NOTICE", "echarts/LICENSE"],
  zrender: ["zrender/LICENSE"],
  tslib: ["tslib/LICENSE.txt"],
  "DejaVu Sans": ["dejavu-fonts-ttf/LICENSE"],
};
const notice = Object.entries(texts).map(
  ([name, files]) => `${"=".repeat(80)}\n${name}\n\n${files.map((file) => readFileSync(from(file), "utf8").trim()).join("\n\n")}\n`,
);
const head = "What of this folder is others' work, and on which terms.\n\n";
writeFileSync(`${dist}/NOTICE`, `${head}${notice.join("\n")}`.replaceAll("\r\n", "\n"));
