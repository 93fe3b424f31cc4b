// FreeSWITCH's streaming modules as npm's ws plays them, against tests/peers/ws_leg_peer.
'use strict';
const {spawn} = require('child_process');
const fs_ = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');
const WebSocket = require('ws');

const [program, daemon] = process.argv.slice(2);
const CALL = '11111111-2222-3333-4444-555555555555';
const FRAME_MS = 20;
let bad = 0;

function verdict(name, good, why) {
  console.log(`${good ? 'ok' : 'not ok'} ${name}`);
  if (!good) {
    bad = 1;
    if (why) console.log(`    ${why}`);
  }
}

// A running ws_leg_peer; line(pattern) resolves with the match of its next such line.
async function bench(...options) {
  const child = spawn(program, options, {stdio: ['ignore', 'pipe', 'ignore']});
  const lines = [], waiting = [];
  let rest = '';
  const look = () => {
    for (let i = waiting.length - 1; i >= 0; i--) {
      const hit = lines.map(l => l.match(waiting[i].pattern)).find(m => m);
      if (hit) waiting.splice(i, 1)[0].resolve(hit);
    }
  };
  child.stdout.on('data', d => {
    rest += d;
    const parts = rest.split('\n');
    rest = parts.pop();
    lines.push(...parts);
    look();
  });
  const b = {
    child, lines,
    line: pattern => new Promise(resolve => { waiting.push({pattern, resolve}); look(); }),
    over: new Promise(resolve => child.on('exit', (code, signal) => resolve(code ?? signal))),
  };
  const at = (await b.line(/listening 127\.0\.0\.1:(\d+)/))[1];
  b.port = Number(at);
  b.url = path => `ws://127.0.0.1:${at}${path}`;
  return b;
}

const opened = ws => new Promise((resolve, reject) => {
  ws.on('open', resolve);
  ws.on('error', reject);
});
const closed = ws => new Promise(resolve => ws.on('close', (code, reason) => resolve({code, reason})));
const status = (url, options) => new Promise(resolve => {
  const ws = new WebSocket(url, options);
  ws.on('unexpected-response', (req, res) => { resolve(res.statusCode); req.destroy(); });
  ws.on('open', () => { resolve(101); ws.terminate(); });
  ws.on('error', () => resolve(0));
});

// 20 ms of a tone, each frame with its number in the first sample.
function frame(n, rate, channels = 1) {
  const count = rate / 50;
  const b = Buffer.alloc(count * 2 * channels);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < channels; c++)
      b.writeInt16LE(c ? -1 : i ? Math.round(8000 * Math.sin(2 * Math.PI * 440 * i / rate)) : n,
                     (i * channels + c) * 2);
  return b;
}

// Speak n frames at the pace of speech.
function speak(ws, n, make) {
  return new Promise(resolve => {
    let i = 0;
    const timer = setInterval(() => {
      if (i === n || ws.readyState !== WebSocket.OPEN) {
        clearInterval(timer);
        resolve();
      } else ws.send(make(++i));
    }, FRAME_MS);
  });
}

// ---- modules that play by themselves

async function binaryBack(name, query, subprotocol, rate, channels) {
  const b = await bench('echo=1');
  const ws = new WebSocket(b.url(`/stream/default/${CALL}/5511${query}`), subprotocol || []);
  const numbers = [];
  let size = 0, peak = 0;
  ws.on('message', (data, binary) => {
    if (!binary) return;
    size = data.length;
    for (let i = 2; i + 1 < size; i += 2) peak = Math.max(peak, data.readInt16LE(i));
    const n = data.readInt16LE(0);
    if (n > 0) numbers.push(n);
  });
  await opened(ws);
  ws.send(JSON.stringify({call: CALL}));
  await speak(ws, 40, i => frame(i, rate, channels));
  const negotiated = ws.protocol;
  ws.close(1000);
  await b.over;
  // Converted to the call's rate and back the numbers are lost, the tone is not.
  const inOrder = rate !== 8000 || numbers.every((n, i) => !i || n > numbers[i - 1]);
  verdict(`${name}: what the caller says comes back, frame by frame, in order`,
          numbers.length > 25 && inOrder && size === rate / 50 * 2 && peak > 7500 && peak < 8600,
          `${numbers.length} frames of ${size} bytes, peak ${peak}: ${numbers.slice(0, 9)}`);
  if (subprotocol) verdict(`${name}: its subprotocol is agreed on`, negotiated === subprotocol);
}

async function ulaw() {
  const b = await bench('echo=1', 'playback=binary');
  const ws = new WebSocket(b.url(`/stream/default/${CALL}?codec=pcmu`));
  let same = 0, other = 0;
  ws.on('message', (data, binary) => {
    if (!binary) return;
    if (data.length === 160 && data[10] === 0x9a) same++;
    else if (data[10] !== 0xff) other++;
  });
  await opened(ws);
  await speak(ws, 40, () => Buffer.alloc(160, 0x9a));
  ws.close(1000);
  await b.over;
  verdict('µ-law there and back is the same bytes', same > 20 && !other, `${same} ${other}`);
}

async function jsonBack() {
  const b = await bench('echo=1', 'playback=json', 'flush=600');
  const ws = new WebSocket(b.url(`/stream/default/${CALL}`));
  let good = 0, stop = false;
  ws.on('message', (data, binary) => {
    if (binary) return;
    const m = JSON.parse(data);
    if (m.type === 'stopAudio') stop = true;
    if (m.type === 'streamAudio' && m.data.audioDataType === 'raw' && m.data.sampleRate === 8000 &&
        Buffer.from(m.data.audioData, 'base64').length === 320) good++;
  });
  await opened(ws);
  await speak(ws, 50, i => frame(i, 8000));
  ws.close(1000);
  await b.over;
  verdict('a module that plays JSON gets a frame every 20 ms', good > 30, `${good}`);
  verdict('an interruption stops what it plays', stop);
}

// ---- the open edition: a FreeSWITCH with its control socket, played here too

// Answers the commands of a session; `play(file)` is called for executes of playback.
function freeswitch(port, onStream) {
  const s = net.connect(port, '127.0.0.1');
  const fs = {socket: s, playing: [], breaks: 0, queue: []};
  let rest = '';
  const reply = text => s.write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`);
  const api = text => s.write(`Content-Type: api/response\nContent-Length: ${Buffer.byteLength(text)}\n\n${text}`);
  fs.event = text => s.write(`Content-Length: ${Buffer.byteLength(text)}\nContent-Type: text/event-plain\n\n${text}`);
  fs.custom = (name, body) => fs.event(
      `Event-Name: CUSTOM\nEvent-Subclass: mod_audio_stream%3A%3A${name}\nUnique-ID: ${CALL}\n` +
      `Content-Length: ${Buffer.byteLength(body)}\n\n${body}`);
  // One playback behind the other, each as long as its file.
  fs.next = () => {
    const p = fs.queue[0];
    if (!p || p.timer) return;
    p.timer = setTimeout(() => {
      fs.queue.shift();
      fs.playing.push(p);
      fs.event(`Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: ${CALL}\nApplication: playback\n` +
               `Application-UUID: ${p.uuid}\nApplication-Response: FILE%20PLAYED\n\n`);
      fs.next();
    }, fs.files[p.file].ms);
  };
  fs.files = {};
  const command = text => {
    const [head] = text.split('\n');
    if (head === 'connect')
      s.write(`Event-Name: CHANNEL_DATA\nUnique-ID: ${CALL}\nChannel-Read-Codec-Rate: 8000\n` +
              'Answer-State: answered\nCaller-Destination-Number: 8000\n' +
              'Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n');
    else if (head.startsWith('api uuid_audio_stream') && head.includes(' start ')) {
      api('+OK Success\n');
      onStream(head.split(' ')[4]);
    } else if (head.startsWith('api uuid_break')) {
      fs.breaks++;
      for (const p of fs.queue) clearTimeout(p.timer);
      fs.queue = [];
      api('+OK\n');
    } else if (head.startsWith('api ')) api('+OK\n');
    else if (head === 'sendmsg' && text.includes('execute-app-name: playback')) {
      fs.queue.push({file: text.match(/execute-app-arg: (.*)/)[1], uuid: text.match(/Event-UUID: (.*)/)[1]});
      reply('+OK');
      fs.next();
    } else reply('+OK');
  };
  s.on('data', d => {
    rest += d;
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2))
      command(rest.slice(0, end).trim());
  });
  s.on('error', () => {});
  return fs;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.on('listening', resolve));
  const port = server.address().port;
  await new Promise(resolve => server.close(resolve));
  return port;
}

async function openEdition(options, run) {
  const esl = await freePort();
  const b = await bench('mode=dual', 'unparked=1', `esl=${esl}`, 'tone=1000', ...options);
  let files = 0, bytes = 0;
  const streaming = new Promise(resolve => {
    const fs = freeswitch(esl, url => {
      const ws = new WebSocket(url, {headers: {Origin: `http://127.0.0.1:${b.port}`}});
      ws.on('message', (data, binary) => {
        if (binary) return; // dropped by this edition
        const m = JSON.parse(data);
        if (m.type !== 'streamAudio') return;
        const audio = Buffer.from(m.data.audioData, 'base64');
        const file = `/tmp/${CALL}_${files++}.tmp.r8`;
        bytes += audio.length;
        fs.files[file] = {ms: audio.length / 16, audio};
        fs.custom('play', JSON.stringify({audioDataType: 'raw', sampleRate: 8000, file}));
      });
      ws.on('open', () => resolve({fs, ws}));
    });
  });
  const {fs, ws} = await streaming;
  await run(b, fs, ws);
  fs.event(`Event-Name: CHANNEL_HANGUP\nUnique-ID: ${CALL}\n\n`);
  await b.over;
  ws.terminate();
  fs.socket.destroy();
  return {b, fs, files, bytes};
}

async function openEditionPlays() {
  const {b, fs} = await openEdition(['playback=auto'], async (b, fs, ws) => {
    await speak(ws, 100, i => frame(i, 8000));
  });
  const played = fs.playing.filter(p => fs.files[p.file].ms > 20);
  const sound = Buffer.concat(played.map(p => fs.files[p.file].audio));
  let jump = 0;
  for (let i = 2; i < sound.length; i += 2)
    jump = Math.max(jump, Math.abs(sound.readInt16LE(i) - sound.readInt16LE(i - 2)));
  verdict('the open edition is found out and its files are played', played.length > 5, b.lines.join('\n    '));
  verdict('nothing of the tone is missing between two files', jump > 3000 && jump < 6300, `${jump}`);
}

async function openEditionIsInterrupted() {
  const {b, fs} = await openEdition(['playback=broadcast', 'flush=1000'], async (b, fs, ws) => {
    await speak(ws, 100, i => frame(i, 8000));
  });
  const heard = fs.playing.reduce((ms, p) => ms + fs.files[p.file].ms, 0);
  const unheard = Number((b.lines.join('\n').match(/unheard_ms=(\d+)/) || [])[1]);
  verdict('an interruption breaks what plays, once', fs.breaks === 1 && fs.queue.length === 0);
  verdict('what nobody heard is told', unheard > 40 && unheard < 600 && heard > 400,
          `heard ${heard} unheard ${unheard}`);
}

// ---- the whole daemon

async function daemonGreets() {
  const data = fs_.mkdtempSync(path.join(os.tmpdir(), 'voice-ai-'));
  const esl = await freePort(), port = await freePort();
  const env = {...process.env, AUDIO_MODE: 'dual', WS_PLAYBACK: 'binary', WS_HOST: '127.0.0.1',
               WS_PORT: port, ESL_SERVER_HOST: '127.0.0.1', ESL_SERVER_PORT: esl, DATA_DIR: data};
  const child = spawn(daemon, ['--env', '/dev/null', 'serve'], {env, stdio: ['ignore', 'ignore', 'pipe']});
  let log = '';
  const until = pattern => new Promise(resolve => {
    const look = () => pattern.test(log) && resolve(true);
    child.stderr.on('data', look);
    child.on('exit', () => resolve(false));
    look();
  });
  child.stderr.on('data', d => { log += d; });
  const over = new Promise(resolve => child.on('exit', resolve));
  const ready = await until(/event=ready/);
  let loud = 0, total = 0;
  const greeted = ready && await new Promise(resolve => {
    child.on('exit', () => resolve(false));
    const fs = freeswitch(esl, url => {
      const ws = new WebSocket(url);
      ws.on('message', (m, binary) => {
        if (!binary) return;
        total++;
        for (let i = 0, peak = 0; i + 1 < m.length; i += 2) {
          peak = Math.max(peak, Math.abs(m.readInt16LE(i)));
          if (peak > 1000) { loud++; break; }
        }
        if (loud === 25) {
          fs.event(`Event-Name: CHANNEL_HANGUP\nUnique-ID: ${CALL}\n\n`);
          ws.close(1000);
          resolve(true);
        }
      });
      ws.on('open', () => speak(ws, 3000, () => Buffer.alloc(320)));
      ws.on('error', () => {});
    });
  });
  verdict('the daemon greets a caller through a stream it asked for', greeted, log);
  verdict('the call ends with the hang-up', await until(/event=call-end outcome=hung-up.* mode=dual/), log);
  child.kill('SIGTERM');
  verdict('and the daemon with the signal', await over === 0, log);
  fs_.rmSync(data, {recursive: true, force: true});
}

// ---- clients that mean no good

const raw = (port, bytes) => new Promise(resolve => {
  const s = net.connect(port, '127.0.0.1', () => s.write(bytes));
  let got = Buffer.alloc(0);
  s.on('data', d => { got = Buffer.concat([got, d]); });
  s.on('error', () => {});
  s.on('close', () => resolve(got));
});

const HELLO = `GET /stream/default/${CALL} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n` +
    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function closeCode(got) {
  const end = got.indexOf('\r\n\r\n');
  const frames = got.subarray(end + 4);
  return end > 0 && frames.length >= 4 && frames[0] === 0x88 ? frames.readUInt16BE(2) : 0;
}

async function hostile() {
  const b = await bench('calls=1000', 'token=s3cret', 'seconds=60');
  const where = `/stream/default/${CALL}`;
  verdict('no token: 401', await status(b.url(where)) === 401);
  verdict('a wrong token: 401', await status(b.url(`${where}?token=s3cre`)) === 401);
  verdict('a page of a browser: 403', await status(b.url(where), {origin: 'http://evil.example'}) === 403);
  verdict('the token in the URL lets in', await status(b.url(`${where}?token=s3cret`)) === 101);
  verdict('the token in a header lets in', await status(b.url(where), {headers: {'X-Auth-Token': 's3cret'}}) === 101);
  verdict('a wrong path: 404', await status(b.url('/x?token=s3cret')) === 404);
  verdict('a wrong uuid: 400', await status(b.url('/stream/default/a%20b?token=s3cret')) === 400);
  verdict('an old one-time token: 404', await status(b.url('/call/0123456789abcdef0123456789abcdef')) === 404);
  const hello = HELLO.replace(where, `${where}?token=s3cret`);
  const cases = [
    ['an unmasked frame', Buffer.from([0x82, 0x02, 1, 2]), 1002],
    ['a length of 2^64-3', Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 253, 0, 0, 0, 0]), 1009],
    ['a length of 1 MB', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0]), 1009],
    ['reserved bits', Buffer.from([0xf2, 0x80, 0, 0, 0, 0]), 1002],
    ['wrong UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007],
  ];
  for (const [name, bytes, want] of cases) {
    const code = closeCode(await raw(b.port, Buffer.concat([Buffer.from(hello), bytes])));
    verdict(`${name}: close ${want}`, code === want || (want === 1009 && code === 1002), `${code}`);
  }
  const garbage = await raw(b.port, Buffer.from('\x16\x03\x01\r\n\r\n\r\n', 'latin1'));
  verdict('what is not HTTP: 400', garbage.toString('latin1').startsWith('HTTP/1.1 400 '));
  const flood = Array.from({length: 300}, () => net.connect(b.port, '127.0.0.1').on('error', () => {}));
  await Promise.all(flood.map(s => new Promise(resolve => { s.on('connect', resolve); s.on('close', resolve); })));
  flood.forEach(s => s.destroy());
  let after = 0;
  for (let i = 0; i < 50 && after !== 101; i++) after = await status(b.url(`${where}?token=s3cret`));
  verdict('after 300 that say nothing the port still serves', after === 101, `${after}`);
  b.child.kill();
  await b.over;
}

setTimeout(() => {
  verdict('the script ends in time', false);
  process.exit(1);
}, 120000).unref();

(async () => {
  await binaryBack('commercial edition', '?playback=binary', '', 8000, 1);
  await binaryBack('commercial edition, 16 kHz', '?playback=binary&rate=16000', '', 16000, 1);
  await binaryBack('stereo, the caller is the first channel', '?playback=binary&channels=2&rate=8000', '', 8000, 2);
  await binaryBack('mod_audio_fork of jambonz', '', 'audio.jambonz.org', 8000, 1);
  await ulaw();
  await jsonBack();
  await openEditionPlays();
  await openEditionIsInterrupted();
  await hostile();
  await daemonGreets();
  process.exit(bad);
})().catch(e => {
  verdict(`the script ends: ${e.stack}`, false);
  process.exit(1);
});
