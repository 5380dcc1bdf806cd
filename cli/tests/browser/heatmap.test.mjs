// The heat map's page of a synthetic hour (hour.mjs), and of a log that means harm. HOTPART is the command, CHROMIUM the browser, and
// BUILD a folder for files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, open } from "./page.mjs";

const { BUILD, HOTPART } = process.env;
const hour = `${BUILD}/hour.html`;
const COLUMNS = 360;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

const heatmap = (csv, html, ...more) =>
  execFileSync(HOTPART, ["heatmap", "--quiet", csv, "-o", html, ...more], { encoding: "utf8" });

// The page of a few lines.
async function small(name, csv, ...more) {
  writeFileSync(`${BUILD}/${name}.csv`, csv, "latin1");
  heatmap(`${BUILD}/${name}.csv`, `${BUILD}/${name}.html`, ...more);
  return open(browser, `${BUILD}/${name}.html`);
}

test("an hour of 10,000 partitions is a page under 3 MB", () => {
  assert.ok(statSync(hour).size < 3e6, `${statSync(hour).size} bytes`);
});

test("hovering a cell tells the partition, the time, the count, the fullest second and the share", async () => {
  const { page, cell, close } = await open(browser, hour);
  // The job of 21:10.
  await page.mouse.move(...(await cell(1, 61, COLUMNS)));
  const tip = page.locator("#tip");
  await tip.waitFor();
  const told = (await tip.innerText()).split("\n");
  assert.equal(told[0], "JOB#nightly-reprice");
  assert.equal(told[1], "21:10:10 to 21:10:20 UTC");
  assert.match(told[2], /^1[123]\d % of DynamoDB's limit, 1,000 units a second$/);
  assert.match(told[3], /^count 1\d,\d{3} units$/);
  assert.match(told[4], /^fullest second 1,[123]\d\d$/);
  await page.mouse.move(...(await cell(45, 100, COLUMNS)));
  await page.waitForFunction(() => document.querySelector("#tip").textContent.startsWith("others "));
  assert.match(await tip.innerText(), /partitions here; shares are of the hottest/);
  await close();
});

test("the wheel zooms where the pointer is, dragging moves, and the line below goes along", async () => {
  const { page, cell, seen, close } = await open(browser, hour);
  assert.equal(await seen(), "21:00:00 to 22:00:00");
  await page.mouse.move(...(await cell(0, 270, COLUMNS)));
  for (let i = 0; i < 8; i++) await page.mouse.wheel(0, -240);
  await page.waitForFunction(() => document.querySelector("#map").dataset.seen !== "21:00:00 to 22:00:00");
  const zoomed = await seen();
  const [from, to] = zoomed.split(" to ");
  assert.ok(from > "21:10:00" && from < "21:45:00" && to > "21:45:00" && to < "21:59:00", zoomed);
  const [x, y] = await cell(20, 180, COLUMNS);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 150, y, { steps: 5 });
  await page.mouse.up();
  await page.waitForFunction((zoomed) => document.querySelector("#map").dataset.seen < zoomed, zoomed);
  await page.locator("#whole").click();
  assert.equal(await seen(), "21:00:00 to 22:00:00");
  await close();
});

test("the keyboard goes from cell to cell, zooms, and chooses a row", async () => {
  const { page, map, text, seen, close } = await open(browser, hour);
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.id)) !== "map"; i++) await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "map");
  await page.keyboard.press("ArrowRight");
  assert.match(await text("#told"), /^EVENT#launch-2026-03-14, 21:00:00 to 21:00:10 UTC, 0.4 % of DynamoDB's limit/);
  await page.keyboard.press("End");
  assert.match(await text("#told"), /21:59:50 to 22:00:00/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowDown");
  assert.equal(await text("#told"), "JOB#nightly-reprice, 21:59:40 to 21:59:50 UTC, nothing");
  assert.ok(await page.locator("#caret").isVisible());
  await page.keyboard.press("Enter");
  assert.equal(await text("#one-name"), "JOB#nightly-reprice, writes");
  await page.keyboard.press("+");
  const zoomed = await seen();
  assert.ok(zoomed > "21:29", zoomed);
  await page.keyboard.press("Home");
  assert.match(await seen(), /^21:00:00 to 21:[23]/);
  await page.keyboard.press("-");
  await page.keyboard.press("-");
  await page.keyboard.press("Escape");
  assert.equal(await seen(), "21:00:00 to 22:00:00");
  assert.equal(await map.getAttribute("role"), "application");
  await close();
});

test("a click shows a row's own line and its warnings", async () => {
  const { page, cell, text, close } = await open(browser, hour);
  assert.equal(await text("#one-name"), "EVENT#launch-2026-03-14, writes");
  const warnings = page.locator(".warnings li");
  assert.equal(await warnings.count(), 8);
  assert.match(await warnings.first().innerText(), /^21:4\d:\d\d 4,\d{3} units in 5 seconds; the threshold is 4,000$/);
  await page.mouse.click(...(await cell(1, 10, COLUMNS)));
  assert.equal(await text("#one-name"), "JOB#nightly-reprice, writes");
  assert.equal(await warnings.count(), 1);
  await page.getByText("Its columns as a table").click();
  const rows = page.locator("#one-more tbody tr");
  // They are made once it is open.
  await rows.first().waitFor();
  assert.equal(await rows.count(), 4);
  assert.match(await rows.first().innerText(), /^21:10:00 to 21:10:10\s+1\d,\d{3}\s+1,\d{3}\s+1\d\d %\s+1\s+0$/);
  await close();
});

test("each table and operation has its map, and a table that says the same", async () => {
  const { page, text, close } = await open(browser, hour);
  await page.getByText("All rows as a table").click();
  const rows = page.locator("#tables table:visible tbody tr");
  assert.equal(await rows.count(), 60);
  assert.match(await text("#tables caption:visible"), /^orders, writes: \d[\d,]* partitions; shares are of DynamoDB's limit/);
  assert.match(await rows.nth(0).innerText(), /^EVENT#launch-2026-03-14\s/);
  await rows.nth(1).getByRole("button").click();
  assert.equal(await text("#one-name"), "JOB#nightly-reprice, writes");
  await page.getByLabel("reads").check();
  assert.match(await text("#tables caption:visible"), /^orders, reads/);
  assert.match(await text("#legend"), /3,000 units a second/);
  await page.getByLabel("Table", { exact: true }).selectOption("settings");
  assert.equal(await rows.count(), 12);
  assert.equal(await text("#one-name"), "TENANT#0, reads");
  assert.equal(await page.getByRole("radio").count(), 1);
  await close();
});

test("it is light or dark as the system is, or as one says", async () => {
  for (const [colorScheme, own, other] of [["light", "rgb(255, 255, 255)", "dark"], ["dark", "rgb(20, 23, 28)", "light"]]) {
    const { page, close } = await open(browser, hour, { colorScheme });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await background(), own);
    await page.getByLabel("Colours").selectOption(other);
    assert.notEqual(await background(), own);
    await close();
  }
});

test("the limit is red, in both, near too", async () => {
  for (const [colorScheme, expected] of [["light", [228, 0, 43]], ["dark", [255, 59, 48]]]) {
    const { page, cell, seen, close } = await open(browser, hour, { colorScheme });
    // Of the job, whose cells are wide once they are near.
    await page.mouse.move(...(await cell(1, 62, COLUMNS)));
    for (let i = 0; i < 6; i++) {
      await page.mouse.wheel(0, -200);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }
    const [from] = (await seen()).split(" to ");
    const [, minute, second] = from.split(":").map(Number);
    const shown = await page.locator("#map").getAttribute("data-columns");
    const [x, y] = await cell(1, 62 - (minute * 60 + second) / 10, Number(shown));
    const shot = await page.screenshot({ clip: { x: Math.round(x), y: Math.round(y), width: 1, height: 1 } });
    const pixel = await page.evaluate(async (url) => {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      const context = document.createElement("canvas").getContext("2d");
      context.drawImage(image, 0, 0);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }, `data:image/png;base64,${shot.toString("base64")}`);
    assert.deepEqual(pixel, expected);
    await close();
  }
});

test("names that mean harm are names", async () => {
  const names = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "&lt;b&gt;", "it's", "{{7*7}}", "]]>-->", "\xff\xfe"];
  const lines = names.map((name, i) => `${i * 1000},write,"<i>table</i>","${name}"`);
  const { page, text, close } = await small("harm", `time_ms,operation,table,pk\n${lines.join("\n")}\n7000,write,<i>table</i>,\n`, "--title", "</title><script>alert(3)</script>");
  assert.equal(await page.title(), "</title><script>alert(3)</script>: heat map");
  await page.getByText("All rows as a table").click();
  const shown = await page.locator("#tables tbody th").allInnerTexts();
  const expected = [...names.slice(0, -1), "\\xFF\\xFE", "(an empty key)"];
  assert.deepEqual(shown.map((name) => name.trim()).sort(), expected.sort());
  assert.equal(await text("#table option"), "<i>table</i>");
  assert.equal(await page.locator("img, i:not(#legend i)").count(), 0);
  for (const row of await page.locator("#tables tbody button").all()) await row.click();
  await page.mouse.move(300, 300);
  await close();
});

test("what memory had no room for is at most so much", async () => {
  // 2,000 partitions with 40 % of the limit each, of which 512 KiB count some by themselves.
  const keys = Array.from({ length: 20_000 }, (_, i) => `${Math.floor(i / 2000) * 1000},write,t,key-${i % 2000},400`);
  const { page, text, cell, close } = await small("kept-out", `${keys.join("\n")}\n`, "--memory", "512KiB");
  assert.match(await text("#legend"), /100 % and more\s+at most so much: no room to count it\s+a warning/);
  await page.mouse.move(...(await cell(0, 1, 2)));
  await page.locator("#tip").waitFor();
  const told = (await text("#tip")).split("\n");
  assert.match(told[2], /^≤ [\d,]+ % of DynamoDB's limit, 1,000 units a second$/);
  assert.match(told[3], /^count ≤ [\d,]+ units$/);
  assert.match(told[5], /^at most: memory had no room to count it exactly$/);
  await page.getByText("Its columns as a table").click();
  assert.match(await page.locator("#one-more tbody tr").last().innerText(), /\s≤ [\d,]+\s+≤ [\d,]+\s+≤ [\d,]+ %/);
  await close();
});

test("without JavaScript there are the tables, and a log of no clock counts from its begin", async () => {
  const { seen, close } = await small("plain", "5000,read,t,a\n65000,read,t,b\n", "--preset", "moderate", "--reads", "4");
  assert.match(await seen(), /^0:00:00 to /);
  await close();
  const context = await browser.newContext({ javaScriptEnabled: false });
  const bare = await context.newPage();
  await bare.goto(`file://${BUILD}/plain.html`);
  assert.match(await bare.locator("table").innerText(), /the threshold, 4[^]*a\s+1\s+1\s+25 %\s+0:00:00/);
  assert.ok(await bare.locator("table").isVisible());
  await context.close();
});

test("zooming is fluent", async (t) => {
  const { page, cell, close } = await open(browser, hour);
  await page.mouse.move(...(await cell(30, 200, COLUMNS)));
  // From a turn of the wheel to the frame that shows it; told, not judged.
  const took = await page.evaluate(async () => {
    const canvas = document.querySelector("#map canvas");
    const { left, top } = canvas.getBoundingClientRect();
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const times = [];
    for (let i = 0; i < 30; i++) {
      const begin = performance.now();
      const turn = { clientX: left + 700, clientY: top + 300, deltaY: i < 15 ? -120 : 120, bubbles: true, cancelable: true };
      canvas.dispatchEvent(new WheelEvent("wheel", turn));
      await frame();
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b);
  });
  t.diagnostic(`a step of the wheel is shown after ${took[15].toFixed(0)} ms, at most ${took.at(-1).toFixed(0)} ms`);
  await close();
});
