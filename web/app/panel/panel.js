import { onLanguage, show } from '../languages/document.js';
import { language, say } from '../languages/say.js';
import { escaped, isolatedName, nameOf, plain } from '../names.js';
import { copyOf, inside, part, write } from '../page.js';
import { lackOf } from '../sealed/lacks.js';
import { FIGURES, describe, pathOf } from './chart.js';
import { Trace } from './trace.js';

/** @import { Call, Link, Room } from '../../client/types.d.ts' */
/** @import { Candidate } from '../ice/candidates.js' */
/** @import { Flow } from './flow.js' */
/** @import { Report } from './route.js' */

const SAMPLE_MS = 1_000;

/** The route and quality of the connection with each peer, and what prevents one. */
export class Panel {
  #list = part('connections', HTMLElement);
  #summary = part('ways', HTMLElement);
  #trouble = part('trouble', HTMLElement);
  #nobody = part('no-connection', HTMLElement);
  /** @type {Map<Link, { trace: Trace, card: HTMLElement }>} */
  #known = new Map();
  /** @type {Call | null} */
  #call = null;
  /** @type {(id: string, flow: Partial<Flow>) => void} */
  #tell = () => {};
  /** Words all of it anew. */
  #renew = () => {};

  constructor() {
    onLanguage(() => this.#renew());
  }

  /**
   * @param {Room} room
   * @param {Call} call
   * @param {(id: string, flow: Partial<Flow>) => void} tell of each connection, once a second
   */
  follow(room, call, tell) {
    this.#call = call;
    this.#tell = tell;
    this.#renew = () => void (this.#call === call && this.#look(room, call));
    call.on('link', () => this.#show(room, call));
    void this.#watch(room, call);
  }

  clear() {
    this.#call = null;
    this.#known.clear();
    this.#list.replaceChildren();
    this.#write();
  }

  /** The contents, for programs. */
  get report() {
    return [...this.#known].map(([link, { trace }]) => {
      const { state, route } = trace;
      const way = route ? { kind: route.kind, words: route.words, protocol: route.protocol } : null;
      const findings = trace.findings.map(({ what, todo }) => ({ what: plain(what), todo: plain(todo) }));
      return { name: nameOf(link.peer), state, way, findings, ...trace.flows.at(-1) };
    });
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  async #watch(room, call) {
    while (this.#call === call) {
      await this.#look(room, call);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  async #look(room, call) {
    await Promise.all([...this.#known.values()].map(({ trace }) => trace.look().catch(() => {})));
    for (const [{ peer, state }, { trace }] of this.#known) this.#tell(peer.id, state === 'connected' ? trace.flows.at(-1) ?? {} : {});
    this.#show(room, call);
  }

  /**
   * @param {Room} room
   * @param {Call} call
   */
  #show(room, call) {
    if (this.#call !== call) return;
    const links = [...call.links.values()];
    for (const [link, { card }] of this.#known) {
      if (links.includes(link)) continue;
      card.remove();
      this.#known.delete(link);
    }
    for (const link of links.filter((link) => !this.#known.has(link))) this.#add(room, call, link);
    for (const { trace, card } of this.#known.values()) fill(card, trace);
    this.#write();
  }

  /**
   * @param {Room} room
   * @param {Call} call
   * @param {Link} link
   */
  #add(room, call, link) {
    const card = copyOf('connection');
    card.dataset.peer = link.peer.id;
    inside(card, 'name').textContent = nameOf(link.peer);
    inside(card, 'figures').replaceChildren(...FIGURES.map(({ label }) => {
      const tile = copyOf('figure');
      show(inside(tile, 'label'), label);
      return tile;
    }));
    this.#known.set(link, { trace: new Trace(link, isolatedName(link.peer), () => lackOf(room, link.peer) !== null), card });
    this.#list.append(card);
    void import('../sealed/safety.js').then(({ followSafety }) => followSafety(card, room, call, link), () => tellNoSafety(card));
  }

  /** Writes the parts that are visible while the panel is closed. */
  #write() {
    const traces = [...this.#known.values()].map(({ trace }) => trace);
    const ways = traces.flatMap(({ route }) => (route ? [route.words] : []));
    const different = new Set(ways).size > 1;
    write(this.#summary, different ? say('connections', { count: ways.length }) : ways[0] ?? '');
    this.#nobody.hidden = traces.length > 0;
    const finding = traces.flatMap(({ findings }) => findings.slice(0, 1))[0];
    this.#trouble.hidden = !finding;
    write(inside(this.#trouble, 'what'), finding ? say('sentence', { text: finding.what }) : '');
    write(inside(this.#trouble, 'todo'), finding?.todo ?? '');
  }
}

/** The safety number is unknown because the part of the page that shows it did not load. @param {HTMLElement} card */
function tellNoSafety(card) {
  inside(card, 'compare').hidden = true;
  show(inside(card, 'safety-note'), 'not-loaded');
  inside(card, 'safety').hidden = false;
}

/**
 * @param {HTMLElement} card
 * @param {Trace} trace
 */
function fill(card, { state, route, findings, evidence, flows }) {
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
