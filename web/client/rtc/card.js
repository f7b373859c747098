/**
 * What a peer can do in a call, as it says in `metadata.rtc` of its card (docs/clients.md). Without a statement it can do
 * everything, as browsers do.
 *
 * @typedef {object} Card
 * @property {boolean} trickle if not, it wants all candidates in the description
 * @property {boolean} renegotiates if not, there is one offer and one answer for each connection
 * @property {boolean} channel has a data channel
 * @property {boolean} sends media
 * @property {boolean} receives media
 */

/**
 * @param {unknown} metadata chosen by the peer, so anything
 * @returns {Card}
 */
export function cardOf(metadata) {
  const rtc = /** @type {{ rtc?: Record<string, unknown> | null } | null | undefined} */ (metadata)?.rtc;
  const direction = rtc?.direction;
  return {
    trickle: rtc?.trickle !== false,
    renegotiates: rtc?.renegotiates !== false,
    channel: rtc?.channel !== false,
    sends: direction !== 'recvonly' && direction !== 'inactive',
    receives: direction !== 'sendonly' && direction !== 'inactive',
  };
}

/**
 * The application's channels that a peer knows as well, as its card says.
 *
 * @param {unknown} metadata
 * @param {Record<string, number>} channels ids by label
 */
export function sharedChannels(metadata, channels) {
  const rtc = /** @type {{ rtc?: Record<string, unknown> | null } | null | undefined} */ (metadata)?.rtc;
  return Object.fromEntries(Object.entries(channels).filter(([label]) => rtc?.[label] === true));
}
