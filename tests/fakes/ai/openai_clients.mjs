// Clients that are not ours against openai_server.mjs: OpenAI's own JavaScript SDK and its agents
// package, as npm has them. Whatever the server refuses or they do not understand fails.
//
//   NODE_PATH=… node openai_clients.mjs        prints "ok name" or "not ok name" lines
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { serve } from './openai_server.mjs';

const require = createRequire(import.meta.url);
let bad = 0;

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'clients'));
const tls = { cert: `${dir}/cert.pem`, key: `${dir}/key.pem` };
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', tls.key, '-out', tls.cert], { stdio: 'ignore' });

async function test(name, scenario, run, files = {}) {
    const refused = [], log = [];
    const { web, port } = await serve({ ...files, scenario, log: l => { log.push(l); if (l.event === 'refused') refused.push(l); } });
    let timer;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('too late')), 15000); });
    try {
        await Promise.race([run(port, log), late]);
        if (refused.length) throw new Error(`refused: ${JSON.stringify(refused)}`);
        console.log(`ok ${name}`);
    } catch (e) {
        bad = 1;
        console.log(`not ok ${name}\n    ${e.stack}`);
    }
    clearTimeout(timer);
    web.closeAllConnections();
    web.close();
}

const want = (condition, what) => { if (!condition) throw new Error(what); };

function speech(ms, voice) { // pcm, 24 kHz
    const b = Buffer.alloc(48 * ms);
    for (let k = 0; voice && k < 24 * ms; k++) b.writeInt16LE(Math.round(6000 * Math.sin(k / 10)), 2 * k);
    return b;
}

const { OpenAI } = require('openai');
const { OpenAIRealtimeWS } = require('openai/realtime/ws');

await test('the openai package takes a turn', { answers: [{ text: 'Good day.', ms: 500 }] }, port => new Promise((yes, no) => {
    const client = new OpenAI({ apiKey: 'sk-test', baseURL: `https://localhost:${port}/v1` });
    const rt = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: fs.readFileSync(tls.cert) } }, client);
    let text = '', bytes = 0;
    rt.on('error', no);
    rt.on('session.created', () => rt.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['audio'] } }));
    rt.on('session.updated', () => {
        rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] } });
        rt.send({ type: 'response.create' });
    });
    rt.on('response.output_audio.delta', e => { bytes += Buffer.from(e.delta, 'base64').length; });
    rt.on('response.output_audio_transcript.done', e => { text = e.transcript; });
    rt.on('response.done', () => {
        rt.close();
        try { want(text === 'Good day.' && bytes === 48 * 500, `heard "${text}", ${bytes} bytes`); yes(); } catch (e) { no(e); }
    });
}), tls);

const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebSocket, tool } = require('@openai/agents-realtime');

async function agent(port, tools) {
    const transport = new OpenAIRealtimeWebSocket({ url: `ws://127.0.0.1:${port}/v1/realtime?model=gpt-realtime`, useInsecureApiKey: true });
    const session = new RealtimeSession(new RealtimeAgent({ name: 'a', instructions: 'Be brief.', tools }), { transport, model: 'gpt-realtime', tracingDisabled: true });
    const events = [];
    transport.on('*', e => events.push(e));
    session.on('error', e => events.push({ type: 'error', e }));
    await session.connect({ apiKey: 'sk-test' });
    const until = async what => { while (!what()) await new Promise(r => setTimeout(r, 5)); };
    return { session, events, until, has: type => events.filter(e => e.type === type).length };
}

await test('the agents package: a spoken turn, its words, its answer', { answers: [{ text: 'At six.', ms: 400 }], words: ['when do you close'] }, async port => {
    const a = await agent(port);
    a.session.sendAudio(speech(900, true));
    for (let i = 0; i < 40; i++) a.session.sendAudio(speech(50, false));
    await a.until(() => a.has('response.done') && a.has('conversation.item.input_audio_transcription.completed'));
    want(JSON.stringify(a.session.history).includes('At six.'), 'the answer is in its history');
    a.session.close();
});

await test('the agents package interrupts: cancel and truncate', { answers: [{ text: 'A long one.', ms: 20000 }], pace_ms: 20 }, async (port, log) => {
    const a = await agent(port);
    a.session.sendMessage('go on');
    await a.until(() => a.has('response.output_audio.delta') > 3);
    await new Promise(r => setTimeout(r, 200));
    a.session.interrupt();
    await a.until(() => a.has('response.done'));
    want(log.some(l => l.event === 'answer-end' && l.status === 'cancelled'), 'cancelled');
    want(log.some(l => l.event === 'truncated' && l.ms > 0 && l.ms < 20000), 'truncated');
    a.session.close();
});

await test('the agents package runs a tool', { answers: [{ tool: { name: 'transfer', arguments: { destination: 'sales' } } }, { text: 'Done.', ms: 300 }] }, async (port, log) => {
    let called = '';
    const transfer = tool({
        name: 'transfer', description: 'd', strict: true,
        parameters: { type: 'object', properties: { destination: { type: 'string' } }, required: ['destination'], additionalProperties: false },
        execute: async x => { called = x.destination; return 'ok'; },
    });
    const a = await agent(port, [transfer]);
    a.session.sendMessage('sales please');
    await a.until(() => a.has('response.done') >= 2);
    want(called === 'sales', 'the tool ran');
    want(log.some(l => l.message?.item?.type === 'function_call_output'), 'its result came');
    a.session.close();
});

fs.rmSync(dir, { recursive: true });
process.exit(bad);
