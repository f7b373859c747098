import { show } from '../languages/document.js';
import { language, say } from '../languages/say.js';
import { escaped, nameOf } from '../names.js';
import { copyOf, inside, write } from '../page.js';
import { FIGURES, describe, pathOf } from './chart.js';

/** @import { Peer } from '../../client/types.d.ts' */
/** @import { Candidate } from '../ice/candidates.js' */
/** @import { Report } from './route.js' */
/** @import { Trace } from './trace.js' */

/** The card of the connection with a peer. @param {Peer} peer */
export function newCard(peer) {
  const card = copyOf('connection');
  card.dataset.peer = peer.id;
  inside(card, 'name').textContent = nameOf(peer);
  inside(card, 'figures').replaceChildren(...FIGURES.map(({ label }) => {
    const tile = copyOf('figure');
    show(inside(tile, 'label'), label);
    return tile;
  }));
  return card;
}

/** The safety number is unknown because the part of the page that shows it did not load. @param {HTMLElement} card */
export function tellNoSafety(card) {
  inside(card, 'compare').hidden = true;
  show(inside(card, 'safety-note'), 'not-loaded');
  inside(card, 'safety').hidden = false;
}

/**
 * Shows how the connection is now.
 *
 * @param {HTMLElement} card
 * @param {Trace} trace
 */
export function fill(card, { state, route, findings, evidence, flows }) {
  card.dataset.state = state;
  card.dataset.way = route?.kind ?? 'none';
  const way = route && route.kind !== 'relay' ? say('way-over', { way: route.words, protocol: route.protocol }) : route?.words;
  write(inside(card, 'way'), way ?? say(`link-${state}`));
  renew(inside(card, 'findings'), findings, () => findings.map(({ what, todo }) => {
    const item = document.createElement('li');
    const strong = document.createElement('strong');
    const advice = document.createElement('span');
    write(strong, `${say('sentence', { text: what })} `);
    write(advice, todo);
    item.append(strong, advice);
    return item;
  }));
  FIGURES.forEach((figure, at) => {
    const tile = /** @type {HTMLElement} */ (inside(card, 'figures').children[at]);
    const values = flows.map((flow) => flow[figure.member]);
    const now = values.at(-1) ?? null;
    inside(tile, 'value').textContent = now === null ? '–' : figure.words(now);
    tile.querySelector('path')?.setAttribute('d', pathOf(values, figure.least));
    tile.querySelector('svg')?.setAttribute('aria-label', describe(figure, values));
  });
  const candidates = () => [...rows(say('here'), evidence.local, route?.local), ...rows(say('there'), evidence.remote, route?.remote)];
  renew(inside(card, 'candidates'), [language(), evidence.local, evidence.remote, route?.pair.id], candidates);
  show(inside(card, 'counts'), 'here-and-there', { here: evidence.local.length, there: evidence.remote.length });
}

/**
 * @param {string} side
 * @param {Candidate[]} candidates
 * @param {Report | undefined} chosen
 */
function rows(side, candidates, chosen) {
  /** @param {Candidate} one */
  const isChosen = ({ type, address, port }) =>
    chosen !== undefined && chosen.candidateType === type && chosen.port === port && [chosen.address, chosen.ip, null, undefined, ''].includes(address.endsWith('.local') ? null : address);
  const known = candidates.some(isChosen);
  const unsaid = chosen && !known ? [{ type: chosen.candidateType, protocol: chosen.protocol, address: chosen.address ?? say('hidden'), port: chosen.port }] : [];
  return [...candidates, ...unsaid].map((candidate, at) => {
    const { type, protocol, address, port } = candidate;
    const row = document.createElement('tr');
    const used = at === candidates.length || isChosen(candidate);
    row.dataset.used = String(used);
    const shown = escaped(address);
    const where = shown.includes(':') ? `[${shown}]:${port}` : `${shown}:${port}`;
    const cells = [side, where, `${type} (${say(`type-${/** @type {Candidate['type']} */ (type)}`)})`, protocol.toUpperCase(), used ? say('in-use') : ''];
    for (const text of cells) row.insertCell().textContent = text;
    row.cells[1].replaceChildren(leftToRight(where));
    return row;
  }).sort((a, b) => Number(b.dataset.used === 'true') - Number(a.dataset.used === 'true'));
}

/** @param {string} text */
function leftToRight(text) {
  const element = document.createElement('bdi');
  element.dir = 'ltr';
  element.textContent = text;
  return element;
}

/** The data that an element's children were made from. @type {WeakMap<Element, string>} */
const made = new WeakMap();

/**
 * Replaces the children only if their data has changed: the user may be reading them or selecting text.
 *
 * @param {Element} element
 * @param {unknown} from
 * @param {() => Element[]} make
 */
function renew(element, from, make) {
  const key = JSON.stringify(from);
  if (made.get(element) === key) return;
  made.set(element, key);
  element.replaceChildren(...make());
}
