// Gemini Live, ElevenLabs Agents, Deepgram's Voice Agent, Ultravox and GPT-Live for the tests, on one
// port, told apart by their paths: strict about what they are sent, scripted in what they answer,
// with turns found in the audio they really get.
//
//   node live_server.mjs [--scenario FILE] [--log FILE] [--port N]
//
// Prints "port N" and serves until it is killed. FILE.log gets one JSON line per thing that happened.
// Scenario (JSON, all optional):
//   answers  [{text, ms, hz, drop_after_ms, tool:{name, arguments}}]   one after the other, the last again
//   words    what the caller "said", one per turn, the last again
//   pace_ms  between pieces of 100 ms (default 10)
//   format   ElevenLabs: both audio formats (ulaw_8000)
//   handles  Gemini: sessions can be resumed
import { createRequire } from 'node:module';
import fs from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { WebSocketServer } = require('ws');

const ulawDecode = code => {
    const u = ~code & 255;
    const t = (((u & 15) << 3) + 132 << ((u & 112) >> 4)) - 132;
    return u & 128 ? -t : t;
};
const ulawEncode = x => {
    const sign = x < 0 ? 128 : 0, v = Math.min(Math.abs(x), 32635) + 132;
    let exponent = 7;
    for (let mask = 0x4000; exponent > 0 && !(v & mask); mask >>= 1) exponent--;
    return ~(sign | exponent << 4 | v >> exponent + 3 & 15) & 255;
};

class Format {
    constructor(rate, ulaw) { Object.assign(this, { rate, ulaw, width: ulaw ? 1 : 2 }); }
    ms(b) { return b.length / this.width / this.rate * 1000; }
    level(b) {
        let sum = 0;
        const n = b.length / this.width | 0;
        for (let i = 0; i < n; i++) sum += Math.abs(this.ulaw ? ulawDecode(b[i]) : b.readInt16LE(2 * i));
        return n ? sum / n : 0;
    }
    tone(hz, from, ms) { // hz 0: silence
        const n = Math.round(this.rate * ms / 1000), at = this.rate * from / 1000, b = Buffer.alloc(n * this.width);
        for (let i = 0; i < n; i++) {
            const x = Math.round(hz ? 8000 * Math.sin(2 * Math.PI * hz * (at + i) / this.rate) : 0);
            if (this.ulaw) b[i] = ulawEncode(x); else b.writeInt16LE(x, 2 * i);
        }
        return b;
    }
}

// Members an object may have; a leading ! is required.
function shape(o, spec) {
    const keys = spec.split(' '), allowed = keys.map(k => k.replace('!', ''));
    for (const k of Object.keys(o ?? {})) if (!allowed.includes(k)) return `unknown ${k}`;
    for (const k of keys) if (k[0] === '!' && !(k.slice(1) in (o ?? {}))) return `missing ${k.slice(1)}`;
    return null;
}

class Remote {
    constructor(ws, shared) {
        Object.assign(this, { ws, shared, scenario: shared.scenario, number: 0, loud: 0, quiet: 0 });
        ws.on('message', (data, binary) => {
            try { this.take(data, binary); } catch (e) { this.refuse(e.message); }
        });
        ws.on('close', code => { clearTimeout(this.timer); clearInterval(this.always); this.log({ event: 'closed', code }); });
    }
    log(line) { this.shared.log({ provider: this.constructor.name, ...line }); }
    refuse(why) { this.log({ event: 'refused', why }); }
    must(bad) { if (bad) this.refuse(bad); }
    json(o) { if (this.ws.readyState === 1) this.ws.send(JSON.stringify(o)); }
    told(text, kind = 'told') { this.log({ event: kind, text }); }
    next() { return this.shared.answers.length > 1 ? this.shared.answers.shift() : this.shared.answers[0] ?? { text: 'Yes.', ms: 500 }; }
    take(data, binary) {
        if (binary) return this.binary(data);
        const m = JSON.parse(data);
        if (!this.session && !this.first(m)) return this.refuse(`before the session: ${data}`);
        this.message(m);
    }
    // ---- the caller
    hear(b) {
        const ms = this.in.ms(b), loud = this.in.level(b) > 150;
        this.loud = loud ? this.loud + ms : 0;
        this.quiet = loud ? 0 : this.quiet + ms;
        if (!this.speaking && this.loud >= 100) { this.speaking = true; this.stop(); }
        if (this.speaking && this.quiet >= 700) {
            this.speaking = false;
            const words = this.shared.words.length > 1 ? this.shared.words.shift() : this.shared.words[0] ?? 'hello';
            this.log({ event: 'turn', words });
            this.heard(words);
            this.answer();
        }
    }
    // ---- the answer
    answer() {
        this.stop();
        const a = this.next();
        this.number++;
        this.log({ event: 'answer', text: a.text, tool: a.tool?.name });
        if (a.tool) return this.tool(a.tool.name, a.tool.arguments ?? {}, `call-${this.number}`);
        this.now = { ...a, ms: a.ms ?? 500, hz: a.hz ?? 440, sent: 0 };
        this.begin?.();
        this.text(a.text ?? '');
        this.piece();
    }
    piece() {
        const a = this.now;
        if (a.sent >= a.ms) { this.now = null; this.log({ event: 'answer-end', ms: a.sent }); return this.end(a); }
        const ms = Math.min(100, a.ms - a.sent);
        this.audio(this.out.tone(a.hz, a.sent, ms));
        a.sent += ms;
        if (a.drop_after_ms && a.sent >= a.drop_after_ms) return this.ws.terminate();
        this.timer = setTimeout(() => this.piece(), this.scenario.pace_ms ?? 10);
    }
    stop() {
        if (!this.now) return;
        clearTimeout(this.timer);
        this.log({ event: 'interrupted', sent_ms: this.now.sent });
        this.now = null;
        this.interrupted();
    }
    result(text) { this.log({ event: 'result', text }); this.answer(); }
}

class Gemini extends Remote {
    in = new Format(16000, false);
    out = new Format(24000, false);
    json(o) { if (this.ws.readyState === 1) this.ws.send(Buffer.from(JSON.stringify(o)), { binary: true }); }
    first(m) { return !!m.setup; }
    binary(data) { this.take(data.toString(), false); } // Google's own client sends text; both are fine
    message(m) {
        const keys = Object.keys(m), s = m.setup;
        if (keys.length !== 1) return this.refuse(`keys ${keys}`);
        if (s) {
            if (this.session) { this.refuse('setup again'); return this.ws.close(1007, 'setup must be first'); }
            this.must(shape(s, '!model generationConfig systemInstruction tools realtimeInputConfig sessionResumption contextWindowCompression inputAudioTranscription outputAudioTranscription historyConfig'));
            this.log({ event: 'session', resumed: s.sessionResumption?.handle });
            this.told(s.systemInstruction?.parts?.[0]?.text, 'prompt');
            this.session = true;
            this.json({ setupComplete: {} });
            if (this.scenario.handles) this.json({ sessionResumptionUpdate: { newHandle: `h-${Date.now()}`, resumable: true } });
        } else if (m.clientContent ?? m.client_content) {
            const c = m.clientContent ?? m.client_content;
            for (const t of c.turns ?? []) this.told(t.parts?.[0]?.text, t.role);
            if (c.turnComplete && !this.historyIs(c)) this.answer();
        } else if (m.realtimeInput ?? m.realtime_input) {
            const r = m.realtimeInput ?? m.realtime_input, a = r.audio;
            if (r.text) { this.told(r.text); this.answer(); }
            if (a && (a.mimeType ?? a.mime_type) !== 'audio/pcm;rate=16000') this.refuse('mimeType');
            if (a) this.hear(Buffer.from(a.data, 'base64url'));
        } else if (m.toolResponse ?? m.tool_response) {
            const r = (m.toolResponse ?? m.tool_response).functionResponses[0];
            this.must(shape(r, '!id !name !response'));
            this.result(JSON.stringify(r.response));
        } else this.refuse(`unknown ${keys}`);
    }
    historyIs() { return !this.shared.old && !this.seeded && (this.seeded = true); }
    content(o, more = {}) { this.json({ serverContent: o, ...more }); }
    heard(words) { this.content({ inputTranscription: { text: words } }); this.json({}); }
    text(text) { this.content({ modelTurn: { parts: [{ text: '**Thinking**', thought: true }] } }); this.content({ outputTranscription: { text } }); }
    audio(b) { this.content({ modelTurn: { parts: [{ inlineData: { mimeType: 'audio/pcm;rate=24000', data: b.toString('base64') } }], role: 'model' } }); }
    end() { this.content({ generationComplete: true }); this.content({ turnComplete: true }, { usageMetadata: { totalTokenCount: 9 } }); }
    interrupted() { this.content({ interrupted: true }); this.content({ turnComplete: true }); }
    tool(name, args, id) { this.json({ toolCall: { functionCalls: [{ name, args, id }] } }); }
}

class ElevenLabs extends Remote {
    first(m) { return m.type === 'conversation_initiation_client_data'; }
    message(m) {
        if (m.user_audio_chunk) return this.hear(Buffer.from(m.user_audio_chunk, 'base64'));
        if (m.type === 'pong') { this.pongs = (this.pongs ?? 0) + 1; return; }
        if (m.type === 'conversation_initiation_client_data') {
            const over = m.conversation_config_override ?? {}, agent = over.agent ?? {}, format = this.scenario.format ?? 'ulaw_8000';
            this.must(shape(agent, 'prompt first_message language'));
            this.in = this.out = new Format(Number(format.split('_')[1]), format[0] === 'u');
            this.session = true;
            this.log({ event: 'session' });
            this.told(agent.prompt?.prompt, 'prompt');
            this.told(agent.first_message, 'first');
            this.event('conversation_initiation_metadata', { conversation_id: 'c', agent_output_audio_format: format, user_input_audio_format: format });
            this.always = setInterval(() => this.event('ping', { event_id: ++this.number, ping_ms: null }, 'ping_event'), 1700);
            if (agent.first_message) this.answer();
        } else if (m.type === 'user_message') { this.told(m.text); this.answer(); } else if (m.type === 'contextual_update') this.told(m.text, 'context');
        else if (m.type === 'client_tool_result') { this.must(shape(m, '!type !tool_call_id !result !is_error')); this.result(m.result); } else this.refuse(`unknown ${m.type}`);
    }
    event(type, body, name = `${type}_event`) { this.json({ type, [name]: body }); }
    heard(user_transcript) { this.json({ type: 'user_transcript', user_transcription_event: { user_transcript, event_id: this.number } }); }
    begin() { this.id = this.number; }
    text(agent_response) { this.event('agent_response', { agent_response, event_id: this.id }); }
    audio(b) { this.event('audio', { audio_base_64: b.toString('base64'), event_id: this.id, is_final: false }); }
    end() { this.json({ type: 'agent_response_complete' }); }
    interrupted() { this.event('interruption', { event_id: this.number + 1 }); this.event('agent_response_correction', { corrected_agent_response: 'It...', event_id: this.id }); }
    tool(tool_name, parameters, tool_call_id) { this.json({ type: 'client_tool_call', client_tool_call: { tool_name, tool_call_id, parameters, expects_response: true, event_id: this.number } }); }
}

class Deepgram extends Remote {
    constructor(...a) { super(...a); this.json({ type: 'Welcome', request_id: 'r' }); }
    first(m) { return m.type === 'Settings'; }
    binary(b) { if (this.session) this.hear(b); else this.refuse('audio before SettingsApplied'); }
    message(m) {
        if (m.type === 'Settings') {
            const side = f => { if (!['mulaw', 'linear16'].includes(f?.encoding)) this.refuse('encoding'); return new Format(f.sample_rate, f.encoding === 'mulaw'); };
            this.must(shape(m.agent, 'language context !listen !think !speak greeting'));
            this.in = side(m.audio?.input);
            this.out = side(m.audio?.output);
            this.session = true;
            this.log({ event: 'session' });
            this.told(m.agent.think?.prompt, 'prompt');
            for (const h of m.agent.context?.messages ?? []) this.told(h.content, h.role);
            this.json({ type: 'SettingsApplied' });
            if (m.agent.greeting) this.answer();
        } else if (m.type === 'InjectUserMessage') { this.told(m.content); this.line('user', m.content); this.answer(); } else if (m.type === 'InjectAgentMessage') { this.told(m.message, 'agent'); this.answer(); } else if (m.type === 'FunctionCallResponse') { this.must(shape(m, '!type !id !name !content')); this.result(m.content); } else if (m.type !== 'KeepAlive') this.refuse(`unknown ${m.type}`);
    }
    line(role, content) { this.json({ type: 'ConversationText', role, content }); }
    heard(words) { this.line('user', words); }
    begin() { this.json({ type: 'AgentThinking', content: '…' }); }
    text(text) { this.line('assistant', text); this.json({ type: 'AgentStartedSpeaking', total_latency: 0.1, tts_latency: 0.05, ttt_latency: 0.05 }); }
    audio(b) { if (this.ws.readyState === 1) this.ws.send(b, { binary: true }); }
    end() { this.json({ type: 'AgentAudioDone' }); }
    interrupted() { this.json({ type: 'UserStartedSpeaking' }); }
    tool(name, args, id) { this.json({ type: 'FunctionCallRequest', functions: [{ id, name, arguments: JSON.stringify(args), client_side: true }] }); }
}

class Ultravox extends Remote {
    constructor(ws, shared, call) {
        super(ws, shared);
        const s = call.medium.serverWebSocket;
        this.in = new Format(s.inputSampleRate, false);
        this.out = new Format(s.outputSampleRate, false);
        this.session = true;
        this.log({ event: 'session' });
        this.told(call.systemPrompt, 'prompt');
        for (const h of call.initialMessages ?? []) this.told(h.text, h.role);
        this.json({ type: 'call_started', callId: 'c' });
        this.state('listening');
    }
    binary(b) { this.hear(b); }
    state(state) { this.json({ type: 'state', state }); }
    message(m) {
        if (m.type === 'user_text_message') { this.told(m.text); if (m.urgency !== 'later') this.answer(); } else if (m.type === 'forced_agent_message') { this.told(m.content, 'agent'); this.answer(); } else if (m.type === 'client_tool_result') { this.must(shape(m, '!type !invocationId !result agentReaction')); this.result(m.result); } else this.refuse(`unknown ${m.type}`);
    }
    heard(text) { this.json({ type: 'transcript', role: 'user', medium: 'voice', text, final: true, ordinal: this.number }); }
    begin() { this.state('thinking'); this.state('speaking'); }
    text(text) { this.json({ type: 'transcript', role: 'agent', medium: 'voice', delta: text, final: false, ordinal: this.number }); }
    audio(b) { if (this.ws.readyState === 1) this.ws.send(b, { binary: true }); }
    end(a) { this.json({ type: 'transcript', role: 'agent', medium: 'voice', text: a.text, final: true, ordinal: this.number }); this.state('listening'); }
    interrupted() { this.json({ type: 'playback_clear_buffer' }); }
    tool(toolName, parameters, invocationId) { this.json({ type: 'client_tool_invocation', toolName, invocationId, parameters }); }
}

class GptLive extends Remote {
    first(m) { return m.type === 'session.start'; }
    message(m) {
        if (m.type === 'session.input_audio.append') return this.hear(Buffer.from(m.audio, 'base64'));
        if (m.type === 'session.start') {
            const s = m.session, f = s.audio?.format ?? {};
            this.must(shape(s, '!model instructions audio delegation input'));
            if (!['audio/pcmu 8000', 'audio/pcm 24000', 'audio/pcm 16000'].includes(`${f.type} ${f.rate}`)) this.refuse('format');
            this.in = this.out = new Format(f.rate, f.type === 'audio/pcmu');
            this.session = true;
            this.log({ event: 'session' });
            this.told(s.instructions, 'prompt');
            for (const h of s.input ?? []) this.told(h.content[0].text, h.role);
            this.json({ type: 'session.started', session: { id: 'live_1', expires_at: Math.round(Date.now() / 1000) + 7200 } });
            this.always = setInterval(() => { if (!this.now) this.audio(this.out.tone(0, 0, 100)); }, 100);
        } else if (m.type === 'session.instructions.append') { this.told(m.content); this.answer(); } else if (m.type === 'response.create') { this.result(this.output); } else if (m.type === 'response.item.create') { this.output = m.item.output; } else if (!/^session\.(thinking|commentary)\.append$|^session\.close$/.test(m.type)) this.refuse(`unknown ${m.type}`);
    }
    piece() { // in real time: nobody may send ahead
        const a = this.now;
        if (a.sent >= a.ms) { this.now = null; return this.log({ event: 'answer-end', ms: a.sent }); }
        this.audio(this.out.tone(a.hz, a.sent, 100));
        a.sent += 100;
        if (a.drop_after_ms && a.sent >= a.drop_after_ms) return this.ws.terminate();
        this.timer = setTimeout(() => this.piece(), 100);
    }
    words(type, delta) { this.json({ type: `session.${type}_transcript.delta`, delta, start_ms: 0, end_ms: 1 }); }
    heard(words) { this.words('input', words); }
    text(text) { this.words('output', text); }
    audio(b) { this.json({ type: 'session.output_audio.delta', delta: b.toString('base64') }); }
    end() {}
    interrupted() {}
    tool(name, args, call_id) { this.json({ type: 'response.event', delegation_id: 'd', event: { type: 'response.output_item.done', item: { type: 'function_call', name, call_id, arguments: JSON.stringify(args) } } }); }
}

const paths = {
    '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent': Gemini,
    '/v1/convai/conversation': ElevenLabs,
    '/v1/agent/converse': Deepgram,
    '/join': Ultravox,
    '/v1/live/sessions': GptLive,
};

export function serve({ scenario = {}, log = () => {}, port = 0 }) {
    const shared = { scenario, log, answers: [...(scenario.answers ?? [])], words: [...(scenario.words ?? [])], old: scenario.old };
    const calls = [];
    const web = http.createServer((req, res) => {
        let body = '';
        req.on('data', d => { body += d; });
        req.on('end', () => {
            const host = `ws://127.0.0.1:${web.address().port}`, reply = o => { res.setHeader('Content-Type', 'application/json'); res.end(JSON.stringify(o)); };
            log({ event: 'http', url: req.url });
            if (req.url.startsWith('/v1/convai/conversation/get-signed-url?') && req.headers['xi-api-key'] === 'sk-test') return reply({ signed_url: `${host}/v1/convai/conversation?agent_id=a&conversation_signature=s` });
            if (req.url === '/api/calls' && req.method === 'POST' && req.headers['x-api-key'] === 'sk-test') { calls.push(JSON.parse(body)); return reply({ callId: 'c', joinUrl: `${host}/join` }); }
            res.statusCode = 401;
            res.end('{"detail":"no"}');
        });
    });
    const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    web.on('upgrade', (req, socket, head) => {
        const Kind = paths[req.url.split('?')[0].replace(/^\/+/, '/')], h = req.headers; // Google's client writes //ws
        const given = h['x-goog-api-key'] ?? h.authorization?.replace(/^(Bearer|Token) /, '') ?? new URL(req.url, 'http://x').searchParams.get('key') ?? 'sk-test';
        log({ event: 'upgrade', url: req.url });
        if (!Kind || given !== 'sk-test') return socket.end(`HTTP/1.1 ${Kind ? '401 Unauthorized' : '404 Not Found'}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        wss.handleUpgrade(req, socket, head, ws => new Kind(ws, shared, calls.pop()));
    });
    return new Promise(done => web.listen(port, '127.0.0.1', () => done({ web, port: web.address().port })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const args = {};
    for (let i = 2; i < process.argv.length; i += 2) args[process.argv[i].replace(/^--/, '')] = process.argv[i + 1];
    const scenario = args.scenario ? JSON.parse(fs.readFileSync(args.scenario)) : {};
    const log = args.log ? line => fs.appendFileSync(args.log, `${JSON.stringify({ at: Date.now(), ...line })}\n`) : () => {};
    const { port } = await serve({ scenario, log, port: Number(args.port ?? 0) });
    console.log(`port ${port}`);
}
