/**
 * leg/ws_text.h: the text messages of a stream and the events that speak of it. Pure functions over
 * bytes that anybody may have sent: bounded in length and depth, what is not understood is skipped.
 */
#ifndef VA_LEG_WS_TEXT_H
#define VA_LEG_WS_TEXT_H

#include "leg/ws_audio.h"

enum { WS_TEXT_MAX = 8191 /* mod_audio_stream's own bound of its metadata [bytes] */ };

/** "auto", "unicast", "broadcast", "json", "binary". @return VA_EINVAL */
VA_CHECK enum va_err ws_playback_read(struct str s, enum ws_playback *ret);
const char *ws_playback_text(enum ws_playback p);

/** What a message tells; 0 where it tells nothing. */
struct ws_told {
    struct ws_wire wire;
    enum ws_playback playback;
    char digit; /**< {"type":"dtmf","digit":"5"} */
};
/** @return VA_OK, VA_EINVAL (not a JSON object: metadata may be any text), VA_ELIMIT */
VA_CHECK enum va_err ws_text_read(struct str text, struct ws_told *ret);

/**
 * Body of `mod_audio_stream::play` (or mod_audio_fork's): where the module put the audio.
 *
 * @param uuid  Of the channel: the file's name must hold it
 * @return VA_OK, VA_EPROTO, VA_ELIMIT
 */
VA_CHECK enum va_err ws_play_file(struct str body, const char *uuid, char *ret_path, size_t cap);
/** Body of `::error` or `::disconnect`: what is wrong, for a person; "" when not told. */
void ws_error_text(struct str body, char *out, size_t cap);

#endif
