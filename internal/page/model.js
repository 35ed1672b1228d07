// What the page knows of the run, at each of its rows.

const run = JSON.parse(byId('run').textContent);
const steps = run.steps || [];
const sockets = run.sockets || [];
const connections = run.connections || [];

// entries are the calls whose entry is a row: by id, where.
const entries = new Map();
// told are each socket's state events, and each listener's queue events: where.
const told = sockets.map(() => ({states: [], queues: []}));

steps.forEach((step, i) => {
	const e = step.event;
	if (!e) return;
	if (e.kind === 'enter') entries.set(e.id, i);
	if (e.kind === 'state' && step.socket !== undefined) told[step.socket].states.push(i);
	if (e.kind === 'queue' && step.socket !== undefined) told[step.socket].queues.push(i);
});

// last is the last of these indices that is not after i; undefined if there is none.
function last(list, i) {
	let low = 0, high = list.length;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (list[mid] <= i) low = mid + 1; else high = mid;
	}
	return list[low - 1];
}

const stateAt = (socket, i) => steps[last(told[socket].states, i)];
const queueAt = (socket, i) => steps[last(told[socket].queues, i)];

// before is what was told of the same socket before.
const before = i => stateAt(steps[i].socket, i - 1);

// listenerOf is the listener that a connection came through: the one on its server's port that was told of last.
function listenerOf(connection, i) {
	const end = sockets[connection.server ?? connection.client];
	const port = ((connection.server !== undefined ? end.local : end.remote) || '').replace(/^.*:/, '');
	let found;
	sockets.forEach((s, k) => {
		if (port && s.listener && (s.local || '').endsWith(':' + port) && (found === undefined || stateAt(k, i))) found = k;
	});
	return found;
}

// aside: it serves both sides to agree on the next step, and the lesson is not about it.
const aside = step => Boolean(step.event && step.event.aside);

// bars are the calls that are in the kernel after each step: {side, slot, id, aside}. Steps between share a list.
const bars = (() => {
	let now = [];
	return steps.map(step => {
		const e = step.event;
		if (e && e.kind === 'enter') {
			let slot = 0;
			while (now.some(b => b.side === e.side && b.slot === slot && b.aside === aside(step))) slot++;
			now = [...now, {side: e.side, slot, id: e.id, aside: aside(step)}];
		} else if (e && e.kind === 'call' && entries.has(e.id)) {
			now = now.filter(b => b.id !== e.id);
		}
		return now;
	});
})();

const manyConnections = connections.filter(c => !c.aside).length > 1;
const manyListeners = sockets.filter(s => s.listener).length > 1;
const hasArrows = steps.some(s => s.arrow);

// tag tells a row's socket apart where there are several.
function tag(step) {
	if (step.connection !== undefined) return manyConnections ? connections[step.connection].label : '';
	if (step.socket === undefined) return '';
	const s = sockets[step.socket];
	return (s.listener ? manyListeners : manyConnections) ? s.label : '';
}

// ordinary: a segment with data or an acknowledgement and nothing else.
function ordinary(step) {
	const a = step.arrow, e = step.event;
	return e && e.kind === 'segment' && a.flags.every(f => f === 'ACK' || f === 'PSH') && (!e.fate || e.fate === 'delivered') && !e.marks;
}


// rowsOf are the rows to be shown: of a long burst of segments the first few, of what is beside the lesson a line.
function rowsOf(all, first) {
	const rows = [];
	const take = (from, to) => { for (let i = from; i < to; i++) rows.push({at: i, to: i}); };
	for (let i = 0, end; i < steps.length; i = end) {
		end = i + 1;
		if (all) {
			take(i, end);
		} else if (aside(steps[i])) {
			while (end < steps.length && aside(steps[end])) end++;
			rows.push({at: i, to: end - 1, fold: 'aside'});
		} else if (ordinary(steps[i])) {
			while (end < steps.length && ordinary(steps[end])) end++;
			const shown = end - i > first + 1 ? i + first : end;
			take(i, shown);
			if (shown < end) rows.push({at: shown, to: end - 1, fold: 'burst'});
		} else {
			take(i, end);
		}
	}
	return rows;
}

// folded is what a line says that stands for several events.
function folded(row) {
	const n = row.to - row.at + 1;
	if (row.fold === 'aside') return 'both sides agree on the next step (' + count(n, 'event') + ')';
	const sum = {client: 0, server: 0};
	for (let i = row.at; i <= row.to; i++) sum[steps[i].arrow.from] += steps[i].event.len;
	const from = Object.entries(sum).filter(([, n]) => n).map(([side, n]) => ', ' + bytes(n) + ' from the ' + side);
	return count(n, 'more segment') + from.join('');
}
