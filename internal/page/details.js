// The current event in full, and the queues as they are then.

function drawDetails(row) {
	const step = steps[row.at], e = step.event;
	if (row.fold) return show('details', pairs([['stands for', folded(row)], ['to see them', '“Show all” above']]));
	if (!e) {
		const a = step.arrow;
		return show('details', pairs([['segment', a.says], ['from the', a.from], ['seen', 'no: it is inferred'], ['from what', a.why]]));
	}
	show('details', pairs([
		['event', '#' + e.seq + ', ' + e.kind], ['time', ms(step.at_us) + ' ms' + (e.late_us ? ', told ' + took(e.late_us) + ' late' : '')],
		['side', e.side], ...(particulars[e.kind] || foreign)(e, step, row.at),
	]), e.kind === 'segment' && e.header ? header(e) : '', e.kind === 'table' ? tableNode(e) : '');
}

const socketOf = (e, step) => [['socket', step.socket === undefined ? '' : [e.name, 'no. ' + (e.socket || step.socket + 1), sockets[step.socket].local, sockets[step.socket].remote && '→ ' + sockets[step.socket].remote].filter(Boolean).join(' ')]];

// particulars are what each kind of event has of its own.
const particulars = {
	enter: (e, step) => [['call', el('code', {}, e.call + '(' + e.args.join(', ') + ' …')], ['now', 'the call is in the kernel, and waits'], ...socketOf(e, step)],
	call: (e, step) => [
		['call', el('code', {}, e.call)], ['arguments', el('ol', {class: 'args'}, e.args.map(a => el('li', {}, el('code', {}, a))))],
		['returned', el('code', {class: e.ret < 0 ? 'error' : ''}, result(e).slice(2))], ['took', took(e.took_us)],
		['entered', ms(e.entered_us) + ' ms'], ...socketOf(e, step),
	],
	state: (e, step, i) => [...stateFields(e, step, before(i)?.event), ...socketOf(e, step), ['TCP_INFO', infoNews(e, i)]],
	queue: (e, step) => [['accept queue', count(e.accept_queue, 'connection')], ['its limit', e.accept_limit + ' (listen’s backlog); one more fits'],
		['SYN queue', e.syn_queue === undefined ? 'not told' : e.syn_queue + ' half-open'], ...socketOf(e, step)],
	segment: e => [
		['from', e.src], ['to', e.dst], ['flags', e.flags.join(', ')], ['sequence number', e.seg_seq], ['acknowledges', e.ack], ['data', bytes(e.len)],
		['window', number(e.win) + (e.win_unscaled ? ' (times a scale that is not known)' : ' bytes')], ['options', (e.options || []).join(', ')],
		['fate', e.fate], ['remarkable', (e.marks || []).join(', ')], ['injected', e.injected ? 'yes: the wire delivered it for the lesson' : ''],
	],
	check: e => [['expected', e.met || e.expect], ['got', e.got], ['result', el('b', {class: e.ok ? 'good' : 'bad'}, e.ok ? '✓ met' : '✗ not met')]],
	note: e => [['note', e.text]],
	counter: e => [['counter', e.name], ['rose by', e.delta], ['of', 'the whole network namespace, not of one socket']],
	table: () => [],
	summary: e => [['scenario', e.scenario], ['checks', e.checks + ', ' + e.failed + ' not met'], ['why', e.why], ['socket options', e.options]],
};

// means are the words of a state that a reader may not know.
const means = new Map(Object.entries({
	tcp_info: 'getsockopt(TCP_INFO), asked of the socket’s own descriptor',
	sock_diag: 'the kernel’s netlink interface that ss asks, too: it also sees sockets without a descriptor',
	tracepoint: 'sock:inet_sock_set_state, where the kernel tells of each transition as it makes it',
	on: 'runs until what was sent is acknowledged',
	timewait: 'TIME-WAIT lasts 2MSL, twice the maximum segment lifetime: 60 s on Linux',
	keepalive: 'probes a peer of which nothing is heard',
	persist: 'probes a peer whose window is 0',
	'tail loss probe': 'sends the last segment again before the retransmission timer would (RFC 8985)',
}));

// explained is such a word with what it means.
const explained = word => word && means.has(word) ? [word, el('span', {class: 'dim'}, ': ' + means.get(word))] : word;

const foreign = e => [['as recorded', el('code', {}, JSON.stringify(e))]];

// stateFields are all that the source said, with what it said before where that is different.
function stateFields(e, step, was) {
	const field = (name, key, of) => {
		const now = of(e[key]), then = was && of(was[key]);
		if (now === undefined && then === undefined) return [name, ''];
		const differs = was && then !== now;
		return [name, [el(differs ? 'b' : 'span', {}, explained(now) ?? 'no longer told'), differs ? el('span', {class: 'dim'}, then === undefined ? ' (new)' : ' (was ' + then + ')') : '']];
	};
	const plain = v => v === undefined ? undefined : String(v);
	const edge = edgesOf.find(x => x.from === e.from && x.to === e.to);
	return [
		['state', transition(e)], ['said by', explained(e.source)], ['in the RFC', edge && e.from !== e.to ? edge.when : ''], ['unseen', step.walk?.says],
		field('timer', 'timer', plain), field('for', 'timer_for', plain), field('runs out in', 'expires_ms', v => v === undefined ? undefined : number(v) + ' ms'),
		field('sent again', 'retrans', v => v === undefined ? undefined : v + '×'),
		field('Recv-Q', 'recv_q', v => v === undefined ? undefined : bytes(v)), field('Send-Q', 'send_q', v => v === undefined ? undefined : bytes(v)),
		field('shut down', 'shutdown', v => v === undefined ? undefined : v.join(', ') || 'neither half'),
		['ended', [e.ended, e.ended_why].filter(Boolean).join(': ')], ['timer, queues by', e.details_source],
	];
}

// infoNews are the fields of TCP_INFO that are not what the kernel said of the same socket before; how long ago something
// was (last_…) is always another. The first time it is all that is not 0.
function infoNews(e, i) {
	if (!e.info) return '';
	let was;
	for (let at = i - 1; at >= 0 && !was; at--) {
		if (steps[at].socket === steps[i].socket) was = steps[at].event?.info;
	}
	const text = v => Array.isArray(v) ? v.join(', ') : v >= 2 ** 53 ? (v >= 2 ** 64 ? 'not limited' : 'about ' + v) : String(v);
	const news = Object.keys(e.info).filter(k => !k.startsWith('last_') && (was ? text(was[k] ?? '') !== text(e.info[k]) : e.info[k] !== 0 && text(e.info[k]) !== ''));
	if (!news.length) return was ? 'as before' : '';
	return el('ul', {class: 'args'}, news.map(k => el('li', {}, el('code', {}, k), ' ', text(e.info[k]), was ? el('span', {class: 'dim'}, ' (was ' + (k in was ? text(was[k]) : 'not told') + ')') : '')));
}

// pairs leaves out what says nothing.
function pairs(list) {
	return el('dl', {class: 'pairs'}, list.filter(([, v]) => v !== undefined && v !== '' && v !== null).map(([k, v]) => [el('dt', {}, k), el('dd', {}, v)]));
}

// header is a TCP header, 32 bits a row, as in figure 1 of RFC 9293.
function header(e) {
	const b = (e.header.match(/../g) || []).map(x => parseInt(x, 16));
	if (b.length < 20 || b.some(Number.isNaN)) return '';
	const n16 = i => b[i] << 8 | b[i + 1], n32 = i => (b[i] * 2 ** 24) + (b[i + 1] << 16 | b[i + 2] << 8 | b[i + 3]);
	const flags = ['CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN'];
	const cells = [
		[16, 'source port', n16(0)], [16, 'destination port', n16(2)], [32, 'sequence number', n32(4)], [32, 'acknowledgement number', n32(8)],
		[4, 'offset', b[12] >> 4], [4, 'rsvd', b[12] & 15], ...flags.map((f, i) => [1, f, b[13] >> (7 - i) & 1]), [16, 'window', n16(14)],
		[16, 'checksum', '0x' + n16(16).toString(16).padStart(4, '0')], [16, 'urgent pointer', n16(18)],
	];
	const grid = el('div', {class: 'header', role: 'group', 'aria-label': 'The TCP header, 32 bits a row'},
		el('div', {class: 'bits', 'aria-hidden': 'true'}, [0, 8, 16, 24].map(n => el('span', {}, n))));
	for (const [wide, name, value] of cells) {
		const cell = el('div', {class: 'cell w' + wide + (wide === 1 && value ? ' set' : '')}, el('span', {class: 'name'}, name), el('span', {class: 'value'}, wide === 32 ? number(value) : value));
		grid.append(cell);
	}
	for (const o of options(b.slice(20))) grid.append(el('div', {class: 'cell option', title: o.hex}, el('span', {class: 'name'}, o.name), el('span', {class: 'value'}, o.value), el('code', {}, o.hex)));
	return [el('h3', {}, 'The TCP header as it was sent'), grid, el('p', {class: 'dim'}, `The offset says how long the header is, in words of 32 bits: ${b[12] >> 4} × 4 = ${(b[12] >> 4) * 4} bytes. The ports and numbers are those in the header itself; the row counts sequence numbers from the SYN, unless it says otherwise.`)];
}

// kinds of TCP options: their names, and what their bytes say.
const optionKinds = {
	2: ['maximum segment size', v => uint(v) + ' bytes'], 3: ['window scale', v => 'shift by ' + v[0] + ' (× ' + 2 ** v[0] + ')'], 4: ['SACK permitted', () => ''],
	5: ['SACK', v => v.length % 8 ? '' : Array.from({length: v.length / 8}, (_, i) => uint(v.slice(8 * i, 8 * i + 4)) + '–' + uint(v.slice(8 * i + 4, 8 * i + 8))).join(', ')],
	8: ['timestamps', v => 'value ' + uint(v.slice(0, 4)) + ', echo ' + uint(v.slice(4, 8))], 34: ['fast open cookie', v => v.length ? '' : 'asked for'],
};
const uint = v => v.reduce((n, x) => n * 256 + x, 0);
const hexOf = v => v.map(x => x.toString(16).padStart(2, '0')).join(' ');

function options(b) {
	const list = [];
	for (let i = 0; i < b.length;) {
		if (b[i] < 2) {
			const kind = b[i], from = i;
			while (i < b.length && b[i] === kind) i++;
			list.push({name: kind ? 'no operation (NOP)' : 'end of options', value: i - from > 1 ? '× ' + (i - from) : '', hex: hexOf(b.slice(from, i))});
			continue;
		}
		const long = b[i + 1], value = b.slice(i + 2, i + long);
		if (!(long >= 2) || i + long > b.length) {
			list.push({name: 'cut off', value: '', hex: hexOf(b.slice(i))});
			break;
		}
		const [name, says] = optionKinds[b[i]] || ['kind ' + b[i], () => ''];
		list.push({name, value: says(value), hex: hexOf(b.slice(i, i + long))});
		i += long;
	}
	return list;
}

// largest are the largest Send-Q and Recv-Q of a connection, which the gauges are long for.
const largest = new Map();
function largestOf(connection) {
	if (!largest.has(connection)) {
		let most = 1;
		for (const s of [connection.client, connection.server]) {
			for (const i of s === undefined ? [] : told[s].states) most = Math.max(most, steps[i].event.send_q || 0, steps[i].event.recv_q || 0);
		}
		largest.set(connection, most);
	}
	return largest.get(connection);
}

// drawQueues shows the listener's queues and both ends' buffers after step i.
function drawQueues(connection, i) {
	const ends = connection ? endsOf(connection, i) : {listener: sockets.findIndex(s => s.listener)};
	const box = [ends.listener >= 0 ? listenerNode(ends.listener, i) : ''];
	for (const side of connection ? ['client', 'server'] : []) {
		const step = connection[side] === undefined ? undefined : lastWith(connection[side], i), e = step?.event;
		box.push(el('div', {}, el('h3', {}, el('b', {class: 'dot ' + side}, side === 'client' ? 'C' : 'S'), ' ' + side + '’s buffers', step ? el('span', {class: 'dim at'}, ' at ' + ms(step.at_us) + ' ms') : ''),
			gauge('Send-Q', 'written and not acknowledged', e?.send_q, largestOf(connection), side), gauge('Recv-Q', 'received and not read', e?.recv_q, largestOf(connection), side)));
	}
	if (connection) box.push(el('p', {class: 'dim'}, 'As the kernel told last, at the time given. Send-Q: written, not yet acknowledged; Recv-Q: received, not yet read. A SYN or FIN counts as one byte.'));
	show('queues', box);
}

function listenerNode(listener, i) {
	const q = queueAt(listener, i)?.event;
	return el('div', {class: 'listener'}, el('h3', {}, 'Listener ' + (sockets[listener].local || '')),
		q ? cells('Accept queue', q.accept_queue, q.accept_limit) : el('p', {class: 'dim'}, 'nothing told yet'), q && q.syn_queue !== undefined ? cells('SYN queue', q.syn_queue) : '',
		q ? el('p', {class: 'dim'}, 'Accept queue: connections that wait for accept(), and the backlog of listen(). One more than the backlog fits.') : '');
}

// lastWith is when a socket's queues were told last; of one that is gone, never.
function lastWith(socket, i) {
	const step = stateAt(socket, i);
	return step && step.event.to !== 'CLOSED' ? step : undefined;
}

function gauge(name, means, n, most, side) {
	const bar = el('span', {class: 'fill ' + side});
	bar.style.width = n ? `max(3px, ${100 * n / most}%)` : 0;
	return el('div', {class: 'gauge'}, el('span', {class: 'name', title: means}, name), el('span', {class: 'track', 'aria-hidden': 'true'}, bar), el('span', {class: 'value'}, n === undefined ? '–' : bytes(n)));
}

// cells draws a queue with a place for each that fits, if these are few: one more than its limit.
function cells(name, n, limit) {
	const full = n > limit, places = limit < 12 ? limit + 1 : 0;
	const boxes = Array.from({length: Math.max(places, Math.min(n, 12))}, (_, k) => el('i', {class: k < n ? 'taken' : 'free'}));
	return el('div', {class: 'gauge'}, el('span', {class: 'name'}, name), el('span', {class: 'track slots', 'aria-hidden': 'true'}, boxes),
		el('span', {class: 'value' + (full ? ' bad' : '')}, limit === undefined ? n + ' half-open' : n + '/' + limit + (full ? ', full' : '')));
}
