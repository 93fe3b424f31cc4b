// Is openai_server.mjs like the real one? Recorded clients are replayed against it: it accepts what
// they sent, and its events have the recorded order and members.
//
//   node openai_check.mjs RECORDING.jsonl…        prints "ok name" or "not ok name" lines
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { serve } from './openai_server.mjs';

const require = createRequire(import.meta.url);
const WebSocket = require('ws');

// Come when they like: beside the order of the others.
const LOOSE = /input_audio_transcription|rate_limits|conversation\.created/;
// Members that only some models have, and those of usage.
const OPTIONAL = new Set(['phase', 'obfuscation', 'usage', 'metadata', 'reasoning', 'parallel_tool_calls', 'logprobs', 'object', 'name', 'channel']);

const order = events => events.map(e => e.type).filter(t => !LOOSE.test(t))
    // Text and audio of one answer are interleaved as they come.
    .map(t => /^response\.output_(audio|audio_transcript|text)\.delta$/.test(t) ? 'response.(audio or text).delta' : t)
    .filter((t, i, all) => t !== all[i - 1]);

function members(event) {
    const out = new Set();
    const add = (o, prefix) => { for (const k of Object.keys(o ?? {})) if (!OPTIONAL.has(k)) out.add(prefix + k); };
    add(event, '');
    for (const k of ['item', 'response', 'part', 'error']) if (event[k]) add(event[k], `${k}.`);
    out.delete('content'); // Azure's, beside part
    return out;
}

function shapes(events) {
    const out = new Map();
    for (const e of events) {
        const key = e.item ? `${e.type}/${e.item.type}` : e.type;
        out.set(key, out.has(key) ? new Set([...out.get(key)].filter(m => members(e).has(m))) : members(e));
    }
    return out;
}

function scenarioOf(received) {
    const answers = [];
    let tool = null;
    for (const e of received) {
        if (e.type === 'response.function_call_arguments.done') tool = { name: received.find(x => x.item?.call_id === e.call_id).item.name, arguments: JSON.parse(e.arguments) };
        if (e.type === 'response.output_audio_transcript.done') answers.push({ text: e.transcript, ms: 400 });
        if (e.type === 'response.output_text.done') answers.push({ text: e.text, ms: 400 });
    }
    return { answers: tool ? [{ tool }, ...answers] : answers, words: ['Hello, my name is Marcelo.'], pace_ms: 1 };
}

// The recordings hold the first bytes of each append only, so speech is put in its place.
async function speak(ws) {
    for (let i = 0; i < 100; i++) {
        const b = Buffer.alloc(960);
        for (let k = 0; i < 50 && k < 480; k++) b.writeInt16LE(Math.round(6000 * Math.sin(k / 10)), 2 * k);
        ws.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: b.toString('base64') }));
    }
}

async function check(file) {
    const steps = fs.readFileSync(file, 'utf8').trim().split('\n').map(l => JSON.parse(l));
    const received = steps.filter(s => s.direction === 'received').map(s => s.data);
    const refused = [];
    const dialect = /^xai/.test(path.basename(file)) ? 'xai' : 'openai';
    const { web, port } = await serve({ dialect, scenario: scenarioOf(received), log: l => l.event === 'refused' && refused.push(l) });
    const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime?model=gpt-realtime`, { headers: { authorization: 'Bearer sk-test' } });
    const got = [];
    const waiting = [];
    ws.on('message', d => { got.push(JSON.parse(d)); for (const w of [...waiting]) w(); });
    const until = what => new Promise((yes, no) => {
        const t = setTimeout(() => no(new Error(`nothing like ${what}`)), 5000);
        const look = () => { if (what()) { clearTimeout(t); waiting.splice(waiting.indexOf(look), 1); yes(); } };
        waiting.push(look);
        look();
    });
    const count = type => got.filter(e => e.type === type).length;
    let spoke = false, calls = 0;
    for (let i = 0; i < steps.length; i++) {
        const s = steps[i];
        if (s.direction !== 'sent') continue;
        // Everything the client had seen by then, except deltas, has come here too.
        const seen = steps.slice(0, i).filter(x => x.direction === 'received').map(x => x.data.type);
        for (const type of ['session.created', 'session.updated', 'response.function_call_arguments.done', 'response.done'])
            await until(() => count(type) >= seen.filter(t => t === type).length);
        if (s.data.type === 'input_audio_buffer.append') {
            if (!spoke) await speak(ws);
            spoke = true;
            continue;
        }
        const m = structuredClone(s.data);
        if (m.item?.call_id) m.item.call_id = got.filter(e => e.type === 'response.function_call_arguments.done')[calls++].call_id;
        ws.send(JSON.stringify(m));
    }
    const ends = received.filter(e => e.type === 'response.done').length;
    await until(() => count('response.done') >= ends);
    ws.close();
    web.close();
    web.closeAllConnections();
    const problems = refused.map(r => `refused: ${r.message}`);
    const sorted = l => /tool/.test(file) ? [...l].sort() : l; // the recorded client did not wait
    const a = sorted(order(received)), b = sorted(order(got));
    if (a.join() !== b.join()) problems.push(`order: recorded ${a.join(' ')}\n           here ${b.join(' ')}`);
    const mine = shapes(got);
    for (const [key, want] of shapes(received)) {
        const have = mine.get(key);
        if (!have || LOOSE.test(key) && !have) { if (!LOOSE.test(key)) problems.push(`never sent: ${key}`); continue; }
        for (const m of want) if (!have.has(m)) problems.push(`${key}: lacks ${m}`);
        for (const m of have) if (!want.has(m)) problems.push(`${key}: has ${m}, the recording does not`);
    }
    return problems;
}

let bad = 0;
for (const file of process.argv.slice(2)) {
    const name = `the server is like the recording ${path.basename(file, '.jsonl')}`;
    const problems = await check(file).catch(e => [e.stack]);
    console.log(`${problems.length ? 'not ok' : 'ok'} ${name}`);
    for (const p of problems) console.log(`    ${p}`);
    bad ||= problems.length;
}
process.exit(bad ? 1 : 0);
