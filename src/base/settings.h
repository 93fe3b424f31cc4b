/**
 * base/settings.h: every setting of the program, one table row each.
 *
 * A value comes from the environment, else from a `.env` file, else from the row's default. The
 * table makes the parser, `voice-ai config`, `--help` and docs/settings.md. Adding a setting: a
 * field below, a row in settings.c.
 */
#ifndef VA_BASE_SETTINGS_H
#define VA_BASE_SETTINGS_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>

enum { SETTING_TEXT_MAX = 256 };

typedef char setting_text[SETTING_TEXT_MAX];

/** Values as the program reads them. Plain data: copy it, share it read-only between threads. */
struct settings {
    setting_text audio_mode;
    setting_text audio_fallback; /**< "esl,dual" */
    setting_text ai_provider;
    setting_text ai_fallback; /**< names, separated by commas */
    int64_t ai_connect_timeout_ms, ai_first_audio_timeout_ms, ai_stall_timeout_ms;
    int64_t barge_in_confirm_ms;     /**< 0: at once */
    setting_text transfer_return;    /**< "never", "failed", "always" */
    int64_t transfer_ring_timeout_s; /**< [s] */
    int64_t ai_packet_ms; /**< of the caller's audio, per message to a realtime provider */
    int64_t ai_prepared;  /**< connections kept open ahead, per worker */
    setting_text tls_ca_file;
    setting_text openai_api_key, openai_base_url, openai_model, openai_voice;
    setting_text openai_transcribe_model, openai_quirks;
    setting_text azure_openai_endpoint, azure_openai_api_key, azure_openai_deployment;
    setting_text xai_api_key, xai_base_url, xai_model, xai_voice;
    setting_text elevenlabs_agent_id, elevenlabs_base_url, elevenlabs_overrides;
    setting_text deepgram_agent_url, deepgram_listen_model, deepgram_think_provider;
    setting_text deepgram_think_model, deepgram_speak_model;
    setting_text ultravox_api_key, ultravox_base_url, ultravox_model, ultravox_voice;
    setting_text openai_live_model, openai_live_backend_model;
    setting_text google_api_key, gemini_api_key, gemini_base_url, gemini_model, gemini_voice;
    /* stages of the pipeline: ai/pipeline */
    setting_text stt_provider, stt_base_url, stt_api_key, stt_model;
    int64_t stt_hold_ms;
    setting_text llm_provider, llm_base_url, llm_api_key, llm_model;
    setting_text tts_provider, tts_base_url, tts_api_key, tts_model, tts_voice;
    int64_t tts_rate; /**< [Hz] */
    setting_text deepgram_api_key, elevenlabs_api_key, anthropic_api_key;
    setting_text data_dir;
    setting_text log_level;
    int64_t workers; /**< 0: one per core */
    setting_text worker_priority;
    int64_t drain_timeout_s; /**< [s] */
    setting_text esl_server_host;
    int64_t esl_server_port;
    int64_t esl_max_connections;
    setting_text esl_host;
    int64_t esl_port;
    setting_text esl_user;
    setting_text esl_password;
    int64_t esl_connect_timeout_s;
    int64_t esl_read_timeout_s;
    int64_t esl_reconnect_delay_s;
    int64_t esl_max_reconnect_attempts;
    int64_t rtp_port_min, rtp_port_max;
    setting_text rtp_bind_address;
    setting_text rtp_advertise_address;
    int64_t rtp_jitter_min_ms, rtp_jitter_max_ms, rtp_jitter_target_ms;
    setting_text rtp_codecs;
    setting_text rtp_srtp;
    setting_text sip_host;
    int64_t sip_port;
    setting_text sip_advertise_address;
    setting_text sip_transport;
    int64_t sip_tls_port; /**< 0: no TLS */
    setting_text sip_tls_cert_dir;
    setting_text sip_profile;
    int64_t sip_allow_direct; /**< bool */
    setting_text sip_allow_acl;
    setting_text freeswitch_rtp_ip;
    int64_t unicast_port_min, unicast_port_max;
    setting_text ws_host;
    int64_t ws_port;
    setting_text ws_token;
    setting_text ws_advertise_url;
    setting_text ws_tls_cert, ws_tls_key;
    setting_text ws_playback;
    int64_t media_start_timeout_ms;
    int64_t media_lost_timeout_ms;
    int64_t record_calls;       /**< bool */
    int64_t publish_transcript; /**< bool */
    setting_text tts_command;
    setting_text asr_model_dir;
    int64_t asr_threads; /**< 0: one per core */
    setting_text db_host;
    int64_t db_port;
    setting_text db_name, db_user, db_pass;
    setting_text redis_host;
    int64_t redis_port;
};

enum setting_type {
    SETTING_STRING,
    SETTING_INT,
    SETTING_BOOL,
    SETTING_CHOICE,
    SETTING_LIST, /**< choices with commas between them, kept without blanks; may be empty */
    SETTING_ADDRESS
};

struct setting {
    const char *name;
    enum setting_type type;
    const char *unit;     /**< "", "ms", "s", … */
    int64_t min, max;     /**< of SETTING_INT */
    const char *fallback; /**< default, as text */
    const char *choices;  /**< "a|b|c" of SETTING_CHOICE and SETTING_LIST */
    bool secret, reloadable;
    size_t offset; /**< of the value in struct settings */
    const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/**
 * Read all settings. Nothing is opened but the file.
 *
 * @param env_file  Path of the `.env` file. NULL: "./.env" if there is one. Lines are NAME=value,
 *                  `#` comments, optional `export `, single or double quotes
 * @param environ_  NULL-terminated "NAME=value" list (the process environment)
 * @param ret       Set on success only
 * @param fault     On failure: names the setting, its value, and the range or the nearest name
 *
 * @return VA_OK, VA_ECONFIG, VA_EIO
 */
VA_CHECK enum va_err settings_load(const char *env_file, char *const *environ_,
                                   struct settings *ret, struct va_fault *fault);

/** Is `mode` AUDIO_MODE, or one of AUDIO_FALLBACK? */
bool settings_uses_mode(const struct settings *s, const char *mode);

/** The row of a name, or NULL. */
const struct setting *settings_find(struct str name);

/** Current value as text into `out`; secrets as "***" unless empty. */
void settings_value_text(const struct settings *s, const struct setting *row, char *out,
                         size_t cap);

/** Table of all settings for people: `voice-ai config` (values) or the documentation (markdown). */
void settings_print(const struct settings *s, FILE *out);
void settings_print_markdown(FILE *out);

#endif
