/**
 * esl/stream.h: a channel's audio: recordings, what plays, mute and level, displaced audio,
 * WebSocket streams of mod_audio_stream. As channel.h.
 */
#ifndef VA_ESL_STREAM_H
#define VA_ESL_STREAM_H

#include "esl/switch.h"

enum esl_record {
    ESL_RECORD_START,
    ESL_RECORD_STOP, /**< the path "all" stops every recording of the channel */
    ESL_RECORD_MASK, /**< silence instead of audio, e.g. while a card number is told */
    ESL_RECORD_UNMASK,
    ESL_RECORD_PAUSE,
    ESL_RECORD_RESUME
};
/**
 * @param path     File at FreeSWITCH, not empty. Begins with `{`: parameters of the file format
 * @param limit_s  Longest [s], for ESL_RECORD_START only (else must be 0); 0: none
 */
VA_CHECK enum va_err esl_uuid_record(struct esl_switch *sw, const char *uuid, enum esl_record what,
                                     struct str path, unsigned limit_s,
                                     const struct esl_then *then);

/**
 * Let the channel's other side hear a file instead of, or mixed with, what it would hear.
 *
 * @param start    false: stop this path; limit_s and mix do not count then
 * @param limit_s  Longest [s]; 0: to its end
 */
VA_CHECK enum va_err esl_uuid_displace(struct esl_switch *sw, const char *uuid, bool start,
                                       struct str path, unsigned limit_s, bool mix,
                                       const struct esl_then *then);

/** What is done to the file that plays. */
enum esl_file_act {
    ESL_FILE_PAUSE, /**< … and go on, in turn */
    ESL_FILE_STOP,
    ESL_FILE_RESTART, /**< from its beginning, at normal speed */
    ESL_FILE_SEEK,    /**< to value [ms] ≥ 0 */
    ESL_FILE_SKIP,    /**< by value [ms], forwards or back */
    ESL_FILE_SPEED,   /**< by value steps; 0: back to normal */
    ESL_FILE_VOLUME   /**< by value steps; 0: back to normal */
};
/** VA_EREFUSED when nothing plays. @param value  As above, ±86400000; else 0 */
VA_CHECK enum va_err esl_uuid_fileman(struct esl_switch *sw, const char *uuid,
                                      enum esl_file_act act, int value,
                                      const struct esl_then *then);

/** read: what comes from the phone; write: what it hears. */
enum esl_direction { ESL_READ, ESL_WRITE };
/** Silence instead of the audio, or the audio again. */
VA_CHECK enum va_err esl_uuid_mute(struct esl_switch *sw, const char *uuid,
                                   enum esl_direction direction, bool on,
                                   const struct esl_then *then);
/** @param level  −4 to 4; 0: as it is */
VA_CHECK enum va_err esl_uuid_level(struct esl_switch *sw, const char *uuid,
                                    enum esl_direction direction, int level,
                                    const struct esl_then *then);

/** Which audio a WebSocket stream carries. */
enum esl_mix {
    ESL_MIX_MONO,  /**< what comes from the caller */
    ESL_MIX_MIXED, /**< both directions in one channel */
    ESL_MIX_STEREO /**< both, one channel each */
};
enum { ESL_STREAM_URL_MAX = 4095 }; /**< longer ones overrun a field of mod_audio_stream */

/** A stream of amigniter/mod_audio_stream, or one that takes the same commands. */
struct esl_audio_stream {
    const char *url; /**< "ws://host:port/…" or "wss://…", no blank */
    enum esl_mix mix;
    unsigned rate_hz;    /**< a multiple of 8000 to 48000; 0: 8000 */
    struct str metadata; /**< sent as the first text; any bytes but NUL, best UTF-8; may be empty */
};
VA_CHECK enum va_err esl_uuid_audio_stream_start(struct esl_switch *sw, const char *uuid,
                                                 const struct esl_audio_stream *stream,
                                                 const struct esl_then *then);
/** @param text  Sent as the last text; may be empty */
VA_CHECK enum va_err esl_uuid_audio_stream_stop(struct esl_switch *sw, const char *uuid,
                                                struct str text, const struct esl_then *then);
VA_CHECK enum va_err esl_uuid_audio_stream_pause(struct esl_switch *sw, const char *uuid,
                                                 const struct esl_then *then);
VA_CHECK enum va_err esl_uuid_audio_stream_resume(struct esl_switch *sw, const char *uuid,
                                                  const struct esl_then *then);
/** @param text  UTF-8, not empty */
VA_CHECK enum va_err esl_uuid_audio_stream_send_text(struct esl_switch *sw, const char *uuid,
                                                     struct str text, const struct esl_then *then);

#endif
