import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { certify } from './proxies.js';

/** @import { At, Recipe } from './proxies.js' */

const deployed = (name) => readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8');

/** A file of `deploy/`, with its ports and paths replaced by this test's. */
const local = (name, { upstream, port, folder }) => {
  const [, upstreamPort] = upstream.split(':');
  return deployed(name)
    .replaceAll('127.0.0.1:8080', upstream)
    .replace('.port = "8080"', `.port = "${upstreamPort}"`)
    .replaceAll('/etc/signalpost/', `${folder}/`)
    .replace('listen 443 ', `listen 127.0.0.1:${port} `)
    .replace('bind :443 ', `bind 127.0.0.1:${port} `)
    .replace('<VirtualHost *:443>', `<VirtualHost 127.0.0.1:${port}>`)
    .replace('signal.example.com', `localhost:${port}`);
};

/** @param {(at: At) => string} servers */
const nginx = (servers) => ({
  command: (path, { folder }) => ['nginx', '-c', path, '-p', folder],
  config: (at) => `
daemon off;
worker_processes 1;
pid ${at.folder}/pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${at.folder}/body;
  proxy_temp_path ${at.folder}/proxy;
  fastcgi_temp_path ${at.folder}/fastcgi;
  uwsgi_temp_path ${at.folder}/uwsgi;
  scgi_temp_path ${at.folder}/scgi;
  ${servers(at)}
}
`,
});

/** @param {(at: At) => string} config */
const haproxy = (config) => ({ command: (path) => ['haproxy', '-db', '-f', path], config });

/** HAProxy with Debian's defaults, and the time-outs that it requires. */
const haproxyWith = (patience) => haproxy(({ upstream, port }) => `
defaults
  mode http
  timeout connect 5s
  timeout client ${patience}
  timeout server ${patience}
frontend web
  bind 127.0.0.1:${port}
  default_backend signalpost
backend signalpost
  server one ${upstream}
`);

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'headers', 'ssl', 'http2', 'socache_shmcb'];

/** @param {(at: At) => string} site */
const apache = (site) => ({
  command: (path) => ['apache2', '-DFOREGROUND', '-f', path],
  config: (at) => `
ServerRoot ${at.folder}
ServerName localhost
PidFile ${at.folder}/pid
DefaultRuntimeDir ${at.folder}
ErrorLog ${at.folder}/error.log
Mutex file:${at.folder} default
User www-data
Group www-data
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
Listen 127.0.0.1:${at.port}
${site(at)}
`,
});

/** @param {(at: At) => string} site */
const caddy = (site) => ({
  command: (path) => ['caddy', 'run', '--config', path, '--adapter', 'caddyfile'],
  config: (at) => `
{
	admin off
	skip_install_trust
	auto_https disable_redirects
	log {
		level ERROR
	}
}
${site(at)}
`,
});

/** @param {(at: At) => string} config */
const varnish = (config) => ({
  command: (path, { port, folder }) => ['varnishd', '-F', '-a', `127.0.0.1:${port}`, '-f', path, '-n', `${folder}/varnish`, '-s', 'malloc,16m'],
  config,
});

/** Reverse proxies with minimal configuration. */
export const DEFAULTS = {
  nginx: nginx(({ upstream, port }) => `server { listen 127.0.0.1:${port}; location / { proxy_pass http://${upstream}; } }`),
  HAProxy: haproxyWith('50s'),
  Apache: apache(({ upstream }) => `ProxyPass / http://${upstream}/`),
  Caddy: caddy(({ upstream, port }) => `http://localhost:${port} {\n\treverse_proxy ${upstream}\n}`),
  Varnish: varnish(({ upstream }) => `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${upstream.split(':')[1]}"; }\n`),
};

/** HAProxy with the file of `deploy/`. Its second server is down unless an address is given. */
export function behindHaproxy(second = '127.0.0.1:9') {
  return { ...haproxy((at) => local('haproxy.cfg', at).replace('127.0.0.1:8082', second)), scheme: 'https', file: 'haproxy.cfg' };
}

/** Reverse proxies with the files that the documentation recommends. */
export const RECOMMENDED = {
  nginx: { ...nginx((at) => local('nginx.conf', at)), scheme: 'https', file: 'nginx.conf' },
  HAProxy: behindHaproxy(),
  Apache: { ...apache((at) => local('apache.conf', at)), scheme: 'https', file: 'apache.conf' },
  Caddy: { ...caddy((at) => local('Caddyfile', at).replace(/localhost:\d+ {/, `$&\n\ttls ${at.folder}/cert.pem ${at.folder}/key.pem`)), scheme: 'https', file: 'Caddyfile' },
  Varnish: { ...varnish((at) => local('varnish.vcl', at)), file: 'varnish.vcl' },
};

const nginxAtPath = (upstream) => ({
  ...nginx((at) => local('nginx.conf', at).replaceAll('location / {', 'location /signal/ {').replace('http://signalpost;', upstream)),
  scheme: 'https',
});

/** Reverse proxies that serve only one path, and pass it on or strip it, as the file describes. */
export const AT_PATH = {
  'passed on': { recipe: nginxAtPath('http://signalpost;'), flags: ['--base-path', '/signal'] },
  'taken away': { recipe: nginxAtPath('http://signalpost/;'), flags: [] },
};

/** Reverse proxies for three servers that share nothing: each room lives on one of them. */
export function sharded(second, third) {
  const spread = (name) => (at) => local(name, at).replaceAll('127.0.0.1:8082', second).replaceAll('127.0.0.1:8084', third);
  return {
    nginx: { ...nginx(spread('nginx-sharded.conf')), scheme: 'https' },
    HAProxy: { ...haproxy(spread('haproxy-sharded.cfg')), scheme: 'https' },
  };
}

/** Each instance has its own name (`-n`), because Squid names its shared memory after it. */
const squid = (extra) => (at) => `
acl SSL_ports port 443
acl CONNECT method CONNECT
${extra(at)}
acl here src 127.0.0.0/8
http_access allow here
http_access deny all
pid_filename ${at.folder}/squid.pid
cache_log ${at.folder}/cache.log
access_log none
cache deny all
pinger_enable off
coredump_dir ${at.folder}
shutdown_lifetime 1 seconds
`;

/** Forward proxies that carry all of a browser's traffic and block WebSockets. */
export const FORWARD = {
  squid: {
    forward: true,
    command: (path, { port }) => ['squid', '-N', '-n', `signalpost${port}`, '-f', path],
    config: squid(({ port }) => `http_port 127.0.0.1:${port}\nhttp_access deny CONNECT !SSL_ports`),
  },
  tinyproxy: {
    forward: true,
    command: (path) => ['tinyproxy', '-d', '-c', path],
    config: ({ port, folder }) => `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 200\nAllow 127.0.0.0/8\nConnectPort 443\nLogFile "${folder}/log"\n`,
  },
  'squid, intercepting TLS': {
    forward: true,
    intercepts: true,
    prepare: async ({ folder }) => {
      await certify(folder);
      await promisify(execFile)('/usr/lib/squid/security_file_certgen', ['-c', '-s', `${folder}/certificates`, '-M', '4MB']);
      await promisify(execFile)('chmod', ['-R', 'a+rwX', folder]);
    },
    command: (path, { port }) => ['squid', '-N', '-n', `signalpost${port}`, '-f', path],
    config: squid(({ port, folder }) => `
http_port 127.0.0.1:${port} ssl-bump cert=${folder}/combined.pem generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program /usr/lib/squid/security_file_certgen -s ${folder}/certificates -M 4MB
sslcrtd_children 2
ssl_bump bump all
tls_outgoing_options flags=DONT_VERIFY_PEER
sslproxy_cert_sign signTrusted all`),
  },
};

/** A strict corporate proxy: it refuses every `Upgrade`, and buffers whole responses before it forwards them. */
export const STRICT = nginx(({ upstream, port }) => `
server {
  listen 127.0.0.1:${port};
  if ($http_upgrade) { return 403; }
  location / { proxy_pass http://${upstream}; proxy_buffering on; }
}
`);

/** A proxy that times out a poll before the server answers it. */
export const IMPATIENT = haproxyWith('8s');
