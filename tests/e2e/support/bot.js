import { say, visit } from './browser.js';
import { example, start } from './program.js';
import { Server } from './server.js';

/** As tests/run.sh builds it. */
export const binary = process.env.SIGNALPOST_BOT ?? new URL('../../../target/debug/signalpost-bot', import.meta.url).pathname;

export async function serve(t) {
  const server = await Server.start(['--room-capacity', '8']);
  t.after(() => server.stop());
  return server;
}

/** examples/bot, in a room. */
export async function bot(t, server, room, ...options) {
  const program = start(t, example('bot'), binary, server.base, room, ...options);
  await program.printed(`in ${room} as Bot`);
  return program;
}

/** A page in the room, without a camera unless `options` say so. */
export async function visitor(t, browser, server, options) {
  const page = await visit(browser, server.base, { media: 'none', ...options });
  t.after(() => page.context().close());
  return page;
}

/** Says something, to which the bot answers with the same. */
export async function echo(page, text) {
  await say(page, `echo ${text}`);
  await page.getByTestId('chat-entry').filter({ hasText: text }).nth(1).waitFor();
}
