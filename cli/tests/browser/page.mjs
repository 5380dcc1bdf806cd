// Opens a heat map's page in a real Chromium, and listens to what must not happen.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });

// Where the map's cells are, as map.js has them.
const LEFT = 220;
const RIGHT = 70;
const ABOVE = 6;
const ROW = 15;

// A page, and what it has complained about or asked the network for.
export async function open(browser, file, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1100 }, ...options });
  const faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => request.url().startsWith("file:") || faults.push(request.url()));
  await page.goto(`file://${file}`);
  await page.locator("#map canvas").first().waitFor();
  return {
    page,
    map: page.locator("#map"),
    text: (selector) => page.locator(selector).innerText(),
    seen: () => page.locator("#map").getAttribute("data-seen"),
    // The middle of a cell, of so many columns that are seen.
    async cell(row, column, columns) {
      await page.locator("#map").scrollIntoViewIfNeeded();
      const box = await page.locator("#map").boundingBox();
      return [box.x + LEFT + ((column + 0.5) / columns) * (box.width - LEFT - RIGHT), box.y + ABOVE + (row + 0.5) * ROW];
    },
    async close() {
      assert.deepEqual(faults, []);
      await page.close();
    },
  };
}
