// Takes docs/pictures/heatmap.png: node picture.mjs PAGE PICTURE [light|dark], of a page of the synthetic hour with --rows 14.
import { resolve } from "node:path";
import { launch, open } from "./page.mjs";

const [file, picture, colorScheme = "light"] = process.argv.slice(2);
const browser = await launch();
const { page, cell, close } = await open(browser, resolve(file), { viewport: { width: 1080, height: 1100 }, colorScheme });
await page.mouse.move(...(await cell(0, 283, 360)));
await page.locator("#tip").waitFor();
// Down to the end of the line.
const line = await page.locator("#line").boundingBox();
await page.screenshot({ path: picture, clip: { x: 0, y: 0, width: 1080, height: Math.floor(line.y + line.height) } });
await close();
await browser.close();
