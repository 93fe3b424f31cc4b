// The services' own JavaScript clients against live_server.mjs: what the server refuses or they do
// not understand fails. NODE_PATH=… node live_clients.mjs prints "ok name" or "not ok name" lines.
import { createRequire } from 'node:module';
import { serve } from './live_server.mjs';

const require = createRequire(import.meta.url);
globalThis.WebSocket ??= require('ws');
let bad = 0;
const want = (condition, what) => { if (!condition) throw new Error(what); };
const until = async what => { while (!what()) await new Promise(r => setTimeout(r, 5)); };

async function test(name, scenario, run) {
    const refused = [], log = [];
    const { web, port } = await serve({ scenario, log: l => { log.push(l); if (l.event === 'refused') refused.push(l); } });
    let timer;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`too late; the server: ${JSON.stringify(log)}`)), 15000); });
    try {
        await Promise.race([run(port, log), late]);
        if (refused.length) throw new Error(`refused: ${JSON.stringify(refused)}`);
        console.log(`ok ${name}`);
    } catch (e) {
        bad = 1;
        console.log(`not ok ${name}\n    ${e.stack ?? e}`);
    }
    clearTimeout(timer);
    web.closeAllConnections();
    web.close();
}
const have = name => { try { return require(name); } catch { console.log(`skipped: no package ${name}`); return null; } };

function speech(rate, ms, voice) {
    const b = Buffer.alloc(2 * rate / 1000 * ms);
    for (let k = 0; voice && k < b.length / 2; k++) b.writeInt16LE(Math.round(6000 * Math.sin(k / 10)), 2 * k);
    return b;
}

const tool = { answers: [{ text: 'Good day.', ms: 400 }, { tool: { name: 'transfer', arguments: { destination: 'sales' } } }, { text: 'It failed.', ms: 300 }], words: ['to sales please'] };

const genai = have('@google/genai');
if (genai) await test('@google/genai: a text, a spoken turn, a tool', { ...tool, old: true, handles: true }, async port => {
    const seen = { text: '', bytes: 0, heard: '', done: 0, calls: [], handle: '', thoughts: 0 };
    const ai = new genai.GoogleGenAI({ apiKey: 'sk-test', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } });
    const session = await ai.live.connect({
        model: 'gemini-2.5-flash-native-audio',
        config: { responseModalities: ['AUDIO'], inputAudioTranscription: {}, outputAudioTranscription: {}, sessionResumption: {},
            tools: [{ functionDeclarations: [{ name: 'transfer', parameters: { type: 'OBJECT', properties: { destination: { type: 'STRING' } } } }] }] },
        callbacks: { onmessage: m => {
            const c = m.serverContent;
            seen.text += c?.outputTranscription?.text ?? '';
            seen.heard += c?.inputTranscription?.text ?? '';
            for (const p of c?.modelTurn?.parts ?? []) { seen.bytes += Buffer.from(p.inlineData?.data ?? '', 'base64').length; seen.thoughts += p.thought ? 1 : 0; }
            if (c?.turnComplete) seen.done++;
            for (const f of m.toolCall?.functionCalls ?? []) seen.calls.push(f);
            seen.handle = m.sessionResumptionUpdate?.newHandle ?? seen.handle;
        } },
    });
    session.sendClientContent({ turns: [{ role: 'user', parts: [{ text: 'hello' }] }], turnComplete: true });
    await until(() => seen.done === 1);
    want(seen.text === 'Good day.' && seen.bytes === 48 * 400 && seen.thoughts === 1 && seen.handle, JSON.stringify(seen));
    for (const voice of [true, false]) for (let i = 0; i < 10; i++) session.sendRealtimeInput({ audio: { data: speech(16000, 100, voice).toString('base64'), mimeType: 'audio/pcm;rate=16000' } });
    await until(() => seen.calls.length);
    want(seen.heard === 'to sales please' && seen.calls[0].name === 'transfer' && seen.calls[0].args.destination === 'sales', JSON.stringify(seen));
    session.sendToolResponse({ functionResponses: [{ id: seen.calls[0].id, name: 'transfer', response: { output: 'failed' } }] });
    await until(() => seen.done === 2);
    want(seen.text === 'Good day.It failed.', seen.text);
    session.close();
});

const deepgram = have('@deepgram/sdk');
if (deepgram) await test('@deepgram/sdk: a text, a spoken turn, a function', tool, async port => {
    const base = `ws://127.0.0.1:${port}`, seen = { bytes: 0, lines: [], done: 0, calls: [], types: [] };
    const client = new deepgram.DeepgramClient({ apiKey: 'sk-test', environment: { base: base.replace('ws', 'http'), production: base, agent: base, agentRest: base } });
    const agent = await client.agent.v1.connect();
    agent.on('message', m => {
        if (m instanceof Blob || m instanceof ArrayBuffer || Buffer.isBuffer(m)) { seen.bytes += m.size ?? m.byteLength ?? m.length; return; }
        seen.types.push(m.type);
        if (m.type === 'ConversationText') seen.lines.push(`${m.role}: ${m.content}`);
        if (m.type === 'AgentAudioDone') seen.done++;
        if (m.type === 'FunctionCallRequest') seen.calls.push(...m.functions);
    });
    agent.connect();
    await agent.waitForOpen();
    await until(() => seen.types.includes('Welcome'));
    agent.sendSettings({ type: 'Settings', audio: { input: { encoding: 'linear16', sample_rate: 16000 }, output: { encoding: 'linear16', sample_rate: 16000, container: 'none' } },
        agent: { listen: { provider: { type: 'deepgram', model: 'nova-3' } }, think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' }, prompt: 'Be brief.' }, speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } } } });
    await until(() => seen.types.includes('SettingsApplied'));
    agent.sendInjectUserMessage({ type: 'InjectUserMessage', content: 'hello' });
    await until(() => seen.done === 1);
    want(seen.bytes === 32 * 400, `${seen.bytes} bytes`);
    for (const voice of [true, false]) for (let i = 0; i < 10; i++) agent.sendMedia(speech(16000, 100, voice));
    await until(() => seen.calls.length);
    want(JSON.parse(seen.calls[0].arguments).destination === 'sales', JSON.stringify(seen.calls));
    agent.sendFunctionCallResponse({ type: 'FunctionCallResponse', id: seen.calls[0].id, name: 'transfer', content: 'failed' });
    await until(() => seen.done === 2);
    want(seen.lines.join('|') === 'user: hello|assistant: Good day.|user: to sales please|assistant: It failed.', seen.lines.join('|'));
    agent.close();
});

const elevenlabs = have('@elevenlabs/client');
if (elevenlabs) await test('@elevenlabs/client: a text, a tool', { ...tool, format: 'pcm_16000' }, async port => {
    const seen = [], calls = [];
    const session = await elevenlabs.Conversation.startSession({
        signedUrl: `ws://127.0.0.1:${port}/v1/convai/conversation?agent_id=a&conversation_signature=s`, connectionType: 'websocket', textOnly: true,
        onMessage: m => seen.push(`${m.source}: ${m.message}`),
        clientTools: { transfer: p => { calls.push(p); return 'failed'; } },
    });
    session.sendUserMessage('hello');
    await until(() => seen.some(l => l.endsWith('Good day.')));
    session.sendUserMessage('to sales please');
    await until(() => calls.length && seen.some(l => l.endsWith('It failed.')));
    want(calls[0].destination === 'sales', JSON.stringify(calls));
    await session.endSession();
});

process.exit(bad);
