const FIRST = ['amber', 'brave', 'calm', 'clear', 'early', 'fresh', 'gentle', 'green', 'happy', 'kind', 'lucky'];
const SECOND = ['apple', 'beech', 'cedar', 'daisy', 'elm', 'fern', 'hazel', 'ivy', 'lemon', 'maple', 'olive', 'poppy'];
const THIRD = ['bridge', 'brook', 'coast', 'field', 'garden', 'hill', 'lake', 'meadow', 'path', 'river', 'shore'];
/** No vowels and nothing that looks like something else: no words, no mistakes in reading aloud. */
const TAIL = 'bcdfghjkmnpqrstvwxz23456789';

/**
 * A name for a room that can be read aloud, and that nobody else is going to hit upon.
 *
 * @param {(below: number) => number} [pick] a whole number below that one
 */
export function suggestRoomName(pick = pickRandom) {
  const words = [FIRST, SECOND, THIRD].map((list) => list[pick(list.length)]);
  const tail = Array.from({ length: 5 }, () => TAIL[pick(TAIL.length)]).join('');
  return [...words, tail].join('-');
}

/**
 * What somebody typed, made into a name that the server takes; empty if nothing of it is left.
 *
 * @param {string} typed
 */
export function toRoomName(typed) {
  const plain = typed.normalize('NFKD').replace(/\p{Mark}/gu, '');
  return plain.trim().replace(/\s+/g, '-').replace(/[^A-Za-z0-9._~-]/g, '').slice(0, 64);
}

/** @param {number} below */
function pickRandom(below) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % below;
}
