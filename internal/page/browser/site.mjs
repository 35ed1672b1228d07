// Drives a folder of pages in Chromium: from the index by every link and back, and the page of the measured diagram.
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {done, fits, kinds, open, pages, say, shots} from './common.mjs';

const folder = String(pathToFileURL(pages)) + '/';
const inFolder = url => url.startsWith(folder) && fs.existsSync(new URL(url));

// drawn says whether every picture of a page is there.
const drawn = () => [...document.images].every(i => i.complete && i.naturalWidth > 300);

async function look(name) {
	for (const [kind, options] of Object.entries(kinds)) {
		const page = await open(name, {...options, bypassCSP: true}, inFolder);
		if (!await page.evaluate(drawn)) say(name, `${kind}: a picture is missing`);
		await page.screenshot({path: path.join(shots, `${name}-${kind}.png`), fullPage: true});
		await fits(page, name, kind);
		await page.context().close();
	}
}

// links follows each from the index, with the keyboard, and comes back.
async function links() {
	const page = await open('index', {}, inFolder);
	const list = await page.evaluate(() => [...document.links].map(a => a.getAttribute('href')));
	if (list.length < 3) say('index', `only ${list.length} links`);
	for (const [i, to] of list.entries()) {
		await page.focus(`a[href="${to}"]`);
		await Promise.all([page.waitForURL(folder + to), page.keyboard.press('Enter')]);
		if (to.endsWith('.html')) {
			if (!await page.evaluate(() => rows.length > 0)) say(to, 'no rows');
			await page.keyboard.press('End');
		}
		await page.goBack();
		await page.waitForURL(folder + 'index.html');
		if (await page.evaluate(() => document.links.length) !== list.length) say('index', `another page after link ${i + 1}`);
	}
	const hostile = await page.evaluate(() => document.scripts.length);
	if (hostile !== 0) say('index', `${hostile} scripts`);
	await page.context().close();
}

// A link in a picture that is shown as one leads nowhere, so the table has them all.
async function diagram() {
	const page = await open('diagram', {}, inFolder);
	const rows = await page.evaluate(() => [...document.querySelectorAll('tbody tr')].map(r => r.cells.length).join());
	if (!/^5(,5)*$/.test(rows)) say('diagram', `cells of the rows: ${rows}`);
	await page.context().close();
}

for (const name of ['index', 'diagram']) await look(name);
await links();
await diagram();
await done();
