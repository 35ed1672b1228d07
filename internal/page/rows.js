// The ladder: a row for each event. Long runs have their rows made as they come into view, some hundred at once.

const chunkSize = 200;
const chunks = []; // {list, from, to, made}
let rows = [];
let rowOf = []; // of each step, its row

const watcher = new IntersectionObserver(seen => {
	for (const s of seen) {
		const chunk = chunks[s.target.dataset.chunk];
		if (s.isIntersecting) make(chunk); else if (rows.length > 20 * chunkSize) unmake(chunk);
	}
}, {rootMargin: '1500px'});

function layRows(all, first) {
	watcher.disconnect();
	chunks.length = 0;
	rows = rowsOf(all, first);
	rowOf = new Int32Array(steps.length);
	rows.forEach((r, k) => { for (let i = r.at; i <= r.to; i++) rowOf[i] = k; });
	const box = show('rows');
	for (let from = 0; from < rows.length; from += chunkSize) {
		const to = Math.min(rows.length, from + chunkSize);
		const list = el('ol', {'data-chunk': chunks.length, start: from + 1});
		list.style.minHeight = (to - from) * 30 + 'px';
		chunks.push({list, from, to, made: false});
		box.append(list);
	}
	if (rows.length <= 20 * chunkSize) chunks.forEach(make); else chunks.forEach(c => watcher.observe(c.list));
}

function make(chunk) {
	if (chunk.made) return;
	chunk.made = true;
	for (let k = chunk.from; k < chunk.to; k++) chunk.list.append(rowNode(k));
	chunk.list.style.minHeight = '';
}

function unmake(chunk) {
	if (!chunk.made) return;
	chunk.list.style.minHeight = chunk.list.offsetHeight + 'px';
	chunk.list.replaceChildren();
	chunk.made = false;
}

// nodeOf is a row's element, which is made if need be.
function nodeOf(k) {
	const chunk = chunks[Math.floor(k / chunkSize)];
	make(chunk);
	return chunk.list.children[k - chunk.from];
}

function rowNode(k) {
	const row = rows[k], step = steps[row.at], e = step.event;
	const side = step.arrow ? step.arrow.from : e.side;
	const kind = row.fold ? 'fold' : step.arrow ? 'arrow' : e.kind;
	const node = el('li', {class: 'row ' + kind + ' of-' + side, 'data-row': k}, el('span', {class: 'time'}, step.arrow?.inferred ? '' : ms(step.at_us)));
	if (k === current) node.setAttribute('aria-current', 'step');
	const middle = el('span', {class: 'mid'}, lines(row));
	if (row.fold) {
		node.classList.add('across');
		node.append(middle, el('span', {class: 'full'}, el('span', {class: 'folded'}, '⋮ ' + folded(row))));
		return node;
	}
	const says = rowSays(step, row.at);
	if (step.arrow) {
		middle.append(...says.middle);
		node.append(el('span', {class: 'lane client'}, side === 'client' ? says.lane : ''), middle, el('span', {class: 'lane server'}, side === 'server' ? says.lane : ''));
	} else if (side === 'wire' || kind === 'summary' || kind === 'table' || (kind === 'note' && e.heading)) {
		node.classList.add('across');
		node.append(middle, el('span', {class: 'full'}, el('span', {}, says.lane)));
	} else {
		node.append(el('span', {class: 'lane client'}, side === 'client' ? says.lane : ''), middle, el('span', {class: 'lane server'}, side === 'server' ? says.lane : ''));
	}
	return node;
}

// rowSays is what stands in a row: in its side's lane, and in the middle.
function rowSays(step, i) {
	const e = step.event, name = tag(step);
	const chip = name ? [el('b', {class: 'tag tag' + hue(name)}, name), ' '] : '';
	if (step.arrow) return arrowSays(step, chip);
	switch (e.kind) {
	case 'enter': return {lane: [chip, el('code', {}, step.says), el('i', {class: 'more'}, ' waits …')]};
	case 'call': return {lane: [chip, el('code', {}, step.says), ' ', el('code', {class: e.ret < 0 ? 'error' : 'result'}, result(e)),
		hasEntry(e) ? el('i', {class: 'more'}, ' after ' + took(e.took_us)) : '']};
	case 'state': return {lane: [chip, transition(e), el('i', {class: 'more'}, news(step, i))]};
	case 'queue': return {lane: [chip, el('i', {class: 'more'}, backlog(e))]};
	case 'check': return {lane: e.ok ? [el('b', {class: 'good'}, '✓ '), e.met || e.expect] :
		[el('b', {class: 'bad'}, '✗ not met: '), e.expect, el('br'), el('b', {class: 'bad'}, 'got: '), e.got]};
	case 'note': return {lane: [e.text]};
	case 'counter': return {lane: [el('code', {}, e.name), ' +' + e.delta, el('i', {class: 'more'}, ' (of the whole network namespace)')]};
	case 'table': return {lane: [tableNode(e)]};
	case 'summary': return {lane: [el('b', {class: e.ok ? 'good' : 'bad'}, e.ok ? '✓ ' : '✗ '), run.outcome.says]};
	}
	return {lane: ['an event of a kind that this page does not know: ' + e.kind]};
}

function transition(e) {
	const to = el('b', {class: 'state ' + e.side}, e.to);
	if (e.from === e.to || (!e.from && e.to === 'CLOSED')) return [to];
	return [el('span', {class: 'dim'}, e.from ? e.from + ' → ' : 'first seen '), to];
}

// news are what a state's row says beyond the state: what is not at rest, or is no longer as it was.
function news(step, i) {
	const e = step.event, items = [];
	const was = e.from === e.to ? before(i)?.event || {} : {};
	if (step.walk?.says) items.push(step.walk.says);
	if (e.timer) items.push('timer ' + (e.timer_for || e.timer) + (e.expires_ms !== undefined ? ' ' + number(e.expires_ms) + ' ms' : ''));
	else if (was.timer && e.recv_q !== undefined) items.push('timer off');
	if (e.retrans || was.retrans) items.push('sent again ' + (e.retrans || 0) + '×');
	for (const [key, name] of [['recv_q', 'Recv-Q'], ['send_q', 'Send-Q']]) {
		if (e[key] || (was[key] && e[key] !== undefined)) items.push(name + ' ' + number(e[key]));
	}
	items.push(...(e.shutdown || []));
	return items.length ? ' ' + items.join(', ') : '';
}

function backlog(e) {
	const full = e.accept_queue > e.accept_limit ? ' (full)' : '';
	return 'accept queue ' + e.accept_queue + '/' + e.accept_limit + full + (e.syn_queue ? ', SYN queue ' + e.syn_queue : '');
}

function arrowSays(step, chip) {
	const a = step.arrow;
	const fate = {held: 'held on the way', dropped: '✗ lost', duplicated: 'delivered twice'}[a.fate];
	const label = el('span', {class: 'label'}, chip, a.says);
	const marks = step.event?.marks || [];
	const more = a.inferred ? '' : (a.more || []).map(m => marks.includes(m) ? '[' + m + ']' : m).join(', ');
	return {middle: [label, arrowNode(a), fate ? el('span', {class: 'fate ' + a.fate}, fate) : ''], lane: [el('i', {class: 'more'}, more)]};
}

// arrowNode goes from one lifeline to the other, or as far as the segment came.
function arrowNode(a) {
	const right = a.from === 'client';
	const stops = a.fate === 'held' || a.fate === 'dropped';
	const x = part => right ? part + '%' : (100 - part) + '%';
	const end = stops ? 62 : 100, down = stops ? '56%' : '75%';
	const kind = 'way ' + a.from + (a.inferred ? ' inferred' : '') + (a.fate ? ' ' + a.fate : '');
	const node = svg('svg', {class: kind, 'aria-hidden': 'true'}, svg('line', {x1: x(0), y1: '20%', x2: x(end), y2: down}));
	const tip = svg('svg', {x: x(end), y: down, overflow: 'visible'});
	const s = right ? -1 : 1;
	if (a.fate === 'dropped') tip.append(svg('path', {class: 'cross', d: 'M-5-5L5 5M-5 5L5-5'}));
	else if (a.fate === 'held') tip.append(svg('path', {class: 'cross', d: 'M-2-6V6M3-6V6'}));
	else tip.append(svg('path', {class: 'head', d: `M0 0L${s * 9}-5L${s * 9} 4Z`}));
	if (a.fate === 'duplicated') tip.append(svg('path', {class: 'head', d: `M${s * 10} 0L${s * 19}-5L${s * 19} 4Z`}));
	node.append(tip);
	return node;
}

// lines are the two lifelines, and the bars of calls that are in the kernel.
function lines(row) {
	const above = row.at > 0 ? bars[row.at - 1] : [], below = bars[row.to];
	const node = svg('svg', {class: 'lifelines', 'aria-hidden': 'true'});
	for (const side of ['client', 'server']) {
		const g = svg('svg', {x: side === 'client' ? '0' : '100%', overflow: 'visible'}, svg('line', {class: side, x1: 0, x2: 0, y1: -1, y2: '100%'}));
		for (const b of new Set([...above, ...below])) {
			if (b.side !== side || (b.aside && !byId('all').checked)) continue;
			const begins = !above.includes(b), ends = !below.includes(b), x = -3 + b.slot * (side === 'client' ? -8 : 8);
			g.append(svg('rect', {class: 'bar ' + side + (begins ? ' begins' : ends ? ' ends' : ''), x, width: 6}));
			if (begins || ends) g.append(svg('rect', {class: 'bar cap ' + side, x: x - 2, width: 10}));
		}
		node.append(g);
	}
	return node;
}

function tableNode(e) {
	return el('table', {}, el('caption', {}, e.title),
		el('thead', {}, el('tr', {}, e.head.map(h => el('th', {scope: 'col'}, h)))),
		el('tbody', {}, e.rows.map(r => el('tr', {}, r.map((c, i) => i ? el('td', {}, c) : el('th', {scope: 'row'}, c))))));
}

// hue is one of few colours that a name keeps.
const hues = new Map();
function hue(name) {
	if (!hues.has(name)) hues.set(name, hues.size % 4);
	return hues.get(name);
}
