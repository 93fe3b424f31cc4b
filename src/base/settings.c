#include "base/settings.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define AT(field) offsetof(struct settings, field)
#define ROW_STR(n, f, def, help_)                                                                  \
    {                                                                                              \
        n, SETTING_STRING, "", 0, 0, def, NULL, false, false, AT(f), help_                         \
    }
#define ROW_SECRET(n, f, def, help_)                                                               \
    {                                                                                              \
        n, SETTING_STRING, "", 0, 0, def, NULL, true, false, AT(f), help_                          \
    }
#define ROW_ADDR(n, f, def, help_)                                                                 \
    {                                                                                              \
        n, SETTING_ADDRESS, "", 0, 0, def, NULL, false, false, AT(f), help_                        \
    }
#define ROW_INT(n, f, unit_, lo, hi, def, help_)                                                   \
    {                                                                                              \
        n, SETTING_INT, unit_, lo, hi, def, NULL, false, false, AT(f), help_                       \
    }
#define ROW_BOOL(n, f, def, help_)                                                                 \
    {                                                                                              \
        n, SETTING_BOOL, "", 0, 1, def, NULL, false, false, AT(f), help_                           \
    }
#define ROW_LIST(n, f, def, choices_, help_)                                                       \
    {                                                                                              \
        n, SETTING_LIST, "", 0, 0, def, choices_, false, false, AT(f), help_                       \
    }
#define ROW_CHOICE(n, f, def, choices_, help_)                                                     \
    {                                                                                              \
        n, SETTING_CHOICE, "", 0, 0, def, choices_, false, false, AT(f), help_                     \
    }

/* clang-format off */
const struct setting settings_table[] = {
    ROW_CHOICE("AUDIO_MODE", audio_mode, "esl", "esl|rtp|dual|websocket", "how a call's audio reaches us: esl needs a stock FreeSWITCH and a LAN, rtp a SIP profile, dual and websocket mod_audio_stream (docs/modes.md)"),
    ROW_LIST("AUDIO_FALLBACK", audio_fallback, "esl", "esl|rtp|dual|websocket", "modes a call changes to, in this order, when its audio does not come or stops; empty: none"),
    ROW_CHOICE("AI_PROVIDER", ai_provider, "attendant", "attendant|openai|azure|xai|openai-compatible|gemini|elevenlabs|deepgram|ultravox|gpt-live|pipeline", "who speaks for secretaries that name no provider; attendant needs no network and no key"),
    ROW_STR("AI_FALLBACK", ai_fallback, "", "who takes over when that provider fails, in this order, separated by commas, for secretaries that name none; the attendant is always the last"),
    ROW_INT("AI_CONNECT_TIMEOUT_MS", ai_connect_timeout_ms, "ms", 100, 60000, "3000", "a provider that cannot be spoken to within this time has failed"),
    ROW_INT("AI_FIRST_AUDIO_TIMEOUT_MS", ai_first_audio_timeout_ms, "ms", 500, 60000, "5000", "likewise one from which nothing of the answer is heard"),
    ROW_INT("AI_STALL_TIMEOUT_MS", ai_stall_timeout_ms, "ms", 200, 60000, "2500", "likewise one whose answer stops in the middle for this long, counted from when all it sent was heard"),
    ROW_INT("BARGE_IN_CONFIRM_MS", barge_in_confirm_ms, "ms", 0, 5000, "600", "speech into an answer silences it at once; only words, or speech of this length, end it, else (a cough, noise) it goes on where it stopped; 0 ends it at once"),
    ROW_CHOICE("TRANSFER_RETURN", transfer_return, "failed", "never|failed|always", "when a transferred caller comes back to the conversation: never (the dialplan has him), failed (nobody took the call), always (also when the human hung up first)"),
    ROW_INT("TRANSFER_RING_TIMEOUT", transfer_ring_timeout_s, "s", 1, 300, "30", "how long a destination rings before the caller comes back; not with TRANSFER_RETURN=never"),
    ROW_INT("AI_PACKET_MS", ai_packet_ms, "ms", 20, 100, "20", "a realtime provider is sent the caller's audio in messages of this length; longer ones cost less CPU, and the answer comes later by up to as much"),
    ROW_INT("AI_PREPARED", ai_prepared, "", 0, 8, "1", "connections to the provider that each worker keeps open ahead, so that no caller waits for handshakes"),
    ROW_STR("TLS_CA_FILE", tls_ca_file, "", "PEM file of authorities to trust besides the system's, for a provider of your own"),
    ROW_SECRET("OPENAI_API_KEY", openai_api_key, "", "key of platform.openai.com, or of the server at OPENAI_BASE_URL"),
    ROW_STR("OPENAI_BASE_URL", openai_base_url, "", "https, http, wss or ws URL up to /v1; empty is OpenAI itself"),
    ROW_STR("OPENAI_MODEL", openai_model, "gpt-realtime", "realtime model"),
    ROW_STR("OPENAI_VOICE", openai_voice, "marin", "voice of secretaries that name none"),
    ROW_STR("OPENAI_TRANSCRIBE_MODEL", openai_transcribe_model, "gpt-4o-mini-transcribe", "model that writes down the caller's words; empty: none, and a short word over an answer counts as noise"),
    ROW_CHOICE("OPENAI_QUIRKS", openai_quirks, "generic", "generic|openai|localai|speech-to-speech|speaches|sglang", "what server is behind AI_PROVIDER=openai-compatible"),
    ROW_STR("AZURE_OPENAI_ENDPOINT", azure_openai_endpoint, "", "https://NAME.openai.azure.com"),
    ROW_SECRET("AZURE_OPENAI_API_KEY", azure_openai_api_key, "", "key of that resource"),
    ROW_STR("AZURE_OPENAI_DEPLOYMENT", azure_openai_deployment, "", "its deployment of a realtime model"),
    ROW_SECRET("XAI_API_KEY", xai_api_key, "", "key of console.x.ai"),
    ROW_STR("XAI_BASE_URL", xai_base_url, "", "empty is https://api.x.ai/v1"),
    ROW_STR("XAI_MODEL", xai_model, "grok-voice-latest", "voice model"),
    ROW_STR("XAI_VOICE", xai_voice, "", "voice of secretaries that name none; empty is the service's choice"),
    ROW_SECRET("GEMINI_API_KEY", gemini_api_key, "", "key of aistudio.google.com for AI_PROVIDER=gemini; empty: GOOGLE_API_KEY"),
    ROW_SECRET("GOOGLE_API_KEY", google_api_key, "", "likewise, under Google's own name"),
    ROW_STR("GEMINI_BASE_URL", gemini_base_url, "", "empty is https://generativelanguage.googleapis.com"),
    ROW_STR("GEMINI_MODEL", gemini_model, "gemini-3.8-live", "a model of the Live API"),
    ROW_STR("GEMINI_VOICE", gemini_voice, "", "voice of secretaries that name none; empty is the service's choice"),
    ROW_STR("ELEVENLABS_AGENT_ID", elevenlabs_agent_id, "", "AI_PROVIDER=elevenlabs: the agent; private ones need ELEVENLABS_API_KEY, too"),
    ROW_STR("ELEVENLABS_BASE_URL", elevenlabs_base_url, "", "empty is https://api.elevenlabs.io"),
    ROW_STR("ELEVENLABS_OVERRIDES", elevenlabs_overrides, "prompt,first_message,language", "what of the secretary's replaces the agent's own, each allowed in the agent's security settings: prompt, first_message, language, voice; none: the agent speaks as it is configured there"),
    ROW_STR("DEEPGRAM_AGENT_URL", deepgram_agent_url, "", "AI_PROVIDER=deepgram, with DEEPGRAM_API_KEY; empty is wss://agent.deepgram.com/v1/agent/converse"),
    ROW_STR("DEEPGRAM_LISTEN_MODEL", deepgram_listen_model, "nova-3", "model that hears"),
    ROW_STR("DEEPGRAM_THINK_PROVIDER", deepgram_think_provider, "open_ai", "whose model thinks: open_ai, anthropic, google, groq, …"),
    ROW_STR("DEEPGRAM_THINK_MODEL", deepgram_think_model, "gpt-4o-mini", "that model"),
    ROW_STR("DEEPGRAM_SPEAK_MODEL", deepgram_speak_model, "aura-2-thalia-en", "voice of secretaries that name none; it is of one language"),
    ROW_SECRET("ULTRAVOX_API_KEY", ultravox_api_key, "", "key of app.ultravox.ai"),
    ROW_STR("ULTRAVOX_BASE_URL", ultravox_base_url, "", "empty is https://api.ultravox.ai"),
    ROW_STR("ULTRAVOX_MODEL", ultravox_model, "", "empty is the service's choice"),
    ROW_STR("ULTRAVOX_VOICE", ultravox_voice, "", "voice of secretaries that name none; empty is the service's choice"),
    ROW_STR("OPENAI_LIVE_MODEL", openai_live_model, "gpt-live-1", "AI_PROVIDER=gpt-live, with OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_VOICE: the model that speaks"),
    ROW_STR("OPENAI_LIVE_BACKEND_MODEL", openai_live_backend_model, "gpt-5.6-sol", "the model it delegates to, which uses the tools"),
    ROW_CHOICE("STT_PROVIDER", stt_provider, "embedded", "embedded|openai|deepgram", "AI_PROVIDER=pipeline: who hears; embedded understands only the secretary's destinations, topics and a few words, openai is any server with /audio/transcriptions"),
    ROW_STR("STT_BASE_URL", stt_base_url, "", "its http or https URL, up to /v1 (deepgram: without it); empty is the service itself"),
    ROW_SECRET("STT_API_KEY", stt_api_key, "", "its key; empty: OPENAI_API_KEY at OpenAI itself, DEEPGRAM_API_KEY at Deepgram"),
    ROW_STR("STT_MODEL", stt_model, "", "its model; empty: gpt-4o-mini-transcribe, nova-3"),
    ROW_INT("STT_HOLD_MS", stt_hold_ms, "ms", 0, 5000, "900", "words that end in the middle (\"I would like to\") are waited on for so long before they are answered; 0: never"),
    ROW_CHOICE("LLM_PROVIDER", llm_provider, "openai", "openai|anthropic", "AI_PROVIDER=pipeline: who thinks; openai is any server with /chat/completions: Ollama, llama.cpp, vLLM, LocalAI, Groq, …"),
    ROW_STR("LLM_BASE_URL", llm_base_url, "", "its http or https URL, up to /v1 (anthropic: without it), for example http://localhost:11434/v1; empty is the service itself"),
    ROW_SECRET("LLM_API_KEY", llm_api_key, "", "its key; empty: OPENAI_API_KEY at OpenAI itself, ANTHROPIC_API_KEY at Anthropic, none elsewhere"),
    ROW_STR("LLM_MODEL", llm_model, "", "its model; empty: gpt-4o-mini, claude-haiku-4-5"),
    ROW_CHOICE("TTS_PROVIDER", tts_provider, "embedded", "embedded|openai|elevenlabs|piper", "AI_PROVIDER=pipeline: who speaks; openai is any server with /audio/speech, piper its HTTP server"),
    ROW_STR("TTS_BASE_URL", tts_base_url, "", "its http or https URL, up to /v1 (elevenlabs, piper: without it); empty is the service itself, piper: http://127.0.0.1:5000"),
    ROW_SECRET("TTS_API_KEY", tts_api_key, "", "its key; empty: OPENAI_API_KEY at OpenAI itself"),
    ROW_STR("TTS_MODEL", tts_model, "", "its model; empty: gpt-4o-mini-tts, eleven_flash_v2_5"),
    ROW_STR("TTS_VOICE", tts_voice, "", "voice of secretaries that name none; empty: alloy, a voice of ElevenLabs' own, Piper's, espeak-ng's for the language"),
    ROW_INT("TTS_RATE", tts_rate, "Hz", 8000, 48000, "24000", "rate of the raw audio of TTS_PROVIDER=openai; servers of your own may differ from 24000"),
    ROW_SECRET("DEEPGRAM_API_KEY", deepgram_api_key, "", "key of console.deepgram.com"),
    ROW_SECRET("ELEVENLABS_API_KEY", elevenlabs_api_key, "", "key of elevenlabs.io"),
    ROW_SECRET("ANTHROPIC_API_KEY", anthropic_api_key, "", "key of console.anthropic.com"),
    ROW_STR("DATA_DIR", data_dir, "/var/lib/voice-ai", "folder of the database, recordings and messages; created if missing"),
    ROW_CHOICE("LOG_LEVEL", log_level, "info", "debug|info|warn|error", "least level that is logged"),
    ROW_INT("WORKERS", workers, "", 0, 64, "0", "threads that carry calls; 0 is one per core"),
    ROW_CHOICE("WORKER_PRIORITY", worker_priority, "auto", "auto|realtime|high|normal", "how the kernel ranks those threads: before everything that is not real-time, as nice -10 does, or as any other program; auto is the first of them that this user may (LimitRTPRIO=1 or LimitNICE=-10 in a systemd unit)"),
    ROW_INT("DRAIN_TIMEOUT", drain_timeout_s, "s", 0, 3600, "30", "after SIGTERM, how long running calls may take to say goodbye"),
    ROW_ADDR("ESL_SERVER_HOST", esl_server_host, "0.0.0.0", "address where FreeSWITCH's socket application connects to"),
    ROW_INT("ESL_SERVER_PORT", esl_server_port, "", 1, 65535, "8022", "its TCP port"),
    ROW_INT("ESL_MAX_CONNECTIONS", esl_max_connections, "calls", 1, 100000, "100", "concurrent calls; one more is refused so that the dialplan goes on"),
    ROW_STR("ESL_HOST", esl_host, "127.0.0.1", "FreeSWITCH's Event Socket (inbound connection)"),
    ROW_INT("ESL_PORT", esl_port, "", 1, 65535, "8021", "its TCP port"),
    ROW_STR("ESL_USER", esl_user, "", "user@domain of FreeSWITCH's directory; empty: the password of the socket alone"),
    ROW_SECRET("ESL_PASSWORD", esl_password, "ClueCon", "its password"),
    ROW_INT("ESL_CONNECT_TIMEOUT", esl_connect_timeout_s, "s", 1, 300, "5", "time to connect and authenticate"),
    ROW_INT("ESL_READ_TIMEOUT", esl_read_timeout_s, "s", 1, 3600, "30", "time to wait for a reply"),
    ROW_INT("ESL_RECONNECT_DELAY", esl_reconnect_delay_s, "s", 0, 3600, "2", "first pause before connecting again; it grows"),
    ROW_INT("ESL_MAX_RECONNECT_ATTEMPTS", esl_max_reconnect_attempts, "", 0, 1000000, "0", "0 is for ever"),
    ROW_INT("RTP_PORT_MIN", rtp_port_min, "", 1024, 65535, "10000", "first UDP port of our side of the audio"),
    ROW_INT("RTP_PORT_MAX", rtp_port_max, "", 1024, 65535, "10100", "last one; each call takes one (rtp mode: an even one and the next), so the range also limits calls"),
    ROW_ADDR("RTP_BIND_ADDRESS", rtp_bind_address, "0.0.0.0", "address the audio sockets bind to"),
    ROW_ADDR("RTP_ADVERTISE_ADDRESS", rtp_advertise_address, "", "address FreeSWITCH is told to send audio to; empty is RTP_BIND_ADDRESS, or our side of the control connection if that is 0.0.0.0"),
    ROW_INT("RTP_JITTER_MIN_MS", rtp_jitter_min_ms, "ms", 0, 1000, "60", "least playout delay (rtp mode)"),
    ROW_INT("RTP_JITTER_MAX_MS", rtp_jitter_max_ms, "ms", 0, 2000, "200", "most playout delay (rtp mode)"),
    ROW_INT("RTP_JITTER_TARGET_MS", rtp_jitter_target_ms, "ms", 0, 2000, "100", "playout delay to start with (rtp mode)"),
    ROW_STR("RTP_CODECS", rtp_codecs, "PCMU,PCMA,G722,OPUS,L16", "codecs by SIP, best first; of PCMU, PCMA, G722, OPUS, L16 (16 kHz), L16/8000"),
    ROW_CHOICE("RTP_SRTP", rtp_srtp, "optional", "off|optional|required", "encrypted audio (SRTP, SDES): never, where the other side offers it, or nothing else"),
    ROW_ADDR("SIP_HOST", sip_host, "0.0.0.0", "address of our SIP port; it is opened for rtp (AUDIO_MODE, AUDIO_FALLBACK) and SIP_ALLOW_DIRECT"),
    ROW_INT("SIP_PORT", sip_port, "", 1, 65535, "5090", "its UDP and TCP port"),
    ROW_ADDR("SIP_ADVERTISE_ADDRESS", sip_advertise_address, "", "address FreeSWITCH reaches our SIP port at; empty is SIP_HOST, or our side of the control connection if that is 0.0.0.0"),
    ROW_CHOICE("SIP_TRANSPORT", sip_transport, "udp", "udp|tcp|tls", "how FreeSWITCH is told to call our SIP port"),
    ROW_INT("SIP_TLS_PORT", sip_tls_port, "", 0, 65535, "0", "TCP port of SIP over TLS; 0 is none"),
    ROW_STR("SIP_TLS_CERT_DIR", sip_tls_cert_dir, "", "folder with agent.pem (certificate and key) and cafile.pem for it"),
    ROW_STR("SIP_PROFILE", sip_profile, "internal", "FreeSWITCH's SIP profile that calls our SIP port"),
    ROW_BOOL("SIP_ALLOW_DIRECT", sip_allow_direct, "false", "let SIP phones call us without FreeSWITCH; from this host alone unless SIP_ALLOW_ACL names more"),
    ROW_STR("SIP_ALLOW_ACL", sip_allow_acl, "", "networks that may call directly, for example 192.168.0.0/16,10.1.2.3"),
    ROW_ADDR("FREESWITCH_RTP_IP", freeswitch_rtp_ip, "", "address FreeSWITCH sends unicast audio from; empty is its side of the control connection"),
    ROW_INT("UNICAST_PORT_MIN", unicast_port_min, "", 1024, 65535, "11000", "first UDP port FreeSWITCH is told to use on its side (esl mode)"),
    ROW_INT("UNICAST_PORT_MAX", unicast_port_max, "", 1024, 65535, "15999", "last one; keep the range free on the FreeSWITCH host and out of its own RTP range"),
    ROW_ADDR("WS_HOST", ws_host, "0.0.0.0", "address where FreeSWITCH's WebSocket streams come to (dual and websocket mode)"),
    ROW_INT("WS_PORT", ws_port, "", 1, 65535, "8085", "its TCP port"),
    ROW_SECRET("WS_TOKEN", ws_token, "", "secret that a stream begun by a dialplan must bring: ?token=, X-Auth-Token or Authorization: Bearer; may be empty only where WS_HOST is a loopback address"),
    ROW_STR("WS_ADVERTISE_URL", ws_advertise_url, "", "URL FreeSWITCH is told to stream to in dual mode (wss://voice.example.org); empty is our side of the control connection and WS_PORT"),
    ROW_STR("WS_TLS_CERT", ws_tls_cert, "", "certificate (PEM, with its chain): the WebSocket port then speaks TLS only (wss)"),
    ROW_STR("WS_TLS_KEY", ws_tls_key, "", "its key (PEM)"),
    ROW_CHOICE("WS_PLAYBACK", ws_playback, "auto", "auto|unicast|broadcast|json|binary", "how the caller of a WebSocket stream hears us: unicast (UDP), files that the open mod_audio_stream writes and we have played, JSON or binary frames for modules that play by themselves; auto finds out"),
    ROW_INT("MEDIA_START_TIMEOUT_MS", media_start_timeout_ms, "ms", 100, 60000, "1500", "no audio within this time: AUDIO_FALLBACK, else the call is given back to the dialplan"),
    ROW_INT("MEDIA_LOST_TIMEOUT_MS", media_lost_timeout_ms, "ms", 200, 600000, "5000", "audio that stopped for this long in mid-call: likewise"),
    ROW_BOOL("RECORD_CALLS", record_calls, "false", "record every call as stereo WAV (caller left, agent right) under DATA_DIR/recordings"),
    ROW_BOOL("PUBLISH_TRANSCRIPT", publish_transcript, "false", "tell FreeSWITCH's other listeners what is said, as CUSTOM voice_ai::transcript events"),
    ROW_STR("TTS_COMMAND", tts_command, "espeak-ng", "the espeak-ng program, run as a helper process"),
    ROW_STR("ASR_MODEL_DIR", asr_model_dir, "/usr/share/pocketsphinx/model/en-us", "pocketsphinx acoustic model and dictionary"),
    ROW_INT("ASR_THREADS", asr_threads, "", 0, 64, "0", "recogniser threads; 0 is one per core"),
    ROW_STR("DB_HOST", db_host, "", "PostgreSQL server; empty is the embedded SQLite file (this version has only that)"),
    ROW_INT("DB_PORT", db_port, "", 1, 65535, "5432", "its port"),
    ROW_STR("DB_NAME", db_name, "fusionpbx", "its database"),
    ROW_STR("DB_USER", db_user, "fusionpbx", "its user"),
    ROW_SECRET("DB_PASS", db_pass, "", "its password"),
    ROW_STR("REDIS_HOST", redis_host, "", "Redis server; empty is a single node (this version has only that)"),
    ROW_INT("REDIS_PORT", redis_port, "", 1, 65535, "6379", "its port"),
};
/* clang-format on */

const size_t settings_count = sizeof(settings_table) / sizeof(settings_table[0]);

enum { ENV_FILE_MAX = 256 * 1024 };

/* Names that start like this are ours: an unknown one is a typing error, not somebody else's. */
static const char *const own_prefixes[] = {"AUDIO_", "AI_",  "BARGE_", "ESL_", "RTP_",
                                           "ASR_",   "TTS_", "STT_",   "LLM_", "UNICAST_",
                                           "MEDIA_", "WS_",  "SIP_"};

const struct setting *settings_find(struct str name)
{
    for (size_t i = 0; i < settings_count; i++)
        if (str_eqz(name, settings_table[i].name))
            return &settings_table[i];
    return NULL;
}

static enum va_err unknown(struct str name, const char *where, struct va_fault *fault)
{
    return va_fault_set(
        fault, VA_ECONFIG, "%s: unknown setting %.*s; did you mean %s? (voice-ai config lists all)",
        where, STR_ARG(name),
        str_nearest(name, &settings_table[0].name, settings_count, sizeof(settings_table[0])));
}

static int64_t *int_at(struct settings *s, const struct setting *row)
{
    return (int64_t *)(void *)((char *)s + row->offset);
}

static char *text_at(struct settings *s, const struct setting *row)
{
    return (char *)s + row->offset;
}

static enum va_err set_int(struct settings *s, const struct setting *row, struct str value,
                           struct va_fault *fault)
{
    int64_t n = 0;
    if (str_to_i64(value, &n) || n < row->min || n > row->max)
        return va_fault_set(fault, VA_ECONFIG,
                            "%s=%.*s: must be a whole number from %" PRId64 " to %" PRId64 "%s%s",
                            row->name, STR_ARG(value), row->min, row->max, *row->unit ? " " : "",
                            row->unit);
    *int_at(s, row) = n;
    return VA_OK;
}

static enum va_err set_bool(struct settings *s, const struct setting *row, struct str value,
                            struct va_fault *fault)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (unsigned i = 0; i < 8; i++) {
        if (str_ieqz(value, words[i])) {
            *int_at(s, row) = i % 2;
            return VA_OK;
        }
    }
    return va_fault_set(fault, VA_ECONFIG, "%s=%.*s: must be true or false", row->name,
                        STR_ARG(value));
}

/* The choice as the table spells it, or empty. */
static struct str find_choice(const struct setting *row, struct str value)
{
    struct str rest = str_of(row->choices);
    while (rest.len) {
        struct str choice = str_cut(&rest, '|');
        if (str_ieq(value, choice))
            return choice;
    }
    return str_of("");
}

static enum va_err set_choice(struct settings *s, const struct setting *row, struct str value,
                              struct va_fault *fault)
{
    struct str choice = find_choice(row, value);
    if (!choice.len)
        return va_fault_set(fault, VA_ECONFIG, "%s=%.*s: must be one of %s", row->name,
                            STR_ARG(value), row->choices);
    (void)str_copy(text_at(s, row), SETTING_TEXT_MAX, choice);
    return VA_OK;
}

static enum va_err set_list(struct settings *s, const struct setting *row, struct str value,
                            struct va_fault *fault)
{
    setting_text text = "";
    size_t n = 0;
    for (struct str rest = value; rest.len;) {
        struct str choice = find_choice(row, str_trim(str_cut(&rest, ',')));
        if (!choice.len || n + choice.len + 2 > sizeof(text))
            return va_fault_set(fault, VA_ECONFIG,
                                "%s=%.*s: must be words of %s with commas between them", row->name,
                                STR_ARG(value), row->choices);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", n ? "," : "", STR_ARG(choice));
    }
    (void)str_copy(text_at(s, row), SETTING_TEXT_MAX, str_make(text, n));
    return VA_OK;
}

static enum va_err set_text(struct settings *s, const struct setting *row, struct str value,
                            struct va_fault *fault)
{
    if (!str_copy(text_at(s, row), SETTING_TEXT_MAX, value))
        return va_fault_set(fault, VA_ECONFIG, "%s: longer than %d bytes", row->name,
                            SETTING_TEXT_MAX - 1);
    if (row->type == SETTING_ADDRESS && value.len) {
        struct in_addr v4;
        struct in6_addr v6;
        const char *z = text_at(s, row);
        if (inet_pton(AF_INET, z, &v4) != 1 && inet_pton(AF_INET6, z, &v6) != 1)
            return va_fault_set(fault, VA_ECONFIG,
                                "%s=%s: must be an IP address, for example 127.0.0.1 or 0.0.0.0",
                                row->name, z);
    }
    return VA_OK;
}

static enum va_err set_value(struct settings *s, const struct setting *row, struct str value,
                             struct va_fault *fault)
{
    switch (row->type) {
    case SETTING_INT: return set_int(s, row, value, fault);
    case SETTING_BOOL: return set_bool(s, row, value, fault);
    case SETTING_CHOICE: return set_choice(s, row, value, fault);
    case SETTING_LIST: return set_list(s, row, value, fault);
    case SETTING_STRING:
    case SETTING_ADDRESS: break;
    }
    return set_text(s, row, value, fault);
}

static struct str unquote(struct str v)
{
    if (v.len >= 2 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.len - 1] == v.p[0])
        return str_make(v.p + 1, v.len - 2);
    for (size_t i = 1; i < v.len; i++) /* an unquoted value ends at " #" */
        if (v.p[i] == '#' && (v.p[i - 1] == ' ' || v.p[i - 1] == '\t'))
            return str_trim(str_make(v.p, i));
    return v;
}

static enum va_err apply_env_line(struct settings *s, struct str line, const char *where,
                                  struct va_fault *fault)
{
    line = str_trim(line);
    if (line.len == 0 || line.p[0] == '#')
        return VA_OK;
    if (str_starts(line, "export "))
        line = str_trim(str_make(line.p + 7, line.len - 7));
    if (!memchr(line.p, '=', line.len))
        return va_fault_set(fault, VA_ECONFIG, "%s: expected NAME=value, found \"%.*s\"", where,
                            STR_ARG(line));
    struct str name = str_trim(str_cut(&line, '='));
    const struct setting *row = settings_find(name);
    if (!row)
        return unknown(name, where, fault);
    return set_value(s, row, unquote(str_trim(line)), fault);
}

static enum va_err read_file(FILE *f, const char *path, struct buf *text, struct va_fault *fault)
{
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        if (buf_add(text, chunk, n))
            return va_fault_set(fault, VA_ECONFIG, "%s: larger than %d bytes", path, ENV_FILE_MAX);
    if (ferror(f))
        return va_fault_set(fault, VA_EIO, "%s: cannot be read: %s", path, strerror(errno));
    return VA_OK;
}

static enum va_err apply_env_text(struct settings *s, struct str text, const char *path,
                                  struct va_fault *fault)
{
    for (unsigned line = 1; text.len; line++) {
        char where[300];
        (void)snprintf(where, sizeof(where), "%.250s:%u", path, line);
        enum va_err err = apply_env_line(s, str_cut(&text, '\n'), where, fault);
        if (err)
            return err;
    }
    return VA_OK;
}

static enum va_err load_env_file(struct settings *s, const char *env_file, struct va_fault *fault)
{
    const char *path = env_file ? env_file : ".env";
    FILE *f = fopen(path, "re");
    if (!f && !env_file && errno == ENOENT)
        return VA_OK;
    if (!f)
        return va_fault_set(fault, VA_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    struct buf text;
    buf_init(&text, ENV_FILE_MAX);
    enum va_err err = read_file(f, path, &text, fault);
    if (!err)
        err = apply_env_text(s, buf_str(&text), path, fault);
    buf_free(&text);
    (void)fclose(f);
    return err;
}

static bool looks_ours(struct str name)
{
    for (size_t i = 0; i < sizeof(own_prefixes) / sizeof(own_prefixes[0]); i++)
        if (str_starts(name, own_prefixes[i]))
            return true;
    return false;
}

static enum va_err load_environment(struct settings *s, char *const *env, struct va_fault *fault)
{
    for (; env && *env; env++) {
        struct str value = str_of(*env);
        struct str name = str_cut(&value, '=');
        const struct setting *row = settings_find(name);
        enum va_err err = VA_OK;
        if (row)
            err = set_value(s, row, value, fault);
        else if (looks_ours(name))
            err = unknown(name, "environment", fault);
        if (err)
            return err;
    }
    return VA_OK;
}

static enum va_err check_pairs(const struct settings *s, struct va_fault *fault)
{
    if (s->rtp_port_min > s->rtp_port_max)
        return va_fault_set(fault, VA_ECONFIG,
                            "RTP_PORT_MIN=%" PRId64 " is above RTP_PORT_MAX=%" PRId64
                            "; swap or widen them",
                            s->rtp_port_min, s->rtp_port_max);
    if (s->unicast_port_min > s->unicast_port_max)
        return va_fault_set(fault, VA_ECONFIG,
                            "UNICAST_PORT_MIN=%" PRId64 " is above UNICAST_PORT_MAX=%" PRId64
                            "; swap or widen them",
                            s->unicast_port_min, s->unicast_port_max);
    if (s->rtp_jitter_min_ms > s->rtp_jitter_max_ms)
        return va_fault_set(fault, VA_ECONFIG,
                            "RTP_JITTER_MIN_MS=%" PRId64 " is above RTP_JITTER_MAX_MS=%" PRId64,
                            s->rtp_jitter_min_ms, s->rtp_jitter_max_ms);
    return VA_OK;
}

enum va_err settings_load(const char *env_file, char *const *environ_, struct settings *ret,
                          struct va_fault *fault)
{
    struct settings s = {0};
    enum va_err err = VA_OK;
    for (size_t i = 0; i < settings_count && !err; i++)
        err = set_value(&s, &settings_table[i], str_of(settings_table[i].fallback), fault);
    if (!err)
        err = load_env_file(&s, env_file, fault);
    if (!err)
        err = load_environment(&s, environ_, fault);
    if (!err)
        err = check_pairs(&s, fault);
    if (!err)
        *ret = s;
    return err;
}

bool settings_uses_mode(const struct settings *s, const char *mode)
{
    if (strcmp(s->audio_mode, mode) == 0)
        return true;
    for (struct str rest = str_of(s->audio_fallback); rest.len;)
        if (str_eqz(str_cut(&rest, ','), mode))
            return true;
    return false;
}

void settings_value_text(const struct settings *s, const struct setting *row, char *out, size_t cap)
{
    const char *at = (const char *)s + row->offset;
    if (row->type == SETTING_INT)
        (void)snprintf(out, cap, "%" PRId64, *(const int64_t *)(const void *)at);
    else if (row->type == SETTING_BOOL)
        (void)snprintf(out, cap, "%s", *(const int64_t *)(const void *)at ? "true" : "false");
    else
        (void)snprintf(out, cap, "%s", row->secret && *at ? "***" : at);
}

void settings_print(const struct settings *s, FILE *out)
{
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *row = &settings_table[i];
        char value[SETTING_TEXT_MAX];
        settings_value_text(s, row, value, sizeof(value));
        (void)fprintf(out, "%-27s %-22s %s%s%s%s\n", row->name, *value ? value : "-", row->help,
                      *row->unit ? " [" : "", row->unit, *row->unit ? "]" : "");
    }
}

static void print_range(const struct setting *row, FILE *out)
{
    if (row->type == SETTING_INT)
        (void)fprintf(out, "%" PRId64 "–%" PRId64 "%s%s", row->min, row->max, *row->unit ? " " : "",
                      row->unit);
    else if (row->type == SETTING_BOOL)
        (void)fputs("true, false", out);
    else if (row->type == SETTING_ADDRESS)
        (void)fputs("IP address", out);
    else if (row->type == SETTING_CHOICE || row->type == SETTING_LIST)
        for (const char *c = row->choices; *c; c++)
            (void)fputs(*c == '|' ? ", " : (char[2]){*c, 0}, out);
    else
        (void)fputs("text", out);
}

void settings_print_markdown(FILE *out)
{
    (void)fputs("| setting | values | default | meaning |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *row = &settings_table[i];
        (void)fprintf(out, "| `%s` | ", row->name);
        print_range(row, out);
        (void)fprintf(out, " | %s%s%s | %s%s |\n", *row->fallback ? "`" : "", row->fallback,
                      *row->fallback ? "`" : "(empty)", row->help, row->secret ? " (secret)" : "");
    }
}
