/** The shapes of the API and of this client, for its own JSDoc and for applications in TypeScript. */

// ---- The API -----------------------------------------------------------------------------------------------------

import type { components } from './api.d.ts';

/** Generated from the server's OpenAPI document. */
type Schemas = components['schemas'];

/** A member of a room. Of two, the one with the larger `order` came later. */
export type Peer = Schemas['Peer'];
export type Joined = Schemas['Joined'];
export type IceAnswer = Schemas['IceServers'];

/** What peers send to each other. */
export type Message = Description | Candidate | Bye | Data;
export type Description = Extract<Schemas['Signal'], { type: 'offer' | 'answer' }>;
/** The server relays any object; browsers make this one. */
export type Candidate = { type: 'candidate'; candidate: RTCIceCandidateInit | null };
export type Bye = Extract<Schemas['Signal'], { type: 'bye' }>;
export type Data = Extract<Schemas['Signal'], { type: 'data' }>;

/** What lies in a mailbox: from a peer, stamped by the server, or by the server itself. */
type Mail = Schemas['Message'];
export type Relayed = Message & { seq: number; from: string };
export type Notice = Exclude<Mail, { from: string }>;
export type LeaveReason = Schemas['Departure'];
export type Batch = { messages: (Relayed | Notice)[]; cursor: Schemas['Batch']['cursor'] };
export type Receipt = Schemas['Place'];

/** An RFC 9457 problem document; `type` is `/problems/<slug>`. Further members depend on the slug. */
export type ProblemDocument = Pick<Schemas['Problem'], 'type' | 'title' | 'status'> & Partial<Schemas['Problem']> & {
  retry_after_ms?: number;
  frees_in_ms?: number | null;
};

// ---- Rooms -------------------------------------------------------------------------------------------------------

/**
 * `connected`: the mailbox is being read. `reconnecting`: it is not, and that is being worked on; calls go on. The
 * others are final: `superseded` (another tab took the seat), `closed` (left, or the room is gone), `kicked`.
 */
export type RoomStatus = 'connected' | 'reconnecting' | 'superseded' | 'closed' | 'kicked';
/** The final ones, and `suspended`: the page is hidden in the browser's back-forward cache. */
export type Ending = 'superseded' | 'closed' | 'kicked' | 'suspended' | 'lost';

export interface StateChange {
  state: RoomStatus;
  /** Why, where something was refused or did not answer. */
  error?: Error;
}

/** One line of the signaling log. `peer` is null for the server and for a message to everybody. */
export interface WireEntry {
  direction: 'in' | 'out';
  peer: string | null;
  type: string;
  /** Milliseconds since 1970. */
  at: number;
  message: Message | Relayed | Notice;
}

export interface Resumption {
  /** The mailbox is a new one: messages may have been lost with the old. */
  lost: boolean;
  /** This member has a new id: the server did not recognise the old token. */
  renamed: boolean;
  /** Those who are certainly in the room. */
  roster: Peer[];
}

export interface RoomEvents {
  state: StateChange;
  'peer-joined': Peer;
  'peer-left': { peer: Peer; reason: LeaveReason };
  message: Relayed;
  'room-closed': {};
  /** Back in the room after having lost the seat. */
  resumed: Resumption;
  /** Renewed, or others since the seat was taken again. A call gives them to its connections by itself. */
  'ice-servers': RTCIceServer[];
  /** This end's network may have changed: what was connected may not be any more. A call looks after its connections by itself. */
  'network-changed': {};
  wire: WireEntry;
}

export interface Sent {
  /** The message's place in the mailbox of the peer it was for; null if it was for all. */
  seq: number | null;
  accepted: Receipt[];
}

/** What this member wants of the room. `capacity` counts only if the join makes the room. */
export interface Wishes {
  name?: string;
  metadata?: unknown;
  secret?: string;
  /** By the app's login, where the server asks for one. */
  ticket?: string;
  capacity?: number;
}

export interface Retry {
  error: Error;
  /** How many times it failed so far. */
  failures: number;
  delayMs: number;
}

/** Listening to named events; what `on` returns ends it. */
export interface Listenable<Events> {
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void;
}

/** A room as one member sees it. */
export interface Room extends Listenable<RoomEvents> {
  readonly name: string;
  /** This join made the room. */
  readonly created: boolean;
  readonly self: Peer;
  /** The others, by id. */
  readonly peers: ReadonlyMap<string, Peer>;
  readonly state: RoomStatus;
  readonly iceServers: RTCIceServer[];
  /** Puts a message into a peer's mailbox, or, with null, into everybody's. */
  send(to: string | null, message: Message): Promise<Sent>;
  /** Connects with everybody in the room, and with whoever joins. */
  call(options?: CallOptions): Call;
  /** Says goodbye, gives the seat up and ends the call. */
  leave(): Promise<void>;
  /** Ends the room for everybody. Only whoever made it can. */
  close(): Promise<void>;
}

export interface JoinOptions extends Wishes, Partial<Environment> {
  /** Ends everything: a join under way is given up, a room is left. */
  signal?: AbortSignal;
  /** Told before each pause while the server cannot be reached. */
  onRetry?: (retry: Retry) => void;
}

// ---- Calls -------------------------------------------------------------------------------------------------------

export interface CallOptions {
  stream?: MediaStream | null;
  /** Merged into each RTCPeerConnection's configuration. ICE servers come from the room unless given here. */
  configuration?: RTCConfiguration;
}

/**
 * `waiting` for the other's offer, `connecting`, `connected`, `interrupted` (was connected; being repaired), `failed`
 * (given up until something changes), `closed`.
 */
export type LinkState = 'waiting' | 'connecting' | 'connected' | 'interrupted' | 'failed' | 'closed';

export interface CallEvents {
  link: { peer: Peer; state: LinkState };
  stream: { peer: Peer; stream: MediaStream };
  /** A text, or an `ArrayBuffer` if the other end sent one. */
  data: { peer: Peer; data: unknown };
  /** The channel for `say` and `data` opened or closed. */
  channel: { peer: Peer; open: boolean };
  bye: { peer: Peer; reason?: string };
}

/** The connection with one peer. */
export interface Link {
  readonly peer: Peer;
  readonly state: LinkState;
  /** Null while waiting. Not always the same one. If you open channels of your own, listen to those of the other by `pc.ondatachannel = …`. */
  readonly pc: RTCPeerConnection | null;
  /** Where texts go: the channel with the id 0, on which both ends agree, or one that the other end opened. */
  readonly channel: RTCDataChannel | null;
  /** Connects anew, beginning with an offer. */
  offer(): void;
}

/** A call with everybody in a room. */
export interface Call extends Listenable<CallEvents> {
  /** By peer id. */
  readonly links: ReadonlyMap<string, Link>;
  /** Started and not hung up. */
  readonly active: boolean;
  /** Starts it again after `hangUp`. */
  start(): void;
  /** Ends the call with everybody, and says so. This member stays in the room. */
  hangUp(reason?: string): void;
  /** Sends a text on every open channel, and tells how many that were. */
  say(text: string): number;
  /** Sends this stream from now on: at most one track of each kind. */
  replaceStream(stream: MediaStream | null): void;
}

// ---- Surroundings ------------------------------------------------------------------------------------------------

export interface Clock {
  /** Milliseconds that only ever rise. */
  now(): number;
  /** Milliseconds since 1970, for showing. */
  date(): number;
  /** Runs something later; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface Environment {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Where the seat is kept over a refresh. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  clock: Clock;
  random: () => number;
  uuid: () => string;
  /** Where `pagehide`, `pageshow`, `visibilitychange` and `online` happen. */
  page: EventTarget | undefined;
  /** `navigator.connection`, where there is one: says when the network changes. */
  connection?: EventTarget & { readonly type?: string };
  beacon: (url: string, body: string) => boolean;
  RTCPeerConnection: new (configuration?: RTCConfiguration) => RTCPeerConnection;
  /** For tracks that come without one. */
  MediaStream?: new () => MediaStream;
}

// ---- Building blocks ---------------------------------------------------------------------------------------------

/** One request to the API. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
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
  seat(peer: string): string;
  /** The same for as long as the hold is: browsers cache preflights by the whole URL. */
  mailbox(peer: string, waitMs: number): string;
  leave(peer: string): string;
  iceServers(peer: string): string;
}

// ---- What the module exports -------------------------------------------------------------------------------------

/**
 * Joins a room, or comes back to it after a refresh. Retries for as long as the server cannot be reached; throws a
 * `Problem` if it refuses (`room-full`, `secret-wrong`, …).
 *
 * @param base where the server is: `'/'`, or `'https://signal.example/'`
 * @param room 1–64 of `A-Za-z0-9._~-`; made if it does not exist
 */
export declare function join(base: string | URL, room: string, options?: JoinOptions): Promise<Room>;

/** The server understood and refused. */
export declare class Problem extends Error {
  constructor(document: ProblemDocument, retryAfterMs?: number | null);
  readonly document: ProblemDocument;
  readonly status: number;
  /** The last part of the document's `type`. */
  readonly slug: string;
  /** How long the server asks to wait before trying again, if it does. */
  readonly retryAfterMs: number | null;
}

/** No answer of the server came through. */
export declare class Unreachable extends Error {
  /** `stale`: an answer out of a cache. */
  readonly reason: 'network' | 'timeout' | 'gateway' | 'foreign' | 'stale';
  readonly status: number | undefined;
  readonly retryAfterMs: number | null;
}

/** The room ended before this could be done. */
export declare class RoomEnded extends Error {
  readonly state: Ending;
}

// For tools beside a room, such as our network test. These may change in any release.

/** Sends one request. Throws a `Problem`, `Unreachable`, or the signal's reason. */
export declare function request(env: Pick<Environment, 'fetch' | 'clock'>, request: ApiRequest): Promise<ApiResponse>;
export declare function endpoints(base: string | URL, room: string, page: string): Endpoints;
/** What the browser provides, except for what is given. */
export declare function environment(given: Partial<Environment>): Environment;
/** Is this batch older than the cursor that was sent, and so out of a cache? */
export declare function isStale(batch: Batch, cursor: number): boolean;
/** The tab's session storage, or memory where that fails. */
export declare const tabStorage: Environment['storage'];
