// The npm module "ws" and headless Chromium as peers of net/ws, over ws_peer.
// node ws_peers.js WS_PEER CERTS_DIR [CHROMIUM]: prints "ok name" or "not ok name" lines.
'use strict';
const WebSocket = require('ws');
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');

const [peer, certs, chromium] = process.argv.slice(2);
const file = name => path.join(certs, name);
let bad = 0;

function fill(n) { // the same bytes as ws_peer's
    const b = Buffer.alloc(n);
    for (let i = 0; i < n; i++) b[i] = (i * 7 + Math.floor(i / 251)) & 255;
    return b;
}

function sum(b) {
    let s = 0;
    for (const c of b) s = (Math.imul(s, 31) + c) >>> 0;
    return s.toString(16).padStart(8, '0');
}

function want(condition, what) {
    if (!condition) throw new Error(what);
}

async function test(name, run) {
    let timer;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('too late')), 20000); });
    try {
        await Promise.race([run(), late]);
        console.log(`ok ${name}`);
    } catch (e) {
        bad = 1;
        console.log(`not ok ${name}\n    ${e.stack}`);
    }
    clearTimeout(timer);
}

// A ws_peer process whose lines can be awaited.
class Peer {
    constructor(...args) {
        this.lines = [];
        this.waiting = [];
        this.child = spawn(peer, args, { stdio: ['pipe', 'pipe', 'inherit'] });
        this.exited = new Promise(done => this.child.on('exit', (code, signal) => done(code ?? signal)));
        this.child.stdin.on('error', () => {});
        let rest = '';
        this.child.stdout.on('data', d => {
            const parts = (rest + d).split('\n');
            rest = parts.pop();
            for (const line of parts) this.take(line);
        });
    }
    take(line) {
        this.lines.push(line);
        this.waiting = this.waiting.filter(w => !(w.re.test(line) && (w.done(line), true)));
    }
    line(re) { // the first line that matches, from now on or before
        const seen = this.lines.findIndex(l => re.test(l));
        if (seen >= 0) return Promise.resolve(this.lines.splice(seen, 1)[0]);
        return new Promise(done => this.waiting.push({
            re, done: l => { this.lines.splice(this.lines.indexOf(l), 1); done(l); } }));
    }
    say(text) { this.child.stdin.write(text + '\n'); }
    end() { this.child.stdin.end(); return this.exited; }
}

// Messages and the end of a WebSocket of npm's, to be awaited in turn.
function follow(ws) {
    const queue = [], waiting = [];
    const push = x => waiting.length ? waiting.shift()(x) : queue.push(x);
    ws.on('message', (data, binary) => push({ data: Buffer.from(data), binary }));
    ws.on('pong', data => push({ pong: Buffer.from(data) }));
    ws.on('close', (code, reason) => push({ code, reason: reason.toString() }));
    ws.on('error', error => push({ error }));
    ws.on('open', () => push({ open: true }));
    ws.next = () => queue.length ? Promise.resolve(queue.shift()) : new Promise(d => waiting.push(d));
    return ws;
}

// ---- our server -------------------------------------------------------------------------------

async function ourServer(scheme, args) {
    const server = new Peer('serve', ...args);
    const port = (await server.line(/^port /)).split(' ')[1];
    const url = p => `${scheme}://localhost:${port}${p}`;
    const options = { ca: scheme === 'wss' ? fs.readFileSync(file('ca.pem')) : undefined };
    const open = async (p, protocols) => {
        const ws = follow(new WebSocket(url(p), protocols ?? [], options));
        want((await ws.next()).open, 'open');
        return ws;
    };

    await test(`${scheme} server: npm ws gets back every size, text and binary`, async () => {
        const ws = await open('/a?b=c', ['other', 'echo']);
        want(ws.protocol === 'echo', `subprotocol ${ws.protocol}`);
        want(ws.extensions === '', 'no extension although it offers one');
        await server.line(/^request \/a query b=c$/);
        for (const n of [0, 1, 125, 126, 127, 4096, 16370, 16384, 65535, 65536, 1000000]) {
            ws.send(fill(n));
            const m = await ws.next();
            want(m.binary && m.data.equals(fill(n)), `binary ${n}`);
            const text = 'aä€😀'.repeat(n / 10);
            ws.send(text);
            const t = await ws.next();
            want(!t.binary && t.data.toString() === text, `text ${n}`);
        }
        ws.close(4001, 'tschüß');
        const end = await ws.next();
        want(end.code === 4001, `code ${end.code}`);
        await server.line(/^closed VA_OK http 0 code 4001 reason "tschüß"/);
    });
    await test(`${scheme} server: fragments and pings of npm ws`, async () => {
        const ws = await open('/');
        ws.send('one ', { fin: false });
        ws.ping('between');
        ws.send('', { fin: false });
        ws.send('two', { fin: true });
        want((await ws.next()).pong?.toString() === 'between', 'pong');
        want((await ws.next()).data.toString() === 'one two', 'joined');
        for (let i = 0; i < 200; i++) ws.send(`message ${i}`); // many in one segment
        for (let i = 0; i < 200; i++) want((await ws.next()).data.toString() === `message ${i}`, `${i}`);
        ws.terminate();
        await server.line(/^closed VA_ECLOSED/);
    });
    await test(`${scheme} server: a message behind the 101, our close, our refusals`, async () => {
        const ws = await open('/hello');
        want((await ws.next()).data.toString() === 'first', 'first message');
        ws.send('send 300000');
        want((await ws.next()).data.equals(fill(300000)), '300000 bytes');
        ws.send('close 4002 enough');
        const end = await ws.next();
        want(end.code === 4002 && end.reason === 'enough', JSON.stringify(end));
        for (const status of [401, 403, 404, 503]) {
            const no = follow(new WebSocket(url(`/refuse/${status}`), options));
            const e = await no.next();
            want(e.error && e.error.message.includes(`${status}`), `${status}`);
        }
    });
    await test(`${scheme} server: an ordinary HTTP client is told`, async () => {
        const got = await new Promise((yes, no) => (scheme === 'wss' ? https : http).get(
            { host: 'localhost', port, path: '/', agent: false, ...options }, r => {
                let body = '';
                r.on('data', d => { body += d; }).on('end', () => yes({ status: r.statusCode, body }));
            }).on('error', no));
        want(got.status === 426 && got.body.includes('WebSocket'), JSON.stringify(got));
    });
    if (scheme === 'ws') await hostile(port, open);
    server.child.kill('SIGTERM');
    await test(`${scheme} server: ends without a complaint`, async () => {
        const code = await server.exited;
        want(code === 0, `exit ${code}`);
    });
}

// Raw bytes after a good handshake; another connection lives on beside all of them.
async function hostile(port, open) {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
    const raw = bytes => new Promise(done => {
        let got = Buffer.alloc(0);
        const s = net.connect(port, '127.0.0.1', () => s.write(bytes));
        s.on('data', d => { got = Buffer.concat([got, d]); }).on('error', e => done(e)).on('close', () => done(got));
    });
    const code = got => {
        const at = got.indexOf('\r\n\r\n') + 4;
        return got[at] === 0x88 ? got.readUInt16BE(at + 2) : `${got}`;
    };
    const hex = h => Buffer.from(h.replace(/ /g, ''), 'hex');
    const cases = [
        ['2^64-3 bytes', '82 ff ff ff ff ff ff ff ff fd 01 02 03 04', 1002],
        ['2 MB announced', '82 ff 00 00 00 00 00 20 00 00 01 02 03 04', 1009],
        ['no mask', '81 01 78', 1002],
        ['ping of 126 bytes', '89 fe 00 7e 01 02 03 04', 1002],
        ['reserved bit', 'c1 80 01 02 03 04', 1002],
        ['bad UTF-8', '81 81 00 00 00 00 ff', 1007],
        ['endless fragments', '02 80 00 00 00 00' + '00 80 00 00 00 00'.repeat(17000), 1009],
    ];
    await test('hostile frames end their connection with the right code, and nothing else', async () => {
        const ws = await open('/');
        for (const [what, bytes, expected] of cases) {
            const got = await raw(Buffer.concat([Buffer.from(head), hex(bytes)]));
            want(code(got) === expected, `${what}: ${code(got)}`);
            ws.send(what);
            want((await ws.next()).data.toString() === what, 'the other connection');
        }
        ws.close();
    });
    await test('hostile requests get their status', async () => {
        for (const [bytes, status] of [['\x16\x03\x01\x02\x00\x01\r\n\r\n', 400], ['x'.repeat(20000), 431],
            ['GET / HTTP/1.1\r\n' + 'A: b\r\n'.repeat(40) + '\r\n', 431], ['GET / HTTP/1.1\r\nA : b\r\n\r\n', 400],
            [head.replace('GET', 'POST'), 405], [head.replace('13', '12'), 426]]) {
            const got = await raw(bytes);
            want(got.toString().startsWith(`HTTP/1.1 ${status} `), `${status}: ${got}`);
        }
    });
}

// ---- our client -------------------------------------------------------------------------------

async function npmServer(tls, onConnection, more) {
    const web = tls ? https.createServer({ cert: fs.readFileSync(file(`${tls}.pem`)), key: fs.readFileSync(file(`${tls}.key`)), ...more })
        : http.createServer();
    const wss = new WebSocket.Server({ noServer: true, perMessageDeflate: true, handleProtocols: () => 'echo' });
    web.on('upgrade', (request, socket, head) => {
        if (request.url === '/401') return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nbad key');
        if (request.url === '/500') return socket.end('HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsick\r\n0\r\n\r\n');
        if (request.url === '/302') return socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n');
        if (request.url === '/accept') return socket.end('HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n');
        if (request.url === '/garbage') return socket.end('SSH-2.0-hello\r\n\r\n');
        wss.handleUpgrade(request, socket, head, ws => onConnection(ws, request));
    });
    web.on('tlsClientError', () => {});
    await new Promise(done => web.listen(0, '127.0.0.1', done));
    const scheme = tls ? 'wss' : 'ws';
    return { web, url: (p, host) => `${scheme}://${host ?? 'localhost'}:${web.address().port}${p}` };
}

async function ourClient(tls) {
    const scheme = tls ? 'wss' : 'ws';
    const sockets = [];
    const { web, url } = await npmServer(tls, (ws, request) => {
        follow(ws);
        ws.send('first'); // as OpenAI does: with the 101 in one segment
        ws.headers = request.headers;
        sockets.push(ws);
        ws.on('message', (data, binary) => ws.send(data, { binary }));
    });
    const ca = tls ? file('ca.pem') : '';

    await test(`${scheme} client: npm ws gets back every size`, async () => {
        const c = new Peer('connect', url('/x?y'), ca, 'Authorization', 'Bearer k');
        await c.line(/^open echo$/);
        await c.line(/^text 5 .* first$/);
        const ws = sockets.at(-1);
        want(ws.headers.authorization === 'Bearer k', 'header');
        want(ws.extensions === '', 'extensions');
        for (const n of [0, 1, 125, 126, 4096, 16384, 65535, 65536, 1000000]) {
            c.say(`binary ${n}`);
            const line = await c.line(/^binary /);
            want(line === `binary ${n} ${sum(fill(n))} `, `${n}: ${line}`);
        }
        c.say('Grüße 😀');
        await c.line(/^text 12 .* Grüße 😀$/);
        ws.ping('are you there');
        while (!(await ws.next()).pong);
        want(await c.end() === 0, 'exit');
        await c.line(/^closed VA_OK http 0 code 1000/);
    });
    await test(`${scheme} client: masks are new for each frame`, async () => {
        const c = new Peer('connect', url('/'), ca);
        await c.line(/^open/);
        const ws = sockets.at(-1), keys = new Set();
        const decode = ws._receiver.getData;
        ws._receiver.getData = function (cb) { keys.add(this._mask?.toString('hex')); return decode.call(this, cb); };
        for (let i = 0; i < 20; i++) c.say(`m${i}`);
        for (let i = 0; i < 20; i++) await c.line(new RegExp(`^text .* m${i}$`));
        want(keys.size >= 20, `${keys.size} keys`);
        await c.end();
    });
    await test(`${scheme} client: the server's close, and its sudden end`, async () => {
        const c = new Peer('connect', url('/'), ca);
        await c.line(/^open/);
        sockets.at(-1).close(4008, 'session über');
        await c.line(/^closed VA_OK http 0 code 4008 reason "session über"/);
        want(await c.exited === 0, 'exit');
        const d = new Peer('connect', url('/'), ca);
        await d.line(/^open/);
        sockets.at(-1).terminate();
        await d.line(/^closed VA_ECLOSED/);
        await d.exited;
    });
    await test(`${scheme} client: HTTP answers that are none of ours`, async () => {
        for (const [p, expected] of [['/401', /VA_EAUTH http 401 .*reason "bad key".*check the key/], ['/500', /VA_EREFUSED http 500 .*"sick"/],
            ['/302', /VA_EPROTO http 302 .*redirect/], ['/accept', /VA_EPROTO http 101 .*Accept/], ['/garbage', /VA_EPROTO http 0 .*does not answer in HTTP/]]) {
            const c = new Peer('connect', url(p), ca);
            const line = await c.line(/^closed/);
            want(expected.test(line), `${p}: ${line}`);
            await c.exited;
        }
    });
    if (tls) await certificates(url, web.address().port);
    web.close();
    web.closeAllConnections();
}

async function certificates(url) {
    await test('wss client: TLS 1.2, and nothing older', async () => {
        const s = await npmServer('good', ws => ws.on('message', m => ws.send(m, { binary: false })), { maxVersion: 'TLSv1.2' });
        const c = new Peer('connect', s.url('/'), file('ca.pem'));
        await c.line(/^open/);
        c.say('hello');
        await c.line(/^text 5 .* hello$/);
        await c.end();
        s.web.close();
        const old = await npmServer('good', () => {}, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
        const d = new Peer('connect', old.url('/'), file('ca.pem'));
        const line = await d.line(/^closed/);
        want(/VA_EPROTO .*TLS handshake .*(version|protocol)/.test(line), line);
        await d.exited;
        old.web.close();
    });
    await test('wss client: an unknown authority, another host, an expired certificate, no TLS at all', async () => {
        const expect = async (target, ca, re) => {
            const c = new Peer('connect', target, ca);
            const line = await c.line(/^closed/);
            want(re.test(line), line);
            await c.exited;
        };
        await expect(url('/'), '', /VA_EAUTH .*unknown here.*WS_PEER_CA/);
        for (const [name, re] of [['other', /VA_EAUTH .*another host \(other\.example\)/], ['expired', /VA_EAUTH .*expired/], ['self', /VA_EAUTH .*self-signed.*WS_PEER_CA/]]) {
            const s = await npmServer(name, () => {});
            await expect(s.url('/'), file('ca.pem'), re);
            s.web.close();
        }
        const plain = await npmServer(null, () => {});
        await expect(plain.url('/').replace('ws:', 'wss:'), file('ca.pem'), /VA_EPROTO .*does not speak TLS/);
        await expect(url('/').replace('wss:', 'ws:'), '', /VA_E(PROTO|CLOSED|REFUSED) http/);
        plain.web.close();
        const c = new Peer('connect', url('/', '127.0.0.1'), file('ca.pem')); // named by its address
        await c.line(/^open/);
        await c.end();
    });
}

// ---- a browser --------------------------------------------------------------------------------

const page = port => `<!doctype html><title>t</title><pre id=out></pre><script>
const out = t => { document.getElementById('out').textContent += t + '\\n'; };
const ws = new WebSocket('ws://127.0.0.1:${port}/hello', ['echo']);
ws.binaryType = 'arraybuffer';
let n = 0, big = new Uint8Array(200000).map((_, i) => i * 7);
ws.onopen = () => out('open ' + ws.protocol + ' [' + ws.extensions + ']');
ws.onmessage = e => {
    if (n++ === 0) { out('got ' + e.data); ws.send('Grüße 😀'); }
    else if (n === 2) { out('text ' + e.data); ws.send(big); }
    else { const b = new Uint8Array(e.data); out('binary ' + (b.length === big.length && b.every((x, i) => x === big[i])));
           ws.send('close 4003 so far'); }
};
ws.onclose = e => { out('closed ' + e.code + ' ' + e.reason + ' ' + e.wasClean); fetch('/done?' + encodeURIComponent(document.getElementById('out').textContent)); };
</script>`;

async function browser() {
    const server = new Peer('serve');
    const port = (await server.line(/^port /)).split(' ')[1];
    const profile = fs.mkdtempSync(file('chromium-')); // removed with the certificates
    let child;
    await test('a browser (headless Chromium) converses', async () => {
        const told = await new Promise((yes, no) => {
            const web = http.createServer((q, r) => {
                if (q.url.startsWith('/done?')) { yes(decodeURIComponent(q.url.slice(6))); web.close(); }
                r.setHeader('Content-Type', 'text/html; charset=utf-8');
                r.end(q.url === '/' ? page(port) : '');
            }).listen(0, '127.0.0.1', () => {
                child = spawn(chromium, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
                    `--user-data-dir=${profile}`, `http://127.0.0.1:${web.address().port}/`],
                    { stdio: 'ignore', detached: true, env: { ...process.env, HOME: profile } });
                child.on('error', no).on('exit', code => no(new Error(`chromium ended with ${code}`)));
            });
        });
        want(told === 'open echo []\ngot first\ntext Grüße 😀\nbinary true\nclosed 4003 so far true\n', told);
    });
    if (child?.pid) process.kill(-child.pid, 'SIGKILL'); // and the processes that it started
    server.child.kill('SIGTERM');
    await server.exited;
}

(async () => {
    await ourServer('ws', []);
    await ourServer('wss', [file('good.pem'), file('good.key')]);
    await ourClient(null);
    await ourClient('good');
    if (chromium) await browser();
    process.exit(bad);
})();
