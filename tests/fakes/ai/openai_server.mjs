// An OpenAI Realtime server (GA shape, or xAI's dialect of it) for the tests: strict about what it is
// sent, scripted in what it answers, with turns found in the audio it really gets.
//
//   node openai_server.mjs [--dialect xai] [--scenario FILE] [--log FILE] [--cert FILE --key FILE]
//                          [--api-key KEY]
//
// Prints "port N" and serves until it is killed. FILE.log gets one JSON line per thing that happened.
// Scenario (JSON, all optional):
//   answers  [{text, ms, hz, delay_ms, stall_after_ms, drop_after_ms, close, die, fail, tool:{name, arguments}}]
//            used up one after the other, the last again and again
//   words    what the caller "said", one per turn, the last again
//   words_delay_ms, pace_ms (between pieces of 100 ms), session_ms, cancelled_first (bool: the end of
//   a response before speech_started), late_deltas (behind a cancelled one), mute (no session.updated)
import { createRequire } from 'node:module';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { WebSocketServer } = require('ws');

// ---- strictness: members that may be there; a leading ! is required ------------------------------
const FORMAT = { _: ['!type', 'rate'] };
const SHAPES = {
    'session.update': {
        _: ['event_id', '!type', '!session'],
        session: {
            _: ['!type', 'instructions', 'output_modalities', 'audio', 'tools', 'tool_choice',
                'max_output_tokens', 'truncation', 'include', 'prompt', 'tracing', 'model'],
            audio: {
                _: ['input', 'output'],
                input: {
                    _: ['format', 'noise_reduction', 'transcription', 'turn_detection'],
                    format: FORMAT,
                    noise_reduction: { _: ['!type'] },
                    transcription: { _: ['!model', 'language', 'prompt'] },
                    turn_detection: {
                        _: ['!type', 'threshold', 'prefix_padding_ms', 'silence_duration_ms',
                            'idle_timeout_ms', 'create_response', 'interrupt_response', 'eagerness'],
                    },
                },
                output: { _: ['format', 'voice', 'speed'], format: FORMAT },
            },
        },
    },
    'input_audio_buffer.append': { _: ['event_id', '!type', '!audio'] },
    'input_audio_buffer.commit': { _: ['event_id', '!type'] },
    'input_audio_buffer.clear': { _: ['event_id', '!type'] },
    'conversation.item.create': {
        _: ['event_id', '!type', '!item', 'previous_item_id'],
        item: { _: ['id', '!type', 'role', 'content', 'call_id', 'output', 'name', 'arguments', 'status'] },
    },
    'conversation.item.retrieve': { _: ['event_id', '!type', '!item_id'] },
    'conversation.item.delete': { _: ['event_id', '!type', '!item_id'] },
    'conversation.item.truncate': { _: ['event_id', '!type', '!item_id', '!content_index', '!audio_end_ms'] },
    'response.create': {
        _: ['event_id', '!type', 'response'],
        response: {
            _: ['instructions', 'output_modalities', 'audio', 'tools', 'tool_choice', 'conversation',
                'input', 'metadata', 'max_output_tokens'],
        },
    },
    'response.cancel': { _: ['event_id', '!type', 'response_id'] },
};

// xAI has voice and turn detection at the session's top, and no session.type.
const XAI_SHAPES = {
    ...SHAPES,
    'session.update': {
        _: ['event_id', '!type', '!session'],
        session: {
            _: ['instructions', 'voice', 'turn_detection', 'audio', 'tools', 'tool_choice', 'resumption'],
            turn_detection: SHAPES['session.update'].session.audio.input.turn_detection,
            audio: {
                _: ['input', 'output'],
                input: { _: ['format', 'transcription', 'transport'], format: FORMAT, transcription: { _: ['!model'] } },
                output: { _: ['format', 'transport'], format: FORMAT },
            },
        },
    },
};

function shapeError(value, shape, path) {
    if (value === null || typeof value !== 'object') return null;
    const allowed = shape._.map(k => k.replace('!', ''));
    for (const key of Object.keys(value))
        if (!allowed.includes(key)) return ['unknown_parameter', `Unknown parameter: '${path}${key}'.`, path + key];
    for (const key of shape._)
        if (key[0] === '!' && !(key.slice(1) in value))
            return ['missing_required_parameter', `Missing required parameter: '${path}${key.slice(1)}'.`, path + key.slice(1)];
    for (const key of Object.keys(shape)) {
        const bad = key !== '_' && key in value ? shapeError(value[key], shape[key], `${path}${key}.`) : null;
        if (bad) return bad;
    }
    return null;
}

// ---- audio ---------------------------------------------------------------------------------------
function ulawDecode(code) {
    const u = ~code & 255;
    const t = (((u & 15) << 3) + 132 << ((u & 112) >> 4)) - 132;
    return u & 128 ? -t : t;
}

function ulawEncode(x) {
    const sign = x < 0 ? 128 : 0;
    const v = Math.min(Math.abs(x), 32635) + 132;
    let exponent = 7;
    for (let mask = 0x4000; exponent > 0 && !(v & mask); mask >>= 1) exponent--;
    return ~(sign | exponent << 4 | v >> exponent + 3 & 15) & 255;
}

class Format {
    constructor(format) {
        this.ulaw = format?.type === 'audio/pcmu';
        this.rate = this.ulaw ? 8000 : format?.rate ?? 24000;
        this.json = this.ulaw ? { type: 'audio/pcmu' } : { type: 'audio/pcm', rate: this.rate };
    }
    ms(bytes) { return bytes.length / (this.ulaw ? 1 : 2) / this.rate * 1000; }
    level(bytes) {
        let sum = 0;
        const n = this.ulaw ? bytes.length : bytes.length >> 1;
        for (let i = 0; i < n; i++) sum += Math.abs(this.ulaw ? ulawDecode(bytes[i]) : bytes.readInt16LE(2 * i));
        return n ? sum / n : 0;
    }
    tone(hz, fromMs, ms) {
        const n = Math.round(this.rate * ms / 1000), at = this.rate * fromMs / 1000;
        const out = Buffer.alloc(this.ulaw ? n : 2 * n);
        for (let i = 0; i < n; i++) {
            const x = Math.round(8000 * Math.sin(2 * Math.PI * hz * (at + i) / this.rate));
            if (this.ulaw) out[i] = ulawEncode(x); else out.writeInt16LE(x, 2 * i);
        }
        return out;
    }
}

// ---- one session ---------------------------------------------------------------------------------
const ids = {};
const newId = prefix => `${prefix}_${ids[prefix] = (ids[prefix] ?? 0) + 1}`;
const PIECE_MS = 100, ONSET_MS = 60;

export class Session {
    constructor(socket, scenario, log) {
        Object.assign(this, { socket, scenario, log, items: new Map(), response: null, ready: false, last: null });
        this.in = this.out = new Format();
        this.turns = { create_response: true, interrupt_response: true, silence_duration_ms: 500, prefix_padding_ms: 300 };
        this.vad = { now: 0, loud: 0, quiet: 0, speaking: false, item: null };
        this.timers = new Set();
        this.modalities = ['audio'];
        const ms = scenario.session_ms ?? 3600000;
        this.expires = Math.ceil((Date.now() + ms) / 1000);
        this.later(ms, () => this.expire());
        socket.on('message', (data, binary) => this.message(data, binary));
        socket.on('close', code => { for (const t of this.timers) clearTimeout(t); log({ event: 'closed', code }); });
        this.send('session.created', { session: this.session() });
    }
    get shapes() { return SHAPES; }
    later(ms, run) {
        const t = setTimeout(() => { this.timers.delete(t); run(); }, ms);
        this.timers.add(t);
        return t;
    }
    send(type, fields) {
        this.socket.send(JSON.stringify({ type, event_id: newId('event'), ...fields }));
    }
    session() {
        return {
            type: 'realtime', object: 'realtime.session', id: this.id ??= newId('sess'), model: 'gpt-realtime',
            output_modalities: this.modalities, instructions: this.instructions ?? '', tools: this.tools ?? [],
            tool_choice: 'auto', max_output_tokens: 'inf', tracing: null, truncation: 'auto', prompt: null,
            expires_at: this.expires,
            audio: {
                input: { format: this.in.json, transcription: this.transcription ?? null, noise_reduction: null, turn_detection: this.turns },
                output: { format: this.out.json, voice: 'marin', speed: 1.0 },
            },
            include: null,
        };
    }
    error(cause, code, message, param = null) {
        this.log({ event: 'refused', code, message, cause: cause?.type });
        this.send('error', { error: { type: 'invalid_request_error', code, message, param, event_id: cause?.event_id ?? null } });
    }
    expire() {
        this.send('error', { error: { type: 'invalid_request_error', code: 'session_expired',
            message: 'Your session hit the maximum duration of 60 minutes.', param: null, event_id: null } });
        this.socket.close(1001);
    }
    message(data, binary) {
        let m = null;
        try { m = JSON.parse(data); } catch { /* refused below */ }
        if (binary || m === null || typeof m !== 'object') return this.error(null, 'invalid_json', 'not a JSON object');
        const shape = this.shapes[m.type];
        if (!shape) return this.error(m, 'invalid_value', `Invalid value: '${m.type}'.`, 'type');
        const bad = shapeError(m, shape, '');
        if (bad) return this.error(m, ...bad);
        if (m.type !== 'input_audio_buffer.append') this.log({ event: 'client', message: m });
        return this[m.type.replaceAll('.', '_')](m);
    }

    // -- session and items
    session_update(m) {
        const s = m.session, audio = s.audio ?? {};
        if (this.scenario.mute) return;
        if (s.type !== 'realtime') return this.error(m, 'invalid_value', 'session.type', 'session.type');
        const formats = [audio.input?.format, audio.output?.format].filter(Boolean);
        if (formats.some(f => !['audio/pcm', 'audio/pcmu', 'audio/pcma'].includes(f.type) || (f.type === 'audio/pcm' && f.rate !== 24000)))
            return this.error(m, 'invalid_value', 'format', 'session.audio.input.format');
        if (audio.output?.voice && this.spoke)
            return this.error(m, 'cannot_update_voice', 'Cannot update a conversation\'s voice if assistant audio is present.', 'session.audio.output.voice');
        this.in = new Format(audio.input?.format);
        this.out = new Format(audio.output?.format);
        if (audio.input && 'turn_detection' in audio.input)
            this.turns = audio.input.turn_detection && { prefix_padding_ms: 300, silence_duration_ms: 500, create_response: true, interrupt_response: true, ...audio.input.turn_detection };
        this.transcription = audio.input?.transcription ?? this.transcription;
        this.modalities = s.output_modalities ?? this.modalities;
        this.instructions = s.instructions ?? this.instructions;
        this.tools = s.tools ?? this.tools;
        this.ready = true;
        this.send('session.updated', { session: this.session() });
    }
    add(item) {
        this.items.set(item.id, item);
        const { audio_ms, ...shown } = item;
        const event = { previous_item_id: this.last, item: shown };
        this.last = item.id;
        this.send('conversation.item.added', event);
        return event;
    }
    conversation_item_create(m) {
        const item = { id: newId('item'), ...(m.item.type === 'message' ? { status: 'completed' } : {}), ...m.item };
        const part = item.content?.[0]?.type;
        if (item.type === 'message' && part !== (item.role === 'assistant' ? 'output_text' : 'input_text') && part !== 'input_audio')
            return this.error(m, 'invalid_value', `Invalid value: '${part}'.`, 'item.content[0].type');
        if (item.type === 'function_call_output' && (typeof item.output !== 'string' || !item.call_id))
            return this.error(m, 'invalid_type', 'output must be a string', 'item.output');
        this.send('conversation.item.done', this.add(item));
    }
    conversation_item_retrieve(m) {
        const item = this.items.get(m.item_id);
        if (!item) return this.error(m, 'item_retrieve_invalid_item_id', 'no such item', 'item_id');
        const { audio_ms, ...shown } = item;
        this.send('conversation.item.retrieved', { item: shown });
    }
    conversation_item_delete(m) {
        if (!this.items.delete(m.item_id)) return this.error(m, 'item_delete_invalid_item_id', 'no such item', 'item_id');
        this.send('conversation.item.deleted', { item_id: m.item_id });
    }
    conversation_item_truncate(m) {
        const item = this.items.get(m.item_id);
        if (item?.role !== 'assistant') return this.error(m, 'invalid_value', 'Only model output audio messages can be truncated', 'item_id');
        if (!(m.audio_end_ms >= 0 && m.audio_end_ms <= item.audio_ms))
            return this.error(m, 'invalid_value', `Audio content of ${item.audio_ms}ms is already shorter than ${m.audio_end_ms}ms`, 'audio_end_ms');
        this.log({ event: 'truncated', item: m.item_id, ms: m.audio_end_ms, of_ms: item.audio_ms });
        this.send('conversation.item.truncated', { item_id: m.item_id, content_index: 0, audio_end_ms: m.audio_end_ms });
    }

    // -- the caller's audio
    input_audio_buffer_append(m) {
        const bytes = Buffer.from(m.audio, 'base64');
        if (!this.ready) return this.error(m, 'invalid_value', 'audio before session.update', 'audio');
        if (bytes.toString('base64').replace(/=*$/, '') !== m.audio.replace(/=*$/, '')) return this.error(m, 'invalid_value', 'audio is not base64', 'audio');
        if (this.turns) this.hear(this.in.ms(bytes), this.in.level(bytes) > 500);
    }
    input_audio_buffer_commit(m) {
        return this.error(m, 'input_audio_buffer_commit_empty', 'Expected at least 100ms of audio, but buffer only has 0.00ms of audio.');
    }
    input_audio_buffer_clear() { this.send('input_audio_buffer.cleared', {}); }
    hear(ms, loud) {
        const v = this.vad;
        v.now += ms;
        v.loud = loud ? v.loud + ms : 0;
        v.quiet = loud ? 0 : v.quiet + ms;
        if (!v.speaking && v.loud >= ONSET_MS) this.speechStarted();
        else if (v.speaking && v.quiet >= this.turns.silence_duration_ms) this.speechStopped();
    }
    speechStarted() {
        const v = this.vad;
        v.speaking = true;
        v.item = newId('item');
        const cut = this.response && this.turns.interrupt_response;
        if (cut && this.scenario.cancelled_first) this.endResponse('cancelled', { type: 'cancelled', reason: 'turn_detected' });
        this.log({ event: 'speech_started', ms: v.now });
        this.send('input_audio_buffer.speech_started', { audio_start_ms: Math.max(0, Math.round(v.now - v.loud - this.turns.prefix_padding_ms)), item_id: v.item });
        if (cut && this.response) this.endResponse('cancelled', { type: 'cancelled', reason: 'turn_detected' });
    }
    speechStopped() {
        const v = this.vad, id = v.item;
        v.speaking = false;
        this.send('input_audio_buffer.speech_stopped', { audio_end_ms: Math.round(v.now), item_id: id });
        this.send('input_audio_buffer.committed', { previous_item_id: this.last, item_id: id });
        const item = { id, type: 'message', status: 'completed', role: 'user', content: [{ type: 'input_audio', transcript: null }] };
        this.send('conversation.item.done', this.add(item));
        if (this.turns.create_response && !this.response) this.respond();
        if (this.transcription) this.later(this.scenario.words_delay_ms ?? 0, () => this.transcribe(id));
    }
    transcribe(id) {
        const words = this.scenario.words ?? ['hello'];
        const transcript = words.length > 1 ? words.shift() : words[0];
        if (transcript) this.send('conversation.item.input_audio_transcription.delta', { item_id: id, content_index: 0, delta: transcript, obfuscation: 'x' });
        this.send('conversation.item.input_audio_transcription.completed', { item_id: id, content_index: 0, transcript, usage: { type: 'duration', seconds: 1 } });
    }

    // -- responses
    response_create(m) {
        if (this.response) return this.error(m, 'conversation_already_has_active_response', `Conversation already has an active response in progress: ${this.response.id}.`);
        this.respond(m.response);
    }
    response_cancel(m) {
        if (!this.response || (m.response_id && m.response_id !== this.response.id)) {
            this.log({ event: 'cancel-too-late' });
            return this.send('error', { error: { type: 'invalid_request_error', code: 'response_cancel_not_active', message: 'Cancellation failed: no active response found', param: null, event_id: m.event_id ?? null } });
        }
        this.endResponse('cancelled', { type: 'cancelled', reason: 'client_cancelled' });
    }
    responseJson(status, details) {
        const r = this.response;
        return {
            object: 'realtime.response', id: r.id, status, status_details: details ?? null, output: r.output,
            conversation_id: this.conversation ??= newId('conv'), output_modalities: this.modalities, max_output_tokens: 'inf',
            audio: { output: { format: this.out.json, voice: 'marin' } },
            usage: status === 'in_progress' ? null : { total_tokens: 3, input_tokens: 1, output_tokens: 2, input_token_details: { text_tokens: 1, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 }, output_token_details: { text_tokens: 1, audio_tokens: 1 } },
            metadata: r.metadata ?? null,
        };
    }
    responseDone(status, details) { return { response: this.responseJson(status, details) }; }
    respond(request = {}) {
        const answers = this.scenario.answers ?? [{}];
        const answer = { text: 'All right.', ms: 800, hz: 440, ...(answers.length > 1 ? answers.shift() : answers[0]) };
        this.response = { id: newId('resp'), item: newId('item'), answer, sent: 0, output: [], metadata: request.metadata };
        this.log({ event: 'answer', text: answer.text, hz: answer.hz, instructions: request.instructions, tool: answer.tool?.name });
        this.send('response.created', { response: this.responseJson('in_progress') });
        this.response.timer = this.later(answer.delay_ms ?? 0, () => this.begin());
    }
    head(item) { return { response_id: this.response.id, ...(item ? { item_id: this.response.item } : {}), output_index: 0 }; }
    part() { return { ...this.head(true), content_index: 0 }; }
    begin() {
        const r = this.response, a = r.answer;
        if (a.fail) return this.endResponse('failed', { type: 'failed', error: { type: 'server_error', code: a.fail, message: `failed: ${a.fail}` } });
        if (a.tool) return this.callTool();
        const item = { id: r.item, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
        this.send('response.output_item.added', { ...this.head(), item });
        this.add({ ...item, audio_ms: 0 });
        const text = this.modalities[0] === 'text';
        this.send('response.content_part.added', { ...this.part(), part: text ? { type: 'text', text: '' } : { type: 'audio', transcript: '' } });
        this.piece(text);
    }
    piece(text) {
        const r = this.response, a = r.answer;
        if (r.sent === 0 && a.text) this.send(text ? 'response.output_text.delta' : 'response.output_audio_transcript.delta', { ...this.part(), delta: a.text, obfuscation: 'xyz' });
        if (text || r.sent >= a.ms) return this.finish(text);
        if (a.stall_after_ms !== undefined && r.sent >= a.stall_after_ms) return this.log({ event: 'stalled' });
        const ms = Math.min(PIECE_MS, a.ms - r.sent);
        this.audio(ms);
        if (a.drop_after_ms !== undefined && r.sent >= a.drop_after_ms) {
            this.log({ event: 'dropped' });
            if (a.die) process.exit(1);
            return a.close ? this.socket.close(a.close, 'test') : this.socket.terminate();
        }
        r.timer = this.later(this.scenario.pace_ms ?? 10, () => this.piece(text));
    }
    audio(ms) {
        const r = this.response;
        this.spoke = true;
        this.send('response.output_audio.delta', { ...this.part(), delta: this.out.tone(r.answer.hz, r.sent, ms).toString('base64') });
        r.sent += ms;
        const item = this.items.get(r.item);
        if (item) item.audio_ms = r.sent;
    }
    finish(text) {
        const r = this.response, a = r.answer;
        const part = text ? { type: 'text', text: a.text } : { type: 'audio', transcript: a.text };
        if (!text) this.send('response.output_audio.done', this.part());
        this.send(text ? 'response.output_text.done' : 'response.output_audio_transcript.done', { ...this.part(), ...(text ? { text: a.text } : { transcript: a.text }) });
        this.send('response.content_part.done', { ...this.part(), part });
        const content = text ? { type: 'output_text', text: a.text } : { type: 'output_audio', transcript: a.text };
        this.itemDone({ id: r.item, type: 'message', status: 'completed', role: 'assistant', content: [content] });
        this.endResponse('completed');
    }
    itemDone(item) {
        this.send('conversation.item.done', { previous_item_id: null, item });
        this.send('response.output_item.done', { ...this.head(), item });
        this.response.output.push(item);
    }
    callTool() {
        const r = this.response, t = r.answer.tool, call_id = newId('call');
        const item = { id: r.item, type: 'function_call', status: 'in_progress', name: t.name, call_id, arguments: '' };
        const args = JSON.stringify(t.arguments ?? {});
        this.send('response.output_item.added', { ...this.head(), item });
        this.add(item);
        for (const c of args.match(/.{1,5}/gs)) this.send('response.function_call_arguments.delta', { ...this.head(true), call_id, delta: c, obfuscation: 'x' });
        this.send('response.function_call_arguments.done', { ...this.head(true), call_id, name: t.name, arguments: args });
        this.itemDone({ ...item, status: 'completed', arguments: args });
        this.endResponse('completed');
    }
    endResponse(status, details) {
        const r = this.response;
        clearTimeout(r.timer);
        this.send('response.done', this.responseDone(status, details));
        this.log({ event: 'answer-end', status, text: r.answer.text, sent_ms: r.sent });
        if (status === 'cancelled') for (let i = 0; i < (this.scenario.late_deltas ?? 0); i++) this.audio(20);
        this.response = null;
    }
}

// ---- one of xAI's, as recorded: what it says beside, and what it does not say ----------------------
export class XaiSession extends Session {
    get shapes() { return XAI_SHAPES; }
    send(type, fields) {
        const { part, ...rest } = fields;
        const { content, ...item } = rest.item ?? {};
        if (type === 'conversation.item.done') return;
        if (type.startsWith('response.output_item.')) rest.item = item;
        if (type === 'response.content_part.added') rest.part = part;
        if (type === 'response.output_audio.delta') Object.assign(rest, { rid: 'r', audio_duration_ms: PIECE_MS, ts: Date.now() });
        if (type === 'response.output_audio_transcript.delta') Object.assign(rest, { rid: 'r', start_time: 0 });
        super.send(type, type === 'session.created' ? rest : { previous_item_id: null, ...rest });
    }
    session() {
        const { type, audio, output_modalities, ...rest } = super.session();
        return { ...rest, modalities: ['audio'], voice: this.voice ?? 'ara', turn_detection: this.ready ? this.turns : { type: null }, ...(this.ready ? { audio } : {}) };
    }
    session_update(m) {
        const { voice, turn_detection, audio, ...rest } = m.session;
        this.voice = voice;
        this.log({ event: 'xai', voice, turn_detection });
        this.send('conversation.created', { conversation: { id: this.conversation ??= newId('conv'), object: 'realtime.conversation' } });
        this.send('ping', { timestamp: Date.now() });
        super.session_update({ ...m, session: { type: 'realtime', ...rest, audio: { ...audio, input: { ...audio?.input, turn_detection: turn_detection ?? null } } } });
    }
    conversation_item_truncate(m) { return this.error(m, 'invalid_value', 'truncation is not supported', 'type'); }
    speechStarted() {
        super.speechStarted();
        this.add({ id: this.vad.item, type: 'message', status: 'in_progress', role: 'user', content: [{ type: 'input_audio', transcript: '' }] });
    }
    speechStopped() {
        const v = this.vad, id = v.item;
        v.speaking = false;
        this.send('input_audio_buffer.speech_stopped', { audio_end_ms: Math.round(v.now), item_id: id });
        this.send('input_audio_buffer.committed', { item_id: id });
        this.later(this.scenario.words_delay_ms ?? 0, () => {
            if (this.transcription) this.transcribe(id);
            if (this.turns.create_response && !this.response) this.respond();
        });
    }
    transcribe(id) { // "completed" comes several times, with more of it
        const words = this.scenario.words ?? ['hello'];
        const transcript = words.length > 1 ? words.shift() : words[0];
        const begun = transcript.split(' ')[0], of = { item_id: id, content_index: 0 };
        const said = 'conversation.item.input_audio_transcription';
        this.send(`${said}.updated`, { ...of, transcript: begun });
        this.send(`${said}.completed`, { ...of, transcript: begun, status: 'in_progress' });
        this.send(`${said}.completed`, { ...of, transcript, status: 'completed' });
    }
    responseJson(status) {
        const r = this.response;
        return { id: r.id, object: 'realtime.response', output: r.output, status, status_details: 'unimplemented', usage: {} };
    }
    responseDone(status) {
        return { response: this.responseJson(status), response_id: this.response.id, usage: { total_tokens: 3, input_tokens: 1, output_tokens: 2 } };
    }
    finish() {
        const r = this.response, a = r.answer;
        this.send('response.output_audio_transcript.done', { ...this.part(), transcript: a.text });
        this.send('response.content_part.done', this.part());
        this.send('response.output_audio.done', this.part());
        this.itemDone({ id: r.item, type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'audio', transcript: a.text }] });
        this.endResponse('completed');
    }
}
const DIALECTS = { openai: Session, xai: XaiSession };

// ---- server --------------------------------------------------------------------------------------
export function serve({ dialect = 'openai', scenario = {}, log = () => {}, cert, key, apiKey = 'sk-test', port = 0 }) {
    const web = cert ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }) : http.createServer();
    const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    web.on('upgrade', (req, socket, head) => {
        log({ event: 'upgrade', url: req.url, resumed: socket.isSessionReused?.() });
        const given = req.headers['api-key'] ?? req.headers.authorization?.replace(/^Bearer /, '');
        if (given !== apiKey || !/^\/(openai\/)?v1\/realtime\?model=[^&]+$/.test(req.url)) {
            const status = given !== apiKey ? '401 Unauthorized' : '404 Not Found';
            return socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        }
        wss.handleUpgrade(req, socket, head, ws => {
            if (req.headers['openai-beta']) {
                ws.send(JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', code: 'beta_api_shape_disabled', message: 'The beta API shape is disabled.' } }));
                return ws.close(4000, 'invalid_request_error.beta_api_shape_disabled');
            }
            new DIALECTS[dialect](ws, scenario, log);
        });
    });
    return new Promise(done => web.listen(port, '127.0.0.1', () => done({ web, wss, port: web.address().port })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const args = {};
    for (let i = 2; i < process.argv.length; i += 2) args[process.argv[i].replace(/^--/, '').replace('api-key', 'apiKey')] = process.argv[i + 1];
    const scenario = args.scenario ? JSON.parse(fs.readFileSync(args.scenario)) : {};
    const log = args.log ? line => fs.appendFileSync(args.log, `${JSON.stringify({ at: Date.now(), ...line })}\n`) : () => {};
    const { port } = await serve({ ...args, scenario, log, port: Number(args.port ?? 0) });
    console.log(`port ${port}`);
}
