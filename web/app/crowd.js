/** A browser opens so many connections to one server over HTTP/1.1, for all its pages together; each page in a room keeps one busy. */
const CONNECTIONS = 6;
const PRESENT = 'signalpost:page-in-room';
const LOOK_MS = 3_000;

/**
 * Counts this page among those of this browser that are in rooms, and says whenever there are more than can work at once.
 * Without locks (pages that are not secure) it says nothing.
 *
 * @param {(tooMany: boolean) => void} tell
 */
export async function watchCrowd(tell) {
  if (!navigator.locks || multiplexed()) return;
  try {
    await countIn(navigator.locks);
  } catch {
    // Where storage is blocked, locks are, too.
    return;
  }
  const look = async () => {
    const { held = [] } = await navigator.locks.query();
    tell(held.filter(({ name }) => name === PRESENT).length >= CONNECTIONS);
  };
  setInterval(() => void look(), LOOK_MS);
  await look();
}

/** Held until the page is gone; `shared` only counts. @param {LockManager} locks */
function countIn(locks) {
  return new Promise((resolve, reject) => {
    const held = () => (resolve(undefined), new Promise(() => {}));
    locks.request(PRESENT, { mode: 'shared' }, held).catch(reject);
  });
}

/** Are requests to this server sent side by side on one connection, as HTTP/2 does? */
function multiplexed() {
  const [loaded] = performance.getEntriesByType('navigation');
  return !/^http\/1|^$/.test(/** @type {PerformanceNavigationTiming | undefined} */ (loaded)?.nextHopProtocol ?? '');
}
