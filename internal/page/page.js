// The page: its head, and the walk through the run.

let current = 0, playing = 0;

function drawHead() {
	show('title', run.title || 'A run');
	show('lesson', run.lesson);
	show('facts', [run.ref, run.when && 'time 0: ' + run.when, run.kernel].filter(Boolean).join(' · '));
	show('outcome', el('b', {class: run.outcome.ok ? 'good' : 'bad'}, run.outcome.ok ? '✓ ' : '✗ '), run.outcome.says);
	show('words', (run.words || []).map(w => [el('dt', {}, w.mark), el('dd', {}, marked(w.says))]));
	show('client-lane', el('b', {class: 'dot client'}, 'C'), ' ' + run.client);
	show('server-lane', el('b', {class: 'dot server'}, 'S'), ' ' + run.server);
	document.body.classList.toggle('arrows', hasArrows);
	show('legend', legend());
}

function legend() {
	const sample = (a, says) => el('span', {class: 'key'}, el('span', {class: 'sample-arrow'}, arrowNode(a)), ' ' + says);
	const has = f => steps.some(s => s.arrow && f(s.arrow));
	return el('p', {},
		el('span', {class: 'key'}, el('i', {class: 'sample-bar'}), ' a call waits in the kernel'),
		has(a => !a.inferred) ? sample({from: 'client'}, 'a segment that was seen') : '',
		run.inferred || has(a => a.inferred) ? sample({from: 'client', inferred: true}, 'inferred from calls and states, not seen') : '',
		has(a => a.fate === 'held') ? sample({from: 'client', fate: 'held'}, 'held on the way; it comes later, if at all') : '',
		has(a => a.fate === 'dropped') ? sample({from: 'client', fate: 'dropped'}, 'lost') : '',
		has(a => a.fate === 'duplicated') ? sample({from: 'client', fate: 'duplicated'}, 'delivered twice') : '');
}

const connectionShown = () => {
	const v = byId('connection').value;
	if (v !== 'event') return connections[v];
	const s = steps[rows[current].to];
	const at = s.connection ?? connections.findIndex(c => s.socket !== undefined && (c.client === s.socket || c.server === s.socket));
	followed = connections[at] || followed || connections[run.main];
	return followed;
};
let followed;

// go makes a row the current one.
function go(k, scroll) {
	if (!rows.length) return;
	const was = rowNodeIfMade(current);
	current = Math.max(0, Math.min(rows.length - 1, k));
	was?.removeAttribute('aria-current');
	const node = nodeOf(current);
	node.setAttribute('aria-current', 'step');
	byId('slider').value = current;
	byId('slider').setAttribute('aria-valuetext', sentence());
	show('place', (current + 1) + ' of ' + rows.length);
	if (scroll) reveal(node);
	drawNow();
}

function rowNodeIfMade(k) {
	const chunk = chunks[Math.floor(k / chunkSize)];
	return chunk?.made ? chunk.list.children[k - chunk.from] : undefined;
}

// reveal scrolls to a row that is not in view, or hidden behind the bars.
function reveal(node) {
	const r = node.getBoundingClientRect();
	const below = innerHeight - (matchMedia('(max-width: 64rem)').matches ? byId('side').offsetHeight : 0); // where it is not beside, it is below
	const top = byId('player').offsetHeight + 30;
	if (r.top >= top && r.bottom <= below - 8) return;
	const calm = !playing || matchMedia('(prefers-reduced-motion: reduce)').matches;
	scrollBy({top: r.top - (top + (below - top) / 3), behavior: calm ? 'instant' : 'smooth'});
}

// sentence is the current event for who hears it.
function sentence() {
	const row = rows[current], node = nodeOf(current);
	const step = steps[row.at], side = step.arrow ? 'from the ' + step.arrow.from : step.event.side;
	const text = [...node.querySelectorAll('.lane, .label, .fate, .full')].map(n => n.textContent.trim()).filter(Boolean).join(' ');
	return (step.arrow?.inferred ? side + ', inferred: ' : ms(step.at_us) + ' ms, ' + side + ': ') + text;
}

function drawNow() {
	const row = rows[current], connection = connectionShown();
	show('now', sentence());
	if (connection) drawStates(connection, row.to);
	drawQueues(connection, row.to);
	drawDetails(row);
}

function play(on) {
	clearTimeout(playing);
	playing = 0;
	if (on && current === rows.length - 1) go(0, true);
	if (on) playing = setTimeout(tick, 1000 / byId('speed').value);
	byId('play').setAttribute('aria-pressed', String(on));
	show('play', on ? '⏸ Pause' : '▶ Play');
}

function tick() {
	go(current + 1, true);
	play(current < rows.length - 1);
}

const keys = {ArrowRight: () => current + 1, ArrowLeft: () => current - 1, Home: () => 0, End: () => rows.length - 1, PageDown: () => current + 10, PageUp: () => current - 10};

function listen() {
	document.addEventListener('keydown', event => {
		const at = event.target.closest('input, select, button, a');
		if (event.ctrlKey || event.altKey || event.metaKey || (at && at.matches('select'))) return;
		if (event.key === ' ' && (!at || at.id === 'slider')) {
			event.preventDefault();
			play(!playing);
		} else if (keys[event.key]) {
			event.preventDefault();
			play(false);
			go(keys[event.key](), true);
		}
	});
	for (const [id, key] of [['first', 'Home'], ['back', 'ArrowLeft'], ['next', 'ArrowRight'], ['last', 'End']]) {
		byId(id).addEventListener('click', () => { play(false); go(keys[key](), true); });
	}
	byId('play').addEventListener('click', () => play(!playing));
	byId('slider').addEventListener('input', event => { play(false); go(Number(event.target.value), true); });
	byId('rows').addEventListener('click', event => {
		const row = event.target.closest('.row');
		if (row && !String(getSelection())) { play(false); go(Number(row.dataset.row), false); }
	});
	byId('connection').addEventListener('change', drawNow);
	byId('all').addEventListener('change', event => lay(event.target.checked));
	byId('theme').addEventListener('click', () => theme(!dark()));
	byId('sheet').addEventListener('click', () => {
		const hidden = document.body.classList.toggle('folded');
		byId('sheet').setAttribute('aria-expanded', String(!hidden));
		show('sheet', hidden ? 'Show diagram and details' : 'Hide diagram and details');
	});
	if (matchMedia('(max-width: 36rem)').matches) byId('sheet').click(); // on a phone the ladder has the room at first
	addEventListener('beforeprint', forPrint);
	addEventListener('afterprint', afterPrint);
	new ResizeObserver(() => document.documentElement.style.setProperty('--player', byId('player').offsetHeight + 'px')).observe(byId('player'));
}

const dark = () => (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';

function theme(on) {
	document.documentElement.dataset.theme = on ? 'dark' : 'light';
	show('theme', on ? 'Light' : 'Dark');
}

// lay lays out the rows, all of them or with what is alike folded, and stays at the event.
function lay(all) {
	const at = rows[current]?.at || 0;
	layRows(all, 3);
	byId('slider').max = Math.max(0, rows.length - 1);
	go(rowOf[at], true);
}

// forPrint lays the page out on a sheet of A4: the whole way in the diagram, every row, and letters as large as fit, but
// never too small to read: a run that is longer goes on to the next sheet.
function forPrint() {
	document.documentElement.classList.add('paper');
	if (connectionShown()) drawStates(connectionShown(), steps.length - 1);
	if (rows.length > 20 * chunkSize || fits(6)) return;
	layRows(byId('all').checked, 1); // less of what is alike
	fits(5);
}

// fits chooses the letters, and tells whether they are not smaller than this.
function fits(least) {
	chunks.forEach(make);
	for (let size = 11; size >= least; size -= 0.25) {
		document.documentElement.style.setProperty('--print', size + 'px');
		if (document.body.scrollHeight <= sheetHigh) return true;
	}
	return false;
}

const sheetHigh = 1035; // of A4 without its margins, in px

function afterPrint() {
	document.documentElement.classList.remove('paper');
	lay(byId('all').checked);
}

drawHead();
drawDiagram();
const chooser = byId('connection');
connections.forEach((c, i) => { if (!c.aside) chooser.append(el('option', {value: i}, (c.label || 'the only one').replace(/^:/, 'client’s port '))); });
if (manyConnections) chooser.append(el('option', {value: 'event'}, 'that of the current event'));
chooser.value = run.main;
byId('chooser').hidden = !manyConnections;
theme(dark());
delete document.documentElement.dataset.theme;
listen();
lay(false);
byId('all-label').hidden = rows.length === steps.length;
scrollTo(0, 0);
