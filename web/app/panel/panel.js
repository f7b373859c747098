import { onLanguage } from '../languages/document.js';
import { say } from '../languages/say.js';
import { isolatedName, nameOf, plain } from '../names.js';
import { inside, part, write } from '../page.js';
import { lackOf } from '../sealed/lacks.js';
import { fill, newCard, tellNoSafety } from './card.js';
import { Trace } from './trace.js';

/** @import { Call, Link, Room } from '../../client/types.d.ts' */
/** @import { Flow } from './flow.js' */

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
    const card = newCard(link.peer);
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
