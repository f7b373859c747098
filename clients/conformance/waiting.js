#!/usr/bin/env node
// Measures what a client costs that is in a room and waits, while nobody says anything (Linux only):
//
//   node clients/conformance/waiting.js [--seconds N] -- COMMAND [ARGUMENT…]
//
// COMMAND is as for run.js. Prints the share of one processor core, and the connections to the server: how many it usually has.

import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Client } from './kit/client.js';
import { Server } from './kit/server.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '300' } } });
if (positionals.length === 0) {
  console.error('usage: waiting.js [--seconds N] -- COMMAND [ARGUMENT…]');
  process.exit(2);
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;
/** The state of a connection in /proc/net/tcp. */
const ESTABLISHED = '01';

/** Processor time of all threads so far, in seconds. */
async function processorTime(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The process's connections to a port. */
async function connections(pid, port) {
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter(([, , remote, state, , , , , , inode]) => state === ESTABLISHED && inodes.has(inode) && parseInt(remote.split(':')[1], 16) === port).length;
}

const server = await new Server().start();
const client = new Client(positionals, () => () => {});
const { pid } = client.child;
const port = Number(new URL(server.base).port);
client.do({ do: 'join', base: server.base, room: 'quiet', name: 'Waiting' });
await client.next('joined');

// What starting costs is over by then.
await after(10_000);
const [before, began] = [await processorTime(pid), performance.now()];
const counts = [];
while (performance.now() - began < Number(values.seconds) * 1_000) {
  await after(1_000);
  counts.push(await connections(pid, port));
}
const share = (await processorTime(pid)) - before;
const seconds = (performance.now() - began) / 1_000;
const usual = counts.sort((one, other) => one - other)[counts.length >> 1];
console.log(`${((100 * share) / seconds).toFixed(3)} % of a core, ${usual} connection(s) (at most ${counts.at(-1)}), in ${seconds.toFixed(0)} s`);

client.do({ do: 'leave' });
await client.exited();
await server.stop();
