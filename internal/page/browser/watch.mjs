// Opens pages of a watch in Chromium, in light, dark and on a phone: what they look like goes to another folder.
import path from 'node:path';
import {done, fits, kinds, open, say, shots} from './common.mjs';

// styled: the page's own policy lets its style in, and there is nothing on it that runs or is fetched.
async function styled(name) {
	const page = await open(name, {});
	const found = await page.evaluate(() => [getComputedStyle(document.querySelector('table')).borderCollapse, document.scripts.length, document.images.length,
		document.links.length, document.title !== ''].join());
	if (found !== 'collapse,0,0,0,true') say(name, 'style, scripts, images, links, title: ' + found);
	await page.context().close();
}

async function look(name) {
	for (const [kind, options] of Object.entries(kinds)) {
		const page = await open(name, {...options, bypassCSP: true});
		await page.screenshot({path: path.join(shots, `${name}-${kind}.png`), fullPage: name !== 'many'});
		await fits(page, name, kind);
		await page.context().close();
	}
}

for (const name of ['watch', 'hostile', 'empty', 'many']) {
	await styled(name);
	if (name !== 'many') await look(name);
}
const page = await open('many', {...kinds.phone, bypassCSP: true});
const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
if (wide > 0) say('many', `${wide} px wider than the screen`);
await page.context().close();
await done();
