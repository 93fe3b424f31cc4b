// The remote ends of AI_PROVIDER=pipeline on one port, strict and scripted, for the end-to-end tests.
//
//   node pipeline_server.mjs SCENARIO.json LOG [--tls CERT KEY] [--ws]
//
// Prints "port N" when it listens (the kernel picks the port). Every request is one JSON line in LOG.
//
//   POST /v1/chat/completions        OpenAI and compatible servers: streaming, tools
//   POST /v1/messages                Anthropic
//   POST /v1/audio/speech            OpenAI: raw pcm 24 kHz, cut at odd bytes
//   POST /v1/audio/transcriptions    OpenAI: multipart with a WAV
//   POST /v1/text-to-speech/V/stream ElevenLabs
//   POST /                           Piper: a whole WAV
//   WS   /v1/listen                  Deepgram (--ws: needs npm's module ws in NODE_PATH)
//
// Scenario: {"llm": [step…], "stt": ["text"…], "tts": [step…], "key": "k"}; the last step is repeated.
// A step may have: text, tool {name, arguments}, delay_ms, status, retry_after, error, drop_after and
// stall_after (pieces), split (every byte a write of its own), no_finish, no_done, reasoning,
// one_fragment, whole (a document in place of a stream).
import { readFileSync, appendFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';

const [scenarioFile, logFile, ...rest] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(scenarioFile, 'utf8'));
const option = (name) => { const i = rest.indexOf(name); return i < 0 ? null : rest.slice(i + 1); };
const counts = { llm: 0, stt: 0, tts: 0 };
const log = (entry) => appendFileSync(logFile, JSON.stringify(entry) + '\n');
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));

function step(kind) {
  const all = scenario[kind] ?? [];
  const n = counts[kind]++;
  return all[Math.min(n, all.length - 1)] ?? {};
}

function body(req) {
  return new Promise((go) => {
    const parts = [];
    req.on('data', (b) => parts.push(b));
    req.on('end', () => go(Buffer.concat(parts)));
  });
}

function refuse(res, status, message, headers = {}) {
  log({ refused: status, message });
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify({ error: { message, type: 'invalid_request_error' } }));
}

// Pieces of a stream as the step wants them: late, cut at every byte, stopped, dropped.
async function stream(req, res, s, type, pieces) {
  let gone = false;
  res.on('close', () => { if (!res.writableFinished) { gone = true; log({ closed_by_client: req.url }); } });
  if (s.delay_ms) await sleep(s.delay_ms);
  if (gone) return;
  res.writeHead(200, { 'content-type': type });
  for (let i = 0; i < pieces.length && !gone; i++) {
    if (s.drop_after === i) { res.socket.destroy(); log({ dropped: req.url }); return; }
    if (s.stall_after === i) { log({ stalled: req.url }); return; }
    const bytes = Buffer.from(pieces[i]);
    for (let k = 0; s.split && k < bytes.length; k++) res.write(bytes.subarray(k, k + 1));
    if (!s.split) res.write(bytes);
    if (s.piece_ms) await sleep(s.piece_ms);
  }
  if (!gone) res.end();
}

const words = (text) => text.match(/\S+\s*/g) ?? [];

// ---- the model, twice

function checkMessages(messages, roles) {
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: required';
  let before = null;
  for (const m of messages) {
    if (!roles.includes(m.role)) return `role ${m.role} is unknown`;
    if (m.role === before && m.role !== 'tool') return `two ${m.role} messages in a row`;
    before = m.role;
  }
  return null;
}

function checkChat(q) {
  const known = ['model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice'];
  for (const key of Object.keys(q)) if (!known.includes(key)) return `unknown field ${key}`;
  if (typeof q.model !== 'string' || !q.model) return 'model: required';
  const wrong = checkMessages(q.messages, ['system', 'user', 'assistant', 'tool']);
  if (wrong) return wrong;
  if (q.messages[0].role !== 'system' || q.messages[1]?.role !== 'user') return 'system, then user';
  const calls = new Set();
  for (const m of q.messages) {
    for (const c of m.tool_calls ?? []) { JSON.parse(c.function.arguments); calls.add(c.id); }
    if (m.role === 'tool' && !calls.has(m.tool_call_id)) return 'a result without its call';
  }
  for (const t of q.tools ?? [])
    if (t.type !== 'function' || t.function.parameters?.type !== 'object') return 'tools: malformed';
  if (q.stream !== true) return 'this test wants streams';
  return null;
}

function chatPieces(s) {
  const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const out = [': hello\n\n', chunk({ role: 'assistant', content: '' })];
  if (s.reasoning) out.push(chunk({ reasoning_content: s.reasoning }), chunk({ reasoning: s.reasoning }));
  for (const w of words(s.text ?? '')) out.push(chunk({ content: w }));
  if (s.tool) {
    const args = JSON.stringify(s.tool.arguments ?? {});
    const fn = { name: s.tool.name, arguments: s.one_fragment ? args : '' };
    out.push(chunk({ tool_calls: [{ index: 0, id: 'call_7', type: 'function', function: fn }] }));
    for (let i = 0; !s.one_fragment && i < args.length; i += 5)
      out.push(chunk({ tool_calls: [{ index: 0, function: { arguments: args.slice(i, i + 5) } }] }));
  }
  if (!s.no_finish) out.push(chunk({}, s.tool ? 'tool_calls' : 'stop'));
  out.push(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 7 } })}\n\n`);
  if (!s.no_done) out.push('data: [DONE]\n\n');
  return out;
}

async function chat(req, res) {
  const q = JSON.parse(await body(req));
  const s = step('llm');
  log({ llm: 'openai', model: q.model, messages: q.messages, tools: q.tools?.map((t) => t.function.name),
    auth: req.headers.authorization ? 'yes' : 'no' });
  const wrong = checkChat(q);
  if (wrong) return refuse(res, 400, wrong);
  if (scenario.key && req.headers.authorization !== `Bearer ${scenario.key}`)
    return refuse(res, 401, `Incorrect API key provided: ${req.headers.authorization ?? ''}`);
  if (s.status) return refuse(res, s.status, s.error ?? 'no', s.retry_after ? { 'retry-after': s.retry_after } : {});
  if (s.whole) {
    res.writeHead(200, { 'content-type': 'application/json' });
    return res.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: s.text } }] }));
  }
  return stream(req, res, s, 'text/event-stream', chatPieces(s));
}

function messagesPieces(s) {
  const ev = (type, data) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const out = [ev('message_start', { message: { id: 'm', usage: { input_tokens: 9, output_tokens: 1 } } })];
  let index = 0;
  if (s.reasoning) {
    out.push(ev('content_block_start', { index, content_block: { type: 'thinking', thinking: '' } }),
      ev('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: s.reasoning } }),
      ev('content_block_stop', { index: index++ }));
  }
  out.push(ev('content_block_start', { index, content_block: { type: 'text', text: '' } }), ev('ping', {}));
  for (const w of words(s.text ?? '')) out.push(ev('content_block_delta', { index, delta: { type: 'text_delta', text: w } }));
  out.push(ev('content_block_stop', { index: index++ }));
  if (s.tool) {
    const args = JSON.stringify(s.tool.arguments ?? {});
    out.push(ev('content_block_start', { index, content_block: { type: 'tool_use', id: 'toolu_7', name: s.tool.name, input: {} } }));
    for (let i = 0; i < args.length; i += 5)
      out.push(ev('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: args.slice(i, i + 5) } }));
    out.push(ev('content_block_stop', { index }));
  }
  if (s.error) return [...out, ev('error', { error: { type: 'overloaded_error', message: s.error } })];
  out.push(ev('message_delta', { delta: { stop_reason: s.tool ? 'tool_use' : 'end_turn' }, usage: { output_tokens: 7 } }),
    ev('message_stop', {}));
  return out;
}

function checkAnthropic(req, q) {
  const known = ['model', 'max_tokens', 'system', 'messages', 'stream', 'tools'];
  for (const key of Object.keys(q)) if (!known.includes(key)) return `${key}: Extra inputs are not permitted`;
  if (req.headers['anthropic-version'] !== '2023-06-01') return 'anthropic-version: header is required';
  if (!(q.max_tokens > 0)) return 'max_tokens: Field required';
  const wrong = checkMessages(q.messages, ['user', 'assistant']);
  if (wrong) return wrong;
  if (q.messages[0].role !== 'user') return 'first message must use the user role';
  for (const m of q.messages) if (!m.content.length) return 'content must not be empty';
  for (const t of q.tools ?? []) if (t.input_schema?.type !== 'object') return 'tools: malformed';
  return null;
}

async function messages(req, res) {
  const q = JSON.parse(await body(req));
  const s = step('llm');
  log({ llm: 'anthropic', model: q.model, messages: q.messages, tools: q.tools?.map((t) => t.name) });
  if (scenario.key && req.headers['x-api-key'] !== scenario.key) return refuse(res, 401, 'invalid x-api-key');
  const wrong = checkAnthropic(req, q);
  if (wrong) return refuse(res, 400, wrong);
  if (s.status) return refuse(res, s.status, s.error ?? 'no');
  return stream(req, res, s, 'text/event-stream', messagesPieces(s));
}

// ---- voices: a tone whose length follows the text

function tone(text, rate, hz = 600) {
  const n = Math.floor(rate * Math.max(0.4, text.length * 0.05));
  const out = Buffer.alloc(n * 2);
  for (let i = 0; i < n; i++) out.writeInt16LE(Math.round(9000 * Math.sin(2 * Math.PI * hz * i / rate)), i * 2);
  return out;
}

function oddPieces(bytes) {
  const out = [];
  for (let at = 0; at < bytes.length; at += 4801) out.push(bytes.subarray(at, at + 4801));
  return out;
}

function wav(pcm, rate) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + pcm.length, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24); head.writeUInt32LE(rate * 2, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34);
  head.write('data', 36); head.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([head, pcm]);
}

function ulaw(pcm) {
  const out = Buffer.alloc(pcm.length / 2);
  for (let i = 0; i < out.length; i++) {
    let x = pcm.readInt16LE(i * 2);
    const sign = x < 0 ? 0x80 : 0;
    x = Math.min(Math.abs(x), 32635) + 132;
    let e = 7;
    for (let m = 0x4000; e > 0 && !(x & m); m >>= 1) e--;
    out[i] = ~(sign | (e << 4) | ((x >> (e + 3)) & 0xF)) & 0xFF;
  }
  return out;
}

async function voice(req, res, kind) {
  const q = JSON.parse(await body(req));
  const s = step('tts');
  const text = q.input ?? q.text;
  log({ tts: kind, text, voice: q.voice ?? req.url.split('/')[3], url: req.url });
  if (typeof text !== 'string' || !text) return refuse(res, 422, 'input: required');
  if (/[*#_`<>]/.test(text)) return refuse(res, 422, 'markup reached the voice');
  if (s.status) return refuse(res, s.status, s.error ?? 'no');
  if (kind === 'openai' && q.response_format !== 'pcm') return refuse(res, 400, 'response_format');
  if (kind === 'openai') return stream(req, res, s, 'audio/pcm', oddPieces(tone(text, 24000)));
  if (kind === 'piper') return stream(req, res, s, 'audio/wav', oddPieces(wav(tone(text, 22050), 22050)));
  if (!/output_format=ulaw_8000/.test(req.url)) return refuse(res, 400, 'output_format');
  return stream(req, res, s, 'audio/basic', oddPieces(ulaw(tone(text, 8000))));
}

// ---- ears

async function transcribe(req, res) {
  const b = await body(req);
  const text = step('stt');
  const at = b.indexOf('RIFF');
  const field = (name) => new RegExp(`name="${name}"\\r\\n\\r\\n([^\\r]*)`).exec(b.toString('latin1'))?.[1];
  let loud = 0;
  for (let i = at + 44; at >= 0 && i + 1 < at + 44 + b.readUInt32LE(at + 40); i += 2) loud = Math.max(loud, Math.abs(b.readInt16LE(i)));
  const ms = at < 0 ? 0 : Math.round(b.readUInt32LE(at + 40) / b.readUInt32LE(at + 28) * 1000);
  log({ stt: 'openai', model: field('model'), language: field('language'), ms, loud });
  if (at < 0 || ms < 100 || loud < 500) return refuse(res, 400, 'no speech in the file');
  if (text.status) return refuse(res, text.status, 'no');
  res.writeHead(200, { 'content-type': 'application/json' });
  return res.end(JSON.stringify({ text: text.text ?? text }));
}

function listen(ws, req) {
  const q = new URL(req.url, 'http://x').searchParams;
  let bytes = 0, sent = false;
  log({ stt: 'deepgram', query: Object.fromEntries(q), auth: req.headers.authorization ? 'yes' : 'no' });
  const results = (transcript, is_final, from_finalize = false) => ws.send(JSON.stringify({ type: 'Results',
    is_final, speech_final: is_final, from_finalize, channel: { alternatives: [{ transcript, confidence: 0.9, words: [] }] } }));
  ws.on('message', (data, binary) => {
    if (binary) { bytes += data.length; return; }
    const m = JSON.parse(data);
    log({ deepgram: m.type, bytes });
    if (m.type === 'Finalize') {
      const text = step('stt');
      const all = words(text.text ?? text);
      if (all.length > 1) results(all.slice(0, 1).join('').trim(), false);
      results(all.slice(0, -1).join('').trim(), true);
      results(all.slice(-1).join('').trim(), true, true);
      sent = true;
    } else if (m.type === 'CloseStream') ws.close(1000);
    else if (m.type !== 'KeepAlive') ws.close(1008, 'unknown message');
  });
}

// ---- the door

const routes = {
  '/v1/chat/completions': chat,
  '/v1/messages': messages,
  '/v1/audio/speech': (q, s) => voice(q, s, 'openai'),
  '/v1/audio/transcriptions': transcribe,
  '/': (q, s) => voice(q, s, 'piper'),
};

async function onRequest(req, res) {
  const path = new URL(req.url, 'http://x').pathname;
  const eleven = /^\/v1\/text-to-speech\/\w+\/stream$/.test(path);
  const handler = eleven ? (q, s) => voice(q, s, 'elevenlabs') : routes[path];
  if (req.method !== 'POST' || !handler) return refuse(res, 404, `no ${req.method} ${path}`);
  if (req.headers.expect) return refuse(res, 417, 'Expect costs a round trip');
  try { await handler(req, res); } catch (e) { log({ failed: String(e) }); if (!res.headersSent) refuse(res, 400, String(e)); }
}

const tls = option('--tls');
const server = tls ? https.createServer({ cert: readFileSync(tls[0]), key: readFileSync(tls[1]) }, onRequest)
  : http.createServer(onRequest);
if (option('--ws')) {
  const { WebSocketServer } = createRequire(import.meta.url)('ws');
  new WebSocketServer({ server, path: '/v1/listen' }).on('connection', listen);
}
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
