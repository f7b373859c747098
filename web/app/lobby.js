import { inView, isWanted } from './consent.js';
import { fillPicker, onLanguage } from './languages/document.js';
import { part, write } from './page.js';
import { Preview } from './preview.js';
import { suggestRoomName, toRoomName, whyNoRoomName } from './room-name.js';

/** @import { MediaChoice, Wish } from './address.js' */
/** @import { Equipment } from './devices/equipment.js' */

/** The form before a call. */
export class Lobby {
  #view = part('lobby', HTMLElement);
  #form = part('lobby-form', HTMLFormElement);
  #name = part('name', HTMLInputElement);
  #room = part('room', HTMLInputElement);
  #secret = part('secret', HTMLInputElement);
  #secretField = part('secret-field', HTMLElement);
  #status = part('lobby-status', HTMLElement);
  #join = part('join', HTMLButtonElement);
  #preview = new Preview();
  #problem = () => '';
  /** What has no field. @type {Pick<Wish, 'capacity' | 'ticket'>} */
  #more = {};

  /** @param {(wish: Wish, equipment?: Equipment) => void} join with what is open already */
  constructor(join) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const { value } = this.#room;
      this.#tell(() => whyNoRoomName(value));
      if (whyNoRoomName(value)) this.#room.select();
      else if (event.isTrusted && isWanted()) join(this.#read(), this.#preview.take());
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
    this.#room.value = wish.room ?? suggestRoomName();
    this.#secret.value = wish.secret ?? '';
    this.#more = { capacity: wish.capacity, ticket: wish.ticket };
    if (wish.media) this.#media().value = wish.media;
    this.#preview.want(/** @type {MediaChoice} */ (this.#media().value));
    this.#tell(problem);
    this.#view.hidden = false;
    this.#focus();
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
    return {
      room: toRoomName(this.#room.value),
      name: this.#name.value.trim() || undefined,
      media: /** @type {MediaChoice} */ (this.#media().value),
      secret: this.#secret.value || undefined,
      ...this.#more,
    };
  }

  #media() {
    return /** @type {RadioNodeList} */ (this.#form.elements.namedItem('media'));
  }
}
