// Looks at pages in a real Chromium, as people with and without good eyes, wide screens and scripts do.
//
//   node look.mjs CHROMIUM MODULES FOLDER BASE PATH…
//
// MODULES is where `npm ci` put node_modules; a picture of each look goes to FOLDER. Prints a line a
// finding, then the versions; exits 1 when there is a finding.
import { createRequire } from "node:module";
import path from "node:path";
import { readFileSync } from "node:fs";

const [chromium, modules, folder, base, ...paths] = process.argv.slice(2);
const require = createRequire(path.join(modules, "here.js"));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const findings = [];
// Chromium's own sandbox needs rights that a container does not give; nothing but our pages is loaded.
const browser = await puppeteer.launch({
  executablePath: chromium,
  headless: true,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"],
});

async function look(where, scheme, width) {
  const found = (what) => findings.push(`${where} (${scheme}, ${width} px): ${what}`);
  const page = await browser.newPage();
  const requests = [];
  page.on("console", (message) => {
    // Chromium says of a page that is not there that it is not there.
    const absent = message.location().url === base + where && message.text().includes("status of 404");
    if (!absent) found(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => found(`script: ${error.message}`));
  page.on("dialog", async (dialog) => {
    found(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(base + where, { waitUntil: "load" });

  const name = `${where.replace(/[^a-z0-9]+/g, "-")}-${scheme}-${width}.png`;
  await page.screenshot({ path: path.join(folder, name), fullPage: true });
  const loaded = requests.filter((url) => !url.startsWith("data:"));
  if (loaded.length !== 1) found(`it loads ${loaded.join(" ")}`);
  const seen = await page.evaluate(() => ({
    wide: document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth,
    styled: getComputedStyle(document.querySelector("main")).maxWidth !== "none",
    dark: getComputedStyle(document.body).backgroundColor,
    scripts: document.querySelectorAll("script, iframe, object, embed, img, [onload], [onerror]").length,
    pwned: "pwned" in window,
    text: document.body.innerText,
  }));
  if (seen.wide > 0) found(`it is ${seen.wide} px too wide`);
  if (!seen.styled) found("it has no style");
  if (seen.scripts) found(`${seen.scripts} elements that could load or run something`);
  if (seen.pwned) found("a script of the readme ran");
  const lightness = Number(seen.dark.match(/\d+/)[0]);
  if (lightness < 128 !== (scheme === "dark")) found(`its paper is ${seen.dark}`);

  await page.evaluate(axe);
  const options = { rules: { "target-size": { enabled: true } } };
  const judged = await page.evaluate((options) => window.axe.run(document, options), options);
  if (judged.passes.length < 15) found(`only ${judged.passes.length} rules were applied`);
  for (const violation of judged.violations) {
    for (const node of violation.nodes) {
      found(`${violation.id}: ${violation.help}: ${node.target.join(" ")}: ${node.html.slice(0, 120)}`);
    }
  }

  // The first Tab is the way past the search form.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const focus = await page.evaluate(() => document.activeElement.id);
  if (focus !== "main") found(`the first link leads to "${focus}", not to the content`);
  await page.close();
  return seen.text;
}

async function withoutScripts(where, text) {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.setViewport({ width: 1280, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.goto(base + where, { waitUntil: "load" });
  const plain = await page.evaluate(() => document.body.innerText);
  if (plain !== text) findings.push(`${where}: without JavaScript it says something else`);
  await page.close();
}

async function searching() {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(`${base}/`, { waitUntil: "load" });
  await page.type("input[type=search]", "Host");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  const where = new URL(page.url());
  if (where.pathname + where.search !== "/search/?q=Host") {
    findings.push(`the search form leads to ${where}`);
  }
  await page.close();
}

try {
  for (const where of paths) {
    for (const scheme of ["light", "dark"]) {
      await look(where, scheme, 320);
    }
    await look(where, "dark", 1280);
    await withoutScripts(where, await look(where, "light", 1280));
  }
  await searching();
  console.log(`${await browser.version()}, axe-core ${require("axe-core/package.json").version}`);
} finally {
  await browser.close();
}
for (const finding of findings) console.log(finding);
process.exitCode = findings.length ? 1 : 0;
