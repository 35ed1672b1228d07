// What drives pages in Chromium, as somebody who reads them does: it says what is wrong with them, a line each on
// standard output.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {createRequire} from 'node:module';
import {chromium} from 'playwright-core';

export const [chrome, pages, shots] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let wrong = 0;
export const say = (page, what) => { wrong++; console.log(`${page}: ${what}`); };

const browser = await chromium.launch({executablePath: chrome, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync']});

// done ends it, with what was found as the exit status.
export async function done() {
	await browser.close();
	process.exit(wrong ? 1 : 0);
}

// kinds are the ways in which a page is looked at.
export const kinds = {light: {colorScheme: 'light'}, dark: {colorScheme: 'dark'}, phone: {colorScheme: 'light', viewport: {width: 360, height: 740}}};

// open opens a page, and hears of everything that it says or asks for: of files, those alone that its folder may have.
export async function open(name, options, mayAsk = () => false) {
	const context = await browser.newContext({viewport: {width: 1400, height: 900}, ...options});
	const page = await context.newPage(), url = String(pathToFileURL(path.join(pages, name + '.html')));
	page.on('console', m => say(name, 'console: ' + m.text()));
	page.on('pageerror', e => say(name, 'error: ' + e.stack));
	page.on('dialog', d => { say(name, 'dialog: ' + d.message()); d.dismiss(); });
	page.on('request', r => { if (r.url() !== url && !r.url().startsWith('data:') && !mayAsk(r.url())) say(name, 'asks for ' + r.url()); });
	await page.goto(url);
	return page;
}

// fits says whether a page is no wider than the screen, and has axe-core look at it.
export async function fits(page, name, kind) {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	if (wide > 0) say(name, `${kind}: ${wide} px wider than the screen`);
	await page.evaluate(axe);
	const found = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
	for (const v of found.violations) {
		if (v.impact === 'serious' || v.impact === 'critical') say(name, `${kind}: axe: ${v.id}: ${v.nodes.length} × ${v.nodes[0].html} ${v.nodes[0].failureSummary}`);
	}
}
