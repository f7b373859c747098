/** The types of the API and of this client, for its own JSDoc and for applications in TypeScript. */

// ---- The API -----------------------------------------------------------------------------------------------------

import type { components } from './api.d.ts';

/** Generated from the server's OpenAPI document. */
type Schemas = components['schemas'];

/** A member of a room. Peers are numbered by `order` as they join. */
export type Peer = Schemas['Peer'];
/** The response to a join. */
export type Joined = Schemas['Joined'];
/** ICE servers, and how long their credentials are valid. */
export type IceAnswer = Schemas['IceServers'];

/** What peers send to each other. */
export type Message = Description | Candidate | Bye | Data;
/** An offer or an answer. */
export type Description = Extract<Schemas['Signal'], { type: 'offer' | 'answer' }>;
/** The server relays any object; browsers send this one. */
export type Candidate = { type: 'candidate'; candidate: RTCIceCandidateInit | null };
/** Ends the connection with a peer. */
export type Bye = Extract<Schemas['Signal'], { type: 'bye' }>;
/** Anything that is valid JSON. */
export type Data = Extract<Schemas['Signal'], { type: 'data' }>;

/** A mailbox has messages from peers, with the sender added by the server, and notices from the server itself. */
type Mail = Schemas['Message'];
/** A message from a peer, with its number in the mailbox. */
export type Relayed = Message & { seq: number; from: string };
/** A message from the server: a peer joined or left, or the room was closed. */
export type Notice = Exclude<Mail, { from: string }>;
/** Why a peer is no longer a member. */
export type LeaveReason = Schemas['Departure'];
/** The response to a poll. */
export type Batch = { messages: (Relayed | Notice)[]; cursor: Schemas['Batch']['cursor'] };
/** A recipient of a message, and the message's number in its mailbox. */
export type Receipt = Schemas['Place'];

/** An RFC 9457 problem document; `type` is `/problems/<slug>`. Further members depend on the slug. */
export type ProblemDocument = Pick<Schemas['Problem'], 'type' | 'title' | 'status'> & Partial<Schemas['Problem']> & {
  retry_after_ms?: number;
  frees_in_ms?: number | null;
  capacity_max?: number;
  secret_chars_min?: number;
};

// ---- Rooms -------------------------------------------------------------------------------------------------------

/**
 * `connected`: the mailbox is being read. `reconnecting`: it cannot be read at the moment; calls continue. The others are
 * final: `superseded` (another tab took the seat), `closed` (left, or the room is gone), `kicked`.
 */
export type RoomStatus = 'connected' | 'reconnecting' | 'superseded' | 'closed' | 'kicked';
/** The final states, `lost` (the seat), and `suspended`: the page is in the browser's back-forward cache. */
export type Ending = 'superseded' | 'closed' | 'kicked' | 'suspended' | 'lost';

/** The connection with the server, or this member's place in the room, has changed. */
export interface StateChange {
  state: RoomStatus;
  /** The reason, if a request was refused or not answered. */
  error?: Error;
}

/** An entry of the signaling log. `peer` is null for the server and for a message to all. */
export interface WireEntry {
  direction: 'in' | 'out';
  peer: string | null;
  type: string;
  /** Milliseconds since 1970. */
  at: number;
  /** In a sealed room as it was before it was sealed, unless it was `refused`. */
  message: Message | Relayed | Notice;
  refused?: Refusal;
}

/**
 * Why a sealed room did not use a message. `unsealed`: its sender has no key. `unreadable`: sealed with another key, or changed,
 * or meant for somebody else. `repeated`: received before, or after a later one. `outdated`: from before its sender's page was
 * loaded again. `malformed`: sealed by somebody with the key, against docs/sealed.md.
 */
export type Refusal = 'unsealed' | 'unreadable' | 'repeated' | 'outdated' | 'malformed';
/** What a peer of a sealed room lacks, as far as its last message or its card tells. */
export type Trouble = 'no key' | 'another key';
/** Why nobody can be in between: the room is sealed, or two people have compared the safety number. */
export type Verified = 'key' | 'compared' | false;

/** What happened while the seat was lost. */
export interface Resumption {
  /** The mailbox is new: messages in the old one may have been lost. */
  lost: boolean;
  /** This member has a new id: the server did not recognise the old token. */
  renamed: boolean;
  /** The peers that are certainly in the room. */
  roster: Peer[];
}

/** What a room tells, by event name. */
export interface RoomEvents {
  state: StateChange;
  'peer-joined': Peer;
  'peer-left': { peer: Peer; reason: LeaveReason };
  message: Relayed;
  'room-closed': {};
  /** Back in the room after the seat was lost. */
  resumed: Resumption;
  /** Renewed, or changed since the seat was taken again. A call passes them to its connections itself. */
  'ice-servers': RTCIceServer[];
  /** This end's network may have changed, and connections may be broken. A call repairs its own. */
  'network-changed': {};
  /** A sealed room did not use a message. */
  refused: { seq: number; from: string; type: string; why: Refusal };
  /** What a peer of a sealed room lacks has changed; null: nothing any more. */
  trouble: { peer: Peer; trouble: Trouble | null };
  wire: WireEntry;
}

/** The server has accepted a message. */
export interface Sent {
  /** The message's number in the recipient's mailbox; null if it was for all. */
  seq: number | null;
  accepted: Receipt[];
}

/** What this member asks for. `capacity` counts only if the join creates the room. */
export interface Wishes {
  name?: string;
  metadata?: unknown;
  secret?: string;
  /** From the application's login, if the server requires tickets. */
  ticket?: string;
  capacity?: number;
}

/** An attempt to join has failed. */
export interface Retry {
  error: Error;
  /** Failures so far. */
  failures: number;
  delayMs: number;
}

/** Named events with typed details. */
export interface Listenable<Events> {
  /** Calls the listener for each event of this name, until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void;
}

/** A room as one member sees it. */
export interface Room extends Listenable<RoomEvents> {
  readonly name: string;
  /** This join created the room. */
  readonly created: boolean;
  /** This page was loaded again, and has the seat that it had before. */
  readonly returned: boolean;
  /** How many members it takes, this one included. */
  readonly capacity: number;
  /** How long a seat lasts without a poll. */
  readonly leaseMs: number;
  readonly self: Peer;
  /** The other members, by id. */
  readonly peers: ReadonlyMap<string, Peer>;
  readonly state: RoomStatus;
  /** What the others need to be in this sealed room, as base64url; null if the room is not sealed. */
  readonly key: string | null;
  /** What peers of a sealed room lack, by id: nothing they send is used, and they can read nothing. */
  readonly troubles: ReadonlyMap<string, Trouble>;
  readonly iceServers: RTCIceServer[];
  /** Asks the server for them again, because a connection is interrupted: its relay may be gone. */
  refreshIceServers(): void;
  /**
   * Puts a message into a peer's mailbox or, with null, into those of all other members. In a sealed room it has no members
   * besides those of its type, because the server could read them.
   */
  send(to: string | null, message: Message): Promise<Sent>;
  /** Connects with all members, present and future. Throws `Unsupported` (`webrtc-missing`) without WebRTC. */
  call(options?: CallOptions): Call;
  /** Sends what is queued, for ten seconds at most, gives up the seat and ends the call. */
  leave(): Promise<void>;
  /** Ends the room for all. Only its creator can. */
  close(): Promise<void>;
  /** Keeps newcomers out, or lets them in again. Only the room's creator can. */
  lock(locked: boolean): Promise<void>;
}

export interface JoinOptions extends Wishes, Partial<Environment> {
  /**
   * Seals the room: 43 characters of base64url, from `newKey()` or the link. The server can then read and change neither signaling
   * nor cards. Throws a `TypeError` if it is no key, `Unsupported` (`webcrypto-missing`) on plain http outside localhost.
   */
  key?: string;
  /** Instead of the key. Anybody who can guess it can read everything. */
  passphrase?: string;
  /** Cancels the join or, later, leaves the room. */
  signal?: AbortSignal;
  /** Called before each retry while the server cannot be reached. */
  onRetry?: (retry: Retry) => void;
}

// ---- Calls -------------------------------------------------------------------------------------------------------

/** What a call sends, receives, and whom it lets in. */
export interface CallOptions {
  stream?: MediaStream | null;
  /** Whether media of the others are received, true by default. If not, they send none. */
  receive?: boolean;
  /**
   * Ids of data channels of your own, by their labels. They are created with every connection (`negotiated`, so they exist whichever end
   * offers) to a peer that says in its card that it does the same: `metadata: { rtc: { [label]: true } }`. Ids from 100 do not get in the way of
   * channels that a peer opens, which count from 0.
   */
  channels?: Record<string, number>;
  /**
   * Asks the user about a peer before anything is sent to it, and decides by what it resolves with. Not asked about peers that
   * were in the room when this member joined, nor again about those that were let in, even after a reload. A peer that is
   * declined is sent a `bye` with the reason `declined`. Without this, everybody is let in.
   */
  admit?: Admit;
  /** Merged into each RTCPeerConnection's configuration. ICE servers come from the room unless given here. */
  configuration?: RTCConfiguration;
}

/** `signal` is aborted when an answer no longer matters: the peer left or hung up, or the call ended. */
export type Admit = (peer: Peer, question: { signal: AbortSignal }) => boolean | Promise<boolean>;

/**
 * `waiting` for the peer's offer, `connecting`, `connected`, `interrupted` (was connected; being repaired), `failed` (no
 * more attempts until something changes), `closed`.
 */
export type LinkState = 'waiting' | 'connecting' | 'connected' | 'interrupted' | 'failed' | 'closed';

/** What a call tells, by event name. */
export interface CallEvents {
  link: { peer: Peer; state: LinkState };
  /** One that the peer sends; a peer may send several. Emitted for each track, so often for the same stream. */
  stream: { peer: Peer; stream: MediaStream };
  /** A text, or an `ArrayBuffer` if the peer sent one. */
  data: { peer: Peer; data: unknown };
  /** The channel for `say` and `data` opened or closed. */
  channel: { peer: Peer; open: boolean };
  /** One of `channels` has opened: the first time, and again on every connection that replaces another. */
  'data-channel': { peer: Peer; channel: RTCDataChannel };
  /** `answeredBy`: of an encoder that another peer has answered. */
  bye: { peer: Peer; reason?: string; answeredBy?: string };
  /** The safety number is known, or was compared. */
  verified: { peer: Peer; verified: Verified; safetyNumber: string | null };
  /**
   * An offer on a working connection was not answered, so it was rolled back. It is made again unless this was the `final`
   * attempt: then the connection stays as it is until the peer is heard from, the server is reached again, or the stream
   * is replaced.
   */
  'offer-unanswered': { peer: Peer; attempts: number; final: boolean };
}

/** The connection with one peer. */
export interface Link {
  readonly peer: Peer;
  readonly state: LinkState;
  /** Null while waiting; a repair may replace it. For channels of your own, set `pc.ondatachannel`, or they are taken for chat. */
  readonly pc: RTCPeerConnection | null;
  /** Where `say` sends: the negotiated channel (id 0), or one that the peer opened; null also if the peer has none. */
  readonly channel: RTCDataChannel | null;
  readonly verified: Verified;
  /**
   * Twelve groups of five digits, the same at both ends if nobody is in between. Null until both descriptions are known, and where
   * there is no WebCrypto.
   */
  readonly safetyNumber: string | null;
  /** What the peer lacks in a sealed room: nothing it sends is used, and it can read nothing. */
  readonly trouble: Trouble | null;
  /** The user has compared the safety number with the peer's. Holds until the connection is replaced. */
  markCompared(): void;
  /** Replaces the connection, beginning with an offer. */
  offer(): void;
}

/** A call with all members of a room. */
export interface Call extends Listenable<CallEvents> {
  /** By peer id. */
  readonly links: ReadonlyMap<string, Link>;
  /** Started and not hung up. */
  readonly active: boolean;
  /** Restarts the call after `hangUp`. */
  start(): void;
  /** Tells the others and ends the call. This member stays in the room. */
  hangUp(reason?: string): void;
  /** Sends a text on every open channel. Returns how many took it: one may be full, or allow only shorter messages. */
  say(text: string): number;
  /** Sends this stream from now on, with at most one track of each kind. */
  replaceStream(stream: MediaStream | null): void;
  /**
   * Sends another stream besides, such as a screen with its sound, with at most one track of each kind; null ends that. The peers get it as a
   * `stream` of its own with the same id. Not sent to peers that negotiate once (`metadata.rtc`).
   */
  share(stream: MediaStream | null): void;
  /** Begins or ends receiving media from the others. */
  receive(on: boolean): void;
}

// ---- Environment -------------------------------------------------------------------------------------------------

/** Time and timers. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** Runs a function later. Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Everything the client takes from its surroundings. `join` takes any of it instead. */
export interface Environment {
  /** All requests, except for the beacon, if `navigator` has it. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Where the seat is kept across reloads. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  clock: Clock;
  /** From 0 up to, but not including, 1. Spreads retries. */
  random: () => number;
  /** Random, of 128 bits: idempotency keys. */
  uuid: () => string;
  /** The target of `pagehide`, `pageshow`, `visibilitychange` and `online`: the window, or a worker's global scope, which has only the last. */
  page: EventTarget | undefined;
  /** `navigator.connection`, if there is one: tells when the network changes. */
  connection?: EventTarget & { readonly type?: string };
  /** Posts a text when the page is closed. Returns whether the browser took it. */
  beacon: (url: string, body: string) => boolean;
  RTCPeerConnection: new (configuration?: RTCConfiguration) => RTCPeerConnection;
  /** For tracks that arrive without a stream. */
  MediaStream?: new () => MediaStream;
}

// ---- Building blocks ---------------------------------------------------------------------------------------------

/** One request to the API. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: string;
  token?: string;
  /** JSON, already as text: a retry must send the same bytes. */
  body?: string;
  /** `Idempotency-Key` */
  key?: string;
  /** `Last-Event-ID` */
  cursor?: number;
  /** A member that the response must have to be the server's. */
  expects?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** May outlive the page. */
  keepalive?: boolean;
}

/** `date` is the `Date` field, where the response has one. */
export type ApiResponse = { status: number; body: any; date: string | null };

/** The URLs of one room. */
export interface Endpoints {
  readonly root: string;
  /** Identifies this page. */
  readonly page: string;
  readonly join: string;
  readonly outbox: string;
  /** One member: deleted to leave. */
  seat(peer: string): string;
  /** The same for as long as the hold is: browsers cache preflights by the whole URL. */
  mailbox(peer: string, waitMs: number): string;
  /** For the beacon. */
  leave(peer: string): string;
  /** Current credentials. */
  /** With a nonce, no cache can have seen it. */
  iceServers(peer: string, nonce?: string): string;
}

// ---- What the module exports -------------------------------------------------------------------------------------

/**
 * Joins a room, or returns to it after a reload. Retries while the server cannot be reached; throws a `Problem` if it
 * refuses (`room-full`, `secret-missing`, …).
 *
 * @param base the server's URL: `'/'`, or `'https://signal.example/'`
 * @param room 1–64 characters of `A-Za-z0-9._~-`; created if it does not exist
 */
export declare function join(base: string | URL, room: string, options?: JoinOptions): Promise<Room>;

/** The server refused a request. */
export declare class Problem extends Error {
  constructor(document: ProblemDocument, retryAfterMs?: number | null);
  readonly document: ProblemDocument;
  readonly status: number;
  /** The last part of the document's `type`. */
  readonly slug: string;
  /** How long the server asks to wait before a retry, if it does. */
  readonly retryAfterMs: number | null;
}

/** No response of the server arrived. */
export declare class Unreachable extends Error {
  /** `foreign`: something else responded. `stale`: a cache did. */
  readonly reason: 'network' | 'timeout' | 'gateway' | 'foreign' | 'stale';
  readonly status: number | undefined;
  readonly retryAfterMs: number | null;
}

/** The room ended before the operation was done. */
export declare class RoomEnded extends Error {
  readonly state: Ending;
}

/** The browser lacks something that this needs. */
export declare class Unsupported extends Error {
  readonly code: 'webrtc-missing' | 'media-stream-missing' | 'webcrypto-missing';
}

/** A key for a sealed room. */
export declare function newKey(): string;

/** That of two descriptions, in either order: for connections of your own. Null if one has no fingerprint, or without WebCrypto. */
export declare function safetyNumber(local: string, remote: string): Promise<string | null>;

/**
 * What kind of program a peer is that calls by WHIP or WHEP; null for any other. It has no chat, makes the only offer, and receives either
 * nothing (`encoder`) or everything that the first that answers sends (`player`).
 */
export declare function whipRole(peer: Pick<Peer, 'id' | 'metadata'>): 'encoder' | 'player' | null;

/** Can this browser make calls? */
export declare function supportsWebRtc(RTCPeerConnection?: unknown): boolean;

// For tools beside a room, such as our network test. These may change in any release.

/** Sends one request. Throws a `Problem`, `Unreachable`, or the signal's reason. */
export declare function request(env: Pick<Environment, 'fetch' | 'clock'>, request: ApiRequest): Promise<ApiResponse>;
/** The URLs of a room. `page` identifies this page or process. */
export declare function endpoints(base: string | URL, room: string, page: string): Endpoints;
/** The browser's own environment, except for what is given. */
export declare function environment(given: Partial<Environment>): Environment;
/** Is this batch older than the cursor in the request, and so from a cache? */
export declare function isStale(batch: Batch, cursor: number): boolean;
/** The tab's session storage, or memory where that fails. */
export declare const tabStorage: Environment['storage'];
/** The browser's local storage, or memory where that fails. */
export declare const lastingStorage: Environment['storage'];
