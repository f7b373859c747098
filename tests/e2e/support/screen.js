import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A screen that nobody sees: WebKitGTK does not start without one, and Firefox has none to share. */
export class Screen {
  static async start() {
    const child = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const gone = once(child, 'exit').then(() => { throw new Error('Xvfb ended before it had a display'); });
    const [number] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone]);
    gone.catch(() => {});
    return Object.assign(new Screen(), { child, display: `:${number}` });
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}
