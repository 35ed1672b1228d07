// Drives the pages of a folder in Chromium: keys, slider, play and buttons. What they look like goes to another folder,
// in light, dark, on paper and on a phone.
import path from 'node:path';
import {done, fits, kinds, open, say, shots} from './common.mjs';

// holds waits until a condition holds in the page.
async function holds(page, name, what, condition, arg) {
	await page.waitForFunction(condition, arg, {timeout: 30000}).catch(() => say(name, 'not so: ' + what));
}

const place = k => document.getElementById('place').textContent.startsWith(k + ' of ') &&
	document.querySelectorAll('.row[aria-current=step]').length === 1 && document.querySelector('.row[aria-current=step]').dataset.row === String(k - 1);

// visible: the current row is where it can be seen, behind neither bar.
const inView = () => {
	const r = document.querySelector('.row[aria-current=step]').getBoundingClientRect(), side = document.getElementById('side').getBoundingClientRect();
	const bottom = side.left < r.right ? side.top : innerHeight;
	return r.top >= document.getElementById('player').getBoundingClientRect().bottom - 1 && r.top + Math.min(r.height, 40) <= bottom + 1;
};

// look takes pictures of a page and has axe-core look at it.
async function look(name) {
	for (const [kind, options] of Object.entries(kinds)) {
		const page = await open(name, {...options, bypassCSP: true});
		await page.screenshot({path: path.join(shots, `${name}-${kind}.png`)});
		const middle = await page.evaluate(() => { go(Math.floor(rows.length * 0.45), true); return rows.length; });
		await holds(page, name, `the current row of ${middle} is in view, ${kind}`, inView);
		await page.screenshot({path: path.join(shots, `${name}-${kind}-middle.png`)});
		await fits(page, name, kind);
		await page.context().close();
	}
}

// print makes one sheet of it.
async function print(name) {
	const page = await open(name, {});
	const pdf = await page.pdf({path: path.join(shots, name + '.pdf'), preferCSSPageSize: true, printBackground: true});
	const sheets = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length;
	if (sheets !== 1) say(name, `printed on ${sheets} sheets`);
	await page.context().close();
}

// walk goes through a page with keys, slider and buttons.
async function walk(name) {
	const page = await open(name, {});
	const n = await page.evaluate(() => rows.length);
	const at = async (k, what) => { await holds(page, name, `${what} leads to ${k} of ${n}`, place, k); };
	await at(1, 'nothing yet');
	for (const [key, k] of [['ArrowRight', 2], ['ArrowRight', 3], ['ArrowLeft', 2], ['PageDown', 12], ['PageUp', 2], ['End', n], ['ArrowRight', n], ['Home', 1]]) {
		await page.keyboard.press(key);
		await at(k, key);
	}
	await page.keyboard.press('Space');
	await holds(page, name, 'space plays', () => Number(document.getElementById('place').textContent.split(' ')[0]) >= 3);
	await page.keyboard.press('Space');
	const pressed = await page.getAttribute('#play', 'aria-pressed');
	if (pressed !== 'false') say(name, 'space does not stop it');
	await page.focus('#slider');
	await page.fill('#slider', String(n - 2));
	await at(n - 1, 'the slider');
	await holds(page, name, 'the row is in view', inView);
	await page.keyboard.press('ArrowLeft');
	await at(n - 2, 'an arrow on the slider');
	await page.click('#first');
	await at(1, 'the button');
	await page.click('#next');
	await at(2, 'the button');
	await page.click('.row[data-row="4"]');
	await at(5, 'a click on the row');
	const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const before = await paper();
	await page.click('#theme');
	if (await paper() === before) say(name, 'the page does not turn dark');
	await page.context().close();
}

// differences: of TCP_INFO all is told that is not 0, and then what is another than before.
async function differences() {
	const page = await open('half-close', {});
	for (const [seq, want, not] of [[13, ['rto_us 204000', 'max_pacing_rate_bytes_per_s not limited'], ['bytes_received', 'last_']], [20, ['bytes_received 19 (was 0)', 'segs_in 3 (was 2)'], ['rto_us', 'last_']]]) {
		const text = await page.evaluate(seq => { go(rows.findIndex(r => steps[r.at].event?.seq === seq), true); return document.getElementById('details').textContent; }, seq);
		for (const w of want) if (!text.includes(w)) say('half-close', `event ${seq} does not say ${w}: ${text}`);
		for (const w of not) if (text.split('TCP_INFO')[1]?.includes(w)) say('half-close', `event ${seq} says ${w}: ${text}`);
	}
	await page.context().close();
}

// states: at the end of the half-close the client is in TIME-WAIT, and the server's socket is gone.
async function states() {
	const page = await open('half-close', {});
	await page.keyboard.press('End');
	await holds(page, 'half-close', 'both ends are lit', () => document.getElementById('diagram-says').textContent === 'client: TIME-WAIT; server: CLOSED');
	const lit = await page.evaluate(() => [...document.querySelectorAll('.place.lit')].map(g => g.querySelector('text').textContent + ' ' + g.querySelector('.badge text').textContent).join());
	if (lit !== 'TIME-WAIT C,CLOSED S') say('half-close', 'lit: ' + lit);
	await page.context().close();
}

// header: a SYN's header, field by field.
async function header() {
	const page = await open('wire-simultaneous-close', {});
	await page.click('.row.arrow');
	const cells = await page.evaluate(() => [...document.querySelectorAll('.header .cell')].map(c => [...c.querySelectorAll('.name, .value')].map(x => x.textContent).join('=')).join(' '));
	for (const want of ['source port=35666', 'destination port=7007', 'offset=10', 'SYN=1', 'ACK=0', 'window=64240', 'maximum segment size=1460 bytes', 'window scale=shift by 10 (× 1024)', 'SACK permitted']) {
		if (!cells.includes(want)) say('wire-simultaneous-close', `no ${want} in ${cells}`);
	}
	await page.context().close();
}

// chooser: the diagram is of the connection that is chosen.
async function chooser() {
	const page = await open('backlog', {});
	await page.fill('#slider', '35');
	for (const [connection, says] of [['2', 'client: SYN-SENT; server: LISTEN'], ['0', 'client: ESTABLISHED; server: ESTABLISHED'], ['event', 'client: SYN-SENT; server: LISTEN']]) {
		await page.selectOption('#connection', connection);
		const now = await page.textContent('#diagram-says');
		if (now !== says) say('backlog', `connection ${connection}: ${now}`);
	}
	await page.context().close();
}

// hostile: what a peer sent is text, and seen as what it is.
async function hostile() {
	const page = await open('hostile', {});
	const n = await page.evaluate(() => rows.length);
	for (let k = 0; k < n; k++) {
		await page.evaluate(k => go(k, true), k);
		const found = await page.evaluate(() => {
			const body = document.body.cloneNode(true);
			body.querySelectorAll('script').forEach(s => s.remove());
			return [document.scripts.length, document.images.length, unseen.test(body.textContent.replace(/[\n\t]/g, '')), document.body.textContent.includes('onerror=alert')].join();
		});
		if (found !== '2,0,false,true') say('hostile', `event ${k + 1}: ${found}`);
	}
	if (await page.locator('.way.inferred').count() !== 2) say('hostile', 'the inferred arrow, and its legend, are not dashed');
	await page.context().close();
}

// long: 100,000 events open, and scroll.
async function long() {
	const began = Date.now();
	const page = await open('long', {});
	const n = await page.evaluate(() => rows.length);
	if (n < 100000) say('long', `${n} rows`);
	const opened = Date.now();
	for (const part of [0.3, 0.6, 0.9, 0.5]) {
		await page.evaluate(p => scrollTo(0, p * document.documentElement.scrollHeight), part);
		await holds(page, 'long', `rows are in view at ${part}`, () => document.elementFromPoint(400, 500)?.closest('.row'));
	}
	await page.keyboard.press('End');
	await holds(page, 'long', 'End is in view', inView);
	await page.keyboard.press('Home');
	await holds(page, 'long', 'Home is in view', inView);
	const made = await page.evaluate(() => document.querySelectorAll('.row').length);
	if (made > 5000) say('long', `${made} rows are in the page at once`);
	if (opened - began > 30000) say('long', `opens in ${opened - began} ms`);
	console.error(`100,000 events: open in ${opened - began} ms; four times scrolled, to the end and back in ${Date.now() - opened} ms; ${made} rows in the page at once`);
	await page.context().close();
}

for (const name of ['half-close', 'wire-simultaneous-close', 'backlog']) {
	await look(name);
	await print(name);
}
for (const name of ['half-close', 'wire-simultaneous-close']) await walk(name);
await states();
await differences();
await header();
await chooser();
await hostile();
await long();
await done();
