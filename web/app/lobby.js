import { lastingStorage, newKey } from '../client/index.js';
import { BASE } from './base.js';
import { inView, isWanted } from './consent.js';
import { fillPicker, onLanguage } from './languages/document.js';
import { inOneLine } from './names.js';
import { part, write } from './page.js';
import { Preview } from './preview.js';
import { suggestRoomName, toRoomName, whyNoRoomName } from './room-name.js';
import { SealChoice } from './sealed/choice.js';
import { canSeal } from './sealed/seal.js';

/** @import { MediaChoice, Wish } from './address.js' */
/** @import { Equipment } from './devices/equipment.js' */

/** For all visits: the user's name. */
const NAME = `signalpost:name:${BASE}`;

/** The form before a call. */
export class Lobby {
  #view = part('lobby', HTMLElement);
  #form = part('lobby-form', HTMLFormElement);
  #name = part('name', HTMLInputElement);
  #room = part('room', HTMLInputElement);
  #secret = part('secret', HTMLInputElement);
  #secretField = part('secret-field', HTMLElement);
  #seal = new SealChoice();
  #status = part('lobby-status', HTMLElement);
  #join = part('join', HTMLButtonElement);
  #preview = new Preview();
  #problem = () => '';
  /** What has no field. @type {Pick<Wish, 'capacity' | 'ticket'>} */
  #more = {};

  /** @param {(wish: Wish, equipment?: Equipment) => void} join with what is open already */
  constructor(join) {
    this.#name.value = inOneLine(lastingStorage.getItem(NAME) ?? '');
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const { value } = this.#room;
      this.#tell(() => whyNoRoomName(value) || this.#seal.problem(toRoomName(value)));
      if (whyNoRoomName(value)) this.#room.select();
      else if (this.#problem()) this.#join.focus();
      else if (event.isTrusted && isWanted()) this.#leave(join);
    });
    // A key that is still held down from another page must not join.
    this.#form.addEventListener('keydown', (event) => event.repeat && event.key === 'Enter' && event.preventDefault());
    fillPicker(part('language', HTMLSelectElement));
    onLanguage(() => this.#tell(this.#problem));
    this.#join.disabled = true;
    void inView().then(() => this.#ready());
    // Typing into the form shows that the user has seen it.
    this.#form.addEventListener('input', ({ isTrusted }) => isTrusted && this.#ready());
    this.#form.addEventListener('change', () => this.#preview.want(/** @type {MediaChoice} */ (this.#media().value)));
    this.#room.addEventListener('input', () => this.#seal.renamed(toRoomName(this.#room.value)));
    this.#room.addEventListener('change', () => {
      this.#room.value = toRoomName(this.#room.value) || this.#room.value;
    });
  }

  /**
   * @param {Partial<Wish>} wish what is already known
   * @param {() => string} [problem] why the form is shown again, in the language of the page
   */
  show(wish, problem = () => '') {
    this.#name.value = wish.name ?? this.#name.value;
    const isNew = wish.room === undefined;
    const room = wish.room ?? suggestRoomName();
    this.#room.value = room;
    this.#seal.fill(room, isNew && canSeal() ? { key: newKey() } : wish.seal);
    this.#secret.value = wish.secret ?? '';
    this.#more = { capacity: wish.capacity, ticket: wish.ticket };
    if (wish.media) this.#media().value = wish.media;
    this.#preview.want(/** @type {MediaChoice} */ (this.#media().value));
    this.#tell(problem);
    this.#view.hidden = false;
    this.#focus();
  }

  /** @param {(wish: Wish, equipment?: Equipment) => void} join */
  #leave(join) {
    const wish = this.#read();
    lastingStorage.setItem(NAME, wish.name ?? '');
    join(wish, this.#preview.take());
  }

  #ready() {
    this.#join.disabled = false;
    if (!this.#view.hidden && document.activeElement === document.body) this.#focus();
  }

  #focus() {
    (this.#name.value ? this.#join : this.#name).focus();
  }

  /** @param {() => string} problem */
  #tell(problem) {
    this.#problem = problem;
    const words = problem();
    write(this.#status, words);
    this.#status.hidden = words === '';
  }

  /** Shows the field for the room's secret. */
  askForSecret() {
    this.#secretField.hidden = false;
    this.#secret.select();
  }

  hide() {
    this.#view.hidden = true;
  }

  /** @returns {Wish} */
  #read() {
    const room = toRoomName(this.#room.value);
    return {
      room,
      seal: this.#seal.read(room),
      name: inOneLine(this.#name.value) || undefined,
      media: /** @type {MediaChoice} */ (this.#media().value),
      secret: this.#secret.value || undefined,
      ...this.#more,
    };
  }

  #media() {
    return /** @type {RadioNodeList} */ (this.#form.elements.namedItem('media'));
  }
}
