'use strict';
// Words and elements. What comes from a run becomes a text node, and nothing else.

// Characters that are not seen, or that turn what is around them.
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/gu;

function visible(s) {
	return String(s).replace(unseen, c => '\\u{' + c.codePointAt(0).toString(16) + '}');
}

// el makes an element: its class, its attributes, what is in it.
function el(name, attributes, ...inside) {
	return fill(document.createElement(name), attributes, inside);
}

function svg(name, attributes, ...inside) {
	return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, inside);
}

function fill(node, attributes, inside) {
	for (const [k, v] of Object.entries(attributes || {})) {
		if (v !== undefined && v !== false) node.setAttribute(k, visible(v));
	}
	for (const x of inside.flat(Infinity)) {
		if (x !== undefined && x !== null && x !== '') node.append(x instanceof Node ? x : visible(x));
	}
	return node;
}

const byId = id => document.getElementById(id);

function show(id, ...inside) {
	const node = byId(id);
	node.replaceChildren();
	return fill(node, {}, inside);
}

// ms is a time in ms as the timeline has it.
const ms = us => (us / 1000).toFixed(3);

const number = n => n.toLocaleString('en').replaceAll(',', '\u202f');
const bytes = n => number(n) + (n === 1 ? ' byte' : ' bytes');
const count = (n, what) => n === 1 ? '1 ' + what : number(n) + ' ' + what + 's';

// took is how long a call took, in the unit that fits.
function took(us) {
	if (us < 1000) return us.toFixed(us < 10 ? 1 : 0) + ' µs';
	return us < 1e6 ? (us / 1000).toFixed(1) + ' ms' : (us / 1e6).toFixed(2) + ' s';
}

// marked is a sentence in which `…` is code, as in the lessons' pages.
function marked(s) {
	return s.split('`').map((part, i) => i % 2 ? el('code', {}, part) : part);
}

const result = call => '= ' + call.ret + (call.errno ? ' ' + call.errno : call.call === 'read' && call.ret === 0 ? ' end of stream' : '');

// hasEntry: the call's entry is a row of its own.
const hasEntry = e => entries.has(e.id);
