import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

/**
 * A certificate authority, a certificate for hosts, and a home directory for browsers that trust it, for pages and `turns:`.
 *
 * @param {string[]} names such as `DNS:localhost` and `IP:127.0.0.1`
 */
export async function authority(names) {
  const folder = await mkdtemp(join(tmpdir(), 'signalpost-net-'));
  const at = (name) => join(folder, name);
  await run('openssl', ['req', '-x509', ...KEY, '-subj', '/CN=Signalpost tests', '-keyout', at('ca.key'), '-out', at('ca.pem')]);
  await run('openssl', ['req', '-x509', ...KEY, '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-subj', '/CN=Signalpost', '-keyout', at('key.pem'), '-out', at('cert.pem'),
    '-addext', `subjectAltName=${names.join()}`, '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=serverAuth']);
  const database = `sql:${at('.pki/nssdb')}`;
  await mkdir(at('.pki/nssdb'), { recursive: true });
  await run('certutil', ['-d', database, '-N', '--empty-password']);
  await run('certutil', ['-d', database, '-A', '-t', 'C,,', '-n', 'tests', '-i', at('ca.pem')]);
  return { folder, cert: at('cert.pem'), key: at('key.pem'), ca: at('ca.pem') };
}
