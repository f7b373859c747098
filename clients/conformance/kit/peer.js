import { randomUUID } from 'node:crypto';

/**
 * The kit's own member of a room: one request for each call, directly to the server, and nothing that a client has to do. The
 * room's events are read by `read`; nothing else reads them.
 */
export class Peer {
  #unread = [];

  /** @param {string} base @param {string} room @param {object} [wishes] */
  static async join(base, room, wishes = {}) {
    const peer = Object.assign(new Peer(), { base, root: `${base}/v1/rooms/${room}` });
    peer.joined = await peer.ask('POST', '/peers', { body: { name: 'kit', ...wishes } });
    Object.assign(peer, { id: peer.joined.peer.id, token: peer.joined.token, cursor: peer.joined.cursor });
    return peer;
  }

  async ask(method, path, { body, token = this.token, key = randomUUID() } = {}) {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(this.root + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw Object.assign(new Error(`the kit's ${method} ${path}: ${answer.status} ${text}`), { document: JSON.parse(text) });
    return text ? JSON.parse(text) : null;
  }

  /** Sends data to a peer: at most 50 in one request. */
  send(to, ...data) {
    return this.ask('POST', '/messages', { body: { messages: data.map((one) => ({ to, type: 'data', data: one })) } });
  }

  /** Sends the numbers and a marker in batches; waits where a mailbox is full. */
  async sendAll(to, count, end = 'end') {
    const all = [...Array(count).keys(), end];
    while (all.length > 0) {
      const key = randomUUID();
      const body = { messages: all.splice(0, 50).map((data) => ({ to, type: 'data', data })) };
      while (!(await this.ask('POST', '/messages', { body, key }).catch(full))) await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  /** The next message that matches. */
  async read(wanted) {
    for (;;) {
      while (this.#unread.length > 0) {
        const message = this.#unread.shift();
        if (wanted(message)) return message;
      }
      const batch = await this.ask('GET', `/peers/${this.id}/messages?wait=25&after=${this.cursor}`);
      this.cursor = batch.cursor;
      this.#unread.push(...batch.messages);
    }
  }

  /** Data from a peer up to the marker, in order of arrival. */
  async received(from, end = 'end') {
    const got = [];
    for (;;) {
      const { data } = await this.read((message) => message.type === 'data' && message.from === from);
      if (data === end) return got;
      got.push(data);
    }
  }

  /** The ids of the other members. */
  async others() {
    const { peers } = await this.ask('GET', '/peers');
    return peers.map(({ id }) => id).filter((id) => id !== this.id);
  }
}

function full(error) {
  if (error.document?.type === '/problems/mailbox-full') return null;
  throw error;
}
