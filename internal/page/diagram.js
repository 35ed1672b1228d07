// The state diagram of RFC 9293, figure 5: where both ends are, and how they came there.

const boxWide = 104, boxHigh = 30;
const places = run.places, edgesOf = run.edges;
const placeNodes = new Map();

// placeOf is where a state stands; CLOSED at the end of a connection is the lower one.
function placeOf(state, from) {
	const end = state === 'CLOSED' && Boolean(from) && !['LISTEN', 'SYN-SENT', 'SYN-RECEIVED'].includes(from);
	return places.find(p => p.state === state && Boolean(p.end) === end);
}

function drawDiagram() {
	const box = svg('svg', {viewBox: '0 0 400 506', role: 'img', 'aria-labelledby': 'diagram-says'}, svg('title', {id: 'diagram-says'}, 'The states of both ends'));
	const under = svg('g', {}), walked = svg('g', {id: 'walked'}), over = svg('g', {});
	for (const e of edgesOf) {
		if (!e.short) continue;
		under.append(svg('g', {class: 'edge' + (e.linux ? '' : ' not-linux')}, svg('title', {}, e.from + ' → ' + e.to + ': ' + e.when), arrowPath(e.from, e.to, e.bend),
			svg('text', {x: e.x, y: e.y, 'text-anchor': 'middle'}, e.short)));
	}
	for (const p of places) {
		const g = svg('g', {class: 'place'}, svg('rect', {x: p.x - boxWide / 2, y: p.y - boxHigh / 2, width: boxWide, height: boxHigh, rx: 6}),
			svg('text', {x: p.x, y: p.y + 4, 'text-anchor': 'middle'}, p.state));
		placeNodes.set(p, g);
		over.append(g);
	}
	box.append(under, walked, over);
	show('diagram', box);
}

// arrowPath is a curve from the border of one box to that of the other, and its head.
function arrowPath(from, to, bend, shift) {
	const a = placeOf(from), b = placeOf(to, from);
	const dx = b.x - a.x, dy = b.y - a.y, far = Math.hypot(dx, dy) || 1;
	const nx = dy / far, ny = -dx / far; // to the left of the way, as one goes it
	const s = shift || 0, side = (bend || 0) + s;
	const mx = (a.x + b.x) / 2 + nx * side * 2, my = (a.y + b.y) / 2 + ny * side * 2;
	const p = border(a, mx, my, s * nx, s * ny), q = border(b, mx, my, s * nx, s * ny);
	const angle = Math.atan2(q.y - my, q.x - mx);
	const head = [2.6, -2.6].map(t => `${q.x + 8 * Math.cos(angle + t)} ${q.y + 8 * Math.sin(angle + t)}`);
	return [svg('path', {class: 'line', d: `M${p.x} ${p.y}Q${mx} ${my} ${q.x} ${q.y}`}), svg('path', {class: 'tip', d: `M${head[0]}L${q.x} ${q.y}L${head[1]}Z`})];
}

// border is where the way from a box's middle to a point leaves the box.
function border(p, x, y, sx, sy) {
	const dx = x - p.x - sx, dy = y - p.y - sy;
	const t = Math.min(boxWide / 2 / Math.abs(dx || 1e-9), boxHigh / 2 / Math.abs(dy || 1e-9));
	return {x: p.x + sx + dx * t, y: p.y + sy + dy * t};
}

// endsOf are the sockets whose states are lit: until a server's own is there, its listener.
function endsOf(connection, i) {
	const ends = {client: connection.client, server: connection.server};
	const listener = listenerOf(connection, i);
	if (listener !== undefined && (ends.server === undefined || !stateAt(ends.server, i))) ends.server = listener;
	return {...ends, listener};
}

// drawStates lights where both ends are after step i, and draws how they came there.
function drawStates(connection, i) {
	for (const g of placeNodes.values()) {
		g.setAttribute('class', 'place');
		g.querySelectorAll('.badge').forEach(b => b.remove());
	}
	const walked = byId('walked');
	walked.replaceChildren();
	const ends = endsOf(connection, i), says = [];
	for (const side of ['client', 'server']) {
		for (const socket of new Set([side === 'server' ? ends.listener : undefined, ends[side]])) {
			if (socket !== undefined) drawWay(walked, side, socket, i, socket === ends.listener && socket !== ends.server);
		}
		const now = ends[side] !== undefined && stateAt(ends[side], i)?.event;
		says.push(now ? `${side}: ${now.to}` : `${side}: nothing known yet`);
		if (now) light(side, now);
	}
	byId('diagram-says').textContent = says.join('; ');
	const key = ['client', 'server'].map((side, n) => el('span', {class: 'key ' + side}, el('b', {class: 'dot ' + side}, n ? 'S' : 'C'), ' ' + says[n]));
	show('diagram-key', key, el('span', {class: 'key'}, el('i', {class: 'sample'}), ' way taken'), el('span', {class: 'key'}, el('i', {class: 'sample unseen'}), ' taken between two looks, unseen'));
}

// drawWay draws the way of one socket, up to step i: dashed where states were passed unseen. Of a listener whose
// connection is drawn it is the way to LISTEN, and not what becomes of it later.
function drawWay(into, side, socket, i, toListen) {
	for (const at of told[socket].states) {
		if (at > i) break;
		const walk = steps[at].walk;
		if (toListen && walk && walk.way.at(-1) !== 'LISTEN') continue;
		for (let k = 1; walk && k < walk.way.length; k++) {
			const [from, to] = [walk.way[k - 1], walk.way[k]];
			const known = edgesOf.find(e => e.from === from && e.to === to);
			into.append(svg('g', {class: 'walk ' + side + (walk.unseen ? ' unseen' : '')}, arrowPath(from, to, known?.short ? known.bend : 66, side === 'client' ? 2 : -2)));
		}
	}
}

// light marks the state that an end is in, with its letter.
function light(side, event) {
	const p = placeOf(event.to, event.to === 'CLOSED' && event.from !== 'CLOSED' ? event.from : undefined);
	const g = placeNodes.get(p), x = side === 'client' ? p.x - boxWide / 2 : p.x + boxWide / 2, y = p.y - boxHigh / 2;
	g.classList.add('lit', side);
	const shape = side === 'client' ? svg('circle', {cx: x, cy: y, r: 10}) : svg('rect', {x: x - 10, y: y - 10, width: 20, height: 20, rx: 3});
	g.append(svg('g', {class: 'badge ' + side}, shape, svg('text', {x, y: y + 4.5, 'text-anchor': 'middle'}, side === 'client' ? 'C' : 'S')));
}
